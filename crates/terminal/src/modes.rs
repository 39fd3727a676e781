//! What a terminal remembers of what was said to it, beside what is on its screen: which screen it shows, what it sends
//! for mouse, paste and cursor keys, where it scrolls. For a window that attaches later and gets only the end of what
//! was said.

use std::collections::BTreeMap;

/// The most bytes of a sequence that are looked at: longer ones (a picture, a clipboard) set no mode.
const LONGEST: usize = 256;
/// The most bytes after which a string that nobody ended is no string: what follows is text again.
const STRING: usize = 64 * 1024;

/// Private modes (DECSET) that stay: cursor keys, origin, wrap, mouse, cursor shown, both screens, focus, paste.
const PRIVATE: &[u16] =
    &[1, 5, 6, 7, 9, 12, 25, 45, 47, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1047, 1049, 2004];
/// Of them, those that are set in a fresh terminal.
const SET_AT_FIRST: &[u16] = &[7, 25];
/// Of them, those that show the alternate screen.
const ALTERNATE: &[u16] = &[47, 1047, 1049];
/// Of them, those of which a terminal knows one at a time.
const MOUSE: &[u16] = &[9, 1000, 1002, 1003];

/// Reads what is said, byte by byte.
#[derive(Clone, Debug, Default)]
pub(crate) struct Modes {
    at: At,
    sequence: Vec<u8>,
    /// What the sequence that just ended was.
    last: Kind,
    private: BTreeMap<u16, bool>,
    insert: bool,
    keypad: bool,
    /// Top and bottom, as they were sent.
    region: Option<(u16, u16)>,
    /// The character set of G0 and G1, as they were sent.
    sets: [Option<u8>; 2],
    shifted: bool,
}

/// Where in a sequence it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Ground,
    /// After ESC, with as many intermediate bytes.
    Escape,
    Control,
    /// OSC, DCS, SOS, PM, APC: until ST, for OSC also BEL.
    String(usize),
    /// After an ESC within one.
    StringEscape(usize),
    /// Within a character of UTF-8, with as many bytes to come.
    Character(u8),
}

/// What a sequence is to a terminal that reads it a second time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Other,
    /// It asks the terminal something, and what it answers is typed into the shell.
    Query,
}

impl Modes {
    /// Whether it is between characters and sequences.
    pub(crate) fn is_ground(&self) -> bool {
        self.at == At::Ground
    }

    /// Whether the alternate screen is shown: the one of editors and pagers, which paint it anew.
    pub(crate) fn is_alternate(&self) -> bool {
        ALTERNATE.iter().any(|mode| self.private.get(mode) == Some(&true))
    }

    /// Takes one byte.
    pub(crate) fn take(&mut self, byte: u8) {
        self.last = Kind::Other;
        match (self.at, byte) {
            (At::String(_) | At::StringEscape(_), 0x18 | 0x1a) => self.at = At::Ground,
            (At::String(_), 0x07) if self.sequence.first() == Some(&b']') => self.end_string(),
            (At::String(length), 0x1b) => self.at = At::StringEscape(length),
            (At::StringEscape(_), b'\\') => self.end_string(),
            (At::StringEscape(_), _) => {
                self.begin();
                self.take(byte);
            }
            (At::String(length), _) if length >= STRING => self.at = At::Ground,
            (At::String(length), _) => {
                self.keep(byte);
                self.at = At::String(length + 1);
            }
            (_, 0x1b) => self.begin(),
            (At::Escape | At::Control, 0x18 | 0x1a) => self.at = At::Ground,
            (At::Escape, _) => self.escape(byte),
            (At::Control, 0x40..=0x7e) => {
                self.at = At::Ground;
                self.control(byte);
            }
            (At::Control, 0x20..=0x3f) => self.keep(byte),
            // A control character within a sequence is obeyed, and the sequence goes on.
            (At::Control, 0x00..=0x1f) => self.single(byte),
            (At::Control, _) => self.at = At::Ground,
            (At::Character(left), 0x80..=0xbf) => {
                self.at = if left > 1 { At::Character(left - 1) } else { At::Ground };
            }
            (At::Ground | At::Character(_), _) => {
                self.at = match byte {
                    0xc2..=0xdf => At::Character(1),
                    0xe0..=0xef => At::Character(2),
                    0xf0..=0xf4 => At::Character(3),
                    _ => At::Ground,
                };
                self.single(byte);
            }
        }
    }

