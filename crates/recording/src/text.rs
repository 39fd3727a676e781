//! Bytes of a terminal as text: a character may come in two writes, and what is no UTF-8 is shown as U+FFFD, as a terminal
//! shows it.

/// What is left of a character that has not come whole.
#[derive(Debug, Default)]
pub(crate) struct Text {
    begun: Vec<u8>,
}

impl Text {
    /// What can be said by now. A character that only began is kept for the next bytes.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        let whole = all.len() - unfinished(&all);
        self.begun = all.split_off(whole);
        String::from_utf8_lossy(&all).into_owned()
    }

    /// What never came whole.
    pub(crate) fn rest(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.begun)).into_owned()
    }
}

/// How many bytes at the end begin a character that may still come.
fn unfinished(bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(3)..];
    for (at, byte) in tail.iter().enumerate().rev() {
        let left = tail.len() - at;
        let needs = match byte {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return 0,
        };
        // One that can't become a character is none, as the lossy reading has it.
        let may_come =
            left < needs && std::str::from_utf8(&tail[at..]).is_err_and(|e| e.error_len().is_none());
        return if may_come { left } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_character_in_two_writes_is_one() {
        let mut text = Text::default();
        assert_eq!(text.take(b"a\xf0\x9f"), "a");
        assert_eq!(text.take(b"\x98\x80b\xc3"), "\u{1f600}b");
        assert_eq!(text.rest(), "\u{fffd}");
        assert_eq!(text.take(b"\xff\xc3("), "\u{fffd}\u{fffd}(");
    }

    proptest! {
        #[test]
        fn however_it_is_cut_it_says_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..60), cut in 1usize..7) {
            let mut text = Text::default();
            let mut said: String = bytes.chunks(cut).map(|chunk| text.take(chunk)).collect();
            said.push_str(&text.rest());
            prop_assert_eq!(said, String::from_utf8_lossy(&bytes));
        }
    }
}
