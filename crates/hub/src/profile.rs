//! Profiles as they are changed: the whole object as the hub stores it, a trial that changes nothing, and the write.

use crate::refused::spoken;
use crate::{Hub, MANAGER};
use http::{Method, Request};
use kube::Api;
use kube::api::ListParams;
use kube::core::DeserializeGuard;
use sallyport_api::AccessRequest;
use sallyport_client::{Fault, fault, within};
use sallyport_model::{NamespaceName, ProfileName, clip, visible};
use serde_json::Value;

const PATH: &str = "/apis/access.sallyport.dev/v1alpha1/accessprofiles";
/// Requests on a page.
const PAGE: u32 = 500;

/// Whether a write is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Everything is judged as if it were, and nothing is stored (`dryRun=All`).
    Trial,
    /// It is.
    Real,
}

/// A field that the hub does not take, and why, in its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongField {
    /// Where, as `spec.approvals` or `spec.autoApprovals[0].name`; empty where it does not say.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// Why a profile was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unwritten {
    /// Somebody else wrote it in between.
    Changed,
    /// There is none of this name any more, or it is another one.
    Gone,
    /// There is one of this name already.
    Exists,
    /// It is no profile by the hub's schema.
    Invalid(Vec<WrongField>),
    /// A guardrail or the lack of a right, in its words.
    Refused(String),
    /// The call failed. After [`Fault::TimedOut`] and [`Fault::Unreachable`] it may have been written all the same.
    Fault(Fault),
}

impl Hub {
    /// The profile with everything the hub stores of it; `None`: there is none.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn stored_profile(&self, name: &ProfileName) -> Result<Option<Value>, Fault> {
        let request = Request::get(format!("{PATH}/{name}"))
            .body(Vec::new())
            .map_err(|e| Fault::Invalid(e.to_string()))?;
        match within(self.deadline, self.client.request(request)).await {
            Ok(found) => Ok(Some(found)),
            Err(Fault::NotFound) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Makes the profile, where it has no `resourceVersion`, or puts it in place of the one with that version and UID. Fields
    /// that the hub does not know are refused, not dropped. What is answered is what the hub stores, or would.
    ///
    /// # Errors
    /// [`Unwritten`].
    pub async fn write_profile(
        &self,
        name: &ProfileName,
        object: &Value,
        write: Write,
    ) -> Result<Value, Unwritten> {
        let is_new = object["metadata"].get("resourceVersion").is_none();
        let (method, path) = match is_new {
            true => (Method::POST, PATH.to_owned()),
            false => (Method::PUT, format!("{PATH}/{name}")),
        };
        let trial = if write == Write::Trial { "&dryRun=All" } else { "" };
        let uri = format!("{path}?fieldValidation=Strict&fieldManager={MANAGER}{trial}");
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("content-type", "application/json")
            .body(object.to_string().into_bytes())
            .map_err(|e| Unwritten::Fault(Fault::Invalid(e.to_string())))?;
        let call = async { Ok(self.client.request(request).await) };
        match within(self.deadline, call).await {
            Ok(done) => done.map_err(|error| unwritten(&error)),
            Err(timed_out) => Err(Unwritten::Fault(timed_out)),
        }
    }

    /// Whether one may make profiles, or with a name put another in place of that one, as far as rights go: guardrails say
    /// more when it is tried.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn may_write_profile(&self, name: Option<&ProfileName>) -> Result<bool, Fault> {
        let verb = if name.is_some() { "update" } else { "create" };
        self.may(verb, "accessprofiles", name.map(ProfileName::as_str), None).await
    }

    /// A team's requests under a profile that are not closed.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn open_under(
        &self,
        team: &NamespaceName,
        profile: &ProfileName,
    ) -> Result<Vec<AccessRequest>, Fault> {
        let api: Api<DeserializeGuard<AccessRequest>> = Api::namespaced(self.client.clone(), team.as_str());
        let fields = format!("status.phase!=Closed,spec.profile={profile}");
        Ok(self.list_all(&api, ListParams::default().fields(&fields).limit(PAGE)).await?.objects)
    }
}

