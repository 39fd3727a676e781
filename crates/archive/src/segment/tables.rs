//! What a transaction writes into the tables of a segment.

use super::{Kept, part_key};
use crate::batch::Batch;
use crate::block;
use crate::coding;
use crate::column::{Column, FORBID};
use crate::marks::Marks;
use crate::raw;
use crate::rows::Rows;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use sallyport_events::is_denied;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Bad lines that a segment names.
const BAD_MOST: i64 = 1000;
const HOUR: i64 = 3_600_000_000;

/// The words of a batch as words of the segment, new ones noted.
pub(super) fn learn(
    tx: &Transaction<'_>,
    words: &mut [HashMap<Arc<str>, u32>],
    bytes: &mut u64,
    added: &mut Vec<(usize, Arc<str>)>,
    batch: &Batch,
) -> Result<Vec<Vec<u32>>, rusqlite::Error> {
    let mut statement = tx.prepare_cached("INSERT INTO word VALUES (?, ?, ?, ?)")?;
    let mut codes = Vec::with_capacity(words.len());
    for (column, (known, new)) in words.iter_mut().zip(&batch.words).enumerate() {
        let mut table = Vec::with_capacity(new.texts.len());
        table.push(0);
        for text in &new.texts[1..] {
            let code = match known.get(text) {
                Some(code) => *code,
                None => {
                    let code = known.len() as u32 + 1;
                    let sum = coding::sum(&[column as i64, code.into()], text.as_bytes());
                    statement.execute(params![column as i64, code, &**text, sum])?;
                    known.insert(text.clone(), code);
                    added.push((column, text.clone()));
                    *bytes += text.len() as u64;
                    code
                }
            };
            table.push(code);
        }
        codes.push(table);
    }
    Ok(codes)
}

pub(super) fn insert(tx: &Transaction<'_>, block: &block::Written) -> Result<(), rusqlite::Error> {
    let meta = &block.meta;
    tx.prepare_cached("INSERT INTO block VALUES (?, ?, ?, ?, ?, ?, ?)")?.execute(params![
        meta.id,
        meta.first as i64,
        meta.calls as i64,
        meta.at_min,
        meta.at_max,
        &*meta.zone,
        meta.sum()
    ])?;
    let mut statement = tx.prepare_cached("INSERT INTO part VALUES (?, ?)")?;
    for (part, frame) in &block.frames {
        statement.execute(params![part_key(meta.id, *part), frame])?;
    }
    Ok(())
}

/// Why raw events were not merged.
pub(super) enum MergeError {
    Sql(rusqlite::Error),
    Damaged(String),
}

impl From<rusqlite::Error> for MergeError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

/// Packs the raw events of small blocks together; parts that are damaged stay as they are.
///
/// Frames are cut by their own measures and not where blocks are: one may begin before `first` and reach beyond it. It
/// stays as it is, with its calls, and what is packed begins where the first frame after it does.
pub(super) fn merge_raw(tx: &Transaction<'_>, first: u64, end: u64) -> Result<(), MergeError> {
    let mut statement = tx.prepare_cached(
        "SELECT first, calls, frame FROM raw WHERE first >= ? AND first < ? ORDER BY first",
    )?;
    let found = statement
        .query_map([first as i64, end as i64], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let Some(begin) = found.first().map(|(first, _, _)| *first) else { return Ok(()) };
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    for (first, calls, frame) in &found {
        // What can't be read can't be merged; nothing of this transaction is then. Nor is what does not follow what
        // came before it, or one lost frame would shift all that come after it.
        let Ok((more, more_ends)) = raw::unpack(frame) else { return Ok(()) };
        if *first != begin + ends.len() as i64 || *calls != more_ends.len() as i64 {
            return Ok(());
        }
        ends.extend(more_ends.iter().map(|end| end + bytes.len()));
        bytes.extend_from_slice(&more);
    }
    let packed = raw::pack(&bytes, &ends).map_err(|error| MergeError::Damaged(error.to_string()))?;
    if packed.len() >= found.len() {
        return Ok(());
    }
    tx.execute("DELETE FROM raw WHERE first >= ? AND first < ?", [begin, end as i64])?;
    let mut statement = tx.prepare_cached("INSERT INTO raw VALUES (?, ?, ?)")?;
    let mut at = begin;
    for part in packed {
        statement.execute(params![at, part.calls as i64, part.frame])?;
        at += part.calls as i64;
    }
    Ok(())
}

/// What heat maps are made of: calls by hour and cluster.
pub(super) fn heat(
    tx: &Transaction<'_>,
    rows: &Rows,
    words: &[HashMap<Arc<str>, u32>],
) -> Result<(), rusqlite::Error> {
    let word = |column: Column, text: &str| words[column as usize].get(text).copied();
    let reads: Vec<u32> =
        ["get", "list", "watch"].iter().filter_map(|verb| word(Column::Verb, verb)).collect();
    let forbid = word(Column::Decision, FORBID);
    // Words of codes, with whether they are failures and refusals.
    let codes: HashMap<u32, (bool, bool)> = words[Column::Code as usize]
        .iter()
        .map(|(text, word)| (*word, text.parse::<u16>().unwrap_or_default()))
        .map(|(word, code)| (word, (code >= 400, is_denied(false, Some(code)))))
        .collect();
    // A call is counted once: when it is over, or where that is all that is told of it.
    let begun: HashSet<u32> = words[Column::Marks as usize]
        .iter()
        .filter(|(text, _)| Marks::read(text).begins())
        .map(|(_, word)| *word)
        .collect();
    let of = |column: Column| &rows.codes[column as usize];
    let mut all: HashMap<(i64, u32), [i64; 4]> = HashMap::new();
    let mut last = ((i64::MIN, 0), [0; 4]);
    for call in (0..rows.len()).filter(|call| !begun.contains(&of(Column::Marks)[*call])) {
        let key = (rows.at[call].div_euclid(HOUR), of(Column::Cluster)[call]);
        if key != last.0 {
            add(&mut all, last);
            last = (key, [0; 4]);
        }
        let (failed, refused) = codes.get(&of(Column::Code)[call]).copied().unwrap_or_default();
        let denied = refused || forbid == Some(of(Column::Decision)[call]);
        last.1[0] += 1;
        last.1[1] += i64::from(!reads.contains(&of(Column::Verb)[call]));
        last.1[2] += i64::from(failed || denied);
        last.1[3] += i64::from(denied);
    }
    add(&mut all, last);
    let mut before =
        tx.prepare_cached("SELECT calls, writes, failed, denied FROM heat WHERE hour = ? AND cluster = ?")?;
    let mut statement = tx.prepare_cached("INSERT OR REPLACE INTO heat VALUES (?, ?, ?, ?, ?, ?, ?)")?;
    for ((hour, cluster), mut counts) in all {
        let known = before.query_row(params![hour, cluster], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, i64>(3)?])
        });
        if let Some(known) = known.optional()? {
            counts.iter_mut().zip(known).for_each(|(count, known)| *count += known);
        }
        let [calls, writes, failed, denied] = counts;
        let sum = coding::sum(&[hour, cluster.into(), calls, writes, failed, denied], &[]);
        statement.execute(params![hour, cluster, calls, writes, failed, denied, sum])?;
    }
    Ok(())
}

