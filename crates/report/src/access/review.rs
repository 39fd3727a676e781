//! Who looked at whose access, and of what nobody said that they did.

use super::view::{AccessReview, AccessView, Facts, ReviewedLine, SessionView, told};
use sallyport_audit::Review;
use std::collections::BTreeMap;

/// Every review of the time that is reported on, the newest first, and beside each person and cluster the last one there is.
pub(super) fn review(view: &mut AccessView, facts: &Facts<'_>) {
    let mut last: BTreeMap<(&'static str, String), AccessReview> = BTreeMap::new();
    for entry in facts.entries.iter().filter(|entry| entry.at < facts.to) {
        let Some(review) = Review::of(entry) else { continue };
        let by = entry.user.as_ref().map(|user| user.to_string()).unwrap_or_default();
        let one = AccessReview {
            at: told(entry.at),
            of: review.of.kind(),
            name: review.of.name().to_owned(),
            from: review.from.map(told),
            to: told(review.to),
            ruling: review.ruling.as_str(),
            is_own: review.of.kind() == "person" && by == review.of.name(),
            note: Some(review.note).filter(|note| !note.is_empty()),
            by,
            micros: review.to,
        };
        if entry.at >= facts.from {
            view.reviews.push(one.clone());
        }
        // Entries come in their order, so a later one takes the place.
        last.insert((one.of, one.name.clone()), one);
    }
    view.reviews.reverse();
    let named = |of: &'static str, name: &str| (of, name.to_owned());
    let mut lines: Vec<(&'static str, String)> = Vec::new();
    lines.extend(view.people.iter().filter(|one| !one.name.is_empty()).map(|one| named("person", &one.name)));
    lines.extend(
        view.clusters.iter().filter(|one| !one.name.is_empty()).map(|one| named("cluster", &one.name)),
    );
    lines.extend(view.standing.iter().map(|one| named("standing", &one.cluster)));
    view.reviewed = lines
        .into_iter()
        .map(|(of, name)| {
            let last = last.get(&(of, name.clone())).cloned();
            let is_theirs = |one: &&SessionView| match of {
                "person" => one.person.as_ref() == Some(&name),
                "cluster" => one.cluster.as_ref() == Some(&name),
                _ => false,
            };
            let since = last.as_ref().map(|last| last.micros);
            let is_later = |one: &&SessionView| {
                one.span.is_some_and(|(opened, _)| since.is_none_or(|since| opened >= since))
            };
            let sessions_since = view.sessions.iter().filter(is_theirs).filter(is_later).count();
            ReviewedLine { of, name, last, sessions_since }
        })
        .collect();
}
