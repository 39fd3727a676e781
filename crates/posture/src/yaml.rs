//! Writing YAML that a person reads and kubectl takes. Names come from outside: whatever is not plainly a word is written
//! as a JSON string, which YAML takes too, with everything but ASCII escaped, so that nothing hides in it or ends it.

use serde_json::Value;
use std::fmt::Write as _;

/// A document, with a line's end. Maps keep the order they are given in.
pub fn document(fields: &[(&str, Yaml)]) -> String {
    let mut text = String::new();
    map(&mut text, fields, 0);
    text
}

/// What stands in a document.
#[derive(Clone, Debug)]
pub enum Yaml {
    /// A word or a text.
    Text(String),
    /// `true` or `false`.
    Is(bool),
    /// A whole number.
    Number(i64),
    /// Texts on one line.
    Line(Vec<String>),
    /// Maps, one below the other.
    List(Vec<Vec<(&'static str, Yaml)>>),
    /// A map.
    Map(Vec<(&'static str, Yaml)>),
    /// A map whose keys come from outside.
    Labels(Vec<(String, String)>),
}

impl From<&str> for Yaml {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Yaml {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

fn map(text: &mut String, fields: &[(&str, Yaml)], deep: usize) {
    for (key, value) in fields {
        let _ = write!(text, "{:deep$}{key}:", "");
        write(text, value, deep);
    }
}

fn write(text: &mut String, value: &Yaml, deep: usize) {
    match value {
        Yaml::Text(word) => drop(writeln!(text, " {}", scalar(word))),
        Yaml::Is(is) => drop(writeln!(text, " {is}")),
        Yaml::Number(number) => drop(writeln!(text, " {number}")),
        Yaml::Line(words) => {
            let words: Vec<String> = words.iter().map(|word| in_line(word)).collect();
            let _ = writeln!(text, " [{}]", words.join(", "));
        }
        Yaml::List(items) if items.is_empty() => text.push_str(" []\n"),
        Yaml::List(items) => {
            text.push('\n');
            for item in items {
                let mut one = String::new();
                map(&mut one, item, deep + 2);
                // The dash takes the place of the first two blanks.
                let _ = write!(text, "{:deep$}- {}", "", one.get(deep + 2..).unwrap_or_default());
            }
        }
        Yaml::Map(fields) if fields.is_empty() => text.push_str(" {}\n"),
        Yaml::Map(fields) => {
            text.push('\n');
            map(text, fields, deep + 2);
        }
        Yaml::Labels(labels) if labels.is_empty() => text.push_str(" {}\n"),
        Yaml::Labels(labels) => {
            text.push('\n');
            for (key, value) in labels {
                let _ = writeln!(text, "{:1$}{2}: {3}", "", deep + 2, in_line(key), quoted(value));
            }
        }
    }
}

/// As in a list on one line, where some signs mean more.
fn in_line(word: &str) -> String {
    match word.contains([',', ':', '[', ']', '{', '}']) {
        true => quoted(word),
        false => scalar(word),
    }
}

/// A word as it is, whatever else as a JSON string.
pub(crate) fn scalar(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '/' | ':');
    // What YAML takes for something else than a text: numbers, times, yes and no.
    let begins = word.starts_with(|c: char| c.is_ascii_alphabetic());
    let other = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_word = begins
        && word.chars().all(plain)
        && !word.ends_with(':')
        && !other.contains(&word.to_ascii_lowercase().as_str());
    if is_word { word.to_owned() } else { quoted(word) }
}

fn quoted(word: &str) -> String {
    let mut text = String::new();
    for c in Value::from(word).to_string().chars() {
        match c {
            ' '..='~' => text.push(c),
            c => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text
}
