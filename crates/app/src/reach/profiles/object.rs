//! Which parts of a stored profile a person writes and which are the hub's own, and what of a text is no profile whatever
//! the hub says of it. Pure.

use super::text::{Problem, Written, write};
use sallyport_api::AccessProfile;
use sallyport_model::{Profile, ProfileName, clip, visible};
use serde_json::{Map, Value, json};

const API_VERSION: &str = "access.sallyport.dev/v1alpha1";
const KIND: &str = "AccessProfile";
/// What the hub sets of an object's metadata, whoever writes it.
pub(super) const OWN: [&str; 8] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];
/// Of which UID and revision a profile is that does not exist yet.
const NOT_YET: &str = "00000000-0000-0000-0000-000000000000";

/// How a new profile begins. Each field says what it is for; all of it is changed before it means anything.
pub(super) const TEMPLATE: &str = "\
apiVersion: access.sallyport.dev/v1alpha1
kind: AccessProfile
metadata:
  # Who may ask, approve and end is RBAC on this name: the verbs request, approve and revoke on accessprofiles.
  name: new-profile
spec:
  # Clusters by name; * stands for any run of characters, and wants quotes.
  clusters: ['*-stage']
  # ClusterRoles of those clusters that a session is bound to.
  roles: ['sallyport:view']
  # Where; without this it is cluster-wide.
  namespaces: [my-namespace]
  # The longest session, and the most that one person has on one cluster within 24 hours.
  maxDuration: 1h
  maxPerDay: 4h
  # How many people say yes first; with 0 it opens at once.
  approvals: 1
  # What stands for all approvals:
  # autoApprovals:
  # - name: on-call
  #   groups: ['oidc:on-call']
  # How strong and how fresh the sign-in is. Add acr and amr as your provider writes them.
  mfa:
    maxAge: 15m
  # A reason has to be given.
  reasonRequired: true
";

/// What a person edits of a stored profile: everything but what the hub sets, and its status.
///
/// # Errors
/// When it can't be written as text.
pub(super) fn text_of(stored: &Value) -> Result<String, String> {
    write(&edited(stored))
}

/// The same as the beginning of another profile, which takes no annotation over: they say whose the first one is.
///
/// # Errors
/// When it can't be written as text.
pub(super) fn like(stored: &Value) -> Result<String, String> {
    let name = format!("{}-copy", stored["metadata"]["name"].as_str().unwrap_or("profile"));
    let copy = json!({
        "apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": clip(&name, 253)}, "spec": stored["spec"],
    });
    write(&copy)
}

fn edited(stored: &Value) -> Value {
    let mut object = stored.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|name, _| !OWN.contains(&name.as_str()));
    }
    object
}

/// Whether two objects are the same to whoever writes them.
pub(super) fn is_same(a: &Value, b: &Value) -> bool {
    edited(a) == edited(b)
}

/// What is no profile, or not this one.
pub(super) fn check(written: &Written, base: Option<&Value>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut wrong = |field: &str, text: String| problems.push(Problem::at(written.line_of(field), text));
    let object = &written.object;
    for (field, wanted) in [("apiVersion", API_VERSION), ("kind", KIND)] {
        match &object[field] {
            Value::String(found) if found == wanted => {}
            Value::Null => wrong(field, format!("`{field}: {wanted}` is missing")),
            other => wrong(field, format!("{field} is {}, and a profile has {wanted}", short(other))),
        }
    }
    let fields = object.as_object().map(|fields| fields.keys()).into_iter().flatten();
    for field in fields.filter(|field| !["apiVersion", "kind", "metadata", "spec"].contains(&field.as_str()))
    {
        wrong(field, format!("a profile has no field {}; take it out", clip(&visible(field), 80)));
    }
    if !object["spec"].is_object() {
        wrong("spec", "`spec` is missing: what may be asked for".to_owned());
    }
    let none = Map::new();
    let metadata = object["metadata"].as_object().unwrap_or(&none);
    for field in metadata.keys().filter(|field| OWN.contains(&field.as_str())) {
        wrong(&format!("metadata.{field}"), format!("metadata.{field} is set by the hub; take it out"));
    }
    if metadata.contains_key("namespace") {
        wrong("metadata.namespace", "a profile is in no namespace; take this out".to_owned());
    }
    match (name_of(object), base.and_then(name_of)) {
        (None, _) => wrong(
            "metadata.name",
            format!(
                "metadata.name is {}: a profile has a name of small letters, digits, dots and dashes",
                short(&object["metadata"]["name"])
            ),
        ),
        (Some(name), Some(was)) if name != was => wrong(
            "metadata.name",
            format!(
                "this is profile {was}, and no profile is renamed: who may ask for it hangs on its name. Make a new one named {name}"
            ),
        ),
        _ => {}
    }
    problems
}

fn short(value: &Value) -> String {
    match value {
        Value::Null => "missing".to_owned(),
        other => clip(&visible(&other.to_string()), 80),
    }
}

/// The name an object says it has, where that can be a profile's.
pub(super) fn name_of(object: &Value) -> Option<ProfileName> {
    object["metadata"]["name"].as_str()?.parse().ok()
}

/// What is written: the text's object, in place of exactly the one that it was begun from.
pub(super) fn to_write(object: &Value, base: Option<&Value>) -> Value {
    let mut object = object.clone();
    if let Some(base) = base {
        for field in ["resourceVersion", "uid"] {
            object["metadata"][field] = base["metadata"][field].clone();
        }
    }
    object
}

/// The profile that an object is. One that no hub has stored yet is of no revision.
///
/// # Errors
/// What of it makes no sense, in words.
pub(super) fn profile_of(object: &Value) -> Result<Profile, String> {
    let mut object = object.clone();
    let metadata = &mut object["metadata"];
    if metadata["uid"].is_null() {
        metadata["uid"] = NOT_YET.into();
    }
    let read: AccessProfile =
        serde_json::from_value(object).map_err(|e| clip(&visible(&e.to_string()), 200))?;
    Profile::try_from(&read).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests;