fn add(heat: &mut HashMap<(i64, u32), [i64; 4]>, (key, counts): ((i64, u32), [i64; 4])) {
    if counts[0] > 0 {
        let all = heat.entry(key).or_default();
        for (all, more) in all.iter_mut().zip(counts) {
            *all += more;
        }
    }
}

pub(super) fn set_note(tx: &Transaction<'_>, name: &str, value: i64) -> Result<(), rusqlite::Error> {
    tx.prepare_cached("INSERT INTO note VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value")?
        .execute(params![name, value])
        .map(drop)
}

pub(super) fn carry(tx: &Transaction<'_>, kept: &Kept) -> Result<(), rusqlite::Error> {
    for ((source, file), (to, noted)) in &kept.positions {
        set_position(tx, source, file, *to, *noted)?;
    }
    for ((source, what), count) in &kept.tallies {
        tx.prepare_cached("INSERT INTO tally VALUES (?, ?, ?)")?.execute(params![
            source,
            what,
            *count as i64
        ])?;
    }
    Ok(())
}

pub(super) fn set_tally(
    db: &Connection,
    source: &str,
    what: &str,
    count: u64,
) -> Result<(), rusqlite::Error> {
    let sql = "INSERT INTO tally VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = excluded.count";
    db.prepare_cached(sql)?.execute(params![source, what, count as i64]).map(drop)
}

fn set_position(
    tx: &Transaction<'_>,
    source: &str,
    file: &str,
    to: u64,
    noted: i64,
) -> Result<(), rusqlite::Error> {
    let sum = position_sum(source, file, to, noted);
    tx.prepare_cached("INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?, ?)")?
        .execute(params![source, file, to as i64, noted, sum])
        .map(drop)
}

pub(super) fn position_sum(source: &str, file: &str, to: u64, noted: i64) -> i64 {
    coding::sum(&[to as i64, noted, source.len() as i64], format!("{source}{file}").as_bytes())
}

/// How far a file is kept, what was counted of its source, and which lines were bad.
pub(super) fn note_batch(tx: &Transaction<'_>, batch: &Batch, kept: &Kept) -> Result<(), rusqlite::Error> {
    let key = (batch.source.id.clone(), batch.file.clone());
    if let Some((to, noted)) = kept.positions.get(&key) {
        set_position(tx, &key.0, &key.1, *to, *noted)?;
    }
    let of_source = |((source, _), _): &(&(String, String), &u64)| *source == batch.source.id;
    for ((source, what), count) in kept.tallies.iter().filter(of_source) {
        set_tally(tx, source, what, *count)?;
    }
    for (position, bad) in &batch.bad {
        tx.prepare_cached("INSERT INTO bad (source, file, line, offset, why) VALUES (?, ?, ?, ?, ?)")?
            .execute(params![
                batch.source.id,
                batch.file,
                position.line as i64,
                position.offset as i64,
                bad.why()
            ])?;
    }
    if !batch.bad.is_empty() {
        tx.execute("DELETE FROM bad WHERE id <= (SELECT max(id) FROM bad) - ?", [BAD_MOST])?;
    }
    Ok(())
}
