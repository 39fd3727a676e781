//! A team's open requests are watched, its closed ones paged.

use super::{TEAM, an_ask, as_broker, desk, person};
use anyhow::{Context as _, Result, bail, ensure};
use futures::{Stream, StreamExt as _};
use kube::ResourceExt as _;
use sallyport_api::AccessRequest;
use sallyport_hub::{Change, Gone};
use sallyport_model::Phase;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// What a watch says of one request; what it says of others, as other tests make them, is not ours.
async fn said<S>(changes: &mut S, uid: &str) -> Result<Change<AccessRequest>>
where
    S: Stream<Item = Change<AccessRequest>> + Unpin,
{
    let ours = async {
        loop {
            let change = changes.next().await.context("the watch ended")?;
            let of = match &change {
                Change::Put(request) => request.uid().unwrap_or_default(),
                Change::Left(gone) | Change::Deleted(gone) => gone.uid.clone(),
                Change::All { .. } => uid.to_owned(),
                other => bail!("{other:?}"),
            };
            if of == uid {
                return Ok(change);
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ours).await.context("nothing is said of it")?
}

async fn close(request: &AccessRequest) -> Result<AccessRequest> {
    let ended = json!({"type": "Ended", "status": "True", "reason": "Left", "message": "",
        "lastTransitionTime": jiff::Timestamp::now().to_string()});
    as_broker(request, json!({"phase": "Closed", "credential": null, "conditions": [ended]})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_leaves_the_open_ones_when_it_closes_and_its_own_watch_sees_it_closed() -> Result<()> {
    let ada = desk(&person("ada", "payments-dev")).await?;
    let mut open = Box::pin(ada.watch_open(&TEAM.parse()?));
    ensure!(matches!(said(&mut open, "").await?, Change::All { .. }), "the list comes first");
    let (ask, _) = an_ask("ada", "payments-dev", "operate").await?;
    let request = ada.ask(&ask).await?;
    let uid = request.uid().context("a UID")?;
    let Change::Put(seen) = said(&mut open, &uid).await? else { bail!("it is open") };
    ensure!(seen.phase() == Phase::Pending, "one without a phase is open");
    let mut own = Box::pin(ada.watch_request(&request.which()?));
    let Change::All { objects, .. } = said(&mut own, &uid).await? else { bail!("the list comes first") };
    ensure!(objects.len() == 1);

    ada.withdraw(&request.which()?).await?;
    let Change::Put(withdrawn) = said(&mut open, &uid).await? else { bail!("it is still open") };
    ensure!(withdrawn.status.is_some_and(|status| status.withdrawn == Some(true)));
    close(&request).await?;
    let Change::Left(gone) = said(&mut open, &uid).await? else { bail!("it left the selection") };
    ensure!(gone == Gone { namespace: TEAM.into(), name: request.name_any(), uid: uid.clone() });
    // Whoever wants to know how it ended reads it, or watches it by name.
    ensure!(ada.request(&request.which()?).await?.phase() == Phase::Closed);
    loop {
        let Change::Put(seen) = said(&mut own, &uid).await? else { bail!("a session must see Closed") };
        if seen.phase() == Phase::Closed {
            break;
        }
    }
    // One that begins to watch now does not get it, and a desktop's list of the closed ones has it.
    let mut anew = Box::pin(ada.watch_open(&TEAM.parse()?));
    let Change::All { objects, .. } = said(&mut anew, "").await? else { bail!("the list comes first") };
    ensure!(
        objects.iter().all(|one| one.uid().as_deref() != Some(uid.as_str()) && one.phase() != Phase::Closed)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_requests_come_page_by_page_and_each_once() -> Result<()> {
    let ada = desk(&person("ada", "payments-dev")).await?;
    let team = TEAM.parse()?;
    let mut made = BTreeSet::new();
    for _ in 0..5 {
        let (ask, _) = an_ask("ada", "payments-dev", "operate").await?;
        let request = ada.ask(&ask).await?;
        close(&request).await?;
        made.insert(request.name_any());
    }
    let (mut seen, mut next, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let page = ada.closed_of(&team, 2, next.as_deref()).await?;
        ensure!(page.listed.objects.len() <= 2 && page.listed.malformed.is_empty());
        ensure!(page.listed.objects.iter().all(|one| one.phase() == Phase::Closed));
        seen.extend(page.listed.objects.iter().map(|one| one.name_any()));
        pages += 1;
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    let once: BTreeSet<String> = seen.iter().cloned().collect();
    ensure!(once.len() == seen.len() && made.is_subset(&once) && pages >= 3, "{pages} pages of {seen:?}");
    Ok(())
}
