//! AU: whether an API server writes down who did what.

use super::answer::{Answer, Found};
use crate::ground::Ground;
use crate::severity::Severity;
use crate::snapshot::Told;

const LEVELS: &str = "apiserver_audit_level_total";
const SINKS: [&str; 2] = ["audit-log-path", "audit-webhook-config-file"];

/// Whether audit is on.
enum Audit {
    Off(&'static str),
    On,
    Unknown(Vec<String>),
}

fn is_set(told: &Told, flag: &str) -> Option<bool> {
    told.flag(flag).map(|value| !value.is_empty())
}

/// Series of levels are there when a policy and a place to write to are; flags say the same.
fn audit(told: &Told) -> Audit {
    let levels: Vec<_> = told.series(LEVELS).filter(|one| one.value > 0.0).collect();
    if !levels.is_empty() {
        let records = levels.iter().any(|one| !matches!(one.label("level"), "None" | ""));
        return match (records, told.metrics.gap("/metrics")) {
            (true, _) => Audit::On,
            (false, None) => {
                Audit::Off("its audit policy records nothing: every request so far had the level None")
            }
            (false, Some(gap)) => Audit::Unknown(vec![gap]),
        };
    }
    match (is_set(told, "audit-policy-file"), SINKS.map(|sink| is_set(told, sink))) {
        (Some(false), _) => return Audit::Off("it has no audit policy"),
        (Some(true), [Some(false), Some(false)]) => {
            return Audit::Off("its audit policy has nowhere to write to");
        }
        _ => {}
    }
    match told.metrics.gap("/metrics") {
        // It answered at least the request that asked for them.
        None => Audit::Off("its metrics tell of no request that audit looked at"),
        Some(gap) => Audit::Unknown([Some(gap), told.flags.gap("/flagz")].into_iter().flatten().collect()),
    }
}

/// Whether it is known to be off.
pub(super) fn is_off(ground: &Ground<'_>) -> bool {
    matches!(audit(&ground.snapshot.told), Audit::Off(_))
}

/// AU-01.
pub(super) fn kept(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    if let Audit::Off(_) = audit(told) {
        return Answer::nothing("audit is off, which AU-02 says");
    }
    if let Some(gap) = told.flags.gap("/flagz") {
        return managed(ground, gap);
    }
    let to_file = told.flag("audit-log-path").is_some_and(|path| !path.is_empty() && path != "-");
    if !to_file {
        return Answer::nothing("it writes no audit log to a file");
    }
    let mut gaps = Vec::new();
    let mut found = Vec::new();
    for (flag, least, what) in [
        ("audit-log-maxage", 30, "days"),
        ("audit-log-maxbackup", 10, "files"),
        ("audit-log-maxsize", 100, "megabytes to a file"),
    ] {
        let Some(value) = told.flag(flag).and_then(|value| value.parse::<i64>().ok()) else {
            gaps.push(format!("its flag --{flag} is not known"));
            continue;
        };
        // 0 of days or files: it never throws one away.
        if value < least && !(value == 0 && flag != "audit-log-maxsize") {
            let said = format!("The audit log is kept for {value} {what} (--{flag}), less than {least}.");
            found.push(Found::new(Severity::Low, "flag", flag, said));
        }
    }
    Answer::unless(gaps).with(found)
}

/// AU-02.
pub(super) fn on(ground: &Ground<'_>) -> Answer {
    match audit(&ground.snapshot.told) {
        Audit::On => Answer::pass(),
        Audit::Off(why) => {
            // A cloud records outside of what its API server tells.
            if let Some(cloud) = ground.snapshot.vouched_cloud() {
                return Answer::provider(cloud.audit_look());
            }
            let said = format!("The API server writes down nothing of who did what: {why}.");
            Answer::pass().with([Found::new(Severity::Medium, "flag", "audit-policy-file", said)])
        }
        Audit::Unknown(gaps) => managed(ground, gaps.join("; ")),
    }
}

/// AU-03.
pub(super) fn lost(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    if let Audit::Off(_) = audit(told) {
        return Answer::nothing("audit is off, which AU-02 says");
    }
    let mut found = Vec::new();
    for (name, what) in [
        ("apiserver_audit_error_total", "Entries of the audit log were lost"),
        (
            "apiserver_audit_requests_rejected_total",
            "Requests were refused because they could not be written down",
        ),
    ] {
        if let Some(many) = told.sum(name).filter(|many| *many > 0.0) {
            let said = format!("{what}: {many:.0} since the API server started.");
            found.push(Found::new(Severity::Medium, "metric", name, said));
        }
    }
    match told.metrics.gap("/metrics") {
        Some(gap) => managed(ground, gap),
        None => Answer::pass(),
    }
    .with(found)
}

/// AU-04.
pub(super) fn clouds_own(ground: &Ground<'_>) -> Answer {
    match ground.cloud() {
        Some(cloud) => Answer::provider(cloud.audit_look()),
        None if ground.snapshot.version.is_none() => Answer::unknown("whose cluster it is is not known"),
        None => Answer::nothing("nothing says that this is a cloud's cluster"),
    }
}

/// AU-06.
pub(super) fn elsewhere(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    if let Audit::Off(_) = audit(told) {
        return Answer::nothing("audit is off, which AU-02 says");
    }
    if is_set(told, "audit-webhook-config-file") == Some(true)
        || told.series("apiserver_audit_error_total").any(|one| one.label("plugin") == "webhook")
    {
        return Answer::pass();
    }
    match told.flags.gap("/flagz") {
        Some(gap) => managed(ground, gap),
        None => Answer::unknown(
            "it writes to its own machine alone, and whether something there carries it on is not seen through the API",
        ),
    }
}

fn managed(ground: &Ground<'_>, gap: String) -> Answer {
    match ground.snapshot.vouched_cloud() {
        Some(cloud) => Answer::provider(cloud.audit_look()),
        None => Answer::unknown(gap),
    }
}
