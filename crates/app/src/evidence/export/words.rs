//! What is handed on, in words. Pure.

use sallyport_audit::Draft;
use sallyport_ipc::{ExportForm, TimelineFilter, TimelineSide};
use sallyport_model::{SessionId, UserName, clip, visible};
use sallyport_report::handed::told;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The longest text of a filter that is repeated.
const LONGEST: usize = 200;

/// As what, as its entry says.
pub(super) fn form(form: ExportForm) -> &'static str {
    match form {
        ExportForm::Pack => "an evidence pack",
        ExportForm::Jsonl => "JSON lines",
        ExportForm::Csv => "CSV",
        ExportForm::Ocsf => "OCSF",
        ExportForm::Report => "an access report",
    }
}

/// What a filter selects: `cluster eu-1, verb delete, from 2026-11-29T20:15:00.000Z`.
pub(super) fn words(filter: &TimelineFilter) -> String {
    let parts = [
        ("cluster", &filter.cluster),
        ("person", &filter.person),
        ("verb", &filter.verb),
        ("resource", &filter.resource),
        ("namespace", &filter.namespace),
        ("name", &filter.name),
        ("status", &filter.code),
        ("session", &filter.session),
        ("request", &filter.request),
        ("action", &filter.action),
        ("text", &filter.text),
    ];
    let said = |text: &Option<String>| text.as_deref().map(str::trim).unwrap_or_default().to_owned();
    let parts = parts.into_iter().map(|(name, text)| (name, said(text))).filter(|(_, text)| !text.is_empty());
    let mut words: Vec<String> =
        parts.map(|(name, text)| format!("{name} {}", clip(&visible(&text), LONGEST))).collect();
    words.extend(filter.from_us.map(|from| format!("from {}", told(from))));
    words.extend(filter.to_us.map(|to| format!("before {}", told(to))));
    words.extend(filter.side.map(|side| match side {
        TimelineSide::Own => "told by this desktop".to_owned(),
        TimelineSide::Cluster => "told by clusters".to_owned(),
    }));
    if words.is_empty() { "everything".to_owned() } else { words.join(", ") }
}

/// Sessions whose recordings leave, each by its id, as far as an entry has room.
pub(super) fn sessions(all: &BTreeSet<String>) -> String {
    const MOST: usize = 40;
    let named: Vec<&str> = all.iter().take(MOST).map(String::as_str).collect();
    let more = all.len().saturating_sub(MOST);
    match more {
        0 => named.join(" "),
        more => format!("{} and {more} more", named.join(" ")),
    }
}

/// With whose it is and what it is about, so that it is found with that.
pub(super) fn about(mut draft: Draft, who: Option<&UserName>, filter: &TimelineFilter) -> Draft {
    if let Some(who) = who {
        draft = draft.user(who);
    }
    if let Some(cluster) = filter.cluster.as_deref().and_then(|cluster| cluster.trim().parse().ok()) {
        draft = draft.cluster(&cluster);
    }
    if let Some(session) = filter.session.as_deref().map(str::trim).filter(|session| !session.is_empty()) {
        draft = draft.session(&SessionId::new(session));
    }
    draft
}

/// Where it is written, where nobody says otherwise, without its ending.
pub(super) fn usual(home: Option<&Path>, at_ms: i64) -> PathBuf {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
    let name = format!("sallyport-audit-{}", at.strftime("%Y%m%d-%H%M%S"));
    home.unwrap_or(Path::new("/tmp")).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_said_whole_and_hides_nothing() {
        assert_eq!(words(&TimelineFilter::default()), "everything");
        let filter = TimelineFilter {
            cluster: Some(" eu-1 ".into()),
            verb: Some("delete".into()),
            text: Some("x\u{202e}y".into()),
            person: Some(" ".into()),
            from_us: Some(0),
            side: Some(TimelineSide::Own),
            ..TimelineFilter::default()
        };
        assert_eq!(
            words(&filter),
            "cluster eu-1, verb delete, text x⟨U+202E⟩y, from 1970-01-01T00:00:00.000Z, told by this desktop"
        );
        let long = TimelineFilter { text: Some("x".repeat(10_000)), ..TimelineFilter::default() };
        assert!(words(&long).len() < 300);
    }

    #[test]
    fn a_place_is_named_by_the_moment() {
        assert_eq!(
            usual(Some(Path::new("/home/dana")), 0).display().to_string(),
            "/home/dana/sallyport-audit-19700101-000000"
        );
    }
}
