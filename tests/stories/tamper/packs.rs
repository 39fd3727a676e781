//! What can be done to a pack by whoever passes it on.

use super::desk::{Made, other_seal, seal_key};
use crate::dice::Dice;
use anyhow::{Result, ensure};
use sallyport_audit::{Checkpoint, Line, Linked, PackHead, PackVerdict, PackWriter, leaf, verify_pack};

/// The lines of a pack of some of its entries.
pub(super) fn of(made: &Made, dice: &mut Dice) -> Result<Vec<String>> {
    // Held until all is read: what it was read from is to be there as it was.
    let copy = made.copy()?;
    let kept = copy.kept()?;
    let entries = kept.walk(|all| all.collect::<Result<Vec<Linked>, _>>())??;
    let checkpoints: Vec<Checkpoint> =
        kept.checkpoints()?.into_iter().filter_map(|stored| stored.checkpoint.ok()).collect();
    let origin = leaf(&entries[0].entry);
    let head = PackHead { version: 1, origin, made: 0, by: "story".to_owned(), selection: "some".to_owned() };
    let (mut writer, first) = PackWriter::new(head, checkpoints, &[]);
    let mut lines = vec![first];
    for linked in &entries {
        lines.extend(writer.push(&linked.entry, !dice.one_in(4)));
    }
    lines.push(writer.end());
    Ok(lines.iter().map(Line::to_json).collect())
}

pub(super) fn verdict(lines: &[String]) -> PackVerdict {
    verify_pack(lines.iter().cloned().map(Ok), &[seal_key().public().fingerprint()], &[], |_| {})
}

/// Does one thing to it, and says what that was and what has to be said of it; nothing in particular where that is empty.
pub(super) fn tamper(
    dice: &mut Dice,
    lines: &mut Vec<String>,
) -> Result<(&'static str, &'static [&'static str])> {
    // The first and the last line are not signed; everything between them is.
    let last = lines.len() as u64 - 1;
    let at = 1 + dice.below(last - 1) as usize;
    Ok(match dice.below(8) {
        0 => {
            lines.remove(at);
            ("a line removed", &["deleted", "checkpoint_missing"])
        }
        1 => {
            let line = lines[at].clone();
            lines.insert(at, line);
            ("a line twice", &["inserted", "truncated"])
        }
        2 => {
            let to = 1 + dice.below(last - 1) as usize;
            if lines[at] == lines[to] {
                lines.remove(at);
            } else {
                lines.swap(at, to);
            }
            ("two lines swapped", &[])
        }
        3 => {
            lines.truncate(at);
            ("the end cut off", &["breaks_off"])
        }
        4 => {
            let entry =
                lines.iter().position(|line| line.starts_with("{\"leaf\"") && line.contains("oidc:ada"));
            let at = entry.unwrap_or(at);
            lines[at] = lines[at].replacen("oidc:ada", "oidc:eve", 1);
            ("an entry edited", &["edited"])
        }
        5 => {
            let place = lines.iter().skip(at).position(|line| line.starts_with("{\"leaf\""));
            let at = place.map_or(1, |place| at + place);
            let Line::Entry(mut entry, _) = Line::parse(&lines[at])? else { return tamper(dice, lines) };
            entry.at += 1;
            let forged = leaf(&entry);
            lines[at] = Line::Entry(entry, forged).to_json();
            ("an entry edited and its leaf too", &["changed", "checkpoint_foreign"])
        }
        6 => {
            for line in lines.iter_mut() {
                if let Line::Checkpoint(c) = Line::parse(line)? {
                    let range = (c.first, c.last);
                    let signed = Checkpoint::sign(&other_seal(), c.origin, range, c.root, c.time, None);
                    *line = Line::Checkpoint(signed).to_json();
                }
            }
            ("sealed again with another key", &["resealed"])
        }
        _ => {
            let mut bytes = lines[at].clone().into_bytes();
            let place = dice.below(bytes.len() as u64) as usize;
            bytes[place] ^= 1 << dice.below(7);
            ensure!(bytes != lines[at].as_bytes(), "nothing was changed");
            lines[at] = String::from_utf8_lossy(&bytes).into_owned();
            ("one bit of a line", &[])
        }
    })
}
