//! One call with all that is told of it, and who deleted something.

use super::row::{self, RowId};
use super::stores::{self, For};
use super::timeline::id_of;
use super::{Evidence, both, filter, lacks, number, or_lacks, unreadable};
use crate::desk::AppError;
use sallyport_archive::{
    Answer, Archive, ArchiveError, Bounds, Call, CallId, Column, Deletion, Deletions, Filter, How, ObjectRef,
};
use sallyport_events::{Act, Came, Event, Field, Flaw, Stage, event_in, join};
use sallyport_ipc::{
    CallDetail, DeletedHow, DeletedQuestion, DeletedView, DeletionLine, FactCame, FactView, LacksView,
    PlaceView, Shown,
};
use std::collections::HashSet;
use std::fmt::{self, Write as _};
use std::sync::Arc;

/// Deletions of each way.
const DELETIONS: usize = 100;
/// Calls of one moment that are looked through for one of them.
const OF_A_MOMENT: usize = 1000;
/// Events of one object that are looked back at for how many replicas there were.
const BEFORE: usize = 20;
/// The longest raw event that the window is given, in bytes; the archive bounds them, too.
const RAW_MOST: usize = 1 << 20;
/// Lines of it.
const LINES_MOST: usize = 5_000;
/// What is written over several lines whatever it grows to, in bytes.
const PRETTY_LEAST: usize = 64 << 10;

/// What the archive knows of a call.
struct Told {
    call: Call,
    raw: Result<String, ArchiveError>,
    before: Option<i64>,
}

impl Evidence {
    pub(crate) async fn call(&self, id: String) -> Result<CallDetail, AppError> {
        let (of, id, at) = match id_of(&id)? {
            RowId::Call(id, at) => (None, id, at),
            RowId::Seen(look, id, at) => (Some(look), id, at),
            RowId::Own(_) => return Err(filter::bad("this row is an entry of the history")),
        };
        let told = self.ask_of(of, "call", move |archive, bounds| told(archive, id, at, bounds)).await?;
        let told = told.ok_or_else(|| unreadable(ArchiveError::Gone(id)))?;
        let row = self.rows_of([(of, &told.call)].into_iter()).await?.remove(0);
        let mut source = Shown::from(told.call.text(Column::Source));
        if let Some(look) = of {
            source = self.stores.name_of(look).unwrap_or(source);
        }
        let borrows_an_id = {
            let ties = self.ties.lock().await;
            let known = ties.of(told.call.text(Column::Cluster));
            known.is_some_and(|known| join(&row::to_tie(&told.call), known).borrows_an_id)
        };
        let mut detail = CallDetail {
            row,
            facts: Vec::new(),
            flaws: flaws(&told.call),
            borrows_an_id,
            source,
            place: of.is_none().then(|| PlaceView {
                file: Shown::from(told.call.text(Column::File)),
                offset: number(told.call.offset),
            }),
            redactions: 0,
        };
        if let Ok(raw) = &told.raw {
            event_in(raw, |event| {
                let command = event.command.join(" ");
                let act = Act { replicas_before: told.before, ..Act::of(&event, &command) };
                detail.row.sentence = Shown::from(act.sentence());
                detail.facts = facts(&told.call, &event, &command);
                detail.redactions = taken_out(raw);
            });
        }
        if detail.facts.is_empty() {
            detail.facts = facts(&told.call, &row::to_tie(&told.call), told.call.text(Column::Command));
        }
        Ok(detail)
    }

    pub(crate) async fn raw(&self, id: String) -> Result<Vec<Shown>, AppError> {
        match id_of(&id)? {
            RowId::Own(sequence) => {
                let read = self.history.read_from(sequence, 1).await?;
                let entry = read.first().map(|linked| &linked.entry).filter(|e| e.sequence == sequence);
                let entry = entry.ok_or_else(|| filter::bad("there is no such entry"))?;
                let json = serde_json::to_value(entry_json(entry));
                let json = json.map_err(|e| AppError::failed("the entry could not be written").because(e))?;
                Ok(lines(&format!("{json:#}")))
            }
            RowId::Call(id, at) => self.raw_of(None, id, at).await,
            RowId::Seen(look, id, at) => self.raw_of(Some(look), id, at).await,
        }
    }

