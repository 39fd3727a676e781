//! Command lines: which word is a secret by its place.

use super::{REDACTED, is_sensitive};

/// Programs whose short flag takes a password as the next word.
const NEXT: &[(&str, &str)] = &[
    ("sshpass", "-p"),
    ("redis-cli", "-a"),
    ("mongo", "-p"),
    ("mongosh", "-p"),
    ("mongodump", "-p"),
    ("mongorestore", "-p"),
    ("ldapsearch", "-w"),
    ("ldapmodify", "-w"),
    ("docker", "-p"),
    ("podman", "-p"),
    ("helm", "-p"),
    ("oc", "-p"),
];

/// `-p…` words that are no password.
const NOT_A_PASSWORD: &[&str] = &[
    "-path", "-perm", "-print", "-print0", "-printf", "-prune", "-pid", "-port", "-profile", "-pvf", "-pv",
    "-pr",
];

/// Redacts, in a command line or other text, the words that are secrets by their place.
pub(super) fn flags(text: &str, count: &mut u32) -> String {
    let pieces = split(text);
    let words: Vec<&str> = pieces.iter().map(|(_, word)| *word).collect();
    let found = secrets(&words);
    let mut out = String::with_capacity(text.len());
    for ((space, word), secret) in pieces.iter().zip(found) {
        out.push_str(space);
        match secret {
            Some(kept) => {
                out.push_str(kept);
                out.push_str(REDACTED);
                *count += 1;
            }
            None => out.push_str(word),
        }
    }
    out
}

/// For each word, what of it may stay when it is (or ends in) a secret.
pub(super) fn secrets<'a>(words: &[&'a str]) -> Vec<Option<&'a str>> {
    let mut programs: Vec<&str> = Vec::new();
    let mut expects = Expects::Nothing;
    words
        .iter()
        .map(|word| {
            let bare = word.trim_matches(['"', '\'']);
            let secret = match std::mem::replace(&mut expects, Expects::Nothing) {
                // `--client-cert-auth true` is a switch.
                Expects::Secret if matches!(bare, "true" | "false") => None,
                Expects::Secret if !bare.starts_with('-') && !bare.is_empty() => whole(word),
                Expects::Scheme if bare.len() >= 16 || bare.bytes().any(|b| b.is_ascii_digit()) => {
                    whole(word)
                }
                Expects::UserColonSecret => after_colon(word),
                _ => attached(word, bare),
            };
            let program = bare.rsplit('/').next().unwrap_or(bare);
            expects = next(&programs, bare);
            if NEXT.iter().any(|(name, _)| *name == program) {
                programs.push(program);
            }
            secret.filter(|kept| word[kept.len()..] != *REDACTED)
        })
        .collect()
}

enum Expects {
    Nothing,
    /// The next word is a secret.
    Secret,
    /// The next word is one, if it looks at all like one: after `Bearer`, which also occurs in prose.
    Scheme,
    /// The next word is `user:secret`.
    UserColonSecret,
}

fn next(programs: &[&str], word: &str) -> Expects {
    if matches!(word, "-u" | "--user" | "--proxy-user" | "-U") {
        return Expects::UserColonSecret;
    }
    if word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic") {
        return Expects::Scheme;
    }
    let by_program = NEXT.iter().any(|(name, flag)| *flag == word && programs.contains(name));
    let by_name = word.starts_with('-') && !word.contains(['=', ':']) && is_sensitive(word);
    if by_program || by_name { Expects::Secret } else { Expects::Nothing }
}

fn whole(_: &str) -> Option<&'static str> {
    Some("")
}

fn after_colon(word: &str) -> Option<&str> {
    let colon = word.find(':')?;
    (colon + 1 < word.trim_end_matches(['"', '\'']).len()).then(|| &word[..=colon])
}

/// `-pPASSWORD` as MySQL's tools take it, and `--user=name:secret`.
fn attached<'a>(word: &'a str, bare: &str) -> Option<&'a str> {
    if let Some(value) = bare.strip_prefix("-p") {
        let plain = value.is_empty()
            || value.bytes().all(|b| b.is_ascii_digit() || b == b':')
            || value.starts_with('=')
            || NOT_A_PASSWORD.iter().any(|known| bare.split('=').next() == Some(known));
        return if plain { None } else { word.find("-p").map(|at| &word[..at + 2]) };
    }
    if bare.starts_with("--user=") || bare.starts_with("--proxy-user=") {
        return after_colon(word);
    }
    None
}

/// The words with the space before each; a quoted part belongs to its word when its quotes open at the start of
/// the word or after `=`, and close again (so that an apostrophe in prose opens nothing).
fn split(text: &str) -> Vec<(&str, &str)> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let space = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
        let word = word_length(&rest[space..]);
        out.push((&rest[..space], &rest[space..space + word]));
        rest = &rest[space + word..];
    }
    out
}

fn word_length(text: &str) -> usize {
    let mut at = 0;
    let mut last = ' ';
    while let Some(c) = text[at..].chars().next() {
        if c.is_whitespace() {
            return at;
        }
        if matches!(c, '"' | '\'')
            && matches!(last, ' ' | '=')
            && let Some(length) = text[at + 1..].find(c)
        {
            // A quoted script is looked into, a quoted word is one.
            if last == '=' || !text[at + 1..at + 1 + length].contains(" -") {
                at += length + 2;
                last = c;
                continue;
            }
        }
        at += c.len_utf8();
        last = c;
    }
    at
}
