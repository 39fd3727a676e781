//! AP: how an API server is configured, by its flags, its metrics and its objects.

use super::answer::{Answer, Found, shown};
use super::door::ends;
use crate::ground::Ground;
use crate::severity::Severity;
use crate::snapshot::{Kind, Told};
use std::collections::HashSet;

/// A flag that is wrong when its value is as said.
struct Flag {
    name: &'static str,
    wrong: fn(&str) -> bool,
    severity: Severity,
    said: &'static str,
}

const fn flag(name: &'static str, wrong: fn(&str) -> bool, severity: Severity, said: &'static str) -> Flag {
    Flag { name, wrong, severity, said }
}

/// Those of CIS 1.2 that no other check looks at. What Kubernetes does by default is never above Low.
const FLAGS: [Flag; 10] = [
    flag(
        "token-auth-file",
        |value| !value.is_empty(),
        Severity::High,
        "It takes tokens of a file, which never end and can be taken back only by starting it again",
    ),
    flag(
        "service-account-lookup",
        |value| value == "false",
        Severity::High,
        "It takes tokens of ServiceAccounts that were removed",
    ),
    flag(
        "etcd-servers",
        |value| value.contains("http://") && !only_loopback(value),
        Severity::High,
        "It speaks with etcd in plain text",
    ),
    flag(
        "enable-admission-plugins",
        |value| value.contains("AlwaysAdmit"),
        Severity::Medium,
        "Its admission plugin AlwaysAdmit refuses nothing",
    ),
    flag(
        "kubelet-certificate-authority",
        str::is_empty,
        Severity::Low,
        "It does not look at the certificates of kubelets",
    ),
    flag(
        "profiling",
        |value| value == "true",
        Severity::Low,
        "It gives profiles of itself to whoever may ask for /debug",
    ),
    flag(
        "service-account-extend-token-expiration",
        |value| value == "true",
        Severity::Low,
        "Tokens that pods get for an hour hold for a year",
    ),
    flag(
        "enable-logs-handler",
        |value| value == "true",
        Severity::Low,
        "It gives out the logs of its machine (/logs)",
    ),
    flag(
        "debug-socket-path",
        |value| !value.is_empty(),
        Severity::Low,
        "It gives profiles of itself at a socket without asking who is there",
    ),
    flag(
        "feature-gates",
        |value| value.contains("AllAlpha=true"),
        Severity::Medium,
        "All that is in alpha is on",
    ),
];

fn only_loopback(value: &str) -> bool {
    value
        .split("http://")
        .skip(1)
        .all(|rest| ["127.", "localhost", "[::1]"].iter().any(|own| rest.starts_with(own)))
}

/// AP-07.
pub(super) fn flags(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    let wrong = FLAGS.iter().filter_map(|one| {
        let value = told.flag(one.name).filter(|value| (one.wrong)(value))?;
        let value = if value.is_empty() { "not set".to_owned() } else { shown(value) };
        Some(Found::new(one.severity, "flag", one.name, format!("{} (--{}: {value}).", one.said, one.name)))
    });
    unless_flags(ground).with(wrong)
}

fn unless_flags(ground: &Ground<'_>) -> Answer {
    match (ground.snapshot.told.flags.gap("/flagz"), ground.snapshot.vouched_cloud()) {
        (None, _) => Answer::pass(),
        (Some(_), Some(cloud)) => Answer::provider(cloud.flags_look()),
        (Some(gap), None) => Answer::unknown(gap),
    }
}

const DECISIONS: &str = "apiserver_authorization_decisions_total";

/// The authorizers that are known to be asked.
fn authorizers(told: &Told) -> HashSet<&str> {
    let mut all: HashSet<&str> =
        told.flag_list("authorization-mode").unwrap_or_default().into_iter().collect();
    all.extend(told.series(DECISIONS).filter(|one| one.value > 0.0).map(|one| one.label("type")));
    all
}

/// Why others may be asked too; none: its flags name all of them.
fn others_asked(told: &Told) -> Option<String> {
    if let Some(gap) = told.flags.gap("/flagz") {
        return Some(gap);
    }
    match (told.flag("authorization-config"), told.flag("authorization-mode")) {
        (Some(""), Some(_)) => None,
        (Some(file), _) if !file.is_empty() => {
            Some("who decides stands in a file that can't be read (--authorization-config)".to_owned())
        }
        _ => Some("its flags do not name who decides".to_owned()),
    }
}

/// AP-08.
pub(super) fn beside_roles(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    let webhook = authorizers(told).contains("Webhook").then(|| {
        let said = "A webhook decides beside roles: what \"nobody can\" says is unknown.";
        Found::new(Severity::Info, "authorizer", "Webhook", said)
    });
    Answer::unless(others_asked(told).into_iter().collect()).with(webhook)
}

/// AP-09.
pub(super) fn roles_decide(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    if authorizers(told).contains("RBAC") {
        return Answer::pass();
    }
    match others_asked(told) {
        Some(gap) => Answer::unknown(gap),
        None => Answer::pass().with([Found::new(
            Severity::High,
            "authorizer",
            "RBAC",
            "Roles and bindings have no say: RBAC is not among those that decide (--authorization-mode).",
        )]),
    }
}

