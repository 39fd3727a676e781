//! What questions to an archive come to, as JSON and for people.

use super::times::told;
use sallyport_archive::{Answer, Call, Column};
use sallyport_audit::ends;
use sallyport_events::{Flaw, Stage};
use sallyport_model::visible;
use sallyport_report::words::shown;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Write as _;

/// Characters of a command on a line: of both its ends, so that nobody hides what it does behind something long.
const COMMAND_MOST: usize = 400;

/// What an answer lacks.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LacksView {
    /// Whether everything was looked at: within the time there was, and in every file of the archive.
    is_whole: bool,
    /// Whether the time was over before everything was looked at.
    #[serde(skip)]
    is_late: bool,
    /// Events that could not be looked at because they are damaged.
    damaged: u64,
    /// Files of the archive that could not be opened, or not to their end: nobody knows what is in them, and
    /// `sallyport audit status` says why.
    unread_segments: usize,
    /// Of a log store: before this moment nothing was looked at, since there were more records than are read.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "moment")]
    #[schemars(with = "Option<String>")]
    not_before: Option<i64>,
}

fn moment<S: serde::Serializer>(micros: &Option<i64>, to: S) -> Result<S::Ok, S::Error> {
    micros.map(told).serialize(to)
}

impl LacksView {
    pub(super) fn of<T>(answer: &Answer<T>) -> Self {
        Self {
            is_whole: answer.is_whole && answer.unread_segments == 0,
            is_late: !answer.is_whole,
            damaged: answer.damaged,
            unread_segments: answer.unread_segments,
            not_before: None,
        }
    }

    /// With what was not looked at of a log store: what lies before a moment, in microseconds of Unix time.
    pub(super) fn of_store(&mut self, before: Option<i64>) {
        self.is_whole &= before.is_none();
        self.not_before = before;
    }

    /// With what a part of the same answer lacks.
    pub(super) fn and<T>(&mut self, answer: &Answer<T>) {
        let other = Self::of(answer);
        self.is_whole &= other.is_whole;
        self.is_late |= other.is_late;
        self.damaged = self.damaged.max(other.damaged);
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.is_whole && self.damaged == 0
    }

    /// In words, under what was found; empty where nothing is missing.
    pub(super) fn told(&self) -> String {
        let mut text = String::new();
        if self.is_late {
            text.push_str(
                "Not all was looked at in the time there was: there may be more. --within gives it more.\n",
            );
        }
        // Writing to a String never fails.
        if self.damaged > 0 {
            let _ = writeln!(
                text,
                "{} events are damaged and were not looked at: `sallyport audit status` says where.",
                self.damaged
            );
        }
        if let Some(before) = self.not_before {
            let _ = writeln!(
                text,
                "This is a part: before {} nothing of the store was looked at, since it has more records than are \
                 read (--records, --within).",
                told(before)
            );
        }
        if self.unread_segments > 0 {
            let _ = writeln!(
                text,
                "{} of the archive's files could not be opened, and what is in them is missing here: `sallyport audit \
                 status` says why.",
                self.unread_segments
            );
        }
        text
    }
}

/// What a query found, in calls; with `--stage` or `--all-stages` in events, of which a call may have several. Of `calls`, `count` and `by` the one is there that was asked for.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueryView {
    /// The calls, newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) calls: Option<Vec<CallView>>,
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u64>,
    /// How many there are of each, the most frequent first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<Vec<RankView>>,
    /// Calls that fit none of `by`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) others: Option<u64>,
    /// Whether older calls fit that `--limit` left out.
    pub(super) has_more: bool,
    /// Events that fit and tell only that a call began, left out without `--stage` or `--all-stages`: of a call that is
    /// over another event tells, a call that goes on has no other.
    pub(super) begun: u64,
    #[serde(flatten)]
    pub(super) lacks: LacksView,
}

