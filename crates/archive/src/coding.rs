//! How the calls of a block are written: codes, numbers, ids, each column a frame of its own with a checksum. Pure, and
//! nothing that is read is believed: a frame that was changed is an error and never a panic.

use std::cell::RefCell;
use std::collections::HashSet;

/// The most calls of one block, so that a place in it is two bytes.
pub(crate) const BLOCK_MOST: usize = 1 << 16;
/// What a frame may grow to when it is unpacked; the largest raw part is below it.
const FRAME_MOST: usize = 64 << 20;
/// A little slower than 1 and a tenth smaller on audit events.
const LEVEL: i32 = 3;

/// Why a frame is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Damaged(pub(crate) &'static str);

thread_local! {
    static PACK: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACK: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// A frame with a checksum over its contents.
pub(crate) fn pack(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    PACK.with_borrow_mut(|context| {
        if context.is_none() {
            let mut new = zstd::bulk::Compressor::new(LEVEL)?;
            new.include_checksum(true)?;
            *context = Some(new);
        }
        match context {
            Some(context) => context.compress(bytes),
            None => Err(std::io::ErrorKind::OutOfMemory.into()),
        }
    })
}

/// What is in a frame.
pub(crate) fn unpack(frame: &[u8]) -> Result<Vec<u8>, Damaged> {
    let size = zstd::zstd_safe::get_frame_content_size(frame);
    let Ok(Some(size)) = size else { return Err(Damaged("it is no frame")) };
    let size = usize::try_from(size).ok().filter(|size| *size <= FRAME_MOST);
    let size = size.ok_or(Damaged("it claims to hold more than is ever written"))?;
    UNPACK.with_borrow_mut(|context| {
        if context.is_none() {
            *context = zstd::bulk::Decompressor::new().ok();
        }
        let context = context.as_mut().ok_or(Damaged("there is no memory to unpack it"))?;
        context.decompress(frame, size).map_err(|_| Damaged("its checksum is not that of its contents"))
    })
}

pub(crate) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(crate) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// A short checksum of what stands in a row beside it: tells a bad disk, not somebody who means it.
pub(crate) fn sum(numbers: &[i64], bytes: &[u8]) -> i64 {
    // FNV-1a, 64 bits.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    numbers.iter().for_each(|number| number.to_le_bytes().into_iter().for_each(&mut add));
    bytes.iter().for_each(|byte| add(*byte));
    // Four bytes: there are as many of them as words.
    i64::from((hash ^ (hash >> 32)) as u32)
}

/// Sorted words as differences.
pub(crate) fn put_sorted(out: &mut Vec<u8>, sorted: &[u32]) {
    put(out, sorted.len() as u64);
    let mut last = 0;
    for word in sorted {
        put(out, u64::from(word - last));
        last = *word;
    }
}

pub(crate) fn take_sorted(bytes: &mut &[u8]) -> Option<Vec<u32>> {
    let count = usize::try_from(take(bytes)?).ok().filter(|count| *count <= BLOCK_MOST)?;
    let mut sorted = Vec::with_capacity(count);
    let mut last = 0_u32;
    for at in 0..count {
        let step = u32::try_from(take(bytes)?).ok()?;
        if at > 0 && step == 0 {
            return None;
        }
        last = last.checked_add(step)?;
        sorted.push(last);
    }
    Some(sorted)
}

/// The codes of one column: the words that occur, and for each call which of them.
#[derive(Debug, PartialEq)]
pub(crate) struct Codes {
    /// Words of the segment, sorted.
    pub(crate) words: Vec<u32>,
    places: Places,
}

#[derive(Debug, PartialEq)]
enum Places {
    One(usize),
    Bytes(Vec<u8>),
    Shorts(Vec<u16>),
}

impl Codes {
    /// Of these words, one for each call.
    pub(crate) fn of(words: &[u32]) -> Self {
        let mut sorted = words.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let place = |word: &u32| sorted.binary_search(word).unwrap_or_default();
        let places = match sorted.len() {
            0 | 1 => Places::One(words.len()),
            2..=256 => {
                let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
                // Nearly always few words that lie close: a table is several times faster than searching.
                if ((high - low) as usize) < (1 << 16) {
                    let mut table = vec![0_u8; (high - low) as usize + 1];
                    for (place, word) in sorted.iter().enumerate() {
                        table[(word - low) as usize] = place as u8;
                    }
                    Places::Bytes(words.iter().map(|word| table[(word - low) as usize]).collect())
                } else {
                    Places::Bytes(words.iter().map(|word| place(word) as u8).collect())
                }
            }
            _ => Places::Shorts(words.iter().map(|word| place(word) as u16).collect()),
        };
        Self { words: sorted, places }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len() * 2 + 64);
        put_sorted(&mut out, &self.words);
        match &self.places {
            Places::One(_) => {}
            Places::Bytes(places) => out.extend_from_slice(places),
            // The halves apart: each compresses better by itself.
            Places::Shorts(places) => {
                out.extend(places.iter().map(|place| *place as u8));
                out.extend(places.iter().map(|place| (*place >> 8) as u8));
            }
        }
        out
    }

    pub(crate) fn read(mut bytes: &[u8], calls: usize) -> Result<Self, Damaged> {
        const WRONG: Damaged = Damaged("a column is not one of this many calls");
        let words = take_sorted(&mut bytes).ok_or(WRONG)?;
        let places = match words.len() {
            0 => return if calls == 0 { Ok(Self { words, places: Places::One(0) }) } else { Err(WRONG) },
            1 if bytes.is_empty() => Places::One(calls),
            1 => return Err(WRONG),
            2..=256 if bytes.len() == calls => {
                if bytes.iter().any(|place| usize::from(*place) >= words.len()) {
                    return Err(WRONG);
                }
                Places::Bytes(bytes.to_vec())
            }
            257.. if bytes.len() == 2 * calls => {
                let (low, high) = bytes.split_at(calls);
                let places: Vec<u16> =
                    low.iter().zip(high).map(|(low, high)| u16::from(*low) | u16::from(*high) << 8).collect();
                if places.iter().any(|place| usize::from(*place) >= words.len()) {
                    return Err(WRONG);
                }
                Places::Shorts(places)
            }
            _ => return Err(WRONG),
        };
        Ok(Self { words, places })
    }

    pub(crate) fn len(&self) -> usize {
        match &self.places {
            Places::One(calls) => *calls,
            Places::Bytes(places) => places.len(),
            Places::Shorts(places) => places.len(),
        }
    }

    /// Which of [`Codes::words`] a call has.
    pub(crate) fn place(&self, call: usize) -> usize {
        match &self.places {
            Places::One(_) => 0,
            Places::Bytes(places) => places.get(call).copied().unwrap_or_default().into(),
            Places::Shorts(places) => places.get(call).copied().unwrap_or_default().into(),
        }
    }

    /// The word of a call.
    pub(crate) fn word(&self, call: usize) -> u32 {
        self.words.get(self.place(call)).copied().unwrap_or_default()
    }

    /// Marks the calls whose word is wanted; `wanted` is sorted. Whether all, some or none of the words are.
    pub(crate) fn mark(&self, wanted: &[u32], marks: &mut [bool]) -> Marked {
        let table: Vec<bool> = self.words.iter().map(|word| wanted.binary_search(word).is_ok()).collect();
        let found = table.iter().filter(|is| **is).count();
        if found == 0 {
            return Marked::None;
        }
        if found == table.len() {
            marks.fill(true);
            return Marked::All;
        }
        match &self.places {
            Places::One(_) => {}
            Places::Bytes(places) => {
                for (mark, place) in marks.iter_mut().zip(places) {
                    *mark |= table[usize::from(*place)];
                }
            }
            Places::Shorts(places) => {
                for (mark, place) in marks.iter_mut().zip(places) {
                    *mark |= table[usize::from(*place)];
                }
            }
        }
        Marked::Some
    }
}

