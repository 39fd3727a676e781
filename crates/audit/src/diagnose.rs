//! Naming what was done to a history, once a link does not hold. The verdict "broken, from this entry on" does not
//! depend on it: this only finds the word for it, by trying which entry would have fitted.

use crate::chain::{ChainKey, Linked, link};
use crate::verdict::{Fault, Unreadable};
use sallyport_model::Digest;

/// How far to look for an entry's true place.
const WINDOW: usize = 4096;
/// How many deleted entries in a row are recognised as such when the rest was renumbered.
const SHIFT: u64 = 1024;

/// `bad` stands at its sequence but does not follow from `before`. `head` is the last sequence the head knows.
pub(crate) fn diagnose(
    key: Option<&ChainKey>,
    before: &Digest,
    bad: Linked,
    rest: impl Iterator<Item = Result<Linked, Unreadable>>,
    head: Option<u64>,
) -> Fault {
    let at = bad.entry.sequence;
    let window: Vec<(Vec<u8>, Digest)> =
        rest.take(WINDOW).map_while(Result::ok).map(|next| (next.entry.encode(), next.link)).collect();
    let bytes = bad.entry.encode();
    let fits = |before: &Digest, sequence: u64, (bytes, linked): &(Vec<u8>, Digest)| {
        link(key, before, sequence, bytes) == *linked
    };
    // The true entry of this place stands further on: something was put before it, new or from elsewhere.
    if window.iter().any(|next| fits(before, at, next)) {
        let itself = (bytes, bad.link);
        let belongs_elsewhere = (at + 1..)
            .zip(&window)
            .any(|(sequence, next)| fits(&next.1, sequence, &itself) || fits(&next.1, sequence + 1, &itself));
        return if belongs_elsewhere { Fault::Reordered } else { Fault::Inserted };
    }
    let Some(follower) = window.first() else {
        return if head.is_some_and(|head| head > at) { Fault::Deleted } else { Fault::Edited };
    };
    if fits(&bad.link, at + 1, follower) {
        return Fault::Edited;
    }
    // It and its follower belong together, but further on: what was between is gone and the rest renumbered.
    if (1..=SHIFT).any(|gone| fits(&bad.link, at + 1 + gone, follower)) {
        return Fault::Deleted;
    }
    Fault::Edited
}