    fn begin(&mut self) {
        self.sequence.clear();
        self.at = At::Escape;
    }

    fn keep(&mut self, byte: u8) {
        if self.sequence.len() < LONGEST {
            self.sequence.push(byte);
        }
    }

    fn single(&mut self, byte: u8) {
        match byte {
            0x05 => self.last = Kind::Query,
            0x0e => self.shifted = true,
            0x0f => self.shifted = false,
            _ => {}
        }
    }

    /// The byte after ESC, or after its intermediates.
    fn escape(&mut self, byte: u8) {
        let first = self.sequence.first().copied();
        match (first, byte) {
            (None, b'[') => self.at = At::Control,
            (None, b']' | b'P' | b'X' | b'^' | b'_') => {
                self.sequence.push(byte);
                self.at = At::String(0);
            }
            (_, 0x20..=0x2f) => self.keep(byte),
            (_, 0x00..=0x1f) => self.single(byte),
            (first, _) => {
                self.at = At::Ground;
                match (first, byte) {
                    (None, b'c') => *self = Self::default(),
                    (None, b'=') => self.keypad = true,
                    (None, b'>') => self.keypad = false,
                    (None, b'Z') => self.last = Kind::Query,
                    (Some(b'('), set) => self.sets[0] = Some(set),
                    (Some(b')'), set) => self.sets[1] = Some(set),
                    _ => {}
                }
            }
        }
    }

    fn end_string(&mut self) {
        self.at = At::Ground;
        let asks = match self.sequence.first() {
            // A colour, the clipboard: asked for with a question mark in the place of a value.
            Some(b']') => self.sequence[1..].split(|b| *b == b';').skip(1).any(|part| part == b"?"),
            // DECRQSS, XTGETTCAP.
            Some(b'P') => self.sequence.starts_with(b"P$q") || self.sequence.starts_with(b"P+q"),
            _ => false,
        };
        if asks {
            self.last = Kind::Query;
        }
    }

    /// A control sequence, by its last byte.
    fn control(&mut self, last: u8) {
        let sequence = std::mem::take(&mut self.sequence);
        let marker = sequence.first().copied().filter(|byte| (0x3c..=0x3f).contains(byte));
        let parameters = &sequence[usize::from(marker.is_some())..];
        let digits = parameters.iter().take_while(|byte| (0x30..=0x3b).contains(*byte)).count();
        let (parameters, intermediate) = (&parameters[..digits], parameters.get(digits).copied());
        let numbers: Vec<u16> = parameters
            .split(|byte| *byte == b';')
            .map(|number| std::str::from_utf8(number).ok().and_then(|text| text.parse().ok()).unwrap_or(0))
            .collect();
        match (marker, intermediate, last) {
            (Some(b'?'), None, b'h' | b'l') => numbers.iter().for_each(|mode| self.set(*mode, last == b'h')),
            (None, None, b'h' | b'l') if numbers.contains(&4) => self.insert = last == b'h',
            (None, None, b'r') => {
                let (top, bottom) = (numbers[0], numbers.get(1).copied().unwrap_or(0));
                self.region = (top > 1 || bottom > 0).then_some((top, bottom));
            }
            // A soft reset leaves the screens and the mouse as they are.
            (None, Some(b'!'), b'p') => {
                (self.insert, self.keypad, self.region) = (false, false, None);
                for mode in [1, 6, 7, 25] {
                    self.set(mode, SET_AT_FIRST.contains(&mode));
                }
            }
            // Device attributes, status, a mode, the version, the window, the keyboard.
            (None | Some(b'>' | b'='), None, b'c')
            | (None | Some(b'?'), None, b'n')
            | (None | Some(b'?'), Some(b'$'), b'p')
            | (Some(b'>'), None, b'q')
            | (None, None, b'x')
            | (Some(b'?'), None, b'u')
            | (Some(b'?'), None, b'm' | b'S') => self.last = Kind::Query,
            (None, None, b't') if (11..=21).contains(&numbers[0]) => self.last = Kind::Query,
            _ => {}
        }
    }