fn unwritten(error: &kube::Error) -> Unwritten {
    let causes = match error {
        kube::Error::Api(status) => status.details.as_ref().map(|details| details.causes.as_slice()),
        _ => None,
    };
    match fault(error) {
        Fault::Conflict(_) => Unwritten::Changed,
        Fault::NotFound => Unwritten::Gone,
        Fault::AlreadyExists => Unwritten::Exists,
        Fault::Forbidden(message) => Unwritten::Refused(shown(spoken(&message))),
        // A guardrail that gives no other reason answers as the schema does.
        Fault::Invalid(message) if spoken(&message) != message => Unwritten::Refused(shown(spoken(&message))),
        Fault::Invalid(message) => {
            let fields: Vec<WrongField> = causes
                .unwrap_or_default()
                .iter()
                // That rules were left out since the object is wrong says nothing of what is wrong.
                .filter(|cause| cause.field != "<nil>")
                .map(|cause| WrongField { field: clip(&cause.field, 253), message: shown(&cause.message) })
                .collect();
            Unwritten::Invalid(if fields.is_empty() { strict(&message) } else { fields })
        }
        fault => Unwritten::Fault(fault),
    }
}

/// What strict decoding says: `strict decoding error: unknown field "spec.a", unknown field "spec.b"`. Another refusal of
/// this kind is one sentence about no field.
fn strict(message: &str) -> Vec<WrongField> {
    const UNKNOWN: &str = "unknown field \"";
    let unknown = message.split(UNKNOWN).skip(1).filter_map(|rest| rest.split_once('"'));
    let fields: Vec<WrongField> = unknown
        .take(WRONG_MOST)
        .map(|(field, _)| WrongField {
            field: clip(field, 253),
            message: format!("the hub knows no field {}", clip(&visible(field), 253)),
        })
        .collect();
    match fields.is_empty() {
        true => vec![WrongField { field: String::new(), message: shown(message) }],
        false => fields,
    }
}

/// Wrong fields that are told.
const WRONG_MOST: usize = 20;

fn shown(text: &str) -> String {
    clip(&visible(text), 500)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Status;
    use serde_json::json;

    fn refused(code: u16, reason: &str, message: &str, causes: Value) -> Unwritten {
        let status: Status = serde_json::from_value(json!({
            "status": "Failure", "code": code, "reason": reason, "message": message, "details": {"causes": causes},
        }))
        .unwrap();
        unwritten(&kube::Error::Api(status.boxed()))
    }

    #[test]
    fn each_no_is_told_apart() {
        let none = || json!([]);
        assert_eq!(refused(409, "Conflict", "the object has been modified", none()), Unwritten::Changed);
        assert_eq!(refused(404, "NotFound", "x", none()), Unwritten::Gone);
        assert_eq!(refused(409, "AlreadyExists", "x", none()), Unwritten::Exists);
        assert!(matches!(refused(503, "", "x", none()), Unwritten::Fault(Fault::Busy(_))));
        let policy = "ValidatingAdmissionPolicy 'a' with binding 'a' denied request: ana may ask under it";
        for code in [403, 422] {
            assert_eq!(
                refused(code, "Invalid", policy, none()),
                Unwritten::Refused("ana may ask under it".to_owned())
            );
        }
        let Unwritten::Refused(right) = refused(403, "Forbidden", "User \"a\" cannot update", none()) else {
            panic!()
        };
        assert_eq!(right, "User \"a\" cannot update");
    }

    #[test]
    fn p24_wrong_fields_are_named_one_by_one_and_hidden_characters_shown() {
        let causes = json!([{"field": "spec.approvals", "message": "should be less\u{202e}", "reason": "FieldValueInvalid"},
            {"field": "<nil>", "message": "some validation rules were not checked"}]);
        let Unwritten::Invalid(fields) = refused(422, "Invalid", "x", causes) else { panic!() };
        assert_eq!(fields[0].field, "spec.approvals");
        assert_eq!(fields[0].message, "should be less⟨U+202E⟩");
        let said = "strict decoding error: unknown field \"spec.a\", unknown field \"spec.b[0].c\"";
        let Unwritten::Invalid(fields) = refused(400, "BadRequest", said, json!([])) else { panic!() };
        let names: Vec<&str> = fields.iter().map(|wrong| wrong.field.as_str()).collect();
        assert_eq!(names, ["spec.a", "spec.b[0].c"]);
        let Unwritten::Invalid(one) = refused(400, "BadRequest", "no", json!([])) else { panic!() };
        assert_eq!(one, [WrongField { field: String::new(), message: "no".into() }]);
    }
}
