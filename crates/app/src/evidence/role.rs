//! What was used of what was granted, and a role that would have been enough (`rbac::propose`). Pure.

use sallyport_audit::{Action, Entry};
use sallyport_events::{Decision, Event};
use sallyport_gateway::Target;
use sallyport_model::RoleName;
use sallyport_rbac::propose::{Added, Outcome, Place, Used, Wanted, propose, to_be};
use sallyport_rbac::question::{Asked, What};
use std::collections::{BTreeMap, BTreeSet};

/// What a proposed role has beside what was used is told of so many rights.
const ADDED_TOLD: usize = 20;

/// What was used of one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OfResource {
    /// The verbs that were allowed.
    pub(super) verbs: BTreeSet<String>,
    /// How often.
    pub(super) times: u64,
    /// How often it was refused.
    pub(super) denied: u64,
}

/// Calls, those that asked for the same with the same outcome as one.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls(BTreeMap<String, Used>);

impl Calls {
    /// Notes one call.
    pub(super) fn note(&mut self, asked: Asked, outcome: Outcome, created: bool, at: i64) {
        let key = format!("{asked:?} {outcome:?} {created}");
        let new = || Used { asked, outcome, created, calls: 0, first: at, last: at };
        let one = self.0.entry(key).or_insert_with(new);
        one.calls = one.calls.saturating_add(1);
        (one.first, one.last) = (one.first.min(at), one.last.max(at));
    }

    /// These and others. One that is among both is counted twice.
    pub(super) fn with(&self, others: Self) -> Self {
        let mut all = self.clone();
        for (key, used) in others.0 {
            let Some(one) = all.0.get_mut(&key) else {
                all.0.insert(key, used);
                continue;
            };
            one.calls = one.calls.saturating_add(used.calls);
        }
        all
    }

    /// Each.
    pub(super) fn each(&self) -> Vec<Used> {
        self.0.values().cloned().collect()
    }

    /// By resource as kubectl writes it with its subresource, whatever the namespace.
    pub(super) fn by_resource(&self) -> BTreeMap<String, OfResource> {
        let mut all: BTreeMap<String, OfResource> = BTreeMap::new();
        for used in self.0.values() {
            let What::Resource { group, resource, subresource, .. } = &used.asked.what else { continue };
            let mut name = resource.clone();
            for (between, part) in [(".", group), ("/", subresource)] {
                if !part.is_empty() {
                    name = format!("{name}{between}{part}");
                }
            }
            let one = all.entry(name).or_default();
            one.times = one.times.saturating_add(used.calls);
            match used.outcome {
                Outcome::Allowed => drop(one.verbs.insert(used.asked.verb.clone())),
                Outcome::Refused => one.denied = one.denied.saturating_add(used.calls),
                Outcome::Untold => {}
            }
        }
        all
    }

    /// A Role for each namespace and a ClusterRole for what holds everywhere, as YAML, with how many rules they have; none
    /// where nothing was let through that a rule can say.
    pub(super) fn role(&self, name: &str) -> Option<(String, u32)> {
        let used = self.each();
        let role: RoleName = "used".parse().ok()?;
        let mut documents = Vec::new();
        let mut count = 0;
        let proposal = propose(&used, &Wanted::default(), &role);
        let said = said(&proposal.added);
        for one in proposal.roles {
            let places: Vec<Option<String>> = match one.place {
                Place::Everywhere => vec![None],
                Place::In(namespaces) => namespaces.into_iter().map(Some).collect(),
            };
            for namespace in places {
                let kind = if namespace.is_none() { "ClusterRole" } else { "Role" };
                count += one.rules.len();
                documents.push(sallyport_report::role::role(kind, name, namespace.as_deref(), &one.rules));
            }
        }
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        (count > 0).then(|| (said + &documents.join("---\n"), count))
    }
}

/// What is in a role though no call had it, as comments before it.
fn said(added: &[Added]) -> String {
    let mut text = String::new();
    let mut comment = |line: &str| {
        text.push_str("# No call had it: ");
        text.push_str(line);
        text.push('\n');
    };
    for one in added.iter().take(ADDED_TOLD) {
        comment(&sallyport_report::words::added(one));
    }
    if added.len() > ADDED_TOLD {
        comment(&format!("{} more", added.len() - ADDED_TOLD));
    }
    text
}

