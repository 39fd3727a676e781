//! A call in one sentence, for people: what was done first, by its verb and by what it was about.

use crate::{Event, is_denied};

/// What a sentence is made of; what is not known is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Act<'a> {
    /// The verb as authorizers see it.
    pub verb: &'a str,
    /// The resource in the plural, with its API group behind a dot or without.
    pub resource: &'a str,
    /// The subresource.
    pub subresource: &'a str,
    /// The namespace.
    pub namespace: &'a str,
    /// The name.
    pub name: &'a str,
    /// The HTTP status.
    pub code: Option<u16>,
    /// Whether an authorizer forbade it.
    pub is_forbidden: bool,
    /// What an exec starts.
    pub command: &'a str,
    /// How many replicas it set, if it set any.
    pub replicas: Option<i64>,
    /// How many there were before, if that is known.
    pub replicas_before: Option<i64>,
    /// The path, of a call that is about no resource.
    pub path: &'a str,
}

/// The longest command that stands in a sentence, in characters; the whole stands in the call's facts.
const COMMAND_MOST: usize = 80;

impl<'a> Act<'a> {
    /// What an event tells, with its command as one text (`event.command.join(" ")`).
    pub fn of(event: &'a Event<'_>, command: &'a str) -> Self {
        let object = event.object.as_ref();
        let sets = matches!(event.verb.as_ref(), "patch" | "update");
        let body = event.request.as_ref().and_then(|body| body.replicas);
        let body = body.or_else(|| event.response.as_ref().and_then(|body| body.replicas));
        Self {
            verb: &event.verb,
            resource: object.map_or("", |object| &object.resource),
            subresource: object.map_or("", |object| &object.subresource),
            namespace: object.map_or("", |object| &object.namespace),
            name: object.map_or("", |object| &object.name),
            code: event.code,
            is_forbidden: event.is_denied(),
            command,
            // A whole object is sent for many reasons; that it scales is certain where that is what it is about.
            replicas: body.filter(|_| sets && event.request.as_ref().is_some_and(|b| b.replicas.is_some())),
            replicas_before: None,
            path: &event.uri,
        }
    }

    /// In words: "Scaled deployment checkout from 3 to 10", "Tried to read secret broker-tls in payments".
    pub fn sentence(&self) -> String {
        let (done, attempt, object) = self.words();
        let refused = is_denied(self.is_forbidden, self.code);
        let failed = self.code.filter(|code| *code >= 400);
        match (refused, failed) {
            (true, _) => format!("Tried to {attempt} {object}"),
            // What is not there could not be read, and nothing went wrong.
            (_, Some(404)) => format!("Tried to {attempt} {object}, which is not there"),
            (_, Some(409)) => format!("Tried to {attempt} {object}, which somebody else had changed or made"),
            (_, Some(code)) => format!("Tried to {attempt} {object}, answered {code}"),
            // It may have been: an event of its beginning, or one that was cut, has no answer.
            _ if self.code.is_none() => {
                let asked =
                    if attempt.starts_with("ask") { done.to_owned() } else { format!("Asked to {attempt}") };
                format!("{asked} {object}, with what answer is not told")
            }
            _ => format!("{done} {object}"),
        }
    }

