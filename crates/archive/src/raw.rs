//! Raw events: in frames of about a megabyte, so that one is found without unpacking much, and many compress together.

use crate::coding::{self, Damaged};
use std::borrow::Cow;

/// Events of one frame.
const CALLS: usize = 1024;
/// Bytes of one frame; a single event may be longer.
const BYTES: usize = 1 << 20;

/// A frame of raw events that follow each other.
#[derive(Debug)]
pub(crate) struct RawPart {
    pub(crate) calls: usize,
    pub(crate) frame: Vec<u8>,
}

/// Packs texts that lie one after the other in `bytes`, each up to its end.
pub(crate) fn pack(bytes: &[u8], ends: &[usize]) -> std::io::Result<Vec<RawPart>> {
    let mut parts = Vec::new();
    let mut first = 0;
    while first < ends.len() {
        let begin = if first == 0 { 0 } else { ends[first - 1] };
        let mut last = first + 1;
        while last < ends.len() && last - first < CALLS && ends[last] - begin <= BYTES {
            last += 1;
        }
        let mut plain = Vec::with_capacity(ends[last - 1] - begin + 2 * (last - first) + 4);
        coding::put(&mut plain, (last - first) as u64);
        let mut from = begin;
        for end in &ends[first..last] {
            coding::put(&mut plain, (end - from) as u64);
            from = *end;
        }
        plain.extend_from_slice(&bytes[begin..ends[last - 1]]);
        parts.push(RawPart { calls: last - first, frame: coding::pack(&plain)? });
        first = last;
    }
    Ok(parts)
}

/// The texts of a frame, one after the other, and where each ends.
pub(crate) fn unpack(frame: &[u8]) -> Result<(Vec<u8>, Vec<usize>), Damaged> {
    const WRONG: Damaged = Damaged("the raw events are not as many as they claim to be");
    let plain = coding::unpack(frame)?;
    let mut rest = &plain[..];
    let calls = coding::take(&mut rest).filter(|calls| *calls <= plain.len() as u64).ok_or(WRONG)?;
    let mut ends = Vec::new();
    let mut end = 0_usize;
    for _ in 0..calls {
        let length = coding::take(&mut rest).and_then(|length| usize::try_from(length).ok()).ok_or(WRONG)?;
        end = end.checked_add(length).ok_or(WRONG)?;
        ends.push(end);
    }
    if rest.len() == end { Ok((rest.to_vec(), ends)) } else { Err(WRONG) }
}

/// A frame that was read.
#[derive(Debug)]
pub(crate) struct Frame {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Frame {
    pub(crate) fn read(frame: &[u8]) -> Result<Self, Damaged> {
        let (bytes, ends) = unpack(frame)?;
        Ok(Self { bytes, ends })
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// One of its texts.
    pub(crate) fn text(&self, at: usize) -> Option<Cow<'_, str>> {
        let end = *self.ends.get(at)?;
        let begin = if at == 0 { 0 } else { self.ends[at - 1] };
        Some(String::from_utf8_lossy(&self.bytes[begin..end]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn raw_events_come_back(texts in prop::collection::vec(".{0,60}", 1..80)) {
            let (mut bytes, mut ends) = (Vec::new(), Vec::new());
            for text in &texts {
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len());
            }
            let parts = pack(&bytes, &ends).unwrap();
            prop_assert_eq!(parts.len(), 1);
            let frame = Frame::read(&parts[0].frame).unwrap();
            for (at, text) in texts.iter().enumerate() {
                prop_assert_eq!(&frame.text(at).unwrap(), text);
            }
            prop_assert!(frame.text(texts.len()).is_none());
        }

        #[test]
        fn a_frame_that_lies_is_damaged(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&coding::pack(&bytes).unwrap());
            let _ = unpack(&bytes);
        }
    }

    #[test]
    fn a_frame_holds_about_a_megabyte() {
        let text = "x".repeat(700_000);
        let bytes = text.repeat(3).into_bytes();
        let parts = pack(&bytes, &[700_000, 1_400_000, 2_100_000]).unwrap();
        assert_eq!(parts.iter().map(|part| part.calls).collect::<Vec<_>>(), [1, 1, 1]);
    }
}
