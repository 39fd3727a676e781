//! What a person's requests under one profile and on one cluster came to, for whoever counts a day (attack 20).

use crate::{Hub, Listed};
use kube::{Api, api::ListParams, core::DeserializeGuard};
use sallyport_api::{AccessRequest, Asked, CONDITION_ENDED, MalformedObject};
use sallyport_client::Fault;
use sallyport_model::{ClusterName, NamespaceName, Phase, ProfileName, RequestUid, UserName};
use sallyport_policy::{DAY, Past, Spell};

/// Requests on a page: some kilobytes each.
const PAGE: u32 = 200;

impl Hub {
    /// A person's requests under one profile on one cluster as the API server has them at this moment: in one team, or in
    /// all of them for whoever may read those.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn requests_under(
        &self,
        team: Option<&NamespaceName>,
        user: &UserName,
        (profile, cluster): (&ProfileName, &ClusterName),
    ) -> Result<Listed<AccessRequest>, Fault> {
        let api: Api<DeserializeGuard<AccessRequest>> = match team {
            Some(team) => Api::namespaced(self.client.clone(), team.as_str()),
            None => Api::all(self.client.clone()),
        };
        let wanted =
            format!("spec.user={},spec.profile={profile},spec.cluster={cluster}", escaped(user.as_str()));
        self.list_all(&api, ListParams::default().fields(&wanted).limit(PAGE)).await
    }
}

/// What these requests came to by `now` (Unix seconds, the hub's clock), the one with that UID left out.
///
/// # Errors
/// When one of them can't be read: how much it came to is not known then.
pub fn past(
    requests: &Listed<AccessRequest>,
    but: Option<&RequestUid>,
    now: i64,
) -> Result<Past, MalformedObject> {
    if let Some(unread) = requests.malformed.first() {
        return Err(unread.clone());
    }
    let mut past = Past::default();
    for request in &requests.objects {
        if but.is_some_and(|but| request.metadata.uid.as_deref() == Some(but.as_str())) {
            continue;
        }
        past.spells.extend(spell(request)?);
        let met = request.status.as_ref().and_then(|status| status.auto_approval.as_ref());
        if let Some(met) = met.filter(|met| met.at.0.as_second() > now.saturating_sub(DAY)) {
            *past.opened.entry(met.name.clone()).or_default() += 1;
        }
    }
    Ok(past)
}

/// When there were, are or will be rights by a request. Until it is closed, all that was given counts.
fn spell(request: &AccessRequest) -> Result<Option<Spell>, MalformedObject> {
    let given = request.given(&Asked::try_from(request)?.terms)?.duration;
    let phase = request.phase();
    let Some(grant) = request.status.as_ref().and_then(|status| status.grant.as_ref()) else {
        return Ok((phase != Phase::Pending && phase != Phase::Closed).then_some(Spell::ToCome(given)));
    };
    let end = grant.end.0.as_second();
    let ended =
        request.condition(CONDITION_ENDED).filter(|ended| phase == Phase::Closed && ended.status == "True");
    let to = ended.map_or(end, |ended| ended.last_transition_time.0.as_second().min(end));
    Ok(Some(Spell::Known { from: end.saturating_sub(given.as_seconds_i64()), to }))
}

/// A value in a field selector: `,` and `=` would begin another term.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace(',', "\\,").replace('=', "\\=")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// 2026-11-24T14:00:00Z.
    const NOON: i64 = 1_795_528_800;

    fn request(uid: &str, status: Value) -> AccessRequest {
        serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
            "metadata": {"name": uid, "namespace": "team", "uid": uid, "creationTimestamp": "2026-11-24T13:00:00Z"},
            "spec": {"user": "oidc:ada", "groups": [], "cluster": "c", "profile": "p", "profileRevision": "aa/1",
                "duration": "1h", "reason": "r", "publicKey": "k", "namespaces": ["n"]},
            "status": status,
        }))
        .unwrap()
    }

    /// A grant that ends at 15:00, with all that was given of it.
    fn granted(phase: &str, more: Value) -> Value {
        let mut status = json!({"phase": phase, "given": {"namespaces": ["n"], "duration": "30m"},
            "grant": {"name": "g-abcd", "uid": "0c", "end": "2026-11-24T15:00:00Z", "account": "s-abcd-1795532400"}});
        status.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        status
    }

    fn ended(status: &str, at: &str) -> Value {
        json!({"conditions": [{"type": "Ended", "status": status, "reason": "Left", "lastTransitionTime": at}]})
    }

    fn listed(objects: Vec<AccessRequest>) -> Listed<AccessRequest> {
        Listed { objects, malformed: Vec::new() }
    }

    fn spells(status: Value) -> Vec<Spell> {
        past(&listed(vec![request("a", status)]), None, NOON).unwrap().spells
    }

    #[test]
    fn attack_20_closed_ones_count_their_real_length_and_open_ones_all_that_was_given() {
        let from = NOON + 30 * 60;
        let known = |to| vec![Spell::Known { from, to }];
        assert_eq!(spells(json!({})), []);
        assert_eq!(spells(json!({"phase": "Closed"})), [], "never granted");
        let half = sallyport_model::Ttl::minutes(30);
        let approved = json!({"phase": "Approved", "given": {"namespaces": ["n"], "duration": "30m"}});
        assert_eq!(spells(approved), [Spell::ToCome(half)]);
        assert_eq!(spells(granted("Approved", json!({}))), known(NOON + 3600));
        assert_eq!(
            spells(granted("Active", json!({"withdrawn": true}))),
            known(NOON + 3600),
            "until it is closed"
        );
        let early = ended("True", "2026-11-24T14:40:00Z");
        assert_eq!(spells(granted("Closed", early)), known(NOON + 2400));
        let late = ended("True", "2026-11-24T19:00:00Z");
        assert_eq!(spells(granted("Closed", late)), known(NOON + 3600), "not more than was given");
        let decided = ended("False", "2026-11-24T14:40:00Z");
        assert_eq!(spells(granted("Active", decided)), known(NOON + 3600), "decided, and not closed yet");
    }

    #[test]
    fn only_what_opened_within_a_day_is_counted_and_never_the_one_that_is_judged() {
        let met = |at: &str| json!({"autoApproval": {"name": "office", "saw": "", "at": at}});
        let all = listed(vec![
            request("a", met("2026-11-24T13:30:00Z")),
            request("b", met("2026-11-23T14:00:01Z")),
            request("c", met("2026-11-23T14:00:00Z")),
            request("d", json!({})),
        ]);
        assert_eq!(past(&all, None, NOON).unwrap().opened["office"], 2);
        assert_eq!(past(&all, Some(&RequestUid::new("a")), NOON).unwrap().opened["office"], 1);
    }

    #[test]
    fn what_can_not_be_read_is_not_counted_as_nothing() {
        let wider = granted("Active", json!({"given": {"namespaces": ["n"], "duration": "2h"}}));
        assert!(past(&listed(vec![request("a", wider)]), None, NOON).is_err());
        let mut unread = listed(Vec::new());
        unread.malformed.push(MalformedObject { kind: "AccessRequest", name: "a".into(), why: "x".into() });
        assert!(past(&unread, None, NOON).is_err());
    }

    #[test]
    fn a_name_is_one_value_of_a_selector() {
        assert_eq!(escaped(r"oidc:a,spec.user=b\c"), r"oidc:a\,spec.user\=b\\c");
    }
}
