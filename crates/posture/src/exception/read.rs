//! Reading exceptions from YAML. Whoever wrote it may be anybody, and one slip must not except more than was meant: what is
//! not known is refused, with its line.

use super::{DAYS_MOST, Exception, Exceptions, MOST, Named, day};
use crate::check::catalogue;
use crate::severity::Severity;
use jiff::ToSpan as _;
use jiff::civil::Date;
use sallyport_model::{clip, visible};
use sallyport_rbac::who::Subject;
use serde::Deserialize;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Error as YamlError, Spanned};
use std::fmt;

/// The longest file, in bytes.
const TEXT_MOST: usize = 1024 * 1024;
/// As deep as an exception goes, twice.
const DEEP: usize = 8;
/// Fields and entries.
const NODES: usize = 64_000;
/// The longest text of a field, in characters.
const FIELD_MOST: usize = 500;

/// Of a glob that begins with `*`, most of all.
const ELSEWHERE: &str =
    "`&` and `*` for what stands elsewhere are not taken; write it out, or quote a glob, as '*-eu'";

/// Why exceptions can't be read: the first problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionError {
    /// The line, from 1, where it is known.
    pub line: Option<u32>,
    /// What is wrong and what to write, a sentence's end.
    pub what: String,
}

impl fmt::Display for ExceptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl std::error::Error for ExceptionError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    exceptions: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    check: Option<Spanned<String>>,
    cluster: Option<Spanned<String>>,
    subject: Option<Spanned<String>>,
    object: Option<Spanned<String>>,
    severity: Option<Spanned<String>>,
    namespaces: Option<Vec<Spanned<String>>>,
    owner: Option<Spanned<String>>,
    reason: Option<Spanned<String>>,
    until: Option<Spanned<String>>,
}

impl Exceptions {
    /// Reads a file. `now`, in seconds since 1970: none may end later than a year from then.
    ///
    /// # Errors
    /// The first problem, with its line.
    pub fn parse(text: &str, now: i64) -> Result<Self, ExceptionError> {
        if text.len() > TEXT_MOST {
            return Err(at(
                None,
                format!("this is {} kB of text, and 1024 is all that is read", text.len() / 1024),
            ));
        }
        let options = serde_saphyr::options! {
            duplicate_keys: DuplicateKeyPolicy::Error,
            merge_keys: MergeKeyPolicy::Error,
            strict_booleans: true,
            reject_unsupported_tags: true,
            with_snippet: false,
            // What refers to something else says more than stands there.
            budget: serde_saphyr::budget! { max_anchors: 0, max_aliases: 0, max_depth: DEEP, max_nodes: NODES },
        };
        let file: File =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| problem(&error))?;
        if file.exceptions.len() > MOST {
            return Err(at(None, format!("{} exceptions are more than {MOST}", file.exceptions.len())));
        }
        let mut all = Vec::new();
        for entry in file.exceptions {
            let one = exception(entry, now)?;
            let same = |known: &Exception| {
                (&known.check, &known.cluster, &known.subject, &known.object)
                    == (&one.check, &one.cluster, &one.subject, &one.object)
            };
            if let Some(known) = all.iter().find(|known| same(known)) {
                return Err(at(one.line, format!("this is the exception of line {} once more", known.line)));
            }
            all.push(one);
        }
        Ok(Self { all })
    }
}

fn at(line: impl Into<Option<u32>>, what: impl Into<String>) -> ExceptionError {
    ExceptionError { line: line.into(), what: what.into() }
}

fn line_of<T>(spanned: &Spanned<T>) -> u32 {
    u32::try_from(spanned.defined.line()).unwrap_or_default()
}

fn quoted(text: &str) -> String {
    format!("`{}`", clip(&visible(text), 80))
}

fn problem(error: &YamlError) -> ExceptionError {
    let line = error.location().and_then(|place| u32::try_from(place.line()).ok()).filter(|line| *line > 0);
    let said = match error.without_snippet() {
        YamlError::Budget { breach: BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. }, .. } => {
            ELSEWHERE.to_owned()
        }
        YamlError::Budget { .. } => {
            "this is nested deeper, or has more in it, than exceptions have".to_owned()
        }
        YamlError::MergeKeyNotAllowed { .. } => "`<<` is not taken; write it out".to_owned(),
        other => {
            let said = other.to_string();
            // The line is said beside it.
            let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
            if said.contains("anchor") || said.contains("alias") {
                return at(line, ELSEWHERE);
            }
            format!(
                "this is no list of exceptions: {}; write `exceptions:` and below it entries with check, cluster, \
                 subject or object, owner, reason and until",
                clip(&visible(said), 200)
            )
        }
    };
    at(line, said)
}