/// How many calls have this text; with `--stage` or `--all-stages`, how many events.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RankView {
    /// The text; empty of those that have none.
    pub(super) text: String,
    /// How many.
    pub(super) calls: u64,
}

/// A call. What it does not say is not there.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CallView {
    /// Which one, in this archive.
    id: u64,
    /// When it happened, by the API server's clock: RFC 3339, UTC, milliseconds.
    at: String,
    /// How long it took, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    took: Option<u64>,
    cluster: String,
    person: String,
    /// As whom, if they impersonated.
    #[serde(skip_serializing_if = "String::is_empty", rename = "as")]
    impersonated: String,
    verb: String,
    /// The stage of the call that the event tells of: `RequestReceived`, `ResponseStarted`, `ResponseComplete` or `Panic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'static str>,
    #[serde(skip)]
    has_begun: bool,
    /// With its group, and its subresource behind a slash.
    #[serde(skip_serializing_if = "String::is_empty")]
    resource: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    namespace: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    /// The HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    /// `allow` or `forbid`.
    #[serde(skip_serializing_if = "String::is_empty")]
    decision: String,
    /// Why, in the authorizer's words.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    /// What an exec starts.
    #[serde(skip_serializing_if = "String::is_empty")]
    command: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    client: String,
    /// Several are separated by commas; all but the last can be set by the client.
    #[serde(skip_serializing_if = "String::is_empty")]
    address: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    credential: String,
    /// The session account that made it.
    #[serde(skip_serializing_if = "String::is_empty")]
    session: String,
    /// The client's to choose: it proves nothing by itself.
    audit_id: String,
    source: String,
    /// Something of the event is missing.
    is_partial: bool,
    /// Something in it was longer than is kept, and was cut in its middle.
    is_clipped: bool,
}

/// Calls that may have removed an object.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WhoDeletedView {
    /// The calls, newest first.
    pub(super) deletions: Vec<DeletionView>,
    /// Whether there are older ones of some way.
    pub(super) has_more: bool,
    /// Events that say only that a call began which would have removed it: of a call that is over and was not refused,
    /// another is among the deletions.
    pub(super) begun: u64,
    /// Events that break off before they say about what they are: one of them may be it.
    pub(super) untold: u64,
    #[serde(flatten)]
    pub(super) lacks: LacksView,
}

/// A call that may have removed it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeletionView {
    /// `named`; `collection`: with others of its kind, whether it was among them only the call's answer says;
    /// `namespace`: with its namespace; `evicted`: by an eviction, which removes a pod; `kind`: with its kind, the CRD.
    pub(super) how: &'static str,
    pub(super) call: CallView,
}

impl CallView {
    pub(super) fn of(call: &Call) -> Self {
        let text = |column| call.text(column).to_owned();
        let resource = match (call.text(Column::Resource), call.text(Column::Subresource)) {
            (resource, "") => resource.to_owned(),
            (resource, subresource) => format!("{resource}/{subresource}"),
        };
        Self {
            id: call.id.number(),
            at: told(call.at),
            took: call.took,
            cluster: text(Column::Cluster),
            person: text(Column::User),
            impersonated: text(Column::Impersonated),
            verb: text(Column::Verb),
            resource,
            namespace: text(Column::Namespace),
            name: text(Column::Name),
            code: call.code(),
            decision: text(Column::Decision),
            reason: text(Column::Reason),
            command: text(Column::Command),
            client: text(Column::UserAgent),
            address: text(Column::Address),
            credential: text(Column::Credential),
            session: text(Column::Session),
            audit_id: call.audit_id.clone(),
            source: text(Column::Source),
            stage: call.marks.stages.last().map(Stage::name),
            has_begun: call.marks.begins(),
            is_partial: call.marks.flaws.has(Flaw::Partial),
            is_clipped: call.marks.flaws.has(Flaw::Clipped),
        }
    }

