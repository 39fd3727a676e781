//! What of a changed object the difference would not tell: fields that this version does not know, and all that is not the
//! spec. Pure.

use super::object::{OWN, profile_of};
use kube::CustomResourceExt as _;
use sallyport_api::AccessProfile;
use sallyport_ipc::DriftWay;
use sallyport_model::visible;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Each field that changed and about which no other line says anything. Of a new profile all that is known is told.
pub(super) fn lines(base: Option<&Value>, would_be: &Value) -> Vec<(DriftWay, String)> {
    let (none, is_new) = (Value::Null, base.is_none());
    let base = base.unwrap_or(&none);
    let mut lines = Vec::new();
    for key in changed(&base["spec"], &would_be["spec"]) {
        let how = match is_known(&key) {
            false => ", which this version does not understand",
            true if is_new || is_told(base, would_be, &key) => continue,
            true => " in a way that this version can't tell: it may be the same in other words, or more",
        };
        lines.push((DriftWay::Wider, format!("changes spec.{}{how}", visible(&key))));
    }
    for key in changed(&base["metadata"], &would_be["metadata"]) {
        match key.as_str() {
            own if OWN.contains(&own) => {}
            // That of a new one; no profile is renamed.
            "name" => {}
            "labels" | "annotations" => {
                for name in changed(&base["metadata"][&key], &would_be["metadata"][&key]) {
                    lines.push((
                        DriftWay::Other,
                        format!("changes the {} {}", &key[..key.len() - 1], visible(&name)),
                    ));
                }
            }
            "ownerReferences" => lines.push((
                DriftWay::Wider,
                "changes its owners: where one of them goes, the profile is deleted".to_owned(),
            )),
            "finalizers" => lines.push((
                DriftWay::Wider,
                "changes its finalizers: while one stands, the profile can't be deleted".to_owned(),
            )),
            other => lines.push((DriftWay::Other, format!("changes metadata.{}", visible(other)))),
        }
    }
    lines
}

/// Whether this version's kind has such a field.
fn is_known(key: &str) -> bool {
    static FIELDS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        let schema = serde_json::to_value(AccessProfile::crd()).unwrap_or_default();
        let spec = &schema["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        spec["properties"].as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
    });
    FIELDS.contains(key)
}

/// Whether the profile is another by this field: then the other lines tell it.
fn is_told(base: &Value, would_be: &Value, key: &str) -> bool {
    let with = |value: &Value| {
        // In place of the same field of the same object, so that nothing else differs.
        let mut object = would_be.clone();
        match (value.is_null(), object["spec"].as_object_mut()) {
            (true, Some(spec)) => drop(spec.remove(key)),
            (false, Some(spec)) => drop(spec.insert(key.to_owned(), value.clone())),
            (_, None) => {}
        }
        profile_of(&object)
    };
    match (with(&base["spec"][key]), with(&would_be["spec"][key])) {
        (Ok(before), Ok(after)) => before != after,
        // What makes no sense without it is told as a whole.
        _ => true,
    }
}

/// The keys whose values differ.
fn changed(was: &Value, is: &Value) -> BTreeSet<String> {
    let none = Map::new();
    let (was, is) = (was.as_object().unwrap_or(&none), is.as_object().unwrap_or(&none));
    was.keys().chain(is.keys()).filter(|key| was.get(*key) != is.get(*key)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn profile() -> Value {
        json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile",
            "metadata": {"name": "p", "uid": "6f1c2d7e-0000-4000-8000-000000000000", "generation": 1},
            "spec": {"clusters": ["a-*"], "roles": ["view"], "namespaces": ["a"], "maxDuration": "1h", "approvals": 1},
        })
    }

    fn told(edit: fn(&mut Value)) -> Vec<(DriftWay, String)> {
        let mut changed = profile();
        edit(&mut changed);
        lines(Some(&profile()), &changed)
    }

    #[test]
    fn what_other_lines_tell_is_not_told_twice() {
        assert_eq!(told(|_| {}), []);
        for edit in [
            (|p| p["spec"]["clusters"] = json!(["*"])) as fn(&mut Value),
            |p| p["spec"]["approvals"] = json!(0),
            |p| p["spec"]["maxPerDay"] = json!("4h"),
            |p| p["metadata"]["generation"] = json!(2),
        ] {
            assert_eq!(told(edit), []);
        }
    }

    #[test]
    fn what_this_version_does_not_know_is_told_and_counts_as_wider() {
        let field = told(|p| p["spec"]["breakGlass"] = json!({"by": "anybody"}));
        assert!(
            matches!(field.as_slice(), [(DriftWay::Wider, text)] if text.contains("spec.breakGlass")),
            "{field:?}"
        );
        let owners = told(|p| p["metadata"]["ownerReferences"] = json!([{"name": "x"}]));
        assert!(
            matches!(owners.as_slice(), [(DriftWay::Wider, text)] if text.contains("deleted")),
            "{owners:?}"
        );
        let label = told(|p| p["metadata"]["labels"] = json!({"a\u{202e}b": "c"}));
        assert!(
            matches!(label.as_slice(), [(DriftWay::Other, text)] if text.contains("changes the label") && !text.contains('\u{202e}')),
            "{label:?}"
        );
    }

    #[test]
    fn of_a_new_one_only_what_this_version_does_not_know_is_told_here() {
        let mut new = profile();
        new["spec"]["reasonRequired"] = json!(true);
        new["spec"]["mfa"] = json!({"maxAge": "15m"});
        assert_eq!(lines(None, &new), []);
        new["spec"]["breakGlass"] = json!(true);
        let told = lines(None, &new);
        assert!(
            matches!(told.as_slice(), [(DriftWay::Wider, text)] if text.contains("does not understand")),
            "{told:?}"
        );
    }

    #[test]
    fn what_means_the_same_to_this_version_is_told_however_it_changes() {
        let other_words = told(|p| p["spec"]["maxDuration"] = json!("60m"));
        assert!(
            matches!(other_words.as_slice(), [(DriftWay::Wider, text)] if text.contains("in other words")),
            "{other_words:?}"
        );
        let auto = |groups: &[&str]| json!([{"name": "x", "groups": groups, "moonPhase": "full"}]);
        let mut base = profile();
        base["spec"]["autoApprovals"] = auto(&["a"]);
        let mut changed = base.clone();
        changed["spec"]["autoApprovals"] = auto(&["a", "b"]);
        let told = lines(Some(&base), &changed);
        assert!(matches!(told.as_slice(), [(_, text)] if text.contains("spec.autoApprovals")), "{told:?}");
    }
}
