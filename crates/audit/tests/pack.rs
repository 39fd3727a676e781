//! Packs: any selection proves itself, and nothing that was done to one goes unseen.

use sallyport_audit::{
    Action, Anchor, Chain, ChainKey, Checkpoint, Draft, Edge, Entry, Fault, Line, PackHead, PackTold,
    PackVerdict, PackWriter, SealKey, leaf, verify_pack,
};
use sallyport_model::Digest;

fn seal() -> SealKey {
    SealKey::new([5; 32])
}

/// `length` entries and a checkpoint after each `every`, and where they end before that.
fn history(length: u64, every: u64) -> (Vec<Entry>, Vec<Checkpoint>) {
    let chain = Chain::empty(Some(ChainKey::new([1; 32]))).sealed_with(seal().public().id());
    let entries: Vec<Entry> = (1..=length)
        .map(|n| {
            let draft =
                if n == 1 { chain.beginning("first") } else { Draft::new(Action::Call).detail("n", n) };
            draft.place(n, 1_000 * n as i64)
        })
        .collect();
    let (mut edge, mut checkpoints, mut sealed) = (Edge::default(), Vec::new(), 0);
    for entry in &entries {
        edge.push(leaf(entry));
        if entry.sequence.is_multiple_of(every) {
            let range = (sealed + 1, entry.sequence);
            checkpoints.push(Checkpoint::sign(
                &seal(),
                leaf(&entries[0]),
                range,
                edge.root(),
                entry.at,
                None,
            ));
            sealed = entry.sequence;
        }
    }
    (entries, checkpoints)
}

fn pack(length: u64, every: u64, cuts: &[u64], keep: impl Fn(u64) -> bool) -> Vec<String> {
    let (entries, checkpoints) = history(length, every);
    let origin = leaf(&entries[0]);
    let head = PackHead { version: 1, origin, made: 9, by: "test".into(), selection: "some".into() };
    let (mut writer, first) = PackWriter::new(head, checkpoints, cuts);
    let mut lines = vec![first];
    entries.iter().for_each(|entry| lines.extend(writer.push(entry, keep(entry.sequence))));
    lines.push(writer.end());
    lines.iter().map(Line::to_json).collect()
}

fn check(lines: &[String], anchors: &[Anchor]) -> PackVerdict {
    let keys = [seal().public().fingerprint()];
    verify_pack(lines.iter().cloned().map(Ok), &keys, anchors, |_| {})
}

fn told(lines: &[String], anchors: &[Anchor]) -> PackTold {
    match check(lines, anchors) {
        PackVerdict::Sealed(told) => *told,
        other => panic!("{other:?}"),
    }
}

fn bad(lines: &[String]) -> (u64, Fault) {
    match check(lines, &[]) {
        PackVerdict::Broken { first_bad, why } => (first_bad, why),
        other => panic!("{other:?}"),
    }
}

#[test]
fn p18_every_selection_of_every_length_proves_itself() {
    for length in 1..40u64 {
        for every in [1, 3, 16, 40] {
            for (modulo, rest) in [(1, 0), (2, 1), (7, 3), (100, 99)] {
                let lines = pack(length, every, &[5, 11], |n| n % modulo == rest);
                let until = length / every * every;
                if until == 0 {
                    assert_eq!(bad(&lines).1, Fault::CheckpointMissing);
                    continue;
                }
                let told = told(&lines, &[]);
                assert_eq!((told.sealed.until, told.end.unsealed), (until, length - until));
                assert_eq!(told.end.entries + told.end.left_out, until);
                assert!(told.sealed.is_trusted);
            }
        }
    }
}

#[test]
fn what_is_left_out_takes_little() {
    let lines = pack(4096, 1024, &[], |n| n == 3000);
    assert_eq!(told(&lines, &[]).end.entries, 2);
    assert!(lines.len() < 50, "{} lines", lines.len());
}

#[test]
fn an_anchor_is_met_or_not_or_nothing_is_said_of_it() {
    let (entries, _) = history(64, 64);
    let root = |size: usize| {
        let mut edge = Edge::default();
        entries[..size].iter().for_each(|entry| edge.push(leaf(entry)));
        edge.root()
    };
    let anchor =
        |sequence: u64, root: Digest, time| Anchor { sequence, root, what: "request r".into(), time };
    let lines = pack(64, 64, &[37], |n| n == 50);
    let met = told(&lines, &[anchor(37, root(37), None), anchor(64, root(64), None)]);
    assert_eq!((met.sealed.anchors, met.unknown_anchors), (2, 0));
    assert_eq!(told(&lines, &[anchor(20, root(20), None), anchor(70, root(1), None)]).unknown_anchors, 2);
    let PackVerdict::Broken { why, .. } = check(&lines, &[anchor(37, root(36), None)]) else { panic!("met") };
    assert_eq!(why, Fault::NotAsAnchored("request r".into()));
    // It was there a minute before the pack's last checkpoint was made.
    let lines = pack(64, 64, &[], |_| true);
    let early = [anchor(70, root(1), Some(-70_000_000))];
    let PackVerdict::Broken { first_bad: 65, why: Fault::CutAsAnchored { head: 70, .. } } =
        check(&lines, &early)
    else {
        panic!("{:?}", check(&lines, &early))
    };
}

