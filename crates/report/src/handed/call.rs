//! A call that a cluster's API servers tell of, as a line for other programs.

use super::entry::Row;
use super::{cells, leaving, lines, ocsf, told};
use sallyport_archive::{Call, Column};
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

/// A call that a cluster's API servers tell of. What is not told is empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct ToldCall<'t> {
    /// When, in microseconds of Unix time.
    pub at: i64,
    /// The API server's `auditID`.
    pub audit_id: &'t str,
    /// The cluster, which no event names.
    pub cluster: &'t str,
    /// Who.
    pub user: &'t str,
    /// As whom, if they impersonated.
    pub impersonated: &'t str,
    /// The verb as authorizers see it.
    pub verb: &'t str,
    /// As kubectl writes it.
    pub resource: &'t str,
    /// The subresource.
    pub subresource: &'t str,
    /// The namespace.
    pub namespace: &'t str,
    /// The object's name.
    pub name: &'t str,
    /// The HTTP status.
    pub code: Option<u16>,
    /// It was refused for want of rights.
    pub is_denied: bool,
    /// What the client called itself.
    pub user_agent: &'t str,
    /// From where; several are separated by commas.
    pub address: &'t str,
    /// What the call was made with.
    pub credential: &'t str,
    /// The session's account that made it, if it is one of ours.
    pub session: &'t str,
    /// What an exec starts.
    pub command: &'t str,
    /// The event as it was written, without its secrets; none where that can't be read any more.
    pub raw: Option<&'t str>,
}

/// The longest event of which its text leaves in a pack, in bytes; a longer one leaves by its columns.
const LONGEST: usize = 1 << 20;

impl<'t> ToldCall<'t> {
    /// A call as an archive finds it. `raw`: its event as it was written, where that can be read.
    pub fn of(call: &'t Call, raw: Option<&'t str>) -> Self {
        Self {
            at: call.at,
            audit_id: &call.audit_id,
            cluster: call.text(Column::Cluster),
            user: call.text(Column::User),
            impersonated: call.text(Column::Impersonated),
            verb: call.text(Column::Verb),
            resource: call.text(Column::Resource),
            subresource: call.text(Column::Subresource),
            namespace: call.text(Column::Namespace),
            name: call.text(Column::Name),
            code: call.code(),
            is_denied: call.is_denied(),
            user_agent: call.text(Column::UserAgent),
            address: call.text(Column::Address),
            credential: call.text(Column::Credential),
            session: call.text(Column::Session),
            command: call.text(Column::Command),
            raw,
        }
    }

    /// What it is found by and tied by: names and ids, which stay as they are wherever they stand in its event. They were
    /// taken for no secret when they were read, and without them nobody could compare the event with a cluster's own log.
    fn is_name(&self, text: &str) -> bool {
        let plain = self.resource.split_once('.').map_or(self.resource, |(plain, _)| plain);
        [
            self.audit_id,
            self.user,
            self.impersonated,
            self.verb,
            self.resource,
            plain,
            self.subresource,
            self.namespace,
            self.name,
            self.credential,
            self.session,
        ]
        .contains(&text)
            || self.address.split(',').any(|address| address.trim() == text)
    }

    /// As one line of a pack: as [`ToldCall::json`], without what looks like a secret. Says how much was taken out, and
    /// whether the event is told in part, by its columns.
    pub(super) fn leaving(&self, out: &mut String) -> (u32, bool) {
        let clean = |value: Value| {
            let mut count = 0;
            let value = leaving::value(value, &|text| self.is_name(text), &mut count);
            (value, count)
        };
        let short = self.raw.filter(|raw| raw.len() <= LONGEST);
        let event = short.and_then(|raw| serde_json::from_str::<Value>(raw).ok()).filter(Value::is_object);
        let whole = event
            .map(clean)
            .map(|(event, count)| (json!({ "cluster": self.cluster, "event": event }).to_string(), count));
        // What stands for a secret may be longer than it was.
        let whole = whole.filter(|(line, _)| line.len() < lines::EVENT);
        let is_in_part = whole.is_none();
        let (line, count) = whole.unwrap_or_else(|| {
            let (columns, count) = clean(self.columns());
            let line = json!({ "cluster": self.cluster, "at": told(self.at), "columns": columns });
            (line.to_string(), count)
        });
        out.push_str(&line);
        out.push('\n');
        (count, is_in_part)
    }

