//! The entries of recordings. Pure.

use sallyport_audit::{Action, Draft, Outcome};
use sallyport_model::{SessionId, UserName};
use sallyport_recording::{About, Left, Part, Removed};

/// A segment was closed.
pub(super) fn closed(draft: Draft, terminal: &str, part: &Part) -> Draft {
    draft
        .detail("terminal", terminal)
        .detail("segment", part.number)
        .detail("from", part.begins_ms)
        .detail("to", part.ends_ms)
        .detail("span", span(part.ends_ms - part.begins_ms))
        .detail("bytes", part.bytes)
        .detail("sha256", &part.sha256)
}

/// Nothing could be written from a moment on, or from then until now. The moments are microseconds of Unix time, as every
/// gap's are; that it names a terminal says that it is one of the recording alone (`events::hole`).
pub(super) fn gap(draft: Draft, terminal: &str, why: &str, since_ms: i64) -> Draft {
    let now = jiff::Timestamp::now().as_microsecond();
    let from = since_ms.saturating_mul(1000).min(now);
    draft.detail("terminal", terminal).detail("from", from).detail("to", now).detail("why", why)
}

/// An entry about a recording, whose session may be long over.
fn of(action: Action, about: &About) -> Draft {
    let draft = Draft::new(action).session(&SessionId::new(about.session.clone()));
    let draft = match about.cluster.parse() {
        Ok(cluster) => draft.cluster(&cluster),
        Err(_) => draft,
    };
    draft.detail("terminal", &about.terminal).detail("of", &about.user)
}

/// The same, with who did it.
pub(super) fn by(draft: Draft, who: Option<&UserName>) -> Draft {
    match who {
        Some(who) => draft.user(who),
        None => draft,
    }
}

/// Somebody watches one.
pub(super) fn watched(about: &About) -> Draft {
    of(Action::RecordingWatched, about)
}

/// What an earlier run left, closed: its segments, and that its end may be missing.
pub(super) fn left(left: &Left) -> Vec<Draft> {
    let part = |part: &Part| {
        let draft = of(Action::Recorded, &left.about).detail("found", true);
        closed(draft, &left.about.terminal, part)
    };
    let mut drafts: Vec<_> = left.parts.iter().map(part).collect();
    let why = match &left.damaged {
        None => "the recording was cut off with Sallyport; its last second may be missing".to_owned(),
        Some(what) => format!("the recording was cut off with Sallyport, and {what}"),
    };
    let draft = of(Action::Gap, &left.about).outcome(Outcome::Failed);
    drafts.push(gap(draft, &left.about.terminal, &why, left.ends_ms));
    drafts
}

/// One was removed because it was too old or too much.
pub(super) fn removed(one: &Removed) -> Draft {
    let draft = Draft::new(Action::RecordingDeleted).session(&SessionId::new(one.session.clone()));
    draft
        .detail("terminal", &one.terminal)
        .detail("bytes", one.bytes)
        .detail("why", "it was older, or all of them were more, than is kept")
}

/// One was deleted by this person.
pub(super) fn deleted(one: &Removed, about: Option<&About>) -> Draft {
    let draft = match about {
        Some(about) => of(Action::RecordingDeleted, about),
        None => Draft::new(Action::RecordingDeleted)
            .session(&SessionId::new(one.session.clone()))
            .detail("terminal", &one.terminal),
    };
    draft.detail("bytes", one.bytes)
}

/// A span of milliseconds for people: `2 min 5 s`.
fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_of_a_recording_has_both_its_ends_in_microseconds_and_is_none_of_the_gateways() {
        let now = jiff::Timestamp::now();
        let draft = gap(Draft::new(Action::Gap), "t1", "no space", now.as_millisecond() - 5000);
        let entry = draft.place(1, 0);
        let at = |key: &str| entry.detail.get(key).and_then(serde_json::Value::as_i64).unwrap();
        let span = at("to") - at("from");
        assert!((5_000_000..65_000_000).contains(&span), "{span}");
        assert!(at("from") <= now.as_microsecond());
        assert_eq!(sallyport_events::hole(&entry), None, "no call is unclear for a screen's sake");
    }

    #[test]
    fn a_span_reads_as_people_say_it() {
        let said: Vec<_> = [-5, 0, 999, 59_999, 60_000, 125_000].map(span).into();
        assert_eq!(said, ["0 s", "0 s", "0 s", "59 s", "1 min", "2 min 5 s"]);
    }
}
