//! AD-01 and AD-02: whether a privileged pod is kept out of a namespace, by what is written and by trying.

use super::others::{finding, shown};
use super::{Finding, Verdict};
use crate::ground::Ground;
use crate::said::count;
use crate::severity::Severity;
use crate::snapshot::{CameTo, Meta, SYSTEM_NAMESPACES, Told};
use std::collections::BTreeMap;

const PLUGIN: &str = "PodSecurity";
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
const ASKED: &str = "apiserver_admission_controller_admission_duration_seconds_count";

/// How bad it is that a namespace takes privileged pods: others than the system can make some there, or not yet.
fn weigh(ground: &Ground<'_>, namespace: &str) -> (Severity, &'static str) {
    match ground.rights.place(namespace).is_some_and(|place| ground.makers.contains(&place)) {
        true => (Severity::High, ", and people or programs other than the system can make pods there"),
        false => (Severity::Medium, ""),
    }
}

fn is_labelled(namespace: &Meta) -> bool {
    matches!(namespace.labels.get(ENFORCE).map(String::as_str), Some("baseline" | "restricted"))
}

/// Namespaces that are looked at.
fn looked_at<'g>(ground: &'g Ground<'_>) -> impl Iterator<Item = &'g Meta> {
    ground.snapshot.namespaces.iter().filter(|one| !SYSTEM_NAMESPACES.contains(&one.name.as_str()))
}

