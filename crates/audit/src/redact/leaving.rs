//! What leaves this machine in somebody's hands: stricter than what is kept here. Looks through encodings (percent, JSON,
//! quotes, base64), follows what is wrapped over lines, and takes whatever looks drawn by lot. Better a line too few.

use super::{REDACTED, Redacted, is_sensitive};
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};
use percent_encoding::percent_decode_str;

/// What stands where a line stood that held a secret in another encoding.
const LEFT_OUT: &str = "[left out: something in this line looks like a secret]";

/// How many encodings inside one another are looked through.
const DEPTH: u32 = 3;
/// The shortest word that is looked at as base64, and as one piece of something wrapped over lines, in characters.
const ENCODED: usize = 12;
const PIECE: usize = 6;

/// A text without its secrets, whatever they are written in.
pub fn leaving(input: &str) -> Redacted {
    let mut count = 0;
    let mut announced = false;
    // As they came: of a secret that is found in a part of its encoding, the rest is not found any more.
    let raw = input.split('\n').map(|line| {
        // A key at the end of a line speaks of the next one: `token: |`.
        let follows = std::mem::replace(&mut announced, announces(line)) && !line.trim().is_empty();
        left_out(follows || hides(line, DEPTH), line.to_owned(), &mut count)
    });
    let raw = raw.collect::<Vec<_>>().join("\n");
    let clean = super::text(&raw);
    count += clean.count;
    let text = unwrapped(&clean.text, &mut count);
    let lines = text.split('\n').map(|line| {
        let line = drawn(line, &mut count);
        left_out(secrets(&unquoted(&line)) > 0, line, &mut count)
    });
    let lines: Vec<String> = lines.collect();
    Redacted { text: lines.join("\n"), count }
}

fn left_out(out: bool, line: String, count: &mut u32) -> String {
    if out && line != LEFT_OUT {
        *count += 1;
        return LEFT_OUT.to_owned();
    }
    line
}

/// How much would be taken out of a text.
fn secrets(text: &str) -> u32 {
    let mut count = super::text(text).count;
    drawn(text, &mut count);
    count
}

/// Without quotes: what was quoted as a whole may be a command line of its own.
fn unquoted(text: &str) -> String {
    text.replace(['"', '\''], " ")
}

/// Whether a line ends in a key whose value comes next.
fn announces(line: &str) -> bool {
    let line = line.trim_end().trim_end_matches(['|', '>', '-', ' ', '"', '\'']);
    let Some(key) = line.strip_suffix([':', '=']) else { return false };
    let key = key.trim_end_matches([' ', '"', '\'']);
    is_sensitive(key.rsplit([' ', '"', '\'', '{', ',', '\t', '?', '&']).next().unwrap_or_default())
}

/// Whether a line holds, in another encoding, what would be taken out of it.
fn hides(line: &str, depth: u32) -> bool {
    let mut readings = Vec::new();
    if line.contains('%') {
        readings.push(percent_decode_str(line).decode_utf8_lossy().into_owned());
    }
    if line.contains('\\') {
        readings.push(unescaped(line));
    }
    readings.extend(line.split(|c: char| !is_base64(c)).filter_map(decoded));
    readings.iter().filter(|reading| *reading != line).any(|reading| {
        secrets(reading) + secrets(&unquoted(reading)) > 0 || (depth > 1 && hides(reading, depth - 1))
    })
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_')
}

/// A word as base64 of text; `None` where it is none.
fn decoded(word: &str) -> Option<String> {
    if word.len() < ENCODED {
        return None;
    }
    let bytes = BASE64_NOPAD.decode(word.as_bytes()).or_else(|_| BASE64URL_NOPAD.decode(word.as_bytes()));
    let text = String::from_utf8(bytes.ok()?).ok()?;
    text.chars().all(|c| !c.is_control() || c.is_whitespace()).then_some(text)
}

/// What a JSON text's escapes stand for.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let digits: String = rest.by_ref().take(4).collect();
                out.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
            }
            other => out.extend(other),
        }
    }
    out
}

/// What looks drawn by lot: hex of 16 bytes and more, words that mix cases and digits, long words of letters and digits.
fn drawn(text: &str, count: &mut u32) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_base64) {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let length = rest.find(|c: char| !is_base64(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        if looks_drawn(word) {
            out.push_str(REDACTED);
            *count += 1;
            rest = after.trim_start_matches('=');
        } else {
            out.push_str(word);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

fn looks_drawn(word: &str) -> bool {
    let has = |what: fn(&u8) -> bool| word.bytes().any(|b| what(&b));
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    // An id of ours (a UUID) is in parts, each of them short.
    let unbroken = || word.split(['-', '_', '/', '+']).map(str::as_bytes);
    let digits = |part: &[u8]| part.iter().filter(|b| b.is_ascii_digit()).count();
    word.len() >= 24 && mixed
        || unbroken().any(|part| part.len() >= 32 && part.iter().all(u8::is_ascii_hexdigit))
        || unbroken().any(|part| part.len() >= 20 && digits(part) >= 3 && digits(part) < part.len())
}

/// Takes out what is wrapped: pieces that are a secret only when put together, and what goes on below one that was found.
fn unwrapped(text: &str, count: &mut u32) -> String {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    for first in 0..lines.len() {
        let below = lines[first + 1..].iter().take_while(|line| piece(line).is_some()).count();
        if below == 0 {
            continue;
        }
        let goes_on = lines[first].trim_end_matches(EDGES).ends_with(REDACTED) || lines[first] == LEFT_OUT;
        let start = lines[first]
            .trim_end_matches(EDGES)
            .rfind(|c| !is_token(c))
            .map_or(0, |at| at + lines[first][at..].chars().next().map_or(1, char::len_utf8));
        let last = lines[first][start..].trim_end_matches(EDGES).to_owned();
        let pieces = lines[first + 1..=first + below].iter().filter_map(|line| piece(line));
        let whole: String = std::iter::once(last.as_str()).chain(pieces).collect();
        if goes_on || (last.len() >= PIECE && is_secret(&whole)) {
            if !goes_on {
                lines[first].truncate(start);
                lines[first].push_str(REDACTED);
            }
            for line in &mut lines[first + 1..=first + below] {
                *line = REDACTED.to_owned();
            }
            *count += 1;
        }
    }
    lines.join("\n")
}

/// What may stand around a piece of something wrapped.
const EDGES: [char; 8] = [' ', '\t', '\r', '"', '\'', '\\', ',', '|'];

fn is_token(c: char) -> bool {
    is_base64(c) || matches!(c, '.' | '=' | '~')
}

/// A line that is one word of a token's letters and nothing else.
fn piece(line: &str) -> Option<&str> {
    let word = line.trim_matches(EDGES);
    (!word.is_empty() && word.chars().all(is_token)).then_some(word)
}

fn is_secret(word: &str) -> bool {
    secrets(word) > 0 || hides(word, DEPTH)
}

#[cfg(test)]
mod tests;