/// What [`Codes::mark`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marked {
    All,
    Some,
    None,
}

/// Numbers as differences to the one before.
pub(crate) fn put_numbers(numbers: &[i64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(numbers.len() * 3);
    let mut last = 0_i64;
    for number in numbers {
        put(&mut out, zigzag(number.wrapping_sub(last)));
        last = *number;
    }
    out
}

pub(crate) fn take_numbers(mut bytes: &[u8], calls: usize) -> Result<Vec<i64>, Damaged> {
    const WRONG: Damaged = Damaged("its numbers are not those of this many calls");
    let mut numbers = Vec::with_capacity(calls);
    let mut last = 0_i64;
    for _ in 0..calls {
        last = last.wrapping_add(unzigzag(take(&mut bytes).ok_or(WRONG)?));
        numbers.push(last);
    }
    if bytes.is_empty() { Ok(numbers) } else { Err(WRONG) }
}

/// Texts that are nearly always UUIDs: those as their 16 bytes, all others as they are.
pub(crate) fn put_ids<'a>(ids: impl ExactSizeIterator<Item = &'a str>) -> Vec<u8> {
    let mut others = Vec::new();
    let mut count = 0;
    let mut plain = Vec::with_capacity(ids.len() * 16);
    for (call, id) in ids.enumerate() {
        match uuid(id) {
            Some(bytes) => plain.extend_from_slice(&bytes),
            None => {
                count += 1;
                put(&mut others, call as u64);
                put(&mut others, id.len() as u64);
                others.extend_from_slice(id.as_bytes());
                plain.extend_from_slice(&[0; 16]);
            }
        }
    }
    let mut out = Vec::with_capacity(others.len() + plain.len() + 4);
    put(&mut out, count);
    out.extend_from_slice(&others);
    out.extend_from_slice(&plain);
    out
}