/// Whether labels of pod security do anything here.
enum Plugin {
    On,
    Off(&'static str),
    Unknown(String),
}

fn plugin(told: &Told) -> Plugin {
    if let (Some(_), Some(off)) =
        (told.flag_list("enable-admission-plugins"), told.flag_list("disable-admission-plugins"))
    {
        return match off.contains(&PLUGIN) {
            true => Plugin::Off("--disable-admission-plugins"),
            false => Plugin::On,
        };
    }
    let mut asked = told.series(ASKED).filter(|one| one.value > 0.0).peekable();
    let none = asked.peek().is_none();
    if asked.any(|one| one.label("name") == PLUGIN) {
        return Plugin::On;
    }
    match told.metrics.gap("/metrics") {
        Some(gap) => Plugin::Unknown(format!("whether the admission plugin {PLUGIN} is on: {gap}")),
        None if none => Plugin::Unknown(format!(
            "whether the admission plugin {PLUGIN} is on: nothing was written since the API server started"
        )),
        None => Plugin::Off("it was never asked"),
    }
}

/// How many requests passed as what is exempted from it.
fn exempted(told: &Told) -> f64 {
    told.sum("pod_security_exemptions_total").unwrap_or_default()
}

/// Why somebody may be exempted from it: a file says whom, and no API tells what it says.
fn may_exempt(told: &Told) -> Option<String> {
    match told.flag("admission-control-config-file") {
        Some("") => None,
        Some(_) => Some(
            "a file says what admission is to do (--admission-control-config-file), and may exempt users, runtime classes or \
             namespaces from pod security"
                .to_owned(),
        ),
        // Whatever it says, nobody was exempted so far.
        None => told
            .metrics
            .gap("/metrics")
            .map(|gap| format!("whether somebody is exempted from pod security: {gap}")),
    }
}

/// AD-01.
pub(super) fn pod_security(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for namespace in looked_at(ground) {
        let what = match namespace.labels.get(ENFORCE).map(String::as_str) {
            Some("baseline" | "restricted") => continue,
            Some("privileged") => "enforces the pod security level privileged, which keeps nothing out",
            Some(_) => "has a pod security level that does not exist",
            // One for the whole API server is not seen from here.
            None => "has no pod security level of its own",
        };
        let (severity, makers) = weigh(ground, &namespace.name);
        let sentence = format!("Namespace {} {what}{makers}.", shown(&namespace.name));
        findings.push(about(check, namespace, severity, sentence));
    }
    let told = &ground.snapshot.told;
    let labelled: Vec<&Meta> = looked_at(ground).filter(|one| is_labelled(one)).collect();
    let worst = labelled.iter().map(|one| weigh(ground, &one.name).0).max();
    let Some(worst) = worst else { return findings };
    let mut plain = |name: &str, severity, sentence| {
        let meta = Meta { name: name.to_owned(), ..Meta::default() };
        findings.push(finding(check, "plugin", &meta, severity, sentence));
    };
    if let Plugin::Off(why) = plugin(told) {
        let many = count(labelled.len(), "namespace");
        let sentence = format!(
            "The pod security level of {many} is enforced by nobody: the admission plugin {PLUGIN} is off ({why})."
        );
        plain(PLUGIN, worst, sentence);
    }
    let many = exempted(told);
    if many > 0.0 {
        let sentence = format!(
            "Pods were made past the pod security level of their namespace {many:.0} time(s) since the API server started: \
             its configuration exempts somebody."
        );
        plain("exemptions", Severity::Medium, sentence);
    }
    findings
}

fn about(check: &'static str, namespace: &Meta, severity: Severity, said: String) -> Finding {
    let mut found = finding(check, "Namespace", namespace, severity, said);
    found.namespaces = Some(vec![namespace.name.clone()]);
    found
}

/// What AD-01 comes to where each namespace has a level: it is enforced where the plugin is on and exempts nobody.
pub(super) fn enforced(ground: &Ground<'_>) -> Option<Verdict> {
    let told = &ground.snapshot.told;
    looked_at(ground).next()?;
    let gap = match plugin(told) {
        Plugin::Unknown(gap) => Some(gap),
        Plugin::On | Plugin::Off(_) => may_exempt(told),
    }?;
    Some(match ground.snapshot.vouched_cloud() {
        Some(cloud) => Verdict::Provider(cloud.flags_look()),
        None => Verdict::Unknown(gap),
    })
}

/// AD-02: where a privileged pod would be taken.
pub(super) fn taken(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let taken = ground.snapshot.tried.iter().flatten().filter(|one| one.came_to == CameTo::Taken);
    taken
        .map(|one| {
            let (severity, makers) = weigh(ground, &one.namespace);
            let sentence = format!(
                "Namespace {} takes a privileged pod of whoever tried it{makers}.",
                shown(&one.namespace)
            );
            let known = ground.snapshot.namespaces.iter().find(|own| own.name == one.namespace);
            let named = Meta { name: one.namespace.clone(), ..Meta::default() };
            about(check, known.unwrap_or(&named), severity, sentence)
        })
        .collect()
}

/// What AD-02 comes to where none was taken.
pub(super) fn tried(ground: &Ground<'_>) -> Option<Verdict> {
    let Some(tried) = &ground.snapshot.tried else {
        return Some(Verdict::Unknown(
            "nobody tried: it takes the right to make pods, which a scan does not have, so only the command line does it, \
             with your own rights (sallyport posture scan --dry-run-pods)"
                .to_owned(),
        ));
    };
    if tried.is_empty() {
        return Some(Verdict::NotApplicable("there is no namespace but those of the system".to_owned()));
    }
    let open = tried.iter().filter_map(|one| match &one.came_to {
        CameTo::Unknown(why) => Some(format!("{}: {}", shown(&one.namespace), shown_words(why))),
        _ => None,
    });
    let mut open: Vec<String> = open.collect();
    // What came to be after the try.
    let untried = looked_at(ground).filter(|own| !tried.iter().any(|one| one.namespace == own.name));
    open.extend(untried.map(|own| format!("{}: it was not tried", shown(&own.name))));
    if open.is_empty() {
        return None;
    }
    let more = open.len().saturating_sub(5);
    open.truncate(5);
    let more = if more > 0 { format!("; and {} more", count(more, "namespace")) } else { String::new() };
    Some(Verdict::Unknown(format!("{}{more}", open.join("; "))))
}

/// Who refused it, in their own words: a pass says nothing of that.
pub(super) fn notes(ground: &Ground<'_>) -> Vec<String> {
    let mut by_words: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in ground.snapshot.tried.iter().flatten() {
        let words = match &one.came_to {
            // The pod's own name differs from try to try.
            CameTo::Refused(words) => match words.split_once(": ") {
                Some((before, rest)) if before.starts_with("pods \"") => rest.to_owned(),
                _ => words.clone(),
            },
            CameTo::Disarmed => "it would be taken, and without its privileges".to_owned(),
            CameTo::Taken | CameTo::Unknown(_) => continue,
        };
        by_words.entry(shown_words(&words)).or_default().push(shown(&one.namespace));
    }
    let note = |(words, mut names): (String, Vec<String>)| {
        let all = count(names.len(), "namespace");
        names.truncate(10);
        format!("A privileged pod is refused in {all} ({}): {words}", names.join(", "))
    };
    by_words.into_iter().map(note).take(10).collect()
}

fn shown_words(words: &str) -> String {
    sallyport_model::clip(&sallyport_model::visible(words), 240)
}
