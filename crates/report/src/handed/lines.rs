//! Lines of a file that somebody else made, one at a time and none without an end.

use std::io::{BufRead, BufReader, Read};

/// More bytes than a line of a pack has.
const MOST: u64 = 256 << 10;
/// More bytes than a cluster's event takes in a pack.
pub(super) const EVENT: usize = 4 << 20;

/// The lines of `from`; what is no text, or longer than any line, is an error in its place, and the last.
pub(super) fn of(from: impl Read) -> impl Iterator<Item = Result<String, String>> {
    up_to(from, MOST)
}

/// The same of lines that have so many bytes at most, with their end.
pub(super) fn up_to(from: impl Read, most: u64) -> impl Iterator<Item = Result<String, String>> {
    let mut from = BufReader::with_capacity(1 << 16, from);
    let mut is_over = false;
    std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let mut line = Vec::new();
        let read = (&mut from).take(most).read_until(b'\n', &mut line);
        let ended = line.pop_if(|last| *last == b'\n').is_some();
        let said = match read {
            Err(error) => Err(error.to_string()),
            Ok(0) => {
                is_over = true;
                return None;
            }
            Ok(_) if !ended && line.len() as u64 == most => {
                Err("a line is longer than any of a pack".to_owned())
            }
            Ok(_) if !ended => Err("the last line has no end".to_owned()),
            Ok(_) => String::from_utf8(line).map_err(|_| "a line is no text".to_owned()),
        };
        is_over = said.is_err();
        Some(said)
    })
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn lines_end_or_are_said_not_to() {
        let read = |bytes: &[u8]| of(bytes).collect::<Vec<_>>();
        assert_eq!(read(b""), []);
        assert_eq!(read(b"a\n\nb\n"), [Ok("a".into()), Ok(String::new()), Ok("b".into())]);
        for bad in [&b"a"[..], b"\xff\n", &vec![b'x'; 1 << 20]] {
            assert!(matches!(read(bad).as_slice(), [Err(_)]), "{} bytes", bad.len());
        }
    }
}
