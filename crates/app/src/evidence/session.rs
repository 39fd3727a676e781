//! One session: what was asked, what was done, how that is known, and what was used of what was granted.

use super::bypass::{ENTRIES_MOST, OfSession, compared, of_session};
use super::role::{self, Calls};
use super::timeline::account;
use super::{Evidence, filter, number, row, without};
use crate::desk::AppError;
use crate::history::view;
use sallyport_archive::Column;
use sallyport_audit::{Action, Entry};
use sallyport_events::{Innocent, Key, Known, Reconciled, join};
use sallyport_ipc::{BypassLine, LacksView, SessionEvidence, Shown, TieCount, UnseenLine, UsedLine};
use sallyport_model::{ErrorCode, RequestUid, clip};
use std::collections::{BTreeMap, HashMap};

/// Calls that the cluster does not tell of which are named; all are counted.
const UNSEEN: usize = 50;
/// Calls around the gateway that are named.
const BYPASSES: usize = 100;
/// Steps of a session that are shown.
const STEPS: usize = 500;

impl Evidence {
    pub(crate) async fn session(&self, request: String) -> Result<SessionEvidence, AppError> {
        let request = RequestUid::new(clip(request.trim(), 128));
        let own = self.of_request(&request, ENTRIES_MOST).await?;
        let entries = &own.entries;
        let Some(first) = entries.first() else {
            return Err(filter::bad("nothing in this history is about that request")
                .hint("It may have been asked for on another desktop."));
        };
        let accounts: Vec<String> = entries.iter().filter_map(account).collect();
        let cluster = entries.iter().find_map(|entry| entry.cluster.clone());
        let name = cluster.as_ref().map(ToString::to_string).unwrap_or_default();
        let asked = self.ask("session", move |archive, bounds| of_session(archive, &name, &accounts, bounds));
        let (of, mut lacks) = match asked.await {
            Ok(of) => (of, LacksView::default()),
            Err(error) if error.code() == ErrorCode::Cancelled => return Err(error),
            Err(error) => (None, without(&error)),
        };
        let known = Known::of(entries.iter());
        let record = own.record(&self.own_record().await?);
        let compared = of.as_ref().map(|of| compared(of, &known, &record)).unwrap_or_default();
        if let Some(of) = &of {
            lacks = super::both(lacks, &of.lacks);
        }
        let bypasses = match &of {
            Some(of) => self.bypass_lines(of, &compared).await?,
            None => Vec::new(),
        };
        let used = match &of {
            Some(of) if !of.events.is_empty() => {
                let elsewhere = compared.bypass.iter().map(|bypass| bypass.event).collect();
                role::used_on_cluster(&of.events, &elsewhere)
            }
            _ => role::used_through_gateway(entries),
        };
        let text = |action: Action, key: &str| {
            let of_action = entries.iter().filter(|entry| entry.action == action);
            let found = of_action.filter_map(|entry| entry.detail.get(key)).next();
            found.and_then(|value| value.as_str()).map(Shown::from).unwrap_or_default()
        };
        let rules = entries
            .iter()
            .filter(|entry| entry.action == Action::Offer)
            .find_map(|entry| entry.detail.get("rules").and_then(serde_json::Value::as_u64));
        let profile = text(Action::Ask, "profile");
        let role = used.role(&role_name(&profile));
        let last = entries.last().map_or(first.at, |entry| entry.at);
        let has_log = of.as_ref().is_some_and(|of| of.range.is_some());
        Ok(SessionEvidence {
            session: entries.iter().find_map(|entry| entry.session.as_ref()).map(Shown::of),
            who: entries.iter().find_map(|entry| entry.user.as_ref()).map(Shown::of).unwrap_or_default(),
            cluster: cluster.as_ref().map(Shown::of).unwrap_or_default(),
            profile,
            reason: text(Action::Ask, "reason"),
            from_us: first.at,
            to_us: last,
            is_over: entries.iter().any(|entry| entry.action == Action::SessionClosed),
            steps: entries.iter().filter(|entry| is_step(entry)).take(STEPS).map(view).collect(),
            has_more: own.from.is_some() || of.as_ref().is_some_and(|of| of.has_more),
            gateway: number(known.calls().len() as u64),
            seen: number(compared.cluster),
            joined: number(compared.both.len() as u64),
            ties: of.as_ref().map(|of| ties(of, &known)).unwrap_or_default(),
            asked: number(compared.own.len() as u64),
            unclear: number(compared.unclear.len() as u64),
            bypasses,
            // Without a log of the cluster nothing is missing in it.
            unseen: if has_log { unseen(&compared, &known) } else { Vec::new() },
            unseen_count: if has_log { number(compared.unseen.len() as u64) } else { 0 },
            used: lines(&used),
            granted_rules: rules.and_then(|rules| u32::try_from(rules).ok()),
            role_rules: role.as_ref().map_or(0, |(_, rules)| *rules),
            role: role.map(|(yaml, _)| super::call::lines(&yaml)).unwrap_or_default(),
            request: Shown::of(&request),
            lacks,
        })
    }

