use super::super::text::read;
use super::*;

fn stored() -> Value {
    json!({
        "apiVersion": API_VERSION, "kind": KIND,
        "metadata": {
            "name": "operate", "uid": "6f1c2d7e-0000-4000-8000-000000000000", "generation": 3, "resourceVersion": "42",
            "creationTimestamp": "2026-11-24T14:00:00Z", "managedFields": [{"manager": "kubectl"}],
            "labels": {"team": "payments"}, "annotations": {"note": "0755"}, "finalizers": ["example.test/keep"],
        },
        "spec": {"clusters": ["*"], "roles": ["r"], "maxDuration": "1h", "approvals": 1, "later": {"x": 1}},
    })
}

fn problems(text: &str, base: Option<&Value>) -> Vec<(Option<u32>, String)> {
    check(&read(text).unwrap(), base).into_iter().map(|one| (one.line, one.text)).collect()
}

#[test]
fn what_is_edited_is_all_but_what_the_hub_sets_and_comes_back_unchanged() {
    let stored = stored();
    let text = text_of(&stored).unwrap();
    for own in ["managedFields", "uid", "resourceVersion", "creationTimestamp", "generation"] {
        assert!(!text.contains(own), "{own}");
    }
    // A field that this version does not know, a finalizer and an annotation that looks like a number.
    assert!(
        text.contains("later") && text.contains("example.test/keep") && text.contains("\"0755\""),
        "{text}"
    );
    let written = read(&text).unwrap();
    assert!(check(&written, Some(&stored)).is_empty());
    assert!(is_same(&written.object, &stored));
    let sent = to_write(&written.object, Some(&stored));
    assert_eq!((&sent["metadata"]["resourceVersion"], &sent["spec"]), (&json!("42"), &stored["spec"]));
    assert!(sent["metadata"].get("managedFields").is_none());
    assert!(to_write(&written.object, None)["metadata"].get("resourceVersion").is_none());
}

#[test]
fn a_copy_has_another_name_and_none_of_the_first_ones_marks() {
    let text = like(&stored()).unwrap();
    let written = read(&text).unwrap();
    assert_eq!(name_of(&written.object).unwrap().as_str(), "operate-copy");
    assert!(!text.contains("finalizers") && !text.contains("team: payments") && text.contains("later"));
    assert!(check(&written, None).is_empty());
}

#[test]
fn the_template_is_a_profile() {
    let written = read(TEMPLATE).unwrap();
    assert!(check(&written, None).is_empty());
    let profile = profile_of(&written.object).unwrap();
    assert_eq!((profile.approvals, profile.scope.to_list().len()), (1, 1));
}

#[test]
fn another_object_is_refused_with_its_line() {
    let base = stored();
    let head = "apiVersion: access.sallyport.dev/v1alpha1\nkind: AccessProfile\n";
    let rest = "spec: {clusters: ['*']}\n";
    for (text, line, why) in [
        (
            format!("apiVersion: v1\nkind: AccessProfile\nmetadata: {{name: operate}}\n{rest}"),
            Some(1),
            "apiVersion is \"v1\"",
        ),
        (
            format!(
                "apiVersion: access.sallyport.dev/v1alpha1\nkind: Secret\nmetadata: {{name: operate}}\n{rest}"
            ),
            Some(2),
            "kind is \"Secret\"",
        ),
        (format!("{head}metadata:\n  name: other\n{rest}"), Some(4), "no profile is renamed"),
        (format!("{head}metadata:\n  name: ../operate\n{rest}"), Some(4), "a profile has a name"),
        (format!("{head}metadata:\n  name: 7\n{rest}"), Some(4), "metadata.name is 7"),
        (format!("{head}metadata:\n  labels: {{}}\n{rest}"), Some(3), "metadata.name is missing"),
        (
            format!("{head}metadata:\n  name: operate\n  uid: x\n{rest}"),
            Some(5),
            "metadata.uid is set by the hub",
        ),
        (format!("{head}metadata: {{name: operate}}\n{rest}status: {{}}\n"), Some(5), "no field status"),
        (format!("{head}metadata:\n  name: operate\n  namespace: x\n{rest}"), Some(5), "in no namespace"),
        (format!("{head}metadata: {{name: operate}}\nspec: 1\n"), Some(4), "`spec` is missing"),
    ] {
        let found = problems(&text, Some(&base));
        assert!(found.len() == 1 && found[0].0 == line && found[0].1.contains(why), "{text}: {found:?}");
    }
    let nothing = problems("a: 1\n", None);
    assert_eq!(nothing.len(), 5, "{nothing:?}");
}

#[test]
fn p24_hostile_values_are_quoted_short_and_harmless() {
    let text =
        format!("apiVersion: {}\nkind: AccessProfile\nmetadata: {{name: x}}\nspec: {{}}\n", "x".repeat(5000));
    let found = problems(&text, None);
    assert!(found[0].1.len() < 250, "{found:?}");
}

#[test]
fn what_no_desktop_could_read_is_said_in_words() {
    let mut object = stored();
    object["spec"]["maxDuration"] = json!("often");
    assert!(profile_of(&object).unwrap_err().contains("often"));
    object["spec"] = json!({"roles": []});
    assert!(profile_of(&object).unwrap_err().contains("clusters"));
    assert_eq!(profile_of(&stored()).unwrap().revision.to_string(), "6f1c2d7e-0000-4000-8000-000000000000/3");
}