    fn set(&mut self, mode: u16, on: bool) {
        if !PRIVATE.contains(&mode) {
            return;
        }
        for group in [MOUSE, ALTERNATE] {
            if group.contains(&mode) {
                for other in group {
                    self.private.remove(other);
                }
            }
        }
        self.private.insert(mode, on);
    }

    /// What brings a fresh terminal to where this one is.
    fn restored(&self) -> Vec<u8> {
        let mut out = Vec::new();
        // The screen first: some of the others are each screen's own.
        let (screens, others): (Vec<_>, Vec<_>) =
            self.private.iter().partition(|(mode, _)| ALTERNATE.contains(mode));
        for (mode, on) in screens.into_iter().chain(others) {
            if *on != SET_AT_FIRST.contains(mode) {
                out.extend(format!("\x1b[?{mode}{}", if *on { 'h' } else { 'l' }).bytes());
            }
        }
        if let Some((top, bottom)) = self.region {
            let bottom = if bottom == 0 { String::new() } else { bottom.to_string() };
            out.extend(format!("\x1b[{};{bottom}r", top.max(1)).bytes());
        }
        for (set, first) in std::iter::zip(self.sets, [b'(', b')']) {
            out.extend(set.iter().flat_map(|set| [0x1b, first, *set]));
        }
        out.extend(self.insert.then_some(b"\x1b[4h").into_iter().flatten());
        out.extend(self.keypad.then_some(b"\x1b=").into_iter().flatten());
        out.extend(self.shifted.then_some(0x0e));
        out
    }

