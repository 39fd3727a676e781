//! The fleet's hub, where people sign in by an identity provider with two factors.

use super::truth::Comes;
use crate::lines::Lines;
use anyhow::{Context as _, Result};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::id_token;
use sallyport_kubeconfig::Kubeconfig;
use sallyport_posture::{Ground, Snapshot};
use sallyport_scan::Bounds;

fn comes(snapshot: &Snapshot, id: &str) -> Option<Comes> {
    let report = Ground::new(snapshot).report();
    report.checks.iter().find(|one| one.check.id == id).map(Comes::of)
}

pub(super) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let token = id_token(fleet, "lee").await?;
    let lee = fleet.hub.client_with_token(&token)?;
    let theirs = sallyport_scan::cluster(&lee, &Bounds::default()).await?;
    let admin = sallyport_scan::cluster(&fleet.hub.admin()?, &Bounds::default()).await?;
    let seen = comes(&admin.snapshot(), "AN-01");
    lines.check(
        "people sign in by a provider, as an admin's scan of the hub says",
        seen == Some(Comes::Passes),
        format!("{seen:?}"),
    );
    let unknown = comes(&theirs.snapshot(), "AN-01");
    lines.check(
        "p21 who may not read metrics does not know",
        unknown == Some(Comes::Unknown),
        format!("{unknown:?}"),
    );
    let (by_token, by_certificate) = (comes(&theirs.snapshot(), "AN-03"), comes(&admin.snapshot(), "AN-03"));
    lines.check(
        "a client certificate can't be taken back, and what a token without an id is is not known",
        by_token == Some(Comes::Unknown) && matches!(by_certificate, Some(Comes::Fails(_))),
        format!("{by_token:?} {by_certificate:?}"),
    );
    // Their kubeconfig, if they had one with this token in it.
    let file = fleet.hub.kubeconfig_with_token(&token)?;
    let config = Kubeconfig::load(&file)?;
    let mut theirs = theirs;
    theirs.ways_in = Some(sallyport_scan::ways_in(&config, &config.entry(None)?, &[file]));
    let factors = comes(&theirs.snapshot(), "AN-02");
    lines.check(
        "with two factors, as the token says",
        factors == Some(Comes::Passes),
        format!("{factors:?}"),
    );
    let signature = token.rsplit('.').next().context("a token has a signature")?;
    let kept = theirs.to_json().map_err(anyhow::Error::msg)?;
    lines.check("p1 nothing of the token is kept", !kept.contains(signature) && !kept.contains(&token), "");
    Ok(())
}
