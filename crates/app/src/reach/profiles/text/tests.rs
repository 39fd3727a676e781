use super::*;
use proptest::prelude::*;
use serde_json::json;

const GOOD: &str = "\
apiVersion: access.sallyport.dev/v1alpha1
kind: AccessProfile
metadata: {name: operate}
spec:
  clusters: ['*']
  roles:
  - sallyport:operate
  approvals: 1
  autoApprovals:
  - name: on-call
    groups: ['oidc:on-call']
";

fn refused(text: &str) -> (Option<u32>, String) {
    let problem = read(text).expect_err(text);
    (problem.line, problem.text)
}

#[test]
fn each_field_has_its_line_and_one_that_is_not_there_that_of_its_parent() {
    let written = read(GOOD).unwrap();
    assert_eq!(written.object["spec"]["approvals"], 1);
    assert_eq!(written.object["spec"]["autoApprovals"][0]["groups"], json!(["oidc:on-call"]));
    for (field, line) in [
        ("kind", 2),
        ("metadata.name", 3),
        ("spec", 4),
        ("spec.clusters[0]", 5),
        ("spec.roles[0]", 7),
        ("spec.approvals", 8),
        ("spec.autoApprovals[0].name", 10),
        ("spec.autoApprovals[0].groups", 11),
        ("spec.autoApprovals[0].hours.zone", 10),
        ("spec.maxDuration", 4),
    ] {
        assert_eq!(written.line_of(field), Some(line), "{field}");
    }
    assert_eq!(written.line_of("nothing"), None);
}

#[test]
fn hostile_text_is_refused_with_its_line() {
    for (text, line, why) in [
        ("a: &x [1]\nb: *x\n", Some(1), "stands elsewhere are not taken"),
        ("clusters:\n- *-stage\n", Some(2), "write it out, or quote it"),
        ("clusters:\n- *\n", Some(2), "write it out, or quote it"),
        ("clusters: [*]\n", Some(1), "write it out, or quote it"),
        ("a: 1\nb: 2\na: 3\n", Some(3), "`a` is here a second time"),
        ("a: 1\n---\nb: 2\n", Some(3), "a second document"),
        ("a: 1\n<<: {b: 2}\n", Some(2), "`<<` is not taken"),
        ("a: 1\nb: [1\n", Some(2), "this is no YAML: unclosed bracket"),
        ("a:\n\tb: 1\n", Some(2), "tabs"),
        ("a: !!binary aGk=\n", Some(1), "are not taken"),
        ("%TAG !b! tag:yaml.org,2002:\n---\na: !b!binary aGk=\n", Some(1), "directives are not taken"),
        ("a: !mine x\n", Some(1), "unsupported tag"),
        ("a: .inf\n", Some(1), "non-finite"),
        ("? [a]\n: b\n", Some(1), "this is no YAML"),
        ("a: x\nb: o\u{202e}perate\n", Some(2), "nobody sees, U+202E"),
        ("a: x\n# \u{200b}comment\n", Some(2), "U+200B"),
        ("a: \"o\\u202eperate\"\n", Some(1), "nobody sees, U+202E"),
        ("a: \"bell \\a\"\n", Some(1), "U+0007"),
        ("a: 1\n\"b\\u200b\": 2\n", Some(2), "in a name here"),
        ("a: o⟨U+202E⟩perate\n", Some(1), "a mark for a character"),
        ("", None, "there is nothing here"),
        ("# nothing\n", None, "there is nothing here"),
        ("- a\n", Some(1), "a profile has fields"),
        ("operate\n", Some(1), "a profile has fields"),
    ] {
        let (at, said) = refused(text);
        assert!(said.contains(why), "{text:?}: {said}");
        assert_eq!(at, line, "{text:?}: {said}");
    }
}

#[test]
fn what_would_grow_or_never_end_is_refused_at_once() {
    let laughs: String = std::iter::once("a0: &a0 [lol]\n".to_owned())
        .chain((1..20).map(|i| format!("a{i}: &a{i} [*a{0}, *a{0}, *a{0}]\n", i - 1)))
        .collect();
    assert!(refused(&laughs).1.contains("not taken"));
    let deep = format!("a: {}{}\n", "[".repeat(500), "]".repeat(500));
    assert!(refused(&deep).1.contains("nested deeper") || refused(&deep).1.contains("no YAML"));
    let long: String = (0..30_000).map(|i| format!("a{i}: 1\n")).collect();
    let said = refused(&long).1;
    assert!(said.contains("more in it") || said.contains("kB of text"), "{said}");
    let (line, said) = refused(&"a: b\n".repeat(220_000));
    assert_eq!((line, said.contains("1074 kB")), (None, true), "{said}");
    let name = format!("{}: 1\n", "k".repeat(300));
    assert!(refused(&name).1.contains("longer than any"));
}

/// Texts as labels and annotations have them, with what YAML reads as something else.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9:*&!%@` #'\"{}\\[\\],|>?~-]{0,24}",
        "[a-z]{1,8}\n[ a-z]{0,8}\n?",
        Just("yes".to_owned()),
        Just("0755".to_owned()),
        Just("1e3".to_owned()),
        Just("null".to_owned()),
        Just("2026-01-01".to_owned()),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(texts in prop::collection::btree_map("[a-z][a-z0-9./-]{0,12}", any_text(), 0..6), n in any::<i64>()) {
        let object = json!({"kind": "AccessProfile", "metadata": {"annotations": texts}, "spec": {"n": n, "list": [], "none": null, "yes": true}});
        let text = write(&object).unwrap();
        prop_assert_eq!(read(&text).map(|written| written.object), Ok(object), "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = read(&text);
    }
}