    async fn bypass_lines(&self, of: &OfSession, compared: &Reconciled) -> Result<Vec<BypassLine>, AppError> {
        let mut lines = Vec::new();
        for bypass in compared.bypass.iter().take(BYPASSES) {
            let Some(call) = of.place.get(bypass.event).and_then(|at| of.calls.get(*at)) else { continue };
            let row = self.rows(std::slice::from_ref(call), &HashMap::new()).await?.remove(0);
            lines.push(BypassLine {
                row,
                reuses_an_id: bypass.why == sallyport_events::Away::ReusedId,
                address: Shown::from(call.text(Column::Address)),
            });
        }
        Ok(lines)
    }
}

/// A step, and no call of one.
fn is_step(entry: &Entry) -> bool {
    !matches!(entry.action, Action::Call | Action::StreamStart | Action::StreamEnd)
}

fn role_name(profile: &str) -> String {
    if profile.is_empty() { "used".to_owned() } else { format!("{profile}-used") }
}

/// By what the cluster's calls are tied.
fn ties(of: &OfSession, known: &Known) -> Vec<TieCount> {
    let mut counts: BTreeMap<Key, u32> = BTreeMap::new();
    for event in &of.events {
        if let Some(link) = join(event, known).link {
            *counts.entry(link.key).or_default() += 1;
        }
    }
    counts.into_iter().map(|(key, calls)| TieCount { by: row::by(key), calls }).collect()
}

fn unseen(compared: &Reconciled, known: &Known) -> Vec<UnseenLine> {
    let first = compared.unseen.iter().take(UNSEEN);
    let line = |unseen: &sallyport_events::Unseen| {
        let call = known.calls().get(unseen.call)?;
        Some(UnseenLine {
            at_us: call.at,
            address: Shown::from(&call.uri),
            innocent: unseen.innocent.iter().map(|why| innocent(*why).into()).collect(),
        })
    };
    first.filter_map(line).collect()
}

fn innocent(why: Innocent) -> &'static str {
    match why {
        Innocent::NotTold => "the audit policy tells nothing of such calls",
        Innocent::PolicyUnknown => "nobody knows what the audit policy tells of",
        Innocent::StillOpen => "it is still under way",
        Innocent::Late => "it may be on its way",
        Innocent::Outside => "the log begins after it, or ends before it",
        Innocent::Gap => "there is a hole in the log at that time",
        Innocent::OtherServer => "another API server may have told of it",
        Innocent::NeverArrived => "the gateway got no answer: it may never have arrived",
    }
}

/// By resource, whatever the namespace.
fn lines(used: &Calls) -> Vec<UsedLine> {
    let line = |(resource, one): (String, role::OfResource)| UsedLine {
        resource: Shown::from(resource),
        verbs: one.verbs.iter().map(Shown::from).collect(),
        times: number(one.times),
        denied: number(one.denied),
    };
    used.by_resource().into_iter().map(line).collect()
}
