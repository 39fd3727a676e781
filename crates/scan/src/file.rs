//! A reading that is kept in a file.

use crate::error::{ScanError, shown, shown_path};
use crate::{Reading, names};
use sallyport_posture::snapshot::{Authorizers, CameTo, Door, Told, Tried, WaysIn};
use sallyport_posture::{Coverage, Kind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const API_VERSION: &str = "posture.sallyport.dev/v1alpha3";
/// Those before: the first knew of objects alone, the second of no workloads. What they do not have was not asked.
const BEFORE: [&str; 2] = ["posture.sallyport.dev/v1alpha1", "posture.sallyport.dev/v1alpha2"];
const KIND: &str = "Snapshot";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Kept {
    api_version: String,
    kind: String,
    source: String,
    user: Option<String>,
    taken: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clock_ahead: Option<i64>,
    version: Option<String>,
    server: Option<(u32, u32)>,
    authorizers: KeptAuthorizers,
    coverage: BTreeMap<Kind, Coverage>,
    unread: Vec<String>,
    assumed: Vec<String>,
    #[serde(default)]
    told: Told,
    #[serde(default)]
    door: Option<Door>,
    #[serde(default)]
    ways_in: Option<WaysIn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tried: Option<Vec<Tried>>,
    /// How many objects there are: one that was cut short, or edited, has others.
    count: usize,
    objects: Vec<Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum KeptAuthorizers {
    NotAsked,
    RbacOnly,
    Others(String),
}

/// Whether a document says that it is a snapshot, of whatever version.
pub(crate) fn is_snapshot(document: &Value) -> bool {
    let text = |field| document.get(field).and_then(Value::as_str).unwrap_or_default();
    text("kind") == KIND && text("apiVersion").starts_with("posture.sallyport.dev/")
}

impl Reading {
    /// The reading as JSON, to be kept. It names who may do what: keep it as you would a list of keys.
    ///
    /// # Errors
    /// None that is known; the text of serde's.
    pub fn to_json(&self) -> Result<String, String> {
        let kept = Kept {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            source: self.source.clone(),
            user: self.user.clone(),
            taken: self.taken.clone(),
            clock_ahead: self.clock_ahead,
            version: self.version.clone(),
            server: self.server,
            authorizers: match &self.authorizers {
                Authorizers::NotAsked => KeptAuthorizers::NotAsked,
                Authorizers::RbacOnly => KeptAuthorizers::RbacOnly,
                Authorizers::Others(why) => KeptAuthorizers::Others(why.clone()),
            },
            coverage: self.coverage.clone(),
            unread: self.unread.clone(),
            assumed: self.assumed.clone(),
            told: self.told.clone(),
            door: self.door.clone(),
            ways_in: self.ways_in.clone(),
            tried: self.tried.clone(),
            count: self.objects.len(),
            objects: self.objects.iter().map(|(_, object)| object.clone()).collect(),
        };
        serde_json::to_string_pretty(&kept).map_err(|error| error.to_string())
    }
}

impl Reading {
    /// A reading that was kept as JSON.
    ///
    /// # Errors
    /// For what is no reading of this version, was edited, or was cut short.
    pub fn from_json(text: &str) -> Result<Self, ScanError> {
        let path = Path::new("what was kept");
        let value = serde_json::from_str(text).map_err(|error| ScanError::Snapshot {
            path: shown_path(path),
            why: format!("it is no JSON: {}", shown(&error.to_string())),
        })?;
        of_value(value, path)
    }
}

/// A kept reading. What it says is a file's word: objects are parsed and reduced as an API server's are.
pub(crate) fn of_value(value: Value, path: &Path) -> Result<Reading, ScanError> {
    let wrong = |why: String| ScanError::Snapshot { path: shown_path(path), why };
    let version = value.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    if version != API_VERSION && !BEFORE.contains(&version) {
        let why = format!("it is {}, and this program reads {API_VERSION}; scan again", shown(version));
        return Err(wrong(why));
    }
    let kept: Kept = serde_json::from_value(value).map_err(|error| {
        wrong(format!("{}; it was edited or is of another version; scan again", shown(&error.to_string())))
    })?;
    if kept.count != kept.objects.len() {
        let (said, has) = (kept.count, kept.objects.len());
        return Err(wrong(format!(
            "it says that it has {said} objects and has {has}; it was edited, so scan again"
        )));
    }
    let shown_all = |text: Option<String>| text.map(|text| shown(&text));
    let mut reading = Reading {
        source: shown(&kept.source),
        user: shown_all(kept.user),
        taken: shown_all(kept.taken),
        clock_ahead: kept.clock_ahead,
        version: shown_all(kept.version),
        server: kept.server,
        authorizers: match kept.authorizers {
            KeptAuthorizers::NotAsked => Authorizers::NotAsked,
            KeptAuthorizers::RbacOnly => Authorizers::RbacOnly,
            KeptAuthorizers::Others(why) => Authorizers::Others(shown(&why)),
        },
        told: kept.told,
        door: kept.door,
        ways_in: kept.ways_in,
        tried: kept.tried.map(|tried| tried.into_iter().map(as_shown).collect()),
        coverage: kept.coverage,
        unread: kept.unread.iter().map(|text| shown(text)).collect(),
        assumed: kept.assumed.iter().map(|text| shown(text)).collect(),
        ..Reading::default()
    };
    for object in kept.objects {
        let text = |field| object.get(field).and_then(Value::as_str).unwrap_or_default();
        let kind = names::kind_of(text("kind"), text("apiVersion"))
            .ok_or_else(|| wrong("it has an object of a kind that posture does not look at".to_owned()))?;
        reading.add(kind, object);
    }
    Ok(reading)
}

/// A file's words are shown as an API server's are.
fn as_shown(one: Tried) -> Tried {
    let came_to = match one.came_to {
        CameTo::Refused(words) => CameTo::Refused(shown(&words)),
        CameTo::Unknown(why) => CameTo::Unknown(shown(&why)),
        known @ (CameTo::Taken | CameTo::Disarmed) => known,
    };
    Tried { namespace: shown(&one.namespace), came_to }
}
