//! A request on its way: what the hub says of it, as steps and entries, until the broker has sealed a token.

use super::end::End;
use super::owner::{Made, Missing, Owner, Stop};
use super::word::{Heard, approved_by, deleted, heard, over_before_open, yes_of};
use crate::desk::AppError;
use crate::evidence::kept;
use crate::inventory::Choice;
use sallyport_api::{AccessRequest, Approval};
use sallyport_audit::Action;
use sallyport_ipc::StepKind;
use sallyport_model::{ClusterName, ErrorCode, GrantUid, Phase, RequestRef, visible};
use std::time::Duration;

/// How long a request may wait for people: longer than any broker lets it.
const PEOPLE: Duration = Duration::from_secs(24 * 3600);

/// What was told already.
#[derive(Default)]
struct Shown {
    offer: bool,
    approved: bool,
    granted: bool,
    /// What the broker said last of what keeps it.
    kept_by: Option<String>,
}

impl Owner {
    pub(super) async fn follow(&self, made: &mut Made, which: &RequestRef) -> Result<AccessRequest, Stop> {
        let (session, desk) = (&self.session, &self.sessions.desk);
        let needs_people = session.read(|record| record.choice.approvals > 0);
        let patience = if needs_people { PEOPLE } else { desk.options.broker };
        let deadline = tokio::time::sleep(patience);
        let ended = session.ended();
        tokio::pin!(deadline, ended);
        let mut shown = Shown::default();
        made.stretch.changes = Some(session.hub.watch(which));
        loop {
            let requests = tokio::select! {
                biased;
                // The owner alone knows whether the request can go on without it.
                end = &mut ended => {
                    let is_kept = end == End::quit() && made.stretch.key.is_some();
                    return Err(if is_kept { Stop::Kept } else { Stop::Ended(end) });
                }
                requests = self.next(&mut made.stretch.changes) => requests,
                () = &mut deadline => {
                    let cluster = session.read(|record| record.choice.terms.cluster.clone());
                    return Err(too_long(&cluster, patience, shown.kept_by.as_deref()).into());
                }
            };
            let requests = match requests {
                Ok(requests) => requests,
                Err(Missing::Deleted) => {
                    made.said = Some((deleted(), false));
                    let error = AppError::failed("the request was deleted on the hub").hint("Ask again.");
                    return Err(error.into());
                }
                Err(Missing::Unreadable(what)) => {
                    return Err(AppError::failed(what).hint("Tell your admin.").into());
                }
            };
            for request in requests {
                self.show_progress(&request, &mut shown).await;
                let (said, closed) = match heard(&request) {
                    Heard::Granted => return Ok(request),
                    Heard::OnItsWay => continue,
                    Heard::Ending(said) => (said, false),
                    Heard::Closed(said) => (said, true),
                };
                let error = over_before_open(&said, closed);
                made.said = Some((said, closed));
                return Err(error.into());
            }
        }
    }

    /// Turns what the hub says of a request into steps and entries, each once.
    async fn show_progress(&self, request: &AccessRequest, shown: &mut Shown) {
        let (session, history) = (&self.session, &self.sessions.history);
        let Some(status) = &request.status else { return };
        let phase = request.phase();
        let waits = phase == Phase::Pending;
        shown.kept_by = status.message.clone().filter(|_| waits);
        let mut entries = Vec::new();
        if let Some(offer) = status.offer.as_ref().filter(|_| !std::mem::replace(&mut shown.offer, true)) {
            let draft = session.draft(Action::Offer);
            let draft = draft.detail("digest", &offer.digest).detail("rules", offer.rules.len());
            entries.push(draft.detail("granted", kept(&offer.rules)));
        }
        let decided = matches!(phase, Phase::Approved | Phase::Active);
        let approved = decided && !std::mem::replace(&mut shown.approved, true);
        let granted = phase == Phase::Active && !std::mem::replace(&mut shown.granted, true);
        let by = approved_by(request);
        let account = status.grant.as_ref().map(|g| g.account.clone()).unwrap_or_default();
        session.change(|record| {
            let people = waiting_for(&record.choice, request);
            let people = people.filter(|_| waits && status.offer.is_some());
            // Where it waits for nobody, the broker says what keeps it.
            record.waiting_for = people.or_else(|| shown.kept_by.clone());
            if approved {
                record.done(StepKind::Approved, &by);
                record.begin(StepKind::Granted);
            }
            if granted {
                record.grant = status.grant.as_ref().map(|g| GrantUid::new(g.uid.clone()));
                record.done(StepKind::Granted, &account);
                record.begin(StepKind::Ready);
            }
        });
        if approved {
            entries.push(session.draft(Action::Approved).detail("by", &by));
        }
        if granted {
            entries.push(session.draft(Action::Granted).detail("account", &account));
        }
        for entry in entries {
            history.note(entry).await;
        }
    }
}

