//! Ends that this person said and that the hub has not heard. They are kept in memory, for as long as the sign-in goes on: what
//! is told in somebody's name is told while they are there to see it. Pure.

use super::closing::refused_from;
use sallyport_api::AccessRequest;
use sallyport_ipc::{ClosingState, ClosingView, Shown};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Those that are kept in one workspace. Whoever has to end more than that holds the person or the cluster.
const MOST: usize = 100;
/// How long one is kept that has no rights yet, and so no end: longer than any broker lets it wait, ms.
const WITHOUT_END: i64 = 24 * 3600 * 1000;

/// An end that the hub has not heard.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// What it is of, as it was last told of.
    pub(super) object: Arc<AccessRequest>,
    pub(super) reason: String,
    /// Since when by the hub's clock, Unix milliseconds.
    pub(super) since: i64,
    /// Why the hub has not heard it, or why it says no.
    pub(super) why: String,
    /// The hub has heard it and said no: it is not told again by itself.
    pub(super) is_refused: bool,
}

impl Kept {
    /// How the end stands: nobody was told, and what it is of goes on.
    pub(super) fn view(&self, object: &AccessRequest) -> ClosingView {
        ClosingView {
            state: if self.is_refused { ClosingState::Refused } else { ClosingState::Untold },
            said: Some(Shown::from(&self.why)),
            seen_at: None,
            refused_from: refused_from(object),
            kept_since: Some(self.since),
        }
    }

    /// When there is nothing left to end, Unix milliseconds.
    fn until(&self) -> i64 {
        refused_from(&self.object).unwrap_or_else(|| self.since.saturating_add(WITHOUT_END))
    }
}

/// What is kept in one workspace, by UID.
#[derive(Default)]
pub(super) struct Untold(BTreeMap<String, Kept>);

impl Untold {
    /// False where too much is kept already. Said again, it is kept with the new reason since it was first said.
    pub(super) fn keep(&mut self, uid: &str, mut kept: Kept) -> bool {
        if let Some(before) = self.0.get(uid) {
            kept.since = before.since;
        } else if self.0.len() >= MOST {
            return false;
        }
        self.0.insert(uid.to_owned(), kept);
        true
    }

    pub(super) fn forget(&mut self, uid: &str) -> Option<Kept> {
        self.0.remove(uid)
    }

    pub(super) fn one(&self, uid: &str) -> Option<&Kept> {
        self.0.get(uid)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Kept> {
        self.0.values()
    }

    /// Those that are to be told, the one that was said first before all others.
    pub(super) fn to_tell(&self) -> Vec<String> {
        let mut all: Vec<(&String, i64)> =
            self.0.iter().filter(|(_, kept)| !kept.is_refused).map(|(uid, kept)| (uid, kept.since)).collect();
        all.sort_by_key(|(_, since)| *since);
        all.into_iter().map(|(uid, _)| uid.clone()).collect()
    }

    /// The hub could not be told that.
    pub(super) fn not_yet(&mut self, uid: &str, why: String) {
        if let Some(kept) = self.0.get_mut(uid) {
            kept.why = why;
        }
    }

    /// The hub said no.
    pub(super) fn refused(&mut self, uid: &str, why: String) {
        if let Some(kept) = self.0.get_mut(uid) {
            (kept.why, kept.is_refused) = (why, true);
        }
    }

    /// What it is of is told of anew: it may have got an end by now.
    pub(super) fn is_now(&mut self, uid: &str, object: &Arc<AccessRequest>) {
        if let Some(kept) = self.0.get_mut(uid) {
            kept.object = object.clone();
        }
    }

    /// Takes away those of which nothing is left to end.
    pub(super) fn take_over(&mut self, now: i64) -> Vec<Kept> {
        let over: Vec<String> =
            self.0.iter().filter(|(_, kept)| kept.until() <= now).map(|(uid, _)| uid.clone()).collect();
        over.iter().filter_map(|uid| self.0.remove(uid)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kept(end: Option<&str>, since: i64) -> Kept {
        let grant = end.map(|end| json!({"name": "g", "uid": "g", "end": end, "account": "a"}));
        let object = serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest", "metadata": {"name": "r", "uid": "r"},
            "spec": {"user": "u", "groups": [], "cluster": "c", "profile": "p", "profileRevision": "aa/1",
                "duration": "1h", "reason": "r", "publicKey": "k"},
            "status": {"phase": "Active", "grant": grant},
        }))
        .unwrap();
        let (reason, why) = ("stolen".to_owned(), "it can't be reached".to_owned());
        Kept { object: Arc::new(object), reason, since, why, is_refused: false }
    }

    #[test]
    fn p10_one_is_kept_until_the_token_is_refused_anyway_or_for_a_day_where_there_is_none() {
        let mut untold = Untold::default();
        let end = 1_795_532_400_000;
        assert!(untold.keep("open", kept(Some("2026-11-24T15:00:00Z"), end - 600_000)));
        assert!(untold.keep("granting", kept(None, end - 600_000)));
        assert!(untold.take_over(end + 74_999).is_empty(), "a token is taken until then");
        assert_eq!(untold.take_over(end + 75_000).len(), 1);
        assert!(untold.one("open").is_none() && untold.one("granting").is_some());
        // It was granted meanwhile, and has an end.
        untold.is_now("granting", &kept(Some("2026-11-24T15:30:00Z"), 0).object);
        assert!(untold.take_over(end + 1_800_000).is_empty());
        assert_eq!(untold.take_over(end + 1_875_000).len(), 1);
        assert!(untold.keep("never", kept(None, 0)));
        assert!(untold.take_over(WITHOUT_END - 1).is_empty());
        assert_eq!(untold.take_over(WITHOUT_END).len(), 1);
    }

    #[test]
    fn no_more_than_a_hundred_are_kept_and_the_first_said_is_told_first() {
        let mut untold = Untold::default();
        for n in 0..100 {
            assert!(untold.keep(&format!("r{n:02}"), kept(None, 100 - n)));
        }
        assert!(!untold.keep("another", kept(None, 0)));
        assert!(untold.keep("r05", kept(None, 500)), "said again it is the same one");
        assert_eq!(untold.one("r05").map(|kept| kept.since), Some(95));
        assert_eq!(untold.to_tell().first().map(String::as_str), Some("r99"));
        untold.refused("r99", "no".into());
        assert_eq!(
            (untold.to_tell().len(), untold.all().count()),
            (99, 100),
            "it is shown and not told again"
        );
        assert!(untold.keep("r99", kept(None, 7)) && untold.to_tell().len() == 100, "said again it is");
        assert!(untold.forget("r99").is_some() && untold.forget("r99").is_none());
        assert!(untold.keep("another", kept(None, 0)));
    }
}