    fn outcome(&self) -> &'static str {
        match self.code {
            _ if self.is_denied => "refused",
            Some(400..) => "failed",
            Some(_) => "ok",
            None => "unknown",
        }
    }

    fn about(&self) -> String {
        let mut about = self.resource.to_owned();
        if !self.subresource.is_empty() {
            about.push('/');
            about.push_str(self.subresource);
        }
        about
    }

    /// What its columns say, by their names; the event itself apart.
    fn columns(&self) -> Value {
        let named = [
            ("auditID", self.audit_id),
            ("cluster", self.cluster),
            ("user", self.user),
            ("impersonated", self.impersonated),
            ("verb", self.verb),
            ("resource", self.resource),
            ("subresource", self.subresource),
            ("namespace", self.namespace),
            ("name", self.name),
            ("userAgent", self.user_agent),
            ("address", self.address),
            ("credential", self.credential),
            ("session", self.session),
            ("command", self.command),
        ];
        let told = named.into_iter().filter(|(_, text)| !text.is_empty());
        let mut told: Map<String, Value> = told.map(|(name, text)| (name.to_owned(), text.into())).collect();
        if let Some(code) = self.code {
            told.insert("code".to_owned(), code.into());
        }
        Value::Object(told)
    }

    /// For a spreadsheet.
    pub fn csv(&self, out: &mut String) {
        let who = match self.impersonated {
            "" => self.user.to_owned(),
            whom => format!("{} as {whom}", self.user),
        };
        let jti = self.credential.strip_prefix("JTI=").unwrap_or_default();
        let row: Row = [
            String::new(),
            told(self.at),
            "call".to_owned(),
            self.outcome().to_owned(),
            who,
            self.cluster.to_owned(),
            String::new(),
            String::new(),
            String::new(),
            jti.to_owned(),
            self.audit_id.to_owned(),
            String::new(),
            self.columns().to_string(),
            String::new(),
            "cluster".to_owned(),
            self.verb.to_owned(),
            self.about(),
            self.namespace.to_owned(),
            self.name.to_owned(),
            self.code.map_or_else(String::new, |code| code.to_string()),
        ];
        cells::line(out, &row);
    }

    /// As one line of JSON: the event as it was written, and its cluster, which it does not name. Where that is no JSON any
    /// more, since it was cut or can't be read, stands what its columns say.
    pub fn json(&self, out: &mut String) {
        let cluster = Value::from(self.cluster);
        let whole = self.raw.filter(|raw| serde_json::from_str::<IgnoredAny>(raw).is_ok());
        match whole {
            // Lines' ends stand between the parts of JSON, and never in a text.
            Some(raw) => out.push_str(&format!(
                "{{\"cluster\":{cluster},\"event\":{}}}\n",
                raw.replace(['\n', '\r'], " ")
            )),
            None => {
                let at = Value::from(told(self.at));
                out.push_str(&format!(
                    "{{\"cluster\":{cluster},\"at\":{at},\"columns\":{}}}\n",
                    self.columns()
                ));
            }
        }
    }

    /// As one OCSF event.
    pub fn ocsf(&self, out: &mut String) {
        out.push_str(&ocsf::call(self, self.columns()).to_string());
        out.push('\n');
    }

    /// What OCSF calls how it went.
    pub(super) fn status(&self) -> (u32, &'static str) {
        match self.outcome() {
            "ok" => (1, "Success"),
            "unknown" => (0, "Unknown"),
            _ => (2, "Failure"),
        }
    }

    /// What it was about, for OCSF.
    pub(super) fn resources(&self) -> Value {
        if self.resource.is_empty() {
            return Value::Null;
        }
        json!([{ "type": self.about(), "name": self.name, "namespace": self.namespace }])
    }
}
