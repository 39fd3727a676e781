//! What this leader last wrote on the hub, so that nothing is written that says the same: every desktop watches it.

use sallyport_api::AccessClusterStatus;
use std::time::Duration;
use tokio::time::Instant;

/// What there is to do about a report.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It is what was written last.
    Nothing,
    /// The same, and it was long ago that it was looked.
    Compare,
    /// It differs, or nothing is known of what stands there.
    Write,
}

/// What was written, and when it was last known to stand there.
#[derive(Default)]
pub(crate) struct Told {
    status: Option<(AccessClusterStatus, Instant)>,
    preview: Option<String>,
}

impl Told {
    /// What to do about `wanted`. Only the broker may write it, so what stands there is looked at seldom, each `compared`: an
    /// AccessCluster may have been made anew, a backup restored.
    pub(crate) fn turn(&self, wanted: &AccessClusterStatus, compared: Duration, now: Instant) -> Turn {
        match &self.status {
            Some((told, at)) if told == wanted => {
                if now.duration_since(*at) >= compared {
                    Turn::Compare
                } else {
                    Turn::Nothing
                }
            }
            _ => Turn::Write,
        }
    }

    /// `status` stands on the hub at `now`.
    pub(crate) fn stands(&mut self, status: AccessClusterStatus, now: Instant) {
        self.status = Some((status, now));
    }

    /// Whether the preview of that digest was written.
    pub(crate) fn has_preview(&self, digest: &str) -> bool {
        self.preview.as_deref() == Some(digest)
    }

    /// It was.
    pub(crate) fn previewed(&mut self, digest: &str) {
        self.preview = Some(digest.to_owned());
    }

    /// Nothing is known any more.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(version: &str) -> AccessClusterStatus {
        AccessClusterStatus { kubernetes_version: Some(version.to_owned()), ..AccessClusterStatus::default() }
    }

    #[test]
    fn what_says_the_same_is_not_written_again_and_is_looked_at_every_so_often() {
        let (mut told, start) = (Told::default(), Instant::now());
        let every = Duration::from_secs(600);
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(told.turn(&status("1"), every, start), Turn::Write);
        // A write that failed is not remembered.
        assert_eq!(told.turn(&status("1"), every, after(30)), Turn::Write);
        told.stands(status("1"), after(30));
        assert_eq!(told.turn(&status("1"), every, after(60)), Turn::Nothing);
        assert_eq!(told.turn(&status("1"), every, after(629)), Turn::Nothing);
        assert_eq!(told.turn(&status("1"), every, after(630)), Turn::Compare);
        assert_eq!(told.turn(&status("2"), every, after(60)), Turn::Write);
        told.stands(status("1"), after(630));
        assert_eq!(told.turn(&status("1"), every, after(660)), Turn::Nothing);
        told.previewed("a");
        assert!(told.has_preview("a") && !told.has_preview("b"));
        told.forget();
        assert_eq!(told.turn(&status("1"), every, after(660)), Turn::Write);
        assert!(!told.has_preview("a"));
    }
}