    async fn raw_of(&self, of: Option<u64>, id: CallId, at: i64) -> Result<Vec<Shown>, AppError> {
        // A number alone may be another event's by now.
        let raw = self.ask_of(of, "raw", move |archive, bounds| {
            archive.raw(at_its_moment(archive, id, at, bounds)?.id)
        });
        let raw = raw.await?;
        let raw = raw.ok_or_else(|| unreadable(ArchiveError::Gone(id)))?;
        Ok(lines(&pretty(&raw)))
    }

    pub(crate) async fn deleted(self: &Arc<Self>, object: DeletedQuestion) -> Result<DeletedView, AppError> {
        let name = object.name.trim().to_owned();
        if name.is_empty() || object.resource.trim().is_empty() {
            return Err(filter::bad("who deleted what is not said")
                .hint("Say what it was and its name, as in `deployment checkout`."));
        }
        let asked = object.resource.trim().to_lowercase();
        let resource = plural(&asked).map_or_else(|| asked.clone(), str::to_owned);
        let object = ObjectRef {
            cluster: object.cluster.filter(|cluster| !cluster.is_empty()),
            resource: resource.clone(),
            namespace: object.namespace.map(|n| n.trim().to_owned()).unwrap_or_default(),
            name,
        };
        let of = object.clone();
        let here = self.ask("deleted", move |archive, bounds| archive.deletions(&of, DELETIONS, bounds));
        let always = (None, None);
        let asks = |why: For, with: bool| {
            let object = &object;
            self.seen_in_stores(why, always, false, move |store| stores::deletions(store, object, with))
        };
        let ((here, why), (mut there, mut missing), (also, also_missing)) =
            tokio::try_join!(or_lacks(here), asks(For::Deleted, false), asks(For::DeletedWith, true))?;
        there.extend(also);
        // Both questions to a store end in the same way, mostly.
        missing.extend(also_missing.into_iter().filter(|one| !missing.contains(one)).collect::<Vec<_>>());
        let mut all = Deleted { lacks: why, ..Deleted::default() };
        here.into_iter().for_each(|answer| all.add(None, answer));
        for seen in there {
            let of = object.clone();
            let asked = self.ask_of(Some(seen.look), "deleted of a store", move |archive, bounds| {
                archive.deletions(&of, DELETIONS, bounds)
            });
            let (answer, why) = or_lacks(asked).await?;
            if answer.is_none() && why.why.is_none() {
                missing.push(seen.gone());
            }
            all.lacks = both(all.lacks, &why);
            answer.into_iter().for_each(|answer| all.add(Some(seen.look), answer));
        }
        all.lacks.stores = missing;
        all.found.sort_by_key(|(_, one)| std::cmp::Reverse(one.call.at));
        let rows = self.rows_of(all.found.iter().map(|(look, one)| (*look, &one.call))).await?;
        let found = all.found.iter().zip(rows).map(|((_, one), row)| DeletionLine {
            row,
            how: match one.how {
                How::Named => DeletedHow::Named,
                How::Collection => DeletedHow::Collection,
                How::Namespace => DeletedHow::Namespace,
                How::Evicted => DeletedHow::Evicted,
                How::Kind => DeletedHow::Kind,
            },
        });
        Ok(DeletedView {
            resource: Shown::from(resource),
            found: found.collect(),
            has_more: all.has_more,
            begun: number(all.begun),
            untold: number(all.untold),
            lacks: all.lacks,
        })
    }
}

/// What may have removed an object, by all who tell of it.
#[derive(Default)]
struct Deleted {
    /// Each with the look into a log store that it was seen in.
    found: Vec<(Option<u64>, Deletion)>,
    keys: HashSet<String>,
    has_more: bool,
    begun: u64,
    untold: u64,
    lacks: LacksView,
}

impl Deleted {
    /// What one more place tells. What was told already is not told again; of what is only counted the larger number
    /// stands.
    fn add(&mut self, look: Option<u64>, answer: Answer<Deletions>) {
        self.lacks = both(std::mem::take(&mut self.lacks), &lacks(&answer));
        let told = answer.value;
        let is_new = |one: &Deletion| stores::key(&one.call).is_none_or(|key| self.keys.insert(key));
        let new: Vec<Deletion> = told.found.into_iter().filter(is_new).collect();
        self.found.extend(new.into_iter().map(|one| (look, one)));
        self.has_more |= told.has_more;
        self.begun = self.begun.max(told.begun);
        self.untold = self.untold.max(told.untold);
    }
}

