//! What to do about a finding: the least change that ends it, exactly as kubectl takes it, and what it does.
//!
//! Several changes are tried on the snapshot, and what each does is worked out; only those are proposed after which the
//! finding is gone or less. None touches what comes with Kubernetes, and none is made by anybody but an admin with a
//! kubeconfig of their own: a session may not change rights (promise P11).

mod candidate;
mod request;
#[cfg(test)]
mod tests;

pub use request::PullRequest;

use crate::change::{Change, Patch};
use crate::check::{Finding, Report, catalogue};
use crate::effect::{Both, Effect, Glance, Open, Outcome, Uses, same};
use crate::ground::Ground;
use sallyport_rbac::who::Caller;

/// Times that what is still found is looked at again: it may have been given by more bindings than a finding tells.
const ROUNDS: usize = 4;

/// A fix.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// What it does, as an order.
    pub title: String,
    /// What it changes.
    pub changes: Vec<Change>,
    /// The same for kubectl, in this order.
    pub patches: Vec<Patch>,
    /// What puts it back, a document for each object that can be.
    pub undo: Vec<String>,
    /// What it does.
    pub effect: Effect,
    /// The same for whoever keeps these objects in a repository.
    pub request: PullRequest,
}

/// What is proposed for a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposed {
    /// The finding.
    pub finding: Finding,
    /// What is wrong where its check fails.
    pub title: &'static str,
    /// Fixes, the one that takes least first; empty: `advice` is all there is.
    pub fixes: Vec<Fix>,
    /// What to do about it in words.
    pub advice: &'static str,
    /// Why nothing more exact is proposed, where nothing is; and what was left out and why.
    pub notes: Vec<String>,
}

/// What is proposed for a finding of `ground`'s own report. `uses`: what was used lately, where somebody kept that; `asker`:
/// whoever would make the change, with all groups.
pub fn propose(
    ground: &Ground<'_>,
    finding: &Finding,
    uses: Option<&Uses>,
    asker: Option<&Caller>,
) -> Proposed {
    let mut fixes: Vec<Fix> = Vec::new();
    let mut notes: Vec<String> = Vec::new();
    let report = ground.report();
    let open = Open::of(ground, Some(finding));
    let asked = Asked { ground, report: &report, finding, open: &open, uses, asker };
    // What two ways begin with alike is worked out once.
    let mut tried: Vec<Vec<Change>> = Vec::new();
    for way in candidate::WAYS {
        let begun = match way(ground, finding) {
            Ok(begun) if begun.is_empty() || tried.contains(&begun) => continue,
            Ok(begun) => begun,
            Err(why) => {
                if !notes.contains(&why) {
                    notes.push(why);
                }
                continue;
            }
        };
        tried.push(begun.clone());
        match attempt(&asked, *way, begun) {
            Ok(Some(fix)) if fixes.iter().all(|known| known.changes != fix.changes) => fixes.push(fix),
            Ok(_) => {}
            Err(why) if notes.contains(&why) => {}
            Err(why) => notes.push(why),
        }
    }
    fixes.sort_by_key(rank);
    let known = catalogue().iter().find(|check| check.id == finding.check);
    if fixes.is_empty() && notes.is_empty() {
        notes.push("What to change depends on what is needed there, and that cannot be read.".to_owned());
    }
    Proposed {
        title: known.map_or("", |check| check.title),
        advice: known.map_or("", |check| check.fix),
        fixes,
        notes,
        finding: finding.clone(),
    }
}

/// The finding gone before less of it, ways closed before ways left, and of those what takes least from fewest.
fn rank(fix: &Fix) -> (bool, usize, usize, usize, usize) {
    let open = fix.effect.closes.iter().filter(|one| one.after.is_some()).count();
    let weight: usize = fix.effect.losses.iter().map(|one| one.loss.weight()).sum();
    (fix.effect.outcome != Some(Outcome::Gone), open, weight, fix.effect.losses.len(), fix.changes.len())
}

/// What a fix is looked for in.
struct Asked<'a> {
    ground: &'a Ground<'a>,
    report: &'a Report,
    finding: &'a Finding,
    open: &'a Open,
    uses: Option<&'a Uses>,
    asker: Option<&'a Caller>,
}

/// Changes what a way of fixing proposes until the finding is gone. None: it does not apply, or does not help.
fn attempt(asked: &Asked<'_>, way: candidate::Way, mut more: Vec<Change>) -> Result<Option<Fix>, String> {
    let Asked { ground, finding, .. } = *asked;
    let mut snapshot = ground.snapshot.clone();
    let mut changes: Vec<Change> = Vec::new();
    let mut left = finding.clone();
    for round in 1..=ROUNDS {
        for change in more {
            match change.apply(&mut snapshot) {
                Ok(()) => changes.push(change),
                Err(crate::change::Refusal::Nothing) => {}
                Err(refusal) => return Err(refusal.to_string()),
            }
        }
        if changes.is_empty() {
            return Ok(None);
        }
        let after = Ground::new(&snapshot);
        more = match same(&after.found_by(finding.check), finding) {
            Some(one) if one.evidence != left.evidence => {
                left = one.clone();
                way(&after, &left)?
            }
            _ => Vec::new(),
        };
        if more.is_empty() || round == ROUNDS {
            return proposal(asked, changes, &after);
        }
    }
    Ok(None)
}

fn proposal(asked: &Asked<'_>, changes: Vec<Change>, after: &Ground<'_>) -> Result<Option<Fix>, String> {
    let Asked { ground, report, finding, open, uses, asker } = *asked;
    let changes = settled(ground, changes);
    if changes.is_empty() {
        return Ok(None);
    }
    let glance = Glance::of(ground, open, after, Some(finding));
    if !glance.helps() {
        return Ok(None);
    }
    let both = Both { before: ground, had: report, after, has: &after.report() };
    let effect = both.effect(&changes, Some(finding), glance, uses, asker);
    let mut state = ground.snapshot.clone();
    let (mut patches, mut undo) = (Vec::new(), Vec::new());
    for change in &changes {
        change.apply(&mut state).map_err(|refusal| refusal.to_string())?;
        patches.push(change.patch(&state).map_err(|refusal| refusal.to_string())?);
        undo.extend(crate::change::undo(change, ground.snapshot));
    }
    let title = match changes.as_slice() {
        [one] => one.said(),
        many => {
            let first = many.first().map(Change::said).unwrap_or_default();
            format!("{first}, and {}", crate::said::count(many.len() - 1, "more change"))
        }
    };
    let request = request::of(finding, &title, &patches, &effect);
    Ok(Some(Fix { title, changes, patches, undo, effect, request }))
}

/// Each object once: of two changes of one role the later holds, and a binding that several leave is left by one after the
/// other, which makes one file each; where nobody is left, the binding goes.
fn settled(ground: &Ground<'_>, changes: Vec<Change>) -> Vec<Change> {
    let mut settled: Vec<Change> = Vec::new();
    for change in changes {
        if let Change::NarrowRole { role, .. } = &change {
            settled.retain(|known| !matches!(known, Change::NarrowRole { role: own, .. } if own == role));
        }
        if !settled.contains(&change) {
            settled.push(change);
        }
    }
    candidate::whole(ground, settled)
}
