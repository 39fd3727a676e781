//! JSON for a terminal: what a terminal would obey or a reader would not see is written as JSON's own escapes, so that it
//! says the same to whoever reads it as JSON (P24).

use sallyport_model::visible;

/// JSON of several lines.
pub(super) fn json(text: &str) -> String {
    escaped(text, |c| c == '\n')
}

/// JSON, or what was to be JSON and breaks off, as one line.
pub(super) fn line(text: &str) -> String {
    escaped(&text.replace(['\n', '\r'], " "), |_| false)
}

/// Hidden characters stand in no place of JSON but in its texts, where an escape says the same; tabs may stand between
/// its parts.
fn escaped(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut buffer = [0; 4];
    for c in text.chars() {
        let is_plain = matches!(c, ' '..='~' | '\t') || is_kept(c);
        if is_plain || (!c.is_ascii() && visible(c.encode_utf8(&mut buffer)) == *c.encode_utf8(&mut [0; 4])) {
            out.push(c);
            continue;
        }
        for half in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{half:04x}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn hidden_characters_are_escaped_and_say_the_same() {
        let hostile =
            "a\u{9b}31m \u{202e}evil\u{2028}\u{2066}\u{feff}\u{7f}\u{200b}\u{e0041}\u{1b}[2J\t\n ä € 日本 🚢";
        let value = json!({ hostile: [hostile, 1] });
        for text in [serde_json::to_string_pretty(&value).unwrap(), value.to_string()] {
            for plain in [super::json(&text), line(&text)] {
                assert_eq!(serde_json::from_str::<Value>(&plain).unwrap(), value, "{plain}");
                assert!(plain.contains("ä € 日本 🚢") && plain.contains("\\udb40\\udc41"), "{plain}");
                assert_eq!(visible(&plain.replace('\n', "")), plain.replace('\n', ""), "{plain:?}");
            }
            assert!(!line(&text).contains('\n'));
        }
        // What breaks off is no JSON, and reaches no terminal as it is either.
        assert_eq!(line("{\"a\":\"\u{1b}[2J\u{9b}\r\nx"), "{\"a\":\"\\u001b[2J\\u009b  x");
    }
}
