//! More than a thousand ways to tamper with a history, each on a copy of one that the real store wrote: all of them are found,
//! and what is named is what was done. Then the same of one that the product wrote, with what its requests on the hub say.

mod desk;
mod histories;
mod packs;

use crate::dice::Dice;
use crate::lines::Lines;
use anyhow::{Context as _, Result, bail, ensure};
use desk::{Made, seal_key};
use histories::{KINDS, Seen};
use sallyport_api::AccessRequest;
use sallyport_app::{Dirs, Keyring, Options};
use sallyport_audit::{Anchor, Fault, PackVerdict, Seals, Verdict};
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::{Desktop, options};
use sallyport_fleet::window::Secrets;
use sallyport_ipc::{SessionState, SessionView};
use sallyport_store::Kept;
use std::collections::BTreeMap;
use std::time::Instant;

/// Of histories, and of packs.
const MUTATIONS: [u64; 2] = [720, 330];

async fn thousand(lines: &mut Lines) -> Result<()> {
    let (mut dice, seed) = Dice::from_environment();
    let started = Instant::now();
    let made = Made::new(&mut dice).await?;
    let untouched = made.copy()?;
    let sealed = untouched.kept()?.seals(&[seal_key().public().fingerprint()], &made.anchors)?;
    let Seals::Sealed(sealed) = sealed else { bail!("seed {seed}: {sealed:?}") };
    ensure!(
        matches!(untouched.checked()?.verdict(), Verdict::Verified { .. }),
        "seed {seed}: what nobody touched"
    );
    lines.seen(
        "a history of two runs is verified, with its keys and with the public one alone",
        format!(
            "{} entries, {} checkpoints, {} anchors, SALLYPORT_SEED={seed}",
            sealed.entries, sealed.checkpoints, sealed.anchors
        ),
    );

    let mut told: BTreeMap<&str, (usize, BTreeMap<&str, usize>)> = BTreeMap::new();
    let mut missed = Vec::new();
    let shares: u64 = KINDS.iter().map(|(_, share, _)| share).sum();
    for (what, share, tamper) in KINDS {
        for n in 0..(MUTATIONS[0] * share).div_ceil(shares) {
            let copy = made.copy()?;
            let expected = tamper(&mut dice, &made, &copy)?;
            let (first, word) = match seen(&made, &copy, expected.seen) {
                Ok(found) => found,
                Err(error) => {
                    missed.push(format!("{what} {n}, {expected:?}: {error:#}"));
                    continue;
                }
            };
            if expected.first.contains(&first) && expected.words.contains(&word) {
                let (count, words) = told.entry(what).or_default();
                *count += 1;
                *words.entry(word).or_default() += 1;
            } else {
                missed.push(format!("{what} {n}: {word} at {first} is said, and it is {expected:?}"));
            }
        }
    }
    let many: usize = told.values().map(|(count, _)| count).sum();
    for (what, (count, words)) in &told {
        let words: Vec<String> = words.iter().map(|(word, count)| format!("{word} {count}")).collect();
        lines.seen(&format!("{what}: found and named"), format!("{count}: {}", words.join(", ")));
    }

    let pack = packs::of(&made, &mut dice)?;
    ensure!(
        matches!(packs::verdict(&pack), PackVerdict::Sealed(_)),
        "seed {seed}: {:?}",
        packs::verdict(&pack)
    );
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for n in 0..MUTATIONS[1] {
        let mut changed = pack.clone();
        let (what, words) = packs::tamper(&mut dice, &mut changed)?;
        match packs::verdict(&changed) {
            PackVerdict::Broken { why, .. } if words.is_empty() || words.contains(&why.word()) => {
                *kinds.entry(what).or_default() += 1;
            }
            other => missed.push(format!("pack {n}, {what}: {other:?}")),
        }
    }
    let packs: usize = kinds.values().sum();
    for (what, count) in &kinds {
        lines.seen(&format!("a pack with {what}: found"), format!("{count}"));
    }
    for miss in missed.iter().take(10) {
        lines.failed("every mutation is found and named", miss);
    }
    lines.check(
        &format!("{} mutations, {} missed or misnamed", many + packs + missed.len(), missed.len()),
        missed.is_empty() && many + packs >= 1000,
        format!("{} ms, SALLYPORT_SEED={seed}", started.elapsed().as_millis()),
    );
    Ok(())
}

pub(crate) async fn play(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    thousand(lines).await?;
    product(fleet, lines).await
}

