//! A change as an API server takes it, and what it said to it. Who sends it is not decided here, but for one thing: what a
//! session may send is a type of its own, and only fields of workloads become one (promise P11).

use super::{Change, Patch, Refusal, named};
use crate::evidence::Object;
use crate::snapshot::{Kind, Snapshot};
use sallyport_model::{clip, visible};
use serde::Deserialize;
use serde_json::json;
use std::fmt;

/// The name under which the API server takes note of who owns a field.
const MANAGER: &str = "sallyport-posture";

/// One request that makes a change, or tries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    object: Object,
    said: String,
    kind: Kind,
    /// None: the object is removed.
    yaml: Option<String>,
}

/// Why a change is no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoCall {
    /// Which object it is was not read from an API server, so that it could be another by now.
    NotExact(String),
    /// It is of a kind that is not known here.
    Unknown(String),
    /// It is none to make.
    Refused(Refusal),
}

impl fmt::Display for NoCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotExact(what) => write!(
                f,
                "{what} was not read from an API server with its UID and version, so it could be another by now: read the \
                 cluster itself"
            ),
            Self::Unknown(what) => write!(f, "{what} is of a kind that is not changed here"),
            Self::Refused(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for NoCall {}

/// A path segment, whatever the name: nothing in it ends the segment or begins a query.
fn segment(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => text.push(char::from(byte)),
            // A dot that is alone would lead up.
            b'.' if name != "." && name != ".." => text.push('.'),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

impl Call {
    fn of(patch: &Patch) -> Result<Self, NoCall> {
        let object = &patch.object;
        let known = Kind::ALL.iter().copied().find(|kind| kind.name() == object.kind);
        let kind = known.ok_or_else(|| NoCall::Unknown(named(object)))?;
        if object.uid.is_none() || object.resource_version.is_none() {
            return Err(NoCall::NotExact(named(object)));
        }
        let yaml = (!patch.removes()).then(|| patch.yaml.clone());
        Ok(Self { object: object.clone(), said: patch.said.clone(), kind, yaml })
    }

    /// The object it changes.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What it does, as an order.
    pub fn said(&self) -> &str {
        &self.said
    }

    /// `PATCH`, or `DELETE`.
    pub fn method(&self) -> &'static str {
        if self.yaml.is_some() { "PATCH" } else { "DELETE" }
    }

    /// Path and query. A trial is answered by the API server as the change would be, by its authorizer and admission too,
    /// and is not kept.
    pub fn path(&self, trial: bool) -> String {
        let group = self.kind.group();
        let base = if group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{group}/v1") };
        let place = self.object.namespace.as_ref();
        let place = place.map(|name| format!("/namespaces/{}", segment(name))).unwrap_or_default();
        let path = format!("{base}{place}/{}/{}", self.kind.plural(), segment(&self.object.name));
        match (&self.yaml, trial) {
            (Some(_), true) => format!("{path}?fieldManager={MANAGER}&force=true&dryRun=All"),
            (Some(_), false) => format!("{path}?fieldManager={MANAGER}&force=true"),
            // Of a removal the API server reads its options in the body, and then none of the query.
            (None, _) => path,
        }
    }

    /// What the body is.
    pub fn content_type(&self) -> &'static str {
        if self.yaml.is_some() { "application/apply-patch+yaml" } else { "application/json" }
    }

    /// The fields to set, or which very object is to be removed.
    pub fn body(&self, trial: bool) -> String {
        if let Some(yaml) = &self.yaml {
            return yaml.clone();
        }
        let mut options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions":
            {"uid": self.object.uid, "resourceVersion": self.object.resource_version}});
        if trial && let Some(options) = options.as_object_mut() {
            options.insert("dryRun".to_owned(), json!(["All"]));
        }
        options.to_string()
    }

    /// The right that it needs: verb, and resource as kubectl writes it.
    pub fn right(&self) -> (&'static str, String) {
        let verb = if self.yaml.is_some() { "patch" } else { "delete" };
        let (plural, group) = (self.kind.plural(), self.kind.group());
        (verb, if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") })
    }

    /// Reads what an API server answered.
    ///
    /// # Errors
    /// [`Refused`]; nothing was changed then.
    pub fn answered(&self, status: u16, body: &[u8]) -> Result<(), Refused> {
        if (200..300).contains(&status) {
            return Ok(());
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Status {
            message: Option<String>,
        }
        let said = serde_json::from_slice::<Status>(body).unwrap_or_default().message.unwrap_or_default();
        let said = clip(&visible(&said), 500);
        let what = named(&self.object);
        let (verb, resource) = self.right();
        // RBAC says it cannot; whoever decides after it says that it denies.
        let by_rights = said.contains(&format!("cannot {verb} resource"));
        // A policy may choose the code that it refuses with; what is invalid by itself does not say so.
        let by_policy = said.contains("denied request") || said.contains("denied the request");
        let (because, why) = match status {
            401 => (Because::SignIn, "the API server does not accept the sign-in any more".to_owned()),
            403 if by_rights => {
                let place = self.object.namespace.as_deref();
                let place = place.map(|name| format!(" in {}", crate::said::shown(name))).unwrap_or_default();
                (Because::Rights, format!("the right to {verb} {resource}{place} is missing"))
            }
            403 => (Because::Admission, "admission refuses it".to_owned()),
            400..=499 if by_policy => (Because::Admission, "admission refuses it".to_owned()),
            404 => (Because::Gone, format!("{what} is not there any more: scan again")),
            409 => (Because::Changed, format!("{what} changed since it was read: scan again")),
            400 | 422 => (Because::Invalid, format!("the API server does not take {what} like that")),
            429 | 500.. => {
                (Because::Busy, "the API server could not take it now: try again later".to_owned())
            }
            other => (Because::Other, format!("the API server answered {other}")),
        };
        Err(Refused { because, why, said })
    }
}

/// Why an API server did not take a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// Whoever asked may not.
    Rights,
    /// They may, and a webhook or a policy said no.
    Admission,
    /// It is not as it was read.
    Changed,
    /// It is not there.
    Gone,
    /// It is none that the API server takes.
    Invalid,
    /// The sign-in is over.
    SignIn,
    /// It could not be asked now.
    Busy,
    /// Something else.
    Other,
}

