//! A block: some thousand calls in the order they came in, and what is known of it without reading it.

use crate::coding::{self, Codes, Damaged, Ids};
use crate::column::{AT, AUDIT_ID, Column, ITEM, OFFSET, TOOK};
use crate::rows::Rows;
use std::sync::Arc;

/// Calls of a full block: few enough to be looked through in tens of microseconds, enough to compress.
pub(crate) const FULL: usize = 8192;
/// Words of a column at which a block no longer says which they are: it is then read.
const ZONE_MOST: usize = 512;

/// What is known of a block without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) id: i64,
    /// The place of its first call in the segment.
    pub(crate) first: u64,
    pub(crate) calls: usize,
    pub(crate) at_min: i64,
    pub(crate) at_max: i64,
    /// The words of the columns in [`Column::ZONED`].
    pub(crate) zone: Box<[u8]>,
}

impl Meta {
    /// Over all that is said here.
    pub(crate) fn sum(&self) -> i64 {
        coding::sum(&[self.id, self.first as i64, self.calls as i64, self.at_min, self.at_max], &self.zone)
    }

    /// Whether some call of it may have one of the wanted words; `wanted` is sorted.
    pub(crate) fn may_have(&self, column: Column, wanted: &[u32]) -> bool {
        let mut zone = &*self.zone;
        for zoned in Column::ZONED {
            // What can't be read is looked at, and found damaged there.
            let Some(words) = coding::take_sorted(&mut zone) else { return true };
            if zoned == column {
                return words.is_empty() || words.iter().any(|word| wanted.binary_search(word).is_ok());
            }
        }
        true
    }
}

/// A column of a block, read.
#[derive(Debug)]
pub(crate) enum Part {
    Codes(Codes),
    Numbers(Vec<i64>),
    Ids(Ids),
}

impl Part {
    pub(crate) fn read(number: u8, frame: &[u8], calls: usize) -> Result<Self, Damaged> {
        let bytes = coding::unpack(frame)?;
        match number {
            AUDIT_ID => Ids::read(&bytes, calls).map(Self::Ids),
            AT | TOOK | OFFSET | ITEM => coding::take_numbers(&bytes, calls).map(Self::Numbers),
            _ => Codes::read(&bytes, calls).map(Self::Codes),
        }
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn size(&self, calls: usize) -> usize {
        match self {
            Self::Codes(codes) => calls * 2 + codes.words.len() * 4,
            Self::Numbers(_) => calls * 8,
            Self::Ids(_) => calls * 16,
        }
    }
}

/// All parts of a block, by their numbers.
pub(crate) fn parts() -> impl Iterator<Item = u8> {
    Column::ALL.into_iter().map(|column| column as u8).chain([AT, TOOK, OFFSET, ITEM, AUDIT_ID])
}

/// A block, ready to be written.
pub(crate) struct Written {
    pub(crate) meta: Meta,
    pub(crate) frames: Vec<(u8, Vec<u8>)>,
}

/// Makes a block of some calls, whose codes are words of the segment.
pub(crate) fn write(
    id: i64,
    first: u64,
    rows: &Rows,
    calls: std::ops::Range<usize>,
) -> std::io::Result<Written> {
    let mut frames = Vec::with_capacity(Column::ALL.len() + 5);
    let mut zones: Vec<Vec<u32>> = vec![Vec::new(); Column::ALL.len()];
    for column in Column::ALL {
        let codes = Codes::of(&rows.codes[column as usize][calls.clone()]);
        frames.push((column as u8, coding::pack(&codes.write())?));
        zones[column as usize] = codes.words;
    }
    let mut zone = Vec::new();
    for column in Column::ZONED {
        let words = &zones[column as usize];
        coding::put_sorted(&mut zone, if words.len() > ZONE_MOST { &[] } else { words });
    }
    let at = &rows.at[calls.clone()];
    for (number, numbers) in [(AT, &rows.at), (TOOK, &rows.took), (OFFSET, &rows.offset), (ITEM, &rows.item)]
    {
        frames.push((number, coding::pack(&coding::put_numbers(&numbers[calls.clone()]))?));
    }
    let ids = coding::put_ids(rows.ids[calls.clone()].iter().map(|id| &**id));
    frames.push((AUDIT_ID, coding::pack(&ids)?));
    let meta = Meta {
        id,
        first,
        calls: at.len(),
        at_min: at.iter().copied().min().unwrap_or_default(),
        at_max: at.iter().copied().max().unwrap_or_default(),
        zone: zone.into(),
    };
    Ok(Written { meta, frames })
}

/// Adds the calls of a block that was read to others.
pub(crate) fn append(
    rows: &mut Rows,
    calls: usize,
    part: &mut dyn FnMut(u8) -> Option<Arc<Part>>,
) -> Option<()> {
    for number in parts() {
        match (&*part(number)?, number) {
            (Part::Codes(codes), _) => {
                rows.codes[number as usize].extend((0..calls).map(|call| codes.word(call)));
            }
            (Part::Numbers(numbers), AT) => rows.at.extend(numbers),
            (Part::Numbers(numbers), TOOK) => rows.took.extend(numbers),
            (Part::Numbers(numbers), OFFSET) => rows.offset.extend(numbers),
            (Part::Numbers(numbers), _) => rows.item.extend(numbers),
            (Part::Ids(ids), _) => rows.ids.extend((0..calls).map(|call| ids.text(call).into_boxed_str())),
        }
    }
    Some(())
}