    /// What was done in the past tense, the same as something to do, and to what.
    fn words(&self) -> (&'static str, &'static str, String) {
        let plain = self.resource.split('.').next().unwrap_or_default();
        let one = || self.one(plain);
        if plain.is_empty() {
            let path = self.path.split('?').next().unwrap_or_default();
            return match self.verb {
                "get" | "head" => ("Asked for", "ask for", path.to_owned()),
                "post" => ("Posted to", "post to", path.to_owned()),
                _ => ("Called", "call", format!("{path} ({})", self.verb)),
            };
        }
        match (plain, self.subresource, self.verb) {
            ("pods", "exec", _) => ("Ran", "run", format!("{} in {}", self.command_words(), one())),
            ("pods", "attach", _) => ("Attached to", "attach to", one()),
            ("pods", "portforward", _) => ("Forwarded ports of", "forward ports of", one()),
            ("pods", "log", _) => ("Read the log of", "read the log of", one()),
            ("pods", "eviction", "create") => ("Evicted", "evict", one()),
            ("pods", "binding", "create") => ("Scheduled", "schedule", one()),
            ("pods", "ephemeralcontainers", "patch" | "update") => {
                ("Added a debug container to", "add a debug container to", one())
            }
            (_, "proxy", _) => ("Called through", "call through", one()),
            ("serviceaccounts", "token", "create") => ("Minted a token of", "mint a token of", one()),
            ("nodes", "log" | "stats" | "metrics" | "configz" | "pods" | "healthz" | "checkpoint", _) => {
                ("Asked the kubelet of", "ask the kubelet of", one())
            }
            ("selfsubjectaccessreviews" | "selfsubjectrulesreviews", ..) => {
                ("Asked what", "ask what", "it may do itself".to_owned())
            }
            ("subjectaccessreviews" | "localsubjectaccessreviews", ..) => {
                ("Asked what", "ask what", "somebody may do".to_owned())
            }
            ("selfsubjectreviews", ..) => ("Asked who", "ask who", "it is".to_owned()),
            ("tokenreviews", ..) => ("Asked whose", "ask whose", "a token is".to_owned()),
            (_, "scale" | "", "patch" | "update") if self.replicas.is_some() => {
                let to = self.replicas.unwrap_or_default();
                let from = self.replicas_before.filter(|before| *before != to);
                let from = from.map_or_else(String::new, |from| format!(" from {from}"));
                match self.subresource {
                    "scale" => ("Scaled", "scale", format!("{}{from} to {to}", one())),
                    _ if from.is_empty() => {
                        (self.done(), self.attempt(), format!("{}, at {to} replicas", one()))
                    }
                    _ => ("Scaled", "scale", format!("{}{from} to {to}", one())),
                }
            }
            (_, "scale", "get") => ("Read the scale of", "read the scale of", one()),
            (_, "scale", _) => ("Scaled", "scale", one()),
            (_, "", _) => (self.done(), self.attempt(), self.object(plain)),
            (_, sub, _) => (self.done(), self.attempt(), format!("{sub} of {}", self.object(plain))),
        }
    }

    fn done(&self) -> &'static str {
        match self.verb {
            "get" => "Read",
            "list" => "Listed",
            "watch" => "Watched",
            "create" => "Created",
            "update" => "Updated",
            "patch" => "Patched",
            "delete" | "deletecollection" => "Deleted",
            _ => "Called",
        }
    }

    fn attempt(&self) -> &'static str {
        match self.verb {
            "get" => "read",
            "list" => "list",
            "watch" => "watch",
            "create" => "create",
            "update" => "update",
            "patch" => "patch",
            "delete" | "deletecollection" => "delete",
            _ => "call",
        }
    }

    /// One object where there is a name, else all of the kind.
    fn object(&self, plain: &str) -> String {
        if !self.name.is_empty() {
            return self.one(plain);
        }
        let place = self.place(plain);
        match self.verb {
            "deletecollection" => format!("many {}{place}", many(plain)),
            "list" | "watch" => format!("{}{place}", many(plain)),
            _ => format!("{}{place}", with_article(&kind(plain))),
        }
    }

    fn one(&self, plain: &str) -> String {
        if self.name.is_empty() {
            return format!("{}{}", with_article(&kind(plain)), self.place(plain));
        }
        format!("{} {}{}", kind(plain), self.name, self.place(plain))
    }

    fn place(&self, plain: &str) -> String {
        // A namespace is in none; the API server writes its own name there.
        if self.namespace.is_empty() || plain == "namespaces" {
            return String::new();
        }
        format!(" in {}", self.namespace)
    }

    fn command_words(&self) -> String {
        if self.command.is_empty() {
            return "a command".to_owned();
        }
        sallyport_model::clip(self.command, COMMAND_MOST)
    }
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}

