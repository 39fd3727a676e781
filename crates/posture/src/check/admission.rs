//! AD: what is refused whoever asks, as far as it does not stand in policies alone (`others` has those).

use super::answer::{Answer, Found, shown};
use crate::ground::Ground;
use crate::severity::Severity;
use crate::snapshot::{Kind, Webhook};
use std::collections::HashSet;

/// Resources that a webhook guards something by.
pub(super) fn guards(one: &Webhook) -> bool {
    let guarded = |resource: &String| {
        let (group, resource) = resource.split_once('/').unwrap_or(("", resource));
        matches!(group, "*" | "" | "rbac.authorization.k8s.io")
            && (resource == "*"
                || resource == "*/*"
                || ["pods", "secrets", "roles", "rolebindings", "clusterroles", "clusterrolebindings"]
                    .contains(&resource))
    };
    one.resources.iter().any(guarded)
}

fn kind(one: &Webhook) -> &'static str {
    if one.mutating { "MutatingWebhookConfiguration" } else { "ValidatingWebhookConfiguration" }
}

/// AD-04.
pub(super) fn passed_over(ground: &Ground<'_>) -> Answer {
    let mut found = Vec::new();
    for one in ground.snapshot.webhooks.iter().filter(|one| guards(one)) {
        let (of, name) = (kind(one), shown(&one.name));
        let about =
            |severity, said| Found::new(severity, of, format!("{} {}", one.meta.name, one.name), said);
        if let Some(url) = &one.url {
            // An address may hold a password.
            let host = url.rsplit('@').next().unwrap_or_default();
            let said =
                format!("Webhook {name} is asked at {}, and by no Service of this cluster.", shown(host));
            found.push(about(Severity::Medium, said));
        }
        // One that changes what is written guards nothing alone.
        if !one.spares.is_empty() && !one.mutating {
            let said = format!(
                "Webhook {name} passes over namespaces by their labels ({}): whoever may set those is passed over.",
                shown(&one.spares.join(", "))
            );
            found.push(about(Severity::Low, said));
        }
    }
    Answer::pass().with(found)
}

/// Policy engines, by the API groups of their own kinds.
const ENGINES: [(&str, &str); 4] = [
    (".kyverno.io", "Kyverno"),
    (".gatekeeper.sh", "Gatekeeper"),
    (".kubewarden.io", "Kubewarden"),
    (".policies.kubewarden.io", "Kubewarden"),
];

/// AD-06.
pub(super) fn engines(ground: &Ground<'_>) -> Answer {
    let names = ground.snapshot.definitions.iter().map(|one| one.name.as_str());
    let engine = names.filter_map(|name| ENGINES.iter().find(|(end, _)| name.ends_with(end)));
    let mut engines: Vec<&str> = engine.map(|(_, engine)| *engine).collect();
    engines.sort_unstable();
    engines.dedup();
    match engines.is_empty() {
        true => Answer::nothing("no policy engine is known to be here"),
        false => Answer::unknown(format!(
            "{} is here; whether its policies refuse or only record stands in its own objects, which are not read",
            engines.join(", ")
        )),
    }
}

/// Plugins that guard, and whether Kubernetes has them on where nobody says otherwise.
const PLUGINS: [(&str, bool, &str); 5] = [
    ("NodeRestriction", false, "a kubelet may change other nodes and their pods"),
    ("PodSecurity", true, "no pod security level is enforced"),
    ("ServiceAccount", true, "a pod may name any account and mount any of its Secrets"),
    ("NamespaceLifecycle", true, "objects can be made in namespaces that are going away"),
    ("ResourceQuota", true, "no quota is enforced"),
];

const ASKED: &str = "apiserver_admission_controller_admission_duration_seconds_count";

/// AD-08.
pub(super) fn plugins(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    let lists = ["enable-admission-plugins", "disable-admission-plugins"].map(|flag| told.flag_list(flag));
    if let [Some(on), Some(off)] = &lists {
        let is_off = |(name, default, _): &&(&str, bool, &str)| match default {
            true => off.contains(name),
            false => !on.contains(name),
        };
        let said = PLUGINS.iter().filter(is_off).map(|(name, _, what)| {
            let said = format!("The admission plugin {name} is off: {what}.");
            Found::new(Severity::Medium, "plugin", *name, said)
        });
        return Answer::pass().with(said);
    }
    let asked: HashSet<&str> =
        told.series(ASKED).filter(|one| one.value > 0.0).map(|one| one.label("name")).collect();
    if let Some(gap) = told.metrics.gap("/metrics") {
        return match ground.snapshot.vouched_cloud() {
            Some(cloud) => Answer::provider(cloud.flags_look()),
            None => Answer::unknown(gap),
        };
    }
    // Every one of them is asked about every object that is made; without one there are no series at all.
    if asked.is_empty() {
        return Answer::unknown("nothing was written since it started, so no plugin was asked");
    }
    let said = PLUGINS.iter().filter(|(name, ..)| !asked.contains(name)).map(|(name, _, what)| {
        let said = format!("The admission plugin {name} was never asked, and is off: {what}.");
        Found::new(Severity::Medium, "plugin", *name, said)
    });
    Answer::pass().with(said)
}

/// AD-09.
pub(super) fn failed_open(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    let series = told.series("apiserver_admission_webhook_fail_open_count");
    let found: Vec<Found> = series
        .filter(|one| one.value > 0.0)
        .map(|one| {
            let name = one.label("name");
            let said = format!(
                "Webhook {} could not be asked and was passed over {:.0} time(s) since the API server started.",
                shown(name),
                one.value
            );
            Found::new(Severity::Medium, "webhook", name, said)
        })
        .collect();
    Answer::unless(told.metrics.gap("/metrics").into_iter().collect()).with(found)
}

/// AD-11.
pub(super) fn unanswered(ground: &Ground<'_>) -> Answer {
    let snapshot = ground.snapshot;
    // Of Services and addresses that were not all read, one that was not seen may be there.
    if !snapshot.gaps(&[Kind::Service, Kind::EndpointSlice]).is_empty() {
        return Answer::pass();
    }
    let named = |namespace: &Option<String>, name: &str, own: &(String, String)| {
        namespace.as_deref() == Some(own.0.as_str()) && name == own.1
    };
    let mut found = Vec::new();
    for one in snapshot.webhooks.iter().filter(|one| !one.ignores_failure) {
        let Some(own) = &one.service else { continue };
        let service =
            snapshot.services.iter().find(|service| named(&service.meta.namespace, &service.meta.name, own));
        let behind = snapshot
            .endpoints
            .iter()
            .any(|slice| named(&slice.meta.namespace, &slice.service, own) && !slice.addresses.is_empty());
        let what = match service {
            None => "is not there",
            // What a name outside stands for is not seen.
            Some(service) if service.kind == "ExternalName" => continue,
            Some(_) if !behind => "has nothing behind it",
            Some(_) => continue,
        };
        let said = format!(
            "Webhook {} must be asked, and its Service {} in {} {what}: what it is asked about is refused.",
            shown(&one.name),
            shown(&own.1),
            shown(&own.0)
        );
        found.push(Found::new(Severity::Medium, kind(one), format!("{} {}", one.meta.name, one.name), said));
    }
    Answer::pass().with(found)
}
