//! What raw events say that no column has.

use sallyport_archive::{Archive, Call, Column};
use sallyport_events::{Act, event_in};
use std::collections::HashMap;

/// Resources whose changes may say how many replicas they set.
const SCALED: [&str; 4] =
    ["deployments.apps", "statefulsets.apps", "replicasets.apps", "replicationcontrollers"];

/// How many replicas changes set, by their calls: their bodies tell. What can't be read has none.
pub(super) fn replicas(archive: &Archive, calls: &[Call]) -> HashMap<u64, i64> {
    let sets = |call: &&Call| {
        matches!(call.text(Column::Verb), "patch" | "update")
            && SCALED.contains(&call.text(Column::Resource))
            && matches!(call.text(Column::Subresource), "" | "scale")
    };
    let ids: Vec<_> = calls.iter().filter(sets).map(|call| call.id).collect();
    let raws = archive.raws(&ids);
    let mut out = HashMap::new();
    for (id, raw) in ids.iter().zip(raws) {
        let Ok(raw) = raw else { continue };
        if let Some(replicas) = event_in(&raw, |event| Act::of(&event, "").replicas).flatten() {
            out.insert(id.number(), replicas);
        }
    }
    out
}