/// Kinds that are two words, or no plural by an s.
const KINDS: [(&str, &str); 37] = [
    ("apiservices", "API service"),
    ("certificatesigningrequests", "certificate signing request"),
    ("clusterrolebindings", "cluster role binding"),
    ("clusterroles", "cluster role"),
    ("componentstatuses", "component status"),
    ("configmaps", "config map"),
    ("controllerrevisions", "controller revision"),
    ("cronjobs", "cron job"),
    ("csidrivers", "CSI driver"),
    ("csinodes", "CSI node"),
    ("csistoragecapacities", "CSI storage capacity"),
    ("customresourcedefinitions", "custom resource definition"),
    ("daemonsets", "daemon set"),
    ("endpoints", "endpoints"),
    ("endpointslices", "endpoint slice"),
    ("flowschemas", "flow schema"),
    ("horizontalpodautoscalers", "horizontal pod autoscaler"),
    ("ingressclasses", "ingress class"),
    ("ingresses", "ingress"),
    ("limitranges", "limit range"),
    ("mutatingwebhookconfigurations", "mutating webhook configuration"),
    ("networkpolicies", "network policy"),
    ("persistentvolumeclaims", "persistent volume claim"),
    ("persistentvolumes", "persistent volume"),
    ("poddisruptionbudgets", "pod disruption budget"),
    ("podtemplates", "pod template"),
    ("priorityclasses", "priority class"),
    ("replicasets", "replica set"),
    ("replicationcontrollers", "replication controller"),
    ("resourcequotas", "resource quota"),
    ("rolebindings", "role binding"),
    ("runtimeclasses", "runtime class"),
    ("serviceaccounts", "service account"),
    ("statefulsets", "stateful set"),
    ("storageclasses", "storage class"),
    ("validatingadmissionpolicies", "validating admission policy"),
    ("validatingwebhookconfigurations", "validating webhook configuration"),
];

/// The kind behind a resource, as people write it.
fn kind(plain: &str) -> String {
    if let Ok(at) = KINDS.binary_search_by_key(&plain, |(plural, _)| plural) {
        return KINDS[at].1.to_owned();
    }
    if let Some(stem) = plain.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for end in ["sses", "xes", "ches", "shes"] {
        if plain.ends_with(end) {
            return plain.strip_suffix("es").unwrap_or(plain).to_owned();
        }
    }
    plain.strip_suffix('s').filter(|stem| !stem.is_empty()).unwrap_or(plain).to_owned()
}

