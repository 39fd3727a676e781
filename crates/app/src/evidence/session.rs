//! One session: what was asked, what was done, how that is known, and what was used of what was granted.

use super::bypass::{ENTRIES_MOST, OfSession, Part, compared, of_accounts_in, range_of};
use super::call::at_its_moment;
use super::chain::Of;
use super::granted;
use super::role::{self, Calls};
use super::stores::{self, For};
use super::timeline::account;
use super::{Evidence, both, filter, lacks, left, number, or_lacks, row};
use crate::desk::AppError;
use sallyport_archive::{Call, Column};
use sallyport_audit::Action;
use sallyport_events::{Innocent, Key, Known, Reconciled, join};
use sallyport_ipc::{
    BypassLine, LacksView, SessionEvidence, Shown, TieCount, TimelineFilter, UnseenLine, UsedLine,
};
use sallyport_model::{RequestUid, clip};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

/// Calls that the cluster does not tell of which are named; all are counted.
const UNSEEN: usize = 50;
/// Calls around the gateway that are named.
const BYPASSES: usize = 100;
/// How long before and after what is on record log stores are asked for calls of a session, in microseconds: clocks differ,
/// and whoever took its token goes on after it was left, until the token's end.
const AROUND: i64 = 3_600_000_000;
const AFTER: i64 = 13 * 3_600_000_000;

impl Evidence {
    pub(crate) async fn session(self: &Arc<Self>, request: String) -> Result<SessionEvidence, AppError> {
        let request = RequestUid::new(clip(request.trim(), 128));
        let own = self.of_request(&request, ENTRIES_MOST).await?;
        let entries = &own.entries;
        let Some(first) = entries.first() else {
            return Err(filter::bad("nothing in this history is about that request")
                .hint("It may have been asked for on another desktop."));
        };
        let last = entries.last().map_or(first.at, |entry| entry.at);
        let is_over = entries.iter().any(|entry| entry.action == Action::SessionClosed);
        let accounts: Vec<String> = entries.iter().filter_map(account).collect();
        let cluster = entries.iter().find_map(|entry| entry.cluster.clone());
        let name = cluster.as_ref().map(ToString::to_string).unwrap_or_default();
        let time = (first.at.saturating_sub(AROUND), is_over.then(|| last.saturating_add(AFTER)));
        let of = self.of_session(&name, &accounts, time).await?;
        let of_chain = Of { request: &request, entries, cluster: &name, accounts: &accounts, time };
        let (chain, of_chain) = self.chain(&of_chain).await?;
        let known = Known::of(entries.iter());
        let record = own.record(&self.own_record().await?);
        let compared = compared(&of, &known, &record);
        let (bypasses, is_whole) = self.bypass_lines(&of, &compared).await?;
        let through_gateway = role::used_through_gateway(entries);
        let used = match of.events.is_empty() {
            true => through_gateway.clone(),
            false => {
                let elsewhere = compared.bypass.iter().map(|bypass| bypass.event).collect();
                role::used_on_cluster(&of.events, &elsewhere)
            }
        };
        // Whatever either side tells was used: a log that begins late makes nothing unused.
        let unused = granted::of(entries).map(|granted| granted.unused(&used.with(through_gateway)));
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
        let has_log = of.record.is_some();
        Ok(SessionEvidence {
            session: entries.iter().find_map(|entry| entry.session.as_ref()).map(Shown::of),
            who: entries.iter().find_map(|entry| entry.user.as_ref()).map(Shown::of).unwrap_or_default(),
            cluster: cluster.as_ref().map(Shown::of).unwrap_or_default(),
            profile,
            reason: text(Action::Ask, "reason"),
            from_us: first.at,
            to_us: last,
            is_over,
            chain,
            has_more: own.from.is_some() || of.has_more,
            gateway: number(known.calls().len() as u64),
            seen: number(compared.cluster),
            joined: number(compared.both.len() as u64),
            ties: ties(&of, &known),
            asked: number(compared.own.len() as u64),
            unclear: number(compared.unclear.len() as u64),
            bypasses,
            // Without a log of the cluster nothing is missing in it.
            unseen: if has_log { unseen(&compared, &known) } else { Vec::new() },
            unseen_count: if has_log { number(compared.unseen.len() as u64) } else { 0 },
            used: lines(&used),
            unused,
            granted_rules: rules.and_then(|rules| u32::try_from(rules).ok()),
            role_rules: role.as_ref().map_or(0, |(_, rules)| *rules),
            role: role.map(|(yaml, _)| super::call::lines(&yaml)).unwrap_or_default(),
            request: Shown::of(&request),
            lacks: LacksView { is_cut: of.lacks.is_cut || of_chain.is_cut || !is_whole, ..of.lacks },
        })
    }

