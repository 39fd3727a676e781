//! The same session in the window: one chain from signing in to the last proof, with the cluster's own word for what was made
//! for it, one command as one, and what of its rights was never used.

use crate::lines::Lines;
use anyhow::{Context as _, Result};
use sallyport_fleet::Target;
use sallyport_fleet::headless::{Desktop, until};
use sallyport_ipc::{SessionEvidence, SourceState, TieBy, TimelineFilter, TimelineRow, TimelineSide};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

pub(super) async fn shown(
    dana: &Desktop,
    target: &Target,
    request: &str,
    account: &str,
    lines: &mut Lines,
) -> Result<()> {
    let log = target.plane.audit_log().context("the target keeps an audit log")?.display().to_string();
    dana.app.audit_source_add(target.spec.name.to_owned(), log).await?;
    let read = until("the log is read", SOON, async || {
        let sources = dana.app.audit_sources().await.ok()?.sources;
        matches!(sources.first()?.state, SourceState::Read { .. }).then_some(())
    });
    read.await?;
    let session = dana.app.audit_session(request.to_owned()).await?;
    chain(&session, account, lines);
    unused(&session, lines);
    commands(dana, request, lines).await
}

fn chain(session: &SessionEvidence, account: &str, lines: &mut Lines) {
    let chain = &session.chain;
    let told: Vec<String> = chain.iter().map(|row| format!("{} ({})", row.sentence, row.who)).collect();
    let own =
        |word: &str| chain.iter().position(|row| row.side == TimelineSide::Own && row.word.as_str() == word);
    let by_cluster = |begins: &str| {
        let is = |row: &TimelineRow| row.side == TimelineSide::Cluster && row.sentence.starts_with(begins);
        chain.iter().position(is)
    };
    let places = [
        own("sign_in"),
        own("ask"),
        by_cluster("Created service account"),
        by_cluster("Created role binding"),
        by_cluster("Minted a token"),
        own("session_closed"),
    ];
    // Token and binding are made beside each other.
    let without =
        |at: usize| places.iter().enumerate().filter(move |(n, _)| *n != at).map(|(_, place)| place);
    let is_in_order = places.iter().all(Option::is_some) && without(3).is_sorted() && without(4).is_sorted();
    lines.check(
        "its page is one chain: sign-in, request, the cluster's own account, binding and mint, closing",
        is_in_order && own("approved").is_some() && own("granted").is_some(),
        if is_in_order { told.len().to_string() } else { format!("{places:?} in {told:#?}") },
    );
    let minted = places[4].map(|at| &chain[at]);
    lines.check(
        "the mint is the cluster's event of it, by the broker, tied by the id of the token that it issued",
        minted.is_some_and(|row| {
            let is_by_broker = row.who.contains("broker") && row.sentence.contains(account);
            is_by_broker && row.tie.as_ref().is_some_and(|tie| tie.by == TieBy::Issued)
        }),
        minted.map(|row| format!("{} by {}", row.sentence, row.who)).unwrap_or_default(),
    );
    let calls = chain.iter().filter(|row| matches!(row.word.as_str(), "call" | "get" | "list" | "watch"));
    lines.check("no call and no look stands among its steps", calls.count() == 0, told.len());
}

fn unused(session: &SessionEvidence, lines: &mut Lines) {
    let Some(unused) = &session.unused else {
        return lines.failed("what was granted is on record", "it is not");
    };
    let said = |of: &str, verb: &str| {
        let mut all = unused.lines.iter();
        all.any(|line| {
            let is = |list: &[sallyport_ipc::Shown], text: &str| list.iter().any(|one| one.as_str() == text);
            is(&line.of, of) && is(&line.verbs, verb)
        })
    };
    let all: Vec<String> =
        unused.lines.iter().map(|line| format!("{} {}", words(&line.verbs), words(&line.of))).collect();
    lines.check(
        "what was granted and never used is named, and nothing that was used",
        unused.untold == 0 && !unused.lines.is_empty() && !said("pods", "list") && !said("pods", "watch"),
        all.join("; "),
    );
}

fn words(list: &[sallyport_ipc::Shown]) -> String {
    list.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(",")
}

/// Rows of each command, as the window puts them together.
async fn commands(dana: &Desktop, request: &str, lines: &mut Lines) -> Result<()> {
    let filter = TimelineFilter { request: Some(request.to_owned()), ..TimelineFilter::default() };
    let page = dana.app.audit_calls(filter, None, 500).await?;
    let mut calls: BTreeMap<&str, (&str, BTreeSet<&str>)> = BTreeMap::new();
    for command in page.rows.iter().filter_map(|row| row.command.as_ref()) {
        let of = calls.entry(command.id.as_str()).or_insert_with(|| (command.name.as_str(), BTreeSet::new()));
        of.1.insert(command.call.as_str());
    }
    let many = |name: &str| calls.values().filter(|(of, calls)| *of == name && calls.len() > 1).count();
    let told: Vec<String> = calls.values().map(|(name, calls)| format!("{name} {}", calls.len())).collect();
    lines.check(
        "several calls of one kubectl command read as one",
        many("kubectl apply") == 1,
        told.join(", "),
    );
    let paired = page.rows.iter().filter(|row| row.command.is_some() && row.side == TimelineSide::Own);
    let is_paired = |row: &&TimelineRow| row.tie.as_ref().is_some_and(|tie| tie.call.is_some());
    let (all, both) = (paired.clone().count(), paired.filter(is_paired).count());
    lines.check("each of them is told by both sides, in one row", both > 5, format!("{both} of {all}"));
    Ok(())
}
