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
use crate::effect::{Abouts, Both, Effect, Glance, Open, Outcome, Uses, abouts, same};
use crate::ground::Ground;
use crate::snapshot::Snapshot;
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
    Trial::of(ground, &ground.report()).propose(finding, uses, asker)
}

/// A copy of what was read, on which one change after the other is tried: for one finding or for many.
pub struct Trial<'a> {
    ground: &'a Ground<'a>,
    report: &'a Report,
    known: Abouts<'a>,
    snapshot: Snapshot,
}

impl<'a> Trial<'a> {
    /// For findings of `report`, which is `ground`'s own.
    pub fn of(ground: &'a Ground<'a>, report: &'a Report) -> Self {
        Self { ground, report, known: abouts(report), snapshot: ground.snapshot.clone() }
    }

    /// What is proposed for a finding, as [`propose`] does.
    pub fn propose(&mut self, finding: &Finding, uses: Option<&Uses>, asker: Option<&Caller>) -> Proposed {
        let mut fixes: Vec<Fix> = Vec::new();
        let mut notes: Vec<String> = Vec::new();
        let open = Open::of(self.ground, Some(finding));
        let asked = Asked { finding, open: &open, uses, asker };
        // What two ways begin with alike is worked out once.
        let mut tried: Vec<Vec<Change>> = Vec::new();
        for way in candidate::WAYS {
            let begun = match way(self.ground, finding) {
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
            match self.attempt(&asked, *way, begun) {
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

    /// Changes what a way of fixing proposes until the finding is gone. None: it does not apply, or does not help.
    fn attempt(
        &mut self,
        asked: &Asked<'_>,
        way: candidate::Way,
        mut more: Vec<Change>,
    ) -> Result<Option<Fix>, String> {
        self.snapshot.put_back(self.ground.snapshot);
        let finding = asked.finding;
        let mut changes: Vec<Change> = Vec::new();
        let mut left = finding.clone();
        for round in 1..=ROUNDS {
            for change in more {
                match change.apply(&mut self.snapshot) {
                    Ok(()) => changes.push(change),
                    Err(crate::change::Refusal::Nothing) => {}
                    Err(refusal) => return Err(refusal.to_string()),
                }
            }
            if changes.is_empty() {
                return Ok(None);
            }
            let after = Ground::new(&self.snapshot);
            more = match same(&after.found_by(finding.check), finding) {
                Some(one) if one.evidence != left.evidence => {
                    left = one.clone();
                    way(&after, &left)?
                }
                _ => Vec::new(),
            };
            if more.is_empty() || round == ROUNDS {
                let changes = settled(self.ground, changes);
                let Some(effect) = self.effect(asked, &changes, &after) else { return Ok(None) };
                return self.written(finding, changes, effect).map(Some);
            }
        }
        Ok(None)
    }

    /// What changes do; none: they do not help.
    fn effect(&self, asked: &Asked<'_>, changes: &[Change], after: &Ground<'_>) -> Option<Effect> {
        let Asked { finding, open, uses, asker } = *asked;
        if changes.is_empty() {
            return None;
        }
        let glance = Glance::of(self.ground, open, after, Some(finding));
        if !glance.helps() {
            return None;
        }
        let Self { ground, report, known, .. } = self;
        let both = Both { before: ground, had: report, known, after, has: &after.report() };
        Some(both.effect(changes, Some(finding), glance, uses, asker))
    }

    /// Changes as kubectl takes them, and back.
    fn written(&mut self, finding: &Finding, changes: Vec<Change>, effect: Effect) -> Result<Fix, String> {
        self.snapshot.put_back(self.ground.snapshot);
        let (mut patches, mut undo) = (Vec::new(), Vec::new());
        for change in &changes {
            change.apply(&mut self.snapshot).map_err(|refusal| refusal.to_string())?;
            patches.push(change.patch(&self.snapshot).map_err(|refusal| refusal.to_string())?);
            undo.extend(crate::change::undo(change, self.ground.snapshot));
        }
        let title = match changes.as_slice() {
            [one] => one.said(),
            many => {
                let first = many.first().map(Change::said).unwrap_or_default();
                format!("{first}, and {}", crate::said::count(many.len() - 1, "more change"))
            }
        };
        let request = request::of(finding, &title, &patches, &effect);
        Ok(Fix { title, changes, patches, undo, effect, request })
    }
}

/// What a fix is looked for.
struct Asked<'a> {
    finding: &'a Finding,
    open: &'a Open,
    uses: Option<&'a Uses>,
    asker: Option<&'a Caller>,
}

/// The finding gone before less of it, ways closed before ways left, and of those what takes least from fewest.
fn rank(fix: &Fix) -> (bool, usize, usize, usize, usize) {
    let open = fix.effect.closes.iter().filter(|one| one.after.is_some()).count();
    let weight: usize = fix.effect.losses.iter().map(|one| one.loss.weight()).sum();
    (fix.effect.outcome != Some(Outcome::Gone), open, weight, fix.effect.losses.len(), fix.changes.len())
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
