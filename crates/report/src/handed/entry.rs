//! An entry of a history as a line for other programs. Proves nothing.

use super::{cells, told};
use sallyport_audit::{Entry, entry_json, leaf};

/// What a line for a spreadsheet has. Those behind `leaf` came later, so that whoever counts columns finds the old ones.
const HEAD: [&str; 20] = [
    "sequence",
    "at",
    "action",
    "outcome",
    "user",
    "cluster",
    "request",
    "grant",
    "session",
    "jti",
    "audit_id",
    "redactions",
    "detail",
    "leaf",
    "told_by",
    "verb",
    "resource",
    "namespace",
    "name",
    "status",
];

/// One line's cells.
pub(super) type Row = [String; HEAD.len()];

/// The first line for a spreadsheet.
pub fn csv_head(out: &mut String) {
    cells::line(out, &HEAD.map(str::to_owned));
}

/// An entry for a spreadsheet.
pub fn csv(entry: &Entry, out: &mut String) {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let row: Row = [
        entry.sequence.to_string(),
        told(entry.at),
        entry.action.to_string(),
        entry.outcome.to_string(),
        text(entry.user.as_ref().map(|v| v.as_str())),
        text(entry.cluster.as_ref().map(|v| v.as_str())),
        text(entry.request.as_ref().map(|v| v.as_str())),
        text(entry.grant.as_ref().map(|v| v.as_str())),
        text(entry.session.as_ref().map(|v| v.as_str())),
        text(entry.jti.as_ref().map(|v| v.as_str())),
        text(entry.audit_id.as_ref().map(|v| v.as_str())),
        entry.redactions.to_string(),
        entry.detail.to_json(),
        leaf(entry).to_string(),
        "desktop".to_owned(),
        text(entry.detail.text("verb")),
        text(entry.detail.text("resource")),
        text(entry.detail.text("namespace")),
        text(entry.detail.text("name")),
        entry.detail.number("status").map_or_else(String::new, |status| status.to_string()),
    ];
    cells::line(out, &row);
}

/// An entry as one line of JSON, beside those of clusters.
pub fn json(entry: &Entry, out: &mut String) {
    out.push_str("{\"entry\":");
    out.push_str(&entry_json(entry));
    out.push_str("}\n");
}

/// An entry as one OCSF event.
pub fn ocsf(entry: &Entry, out: &mut String) {
    out.push_str(&super::ocsf::event(entry).to_string());
    out.push('\n');
}
