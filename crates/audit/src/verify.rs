use crate::chain::{ChainKey, Head, Linked, link};
use crate::diagnose::diagnose;
use crate::verdict::{Fault, Unanchored, Unreadable, Verdict};
use crate::{Action, Entry};
use sallyport_model::Digest;

/// The detail of a chain's beginning that tells of damage: what it is, and from which entry on.
pub(crate) const DAMAGE: &str = "damage";
pub(crate) const FIRST_BAD: &str = "first_bad";

impl crate::Chain {
    /// Like [`crate::Chain::beginning`], after a start found the history broken. `verify` reports it from then on.
    pub fn beginning_after(&self, damage: &str, first_bad: u64) -> crate::Draft {
        self.beginning("broken").detail(DAMAGE, damage).detail(FIRST_BAD, first_bad)
    }
}

/// Under which key the entries of a stretch were linked.
enum Stretch<'a> {
    Ours(&'a ChainKey),
    Without,
    /// Under a key that is not at hand: only the places can be checked.
    Other,
}

/// Walks a history in its stored order and says what became of it.
///
/// `head` is what was kept apart, `key` the key at hand. Costs one HMAC per entry and keeps none of them; only at a
/// fault some thousand following entries are looked at to name it.
pub fn verify(
    entries: impl Iterator<Item = Result<Linked, Unreadable>>,
    head: Option<&Head>,
    key: Option<&ChainKey>,
) -> Verdict {
    match walk(entries, head, key) {
        Ok(verdict) => verdict,
        Err((first_bad, why)) => Verdict::Broken { first_bad, why },
    }
}

fn walk(
    entries: impl Iterator<Item = Result<Linked, Unreadable>>,
    head: Option<&Head>,
    key: Option<&ChainKey>,
) -> Result<Verdict, (u64, Fault)> {
    let mut entries = entries.fuse();
    let (mut before, mut last) = (Digest::from([0; 32]), 0u64);
    let mut stretch = Stretch::Other;
    let mut unanchored: Option<(u64, Unanchored)> = None;
    // Where our stretch was left for one that the key at hand does not vouch for.
    let mut left: Option<u64> = None;
    while let Some(next) = entries.next() {
        let next = next.map_err(|bad| (bad.sequence, Fault::Unreadable(bad.why)))?;
        let at = last + 1;
        if next.entry.sequence != at {
            return Err(misplaced(&next.entry, at, entries));
        }
        if next.entry.action == Action::ChainBegun {
            let ours = matches!(stretch, Stretch::Ours(_));
            stretch = begun(&next.entry, key);
            left = match stretch {
                Stretch::Ours(_) => None,
                _ => left.or(ours.then_some(at)),
            };
        } else if at == 1 {
            return Err((1, Fault::NotBegun));
        }
        let under = match &stretch {
            Stretch::Ours(key) => Some(Some(*key)),
            Stretch::Without => Some(None),
            Stretch::Other => None,
        };
        if let Some(under) = under
            && link(under, &before, at, &next.entry.encode()) != next.link
        {
            return Err((at, diagnose(under, &before, next, entries, head.map(|h| h.sequence))));
        }
        // Only an entry whose link holds is believed, even about damage.
        if let Some(damage) =
            next.entry.detail.get(DAMAGE).filter(|_| next.entry.action == Action::ChainBegun)
        {
            let from = next.entry.detail.number(FIRST_BAD).unwrap_or(at);
            return Err((from, Fault::FoundEarlier(damage.as_str().unwrap_or_default().to_owned())));
        }
        if let Some(head) = head.filter(|head| head.sequence == at && head.hash != next.link) {
            return Err(cut_off(head, key, left).unwrap_or((at, Fault::HeadMismatch)));
        }
        unanchored = match (&stretch, key) {
            (Stretch::Ours(_), _) => unanchored,
            (_, None) => Some((at, Unanchored::NoKey)),
            (Stretch::Without, _) => Some((at, Unanchored::WrittenWithout)),
            (Stretch::Other, _) => Some((at, Unanchored::OtherKey)),
        };
        (before, last) = (next.link, at);
    }
    check_head(head, key, last, left)?;
    Ok(match unanchored {
        Some((until, why)) => Verdict::Unanchored { entries: last, until, why },
        None if key.is_none() => Verdict::Unanchored { entries: last, until: last, why: Unanchored::NoKey },
        None => Verdict::Verified { entries: last },
    })
}

fn begun<'a>(entry: &Entry, key: Option<&'a ChainKey>) -> Stretch<'a> {
    match (entry.detail.text("chain"), key) {
        (None, _) => Stretch::Without,
        (Some(id), Some(key)) if id == key.id() => Stretch::Ours(key),
        _ => Stretch::Other,
    }
}

/// A place was skipped or taken twice. Whether its entry was deleted or stands elsewhere, the rest tells.
fn misplaced(
    found: &Entry,
    wanted: u64,
    mut rest: impl Iterator<Item = Result<Linked, Unreadable>>,
) -> (u64, Fault) {
    if found.sequence < wanted {
        return (found.sequence, Fault::Inserted);
    }
    let elsewhere = rest.any(|next| next.is_ok_and(|next| next.entry.sequence == wanted));
    (wanted, if elsewhere { Fault::Reordered } else { Fault::Deleted })
}

/// A history cut short and passed off as another key's: the head is under the key at hand, and what stands where it was
/// is not. `left` is where that begins.
fn cut_off(head: &Head, key: Option<&ChainKey>, left: Option<u64>) -> Option<(u64, Fault)> {
    let begun = left.filter(|_| key.is_some() && head.is_under(key))?;
    Some((begun, Fault::Truncated { head: head.sequence }))
}

fn check_head(
    head: Option<&Head>,
    key: Option<&ChainKey>,
    last: u64,
    left: Option<u64>,
) -> Result<(), (u64, Fault)> {
    let Some(head) = head else {
        return if last == 0 { Ok(()) } else { Err((last + 1, Fault::HeadMissing)) };
    };
    // With no key at hand a keyed head can't be judged; the verdict is Unanchored anyway.
    let judged = key.is_some() || head.chain.is_none();
    if judged && !head.is_under(key) {
        return Err((head.sequence.min(last + 1), Fault::HeadForged));
    }
    if head.sequence > last {
        let at_end = (last + 1, Fault::Truncated { head: head.sequence });
        return Err(cut_off(head, key, left).unwrap_or(at_end));
    }
    Ok(())
}
