//! What changed on a cluster between two scans. Pure.

use sallyport_ipc::{DriftWay, PostureDrift, PostureDriftLine, Shown};
use sallyport_posture::Ground;
use sallyport_posture::drift::drift;
use sallyport_scan::Reading;

/// Lines that are told.
const LINES: usize = 200;

pub(super) fn between(cluster: &str, before: &Reading, after: &Reading) -> PostureDrift {
    let (was, is) = (before.snapshot(), after.snapshot());
    let (was, is) = (Ground::new(&was), Ground::new(&is));
    let (said, says) = (was.report(), is.report());
    let found = drift((&was, &said), (&is, &says));
    let since = before.taken.as_deref().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    let since = since.map(jiff::Timestamp::as_millisecond).unwrap_or_default();
    let line = |way, text: &str| PostureDriftLine { cluster: cluster.into(), since, way, text: text.into() };
    let mut lines: Vec<PostureDriftLine> = Vec::new();
    lines.extend(found.new.iter().map(|one| line(DriftWay::Wider, &one.said)));
    lines.extend(found.worse.iter().map(|one| line(DriftWay::Wider, &one.after.said)));
    lines.extend(found.may.all.iter().map(|one| line(DriftWay::Wider, &one.said)));
    lines.extend(found.better.iter().map(|one| line(DriftWay::Narrower, &one.after.said)));
    lines.extend(
        found.gone.iter().map(|one| line(DriftWay::Narrower, &format!("Not found any more: {}", one.said))),
    );
    lines.extend(
        found.may_not.all.iter().map(|one| line(DriftWay::Narrower, &format!("Not any more: {}", one.said))),
    );
    let left_out = found.may.left_out + found.may_not.left_out;
    let more = lines.len().saturating_sub(LINES) + left_out;
    lines.truncate(LINES);
    let gaps = found.not_comparable.iter().map(|(one, why)| format!("{} {why}", one.said));
    PostureDrift {
        since,
        lines,
        more: u32::try_from(more).unwrap_or(u32::MAX),
        not_comparable: found.rights_gaps.iter().cloned().chain(gaps).map(Shown::from).collect(),
    }
}
