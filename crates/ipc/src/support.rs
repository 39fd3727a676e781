use crate::Shown;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A support bundle as it would be written, all of it: nothing is in the file that is not here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BundleView {
    /// Which one it is: only what was shown is written.
    pub id: String,
    /// Its files, in order.
    pub files: Vec<BundleFile>,
    /// Where it would be written unless the person names another place.
    pub place: Shown,
    /// How many things that look like a secret were taken out.
    pub redactions: u32,
}

/// A file of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BundleFile {
    /// Its name in the archive.
    pub name: String,
    /// Its lines; each ends with a line feed in the file.
    pub lines: Vec<Shown>,
}
