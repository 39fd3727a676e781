//! What is asked of a store, and holding its answer to that.

use crate::EngineError;
use crate::http::Http;

/// A question: records of a stretch of time, in its order.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// From this moment on, in nanoseconds of Unix time.
    pub from: i64,
    /// Before this one.
    pub to: i64,
    /// At most so many, the first ones.
    pub most: usize,
    /// From the end on: the last ones first.
    pub newest: bool,
    /// Which.
    pub wanted: &'a Wanted,
}

/// Which records are wanted, by what the store can look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// In the store's own language, and handed to it as it is: a filter of LogsQL, a stream selector of LogQL.
    pub filter: Option<String>,
    /// Of these words, one stands in each record: accounts of sessions, `JTI=…`. All of them without any.
    pub words: Vec<String>,
    /// Of each of these, one as well.
    pub also: Vec<Vec<String>>,
    /// Each of these stands somewhere in the record, in whatever case and within words as well.
    pub parts: Vec<String>,
    /// The field or label in which the store has the cluster.
    pub label: String,
    /// What the cluster is called there; empty for every cluster that the store names.
    pub called: String,
}

impl Wanted {
    /// Everything that the store has of a cluster.
    pub fn of(called: &str) -> Self {
        Self { label: "cluster".to_owned(), called: called.to_owned(), ..Self::default() }
    }

    /// Everything that the store has of any cluster: whichever it names.
    pub fn of_every() -> Self {
        Self::of("")
    }
}

impl Wanted {
    /// All groups of words, of each of which one has to be there.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &Vec<String>> {
        std::iter::once(&self.words).chain(&self.also).filter(|group| !group.is_empty())
    }
}

/// Stretches of time, each as long as the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// Where the first begins, in nanoseconds of Unix time.
    pub from: i64,
    /// How long each is, in nanoseconds; more than 0.
    pub step: i64,
    /// How many.
    pub many: usize,
}

impl Steps {
    /// Before which moment the last ends.
    pub(crate) fn end(&self) -> i64 {
        self.from.saturating_add(self.step.saturating_mul(i64::try_from(self.many).unwrap_or(i64::MAX)))
    }
}

/// A record of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// When, by the store, in nanoseconds of Unix time.
    pub at: i64,
    /// The cluster that the store says it is of, if it says one.
    pub cluster: Option<String>,
    /// What it says.
    pub text: Text,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// A line, as it was when it was shipped.
    Whole(String),
    /// It was longer than is read, and was skipped as it came.
    TooLong,
}

impl Text {
    /// How much of it there is, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Whole(line) => line.len(),
            Self::TooLong => 0,
        }
    }
}

/// Holds a page to what was asked for: a store that pages wrongly would have us pass over what it did not give.
pub(crate) fn held_to(http: &Http, ask: &Ask<'_>, page: &[Pulled]) -> Result<(), EngineError> {
    if page.len() > ask.most {
        return Err(http.unfit(format!(
            "{} records, of at most {} that were asked for",
            page.len(),
            ask.most
        )));
    }
    let mut last = if ask.newest { ask.to } else { ask.from };
    for record in page {
        if record.at < ask.from || record.at >= ask.to {
            return Err(http.unfit("records of another time than was asked for"));
        }
        if if ask.newest { record.at > last } else { record.at < last } {
            return Err(http.unfit("records that are out of the order that was asked for"));
        }
        last = record.at;
    }
    Ok(())
}

/// A text as a regular expression that finds it wherever it stands, in whatever case (RE2, which both stores use).
pub(crate) fn somewhere(part: &str) -> String {
    let mut pattern = String::from("(?i)");
    for c in part.chars() {
        if c.is_ascii_punctuation() {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// A moment as it is written in questions, to the nanosecond.
pub(crate) fn moment(nanos: i64) -> String {
    match jiff::Timestamp::from_nanosecond(nanos.into()) {
        Ok(at) => at.strftime("%Y-%m-%dT%H:%M:%S%.9fZ").to_string(),
        Err(_) => nanos.to_string(),
    }
}
