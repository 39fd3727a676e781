//! What a comparison comes to: the shapes that are written as JSON.

use super::compare::Compared;
use crate::audit::times::told;
use crate::end::End;
use sallyport_events::{Away, Event, Innocent, Key, join};
use sallyport_model::{ClusterName, SessionAccount};
use sallyport_store::Recorded;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Both sides, cluster by cluster.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReconcileView {
    /// `matched`: every call that a cluster saw of a session's token was the gateway's, as far as both sides go; `bypass`:
    /// some came from elsewhere; `unknown`: none is known to, and not everything could be compared.
    pub(super) verdict: &'static str,
    /// From when on calls are compared: RFC 3339, UTC, milliseconds.
    pub(super) from: String,
    /// Until when.
    pub(super) to: String,
    /// When the history's first entry was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) history_from: Option<String>,
    /// When its last was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) history_to: Option<String>,
    /// What the history lacks, a sentence each. Empty: as far as it shows, nothing.
    pub(super) history_gaps: Vec<String>,
    /// The clusters.
    pub(super) clusters: Vec<ClusterView>,
}

/// Both sides of one cluster.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterView {
    pub(super) cluster: String,
    /// The sessions of this history.
    pub(super) sessions: Vec<SessionView>,
    /// Accounts of sessions that this history knows nothing of: another desktop's, as far as this one can tell.
    pub(super) others: Vec<OtherView>,
    /// Calls of others that carry an id which this gateway minted. An id ties nothing: whoever saw one can send it along.
    pub(super) borrowed: Vec<SeenView>,
    /// Calls that the gateway sent and of which no event was found.
    pub(super) unseen: Vec<UnseenView>,
    /// Of the unclear calls those between an end without notice and the next start. Where they are of more than one moment, most
    /// of them can't be the gateway's.
    pub(super) after_stop: u64,
    /// Why this cluster could not be compared in full, a sentence each.
    pub(super) gaps: Vec<String>,
    /// What else there is to say.
    pub(super) notes: Vec<String>,
}

/// One session.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionView {
    /// The request behind it, by its UID.
    pub(super) request: String,
    /// The desktop's session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<String>,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) person: Option<String>,
    /// Who said yes, in the history's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) approved_by: Option<String>,
    /// Calls by its token or account that the cluster saw; without `own` and `aggregated`.
    pub(super) cluster: u64,
    /// Calls that the gateway sent.
    pub(super) gateway: u64,
    /// Calls that both sides have.
    pub(super) both: u64,
    /// What Sallyport itself asks with the token to see that its rights are there and gone, and the removal of its grant.
    pub(super) own: u64,
    /// Told of once more by an aggregated API server, in the course of a call that both have.
    pub(super) aggregated: u64,
    /// What came from elsewhere.
    pub(super) bypass: Vec<SeenView>,
    /// Calls of a time of which the history can't say whether the gateway sent them.
    pub(super) unclear: Vec<SeenView>,
    /// With `--calls`: the calls that both sides have, those of one command of kubectl together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) commands: Option<Vec<CommandView>>,
    /// How many commands of kubectl `both` is, and how many calls that are of none.
    pub(super) kubectl_commands: u64,
    pub(super) other_calls: u64,
}

/// Calls that belong together.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CommandView {
    /// kubectl's id of the command; of other calls there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kubectl_session: Option<String>,
    /// `kubectl get`: without its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) command: Option<String>,
    /// Its calls, in their order.
    pub(super) calls: Vec<TiedView>,
}

/// A call that both sides have.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TiedView {
    /// Its first entry's place in the history.
    pub(super) sequence: u64,
    /// `auditId`: by the id that the gateway minted, with the token or the account that it was minted for.
    pub(super) key: &'static str,
    #[serde(flatten)]
    pub(super) seen: SeenView,
}

/// A call as the cluster saw it. What it does not say is not there.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SeenView {
    /// When, by the API server's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<String>,
    pub(super) person: String,
    pub(super) verb: String,
    /// With its group, and its subresource behind a slash; of what is no resource the path.
    pub(super) what: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) namespace: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    /// The HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<u16>,
    /// From where; all but the last can be set by the client.
    pub(super) address: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) client: String,
    /// What it was made with.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) credential: String,
    pub(super) audit_id: String,
    /// Of a call that came from elsewhere: `unknownId`, the gateway minted no such id; `reusedId`, it has the id of a call
    /// that the gateway sent, and is not that call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<&'static str>,
}

/// Accounts of somebody else's session.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OtherView {
    /// The account's name on the cluster.
    pub(super) account: String,
    /// Its calls in that time.
    pub(super) calls: u64,
}

