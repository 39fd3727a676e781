//! What a flush could not remove, and why. Pure.

use crate::{ProvisionError, observed::Observed};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use sallyport_model::{clip, visible};
use std::fmt;

/// What of a refusal is kept, in characters; a status of the hub holds several.
const WORDS_MOST: usize = 400;

/// An object that is still there after it should be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Kind, namespace and name.
    pub what: String,
    /// Why it is there; `None` when its removal was not tried yet.
    pub why: Option<Why>,
    /// The same in words, those of whoever refused where someone did.
    pub said: String,
}

/// Why an object could not be removed. Prints as one CamelCase word, the reason of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A policy, a webhook or RBAC said no.
    Refused,
    /// A webhook that has to be asked does not answer.
    WebhookDown,
    /// It is being deleted, and somebody's finalizer holds it.
    Finalizer,
    /// Somebody makes it again.
    MadeAgain,
    /// The API server did not do it, or did not answer.
    NoAnswer,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.said)
    }
}

impl Leftover {
    /// Whether it has had its answer: the same removal right away again would get the same.
    pub(crate) fn is_settled(&self) -> bool {
        self.why.is_some_and(|why| why != Why::MadeAgain)
    }
}

/// One removal that was tried.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) kind: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
    pub(crate) uid: Option<String>,
    /// The API server took it.
    pub(crate) removed: bool,
    /// The API server did not.
    pub(crate) refused: Option<ProvisionError>,
}

/// What is left of a grant, each object with what its removals came to.
pub(crate) fn leftovers(left: &Observed, tried: &[Tried]) -> Vec<Leftover> {
    let objects = left.objects();
    objects.into_iter().map(|(kind, meta)| leftover(kind, meta, tried)).collect()
}

fn leftover(kind: &str, meta: &ObjectMeta, tried: &[Tried]) -> Leftover {
    let name = meta.name.clone().unwrap_or_default();
    let what = match &meta.namespace {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    };
    let what = visible(&what);
    let same_name = |one: &&Tried| {
        one.kind == kind && one.namespace == meta.namespace && Some(&one.name) == meta.name.as_ref()
    };
    let refusal = tried.iter().rev().filter(same_name).find(|one| one.uid == meta.uid);
    let (why, said) = if meta.deletion_timestamp.is_some() {
        (Some(Why::Finalizer), held(meta))
    } else if let Some(error) = refusal.and_then(|one| one.refused.as_ref()) {
        let (why, said) = sorted(error);
        (Some(why), said)
    } else if tried.iter().filter(same_name).any(|one| one.removed && one.uid != meta.uid) {
        (Some(Why::MadeAgain), made_again(meta))
    } else if refusal.is_some_and(|one| one.removed) {
        (Some(Why::NoAnswer), "the API server took its removal and still shows it".to_owned())
    } else {
        (None, "it is still there".to_owned())
    };
    Leftover { what, why, said: clip(&visible(&said), WORDS_MOST) }
}

fn held(meta: &ObjectMeta) -> String {
    match meta.finalizers.as_deref() {
        None | Some([]) => "it is being deleted".to_owned(),
        Some(those) => format!("it is being deleted and waits for the finalizer {}", those.join(", ")),
    }
}

fn made_again(meta: &ObjectMeta) -> String {
    let last =
        meta.managed_fields.iter().flatten().max_by_key(|entry| entry.time.as_ref().map(|time| time.0));
    match last.and_then(|entry| entry.manager.as_deref()) {
        Some(manager) => format!("it was removed and made again by {manager}"),
        None => "it was removed and made again".to_owned(),
    }
}

/// A webhook that fails closed and can't be asked is an internal error to the API server, with these words.
fn sorted(error: &ProvisionError) -> (Why, String) {
    match error {
        ProvisionError::Busy { message, .. } if message.contains("failed calling webhook") => {
            (Why::WebhookDown, message.clone())
        }
        ProvisionError::Refused { message, .. } => (Why::Refused, message.clone()),
        ProvisionError::Busy { message, .. } => (Why::NoAnswer, message.clone()),
        other => (Why::NoAnswer, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::rbac::v1::RoleBinding;
    use serde_json::{Value, json};

    fn seen(more: Value) -> Observed {
        let mut object = json!({"metadata": {"name": "g-a-0", "namespace": "payments", "uid": "1"},
            "roleRef": {"apiGroup": "", "kind": "ClusterRole", "name": "r"}});
        for (key, value) in more.as_object().into_iter().flatten() {
            object["metadata"][key] = value.clone();
        }
        let binding: RoleBinding = serde_json::from_value(object).expect("a binding");
        Observed { bindings: vec![binding], ..Observed::default() }
    }

    fn tried(uid: &str, refused: Option<ProvisionError>) -> Tried {
        Tried {
            kind: "RoleBinding".into(),
            namespace: Some("payments".into()),
            name: "g-a-0".into(),
            uid: Some(uid.into()),
            removed: refused.is_none(),
            refused,
        }
    }

    fn one(more: Value, tried: &[Tried]) -> (Option<Why>, String) {
        let found = leftovers(&seen(more), tried).remove(0);
        assert_eq!(found.what, "RoleBinding payments/g-a-0");
        (found.why, found.said)
    }

    #[test]
    fn fault_a1_p13_what_stands_in_the_way_is_told_apart() {
        let what = || "the removal of RoleBinding g-a-0".to_owned();
        let no = ProvisionError::Refused { what: what(), message: "denied request: no\u{202e}".into() };
        assert_eq!(
            one(json!({}), &[tried("1", Some(no))]),
            (Some(Why::Refused), "denied request: no⟨U+202E⟩".into())
        );
        let down = "Internal error occurred: failed calling webhook \"a.b\": connection refused";
        let down = ProvisionError::Busy { what: what(), message: down.into() };
        assert_eq!(one(json!({}), &[tried("1", Some(down))]).0, Some(Why::WebhookDown));
        let late = ProvisionError::TimedOut { what: what(), seconds: 5 };
        let (why, said) = one(json!({}), &[tried("1", Some(late))]);
        assert!(why == Some(Why::NoAnswer) && said.contains("within 5 s"), "{said}");
        let going = json!({"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.org/stay"]});
        let (why, said) = one(going, &[tried("1", None)]);
        assert!(why == Some(Why::Finalizer) && said.contains("example.org/stay"), "{said}");
        let again =
            json!({"uid": "2", "managedFields": [{"manager": "hnc", "time": "2026-01-01T00:00:00Z"}]});
        let (why, said) = one(again, &[tried("1", None)]);
        assert!(why == Some(Why::MadeAgain) && said.contains("hnc"), "{said}");
        assert_eq!(one(json!({}), &[]).0, None);
    }

    #[test]
    fn fault_a1_a_refusal_of_an_older_object_is_not_said_of_a_newer_one() {
        let no = ProvisionError::Refused { what: String::new(), message: "no".into() };
        let tries = [tried("1", Some(no)), tried("1", None)];
        assert_eq!(one(json!({"uid": "2"}), &tries).0, Some(Why::MadeAgain));
    }
}
