//! Taking secrets out of what is about to be stored (P20). Errs on the side of taking too much: the history says
//! *that* something was there and how often, never what.

mod keyed;
mod leaving;
mod tokens;
mod words;

pub use leaving::leaving;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// A text without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    /// The text, [`REDACTED`] in place of each secret.
    pub text: String,
    /// How many were taken out.
    pub count: u32,
}

/// Free text or a command line: private keys, passwords in URLs, `key=value` and `key: value` with telling keys,
/// flags with a password, and what looks like a token by itself.
pub fn text(input: &str) -> Redacted {
    let mut count = 0;
    let text = tokens::private_keys(input, &mut count);
    let text = tokens::userinfo(&text, &mut count);
    let text = keyed::values(&text, &mut count);
    let text = words::flags(&text, &mut count);
    let text = tokens::bare(&text, &mut count);
    Redacted { text, count }
}

/// An argument list, where a flag and its value are two elements. Same length as given.
pub fn args(list: &[String]) -> (Vec<String>, u32) {
    let mut count = 0;
    let by_place = words::secrets(&list.iter().map(String::as_str).collect::<Vec<_>>());
    let out = list
        .iter()
        .zip(by_place)
        .map(|(arg, place)| {
            if let Some(kept) = place {
                count += 1;
                return format!("{kept}{REDACTED}");
            }
            let clean = text(arg);
            count += clean.count;
            clean.text
        })
        .collect();
    (out, count)
}

/// A request target or URL: every query value is decoded first, and `command=` values are read together as the
/// argument list they are (`exec` puts it in the URL: kubernetes/kubernetes#97795). Untouched when nothing is found.
pub fn url(target: &str) -> Redacted {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let mut count = 0;
    let path = tokens::userinfo(path, &mut count);
    let mut out = tokens::bare(&path, &mut count);
    if let Some(query) = query {
        out.push('?');
        out.push_str(&self::query(query, &mut count));
    }
    Redacted { text: out, count }
}

fn query(query: &str, count: &mut u32) -> String {
    let pairs: Vec<(&str, Option<&str>)> = query
        .split('&')
        .map(|pair| pair.split_once('=').map_or((pair, None), |(key, value)| (key, Some(value))))
        .collect();
    let is_command = |key: &str| decode(key) == "command";
    let command: Vec<String> =
        pairs.iter().filter(|(key, _)| is_command(key)).map(|(_, v)| decode(v.unwrap_or_default())).collect();
    let (clean, found) = args(&command);
    *count += found;
    let mut commands = command.iter().zip(clean);
    let mut parts = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        let replaced = match (is_command(key), value) {
            (true, _) => commands.next().filter(|(before, after)| *before != after).map(|(_, after)| after),
            (false, Some(value)) => query_value(key, value, count),
            (false, None) => None,
        };
        parts.push(match (replaced, value) {
            (Some(text), _) => format!("{key}={}", utf8_percent_encode(&text, KEEP)),
            (None, Some(value)) => format!("{key}={value}"),
            // A bare key is text as well: `?eyJhbGci…`.
            (None, None) => tokens::bare(key, count),
        });
    }
    parts.join("&")
}

fn query_value(key: &str, value: &str, count: &mut u32) -> Option<String> {
    let plain = decode(value);
    if is_sensitive(&decode(key)) && !plain.is_empty() && plain != REDACTED {
        *count += 1;
        return Some(REDACTED.to_owned());
    }
    let clean = text(&plain);
    *count += clean.count;
    (clean.count > 0).then_some(clean.text)
}

/// What stays readable in a query value that had to be written anew.
const KEEP: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'[')
    .remove(b']')
    .remove(b'/');

fn decode(part: &str) -> String {
    percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// Names of things that are secrets, without case, dashes, dots and underscores.
const STEMS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "accesskey",
    "sessionkey",
    "encryptionkey",
    "sharedkey",
    "accountkey",
    "keydata",
    "credential",
    "authorization",
    "bearer",
    "cookie",
    "jwt",
    "codeverifier",
    "signature",
    "assertion",
];

/// Last words that make a name speak *about* a secret: an id, a file, a count.
const ABOUT: &[&str] = &[
    "id", "name", "names", "count", "seconds", "ms", "file", "path", "ref", "type", "length", "ttl",
    "expiry", "uid",
];

/// Last words that mean a secret, and mean something else inside a word (compass, author).
const LAST: &[&str] = &["pass", "pwd", "pw", "auth", "passwd", "passphrase"];

/// Names that mean one as a whole: short ones, and those that people write without anything between their words.
const WHOLE: &[&str] = &[
    "otp",
    "sig",
    "dbpass",
    "rootpass",
    "userpass",
    "smtppass",
    "requirepass",
    "sshpass",
    "masterauth",
    "bindpw",
    "rootpw",
];

/// So much of a key is looked at, from its end: that is where it says what it is.
const KEY_MOST: usize = 128;

/// Whether a key, flag or header says that its value is a secret.
pub fn is_sensitive(key: &str) -> bool {
    let mut plain = [0u8; KEY_MOST];
    let mut from = KEY_MOST;
    for byte in key.bytes().rev().filter(u8::is_ascii_alphanumeric).take(KEY_MOST) {
        from -= 1;
        plain[from] = byte.to_ascii_lowercase();
    }
    let Ok(plain) = std::str::from_utf8(&plain[from..]) else { return false };
    let last = last_word(key);
    let is_last = |word: &&str| last.eq_ignore_ascii_case(word);
    LAST.iter().any(is_last)
        || WHOLE.contains(&plain)
        || plain.ends_with("pwd")
        || STEMS.iter().any(|stem| plain.contains(stem)) && !ABOUT.iter().any(is_last)
}

/// The last word of a key, without the digits behind it: words end at everything that is no letter, and where capitals
/// begin or end (`adminPass`, `DB_PASS_2`, `accessKeyID`, `DBPass`).
fn last_word(key: &str) -> &str {
    let key = key.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
    let bytes = key.as_bytes();
    let mut start = bytes.len();
    while let Some(before) = start.checked_sub(1).map(|at| bytes[at]).filter(u8::is_ascii_alphabetic) {
        if let Some(first) = bytes.get(start) {
            let second = bytes.get(start + 1);
            let is_camel = before.is_ascii_lowercase() && first.is_ascii_uppercase();
            let is_after_capitals = before.is_ascii_uppercase()
                && first.is_ascii_uppercase()
                && second.is_some_and(u8::is_ascii_lowercase);
            if is_camel || is_after_capitals {
                break;
            }
        }
        start -= 1;
    }
    &key[start..]
}

#[cfg(test)]
mod tests;
