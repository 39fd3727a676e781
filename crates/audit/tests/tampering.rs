//! P18: every way of changing a stored history is found and the first bad entry named, for histories, places and
//! changes that nobody picked by hand.

use proptest::prelude::*;
use sallyport_audit::{
    Action, Chain, ChainKey, Draft, Fault, Head, Linked, Outcome, Unanchored, Unreadable, Verdict, verify,
};
use sallyport_model::{AuditId, SessionId};

fn key() -> ChainKey {
    ChainKey::new([42; 32])
}

/// A history of `length` entries (the first is its beginning) with its head.
fn history(key: Option<ChainKey>, length: u64) -> (Vec<Linked>, Head) {
    let mut chain = Chain::empty(key);
    let mut out = Vec::new();
    for sequence in 1..=length {
        let draft = if sequence == 1 {
            chain.beginning("first")
        } else {
            Draft::new(Action::Call)
                .session(&SessionId::new(format!("s{}", sequence % 3)))
                .audit_id(&AuditId::new(format!("a{sequence}")))
                .detail("path", format!("/api/v1/pods/{sequence}"))
        };
        let entry = draft.place(sequence, 1_000_000 + sequence as i64);
        let link = chain.append(&entry);
        out.push(Linked { entry, link });
    }
    (out, chain.head())
}

fn check(entries: &[Linked], head: Option<&Head>, key: Option<&ChainKey>) -> Verdict {
    verify(entries.iter().cloned().map(Ok), head, key)
}

fn renumber(entries: &mut [Linked]) {
    for (sequence, linked) in (1..).zip(entries) {
        linked.entry.sequence = sequence;
    }
}

fn forged(sequence: u64) -> Linked {
    let entry = Draft::new(Action::Leave).detail("path", "forged").place(sequence, 5);
    // Whoever forges can compute everything but the keyed hash.
    let link = Chain::resume(None, sequence - 1, [9; 32].into()).append(&entry);
    Linked { entry, link }
}

#[test]
fn p18_an_untouched_history_is_verified() {
    for length in [1, 2, 50] {
        let (entries, head) = history(Some(key()), length);
        assert_eq!(check(&entries, Some(&head), Some(&key())), Verdict::Verified { entries: length });
    }
}

#[test]
fn p18_without_a_key_it_is_unanchored_and_never_verified() {
    let (keyed, keyed_head) = history(Some(key()), 9);
    let (plain, plain_head) = history(None, 9);
    let no_key = Verdict::Unanchored { entries: 9, until: 9, why: Unanchored::NoKey };
    assert_eq!(check(&keyed, Some(&keyed_head), None), no_key);
    assert_eq!(check(&plain, Some(&plain_head), None), no_key);
    assert_eq!(check(&[], None, None), Verdict::Unanchored { entries: 0, until: 0, why: Unanchored::NoKey });
    // Accidents still show without a key.
    let mut edited = plain.clone();
    edited[4].entry.at += 1;
    assert_eq!(check(&edited, Some(&plain_head), None), Verdict::Broken { first_bad: 5, why: Fault::Edited });
}

#[test]
fn p18_a_history_rebuilt_without_the_key_is_not_verified() {
    let (rebuilt, own_head) = history(None, 9);
    let (_, true_head) = history(Some(key()), 9);
    let forged = Verdict::Broken { first_bad: 9, why: Fault::HeadForged };
    assert_eq!(check(&rebuilt, Some(&own_head), Some(&key())), forged);
    let other = Verdict::Broken { first_bad: 9, why: Fault::HeadMismatch };
    assert_eq!(check(&rebuilt, Some(&true_head), Some(&key())), other);
    assert!(matches!(check(&rebuilt, None, Some(&key())), Verdict::Broken { why: Fault::HeadMissing, .. }));
}

