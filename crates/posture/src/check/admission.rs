//! AD: the plugins of an API server that refuse or change what is written.

use super::answer::{Answer, Found, shown};
use crate::ground::Ground;
use crate::severity::Severity;
use std::collections::HashSet;

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

/// Told where manifests are loaded, and by nothing else.
const MANIFESTS: &str = "apiserver_manifest_admission_config_controller_last_config_info";

/// AD-10 (KEP-5793): what stands in files of the API server's guards before any object does, and no list tells of it.
pub(super) fn manifests(ground: &Ground<'_>) -> Answer {
    let snapshot = ground.snapshot;
    let told = &snapshot.told;
    let found = told.series(MANIFESTS).filter(|one| one.value > 0.0).map(|one| {
        let plugin = one.label("plugin");
        let said = format!(
            "{} takes some of what it asks or refuses from files of the API server, which no list tells of: AD-03 to AD-05 \
             look at objects alone.",
            shown(plugin)
        );
        Found::new(Severity::Info, "plugin", plugin, said)
    });
    let found: Vec<Found> = found.collect();
    if snapshot.server.is_some_and(|server| server < (1, 36)) {
        return Answer::nothing("this version takes admission from objects alone").with(found);
    }
    let gap = match (told.flag("admission-control-config-file"), told.metrics.gap("/metrics")) {
        (Some(""), _) => return Answer::nothing("no file says what admission is to do").with(found),
        (_, None) => return Answer::nothing("its metrics tell of no such file").with(found),
        (_, Some(gap)) => gap,
    };
    Answer::unknown(gap).with(found)
}
