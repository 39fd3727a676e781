//! API servers that let people in differently, and what a scan says of each against what is so (P21): with an admin's
//! rights, with those that a session has, and with none beyond discovery.

mod plane;
mod planted;
mod provider;
mod reader;
mod truth;

use crate::lines::Lines;
use anyhow::Result;
use futures::StreamExt as _;
use plane::World;
use sallyport_fleet::Fleet;
use sallyport_posture::{Ground, Origin, Severity};
use truth::Comes;

/// Planes that live at once: each is an etcd and an API server, and this machine may have two cores.
const AT_ONCE: usize = 3;

/// What `make test` plays: everything off, everything on, and two between.
pub(crate) async fn four(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let all = plane::matrix();
    play(lines, [0, 5, 10, 15].map(|at| all[at].clone()).into()).await?;
    provider::play(fleet, lines).await
}

/// All sixteen of the matrix, and each other way by itself.
pub(crate) async fn whole(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    play(lines, plane::matrix().into_iter().chain(plane::others()).collect()).await?;
    provider::play(fleet, lines).await
}

/// What was seen of one plane.
struct Seen {
    said: Vec<(String, bool, String)>,
    judged: usize,
}

async fn play(lines: &mut Lines, worlds: Vec<World>) -> Result<()> {
    let mut seen = futures::stream::iter(worlds).map(one).buffered(AT_ONCE);
    let mut judged = 0;
    while let Some(seen) = seen.next().await {
        let seen = seen?;
        judged += seen.judged;
        for (what, holds, detail) in seen.said {
            lines.check(&what, holds, detail);
        }
    }
    lines.check(
        "p21 every verdict that was expected was compared",
        judged > 100,
        format!("{judged} verdicts"),
    );
    Ok(())
}

/// One plane, asked by all readers.
async fn one(world: World) -> Result<Seen> {
    let plane = world.start().await?;
    let version = plane.assets().version();
    reader::prepare(&plane, &world).await?;
    let door = reader::door(&plane).await?;
    let mut said = Vec::new();
    let mut judged = 0;
    let mut by_admin = Vec::new();
    for reader in reader::ALL {
        let snapshot = reader.snapshot(&plane, door.clone()).await?;
        let report = Ground::new(&snapshot).report();
        let comes: Vec<(&str, Comes)> =
            report.checks.iter().map(|judged| (judged.check.id, Comes::of(judged))).collect();
        let of = |id: &str| comes.iter().find(|(own, _)| *own == id).map(|(_, comes)| *comes);
        let mut wanted = truth::expected(&world, reader, version);
        if world.authorization == "Node,RBAC" {
            wanted.extend(planted::expected(&world, reader, version));
        }
        judged += wanted.len();
        let wrong: Vec<String> = wanted
            .iter()
            .filter(|(id, wanted)| of(id) != Some(*wanted))
            .map(|(id, wanted)| {
                let why = report.checks.iter().find(|one| one.check.id == *id).map(|one| &one.verdict);
                format!("{id} is {:?} and not {wanted:?}: {why:?}", of(id))
            })
            .collect();
        let detail = if wrong.is_empty() { format!("{} verdicts", wanted.len()) } else { wrong.join("; ") };
        said.push((format!("p21 {}: what {reader} sees is so", world.name), wrong.is_empty(), detail));
        if world.is_as_it_comes() {
            let bad: Vec<_> = report
                .checks
                .iter()
                .flat_map(|one| &one.findings)
                // How old it is, is no setting.
                .filter(|one| one.check != "VR-01")
                .filter(|one| one.severity >= Severity::High && one.origin != Origin::Default)
                .map(|one| one.said.as_str())
                .collect();
            let what = format!("{}: nothing critical or high, by {reader}", world.name);
            said.push((what, bad.is_empty(), bad.join(" ")));
        }
        match reader {
            reader::Reader::Admin => by_admin = comes,
            reader::Reader::Session => {
                let differ: Vec<_> =
                    by_admin.iter().zip(&comes).filter(|(admin, session)| admin != session).collect();
                let what = format!("p21 {}: a session's scan decides what an admin's does", world.name);
                said.push((what, differ.is_empty(), format!("{} checks {differ:?}", comes.len())));
            }
            reader::Reader::Nobody => {
                // Whatever fails for who may read it passes for nobody.
                let better: Vec<_> = by_admin
                    .iter()
                    .zip(&comes)
                    .filter(|(admin, nobody)| matches!(admin.1, Comes::Fails(_)) && nobody.1 == Comes::Passes)
                    .collect();
                let what = format!("p21 {}: nothing passes for want of rights", world.name);
                said.push((what, better.is_empty(), format!("{better:?}")));
            }
        }
    }
    if world.planted {
        let (holds, detail) = planted::tried(&plane, &world).await?;
        said.push((format!("p21 {}: a privileged pod comes to what is so", world.name), holds, detail));
    }
    Ok(Seen { said, judged })
}
