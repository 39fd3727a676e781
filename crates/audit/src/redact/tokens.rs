//! What is a secret by its own looks: private keys, passwords in URLs, JWTs, well-known token prefixes, long base64.

use super::REDACTED;

/// `-----BEGIN … PRIVATE KEY-----` to its end, or to the end of the text when it was cut.
pub(super) fn private_keys(text: &str, count: &mut u32) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find("-----BEGIN ") {
        let label = &rest[begin + 11..];
        let Some(label_end) = label.find("-----") else { break };
        let body = begin + 11 + label_end + 5;
        if !label[..label_end].contains("PRIVATE KEY") {
            out.push_str(&rest[..body]);
            rest = &rest[body..];
            continue;
        }
        out.push_str(&rest[..begin]);
        out.push_str(REDACTED);
        *count += 1;
        let after = rest[body..].find("-----END ").and_then(|end| {
            let tail = body + end + 9;
            rest[tail..].find("-----").map(|close| tail + close + 5)
        });
        rest = after.map_or("", |after| &rest[after..]);
    }
    out.push_str(rest);
    out
}

/// The password of `scheme://user:password@host`, or the user when there is no password (`https://token@host`).
pub(super) fn userinfo(text: &str, count: &mut u32) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let start = at + 3;
        let authority =
            rest[start..].find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\''));
        let authority = &rest[start..authority.map_or(rest.len(), |length| start + length)];
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        // The last `@`: an unencoded one may be part of the password.
        if let Some(end) = authority.rfind('@') {
            let secret = authority[..end].find(':').map_or(0, |colon| colon + 1);
            if secret < end && &authority[secret..end] != REDACTED {
                out.push_str(&authority[..secret]);
                out.push_str(REDACTED);
                *count += 1;
                rest = &rest[end..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Beginnings of tokens whose makers marked them, with the least length of the whole.
const MARKED: &[(&str, usize)] = &[
    ("eyJ", 20),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("xoxa-", 16),
    ("AKIA", 20),
    ("ASIA", 20),
    ("AIza", 30),
    ("ya29.", 16),
    ("npm_", 30),
    ("hvs.", 16),
    ("dckr_pat_", 16),
    ("k8s-aws-v1.", 20),
];

/// Tokens that stand by themselves, anywhere.
pub(super) fn bare(text: &str, count: &mut u32) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // How much is left where a run ends that is no token: then no end of it is one, and looking again at each word of a
    // long path would take the square of its length.
    let mut looked_to = usize::MAX;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let marked = MARKED.iter().find(|(prefix, _)| rest.starts_with(prefix)).and_then(|(_, least)| {
            let length = run(rest, |b| b.is_ascii_alphanumeric() || b"-_.+/=~".contains(&b));
            (length >= *least).then_some(length)
        });
        let length = marked.or_else(|| {
            if rest.len() > looked_to {
                return None;
            }
            let found = random(rest);
            if found.is_none() {
                looked_to = rest.len() - run_of_base64(rest);
            }
            found
        });
        if let Some(length) = length {
            out.push_str(REDACTED);
            *count += 1;
            rest = &rest[length..];
            continue;
        }
        // On to the next word: a token begins where a word begins.
        let word = run(rest, |b| b.is_ascii_alphanumeric()).max(1);
        out.push_str(&rest[..word]);
        rest = &rest[word..];
    }
    out.push_str(rest);
    out
}

/// The length of a run of base64 that no name or path looks like: 40 characters or more with a digit, of which 16
/// in a row without a slash mix upper and lower case. Digests (lower-case hex) and UUIDs are not.
fn random(rest: &str) -> Option<usize> {
    let length = run_of_base64(rest);
    if length < 40 {
        return None;
    }
    let run_of = &rest[..length];
    let mixed = run_of.split('/').any(|part| {
        part.len() >= 16
            && part.bytes().any(|b| b.is_ascii_uppercase())
            && part.bytes().any(|b| b.is_ascii_lowercase())
    });
    (mixed && run_of.bytes().any(|b| b.is_ascii_digit()))
        .then(|| length + run(&rest[length..], |b| b == b'='))
}

fn run_of_base64(text: &str) -> usize {
    run(text, |b| b.is_ascii_alphanumeric() || b"+/-_".contains(&b))
}

fn run(text: &str, fits: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|b| fits(*b)).count()
}