    /// `2026-11-29T20:15:00.123Z  eu-1  200  dana  delete deployments.apps payments/checkout`.
    pub(super) fn line(&self) -> String {
        let code = self.code.map_or("  –".to_owned(), |code| code.to_string());
        let who = match &*self.person {
            "" => "nobody".to_owned(),
            person => shown(person),
        };
        let whom = match &*self.impersonated {
            "" => String::new(),
            other => format!(" as {}", shown(other)),
        };
        let what = match (&*self.namespace, &*self.name) {
            ("", "") => String::new(),
            ("", name) => format!(" {}", shown(name)),
            (namespace, "") => format!(" in {}", shown(namespace)),
            (namespace, name) => format!(" {}/{}", shown(namespace), shown(name)),
        };
        let command = match &*self.command {
            "" => String::new(),
            command => {
                let command = visible(command);
                format!(": {}", ends(&command, COMMAND_MOST).unwrap_or(command))
            }
        };
        let partial = if self.is_partial { "  (in part)" } else { "" };
        let begun = if self.has_begun { "  (began)" } else { "" };
        format!(
            "{}  {}  {code}  {who}{whom}  {} {}{what}{command}{begun}{partial}",
            self.at,
            shown(&self.cluster),
            shown(&self.verb),
            shown(&self.resource),
        )
    }
}

impl QueryView {
    pub(super) fn told(&self) -> String {
        let mut text = String::new();
        // Writing to a String never fails.
        if let Some(count) = self.count {
            let _ = writeln!(text, "{count}");
        }
        for one in self.by.iter().flatten() {
            let _ = writeln!(
                text,
                "{:>10}  {}",
                one.calls,
                if one.text.is_empty() { "–".into() } else { shown(&one.text) }
            );
        }
        if let Some(others @ 1..) = self.others {
            let _ = writeln!(text, "{others:>10}  others");
        }
        for call in self.calls.iter().flatten() {
            let _ = writeln!(text, "{}", call.line());
        }
        let nothing =
            self.calls.as_ref().is_some_and(Vec::is_empty) || self.by.as_ref().is_some_and(Vec::is_empty);
        let over = if self.begun > 0 { " that is over" } else { "" };
        if nothing {
            let _ = writeln!(text, "Nothing was found{over}.");
        }
        text.push_str(&self.beside());
        text
    }

    /// What is to be said beside what was found.
    pub(super) fn beside(&self) -> String {
        let mut text = String::new();
        if self.has_more {
            text.push_str("There are older ones: --limit shows more.\n");
        }
        // A number alone stays one that a script can read.
        if self.begun > 0 && self.count.is_none_or(|count| count == 0) {
            let _ = writeln!(
                text,
                "{} more say only that a call began; of one that goes on nothing else is told: --all-stages shows them.",
                self.begun
            );
        }
        text.push_str(&self.lacks.told());
        text
    }
}

impl WhoDeletedView {
    pub(super) fn told(&self) -> String {
        let mut text = String::new();
        for one in &self.deletions {
            let how = match one.how {
                "collection" => "  (with others of its kind: whether it was among them, this does not say)",
                "namespace" => "  (with its namespace)",
                "evicted" => "  (evicted)",
                "kind" => "  (with its kind: the CRD was removed)",
                _ => "",
            };
            let _ = writeln!(text, "{}{how}", one.call.line());
        }
        if self.deletions.is_empty() {
            text.push_str(
                "No call that removed it was found. What no log that was read tells of is not known.\n",
            );
        }
        if self.deletions.is_empty() && self.begun > 0 {
            let _ = writeln!(
                text,
                "{} events say that a call that would remove it began: it was refused, or nothing tells how it ended.",
                self.begun
            );
        }
        if self.has_more {
            text.push_str(
                "There are older ones: `sallyport audit query` with --verb, --resource and --name shows them all.\n",
            );
        }
        if self.untold > 0 {
            let _ = writeln!(
                text,
                "{} events break off before they say about what they are: one of them may be it.",
                self.untold
            );
        }
        text.push_str(&self.lacks.told());
        text
    }
}
