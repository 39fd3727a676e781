use crate::yaml::{Yaml, document, scalar};
use proptest::prelude::*;

#[test]
fn p24_only_plain_words_stand_as_they_are() {
    for plain in
        ["payments", "a-b.c_d", "rbac.authorization.k8s.io/v1", "oidc:devs", "system:serviceaccount:ns:n"]
    {
        assert_eq!(scalar(plain), plain);
    }
    for text in [
        "", "yes", "No", "null", "~", "1", "0x1f", "1.5", "-", "- a", "a: b", "a #b", "*", "&a", "!x", "x:",
        "@me", "`", "%", "ü", "\u{202e}", "a\nb", "on", "y", "=x",
    ] {
        let written = scalar(text);
        assert!(written.starts_with('"') && written.is_ascii(), "{text}: {written}");
    }
}

proptest! {
    /// P24: whatever a name is, the YAML is one line longer for it and says that very name.
    #[test]
    fn a_name_is_read_back_as_it_was(name in "\\PC{0,12}|[a-zA-Z0-9:./_~*&!%@` #{}\\[\\],\"'\\\\-]{0,12}|\\s{0,3}[\\x00-\\x1f\u{202e}\u{200b}a]{1,4}", more in "[a-z*:, {}\\[\\]]{0,6}") {
        let text = document(&[
            ("name", Yaml::from(name.clone())),
            ("list", Yaml::Line(vec![name.clone(), more.clone()])),
            ("labels", Yaml::Labels(vec![("k".to_owned(), name.clone())])),
            ("items", Yaml::List(vec![vec![("a", Yaml::from(more.clone())), ("b", Yaml::from(name.clone()))]])),
        ]);
        let read: serde_json::Value = serde_saphyr::from_str(&text).map_err(|error| TestCaseError::fail(format!("{error} {text}")))?;
        prop_assert_eq!(read, serde_json::json!({
            "name": name, "list": [name, more], "labels": {"k": name}, "items": [{"a": more, "b": name}]
        }), "{}", text);
        prop_assert_eq!(text.lines().count(), 7);
    }
}