/// A call by its id and its moment.
pub(super) fn at_its_moment(
    archive: &Archive,
    id: CallId,
    at: i64,
    bounds: &Bounds,
) -> Result<Call, ArchiveError> {
    let of_moment = Filter::default().from(at).to(at.saturating_add(1));
    let mut cursor = None;
    loop {
        let page = archive.page(&of_moment, cursor, OF_A_MOMENT, bounds)?;
        if let Some(call) = page.value.calls.into_iter().find(|call| call.id == id) {
            return Ok(call);
        }
        cursor = page.value.next;
        if cursor.is_none() || !page.is_whole {
            return Err(ArchiveError::Gone(id));
        }
    }
}

/// A call with what is told of it.
fn told(archive: &Archive, id: CallId, at: i64, bounds: &Bounds) -> Result<Told, ArchiveError> {
    let call = at_its_moment(archive, id, at, bounds)?;
    let raw = archive.raw(id);
    let set =
        raw.as_deref().ok().and_then(|raw| event_in(raw, |event| Act::of(&event, "").replicas)).flatten();
    let before = if set.is_some() { replicas_before(archive, &call, bounds)? } else { None };
    Ok(Told { call, raw, before })
}

/// How many replicas there were before a change, if an earlier change or answer of the same object says so.
fn replicas_before(archive: &Archive, call: &Call, bounds: &Bounds) -> Result<Option<i64>, ArchiveError> {
    let of_object = [Column::Cluster, Column::Resource, Column::Namespace, Column::Name]
        .into_iter()
        .fold(Filter::default().ended().to(call.at), |filter, column| filter.only(column, call.text(column)));
    let before = archive.page(&of_object, None, BEFORE, bounds)?;
    let ids: Vec<CallId> = before.value.calls.iter().map(|call| call.id).collect();
    for raw in archive.raws(&ids).flatten() {
        let said = event_in(&raw, |event| {
            let bodies = [&event.response, &event.request];
            let was_done = event.code.is_some_and(|code| code < 300);
            bodies.into_iter().flatten().find_map(|body| body.replicas).filter(|_| was_done)
        });
        if let Some(replicas) = said.flatten() {
            return Ok(Some(replicas));
        }
    }
    Ok(None)
}

fn flaws(call: &Call) -> Vec<Shown> {
    let words = [
        (Flaw::Partial, "the line was cut: what comes after is missing"),
        (Flaw::DuplicateKey, "a key stood in it twice, and the last one counts"),
        (Flaw::WrongType, "a field was of a wrong type, and was left out"),
        (Flaw::NotText, "it was not all text"),
        (Flaw::Clipped, "something in it was longer than is kept"),
        (Flaw::Truncated, "the API server left out what was sent and answered"),
        (Flaw::OldShape, "it is in a shape that API servers do not write any more"),
    ];
    words.into_iter().filter(|(flaw, _)| call.marks.flaws.has(*flaw)).map(|(_, word)| word.into()).collect()
}

