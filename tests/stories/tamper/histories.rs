//! What can be done to a history on disk by somebody who has the disk and not the keys, and what has to be said of it.

use super::desk::{Copy, Made, other_chain, other_seal};
use crate::dice::Dice;
use anyhow::{Context as _, Result};
use sallyport_audit::{Action, Chain, Checkpoint, Draft, Edge, Entry, Linked, leaf};
use sallyport_model::Digest;
use std::ops::RangeInclusive;

/// Who has to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Whoever has the public key, and whoever has the chain's.
    All,
    /// Whoever has the chain's key: no checkpoint covers it.
    Chain,
    /// Whoever has what others noted.
    Anchors,
}

/// What has to be said.
#[derive(Debug)]
pub(super) struct Expected {
    /// The first bad entry.
    pub(super) first: RangeInclusive<u64>,
    /// The kind of tampering, any of these.
    pub(super) words: &'static [&'static str],
    pub(super) seen: Seen,
}

fn all(first: u64, words: &'static [&'static str]) -> Expected {
    Expected { first: first..=first, words, seen: Seen::All }
}

/// A kind of tampering: what it is called, how many of a hundred, and what it does.
pub(super) type Kind = (&'static str, u64, fn(&mut Dice, &Made, &Copy) -> Result<Expected>);

pub(super) const KINDS: &[Kind] = &[
    ("a field edited", 30, edited),
    ("a link edited", 3, link_edited),
    ("an entry made unreadable", 3, unreadable),
    ("an entry deleted", 6, deleted),
    ("entries deleted and the rest renumbered", 8, renumbered),
    ("two entries swapped", 8, swapped),
    ("an entry moved", 5, moved),
    ("an entry inserted", 8, inserted),
    ("an entry copied in", 3, copied),
    ("the end cut off", 6, truncated),
    ("the end and its checkpoints cut off", 4, truncated_deeply),
    ("links made again without the key", 2, linked_again),
    ("cut and passed off as another key's", 5, passed_off),
    ("edited and sealed again with another key", 4, sealed_again),
    ("the last checkpoints signed by another key", 2, signed_again),
    ("checkpoints removed", 5, unsealed),
    ("a checkpoint edited", 4, checkpoint_edited),
    ("another history's checkpoints", 2, swapped_checkpoints),
    ("an old copy put back", 1, rolled_back),
];

fn some(dice: &mut Dice, from: u64, to: u64) -> u64 {
    from + dice.below(to - from + 1)
}

const FIELDS: [(&str, &str); 12] = [
    ("at", "at + 1"),
    ("action", "CASE action WHEN 'hold' THEN 'deny' ELSE 'hold' END"),
    ("outcome", "CASE outcome WHEN 'ok' THEN 'refused' ELSE 'ok' END"),
    ("user", "'oidc:eve'"),
    ("cluster", "'eu-9'"),
    ("request", "'r-9'"),
    ("grant_uid", "'g-9'"),
    ("session", "'s-9'"),
    ("jti", "'j-9'"),
    ("audit_id", "'a-99'"),
    ("detail", "'{\"n\":-1}'"),
    ("redactions", "redactions + 1"),
];

fn edited(dice: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    let at = some(dice, 1, made.length);
    let (field, value) = dice.pick(&FIELDS);
    copy.sql(&format!("UPDATE entry SET {field} = {value} WHERE sequence = {at}"))?;
    Ok(all(at, if at == 1 { &["edited", "beginning_cut"] } else { &["edited"] }))
}

fn link_edited(dice: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    let at = some(dice, 1, made.length);
    copy.sql(&format!("UPDATE entry SET link = randomblob(32) WHERE sequence = {at}"))?;
    Ok(Expected { seen: Seen::Chain, ..all(at, &["edited"]) })
}

fn unreadable(dice: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    let at = some(dice, 1, made.length);
    let what = dice.pick(&["detail = '[]'", "action = 'nothing'", "cluster = 'A B'", "link = x'00'"]);
    copy.sql(&format!("UPDATE entry SET {what} WHERE sequence = {at}"))?;
    Ok(all(at, &["unreadable"]))
}

fn deleted(dice: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    let at = some(dice, 1, made.length - 1);
    copy.sql(&format!("DELETE FROM entry WHERE sequence = {at}"))?;
    Ok(all(at, &["deleted"]))
}

/// Moves everything from there on by so many places.
fn shift(copy: &Copy, from: u64, by: i64) -> Result<()> {
    copy.sql(&format!(
        "UPDATE entry SET sequence = -(sequence + {by}) WHERE sequence >= {from}; \
         UPDATE entry SET sequence = -sequence WHERE sequence < 0"
    ))
}

fn renumbered(dice: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    let count = some(dice, 1, 3);
    let at = some(dice, 2, made.length - count - 1);
    copy.sql(&format!("DELETE FROM entry WHERE sequence BETWEEN {at} AND {}", at + count - 1))?;
    shift(copy, at + count, -i64::try_from(count)?)?;
    Ok(all(at, &["deleted"]))
}

fn swapped(dice: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    let a = some(dice, 2, made.length - 1);
    let b = some(dice, a + 1, made.length);
    copy.sql(&format!(
        "UPDATE entry SET sequence = -1 WHERE sequence = {a}; UPDATE entry SET sequence = {a} WHERE sequence = {b}; \
         UPDATE entry SET sequence = {b} WHERE sequence = -1"
    ))?;
    Ok(all(a, &["reordered"]))
}

/// An entry further on is put before others.
fn moved(dice: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    let to = some(dice, 2, made.length - 2);
    let from = some(dice, to + 1, made.length);
    copy.sql(&format!("UPDATE entry SET sequence = -1000000 WHERE sequence = {from}"))?;
    copy.sql(&format!(
        "UPDATE entry SET sequence = -(sequence + 1) WHERE sequence >= {to} AND sequence < {from}; \
         UPDATE entry SET sequence = -sequence WHERE sequence < 0 AND sequence > -1000000; \
         UPDATE entry SET sequence = {to} WHERE sequence = -1000000"
    ))?;
    Ok(all(to, &["reordered"]))
}

const COLUMNS: &str = "at, action, outcome, user, cluster, request, grant_uid, session, jti, audit_id";

fn inserted(dice: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    let at = some(dice, 2, made.length);
    shift(copy, at, 1)?;
    copy.sql(&format!(
        "INSERT INTO entry (sequence, {COLUMNS}, detail, redactions, link) SELECT {at}, {COLUMNS}, '{{\"forged\":{}}}', 0, \
         randomblob(32) FROM entry WHERE sequence = {}",
        dice.below(1 << 40),
        at - 1
    ))?;
    Ok(all(at, &["inserted"]))
}

fn copied(dice: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    let at = some(dice, 2, made.length - 1);
    let of = some(dice, at + 1, made.length);
    shift(copy, at, 1)?;
    copy.sql(&format!(
        "INSERT INTO entry (sequence, {COLUMNS}, detail, redactions, link) SELECT {at}, {COLUMNS}, detail, redactions, link \
         FROM entry WHERE sequence = {}",
        of + 1
    ))?;
    Ok(all(at, &["inserted", "reordered"]))
}

fn truncated(dice: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    let last = some(dice, 1, made.length - 1);
    copy.sql(&format!("DELETE FROM entry WHERE sequence > {last}"))?;
    Ok(all(last + 1, &["truncated"]))
}

/// Every trace in the file is removed; the head is left, since nobody else can make one.
fn truncated_deeply(dice: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    let last = some(dice, 1, made.length - 1);
    copy.sql(&format!(
        "DELETE FROM entry WHERE sequence > {last}; DELETE FROM checkpoint WHERE last > {last}"
    ))?;
    Ok(all(last + 1, &["truncated"]))
}

fn entries(copy: &Copy) -> Result<Vec<Entry>> {
    let entries = copy.kept()?.walk(|all| all.collect::<Result<Vec<Linked>, _>>())??;
    Ok(entries.into_iter().map(|linked| linked.entry).collect())
}

/// Whoever has no key makes all links anew, without one or with their own, and a head.
fn linked_again(dice: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    let at = some(dice, 1, made.length);
    let key = dice.one_in(2).then(other_chain);
    copy.sql(&format!("UPDATE entry SET user = 'oidc:eve' WHERE sequence = {at}"))?;
    let admits = dice.one_in(2);
    if admits {
        let begun = Chain::empty(key.clone()).beginning("first").place(1, 0).detail.to_json();
        copy.sql(&format!("UPDATE entry SET detail = '{begun}' WHERE sequence = 1"))?;
    }
    let mut chain = Chain::empty(key);
    for entry in entries(copy)? {
        let link = chain.append(&entry);
        let sequence = i64::try_from(entry.sequence)?;
        copy.db
            .execute("UPDATE entry SET link = ? WHERE sequence = ?", (link.bytes().as_slice(), sequence))?;
    }
    copy.put_head(&chain)?;
    // By the links the first is bad already, whatever was edited.
    Ok(all(1, &["edited"]))
}

fn passed_off(dice: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    let last = some(dice, 3, made.length - 1);
    copy.sql(&format!("DELETE FROM entry WHERE sequence > {last}"))?;
    let key = dice.one_in(2).then(other_chain);
    let mut chain = Chain::resume(key, last, Digest::from(copy.link(last)?));
    let more = dice.below(2 * (made.length - last));
    let drafts = std::iter::once(chain.beginning("another key"))
        .chain((0..more).map(|n| Draft::new(Action::Call).detail("n", n)))
        .chain([Draft::new(Action::AppStopped)]);
    for draft in drafts.collect::<Vec<_>>() {
        append(copy, &mut chain, draft)?;
    }
    if dice.one_in(2) {
        copy.put_head(&chain)?;
    }
    Ok(all(last + 1, &["truncated"]))
}

fn append(copy: &Copy, chain: &mut Chain, draft: Draft) -> Result<()> {
    let entry = draft.place(chain.sequence() + 1, 2_000_000_000_000_000);
    let link = chain.append(&entry);
    let sql =
        "INSERT INTO entry (sequence, at, action, outcome, detail, redactions, link) VALUES (?,?,?,?,?,?,?)";
    let (sequence, detail) = (i64::try_from(entry.sequence)?, entry.detail.to_json());
    let (action, outcome) = (entry.action.as_str(), entry.outcome.as_str());
    let link = link.bytes().as_slice();
    copy.db.execute(sql, (sequence, entry.at, action, outcome, detail, entry.redactions, link))?;
    Ok(())
}

/// Replaces the checkpoints from this place on by some of another key, over what is there now.
fn sign_all(copy: &Copy, from: usize) -> Result<u64> {
    let entries = entries(copy)?;
    let origin = leaf(entries.first().context("an entry")?);
    let checkpoints = copy.checkpoints()?;
    let first = checkpoints[from].1;
    let key = other_seal();
    let mut edge = Edge::default();
    let mut leaves = Vec::new();
    let (mut at, mut begins) = (0, 1);
    for entry in &entries {
        edge.push(leaf(entry));
        leaves.extend(leaf(entry).bytes());
        let next = checkpoints.get(at + 1).map_or(entries.len() as u64, |(_, first)| first - 1);
        if entry.sequence == next {
            if at >= from {
                let signed =
                    Checkpoint::sign(&key, origin, (begins, next), edge.root(), entry.at, None).to_json();
                let edges: Vec<u8> = edge.hashes().iter().flat_map(|hash| *hash.bytes()).collect();
                copy.db.execute(
                    "UPDATE checkpoint SET signed = ?, edge = ?, leaves = ?, last = ? WHERE id = ?",
                    (signed, edges, &leaves, i64::try_from(next)?, checkpoints[at].0),
                )?;
            }
            (at, begins) = (at + 1, next + 1);
            leaves.clear();
        }
    }
    Ok(first)
}

fn sealed_again(dice: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    let at = some(dice, 2, made.length);
    copy.sql(&format!("UPDATE entry SET user = 'oidc:eve', cluster = NULL WHERE sequence = {at}"))?;
    sign_all(copy, 0)?;
    Ok(all(1, &["resealed"]))
}

fn signed_again(dice: &mut Dice, _: &Made, copy: &Copy) -> Result<Expected> {
    let checkpoints = copy.checkpoints()?.len() as u64;
    let from = some(dice, 1, checkpoints - 1);
    let first = sign_all(copy, usize::try_from(from)?)?;
    Ok(all(first, &["resealed"]))
}

fn unsealed(dice: &mut Dice, _: &Made, copy: &Copy) -> Result<Expected> {
    let checkpoints = copy.checkpoints()?;
    let from = dice.below(checkpoints.len() as u64) as usize;
    let mut gone = vec![checkpoints[from]];
    gone.extend(checkpoints[from + 1..].iter().filter(|_| dice.one_in(2)));
    for (id, _) in &gone {
        copy.sql(&format!("DELETE FROM checkpoint WHERE id = {id}"))?;
    }
    if gone.len() == checkpoints.len() && dice.one_in(2) {
        copy.sql("DROP TABLE checkpoint; PRAGMA user_version = 1")?;
    }
    Ok(all(gone[0].1, &["checkpoint_missing"]))
}

fn checkpoint_edited(dice: &mut Dice, _: &Made, copy: &Copy) -> Result<Expected> {
    let checkpoints = copy.checkpoints()?;
    let (id, first) = *dice.pick(&checkpoints);
    let signed: String =
        copy.db.query_row("SELECT signed FROM checkpoint WHERE id = ?", [id], |row| row.get(0))?;
    let mut bytes = signed.into_bytes();
    loop {
        let at = dice.below(bytes.len() as u64) as usize;
        let was = bytes[at];
        bytes[at] = *dice.pick(b"0123456789abcdefABCDEF+/\"{ ");
        if bytes[at] != was {
            break;
        }
    }
    copy.db.execute("UPDATE checkpoint SET signed = ? WHERE id = ?", (String::from_utf8(bytes)?, id))?;
    Ok(all(first, &["checkpoint_forged"]))
}

fn swapped_checkpoints(dice: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    let foreign = made.foreign().join("history.db");
    copy.sql(&format!("ATTACH '{}' AS other", foreign.display()))?;
    let checkpoints = copy.checkpoints()?;
    if dice.one_in(2) {
        copy.sql("DELETE FROM checkpoint; INSERT INTO checkpoint SELECT * FROM other.checkpoint")?;
        return Ok(all(1, &["checkpoint_foreign"]));
    }
    let others: i64 = copy.db.query_row("SELECT count(*) FROM other.checkpoint", [], |row| row.get(0))?;
    let at = 1 + dice.below((checkpoints.len() as u64 - 1).min(others as u64 - 1)) as usize;
    let (id, first) = checkpoints[at];
    copy.sql(&format!(
        "UPDATE checkpoint SET signed = (SELECT signed FROM other.checkpoint WHERE id = {}) WHERE id = {id}",
        at + 1
    ))?;
    Ok(all(first, &["checkpoint_foreign"]))
}

fn rolled_back(_: &mut Dice, made: &Made, copy: &Copy) -> Result<Expected> {
    copy.restore(made.before())?;
    Ok(Expected { first: 1..=made.length, words: &["truncated"], seen: Seen::Anchors })
}
