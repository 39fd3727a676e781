//! A reader of JSON that can say where everything stands, stops where a text stops being JSON, and keeps what it read
//! until then. One reader for whole lines and for cut ones: a cut line is what somebody can cause who wants to be
//! missing. It goes as deep as a text does without using the stack for it.

use crate::{Flaw, Flaws, Text};
use std::borrow::Cow;
use std::ops::Range;

/// The text ends here, or is no JSON from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop;

/// What a step gives, unless the text stops.
pub(crate) type Step<T> = Result<T, Stop>;

pub(crate) struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// What was odd so far.
    pub(crate) flaws: Flaws,
    /// Where the last text stood, its quotes included.
    pub(crate) last: Range<usize>,
    /// Of a text that was cut, what there is of it.
    pub(crate) torn: Option<Text<'a>>,
    /// How many keys it went over without reading them.
    pub(crate) keys: usize,
    open: Vec<u8>,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, flaws: Flaws::default(), last: 0..0, torn: None, keys: 0, open: Vec::new() }
    }

    /// Where it is.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    fn byte(&self) -> Step<u8> {
        self.text.as_bytes().get(self.at).copied().ok_or(Stop)
    }

    /// The next byte that is no space, which stays where it is.
    pub(crate) fn peek(&mut self) -> Step<u8> {
        loop {
            match self.byte()? {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                byte => return Ok(byte),
            }
        }
    }

    fn take(&mut self, byte: u8) -> Step<()> {
        if self.peek()? != byte {
            return Err(Stop);
        }
        self.at += 1;
        Ok(())
    }

    /// Whether nothing but spaces is left.
    pub(crate) fn is_over(&mut self) -> bool {
        self.peek().is_err()
    }

    /// Goes into an object. Whatever else stands here is skipped: `false`.
    pub(crate) fn object(&mut self) -> Step<bool> {
        self.enter(b'{')
    }

    /// Goes into an array. Whatever else stands here is skipped: `false`.
    pub(crate) fn array(&mut self) -> Step<bool> {
        self.enter(b'[')
    }

    fn enter(&mut self, with: u8) -> Step<bool> {
        match self.peek()? {
            byte if byte == with => {
                self.at += 1;
                Ok(true)
            }
            byte => {
                if byte != b'n' {
                    self.flaws.note(Flaw::WrongType);
                }
                self.skip()?;
                Ok(false)
            }
        }
    }

    /// The next key of the object it is in, or that the object is over. `first` is true before the first.
    pub(crate) fn key(&mut self, first: &mut bool) -> Step<Option<Text<'a>>> {
        if self.peek()? == b'}' {
            self.at += 1;
            // A comma before the end is no JSON, and `first` knows whether there was one.
            return Ok(None);
        }
        if !std::mem::replace(first, false) {
            self.take(b',')?;
        }
        if self.peek()? != b'"' {
            return Err(Stop);
        }
        let key = self.string()?;
        self.take(b':')?;
        Ok(Some(key))
    }

    /// Whether there is another element in the array it is in.
    pub(crate) fn element(&mut self, first: &mut bool) -> Step<bool> {
        let next = self.peek()?;
        if std::mem::replace(first, false) {
            if next == b']' {
                self.at += 1;
                return Ok(false);
            }
            return Ok(true);
        }
        self.at += 1;
        match next {
            b']' => Ok(false),
            b',' => Ok(true),
            _ => Err(Stop),
        }
    }

    /// A text; `None` for null, and for what is no text, which is noted.
    pub(crate) fn text(&mut self) -> Step<Option<Text<'a>>> {
        match self.peek()? {
            b'"' => self.string().map(Some),
            b'n' => self.skip().map(|_| None),
            _ => {
                self.flaws.note(Flaw::WrongType);
                self.skip().map(|_| None)
            }
        }
    }

    /// A whole number; `None` for null, and for everything else, which is noted.
    pub(crate) fn number(&mut self) -> Step<Option<i64>> {
        let first = self.peek()?;
        let range = self.skip()?;
        if first == b'n' {
            return Ok(None);
        }
        let number = self.text[range].parse().ok();
        if number.is_none() {
            self.flaws.note(Flaw::WrongType);
        }
        Ok(number)
    }

    /// A string; it is at its opening quote.
    fn string(&mut self) -> Step<Text<'a>> {
        let start = self.at;
        let from = start + 1;
        self.at = from + plain_length(&self.text.as_bytes()[from..]);
        let text = &self.text[from..self.at];
        match self.text.as_bytes().get(self.at) {
            Some(b'"') => {
                self.at += 1;
                self.last = start..self.at;
                return Ok(Cow::Borrowed(text));
            }
            Some(b'\\') => {}
            Some(_) | None => {
                self.torn = Some(Cow::Borrowed(text));
                return Err(Stop);
            }
        }
        let mut out = String::with_capacity(self.at - from + 64);
        out.push_str(&self.text[from..self.at]);
        let end = self.escaped(&mut out);
        self.last = start..self.at;
        if end.is_err() {
            self.torn = Some(Cow::Owned(out));
            return Err(Stop);
        }
        Ok(Cow::Owned(out))
    }

    /// The rest of a string in which something is escaped; up to where it can be read.
    fn escaped(&mut self, out: &mut String) -> Step<()> {
        loop {
            match self.byte()? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.escape(out)?,
                0..0x20 => return Err(Stop),
                _ => {
                    let length = plain_length(&self.text.as_bytes()[self.at..]);
                    out.push_str(&self.text[self.at..self.at + length]);
                    self.at += length;
                }
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Step<()> {
        let escape = *self.text.as_bytes().get(self.at + 1).ok_or(Stop)?;
        let plain = match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit(self.at)?;
                self.at += 6;
                let low = (0xD800..0xDC00).contains(&unit).then(|| self.unit(self.at).ok()).flatten();
                match (unit, low) {
                    (high @ 0xD800..0xDC00, Some(low @ 0xDC00..0xE000)) => {
                        self.at += 6;
                        let point = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                        out.push(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    (0xD800..0xE000, _) => {
                        // Half a character is none.
                        self.flaws.note(Flaw::NotText);
                        out.push(char::REPLACEMENT_CHARACTER);
                    }
                    (unit, _) => out.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)),
                }
                return Ok(());
            }
            _ => return Err(Stop),
        };
        out.push(plain);
        self.at += 2;
        Ok(())
    }

    /// The four hex digits of `\uXXXX` at a place.
    fn unit(&self, at: usize) -> Step<u32> {
        let digits = self.text.as_bytes().get(at..at + 6).ok_or(Stop)?;
        if !digits.starts_with(b"\\u") || !digits[2..].iter().all(u8::is_ascii_hexdigit) {
            return Err(Stop);
        }
        let digits = std::str::from_utf8(&digits[2..]).map_err(|_| Stop)?;
        u32::from_str_radix(digits, 16).map_err(|_| Stop)
    }

    /// Over a string without reading it; it is at its opening quote.
    fn over_string(&mut self) -> Step<()> {
        self.at += 1;
        loop {
            match self.byte()? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => match *self.text.as_bytes().get(self.at + 1).ok_or(Stop)? {
                    b'u' => {
                        self.unit(self.at)?;
                        self.at += 6;
                    }
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
                    _ => return Err(Stop),
                },
                0..0x20 => return Err(Stop),
                _ => self.at += plain_length(&self.text.as_bytes()[self.at..]),
            }
        }
    }

    /// Over one value, whatever it is. Where it stood.
    pub(crate) fn skip(&mut self) -> Step<Range<usize>> {
        self.peek()?;
        let start = self.at;
        self.open.clear();
        loop {
            // A value begins here.
            match self.peek()? {
                b'"' => self.over_string()?,
                b'{' => {
                    self.at += 1;
                    if self.peek()? == b'}' {
                        self.at += 1;
                    } else {
                        self.open.push(b'}');
                        self.over_key()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    if self.peek()? == b']' {
                        self.at += 1;
                    } else {
                        self.open.push(b']');
                        continue;
                    }
                }
                _ => self.plain()?,
            }
            // A value has ended: what goes on?
            loop {
                let Some(close) = self.open.last().copied() else { return Ok(start..self.at) };
                match self.peek()? {
                    b',' => {
                        self.at += 1;
                        if close == b'}' {
                            self.over_key()?;
                        }
                        break;
                    }
                    byte if byte == close => {
                        self.at += 1;
                        self.open.pop();
                    }
                    _ => return Err(Stop),
                }
            }
        }
    }

    fn over_key(&mut self) -> Step<()> {
        if self.peek()? != b'"' {
            return Err(Stop);
        }
        self.over_string()?;
        self.keys += 1;
        self.take(b':')
    }

    /// A number, true, false or null.
    fn plain(&mut self) -> Step<()> {
        let rest = &self.text.as_bytes()[self.at..];
        for word in [&b"true"[..], b"false", b"null"] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(());
            }
        }
        let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut at = usize::from(rest.first() == Some(&b'-'));
        let whole = digits(at);
        if whole == 0 || (whole > 1 && rest[at] == b'0') {
            return Err(Stop);
        }
        at += whole;
        if rest.get(at) == Some(&b'.') {
            let fraction = digits(at + 1);
            if fraction == 0 {
                return Err(Stop);
            }
            at += 1 + fraction;
        }
        if matches!(rest.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(rest.get(at + 1), Some(b'+' | b'-')));
            let exponent = digits(at + 1 + sign);
            if exponent == 0 {
                return Err(Stop);
            }
            at += 1 + sign + exponent;
        }
        // A number that ends with the text may have been cut.
        if at == rest.len() && !self.open.is_empty() {
            return Err(Stop);
        }
        self.at += at;
        Ok(())
    }
}

/// Which bytes of a string stand for themselves.
const PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut at = 0;
    while at < 0x20 {
        plain[at] = false;
        at += 1;
    }
    plain[b'"' as usize] = false;
    plain[b'\\' as usize] = false;
    plain
};

/// How many bytes stand for themselves before one that does not.
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !PLAIN[usize::from(*byte)]).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests;
