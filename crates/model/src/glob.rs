/// Whether `glob` stands for the whole of `text`: `*` is any run of characters, everything else is itself.
///
/// Linear in both lengths: matching each part at its first possible place is enough when `*` is the only wildcard.
pub fn glob_matches(glob: &str, text: &str) -> bool {
    let Some((head, tail)) = glob.split_once('*') else { return glob == text };
    let Some(mut rest) = text.strip_prefix(head) else { return false };
    let Some((middle, last)) = tail.rsplit_once('*') else { return rest.ends_with(tail) };
    for part in middle.split('*') {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn p7_a_glob_matches_whole_names_only() {
        for (glob, text, fits) in [
            ("payments-*", "payments-eu-1", true),
            ("payments-*", "xpayments-eu", false),
            ("*", "", true),
            ("a.b", "axb", false),
            ("*-eu-*", "pay-eu-1", true),
            ("*-eu-*", "pay-us-1", false),
            ("pay", "payments", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "abbc", true),
            ("a*b*c", "acb", false),
            ("**", "x", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(glob_matches(glob, text), fits, "{glob} {text}");
        }
    }

    /// The definition, by trying every split.
    fn slow(glob: &[u8], text: &[u8]) -> bool {
        match glob.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|n| slow(rest, &text[n..])),
            Some((c, rest)) => text.split_first().is_some_and(|(t, more)| c == t && slow(rest, more)),
        }
    }

    proptest! {
        #[test]
        fn p7_a_glob_matches_what_its_definition_says(glob in "[ab*]{0,6}", text in "[ab]{0,8}") {
            prop_assert_eq!(glob_matches(&glob, &text), slow(glob.as_bytes(), text.as_bytes()));
        }
    }
}
