use super::*;
use proptest::prelude::*;
use serde_json::Value;

/// Reads a text as a value through the scanner alone.
fn value(scan: &mut Scan<'_>) -> Step<Value> {
    match scan.peek()? {
        b'{' => {
            scan.object()?;
            let (mut map, mut first) = (serde_json::Map::new(), true);
            while let Some(key) = scan.key(&mut first)? {
                map.insert(key.into_owned(), value(scan)?);
            }
            Ok(Value::Object(map))
        }
        b'[' => {
            scan.array()?;
            let (mut list, mut first) = (Vec::new(), true);
            while scan.element(&mut first)? {
                list.push(value(scan)?);
            }
            Ok(Value::Array(list))
        }
        b'"' => Ok(scan.text()?.map_or(Value::Null, |text| Value::from(text.into_owned()))),
        _ => {
            let start = scan.at();
            let range = scan.skip()?;
            assert_eq!(range.start, start);
            serde_json::from_str(&scan.text[range]).map_err(|_| Stop)
        }
    }
}

fn whole(text: &str) -> Option<Value> {
    let mut scan = Scan::new(text);
    let value = value(&mut scan).ok()?;
    scan.is_over().then_some(value)
}

/// Whether it is one JSON value and nothing else, by skipping alone.
fn skips(text: &str) -> bool {
    let mut scan = Scan::new(text);
    scan.skip().is_ok() && scan.is_over()
}

#[test]
fn it_takes_what_json_is_and_nothing_else() {
    for good in [
        "{}",
        "[]",
        " [ ] ",
        "{\"a\":1}",
        "[1,2]",
        "-0",
        "1e9",
        "-1.5E-3",
        "\"\\u0041\\n\"",
        "null",
        "true",
        "{\"a\":{\"b\":[{},[]]},\"c\":\"\\ud83d\\ude00\"}",
        "\"\u{7f}é😀\"",
    ] {
        assert!(skips(good), "{good}");
        assert_eq!(whole(good), serde_json::from_str(good).ok(), "{good}");
    }
    for bad in [
        "",
        "{",
        "}",
        "[1,]",
        "{\"a\":1,}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{1:2}",
        "[1 2]",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "\"\\x\"",
        "\"\\u12\"",
        "\"a",
        "\"\n\"",
        "\"\0\"",
        "tru",
        "nul",
        "{\"a\":1}}",
        "[1]]",
        "'a'",
        "NaN",
        "{\"a\":1 \"b\":2}",
        "[}",
        "{]",
        "\"\\",
        "\"\\u00",
        "-",
    ] {
        assert!(!skips(bad), "{bad}");
        assert_eq!(whole(bad), None, "{bad}");
        assert!(serde_json::from_str::<Value>(bad).is_err(), "{bad}");
    }
}

#[test]
fn half_a_character_is_replaced_and_told() {
    for text in ["\"\\ud800x\"", "\"\\udc00x\"", "\"\\ud800\\u0041x\"", "\"\\ud800\\ud800x\""] {
        let mut scan = Scan::new(text);
        let read = scan.text().unwrap().unwrap();
        assert!(read.starts_with('\u{fffd}') && read.ends_with('x'), "{text}: {read}");
        assert!(scan.flaws.has(Flaw::NotText) && scan.is_over());
    }
}

#[test]
fn as_deep_as_it_likes() {
    let deep = format!("{}1{}", "[{\"a\":".repeat(200_000), "}]".repeat(200_000));
    assert!(skips(&deep));
    assert!(!skips(&deep[..deep.len() - 1]));
}

#[test]
fn of_a_text_that_was_cut_there_is_what_there_is() {
    let whole = "\"a\\n\\u00e9 and é more\"";
    for cut in (1..whole.len()).filter(|cut| whole.is_char_boundary(*cut)) {
        let mut scan = Scan::new(&whole[..cut]);
        assert_eq!(scan.text(), Err(Stop));
        let torn = scan.torn.take().unwrap();
        assert!("a\né and é more".starts_with(&*torn), "{cut}: {torn}");
    }
}

/// JSON, and what is nearly JSON.
fn texts() -> impl Strategy<Value = String> {
    let part = proptest::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"b\":",
        "1",
        "-",
        "0",
        ".",
        "e",
        "true",
        "null",
        " ",
        "\\",
        "\\u",
        "d800",
        "\\ud83d\\ude00",
        "é",
        "\u{1}",
        "\\n",
        "{}",
        "[]",
        "\"x\":1",
        "{\"k\":[1,{}]}",
    ]);
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-9999i32..9999).prop_map(|n| Value::from(f64::from(n) / 8.0)),
        "\\PC{0,8}".prop_map(Value::from),
        "[\\x00-\\x7f]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map("\\PC{0,5}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn it_agrees_with_serde_json(text in texts()) {
        let theirs = serde_json::from_str::<Value>(&text).ok();
        if text.contains("\\u") {
            // Half characters are taken here and refused there.
            prop_assert!(theirs.is_none() || skips(&text));
        } else {
            prop_assert_eq!(skips(&text), theirs.is_some());
            prop_assert_eq!(whole(&text), theirs);
        }
    }

    #[test]
    fn a_value_is_read_as_it_was_written(value in values(), is_pretty: bool) {
        let text = if is_pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        prop_assert!(skips(&text));
        prop_assert_eq!(whole(&text), Some(value));
    }

    #[test]
    fn no_prefix_of_a_list_is_whole(value in values(), cut in 0usize..200) {
        let text = serde_json::to_string(&[value]).unwrap();
        let cut = (0..=cut.min(text.len() - 1)).rev().find(|cut| text.is_char_boundary(*cut)).unwrap();
        prop_assert!(!skips(&text[..cut]));
        prop_assert_eq!(whole(&text[..cut]), None);
    }
}