/// What a desktop with a keyring keeps, and what the hub has of it.
async fn product(fleet: &Fleet, lines: &mut Lines) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let secrets = Secrets::start(folder.path()).await?;
    let with = Options { keyring: Keyring::Bus(secrets.bus_address()), ..options(fleet) };
    let desktop = Desktop::with(fleet, "dana", tempfile::tempdir()?, with).await?;
    desktop.app.workspace_join(fleet.workspace_file()).await?;
    desktop.app.sign_in(None).await?;
    desktop.until_listed(fleet).await?;
    let session = desktop.open(fleet.target().spec.name, "debug-prod").await?;
    let request = request(fleet, &session).await?;
    let noted = request.spec.history.context("the request says nothing of a history")?;
    let key: sallyport_model::Digest = noted.key.context("the history has no key")?.parse()?;
    let root = noted.root.parse()?;
    lines.seen("what was asked says how the asker's history was", format!("{} entries", noted.sequence));
    desktop.app.session_leave(session.id.clone()).await?;
    desktop.until(&session.id, |view| view.state == SessionState::Closed).await?;
    let view = desktop.app.audit_verify().await?;
    let said = view.why.as_ref().map(ToString::to_string).unwrap_or_default();
    lines.check(
        "the window verifies it, and says by whose key it is sealed",
        view.verdict == sallyport_ipc::Verdict::Verified && said.contains(&format!("{key}")),
        &said,
    );
    let next = renewed(&desktop, lines, &key.to_string()).await?;
    desktop.app.shut_down().await;

    let data = Dirs::under(desktop.home.path()).data;
    let sequence = u64::try_from(noted.sequence)?;
    let anchors = [Anchor { sequence, root, what: "the request".to_owned(), time: None }];
    let kept = || anyhow::Ok(Kept::open(&data)?.seals(&[key], &anchors)?);
    let seals = kept()?;
    lines.check(
        "with the public key alone it is whole to its last entry, and what it was when it was asked",
        matches!(&seals, Seals::Sealed(told) if told.until == told.entries && told.anchors == 1 && told.is_trusted),
        match &seals {
            Seals::Sealed(told) => format!("{} entries, {} checkpoints", told.entries, told.checkpoints),
            other => format!("{other:?}"),
        },
    );
    let by_next = Kept::open(&data)?.seals(&[next.parse()?], &anchors)?;
    lines.check(
        "so it is with the public half of the key that the first one named",
        matches!(&by_next, Seals::Sealed(told) if told.until == told.entries && told.is_trusted && told.key.fingerprint().to_string() == next),
        &next,
    );
    let db = rusqlite::Connection::open(data.join("history.db"))?;
    db.execute_batch(
        "DROP TRIGGER entry_is_not_edited; UPDATE entry SET outcome = 'failed' WHERE action = 'ask'",
    )?;
    let edited = kept()?;
    lines.check(
        "its owner denies what they asked for: found",
        matches!(&edited, Seals::Broken { why: Fault::Edited, .. }),
        format!("{edited:?}"),
    );
    secrets.must_run()
}

/// From the window, another key seals; nothing of either crosses to it but what names them.
async fn renewed(desktop: &Desktop, lines: &mut Lines, before: &str) -> Result<String> {
    let shown = desktop.app.audit_seal().await?;
    let named = |view: &sallyport_ipc::SealView| view.fingerprint.as_ref().map(ToString::to_string);
    ensure!(named(&shown).as_deref() == Some(before) && shown.since.is_some(), "{shown:?}");
    let stale = desktop.app.audit_seal_renew("00".repeat(32)).await;
    ensure!(stale.is_err(), "a key that was not shown is replaced: {stale:?}");
    let view = desktop.app.audit_seal_renew(before.to_owned()).await?;
    let next = named(&view).context("a key")?;
    ensure!(next != before && !view.is_handing_over && view.since >= shown.since, "{view:?}");
    ensure!(
        desktop.app.audit_seal_renew(before.to_owned()).await.is_err(),
        "the one before is replaced again"
    );
    let verified = desktop.app.audit_verify().await?;
    lines.check(
        "another key seals it from the window, and it is verified across both",
        verified.verdict == sallyport_ipc::Verdict::Verified
            && verified.why.as_ref().is_some_and(|why| why.to_string().contains(&next)),
        format!("{before} named {next}"),
    );
    Ok(next)
}

async fn request(fleet: &Fleet, session: &SessionView) -> Result<AccessRequest> {
    let uid = session.request.as_ref().context("it was asked")?;
    let all: kube::Api<AccessRequest> = kube::Api::all(fleet.hub.admin()?);
    let found = all.list(&kube::api::ListParams::default()).await?.items;
    let found = found.into_iter().find(|one| one.metadata.uid.as_deref() == Some(uid.as_str()));
    found.context("it is on the hub")
}

/// What is said of a copy: by whoever has the chain's key, by whoever has the public one, or with what others noted.
fn seen(made: &Made, copy: &desk::Copy, seen: Seen) -> Result<(u64, &'static str)> {
    let checked = copy.checked()?;
    let public = checked.seals.clone();
    match (seen, checked.verdict(), public) {
        (Seen::Anchors, Verdict::Verified { .. }, Seals::Sealed(_)) => {
            match copy.kept()?.seals(&[seal_key().public().fingerprint()], &made.anchors)? {
                Seals::Broken { first_bad, why } => Ok((first_bad, why.word())),
                other => bail!("with anchors: {other:?}"),
            }
        }
        (Seen::Chain, Verdict::Broken { first_bad, why }, Seals::Sealed(_)) => Ok((first_bad, why.word())),
        (Seen::All, Verdict::Broken { first_bad, why }, Seals::Broken { first_bad: first, why: said }) => {
            // The public key alone is told the same, or more exactly what whoever has no key could do.
            ensure!(
                first <= first_bad || said.word() == why.word(),
                "{} at {first} with the public key",
                said.word()
            );
            Ok((first_bad, why.word()))
        }
        (_, verdict, public) => bail!("with all keys {verdict:?}, with the public key {public:?}"),
    }
}
