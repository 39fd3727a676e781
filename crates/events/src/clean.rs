//! Secrets out of what a line says, before any of it is handed on (P20), and nothing longer than is kept.
//!
//! What a secret is, the history's own rules say (`sallyport_audit`). They are thorough and slow; most texts of an audit
//! log have nothing in them that any rule could find, and `suspect` tells that in one look.

mod body;
mod plain;
mod suspect;

pub(crate) use body::{body, facts_of, is_secret, quoted, tree, whole};

use crate::Text;
use percent_encoding::percent_decode_str;
use sallyport_audit::{REDACTED, ends, redact_args, redact_text, redact_url};
use std::borrow::Cow;
pub(crate) use suspect::{begins_json, is_key};
use suspect::{in_path, in_text};

/// The most characters of an address that are kept.
pub(crate) const URI_MOST: usize = 2048;
/// The most characters of a message, a reason or a user agent.
pub(crate) const TEXT_MOST: usize = 1024;
/// The most words of a command, and characters of each.
const WORDS_MOST: usize = 48;
const WORD_MOST: usize = 512;

/// What the objects of a call hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Values that nobody but their owner is meant to see: Secrets, and ConfigMaps, which are used as such.
    Data,
    /// Nothing of the kind.
    Other,
}

impl Holds {
    /// By the resource a call is about.
    pub(crate) fn of(resource: &str) -> Self {
        if matches!(resource, "secrets" | "configmaps") { Self::Data } else { Self::Other }
    }
}

/// What has been done to the texts of one line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    /// Secrets taken out.
    pub(crate) redactions: u32,
    /// Whether something was cut.
    pub(crate) is_clipped: bool,
}

impl Done {
    /// Free text without its secrets and its middle, and whether that changed it.
    pub(crate) fn text<'a>(&mut self, text: Text<'a>, most: usize) -> (Text<'a>, bool) {
        let (text, changed) = if in_text(&text) {
            let clean = redact_text(&text);
            self.redactions += clean.count;
            (Cow::Owned(clean.text), clean.count > 0)
        } else {
            (text, false)
        };
        let (text, cut) = self.cut(text, most);
        (text, changed || cut)
    }

    /// A name: never a secret, so that who and what can be found by it, but no longer than it may be.
    pub(crate) fn name<'a>(&mut self, text: Text<'a>, most: usize) -> Text<'a> {
        self.cut(text, most).0
    }

    fn cut<'a>(&mut self, text: Text<'a>, most: usize) -> (Text<'a>, bool) {
        if text.len() <= most {
            return (text, false);
        }
        match ends(&text, most) {
            Some(cut) => {
                self.is_clipped = true;
                (Cow::Owned(cut), true)
            }
            None => (text, false),
        }
    }

    /// An address: what it is kept as, whether that changed it, and the command in it.
    pub(crate) fn uri<'a>(&mut self, uri: Text<'a>, is_exec: bool) -> (Text<'a>, bool, Vec<String>) {
        let query = uri.split_once('?').map(|(_, query)| query);
        if query.is_none() && !in_path(&uri) {
            let (uri, cut) = self.cut(uri, URI_MOST);
            return (uri, cut, Vec::new());
        }
        // Read before anything is cut, and from the whole of it: a long address hides no command.
        let command = query.map(command).unwrap_or_default();
        let (command, _) = redact_args(&command);
        let command = bounded(command);
        if query.is_some_and(is_plain_query) && !in_path(&uri[..uri.find('?').unwrap_or(uri.len())]) {
            let (uri, cut) = self.cut(uri, URI_MOST);
            return (uri, cut, Vec::new());
        }
        let clean = redact_url(&uri);
        self.redactions += clean.count;
        let text = if clean.count > 0 { Cow::Owned(clean.text) } else { uri };
        let (text, cut) = self.cut_uri(text, &command);
        (text, cut || clean.count > 0, if is_exec { command } else { Vec::new() })
    }

    /// An address of a length that is kept, its command behind it where that was in what is cut out.
    fn cut_uri<'a>(&mut self, uri: Text<'a>, command: &[String]) -> (Text<'a>, bool) {
        let (cut, was_cut) = self.cut(uri, URI_MOST);
        if !was_cut || command.is_empty() {
            return (cut, was_cut);
        }
        let mut out = cut.into_owned();
        for word in command {
            out.push_str("&command=");
            out.extend(percent_encoding::utf8_percent_encode(word, percent_encoding::NON_ALPHANUMERIC));
        }
        (Cow::Owned(out), true)
    }
}

/// A query that says how to list and nothing else: by far the most there are.
fn is_plain_query(query: &str) -> bool {
    const PLAIN: [&str; 16] = [
        "allowWatchBookmarks",
        "container",
        "dryRun",
        "fieldManager",
        "fieldValidation",
        "follow",
        "limit",
        "pretty",
        "resourceVersion",
        "resourceVersionMatch",
        "sendInitialEvents",
        "stdout",
        "tailLines",
        "timeout",
        "timeoutSeconds",
        "watch",
    ];
    query.split('&').all(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        // So short that nothing in it can be a token, and with nothing to decode.
        let is_word = value.len() < 20
            && value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !value.starts_with('-');
        (is_word || value == "NotOlderThan" || value == "Exact" || value == "Strict" || value == "Ignore")
            && PLAIN.contains(&key)
    })
}

/// The words of `command=`, as the API server reads them (kubernetes/kubernetes#97795).
fn command(query: &str) -> Vec<String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter(|(key, _)| decode(key) == "command").map(|(_, word)| decode(word)).collect()
}

fn decode(part: &str) -> String {
    percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// The first and the last words, each with its two ends.
fn bounded(mut command: Vec<String>) -> Vec<String> {
    if command.len() > WORDS_MOST {
        let left_out = command.len() - WORDS_MOST + 1;
        let tail = command.split_off(command.len() - WORDS_MOST / 2 + 1);
        command.truncate(WORDS_MOST / 2);
        command.push(format!("…[{left_out} words left out]…"));
        command.extend(tail);
    }
    command.into_iter().map(|word| ends(&word, WORD_MOST).unwrap_or(word)).collect()
}

/// A message of an API server that could not decode what it was sent, without what it quotes of that: older ones say
/// `… error found in #10 byte of ...|<what was sent>|...` (json-iterator's errors). `None` for all others.
pub(crate) fn unquoted(message: &str) -> Option<String> {
    const BEFORE: &str = "error found in";
    let at = memchr::memmem::find(message.as_bytes(), BEFORE.as_bytes())? + BEFORE.len();
    let (head, tail) = message.split_at(at);
    (tail.trim_start() != REDACTED).then(|| format!("{head} {REDACTED}"))
}

/// What stands in place of something that is not kept.
pub(crate) fn left_out(bytes: usize) -> String {
    format!("[left out: {bytes} bytes]")
}

#[cfg(test)]
mod tests;
