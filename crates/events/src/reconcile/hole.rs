//! What an entry says is missing in the history, as far as the gateway's calls go.

use sallyport_audit::{Action, Entry};
use std::ops::Range;

/// The stretch of which an entry says that nothing is known of the gateway's calls, in microseconds of Unix time; `None`
/// for every other entry.
///
/// A terminal's recording that has a hole is an entry of that action too, and so is a cluster's log that does; neither says
/// anything of the gateway, each of whose calls is written whether or not somebody's screen or a cluster's log is.
pub fn hole(entry: &Entry) -> Option<Range<i64>> {
    if entry.action != Action::Gap || ["terminal", "source"].iter().any(|key| entry.detail.get(key).is_some())
    {
        return None;
    }
    let at = |key: &str| entry.detail.get(key).and_then(serde_json::Value::as_i64);
    let from = at("from").unwrap_or(entry.at);
    // What waited for the disk is written all the same; what was refused was not sent.
    Some(from..at("to").unwrap_or(entry.at).max(from).saturating_add(1))
}

/// The same of an end without notice alone: from the last entry that was written before it to the next start. Entries are on
/// the disk within a second of their calls, unless it takes none; so of the calls in there at most those of one moment, the
/// end's, can be the gateway's.
pub fn unclean_stop(entry: &Entry) -> Option<Range<i64>> {
    let is_stop = entry.detail.get("why").is_some_and(|why| why == "unclean stop");
    hole(entry).filter(|_| is_stop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_audit::Draft;

    #[test]
    fn a_hole_is_one_of_the_gateways_calls_and_none_of_a_terminals_recording() {
        let gap = || Draft::new(Action::Gap).at(1_795_500_000_000_000);
        let of = |draft: Draft| hole(&draft.place(1, 0));
        let both = gap().detail("from", 1_795_400_000_000_000_i64).detail("to", 1_795_400_000_000_009_i64);
        assert_eq!(of(both), Some(1_795_400_000_000_000..1_795_400_000_000_010));
        assert_eq!(of(gap()), Some(1_795_500_000_000_000..1_795_500_000_000_001));
        // Histories hold some whose moments are milliseconds, and which have no end: that would be all of time.
        assert_eq!(of(gap().detail("terminal", "t1").detail("from", 1_795_400_000_000_i64)), None);
        assert_eq!(of(gap().detail("source", "eu-1-0f")), None, "of a cluster's log");
        assert_eq!(of(Draft::new(Action::Call)), None);
    }
}
