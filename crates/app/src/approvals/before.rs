//! What somebody did under one profile before, from the requests that the hub keeps.

use super::Approvals;
use crate::desk::AppError;
use crate::person::Signed;
use crate::person::faults::of_hub;
use sallyport_api::{AccessRequest, CONDITION_ENDED};
use sallyport_ipc::{BeforeView, Shown};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Requests on one page, and pages that are read before it is said that there are more.
const PAGE: u32 = 500;
const PAGES: usize = 10;
/// As long as pages are read.
const READ_FOR: Duration = Duration::from_secs(10);

impl Approvals {
    /// What the requester did under the same profile before, in the same team and on any cluster. Beside it looks for the next
    /// narrower profile, which the list shows once it is found.
    ///
    /// # Errors
    /// When the request is not open any more, or the hub does not say.
    pub(crate) async fn before(self: &Arc<Self>, request: String) -> Result<BeforeView, AppError> {
        let (signed, object) = self.one(&request)?;
        tokio::spawn(self.clone().look_for_narrower(signed.clone(), object.clone()));
        self.earlier(&signed, &object).await
    }

    async fn earlier(&self, signed: &Signed, object: &AccessRequest) -> Result<BeforeView, AppError> {
        let which =
            object.which().map_err(|e| AppError::failed("this request can't be looked up").because(e))?;
        let mut before = Before::default();
        let mut after = None;
        let (hub, began) = (self.hub(signed), Instant::now());
        for _ in 0..PAGES {
            let page = hub.closed_of(&which.team, PAGE, after.as_deref()).await.map_err(of_hub)?;
            let same = |one: &&AccessRequest| {
                one.spec.user == object.spec.user && one.spec.profile == object.spec.profile
            };
            page.listed.objects.iter().filter(same).for_each(|one| before.add(one));
            after = page.next;
            if after.is_none() || began.elapsed() > READ_FOR {
                break;
            }
        }
        Ok(before.view(after.is_some()))
    }
}

/// Counted so far.
#[derive(Clone, Default)]
struct Before {
    opened: u32,
    never_opened: u32,
    last: Option<(i64, Option<String>)>,
}

impl Before {
    fn add(&mut self, request: &AccessRequest) {
        let had_rights = request.status.as_ref().is_some_and(|status| status.grant.is_some());
        if had_rights {
            self.opened += 1;
        } else {
            self.never_opened += 1;
        }
        let at = request.metadata.creation_timestamp.as_ref().map_or(0, |at| at.0.as_millisecond());
        if self.last.as_ref().is_none_or(|(last, _)| *last < at) {
            let ended = request.condition(CONDITION_ENDED).map(|ended| {
                if ended.message.is_empty() { ended.reason.clone() } else { ended.message.clone() }
            });
            self.last = Some((at, ended));
        }
    }

    fn view(self, more: bool) -> BeforeView {
        // Pages come by name: of a part of them, which was the last is not known.
        let (last_at, last_ended) = self.last.filter(|_| !more).unzip();
        BeforeView {
            opened: self.opened,
            never_opened: self.never_opened,
            last_at,
            last_ended: last_ended.flatten().map(Shown::from),
            more,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn closed(at: &str, grant: bool, ended: &str) -> AccessRequest {
        let mut status = json!({"phase": "Closed", "conditions": [{"type": "Ended", "status": "True", "reason": "Left",
            "message": ended, "lastTransitionTime": at}]});
        if grant {
            status["grant"] =
                json!({"name": "g-aaaa", "uid": "u", "end": at, "account": "s-aaaa-1795500000"});
        }
        serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
            "metadata": {"name": "r", "namespace": "team", "uid": at, "creationTimestamp": at},
            "spec": {"user": "u", "groups": [], "cluster": "c", "profile": "p", "profileRevision": "aa/1",
                "duration": "1h", "reason": "r", "publicKey": "k"},
            "status": status,
        }))
        .unwrap()
    }

    #[test]
    fn the_last_is_by_time_and_not_by_name_and_what_never_opened_is_counted_apart() {
        let mut before = Before::default();
        before.add(&closed("2026-11-02T00:00:00Z", true, "the requester left"));
        before.add(&closed("2026-11-03T00:00:00Z", false, "denied by lee\u{202e}"));
        before.add(&closed("2026-11-01T00:00:00Z", true, ""));
        let part = before.clone().view(true);
        assert_eq!((part.opened, part.more, part.last_at, part.last_ended), (2, true, None, None));
        let view = before.view(false);
        assert_eq!((view.opened, view.never_opened, view.more), (2, 1, false));
        assert_eq!(view.last_ended.as_deref(), Some("denied by lee⟨U+202E⟩"));
        assert_eq!(Before::default().view(false), BeforeView::default());
    }
}