/// A field that must be there and say something.
fn needed(
    field: Option<Spanned<String>>,
    line: u32,
    name: &str,
    why: &str,
) -> Result<(String, u32), ExceptionError> {
    let Some(field) = field else { return Err(at(line, format!("this exception has no {name}: {why}"))) };
    let own = line_of(&field);
    let text = field.value.trim();
    if text.is_empty() {
        return Err(at(own, format!("{name} is empty: {why}")));
    }
    if text.chars().count() > FIELD_MOST {
        return Err(at(own, format!("{name} is longer than {FIELD_MOST} characters")));
    }
    if visible(text) != text {
        return Err(at(
            own,
            format!("{name} has a character that nobody sees, {}; take it out", quoted(text)),
        ));
    }
    Ok((text.to_owned(), own))
}

const SEVERITIES: &str = "write the worst that it is for: low, medium, high or critical";

fn severity(text: &str) -> Option<Severity> {
    Some(match text {
        "info" => Severity::Info,
        "low" => Severity::Low,
        "medium" => Severity::Medium,
        "high" => Severity::High,
        "critical" => Severity::Critical,
        _ => return None,
    })
}

fn exception(entry: Spanned<Entry>, now: i64) -> Result<Exception, ExceptionError> {
    let line = line_of(&entry);
    let entry = entry.value;
    let (check, own) = needed(entry.check, line, "check", "name one, as RB-01")?;
    if !catalogue().iter().any(|known| known.id == check) {
        return Err(at(own, format!("there is no check {}", quoted(&check))));
    }
    let (cluster, _) = needed(entry.cluster, line, "cluster", "name one, or several as 'payments-*'")?;
    let (owner, _) = needed(entry.owner, line, "owner", "somebody must answer for it")?;
    let (reason, _) = needed(entry.reason, line, "reason", "say why it is so")?;
    let (until, own) = needed(entry.until, line, "until", "nothing is excepted without an end")?;
    let subject = match entry.subject {
        Some(field) => {
            let (text, own) =
                needed(Some(field), line, "subject", "write user:NAME, group:NAME or sa:NAMESPACE/NAME")?;
            Some(subject(&text).ok_or_else(|| {
                at(
                    own,
                    format!(
                        "{} names nobody; write user:NAME, group:NAME or sa:NAMESPACE/NAME",
                        quoted(&text)
                    ),
                )
            })?)
        }
        None => None,
    };
    let object = match entry.object {
        Some(field) => {
            let why = "write KIND/NAME or KIND/NAMESPACE/NAME";
            let (text, own) = needed(Some(field), line, "object", why)?;
            Some(object(&text).ok_or_else(|| at(own, format!("{} names no object; {why}", quoted(&text))))?)
        }
        None => None,
    };
    let at_most = match entry.severity {
        Some(field) => {
            let (text, own) = needed(Some(field), line, "severity", SEVERITIES)?;
            Some(
                severity(&text)
                    .ok_or_else(|| at(own, format!("{} is no severity: {SEVERITIES}", quoted(&text))))?,
            )
        }
        None => None,
    };
    let namespaces = match entry.namespaces {
        Some(names) => {
            let each = names.into_iter().map(|name| needed(Some(name), line, "a namespace", "name one"));
            Some(each.map(|one| one.map(|(name, _)| name)).collect::<Result<Vec<_>, _>>()?)
        }
        None => None,
    };
    let until = end(&until, own, now)?;
    Ok(Exception { check, cluster, subject, object, at_most, namespaces, owner, reason, until, line })
}

fn end(text: &str, line: u32, now: i64) -> Result<Date, ExceptionError> {
    let plain = text.len() == 10 && text.chars().all(|c| c.is_ascii_digit() || c == '-');
    let date = plain.then(|| text.parse::<Date>().ok()).flatten();
    let date = date.ok_or_else(|| at(line, format!("{} is no day; write it as 2027-06-30", quoted(text))))?;
    let last = day(now).checked_add(DAYS_MOST.days()).unwrap_or(Date::MAX);
    if date > last {
        return Err(at(line, format!("{date} is more than a year away; {last} is the last day it may be")));
    }
    Ok(date)
}

fn subject(text: &str) -> Option<Subject> {
    let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty())?;
    match kind {
        "user" => Some(Subject::User(name.to_owned())),
        "group" => Some(Subject::Group(name.to_owned())),
        "sa" => {
            let (namespace, name) = name.split_once('/')?;
            (!namespace.is_empty() && !name.is_empty()).then(|| Subject::account(namespace, name))
        }
        _ => None,
    }
}

fn object(text: &str) -> Option<Named> {
    let mut parts = text.split('/').map(str::to_owned);
    let (kind, first) = (parts.next()?, parts.next()?);
    let (namespace, name) = match parts.next() {
        Some(name) => (Some(first), name),
        None => (None, first),
    };
    let whole = parts.next().is_none() && !kind.is_empty() && !name.is_empty();
    (whole && namespace.as_deref() != Some("")).then_some(Named { kind, namespace, name })
}