/// What was used, as the cluster tells; without `elsewhere`, places of events that the session's gateway did not send.
pub(super) fn used_on_cluster(events: &[Event<'_>], elsewhere: &BTreeSet<usize>) -> Calls {
    let mut used = Calls::default();
    for (_, event) in events.iter().enumerate().filter(|(at, _)| !elsewhere.contains(at)) {
        let is_allowed = event.decision.map(|decision| decision == Decision::Allow);
        let outcome = Outcome::of(event.code, is_allowed);
        let at = event.at().unwrap_or_default();
        if let Some(whom) = &event.impersonated {
            // What came after it was somebody else's right.
            if outcome == Outcome::Allowed {
                used.note(to_be(&whom.name), outcome, false, at);
            }
            continue;
        }
        let Some(object) = &event.object else { continue };
        let what = What::Resource {
            group: object.group.to_string(),
            resource: object.resource.to_string(),
            subresource: object.subresource.to_string(),
            name: object.name.to_string(),
        };
        let created = event.code == Some(201) && matches!(&*event.verb, "patch" | "update");
        used.note(asked(&event.verb, what, &object.namespace), outcome, created, at);
    }
    used
}

/// What was used, as the gateway's entries tell: of a call that was answered, once. What the authorizer said they don't
/// tell, so that a call without an answer says nothing of rights.
pub(super) fn used_through_gateway(entries: &[Entry]) -> Calls {
    let mut used = Calls::default();
    for entry in entries.iter().filter(|entry| matches!(entry.action, Action::Call | Action::StreamEnd)) {
        let text = |key: &str| entry.detail.get(key).and_then(|value| value.as_str()).unwrap_or_default();
        let uri = text("uri");
        let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
        let Ok(method) = text("method").parse::<http::Method>() else { continue };
        let status = entry.detail.get("status").and_then(serde_json::Value::as_u64);
        let code = status.and_then(|status| u16::try_from(status).ok());
        let outcome = Outcome::of(code, None);
        let whom = text("impersonates");
        if !whom.is_empty() {
            if outcome == Outcome::Allowed {
                used.note(to_be(whom), outcome, false, entry.at);
            }
            continue;
        }
        let target = Target::of(&method, path, query);
        if target.resource.is_empty() || target.verb.is_empty() {
            continue;
        }
        let created = code == Some(201) && matches!(target.verb.as_str(), "patch" | "update");
        let Target { verb, group, resource, subresource, namespace, name, .. } = target;
        let what = What::Resource { group, resource, subresource, name };
        used.note(asked(&verb, what, &namespace), outcome, created, entry.at);
    }
    used
}

fn asked(verb: &str, what: What, namespace: &str) -> Asked {
    let namespace = Some(namespace).filter(|name| !name.is_empty()).map(str::to_owned);
    Asked { verb: verb.to_owned(), what, namespace }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_audit::Draft;
    use sallyport_events::Object;

    fn call(
        group: &str,
        resource: &str,
        below: &str,
        namespace: &str,
        verb: &str,
        code: u16,
    ) -> Event<'static> {
        let own = |text: &str| text.to_owned().into();
        let object = Object {
            group: own(group),
            resource: own(resource),
            subresource: own(below),
            namespace: own(namespace),
            ..Object::default()
        };
        Event { verb: own(verb), object: Some(object), code: Some(code), ..Event::default() }
    }

    fn role_of(events: &[Event<'_>]) -> Vec<serde_json::Value> {
        let Some((yaml, _)) = used_on_cluster(events, &BTreeSet::new()).role("operate-used") else {
            return Vec::new();
        };
        serde_saphyr::from_multiple(&yaml).expect("it is YAML that others read")
    }

    #[test]
    fn a_role_holds_what_was_let_through_and_nothing_else() {
        let events = [
            call("apps", "deployments", "", "pay", "get", 200),
            call("apps", "deployments", "", "pay", "patch", 200),
            call("", "pods", "exec", "pay", "create", 101),
            call("", "nodes", "", "", "list", 200),
            call("", "secrets", "", "pay", "get", 403),
            // Before the authorizer, or nobody knows.
            call("", "secrets", "", "pay", "delete", 504),
            call("", "configmaps", "", "pay", "get", 429),
            Event { code: None, ..call("", "services", "", "pay", "delete", 200) },
            // Words that would mean more than they did.
            call("*", "*", "", "pay", "list", 404),
            call("", "pods\"]\n- apiGroups: [\"*\"]", "", "pay", "get", 200),
        ];
        let used = used_on_cluster(&events, &BTreeSet::new());
        let (yaml, rules) = used.role("operate-used").unwrap();
        for not in ["secrets", "configmaps", "services", "*"] {
            assert!(!yaml.contains(not), "{not}: {yaml}");
        }
        let roles = role_of(&events);
        assert_eq!(roles.len(), 2, "{yaml}");
        assert_eq!(
            (roles[0]["kind"].as_str(), roles[1]["kind"].as_str()),
            (Some("ClusterRole"), Some("Role"))
        );
        assert_eq!(roles[1]["metadata"]["namespace"], "pay");
        assert_eq!(
            rules as usize,
            roles.iter().map(|one| one["rules"].as_array().unwrap().len()).sum::<usize>()
        );
        // What it has beside that is said before it, and is no part of it.
        assert!(yaml.starts_with("# No call had it: get nodes: "), "{yaml}");
        let by_resource = used.by_resource();
        assert_eq!(by_resource["secrets"].denied, 1);
        assert!(by_resource["secrets"].verbs.is_empty() && by_resource["deployments.apps"].times == 2);
        // What went around the gateway is no use of the session.
        let around: BTreeSet<usize> = (0..events.len()).collect();
        assert!(used_on_cluster(&events, &around).role("x").is_none());
        // Who was somebody else needed that right alone.
        let whom = sallyport_events::User { name: "root".into(), ..Default::default() };
        let as_root =
            Event { impersonated: Some(Box::new(whom)), ..call("", "secrets", "", "pay", "get", 200) };
        let roles = serde_json::to_string(&role_of(&[as_root])).unwrap();
        assert!(
            roles.contains("impersonate") && roles.contains("root") && !roles.contains("secrets"),
            "{roles}"
        );
    }

    #[test]
    fn a_call_without_an_answer_says_nothing_of_rights() {
        let entry = |method: &str, uri: &str, status: Option<u16>| {
            let draft = Draft::new(Action::Call).detail("method", method).detail("uri", uri);
            let draft = match status {
                Some(status) => draft.detail("status", status),
                None => draft,
            };
            draft.place(1, 0)
        };
        let role = |entries: &[Entry]| used_through_gateway(entries).role("x").map(|(yaml, _)| yaml);
        let secret = "/api/v1/namespaces/pay/secrets/db";
        for status in [None, Some(403), Some(429), Some(502)] {
            assert_eq!(role(&[entry("DELETE", secret, status)]), None, "{status:?}");
        }
        assert_eq!(role(&[entry("GET", "/apis/*/v1/namespaces/pay/*", Some(404))]), None);
        assert!(role(&[entry("DELETE", secret, Some(200))]).unwrap().contains("delete"));
    }
}