/// A call of which no event was found.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UnseenView {
    /// Its first entry's place in the history.
    pub(super) sequence: u64,
    /// When, by the desktop's clock.
    pub(super) at: String,
    pub(super) request: String,
    pub(super) method: String,
    /// Path and query, without secrets.
    pub(super) uri: String,
    pub(super) audit_id: String,
    /// What may be behind it: `notTold`, `policyUnknown`, `stillOpen`, `late`, `outside`, `gap`, `otherServer`,
    /// `neverArrived`. Empty: nothing that is known explains it.
    pub(super) innocent: Vec<&'static str>,
}

impl ReconcileView {
    pub(super) fn new((from, to): (i64, i64), recorded: &Recorded) -> Self {
        let mut gaps = Vec::new();
        if recorded.has_more {
            gaps.push(format!(
                "it has more than {} calls in that time, and the others are missing: a later --since looks at fewer",
                super::CALLS_MOST
            ));
        }
        if !recorded.unreadable.is_empty() {
            gaps.push(format!(
                "{} of its rows are no entries: another version's, or somebody's edits, which verifying the history in \
                 Sallyport names",
                recorded.unreadable.len()
            ));
        }
        if !recorded.is_complete {
            let last = recorded.last.map_or_else(|| "its beginning".to_owned(), told);
            gaps.push(format!("Sallyport did not stop in order: what it did after {last} is not known"));
        }
        Self {
            verdict: "unknown",
            from: told(from),
            to: told(to),
            history_from: recorded.first.map(told),
            history_to: recorded.last.map(told),
            history_gaps: gaps,
            clusters: Vec::new(),
        }
    }

    /// Sets the verdict. What came from elsewhere is so whatever else could not be compared.
    pub(super) fn judge(&mut self) -> End {
        let has_bypass = |cluster: &ClusterView| cluster.sessions.iter().any(|one| !one.bypass.is_empty());
        let is_whole = self.clusters.iter().all(|cluster| cluster.gaps.is_empty());
        // Of a history that lacks something, what depends on it is among the clusters' gaps: but for rows and calls that
        // are missing.
        let lacks = self.history_gaps.len()
            > usize::from(self.history_gaps.iter().any(|gap| gap.contains("in order")));
        let (verdict, end) = match (self.clusters.iter().any(has_bypass), is_whole && !lacks) {
            (true, _) => ("bypass", End::Found),
            (false, true) => ("matched", End::Good),
            (false, false) => ("unknown", End::Unanswered),
        };
        self.verdict = verdict;
        end
    }
}

pub(super) fn cluster(name: &ClusterName, compared: &Compared, with_calls: bool) -> ClusterView {
    let Compared { known, events, found, .. } = compared;
    let mut sessions = Vec::new();
    // A history has thousands of sessions, and a cluster may tell of hundreds of thousands of calls: each is looked at once.
    let mut all_commands = commands(compared, with_calls);
    let (owns, aggregated) = (compared.by_session(&found.own), compared.by_session(&found.aggregated));
    let unclear = compared.by_session(&found.unclear);
    let mut bypasses = vec![Vec::new(); known.sessions().len()];
    found.bypass.iter().for_each(|one| bypasses[one.session].push(*one));
    for (at, session) in known.sessions().iter().enumerate() {
        let Commands { both, of_kubectl, others, unseen, list } = std::mem::take(&mut all_commands[at]);
        let seen = |at: usize, why: Option<Away>| SeenView::of(&events[at], why);
        let bypass: Vec<SeenView> = bypasses[at].iter().map(|one| seen(one.event, Some(one.why))).collect();
        let unclear: Vec<SeenView> = unclear[at].iter().map(|event| seen(*event, None)).collect();
        let own = owns[at].len() as u64;
        let has_any = both + unseen + own > 0 || !bypass.is_empty() || !unclear.is_empty();
        if !has_any && !compared.is_of_that_time(at) {
            continue;
        }
        sessions.push(SessionView {
            request: session.request.to_string(),
            session: session.session.as_ref().map(ToString::to_string),
            person: session.user.as_ref().map(ToString::to_string),
            approved_by: session.approved_by.clone(),
            cluster: both + (bypass.len() + unclear.len()) as u64,
            gateway: both + unseen,
            both,
            own,
            aggregated: aggregated[at].len() as u64,
            bypass,
            unclear,
            kubectl_commands: of_kubectl,
            other_calls: others,
            commands: with_calls.then_some(list),
        });
    }
    let unseen = found.unseen.iter().map(|one| {
        let call = &known.calls()[one.call];
        UnseenView {
            sequence: call.sequence,
            at: told(call.at),
            request: known.sessions()[call.session].request.to_string(),
            method: call.method.clone(),
            uri: call.uri.clone(),
            audit_id: call.audit_id.to_string(),
            innocent: one.innocent.iter().map(|why| innocent(*why)).collect(),
        }
    });
    let mut notes = Vec::new();
    if compared.side.bad_lines > 0 {
        notes.push(format!(
            "{} lines of its logs could not be read as events: a call that stood in one of them is in no answer",
            compared.side.bad_lines
        ));
    }
    if compared.cut > 0 {
        notes.push(format!(
            "{} events with an id of this gateway break off before they say whose they are, and are tied to nothing",
            compared.cut
        ));
    }
    ClusterView {
        cluster: name.to_string(),
        sessions,
        others: compared
            .others
            .iter()
            .map(|(account, calls)| OtherView { account: account.clone(), calls: *calls })
            .collect(),
        borrowed: compared.borrowed.iter().map(|event| SeenView::of(event, None)).collect(),
        unseen: unseen.collect(),
        after_stop: compared.after_stop.0,
        gaps: compared.gaps(),
        notes,
    }
}

