//! What every answer from roles and bindings says beside itself.

use crate::end::Stop;
use clap::ValueEnum;
use sallyport_posture::snapshot::Aggregated;
use sallyport_posture::{Kind, Snapshot};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Answer {
    /// For people.
    Text,
    /// JSON.
    Json,
}

/// Why an answer may lack something, a sentence each. Empty: all roles and bindings were read, and nobody else decides.
pub(crate) fn gaps(snapshot: &Snapshot, aggregated: &Aggregated) -> Vec<String> {
    let mut gaps = snapshot.gaps(Kind::RBAC);
    gaps.extend(snapshot.nobody_can_gaps(aggregated));
    gaps
}

/// For people, under an answer.
pub(crate) fn told(gaps: &[String]) -> String {
    if gaps.is_empty() {
        return String::new();
    }
    let mut text = "\nNot known: there may be others.\n".to_owned();
    for gap in gaps {
        text.push_str(&format!("  {gap}\n"));
    }
    text
}

/// As JSON, with a line's end.
pub(crate) fn json(view: &impl serde::Serialize) -> Result<String, Stop> {
    let text = serde_json::to_string_pretty(view);
    text.map(|text| text + "\n")
        .map_err(|error| Stop(format!("the answer can't be written as JSON: {error}")))
}

/// A schema as it is printed and committed.
pub(crate) fn schema(schema: &schemars::Schema) -> String {
    // A schema is JSON and can be written as such.
    let mut text = serde_json::to_string_pretty(schema).unwrap_or_default();
    text.push('\n');
    text
}