#[test]
fn p18_what_was_done_to_a_pack_is_named() {
    let whole = || pack(64, 16, &[], |n| n != 40);
    let at = |lines: &[String], what: &str| lines.iter().position(|line| line.contains(what)).unwrap();
    let five = "\"sequence\":25,";

    let mut lines = whole();
    let place = at(&lines, five);
    lines[place] = lines[place].replace("\"outcome\":\"ok\"", "\"outcome\":\"failed\"");
    assert_eq!(bad(&lines), (25, Fault::Edited));

    let mut lines = whole();
    lines.remove(place);
    assert_eq!(bad(&lines), (25, Fault::Deleted));

    let mut lines = whole();
    lines.swap(place, place + 1);
    assert_eq!(bad(&lines), (25, Fault::Reordered));

    let mut lines = whole();
    lines.insert(place, lines[place].clone());
    assert_eq!(bad(&lines), (25, Fault::Inserted));

    // Edited, and the leaf with it: which of sixteen it is nobody knows.
    let mut lines = whole();
    let Line::Entry(mut entry, _) = Line::parse(&lines[place]).unwrap() else { panic!() };
    entry.at += 1;
    let forged = leaf(&entry);
    lines[place] = Line::Entry(entry, forged).to_json();
    assert_eq!(bad(&lines), (17, Fault::Changed { until: 32 }));

    // The leaf alone: the entry is what it was, and its line is not.
    let mut lines = whole();
    let Line::Entry(entry, _) = Line::parse(&lines[place]).unwrap() else { panic!() };
    lines[place] = Line::Entry(entry, forged).to_json();
    assert_eq!(bad(&lines), (25, Fault::Edited));

    let mut lines = whole();
    lines.pop();
    assert_eq!(bad(&lines), (65, Fault::BreaksOff));

    let mut lines = whole();
    let second =
        lines.iter().enumerate().filter(|(_, line)| line.starts_with("{\"checkpoint")).nth(1).unwrap().0;
    lines.remove(second);
    assert_eq!(bad(&lines), (17, Fault::CheckpointMissing));

    let other = SealKey::new([6; 32]);
    let resealed: Vec<String> = whole()
        .iter()
        .map(|line| match Line::parse(line).unwrap() {
            Line::Checkpoint(c) => {
                Line::Checkpoint(Checkpoint::sign(&other, c.origin, (c.first, c.last), c.root, c.time, None))
                    .to_json()
            }
            _ => line.clone(),
        })
        .collect();
    assert_eq!(bad(&resealed), (1, Fault::Resealed(other.public().fingerprint())));
}

#[test]
fn what_is_no_pack_is_said_and_a_hostile_one_does_no_harm() {
    let no_pack = |lines: &[&str]| {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        check(&lines, &[])
    };
    for lines in [
        &[][..],
        &[""],
        &["hello"],
        &["{}"],
        &["{\"end\":{\"entries\":0,\"leftOut\":0,\"checkpoints\":0,\"unsealed\":0}}"],
    ] {
        assert!(matches!(no_pack(lines), PackVerdict::NoPack(_)), "{lines:?}");
    }
    let lines = pack(8, 8, &[], |_| true);
    let hash = "0".repeat(64);
    for hostile in [
        format!("{{\"leftOut\":{{\"from\":2,\"to\":18446744073709551615,\"hash\":\"{hash}\"}}}}"),
        format!("{{\"leftOut\":{{\"from\":2,\"to\":1,\"hash\":\"{hash}\"}}}}"),
        format!("{{\"leftOut\":{{\"from\":2,\"to\":9223372036854775809,\"hash\":\"{hash}\"}}}}"),
        format!("{{\"leftOut\":{{\"from\":0,\"to\":18446744073709551615,\"hash\":\"{hash}\"}}}}"),
        format!("{{\"leftOut\":{{\"from\":2,\"to\":4,\"hash\":\"{hash}\"}}}}"),
    ] {
        let mut lines = lines.clone();
        lines[2] = hostile;
        assert!(matches!(check(&lines, &[]), PackVerdict::Broken { .. }));
    }
    let ends = |line: &str| PackVerdict::NoPack(line.to_owned());
    assert_ne!(check(&lines, &[]), ends(""));
}
