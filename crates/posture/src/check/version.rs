//! VR: what is no longer looked after.

use super::answer::{Answer, Found, shown};
use crate::ground::Ground;
use crate::severity::Severity;
use crate::when::{DAY, unix};

/// The day on which the dates below were looked up (kubernetes.io/releases).
const LISTED: &str = "2026-11-29";
/// Each minor version and the day on which it ends.
const ENDS: [(u32, &str); 8] = [
    (30, "2025-07-15"),
    (31, "2025-11-11"),
    (32, "2026-02-28"),
    (33, "2026-06-28"),
    (34, "2026-10-27"),
    (35, "2027-02-28"),
    (36, "2027-06-28"),
    (37, "2027-10-28"),
];

/// VR-01.
pub(super) fn supported(ground: &Ground<'_>) -> Answer {
    let Some((major, minor)) = ground.snapshot.server else {
        return Answer::unknown("the server's version is not known");
    };
    let Some(now) = ground.snapshot.taken else { return Answer::unknown("when it was read is not known") };
    let version = format!("Kubernetes {major}.{minor}");
    let ended = |day: &str, severity| {
        let cloud = ground.snapshot.vouched_cloud();
        let (severity, more) = match cloud {
            // A cloud may go on for money.
            Some(cloud) => (Severity::Medium, format!("; {} may look after it for longer", cloud.name)),
            None => (severity, String::new()),
        };
        let said = format!("{version} is not looked after since {day}{more}.");
        Answer::pass().with([Found::new(severity, "version", format!("{major}.{minor}"), said)])
    };
    if major != 1 || ENDS.first().is_some_and(|(first, _)| minor < *first) {
        return if major < 2 { ended("2025 or before", Severity::High) } else { newer(&version) };
    }
    let Some((_, day)) = ENDS.iter().find(|(known, _)| *known == minor) else { return newer(&version) };
    let left = unix(day).unwrap_or_default() - now;
    if left < 0 {
        return ended(day, Severity::High);
    }
    let soon = (left < 60 * DAY).then(|| {
        let said = format!("{version} is looked after until {day}, {} days more.", left / DAY);
        Found::new(Severity::Low, "version", format!("{major}.{minor}"), said)
    });
    Answer::pass().with(soon)
}

fn newer(version: &str) -> Answer {
    Answer::unknown(format!("{version} is newer than what is known here, as of {LISTED}"))
}

/// `v1.37.2` as (1, 37).
fn minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.strip_prefix('v').unwrap_or(version).split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// VR-02.
pub(super) fn skew(ground: &Ground<'_>) -> Answer {
    let Some(server) = ground.snapshot.server else {
        return Answer::unknown("the server's version is not known");
    };
    if ground.snapshot.nodes.is_empty() {
        return Answer::nothing("there are no nodes");
    }
    let mut gaps = Vec::new();
    let mut found = Vec::new();
    for node in &ground.snapshot.nodes {
        let Some(kubelet) = minor(&node.kubelet) else {
            gaps.push(format!("the version of {} is not known", shown(&node.meta.name)));
            continue;
        };
        let what = if kubelet > server {
            "is newer than the API server, which Kubernetes does not allow"
        } else if kubelet.0 == server.0 && server.1 - kubelet.1 > 3 {
            "is more than three minor versions older than the API server, which Kubernetes does not allow"
        } else {
            continue;
        };
        let said =
            format!("The kubelet of {} is {} and {what}.", shown(&node.meta.name), shown(&node.kubelet));
        found.push(Found::new(Severity::Medium, "Node", node.meta.name.clone(), said));
    }
    gaps.truncate(3);
    Answer::unless(gaps).with(found)
}

/// VR-03.
pub(super) fn deprecated(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    let series = told.series("apiserver_requested_deprecated_apis");
    let found: Vec<Found> = series
        .filter(|one| !one.label("removed_release").is_empty() && one.value > 0.0)
        .map(|one| {
            let api = format!("{}/{}/{}", one.label("group"), one.label("version"), one.label("resource"));
            let gone = shown(one.label("removed_release"));
            let said = format!("Somebody asks for {}, which is gone with Kubernetes {gone}.", shown(&api));
            Found::new(Severity::Low, "api", api, said)
        })
        .collect();
    Answer::unless(told.metrics.gap("/metrics").into_iter().collect()).with(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_versions_is_in_order_and_has_days() {
        assert!(ENDS.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0 && unix(pair[0].1) < unix(pair[1].1)));
        assert_eq!(crate::when::date(unix(LISTED).unwrap()), LISTED);
        assert_eq!(
            (minor("v1.33.1-eks-113cf36"), minor("1.2"), minor("x")),
            (Some((1, 33)), Some((1, 2)), None)
        );
    }
}
