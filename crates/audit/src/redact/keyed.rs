//! `key=value` and `key: value`: environment assignments, flags, headers, JSON, YAML, query strings.

use super::{REDACTED, is_sensitive};

/// Replaces the value of every key that says it is a secret.
pub(super) fn values(text: &str, count: &mut u32) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let (mut done, mut at) = (0, 0);
    while at < bytes.len() {
        if matches!(bytes[at], b'=' | b':')
            && let Some((start, end)) = secret_after(text, done, at)
        {
            out.push_str(&text[done..start]);
            out.push_str(REDACTED);
            *count += 1;
            done = end;
            at = end;
            continue;
        }
        at += 1;
    }
    out.push_str(&text[done..]);
    out
}

/// The range of the value after the separator at `at`, when the key before it (not before `from`) is telling.
fn secret_after(text: &str, from: usize, at: usize) -> Option<(usize, usize)> {
    let before = text[from..at].trim_end_matches(' ').trim_end_matches(['"', '\'']).trim_end_matches('\\');
    let key_start = before
        .bytes()
        .rposition(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')))
        .map_or(0, |p| p + 1);
    let key = &before[key_start..];
    if key.is_empty() || !is_sensitive(key) {
        return None;
    }
    let opened = before[..key_start].chars().next_back().filter(|c| matches!(c, '"' | '\''));
    let spaces = text[at + 1..].bytes().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let start = at + 1 + spaces;
    let (start, end) = value_range(text, start, opened, takes_the_line(key));
    let value = &text[start..end];
    let nothing = value.is_empty()
        || value.starts_with(REDACTED)
        // The scheme of an address that is called so: `secret://…`. What is assigned may begin like that, and so may a
        // header's value, whose name has more than one word.
        || (text[at..].starts_with("://") && opened.is_none() && !key.contains(['-', '_', '.']))
        || matches!(value, "true" | "false" | "null" | "none" | "nil" | "=")
        // The working directory and the one before it, which shells keep under these names.
        || (matches!(key, "PWD" | "OLDPWD") && value.starts_with('/'));
    (!nothing).then_some((start, end))
}

/// Headers whose value has spaces: `Authorization: Basic …`, `Cookie: a=1; b=2`.
fn takes_the_line(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.ends_with("authorization") || key.ends_with("cookie")
}

fn value_range(text: &str, start: usize, opened: Option<char>, whole_line: bool) -> (usize, usize) {
    let rest = &text[start..];
    // A value in quotes of its own ends with them; `\"` is a quote inside a quoted JSON text.
    for quote in ["\\\"", "\"", "'"] {
        if let Some(inner) = rest.strip_prefix(quote) {
            let length = closing(inner, quote).unwrap_or(inner.len());
            return (start + quote.len(), start + quote.len() + length);
        }
    }
    // Quotes that were opened before the key enclose the value too: `-H 'Authorization: Basic x y'`. For JSON the
    // quote around the key is closed before the separator, and the value has its own.
    if let Some(quote) = opened
        && let Some(length) = rest.find(quote)
        && (whole_line || !rest[..length].contains('\n'))
    {
        return (start, start + length);
    }
    let length = if whole_line {
        rest.find(['\n', '\r', '"', '\'']).unwrap_or(rest.len())
    } else {
        rest.find(char::is_whitespace).unwrap_or(rest.len())
    };
    (start, start + length)
}

fn closing(inner: &str, quote: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + inner[from..].find(quote)?;
        let escaped = quote == "\"" && inner[..at].bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1;
        if !escaped {
            return Some(at);
        }
        from = at + 1;
    }
}