/// What is told of a call, by name.
fn facts(call: &Call, event: &Event<'_>, command: &str) -> Vec<FactView> {
    let came = |field: Field| match call.marks.provenance.of(field) {
        Came::Inferred => FactCame::Inferred,
        Came::Normalised => FactCame::Normalised,
        Came::Absent | Came::Raw => FactCame::Raw,
    };
    let mut out = Vec::new();
    let mut fact = |name: &str, value: String, field: Field| {
        if !value.is_empty() {
            let value = Shown::from(sallyport_model::clip(&value, 4000));
            out.push(FactView { name: name.into(), value, came: came(field) });
        }
    };
    let column = |column: Column| call.text(column).to_owned();
    let mut about = column(Column::Resource);
    for (before, part) in [("/", Column::Subresource), (" ", Column::Name)] {
        if !call.text(part).is_empty() {
            about = format!("{about}{before}{}", call.text(part));
        }
    }
    fact("Verb", column(Column::Verb), Field::Verb);
    fact("About", about, Field::Object);
    fact("Namespace", column(Column::Namespace), Field::Object);
    fact("Command", command.to_owned(), Field::Command);
    fact("Who", column(Column::User), Field::User);
    fact("Groups", event.user.groups.join(", "), Field::User);
    fact("As", column(Column::Impersonated), Field::Impersonated);
    let reason = event.reason.as_deref().map(|reason| format!(" {reason}")).unwrap_or_default();
    fact("Status", format!("{}{reason}", column(Column::Code)).trim().to_owned(), Field::Code);
    fact("Answered", event.message.as_deref().unwrap_or_default().to_owned(), Field::Code);
    fact("Decision", column(Column::Decision), Field::Decision);
    fact("Because", column(Column::Reason), Field::Decision);
    let sets = Act::of(event, command).replicas;
    fact("Replicas", sets.map(|replicas| replicas.to_string()).unwrap_or_default(), Field::Object);
    fact("From", column(Column::Address).replace(',', ", "), Field::SourceIps);
    fact("Program", column(Column::UserAgent), Field::UserAgent);
    fact("Made with", column(Column::Credential), Field::Credential);
    fact("Issued", column(Column::Issued), Field::Credential);
    fact("Took", call.took.map(took).unwrap_or_default(), Field::CompletedAt);
    fact("Audit-ID", call.audit_id.clone(), Field::AuditId);
    fact("Address", event.uri.to_string(), Field::Uri);
    let level = call.marks.level.map(|level| format!("{level:?}")).unwrap_or_default();
    fact("Level", level, Field::Level);
    let stages = [
        (Stage::RequestReceived, "RequestReceived"),
        (Stage::ResponseStarted, "ResponseStarted"),
        (Stage::ResponseComplete, "ResponseComplete"),
        (Stage::Panic, "Panic"),
    ];
    let stages = stages.into_iter().filter(|(stage, _)| call.marks.stages.has(*stage)).map(|(_, word)| word);
    fact("Stages", stages.collect::<Vec<_>>().join(", "), Field::Stage);
    for (key, value) in &event.annotations {
        fact(key, value.to_string(), Field::Decision);
    }
    out
}

fn took(us: u64) -> String {
    match us {
        0..10_000 => format!("{:.1} ms", us as f64 / 1000.0),
        10_000..1_000_000 => format!("{} ms", us / 1000),
        _ => format!("{:.1} s", us as f64 / 1e6),
    }
}

/// How many secrets were taken out of what is kept: each left a mark.
fn taken_out(raw: &str) -> u32 {
    u32::try_from(raw.matches(sallyport_audit::REDACTED).count()).unwrap_or(u32::MAX)
}

/// JSON over several lines; what is none stays as it is, and so does what would be mostly blanks: a text of brackets grows
/// a hundredfold.
fn pretty(raw: &str) -> String {
    let clipped = sallyport_model::clip(raw, RAW_MOST);
    let Ok(json) = serde_json::from_str::<serde_json::Value>(&clipped) else { return clipped };
    let mut out = Bounded { text: String::new(), most: clipped.len().saturating_mul(4).max(PRETTY_LEAST) };
    match write!(out, "{json:#}") {
        Ok(()) => out.text,
        Err(_) => clipped,
    }
}

/// A text that takes no more than so many bytes.
struct Bounded {
    text: String,
    most: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.text.len() + part.len() > self.most {
            return Err(fmt::Error);
        }
        self.text.push_str(part);
        Ok(())
    }
}

/// Each line as it may be seen, and of very many how many more there are: the window draws each.
pub(super) fn lines(text: &str) -> Vec<Shown> {
    let mut lines: Vec<Shown> = text.lines().take(LINES_MOST).map(Shown::from).collect();
    let more = text.lines().skip(LINES_MOST).count();
    if more > 0 {
        lines.push(Shown::from(format!("… and {more} more lines")));
    }
    lines
}

fn entry_json(entry: &sallyport_audit::Entry) -> serde_json::Value {
    let id = |id: Option<&str>| id.map_or(serde_json::Value::Null, Into::into);
    serde_json::json!({
        "sequence": entry.sequence,
        "atUs": entry.at,
        "action": entry.action.as_str(),
        "outcome": entry.outcome.as_str(),
        "user": id(entry.user.as_ref().map(|user| user.as_str())),
        "cluster": id(entry.cluster.as_ref().map(|cluster| cluster.as_str())),
        "request": id(entry.request.as_ref().map(|id| id.as_str())),
        "grant": id(entry.grant.as_ref().map(|id| id.as_str())),
        "session": id(entry.session.as_ref().map(|id| id.as_str())),
        "jti": id(entry.jti.as_ref().map(|id| id.as_str())),
        "auditID": id(entry.audit_id.as_ref().map(|id| id.as_str())),
        "detail": entry.detail.values(),
        "redactions": entry.redactions,
    })
}

