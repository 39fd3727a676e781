//! The product's own Audit view asks the store: the app without a window, and what the window would be given.

use super::{ARRIVES, CALLS, CLUSTER, pages};
use crate::lines::Lines;
use anyhow::{Context as _, Result, ensure};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::Desktop;
use sallyport_ipc::{StoreDraft, TimelineFilter, TimelinePage, TimelineRow, TimelineSide};
use sallyport_testkit::VictoriaLogs;
use sallyport_testkit::process::wait_until;
use std::collections::BTreeSet;
use std::path::Path;

/// Rows of a page: fewer than there are, so that more than one is asked for.
const PAGE: u32 = 500;

pub(super) async fn asks(
    fleet: &Fleet,
    scratch: &Path,
    logs: &mut VictoriaLogs,
    lines: &mut Lines,
) -> Result<()> {
    let desktop = Desktop::signed_in(fleet, "dana").await?;
    let file = |name: &str| Some(scratch.join(name).display().to_string());
    let store = StoreDraft {
        address: format!("victorialogs:{}", logs.url()),
        authorization_file: file("credential"),
        ca_file: file("ca.pem"),
        ..StoreDraft::default()
    };
    desktop.app.audit_store_add(store).await?;
    let made = TimelineFilter {
        verb: Some("create".into()),
        resource: Some("configmaps".into()),
        text: Some("while-3".into()),
        ..of_cluster()
    };
    let page = until(&desktop, &made, |page| page.rows.len() == 1).await?;
    let row = page.rows.first().context("a row")?;
    let raw = desktop.app.audit_raw(row.id.to_string()).await?;
    lines.check(
        "the Audit view finds a call in the store, in place, with the event as it was written",
        raw.iter().any(|line| line.contains("\"while-3\"")),
        row.sentence.as_str(),
    );

    let expected = ended(logs).await?;
    let rows = all(&desktop).await?;
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let in_order = rows.windows(2).all(|two| two[0].at_us >= two[1].at_us);
    lines.check(
        "page by page it shows every call that the store has, once and in order",
        rows.len() == expected && ids.len() == rows.len() && in_order,
        format!("{} of {expected}", rows.len()),
    );
    let (newest, oldest) = (rows.first().context("rows")?.at_us, rows.last().context("rows")?.at_us);
    let of_time =
        TimelineFilter { from_us: Some(oldest - 1), to_us: Some(newest + 600_000_000), ..of_cluster() };
    let counted = desktop.app.audit_histogram(of_time, 96).await?;
    let many: usize = counted.bins.iter().map(|bin| bin.calls as usize).sum();
    lines.check(
        "the numbers over time are counted by the store",
        many >= expected && counted.lacks.stores.is_empty(),
        format!("{many} in 96 stretches"),
    );

    pages::ask(fleet, &desktop, logs, lines).await?;
    comes_back(&desktop, logs, &made, lines).await?;
    desktop.app.shut_down().await;
    Ok(())
}

/// It dies while somebody looks, and is asked again once it is back.
async fn comes_back(
    desktop: &Desktop,
    logs: &mut VictoriaLogs,
    made: &TimelineFilter,
    lines: &mut Lines,
) -> Result<()> {
    let is_away = |page: &TimelinePage| page.lacks.stores.iter().any(|lacks| lacks.has_failed);
    let has_own = |page: &TimelinePage| page.rows.iter().any(|row| row.side == TimelineSide::Own);
    let has_its = |page: &TimelinePage| page.rows.iter().any(|row| row.side == TimelineSide::Cluster);
    let all = TimelineFilter::default();
    until(desktop, &all, |page| has_own(page) && has_its(page) && !is_away(page)).await?;

    logs.kill();
    let page = until(desktop, &all, is_away).await?;
    let why = page.lacks.stores.first().map(|lacks| lacks.why.to_string()).unwrap_or_default();
    lines.check(
        "when it is dead the view says so, and shows what this desktop did and what it has seen",
        why.contains("can't be reached") && has_own(&page) && has_its(&page),
        why,
    );
    let page = until(desktop, made, is_away).await?;
    lines.check("another question finds nothing there", page.rows.is_empty(), "");

    logs.go_on().await?;
    let page = until(desktop, made, |page| page.rows.len() == 1 && !is_away(page)).await?;
    lines.check(
        "once it is back it is asked again, and has what it alone has",
        page.rows.iter().all(|row| row.id.starts_with("look:")),
        page.rows.first().map(|row| row.sentence.to_string()).unwrap_or_default(),
    );
    Ok(())
}

fn of_cluster() -> TimelineFilter {
    TimelineFilter {
        side: Some(TimelineSide::Cluster),
        cluster: Some(CLUSTER.to_owned()),
        ..TimelineFilter::default()
    }
}

/// The calls whose end the store tells of, each once.
async fn ended(logs: &VictoriaLogs) -> Result<usize> {
    let records = logs.ask(&format!("cluster:={CLUSTER} | fields _msg")).await?;
    let texts = records.iter().filter_map(|record| record["_msg"].as_str());
    let ends: BTreeSet<&str> = texts.filter(|text| text.contains("\"stage\":\"ResponseComplete\"")).collect();
    ensure!(ends.len() > 3 * CALLS, "the store has {} calls", ends.len());
    Ok(ends.len())
}

async fn all(desktop: &Desktop) -> Result<Vec<TimelineRow>> {
    let first =
        until(desktop, &of_cluster(), |page| page.lacks.stores.iter().all(|lacks| !lacks.is_pending)).await?;
    let (mut rows, mut next) = (first.rows, first.next);
    while let Some(before) = next {
        let page = desktop.app.audit_timeline(of_cluster(), Some(before.to_string()), PAGE).await?;
        rows.extend(page.rows);
        next = page.next;
        ensure!(rows.len() < 100_000, "it does not come to its end");
    }
    Ok(rows)
}

/// Waits for a first page that is as it should be: a store's answer may come after it.
async fn until(
    desktop: &Desktop,
    filter: &TimelineFilter,
    is: impl Fn(&TimelinePage) -> bool,
) -> Result<TimelinePage> {
    let found = std::sync::Mutex::new(None);
    wait_until("the Audit view", ARRIVES, &[], async || {
        let Ok(page) = desktop.app.audit_timeline(filter.clone(), None, PAGE).await else { return false };
        let fits = is(&page);
        *found.lock().expect("nobody panics here") = Some(page);
        fits
    })
    .await?;
    found.into_inner().expect("nobody panics here").context("a page")
}
