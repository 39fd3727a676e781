//! Events that several places tell of.

use crate::evidence::left;
use sallyport_archive::{Archive, ArchiveError, Bounds, Call, Column, Filter};
use std::collections::HashSet;
use std::time::Instant;

/// Calls that are compared with those of another place at once, and how often.
const COMPARED: usize = 1000;
const COMPARES: usize = 10;

/// What says that two events are the same one. The Audit-ID is the client's to choose, so that all else that is shown of
/// them has to be the same as well: whoever repeats one hides nothing.
pub(in crate::evidence) fn key(call: &Call) -> Option<String> {
    if call.audit_id.is_empty() {
        return None;
    }
    let columns = [
        Column::Cluster,
        Column::Verb,
        Column::Resource,
        Column::Subresource,
        Column::Namespace,
        Column::Name,
        Column::User,
        Column::Impersonated,
        Column::Code,
    ];
    let mut key = format!("{}\0{}\0{}", call.audit_id, call.at, call.marks.stages.bits());
    for column in columns {
        key.push('\0');
        key.push_str(call.text(column));
    }
    Some(key)
}

/// The events that another place tells of in the time of some calls, and whether those are all. It is asked with the same
/// filter.
pub(in crate::evidence) fn twins_in(
    other: &Archive,
    filter: &Filter,
    calls: &[Call],
    bounds: &Bounds,
) -> Result<(HashSet<String>, bool), ArchiveError> {
    let mut keys = HashSet::new();
    let (Some(newest), Some(oldest)) = (calls.first(), calls.last()) else { return Ok((keys, true)) };
    let of_time = filter.clone().from(oldest.at).to(newest.at.saturating_add(1));
    let (began, mut cursor) = (Instant::now(), None);
    for _ in 0..COMPARES {
        let page = other.page(&of_time, cursor, COMPARED, &left(bounds, began))?;
        keys.extend(page.value.calls.iter().filter_map(key));
        cursor = page.value.next;
        if cursor.is_none() || !page.is_whole {
            return Ok((keys, page.is_whole));
        }
    }
    Ok((keys, false))
}
