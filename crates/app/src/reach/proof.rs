//! What is known of guardrails, and by whom (P12). Pure.

use super::read::{AUDITOR, Read, TOLD};
use sallyport_api::{AccessCluster, GuardrailReport, HubSet};
use sallyport_hub::{Beat, OwnGuardrails};
use sallyport_ipc::{GuardrailProof, Shown};

/// What is known of a target's guardrails (P12). What nobody vouches for now is not known, whatever was said before.
pub(super) fn guardrails(object: &AccessCluster, beat: Result<Option<&Beat>, String>) -> GuardrailProof {
    let unknown = |why: String| GuardrailProof::Unknown { why: Shown::from(why) };
    let Some(report) = object.status.as_ref().and_then(|status| status.guardrails.as_ref()) else {
        return unknown("its broker has not reported on them".to_owned());
    };
    let said = if report.verified { "in force" } else { "not in force" };
    match beat {
        Err(fault) => {
            return unknown(format!(
                "whether its broker is alive could not be read: {fault}; it last said {said}"
            ));
        }
        Ok(None) => return unknown(format!("its broker gives no sign of life; it last said {said}")),
        Ok(Some(beat)) if beat.is_silent() => {
            let minutes = beat.age.as_secs() / 60;
            return unknown(format!("its broker has been silent for {minutes} min; it last said {said}"));
        }
        Ok(Some(_)) => {}
    }
    let (at, detail) = (report.since_ms(), Shown::from(&report.detail));
    if report.verified {
        GuardrailProof::InForce { at, detail }
    } else {
        GuardrailProof::NotInForce { at, detail }
    }
}

/// What is known of the hub's own: by a comparison from here, and by what brokers that are alive have seen. One of them that
/// finds it wrong grants nothing, and comes first.
pub(super) fn own(read: &Read, at: i64) -> GuardrailProof {
    let seen = seen_by_brokers(read);
    if let Some((name, report)) = seen.iter().find(|(_, report)| !report.verified && report.set.is_none()) {
        let detail = Shown::from(format!("the broker of {name}: {}", report.detail));
        return GuardrailProof::NotInForce { at: report.since_ms(), detail };
    }
    let proven = || {
        let all = seen.iter().all(|(_, report)| report.verified);
        let (name, last) = seen.iter().max_by_key(|(_, report)| report.since_ms()).filter(|_| all)?;
        let detail = format!("seen by {}; the broker of {name}: {}", brokers(seen.len()), last.detail);
        Some(GuardrailProof::InForce { at: last.since_ms(), detail: Shown::from(detail) })
    };
    match &read.own {
        Ok(OwnGuardrails { set: Err(differences), .. }) => {
            let told: Vec<&str> = differences.iter().take(TOLD).map(String::as_str).collect();
            let more = differences.len().saturating_sub(TOLD);
            let rest = if more == 0 { String::new() } else { format!("; and {more} more") };
            GuardrailProof::NotInForce { at, detail: Shown::from(format!("{}{rest}", told.join("; "))) }
        }
        Ok(OwnGuardrails { set: Ok(set), shipped }) => proven().unwrap_or_else(|| {
            GuardrailProof::AsShipped { at, detail: Shown::from(compared(*set, *shipped)) }
        }),
        Err(fault) => {
            let gives = format!("the ClusterRole {AUDITOR} gives the right to");
            let said = match proven() {
                Some(GuardrailProof::InForce { detail, .. }) => {
                    format!("; in force by the brokers' word alone: {detail}")
                }
                _ => String::new(),
            };
            let why = format!("its policies could not be read from here: {fault}; {gives}{said}");
            GuardrailProof::Unknown { why: Shown::from(why) }
        }
    }
}

fn brokers(count: usize) -> String {
    if count == 1 { "1 broker".to_owned() } else { format!("{count} brokers") }
}

/// What a comparison from here says, and no more.
fn compared(set: HubSet, shipped: usize) -> String {
    let which = match set {
        HubSet::Own => {
            return format!(
                "{shipped} policies compared from this desktop with what this version ships; nobody has seen them refuse"
            );
        }
        HubSet::Before => "before",
        HubSet::After => "after",
    };
    format!(
        "set {}, the one {which} this version's, whose words this desktop does not know; nobody has seen them refuse",
        set.number()
    )
}

/// What the brokers that are alive report of the hub's own, by their clusters.
fn seen_by_brokers(read: &Read) -> Vec<(&str, &GuardrailReport)> {
    let Ok(beats) = &read.beats else { return Vec::new() };
    let is_alive = |name: &str| beats.iter().any(|beat| beat.cluster.as_str() == name && !beat.is_silent());
    let reports = read.clusters.objects.iter().filter_map(|object| {
        let name = object.metadata.name.as_deref().filter(|name| is_alive(name))?;
        Some((name, object.status.as_ref()?.hub_guardrails.as_ref()?))
    });
    reports.collect()
}