/// The resource behind what people write for the kinds that Kubernetes ships; what is not listed is taken as it is.
fn plural(asked: &str) -> Option<&'static str> {
    const KINDS: [(&str, &str, &str); 28] = [
        ("pod", "po", "pods"),
        ("deployment", "deploy", "deployments.apps"),
        ("replicaset", "rs", "replicasets.apps"),
        ("statefulset", "sts", "statefulsets.apps"),
        ("daemonset", "ds", "daemonsets.apps"),
        ("job", "", "jobs.batch"),
        ("cronjob", "cj", "cronjobs.batch"),
        ("service", "svc", "services"),
        ("ingress", "ing", "ingresses.networking.k8s.io"),
        ("networkpolicy", "netpol", "networkpolicies.networking.k8s.io"),
        ("configmap", "cm", "configmaps"),
        ("secret", "", "secrets"),
        ("serviceaccount", "sa", "serviceaccounts"),
        ("namespace", "ns", "namespaces"),
        ("node", "no", "nodes"),
        ("persistentvolume", "pv", "persistentvolumes"),
        ("persistentvolumeclaim", "pvc", "persistentvolumeclaims"),
        ("storageclass", "sc", "storageclasses.storage.k8s.io"),
        ("role", "", "roles.rbac.authorization.k8s.io"),
        ("rolebinding", "", "rolebindings.rbac.authorization.k8s.io"),
        ("clusterrole", "", "clusterroles.rbac.authorization.k8s.io"),
        ("clusterrolebinding", "", "clusterrolebindings.rbac.authorization.k8s.io"),
        ("customresourcedefinition", "crd", "customresourcedefinitions.apiextensions.k8s.io"),
        ("horizontalpodautoscaler", "hpa", "horizontalpodautoscalers.autoscaling"),
        ("poddisruptionbudget", "pdb", "poddisruptionbudgets.policy"),
        ("resourcequota", "quota", "resourcequotas"),
        ("endpointslice", "", "endpointslices.discovery.k8s.io"),
        ("lease", "", "leases.coordination.k8s.io"),
    ];
    let is_it = |(kind, short, resource): &&(&str, &str, &str)| {
        let plain = resource.split('.').next().unwrap_or(resource);
        asked == *kind || asked == plain || !short.is_empty() && asked == *short
    };
    KINDS.iter().find(is_it).map(|(.., resource)| *resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_what_people_write() {
        for asked in ["deploy", "deployment", "deployments"] {
            assert_eq!(plural(asked), Some("deployments.apps"));
        }
        assert_eq!(plural("netpol"), Some("networkpolicies.networking.k8s.io"));
        for own in ["", "widgets.example.com", "deployments.apps"] {
            assert_eq!(plural(own), None, "{own:?}");
        }
    }

    #[test]
    fn what_is_no_json_is_shown_as_it_is() {
        assert_eq!(pretty("{\"a\":1}"), "{\n  \"a\": 1\n}");
        assert_eq!(pretty("{\"a\":"), "{\"a\":");
    }

    #[test]
    fn what_would_be_blanks_alone_or_more_lines_than_a_window_draws_is_bounded() {
        // 120 brackets deep, and a number a line: 120 MB of blanks.
        let deep = format!("{}{}0{}", "[".repeat(120), "0,".repeat(100_000), "]".repeat(120));
        assert_eq!(pretty(&deep), deep, "it stays in one line");
        let many = format!("[{}0]", "0,".repeat(100_000));
        let told = lines(&pretty(&many));
        assert_eq!(told.len(), LINES_MOST + 1);
        assert!(told[LINES_MOST].contains("95003 more lines"), "{}", told[LINES_MOST]);
        let told: usize = lines(&pretty(&deep)).iter().map(|line| line.len()).sum();
        assert!(told < 2 * RAW_MOST);
    }
}