/// Several of it, as people write it.
fn many(plain: &str) -> String {
    let one = kind(plain);
    if one == plain {
        return one;
    }
    if let Some(stem) = one.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u'])) {
        return format!("{stem}ies");
    }
    match one.ends_with("ss") || one.ends_with('x') || one.ends_with("ch") || one.ends_with("us") {
        true => format!("{one}es"),
        false => format!("{one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act<'a>(verb: &'a str, resource: &'a str, name: &'a str) -> Act<'a> {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        Act { verb, resource, subresource, name, namespace: "payments", code: Some(200), ..Act::default() }
    }

    #[test]
    fn what_was_done_comes_first_and_reads_as_a_sentence() {
        let table = [
            ("get", "deployments.apps", "checkout", "Read deployment checkout in payments"),
            ("list", "pods", "", "Listed pods in payments"),
            ("list", "networkpolicies.networking.k8s.io", "", "Listed network policies in payments"),
            ("watch", "ingresses.networking.k8s.io", "", "Watched ingresses in payments"),
            ("create", "configmaps", "", "Created a config map in payments"),
            ("create", "jobs.batch", "clean-1", "Created job clean-1 in payments"),
            ("update", "leases.coordination.k8s.io", "x", "Updated lease x in payments"),
            ("patch", "deployments.apps", "checkout", "Patched deployment checkout in payments"),
            ("patch", "deployments.apps/status", "a", "Patched status of deployment a in payments"),
            ("delete", "secrets", "tls", "Deleted secret tls in payments"),
            ("deletecollection", "pods", "", "Deleted many pods in payments"),
            ("delete", "namespaces", "payments", "Deleted namespace payments"),
            ("create", "pods/eviction", "api-0", "Evicted pod api-0 in payments"),
            ("get", "pods/log", "api-0", "Read the log of pod api-0 in payments"),
            ("create", "pods/portforward", "api-0", "Forwarded ports of pod api-0 in payments"),
            ("create", "pods/exec", "api-0", "Ran a command in pod api-0 in payments"),
            ("create", "serviceaccounts/token", "ci", "Minted a token of service account ci in payments"),
            ("create", "selfsubjectaccessreviews.authorization.k8s.io", "", "Asked what it may do itself"),
            ("get", "certificates.cert-manager.io", "web", "Read certificate web in payments"),
            ("list", "proxies.example.com", "", "Listed proxies in payments"),
            ("odd", "pods", "x", "Called pod x in payments"),
        ];
        for (verb, resource, name, want) in table {
            assert_eq!(act(verb, resource, name).sentence(), want);
        }
        let path = Act { verb: "get", path: "/readyz?verbose", code: Some(200), ..Act::default() };
        assert_eq!(path.sentence(), "Asked for /readyz");
    }

    #[test]
    fn what_was_not_done_is_never_told_as_done() {
        for (code, want) in [
            (403, "Tried to read secret tls in payments"),
            (401, "Tried to read secret tls in payments"),
            (404, "Tried to read secret tls in payments, which is not there"),
            (409, "Tried to read secret tls in payments, which somebody else had changed or made"),
            (500, "Tried to read secret tls in payments, answered 500"),
        ] {
            assert_eq!(Act { code: Some(code), ..act("get", "secrets", "tls") }.sentence(), want);
        }
        let untold = Act { code: None, ..act("delete", "pods", "x") };
        assert_eq!(untold.sentence(), "Asked to delete pod x in payments, with what answer is not told");
        let untold = Act { verb: "get", path: "/readyz", ..Act::default() };
        assert_eq!(untold.sentence(), "Asked for /readyz, with what answer is not told");
        let forbidden = Act { is_forbidden: true, code: None, ..act("delete", "pods", "x") };
        assert_eq!(forbidden.sentence(), "Tried to delete pod x in payments");
    }

    #[test]
    fn scaling_says_to_how_many_and_from_how_many_where_that_is_known() {
        let scale = |from, to| Act {
            replicas: to,
            replicas_before: from,
            ..act("patch", "deployments.apps/scale", "checkout")
        };
        let told = |from, to| scale(from, to).sentence();
        assert_eq!(told(Some(3), Some(10)), "Scaled deployment checkout in payments from 3 to 10");
        assert_eq!(told(None, Some(10)), "Scaled deployment checkout in payments to 10");
        assert_eq!(told(None, None), "Scaled deployment checkout in payments");
        let whole = Act { replicas: Some(2), ..act("update", "statefulsets.apps", "db") };
        assert_eq!(whole.sentence(), "Updated stateful set db in payments, at 2 replicas");
    }

    #[test]
    fn a_command_is_told_as_it_is_and_bounded() {
        let long = "x".repeat(500);
        let exec = Act { command: &long, ..act("create", "pods/exec", "api-0") };
        assert!(exec.sentence().chars().count() < 200);
        let exec = Act { command: "psql -c ‹redacted›", ..act("get", "pods/exec", "api-0") };
        assert_eq!(exec.sentence(), "Ran psql -c ‹redacted› in pod api-0 in payments");
    }

    #[test]
    fn kinds_stand_in_their_order_and_odd_names_break_nothing() {
        assert!(KINDS.windows(2).all(|two| two[0].0 < two[1].0));
        for odd in ["", "s", "ies", ".", "é", "xs", "a.b.c"] {
            let _ = act("list", odd, "").sentence();
            let _ = act("get", odd, "n").sentence();
        }
    }
}
