//! What Sallyport itself has shown of a cluster, each with when: behind the practices, as evidence and never in place of what
//! was read.

use super::Scans;
use crate::desk::now_ms;
use crate::person::Signed;
use sallyport_api::SYSTEM_NAMESPACE;
use sallyport_audit::{Action, Entry, Outcome};
use sallyport_ipc::{HistoryState, Verdict};
use sallyport_model::ClusterName;
use sallyport_posture::practice::{Fact, Ours};
use sallyport_posture::{Kind, Snapshot};
use sallyport_scan::Reading;

impl Scans {
    /// What Sallyport itself has shown of a cluster by now; `reading`: what was just read of it, through a session.
    pub(super) async fn ours(&self, signed: &Signed, cluster: &ClusterName, reading: &Reading) -> Ours {
        let now = now_ms() / 1000;
        let known = self.inventory.shown_of(&signed.workspace, cluster);
        let fact = |shown: Option<(bool, i64, String)>| {
            shown.map(|(holds, proven, how)| Fact { holds, proven, how })
        };
        let ends = self.history.ends(cluster).await.unwrap_or_else(|error| {
            tracing::warn!("how sessions on {cluster} ended is not told: {}", error.message());
            Vec::new()
        });
        Ours {
            guardrails_verified: fact(known.guardrails),
            mfa_by_admission: fact(known.second_factor),
            tls_by_broker: Some(Fact {
                holds: true,
                proven: now,
                how: "this scan spoke TLS with it, and believed the CA alone that its broker vouches for"
                    .to_owned(),
            }),
            dials_out: dials_out(known.beat, &reading.snapshot()),
            credentials_end: end(
                &ends,
                Action::TokenRefused,
                "the API server refused the token of the last session here once it had ended",
            ),
            jit: end(
                &ends,
                Action::RightsGone,
                "the API server refused the rights of the last session here once it had ended",
            ),
            history_verified: history_verified(&self.history.view()),
        }
    }
}

/// The broker wrote its sign of life on the hub, which it dialed for that, and in its namespace nothing takes calls for it.
///
/// Something else may take calls there, which says nothing of the broker: that is no fact, and no failure of it either.
fn dials_out(beat: Option<i64>, read: &Snapshot) -> Option<Fact> {
    let kinds = [Kind::Service, Kind::EndpointSlice, Kind::Ingress];
    let whole = kinds.iter().all(|kind| read.coverage(*kind).gap(*kind).is_none());
    let there = |namespace: &Option<String>| namespace.as_deref() == Some(SYSTEM_NAMESPACE);
    let leads_there = read.services.iter().any(|one| there(&one.meta.namespace))
        || read.endpoints.iter().any(|one| there(&one.meta.namespace))
        || read.ingresses.iter().any(|one| there(&one.meta.namespace));
    (whole && !leads_there).then_some(())?;
    Some(Fact {
        holds: true,
        proven: beat?,
        how: format!("its broker dialed the hub, and no Service or Ingress leads into {SYSTEM_NAMESPACE}"),
    })
}

/// What the newest of the proofs of one stage came to, of `entries`, the newest first. One that was not proven says nothing.
fn end(entries: &[Entry], stage: Action, how: &str) -> Option<Fact> {
    let is_of = |entry: &&Entry| {
        let of = entry.detail.text("stage");
        entry.action == stage || entry.action == Action::ProofUnproven && of == Some(stage.as_str())
    };
    let last = entries.iter().find(is_of)?;
    let is_proven = last.action == stage && last.outcome == Outcome::Ok;
    is_proven.then(|| Fact {
        holds: true,
        proven: last.at.div_euclid(1_000_000),
        how: match last.detail.number("status") {
            Some(status) => format!("{how} ({status})"),
            None => how.to_owned(),
        },
    })
}

/// What the last check of this desktop's history came to. One without a key to anchor it shows nothing.
fn history_verified(history: &HistoryState) -> Option<Fact> {
    let proven = history.verified_at?.div_euclid(1000);
    let (holds, how) = match history.verdict? {
        Verdict::Verified => {
            (true, "the history of this desktop, with each call through a session, verified")
        }
        Verdict::Broken => (false, "the history of this desktop does not verify: Audit says from where on"),
        Verdict::Unanchored => return None,
    };
    Some(Fact { holds, proven, how: how.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_audit::Draft;
    use sallyport_posture::Coverage;

    const HOW: &str = "the token was refused";

    fn proofs(drafts: Vec<Draft>) -> Vec<Entry> {
        let newest_first = drafts.into_iter().rev().enumerate();
        newest_first.map(|(at, draft)| draft.place(9 - at as u64, (9 - at as i64) * 1_000_000)).collect()
    }

    #[test]
    fn p21_the_last_proof_of_a_stage_counts_and_one_that_failed_is_none() {
        let refused = || Draft::new(Action::TokenRefused).detail("status", 401);
        let unproven = |stage: Action| {
            Draft::new(Action::ProofUnproven).outcome(Outcome::Unknown).detail("stage", stage.as_str())
        };
        let told = |drafts| end(&proofs(drafts), Action::TokenRefused, HOW);
        assert_eq!(told(vec![]), None);
        let fact = told(vec![refused(), Draft::new(Action::RightsGone)]).unwrap();
        assert_eq!((fact.holds, fact.proven, fact.how.as_str()), (true, 8, "the token was refused (401)"));
        assert_eq!(told(vec![refused(), unproven(Action::TokenRefused)]), None, "the last was not shown");
        assert!(told(vec![refused(), unproven(Action::RightsGone)]).is_some(), "of another stage");
        assert!(told(vec![unproven(Action::TokenRefused), refused()]).is_some(), "a later one was");
        assert_eq!(told(vec![refused().outcome(Outcome::Failed)]), None);
    }

    #[test]
    fn a_history_shows_something_only_where_it_was_checked_under_a_key() {
        let state = |verdict, verified_at| HistoryState { entries: 9, verdict, verified_at, trouble: None };
        let told = |verdict| history_verified(&state(Some(verdict), Some(7_000)));
        assert_eq!(told(Verdict::Verified).map(|fact| (fact.holds, fact.proven)), Some((true, 7)));
        assert_eq!(told(Verdict::Broken).map(|fact| fact.holds), Some(false));
        assert_eq!(told(Verdict::Unanchored), None);
        assert_eq!(history_verified(&state(None, None)), None);
    }

    #[test]
    fn p21_that_a_broker_dials_out_is_said_only_where_all_that_could_lead_to_it_was_read() {
        let service = |namespace: &str| {
            serde_json::json!({"apiVersion": "v1", "kind": "Service",
                "metadata": {"name": "x", "namespace": namespace}, "spec": {}})
        };
        let read = |namespace: &str, kinds: &[Kind]| {
            let mut read = Snapshot::default();
            read.take_value(service(namespace)).unwrap();
            kinds.iter().for_each(|kind| read.asked(*kind, Coverage::Read));
            read
        };
        let all = [Kind::Service, Kind::EndpointSlice, Kind::Ingress];
        let fact = dials_out(Some(5), &read("payments", &all)).unwrap();
        assert!(fact.holds && fact.proven == 5, "{fact:?}");
        assert_eq!(dials_out(None, &read("payments", &all)), None, "a broker that is silent shows nothing");
        assert_eq!(dials_out(Some(5), &read(SYSTEM_NAMESPACE, &all)), None);
        assert_eq!(dials_out(Some(5), &read("payments", &all[..2])), None);
    }
}