/// An API server's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why, as far as anybody acts on it differently.
    pub because: Because,
    /// The same as a sentence's end.
    pub why: String,
    /// What the API server said, its hidden characters visible; empty where it said nothing.
    pub said: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.said.as_str() {
            "" => f.write_str(&self.why),
            said => write!(f, "{} ({said})", self.why),
        }
    }
}

/// The requests that make changes, in their order, for whoever comes with rights of their own. Of several changes of one object
/// the last has them all: each is the whole of it, for the version that was read, and after the first it would be another.
///
/// # Errors
/// [`NoCall`] of the first that is none.
pub fn calls(patches: &[Patch]) -> Result<Vec<Call>, NoCall> {
    let mut calls: Vec<Call> = Vec::new();
    for patch in patches {
        let call = Call::of(patch)?;
        calls.retain(|known| known.object != call.object);
        calls.push(call);
    }
    Ok(calls)
}

/// A change that a session may send: a field of a workload. There is no other way to make one than [`WorkloadCall::of`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadCall(Call);

impl WorkloadCall {
    /// None: it is a change of rights, admission or namespaces, or of who may sign in how, and no session makes those
    /// (promise P11).
    ///
    /// # Errors
    /// [`NoCall`].
    pub fn of(change: &Change, before: &Snapshot) -> Option<Result<Self, NoCall>> {
        match change {
            Change::UnmountPods { .. } => {
                let patch = change.written(before).map_err(NoCall::Refused);
                Some(patch.and_then(|patch| Call::of(&patch)).map(Self))
            }
            // Named one by one, so that a new kind of change is thought about here.
            Change::RemoveSubject { .. }
            | Change::DeleteBinding { .. }
            | Change::NarrowRole { .. }
            | Change::Unmount { .. }
            | Change::Enforce { .. }
            | Change::FailClosed { .. }
            | Change::DeleteSecret { .. } => None,
        }
    }

    /// The request.
    pub fn call(&self) -> &Call {
        &self.0
    }
}
