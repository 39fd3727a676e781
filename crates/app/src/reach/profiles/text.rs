//! A profile as text: YAML, read with the line of every field, and written line by line. Pure. Whoever wrote it may be
//! anybody: it may have been pasted.

use sallyport_model::{clip, visible};
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Error as YamlError, Spanned};
use std::collections::BTreeMap;
use std::fmt;

/// The longest text, in bytes: many times the largest profile, and little to read.
const MOST: usize = 256 * 1024;
/// As deep as an autoApproval's hours go, twice.
const DEEP: usize = 16;
/// Fields and entries.
const NODES: usize = 20_000;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// The line, from 1.
    pub(super) line: Option<u32>,
    /// What is wrong, a sentence.
    pub(super) text: String,
}

impl Problem {
    pub(super) fn at(line: impl Into<Option<u32>>, text: impl Into<String>) -> Self {
        Self { line: line.into(), text: text.into() }
    }
}

/// A text that is YAML.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Written {
    /// What it says.
    pub(super) object: Value,
    /// The line of each field, as `spec.autoApprovals[0].name`.
    lines: BTreeMap<String, u32>,
}

impl Written {
    /// The line of a field; of one that is not there the line of what it would stand in.
    pub(super) fn line_of(&self, field: &str) -> Option<u32> {
        let mut field = field;
        loop {
            if let Some(line) = self.lines.get(field) {
                return Some(*line);
            }
            field = &field[..field.rfind(['.', '['])?];
        }
    }
}

/// Reads one object.
///
/// # Errors
/// The first problem, with its line.
pub(super) fn read(text: &str) -> Result<Written, Problem> {
    if text.len() > MOST {
        let size = text.len() / 1024;
        return Err(Problem::at(
            None,
            format!("this is {size} kB of text, and no profile is larger than {}", MOST / 1024),
        ));
    }
    harmless(text)?;
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
        // What refers to something else says more than stands there.
        budget: serde_saphyr::budget! { max_anchors: 0, max_aliases: 0, max_depth: DEEP, max_nodes: NODES },
    };
    let node: Spanned<Node> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| problem(&error))?;
    let mut written = Written { object: Value::Null, lines: BTreeMap::new() };
    written.object = lay_out(node, String::new(), &mut written.lines)?;
    match written.object {
        Value::Object(_) => Ok(written),
        Value::Null => Err(Problem::at(None, "there is nothing here: write a profile")),
        _ => Err(Problem::at(1, "this is a list or a word; a profile has fields, as `kind: AccessProfile`")),
    }
}

/// Refuses what a person would not see as it is, in the text itself.
fn harmless(text: &str) -> Result<(), Problem> {
    for (at, line) in text.lines().enumerate() {
        let number = line_number(at + 1);
        if let Some(hidden) = hidden_in(line) {
            return Err(Problem::at(
                number,
                format!("there is a character here that nobody sees, {hidden}; take it out"),
            ));
        }
        // What is written in base64, or under a name that a directive gives, is not what one reads.
        if line.contains("!!binary") || line.contains("2002:binary") || line.starts_with('%') {
            return Err(Problem::at(number, "`!!binary` and directives are not taken; write what it says"));
        }
        if line.contains("⟨U+") || line.contains(['␊', '␉']) {
            let why = "here stands a mark for a character that can't be shown; write what it should be";
            return Err(Problem::at(number, why));
        }
    }
    Ok(())
}

/// The first character that hides or reorders others, as it is named.
fn hidden_in(text: &str) -> Option<String> {
    text.chars().filter(|c| !matches!(c, '\n' | '\t')).find_map(|c| {
        let shown = visible(c.encode_utf8(&mut [0; 4]));
        shown.starts_with("⟨U+").then(|| shown.trim_matches(['⟨', '⟩']).to_owned())
    })
}

/// Any YAML, each part with its place.
enum Node {
    One(Value),
    List(Vec<Spanned<Node>>),
    Fields(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Nodes)
    }
}

struct Nodes;

impl<'de> Visitor<'de> for Nodes {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::One(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::One(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::One(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::One(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Node, E> {
        let number = serde_json::Number::from_f64(value).ok_or_else(|| E::custom("this is no number"))?;
        Ok(Node::One(number.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::One(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        Ok(Node::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut all = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            if key.value.chars().count() > 253 {
                return Err(A::Error::custom("a field's name is longer than any"));
            }
            all.push((key, map.next_value()?));
        }
        Ok(Node::Fields(all))
    }
}

/// The value of a node, and the lines of all that is in it.
fn lay_out(node: Spanned<Node>, path: String, lines: &mut BTreeMap<String, u32>) -> Result<Value, Problem> {
    let line = u32::try_from(node.defined.line()).ok().filter(|line| *line > 0);
    let value = match node.value {
        Node::One(value) => {
            if let Some(hidden) = value.as_str().and_then(hidden_in) {
                let text = format!("there is a character in this that nobody sees, {hidden}; take it out");
                return Err(Problem::at(line, text));
            }
            value
        }
        Node::List(all) => {
            let each = all.into_iter().enumerate();
            each.map(|(at, one)| lay_out(one, format!("{path}[{at}]"), lines)).collect::<Result<_, _>>()?
        }
        Node::Fields(all) => {
            let mut fields = serde_json::Map::new();
            for (key, one) in all {
                let at = u32::try_from(key.defined.line()).ok().filter(|line| *line > 0);
                let name = key.value;
                if let Some(hidden) = hidden_in(&name) {
                    return Err(Problem::at(
                        at,
                        format!("there is a character in a name here that nobody sees, {hidden}"),
                    ));
                }
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let value = lay_out(one, inner.clone(), lines)?;
                // A field stands where its name does, whatever the value spans.
                lines.extend(at.map(|at| (inner, at)));
                fields.insert(name, value);
            }
            Value::Object(fields)
        }
    };
    if let Some(line) = line {
        lines.entry(path).or_insert(line);
    }
    Ok(value)
}

/// Of a glob that begins with `*`, most of all.
const ELSEWHERE: &str = "`&` and `*` for what stands elsewhere are not taken; write it out, or quote it";

fn problem(error: &YamlError) -> Problem {
    let line = error.location().and_then(|place| u32::try_from(place.line()).ok()).filter(|line| *line > 0);
    let text = match error.without_snippet() {
        YamlError::DuplicateMappingKey { key: Some(key), .. } => {
            format!("`{}` is here a second time", clip(&visible(key), 80))
        }
        YamlError::DuplicateMappingKey { .. } => "a field is here a second time".to_owned(),
        YamlError::MultipleDocuments { .. } => "a second document begins here; write one profile".to_owned(),
        YamlError::MergeKeyNotAllowed { .. } => "`<<` is not taken; write it out".to_owned(),
        YamlError::Budget { breach: BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. }, .. } => {
            ELSEWHERE.to_owned()
        }
        YamlError::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            "this is nested deeper than any profile".to_owned()
        }
        YamlError::Budget { .. } => "this has more in it than any profile".to_owned(),
        other => {
            let said = other.to_string();
            // The line is said beside it.
            let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
            if said.contains("anchor") || said.contains("alias") {
                return Problem::at(line, ELSEWHERE);
            }
            format!("this is no YAML: {}", clip(&visible(said), 200))
        }
    };
    Problem { line, text }
}

/// An object as text, its fields by name.
///
/// # Errors
/// When it can't be written, which no object of an API server is.
pub(super) fn write(object: &Value) -> Result<String, String> {
    serde_saphyr::to_string(object).map_err(|error| clip(&error.to_string(), 200))
}

fn line_number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