/// Whom a request waits for, after those who said yes; nobody when it needs nobody.
fn waiting_for(choice: &Choice, request: &AccessRequest) -> Option<String> {
    let offer = request.offer().map(|offer| offer.digest.as_str());
    // One to another offer waits to be said again.
    let counts = |yes: &&Approval| Some(yes.offer.as_str()) == offer && yes.by != request.spec.user;
    let approvals = request.status.iter().flat_map(|status| &status.approvals);
    let yes: Vec<String> = approvals.filter(counts).map(yes_of).collect();
    let missing = usize::from(choice.approvals).saturating_sub(yes.len());
    let noun = if missing == 1 { "approval" } else { "approvals" };
    let said = if yes.is_empty() { String::new() } else { format!("yes by {}; ", yes.join(", ")) };
    (missing > 0).then(|| format!("{said}waiting for {missing} {noun} under {}", choice.terms.profile))
}

fn too_long(cluster: &ClusterName, patience: Duration, kept_by: Option<&str>) -> AppError {
    let seconds = patience.as_secs();
    let error = match kept_by {
        Some(why) => AppError::new(
            ErrorCode::Unreachable,
            format!(
                "the broker of {cluster} has not granted it within {seconds} s; it says: {}",
                visible(why)
            ),
        )
        .hint("The request was taken back. What the broker says tells what has to be seen to, and by whom."),
        None => AppError::new(
            ErrorCode::Unreachable,
            format!("the broker of {cluster} did not answer within {seconds} s"),
        )
        .hint("The request was taken back. Try again, or tell your admin that the broker is silent."),
    };
    error.retry()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// What a session that waits under `pair` says, where so many have to say yes.
    fn says(approvals: u8, status: Value) -> Option<String> {
        let choice = Choice {
            is_scan: false,
            terms: sallyport_model::Terms {
                user: "oidc:dana".parse().unwrap(),
                cluster: "eu".parse().unwrap(),
                profile: "pair".parse().unwrap(),
                revision: "6f1c2d7e-0000-4000-8000-000000000000/1".parse().unwrap(),
                scope: sallyport_model::Scope::from_list(vec!["a".parse().unwrap()]),
                duration: sallyport_model::Ttl::minutes(30),
                reason: "r".into(),
                recording: None,
            },
            environment: "prod".into(),
            approvals,
        };
        let request = serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest", "metadata": {"name": "r", "uid": "r"},
            "spec": {"user": "oidc:dana", "groups": [], "cluster": "eu", "profile": "pair", "profileRevision": "aa/1",
                "duration": "30m", "reason": "r", "publicKey": "k"},
            "status": status,
        }))
        .unwrap();
        waiting_for(&choice, &request)
    }

    fn yes(by: &str, offer: &str, limits: Value) -> Value {
        json!({"by": by, "at": "2026-11-24T14:00:00Z", "offer": offer, "limits": limits})
    }

    #[test]
    fn whoever_asks_reads_each_yes_as_it_comes_by_whom_and_how_many_are_still_wanted() {
        let status = |approvals: Vec<Value>| {
            let offer = json!({"digest": "d", "rules": [], "warnings": [], "endpoint": "e", "caDigest": "c"});
            json!({"phase": "Pending", "offer": offer, "approvals": approvals})
        };
        let said = |approvals: Vec<Value>| says(3, status(approvals)).unwrap();
        let lee = || yes("oidc:lee", "d", json!({"namespaces": ["a"], "duration": "15m"}));
        let ines = || yes("oidc:ines", "d", Value::Null);
        assert_eq!(said(vec![]), "waiting for 3 approvals under pair");
        assert_eq!(
            said(vec![lee()]),
            "yes by oidc:lee (only a, at most 15m); waiting for 2 approvals under pair"
        );
        assert_eq!(
            said(vec![lee(), ines()]),
            "yes by oidc:lee (only a, at most 15m), oidc:ines; waiting for 1 approval under pair"
        );
        assert_eq!(says(2, status(vec![lee(), ines()])), None, "nobody is waited for any more");
        // What does not count is not counted: a yes to another offer, and one's own.
        let others = vec![yes("oidc:mo", "old", Value::Null), yes("oidc:dana", "d", Value::Null), ines()];
        assert_eq!(says(2, status(others)).unwrap(), "yes by oidc:ines; waiting for 1 approval under pair");
    }
}