#[test]
fn p18_a_key_that_comes_later_anchors_only_what_follows() {
    let (mut entries, _) = history(None, 4);
    let mut chain = Chain::resume(Some(key()), 4, entries[3].link);
    for (sequence, draft) in (5..).zip([chain.beginning("key"), Draft::new(Action::Ask)]) {
        let entry = draft.place(sequence, 5);
        let link = chain.append(&entry);
        entries.push(Linked { entry, link });
    }
    let head = chain.head();
    let partly = Verdict::Unanchored { entries: 6, until: 4, why: Unanchored::WrittenWithout };
    assert_eq!(check(&entries, Some(&head), Some(&key())), partly);
    // What came before the key is fixed from then on.
    entries[3].link = [1; 32].into();
    assert!(matches!(check(&entries, Some(&head), Some(&key())), Verdict::Broken { .. }));
}

#[test]
fn p18_another_key_cannot_vouch() {
    let (entries, head) = history(Some(ChainKey::new([1; 32])), 5);
    assert!(matches!(
        check(&entries, Some(&head), Some(&key())),
        Verdict::Broken { why: Fault::HeadForged, .. }
    ));
}

#[test]
fn p18_damage_found_at_a_start_is_reported_for_good() {
    let mut chain = Chain::empty(Some(key()));
    let entry = chain.beginning_after("history.db was not readable", 1).place(1, 5);
    let link = chain.append(&entry);
    let Verdict::Broken { first_bad: 1, why: Fault::FoundEarlier(said) } =
        check(&[Linked { entry, link }], Some(&chain.head()), Some(&key()))
    else {
        panic!("must be broken")
    };
    assert!(said.contains("not readable"));
}