/// AN-05.
pub(super) fn without_roles(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    let known = authorizers(told);
    let found = [
        (
            "AlwaysAllow",
            Severity::Critical,
            "Whoever signs in may do everything: the authorizer AlwaysAllow is on.",
        ),
        (
            "ABAC",
            Severity::High,
            "ABAC decides beside roles, by a file that takes effect at a start alone and is not seen through the API.",
        ),
    ];
    let found = found.into_iter().filter(|(name, ..)| known.contains(name));
    let found = found.map(|(name, severity, said)| Found::new(severity, "authorizer", name, said));
    Answer::unless(others_asked(told).into_iter().collect()).with(found)
}

/// AP-06.
pub(super) fn authorities(ground: &Ground<'_>) -> Answer {
    let part = &ground.snapshot.told.authentication;
    if let Some(gap) = part.gap("ConfigMap extension-apiserver-authentication") {
        return Answer::unknown(gap);
    }
    let Some(own) = &part.found else {
        return Answer::unknown("there is no ConfigMap extension-apiserver-authentication");
    };
    let mut gaps = own.unread.clone();
    let mut found = Vec::new();
    let front: HashSet<&str> = own.front.iter().map(|one| one.fingerprint.as_str()).collect();
    let front_keys: HashSet<&str> = own.front.iter().map(|one| one.key_fingerprint.as_str()).collect();
    let shared = own.clients.iter().find(|one| {
        front.contains(one.fingerprint.as_str()) || front_keys.contains(one.key_fingerprint.as_str())
    });
    if let Some(shared) = shared {
        let (severity, what) = match own.front_names.is_empty() {
            true => (Severity::Critical, "whoever has a client certificate can speak as anybody"),
            false => (
                Severity::Medium,
                "a client certificate of one of the front proxy's names can speak as anybody",
            ),
        };
        let said = format!(
            "Client certificates and the front proxy's come from the same CA ({}): {what}.",
            shown(&shared.subject)
        );
        found.push(Found::new(severity, "certificate", shared.subject.clone(), said));
    }
    match ground.snapshot.taken {
        None => gaps.push("when it was read is not known".to_owned()),
        Some(now) => {
            for (all, of) in [(&own.clients, "client certificates"), (&own.front, "the front proxy")] {
                for one in all {
                    let of = format!("The CA of {of}, {},", shown(&one.subject));
                    found.extend(ends(one, now, &of, &[(30, Severity::High), (180, Severity::Medium)]));
                }
            }
        }
    }
    for one in own.clients.iter().chain(&own.front) {
        if let Some(weakness) = one.weakness() {
            let said = format!("The CA {} {weakness}.", shown(&one.subject));
            found.push(Found::new(Severity::Medium, "certificate", format!("{} weak", one.subject), said));
        }
    }
    Answer::unless(gaps).with(found)
}

/// Ports that nobody outside should reach: etcd's, the kubelet's, the API server's.
const INNER_PORTS: [&str; 5] = ["2379", "2380", "10250", "10255", "6443"];

/// AP-10.
pub(super) fn exposed(ground: &Ground<'_>) -> Answer {
    let snapshot = ground.snapshot;
    let mut found = Vec::new();
    for service in &snapshot.services {
        let outside = matches!(service.kind.as_str(), "NodePort" | "LoadBalancer");
        let in_ingress = snapshot.ingresses.iter().find(|one| {
            one.meta.namespace == service.meta.namespace && one.services.contains(&service.meta.name)
        });
        if !outside && in_ingress.is_none() {
            continue;
        }
        let label = |key: &str| service.selector.get(key).map(String::as_str).unwrap_or_default();
        let what = if ["component", "k8s-app", "app"].iter().any(|key| label(key) == "kube-apiserver") {
            "the API server"
        } else if ["k8s-app", "app.kubernetes.io/name", "app"]
            .iter()
            .any(|key| label(key).contains("kubernetes-dashboard"))
        {
            "the dashboard"
        } else if let Some(port) = service.ports.iter().find(|port| INNER_PORTS.contains(&port.as_str())) {
            match port.as_str() {
                "2379" | "2380" => "a port of etcd",
                "6443" => "a port of API servers",
                _ => "a port of kubelets",
            }
        } else {
            continue;
        };
        let how = match in_ingress.filter(|_| !outside) {
            Some(ingress) => format!("Ingress {}", shown(&ingress.meta.name)),
            None => format!("type {}", shown(&service.kind)),
        };
        let place = shown(service.meta.namespace.as_deref().unwrap_or_default());
        let said = format!("Service {} in {place} puts {what} outside ({how}).", shown(&service.meta.name));
        let one = Found::new(Severity::High, "Service", service.meta.name.clone(), said);
        found.push(one.within(service.meta.namespace.as_deref()));
    }
    Answer::unless(snapshot.gaps(&[Kind::Service, Kind::Ingress])).with(found)
}

/// AP-11.
pub(super) fn aggregated(ground: &Ground<'_>) -> Answer {
    let insecure = ground.snapshot.api_services.iter().filter(|one| one.insecure);
    let found = insecure.map(|one| {
        let said = format!(
            "The API {} is asked without looking at its server's certificate (insecureSkipTLSVerify): whoever stands \
             between can answer, and sees who asks.",
            shown(&one.meta.name)
        );
        Found::new(Severity::Medium, "APIService", one.meta.name.clone(), said)
    });
    Answer::pass().with(found.collect::<Vec<_>>())
}