/// What both sides have of a session.
#[derive(Default)]
struct Commands {
    both: u64,
    of_kubectl: u64,
    others: u64,
    unseen: u64,
    list: Vec<CommandView>,
}

/// Of each session the calls that both sides have, those of one command together, in the order of their entries.
fn commands(compared: &Compared, with_calls: bool) -> Vec<Commands> {
    let (known, events) = (&compared.known, &compared.events);
    let by_call: BTreeMap<usize, usize> =
        compared.found.both.iter().map(|one| (one.call, one.event)).collect();
    let mut all: Vec<Commands> = known.sessions().iter().map(|_| Commands::default()).collect();
    for unseen in &compared.found.unseen {
        all[known.calls()[unseen.call].session].unseen += 1;
    }
    for command in known.commands() {
        let both: Vec<(usize, usize)> =
            command.iter().filter_map(|call| Some((*call, *by_call.get(call)?))).collect();
        let Some((first, _)) = both.first() else { continue };
        let first = &known.calls()[*first];
        let of = &mut all[first.session];
        of.both += both.len() as u64;
        match first.kubectl {
            Some(_) => of.of_kubectl += 1,
            None => of.others += 1,
        }
        if !with_calls {
            continue;
        }
        let tied = |(call, event): (usize, usize)| {
            let key = match join(&events[event], known).link.map(|link| link.key) {
                Some(Key::AuditId) => "auditId",
                Some(Key::Jti) => "jti",
                Some(Key::Account) => "account",
                _ => "inferred",
            };
            let seen = SeenView::of(&events[event], None);
            TiedView { sequence: known.calls()[call].sequence, key, seen }
        };
        of.list.push(CommandView {
            kubectl_session: first.kubectl.clone(),
            command: first.command.clone(),
            calls: both.into_iter().map(tied).collect(),
        });
    }
    all
}

fn innocent(why: Innocent) -> &'static str {
    match why {
        Innocent::NotTold => "notTold",
        Innocent::PolicyUnknown => "policyUnknown",
        Innocent::StillOpen => "stillOpen",
        Innocent::Late => "late",
        Innocent::Outside => "outside",
        Innocent::Gap => "gap",
        Innocent::OtherServer => "otherServer",
        Innocent::NeverArrived => "neverArrived",
    }
}

impl SeenView {
    fn of(event: &Event<'_>, why: Option<Away>) -> Self {
        let object = event.object.as_ref();
        let what = match object {
            Some(object) => {
                let mut what = object.resource.to_string();
                if !object.group.is_empty() {
                    what = format!("{what}.{}", object.group);
                }
                if !object.subresource.is_empty() {
                    what = format!("{what}/{}", object.subresource);
                }
                what
            }
            None => event.uri.split('?').next().unwrap_or_default().to_owned(),
        };
        let account = event.account.as_ref().map(SessionAccount::to_string);
        Self {
            at: event.at().map(told),
            person: account.unwrap_or_else(|| event.user.name.to_string()),
            verb: event.verb.to_string(),
            what,
            namespace: object.map(|object| object.namespace.to_string()).unwrap_or_default(),
            name: object.map(|object| object.name.to_string()).unwrap_or_default(),
            code: event.code,
            address: event.source_ips.join(","),
            client: event.user_agent.as_deref().unwrap_or_default().to_owned(),
            credential: event.credential.as_deref().unwrap_or_default().to_owned(),
            audit_id: event.audit_id.to_string(),
            why: why.map(|why| match why {
                Away::UnknownId => "unknownId",
                Away::ReusedId => "reusedId",
            }),
        }
    }
}