/// The ids of a block, not made into texts yet.
#[derive(Debug)]
pub(crate) struct Ids {
    others: Vec<(usize, String)>,
    plain: Vec<u8>,
}

impl Ids {
    pub(crate) fn read(mut bytes: &[u8], calls: usize) -> Result<Self, Damaged> {
        const WRONG: Damaged = Damaged("its ids are not those of this many calls");
        let count = take(&mut bytes).filter(|count| *count <= calls as u64).ok_or(WRONG)?;
        let mut others = Vec::new();
        for _ in 0..count {
            let call = take(&mut bytes).filter(|call| *call < calls as u64).ok_or(WRONG)?;
            let length = take(&mut bytes).and_then(|length| usize::try_from(length).ok()).ok_or(WRONG)?;
            let (id, rest) = bytes.split_at_checked(length).ok_or(WRONG)?;
            others.push((call as usize, String::from_utf8_lossy(id).into_owned()));
            bytes = rest;
        }
        if bytes.len() == calls * 16 { Ok(Self { others, plain: bytes.to_vec() }) } else { Err(WRONG) }
    }

    pub(crate) fn text(&self, call: usize) -> String {
        if let Some((_, id)) = self.others.iter().find(|(at, _)| *at == call) {
            return id.clone();
        }
        let mut out = String::with_capacity(36);
        for (at, byte) in self.plain.iter().skip(call * 16).take(16).enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                out.push('-');
            }
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
            }
        }
        out
    }

    /// The calls with one of these ids.
    pub(crate) fn find_any(&self, ids: &HashSet<[u8; 16]>) -> Vec<usize> {
        let same = self.plain.chunks_exact(16).enumerate();
        let same = same.filter(|(_, one)| <[u8; 16]>::try_from(*one).is_ok_and(|one| ids.contains(&one)));
        let is_other = |call: usize| self.others.iter().any(|(at, _)| *at == call);
        same.map(|(call, _)| call).filter(|call| !is_other(*call)).collect()
    }
}

/// The bytes of a UUID as API servers write it, in small letters; nothing else comes back the same.
pub(crate) fn uuid(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 {
        return None;
    }
    let mut out = [0; 16];
    let mut digits = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        out[digits / 2] = out[digits / 2] << 4 | digit;
        digits += 1;
    }
    Some(out)
}

#[cfg(test)]
mod tests;