    /// What is told of the calls of these accounts on a cluster, by the archive and by log stores.
    async fn of_session(
        self: &Arc<Self>,
        cluster: &str,
        accounts: &[String],
        (from, to): (i64, Option<i64>),
    ) -> Result<OfSession, AppError> {
        let (name, of) = (cluster.to_owned(), accounts.to_vec());
        let here = self.ask("session", move |archive, bounds| {
            let began = Instant::now();
            let part = of_accounts_in(archive, &name, &of, bounds)?;
            let range = range_of(archive, &name, &left(bounds, began))?;
            let lacks = both(part.lacks, &lacks(&range));
            Ok(Part { lacks, range: range.value, ..part })
        });
        let filter = TimelineFilter { cluster: Some(cluster.to_owned()), ..TimelineFilter::default() };
        let there = self.seen_in_stores(For::Session, (Some(from), to), true, |store| {
            // What was never granted made no calls.
            let is_asked = !accounts.is_empty() && !cluster.is_empty();
            stores::wanted(store, &filter, accounts).filter(|_| is_asked)
        });
        let (here, (there, mut missing)) = tokio::try_join!(or_lacks(here), there)?;
        let (here, mut why) = here;
        let mut parts = Vec::new();
        for seen in there {
            let (name, of) = (cluster.to_owned(), accounts.to_vec());
            let asked = self.ask_of(Some(seen.look), "session of a store", move |archive, bounds| {
                of_accounts_in(archive, &name, &of, bounds)
            });
            let (part, unasked) = or_lacks(asked).await?;
            let is_gone = part.is_none() && unasked.why.is_none();
            why = both(why, &unasked);
            missing.extend(is_gone.then(|| seen.gone()));
            let Some(part) = part else { continue };
            // Before the moment up to which it was looked nothing is known.
            let unseen = seen.before.map(|before| i64::MIN..before);
            let gap = match (part.gap.clone(), unseen) {
                (Some(one), Some(other)) => Some(i64::MIN..one.end.max(other.end)),
                (one, other) => one.or(other),
            };
            parts.push(Part { look: Some(seen.look), gap, range: seen.ends, ..part });
        }
        parts.extend(here);
        let mut out = OfSession::of(parts);
        out.lacks = both(out.lacks, &why);
        out.lacks.stores = missing;
        Ok(out)
    }

    /// Calls around the gateway, and whether none is left out that can't be read any more.
    async fn bypass_lines(
        &self,
        of: &OfSession,
        compared: &Reconciled,
    ) -> Result<(Vec<BypassLine>, bool), AppError> {
        let first = compared.bypass.iter().take(BYPASSES);
        let first: Vec<_> = first.filter_map(|one| Some((one, *of.place.get(one.event)?))).collect();
        let named = first.len();
        let mut looks: Vec<Option<u64>> = first.iter().map(|(_, (look, ..))| *look).collect();
        looks.sort_unstable();
        looks.dedup();
        let mut calls: HashMap<(Option<u64>, u64), Call> = HashMap::new();
        for look in looks {
            let wanted: Vec<_> =
                first.iter().map(|(_, place)| *place).filter(|(of, ..)| *of == look).collect();
            let found = self.ask_of(look, "around the gateway", move |archive, bounds| {
                // One that went meanwhile is left out, and that is said.
                let found = wanted.iter().map(|(_, id, at)| at_its_moment(archive, *id, *at, bounds).ok());
                Ok(found.flatten().collect::<Vec<_>>())
            });
            let found = found.await?.unwrap_or_default();
            calls.extend(found.into_iter().map(|call| ((look, call.id.number()), call)));
        }
        let of_place = |(look, id, _): (Option<u64>, sallyport_archive::CallId, i64)| {
            calls.get(&(look, id.number())).map(|call| (look, call))
        };
        let found: Vec<_> =
            first.into_iter().filter_map(|(one, place)| Some((one, of_place(place)?))).collect();
        let is_whole = found.len() == named;
        let rows = self.rows_of(found.iter().map(|(_, call)| *call)).await?;
        let lines = found.iter().zip(rows).map(|((one, (_, call)), row)| BypassLine {
            row,
            reuses_an_id: one.why == sallyport_events::Away::ReusedId,
            address: Shown::from(call.text(Column::Address)),
        });
        Ok((lines.collect(), is_whole))
    }
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