    /// `said` as it may be said once more to a fresh terminal, `self` being where it begins: from the first place that
    /// is between sequences, the first line unless a program paints the alternate screen; with the modes it begins in;
    /// and without what the terminal would answer to.
    pub(crate) fn replay(mut self, said: &[u8], from_a_line: bool) -> Vec<u8> {
        let mut start = 0;
        if from_a_line {
            let mut before = self.clone();
            let found = said.iter().position(|byte| {
                let whole = before.is_ground() && before.is_alternate();
                before.take(*byte);
                whole || (*byte == b'\n' && before.is_ground())
            });
            // The byte that was found: the first of what is kept, or the end of a line.
            let wanted = found.map_or(0, |at| at + usize::from(said[at] == b'\n'));
            while start < said.len() && (start < wanted || !self.is_ground()) {
                self.take(said[start]);
                start += 1;
            }
        }
        let mut out = self.restored();
        let mut pending = Vec::new();
        for byte in &said[start..] {
            if self.is_ground() && *byte == 0x1b {
                out.append(&mut pending);
            }
            pending.push(*byte);
            self.take(*byte);
            if self.is_ground() {
                if self.last == Kind::Query { pending.clear() } else { out.append(&mut pending) }
            }
        }
        // The end may be the beginning of a sequence; its rest follows.
        out.append(&mut pending);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replayed(said: &[u8]) -> String {
        String::from_utf8(Modes::default().replay(said, false)).unwrap()
    }

    /// The replay of what follows `before`, which is not kept.
    fn after(before: &[u8], said: &[u8]) -> String {
        let mut modes = Modes::default();
        before.iter().for_each(|byte| modes.take(*byte));
        String::from_utf8(modes.replay(said, true)).unwrap()
    }

    #[test]
    fn fault_d5_what_asks_the_terminal_is_not_asked_twice() {
        let queries = [
            "\x1b[c",
            "\x1b[0c",
            "\x1b[>c",
            "\x1b[=c",
            "\x1b[>0;1c",
            "\x1b[5n",
            "\x1b[6n",
            "\x1b[?6n",
            "\x1b[?996n",
            "\x1b[?2004$p",
            "\x1b[4$p",
            "\x1b[>q",
            "\x1b[>0q",
            "\x1b[18t",
            "\x1b[14;2t",
            "\x1b[21t",
            "\x1b[x",
            "\x1b[?u",
            "\x1b[?4m",
            "\x1b[?1;1S",
            "\x1bZ",
            "\x05",
            "\x1b]11;?\x07",
            "\x1b]10;?\x1b\\",
            "\x1b]4;1;?\x07",
            "\x1b]52;c;?\x07",
            "\x1bP$qm\x1b\\",
            "\x1bP+q544e\x1b\\",
        ];
        for query in queries {
            assert_eq!(replayed(format!("a{query}b").as_bytes()), "ab", "{query:?}");
        }
        let kept = [
            "\x1b[31mred\x1b[0m",
            "\x1b[2J\x1b[H",
            "\x1b]0;what? is;this\x07",
            "\x1b]8;;https://x/?\x1b\\",
            "\x1b[?25l",
            "\x1b[22;0t",
            "\x1b[8;24;80t",
            "\x1b[1 q",
            "\x1b[>4;1m",
            "\x1b[!p",
            "\x1b7\x1b8",
            "\x1b(0",
            "ü €𝄞",
            "\x1b[",
            "\x1b]0;half",
            "\x1bP1$r0m\x1b\\",
            "\x1b[u",
            "\x1b[?1049h\x1b[?1000h",
        ];
        for text in kept {
            assert_eq!(replayed(text.as_bytes()), text, "{text:?}");
        }
    }

    #[test]
    fn fault_d5_modes_that_were_set_before_are_set_again() {
        assert_eq!(
            after(b"\x1b[?1049h\x1b[?1000h\x1b[?1006h\x1b[?25l\x1b[?2004h", b"x"),
            "\x1b[?1049h\x1b[?25l\x1b[?1000h\x1b[?1006h\x1b[?2004hx"
        );
        assert_eq!(after(b"\x1b[?1049h\x1b[?1000h\x1b[?1049l\x1b[?1000l", b"x"), "x");
        assert_eq!(after(b"\x1b[?47;1h\x1b[?1003h\x1b[?1002h", b"x"), "\x1b[?47h\x1b[?1h\x1b[?1002hx");
        assert_eq!(after(b"\x1b[5;20r\x1b=\x1b[4h\x1b(0\x0e", b"x"), "\x1b[5;20r\x1b(0\x1b[4h\x1b=\x0ex");
        assert_eq!(after(b"\x1b[?1049h\x1b[5;20r\x1b=\x1bc", b"x"), "x", "a reset forgets all");
        assert_eq!(after(b"\x1b[5r\x1b[r\x1b[?25l\x1b[!p", b"x"), "x");
    }

    #[test]
    fn fault_d5_it_begins_between_sequences_and_characters() {
        // The cut is within a sequence, a string, a character; what is left of it is no text.
        assert_eq!(after(b"\x1b[?104", b"9hfull screen"), "\x1b[?1049hfull screen");
        assert_eq!(after(b"\x1b[3", b"1mred"), "red");
        assert_eq!(after(b"\x1b]0;ti", b"tle\x07text"), "text");
        assert_eq!(after(&"ü".as_bytes()[..1], &["ü".as_bytes()[1..].to_vec(), b"x".to_vec()].concat()), "x");
        assert_eq!(after(b"lo", b"ng line\nnext"), "next");
        // A line's end within a string ends no line.
        assert_eq!(after(b"\x1b]0;ti", b"t\nle\x07rest\nnext"), "next");
        assert_eq!(after(b"\x1b[?1049h", b"no line here"), "\x1b[?1049hno line here");
    }

    #[test]
    fn fault_d5_hostile_output_is_bounded_and_never_wedges_it() {
        let mut modes = Modes::default();
        modes.take(0x1b);
        modes.take(b']');
        (0..STRING + 10).for_each(|_| modes.take(b'x'));
        assert!(modes.is_ground() && modes.sequence.len() <= LONGEST);
        // Whatever comes: no panic, and text after a cancel is text.
        let mut seed = 7_u32;
        for _ in 0..200_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            modes.take((seed >> 24) as u8);
        }
        modes.take(0x18);
        assert!(modes.is_ground());
        let big = [b"\x1b[".to_vec(), vec![b'9'; 5000], b"h\x1b[;;;r\x1b[?;;h\x1b[t".to_vec()].concat();
        assert!(Modes::default().replay(&big, true).len() <= big.len());
    }
}