#[test]
fn p18_a_row_that_is_no_entry_is_named() {
    let (entries, head) = history(Some(key()), 5);
    let rows = entries.into_iter().map(|linked| {
        if linked.entry.sequence == 3 {
            Err(Unreadable { sequence: 3, why: "noise".into() })
        } else {
            Ok(linked)
        }
    });
    let broken = Verdict::Broken { first_bad: 3, why: Fault::Unreadable("noise".into()) };
    assert_eq!(verify(rows, Some(&head), Some(&key())), broken);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn p18_every_edit_is_found(length in 1u64..40, at: prop::sample::Index, field in 0usize..8) {
        let (mut entries, head) = history(Some(key()), length);
        let at = at.index(entries.len());
        let linked = &mut entries[at];
        match field {
            0 => linked.entry.at += 1,
            1 => linked.entry.outcome = Outcome::Unknown,
            2 => linked.entry.user = Some("eve".parse().unwrap()),
            3 => linked.entry.cluster = Some("other".parse().unwrap()),
            4 => linked.entry.session = Some(SessionId::new("other")),
            5 => linked.entry.detail.put("more", 1),
            6 => linked.entry.redactions += 1,
            _ => linked.entry.audit_id = Some(AuditId::new("other")),
        }
        let broken = Verdict::Broken { first_bad: at as u64 + 1, why: Fault::Edited };
        prop_assert_eq!(check(&entries, Some(&head), Some(&key())), broken);
    }

    #[test]
    fn p18_every_edited_link_is_found(length in 2u64..40, at: prop::sample::Index) {
        let (mut entries, head) = history(Some(key()), length);
        let at = at.index(entries.len());
        entries[at].link = [3; 32].into();
        let Verdict::Broken { first_bad, .. } = check(&entries, Some(&head), Some(&key())) else {
            return Err(TestCaseError::fail("not found"));
        };
        prop_assert_eq!(first_bad, at as u64 + 1);
    }

    #[test]
    fn p18_every_deletion_is_found(length in 3u64..40, at: prop::sample::Index, count in 1usize..4, renumbered: bool) {
        let (mut entries, head) = history(Some(key()), length);
        // Never the end: that is truncation. Never the first: then nothing begins.
        let at = 1 + at.index(entries.len() - 2);
        let count = count.min(entries.len() - 1 - at);
        entries.drain(at..at + count);
        if renumbered {
            renumber(&mut entries);
        }
        let broken = Verdict::Broken { first_bad: at as u64 + 1, why: Fault::Deleted };
        prop_assert_eq!(check(&entries, Some(&head), Some(&key())), broken);
    }

    #[test]
    fn p18_a_missing_beginning_is_found(length in 2u64..20, renumbered: bool) {
        let (mut entries, head) = history(Some(key()), length);
        entries.remove(0);
        if renumbered {
            renumber(&mut entries);
        }
        let why = if renumbered { Fault::NotBegun } else { Fault::Deleted };
        let broken = Verdict::Broken { first_bad: 1, why };
        prop_assert_eq!(check(&entries, Some(&head), Some(&key())), broken);
    }

    #[test]
    fn p18_every_reordering_is_found(length in 4u64..40, a: prop::sample::Index, b: prop::sample::Index, renumbered: bool) {
        let (mut entries, head) = history(Some(key()), length);
        let a = 1 + a.index(entries.len() - 1);
        let b = 1 + b.index(entries.len() - 1);
        prop_assume!(a != b);
        entries.swap(a, b);
        if renumbered {
            renumber(&mut entries);
        }
        let broken = Verdict::Broken { first_bad: a.min(b) as u64 + 1, why: Fault::Reordered };
        prop_assert_eq!(check(&entries, Some(&head), Some(&key())), broken);
    }

    #[test]
    fn p18_every_insertion_is_found(length in 3u64..40, at: prop::sample::Index, copied: bool) {
        let (mut entries, head) = history(Some(key()), length);
        let at = 1 + at.index(entries.len() - 1);
        let new = if copied { entries[at - 1].clone() } else { forged(at as u64 + 1) };
        entries.insert(at, new);
        renumber(&mut entries);
        let Verdict::Broken { first_bad, why } = check(&entries, Some(&head), Some(&key())) else {
            return Err(TestCaseError::fail("not found"));
        };
        prop_assert_eq!((first_bad, why), (at as u64 + 1, Fault::Inserted));
    }

    #[test]
    fn p18_an_entry_put_after_the_end_is_found(length in 1u64..20) {
        let (mut entries, head) = history(Some(key()), length);
        entries.push(forged(length + 1));
        let Verdict::Broken { first_bad, .. } = check(&entries, Some(&head), Some(&key())) else {
            return Err(TestCaseError::fail("not found"));
        };
        prop_assert_eq!(first_bad, length + 1);
    }

    #[test]
    fn p18_every_truncation_is_found(length in 1u64..40, keep: prop::sample::Index) {
        let (mut entries, head) = history(Some(key()), length);
        entries.truncate(keep.index(entries.len()));
        let broken =
            Verdict::Broken { first_bad: entries.len() as u64 + 1, why: Fault::Truncated { head: length } };
        prop_assert_eq!(check(&entries, Some(&head), Some(&key())), broken);
    }

    #[test]
    fn p18_a_history_cut_and_passed_off_as_another_keys_is_named_as_cut(
        length in 2u64..40, keep: prop::sample::Index, more in 0u64..60, keyed: bool,
    ) {
        let (mut entries, head) = history(Some(key()), length);
        let kept = 1 + keep.index(entries.len() - 1);
        entries.truncate(kept);
        let other = keyed.then(|| ChainKey::new([1; 32]));
        let mut chain = Chain::resume(other, kept as u64, entries[kept - 1].link);
        let drafts = std::iter::once(chain.beginning("another key")).chain((0..more).map(|_| Draft::new(Action::Call)));
        for (sequence, draft) in (kept as u64 + 1..).zip(drafts.collect::<Vec<_>>()) {
            let entry = draft.place(sequence, 5);
            let link = chain.append(&entry);
            entries.push(Linked { entry, link });
        }
        let broken = Verdict::Broken { first_bad: kept as u64 + 1, why: Fault::Truncated { head: length } };
        prop_assert_eq!(check(&entries, Some(&head), Some(&key())), broken);
    }

    #[test]
    fn p18_entries_written_after_the_head_but_under_the_key_are_genuine(length in 1u64..20, lag in 1u64..5) {
        // The head is written after the entries: a crash in between leaves it behind, never ahead.
        let (_, old_head) = history(Some(key()), length);
        let (entries, _) = history(Some(key()), length + lag);
        let verified = Verdict::Verified { entries: length + lag };
        prop_assert_eq!(check(&entries, Some(&old_head), Some(&key())), verified);
    }
}
