//! Whether a text could have in it what the history's rules take out. Says yes too often and never no wrongly: a test
//! holds it against the rules themselves.

use sallyport_audit::is_sensitive_key;

/// What a byte may mean, in bits.
const BASE64: u8 = 1;
const CAPITAL: u8 = 2;
const TELLING: u8 = 4;

const CLASSES: [u8; 256] = {
    let mut classes = [0u8; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_') {
            classes[at] |= BASE64;
        }
        if byte.is_ascii_uppercase() {
            classes[at] |= CAPITAL;
        }
        if matches!(byte, b'=' | b':' | b'-' | b'_' | b'.' | b'b' | b'B' | b'J' | b'A' | b'a') {
            classes[at] |= TELLING;
        }
        at += 1;
    }
    classes
};

/// Whether `redact_text` could change it.
pub(super) fn in_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    // How long the run of base64 is that ends here, and whether it has a capital letter in it.
    let (mut run, mut capital) = (0usize, 0u8);
    for (at, byte) in bytes.iter().enumerate() {
        let class = CLASSES[usize::from(*byte)];
        if class & BASE64 == 0 {
            (run, capital) = (0, 0);
        } else {
            run += 1;
            capital |= class & CAPITAL;
            if run >= 40 && capital != 0 {
                return true;
            }
        }
        if class & TELLING != 0 && tells(text, at) {
            return true;
        }
    }
    false
}

/// Whether the rules could change a word of a list because it is a flag, or what they find behind it. A long flag that
/// names no secret is the only kind that is told here; all others are for them.
pub(super) fn is_flag(word: &str) -> bool {
    let Some(flag) = word.strip_prefix("--") else { return true };
    let is_user = flag.starts_with("user") || flag.starts_with("proxy-user");
    is_user || flag.starts_with('-') || is_key(word) || in_text(flag)
}

/// Whether something that the rules look for begins or ends at a byte.
#[inline]
fn tells(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    // White space of other alphabets begins a word too.
    let begins = || at == 0 || matches!(bytes[at - 1], b' ' | 9..=13 | b'"' | b'\'' | 0x80..);
    match bytes[at] {
        b'=' => speaks_of_a_secret(text, at),
        b':' => bytes[at + 1..].starts_with(b"//") || speaks_of_a_secret(text, at),
        // A flag, or a private key.
        b'-' => begins() || bytes[..at].ends_with(b"----") || is_marked(bytes, at),
        b'b' | b'B' => {
            begins() && bytes.len() >= at + 5 && {
                let word = &bytes[at..bytes.len().min(at + 6)];
                word[..5].eq_ignore_ascii_case(b"basic") || word.eq_ignore_ascii_case(b"bearer")
            }
        }
        _ => is_marked(bytes, at),
    }
}

/// Whether `redact_url` could change a path that has no query.
pub(super) fn in_path(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| match byte {
        b'A'..=b'Z' => path.len() >= 20,
        b':' => bytes[at + 1..].starts_with(b"//"),
        b'-' | b'.' | b'_' => is_marked(bytes, at),
        _ => false,
    })
}

/// Whether one of the marks that makers put before their tokens ends here.
#[inline]
fn is_marked(bytes: &[u8], at: usize) -> bool {
    // By one byte first: most end here at once.
    match (bytes[at], at.checked_sub(1).map(|before| bytes[before])) {
        (b'_', Some(last)) => {
            (last == b't' && bytes[..at].ends_with(b"_pat"))
                || (last == b'm' && bytes[..at].ends_with(b"npm"))
                || matches!(bytes[..at], [.., b'g', b'h', _])
        }
        (b'-', Some(b't')) => bytes[..at].ends_with(b"glpat"),
        (b'-', Some(_)) => matches!(bytes[..at], [.., b'x', b'o', b'x', _]),
        (b'.', Some(b'9')) => bytes[..at].ends_with(b"ya29"),
        (b'.', Some(b's')) => bytes[..at].ends_with(b"hvs"),
        (b'.', Some(b'1')) => bytes[..at].ends_with(b"k8s-aws-v1"),
        (b'J', Some(b'y')) => bytes[..at].ends_with(b"ey"),
        (b'A', Some(b'I')) => bytes[..at].ends_with(b"AKI") || bytes[..at].ends_with(b"ASI"),
        (b'a', Some(b'z')) => bytes[..at].ends_with(b"AIz"),
        _ => false,
    }
}

/// Whether the key before a separator says that a secret follows.
fn speaks_of_a_secret(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches(' ').trim_end_matches(['"', '\'']).trim_end_matches('\\');
    let start = before
        .bytes()
        .rposition(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')))
        .map_or(0, |at| at + 1);
    let key = &before[start..];
    is_key(key)
}

/// Whether a text may be JSON: an object or an array.
#[inline]
pub(crate) fn begins_json(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(b'{' | b'[') => true,
        Some(b' ' | b'\t' | b'\r' | b'\n') => text.trim_ascii_start().starts_with(['{', '[']),
        _ => false,
    }
}

/// Whether a name, or the path of an operation of a patch, says that the value beside it is a secret.
pub(super) fn names_a_secret(name: &str) -> bool {
    let mut parts = name.rsplit('/');
    let last = parts.next().unwrap_or(name);
    let is_place = |part: &str| part == "-" || part.bytes().all(|byte| byte.is_ascii_digit());
    if !name.contains('/') || !(is_place(last) || last == "value") {
        return is_key(last);
    }
    if last == "value" {
        // What the variable is called is not in the patch.
        return parts.next().is_some_and(is_place) && parts.next() == Some("env");
    }
    // A place in a list is called as the list is.
    parts.find(|part| !is_place(part)).is_some_and(is_key)
}

/// Whether a key says that what stands under it is a secret; quick where it does not.
pub(crate) fn is_key(key: &str) -> bool {
    may_be_sensitive(key) && is_sensitive_key(key)
}

/// Whether a key has a word in it that may mean a secret; far quicker than asking whether it does.
fn may_be_sensitive(key: &str) -> bool {
    const fn letters(word: &[u8]) -> u32 {
        let (mut at, mut set) = (0, 0);
        while at < word.len() {
            if word[at].is_ascii_alphabetic() {
                set |= 1 << (word[at].to_ascii_lowercase() - b'a');
            }
            at += 1;
        }
        set
    }
    // Every word that is looked for has one of these in it.
    const WORDS: [&[u8]; 15] = [
        b"pass",
        b"pwd",
        b"pw",
        b"otp",
        b"sig",
        b"auth",
        b"secret",
        b"token",
        b"key",
        b"credential",
        b"bearer",
        b"cookie",
        b"jwt",
        b"codeverifier",
        b"assertion",
    ];
    const SETS: [u32; 15] = {
        let (mut sets, mut at) = ([0; 15], 0);
        while at < 15 {
            sets[at] = letters(WORDS[at]);
            at += 1;
        }
        sets
    };
    let set = letters(key.as_bytes());
    if SETS.iter().all(|stem| set & stem != *stem) {
        return false;
    }
    // As the rules read a key: letters and digits alone, in one case, from its end, and no more than they look at.
    let mut plain = [0u8; 128];
    let mut from = plain.len();
    for byte in key.bytes().rev().filter(u8::is_ascii_alphanumeric).take(plain.len()) {
        from -= 1;
        plain[from] = byte.to_ascii_lowercase();
    }
    let plain = &plain[from..];
    WORDS
        .iter()
        .zip(SETS)
        .any(|(word, stem)| set & stem == stem && plain.windows(word.len()).any(|window| window == *word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sallyport_audit::{redact_text, redact_url};

    #[test]
    fn what_is_usual_is_not_suspected() {
        for usual in [
            "kubectl/v1.31.0 (linux/amd64) kubernetes/9edcffc",
            "RBAC: allowed by ClusterRoleBinding \"system:kube-scheduler\" of ClusterRole \"system:kube-scheduler\" to User \"system:kube-scheduler\"",
            "system:serviceaccount:kube-system:deployment-controller",
        ] {
            assert!(!in_text(usual), "{usual}");
        }
        assert!(!in_path("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/worker-1"));
    }

    /// Texts made of what the rules look for, and of what stands around it.
    fn texts() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            proptest::sample::select(vec![
                "-p",
                "-u",
                "--user=",
                "--password",
                "bearer ",
                "Basic ",
                "hunter2",
                "token",
                "Token: ",
                "api_key=",
                "a.p-i.key:",
                "pwd",
                "PWD=",
                "://",
                "u:p@h",
                "-----BEGIN ",
                "PRIVATE KEY-----",
                "eyJhbGciOiJSUzI1",
                "ghp_abcdefghijklmnopq",
                "github_pat_abcdefghij",
                "glpat-abcdefghijkl",
                "xoxb-abcdefghijkl",
                "AKIAIOSFODNN7EXAMPLE",
                "AIzaabcdefghijklmnopqrstuvwxyz",
                "ya29.abcdefghijklm",
                "hvs.abcdefghijklm",
                "k8s-aws-v1.abcdefghij",
                "npm_abcdefghijklmnopqrstuvwxyz",
                "dckr_pat_abcdefghij",
                "sshpass",
                "helm",
                "mysql",
                "\"",
                "'",
                "\\",
                " ",
                "=",
                ":",
                "/",
                "\n",
                "\u{2003}",
                "é",
                "verifier",
                "code-",
                "assertion",
                "credential",
                "signature=",
                "cookie:",
                "sig=",
                "auth:",
                "Xy1",
                "wJalrXUtnFEMI7MDENGbPxRfiCY",
                "0123456789abcdef",
                "_",
                "-",
                ".",
                "+",
                "?a=",
            ])
            .prop_map(str::to_owned),
            "[a-zA-Z0-9]{1,12}",
        ];
        proptest::collection::vec(part, 0..14).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn p20_what_is_not_suspected_has_nothing_to_take_out(text in texts()) {
            if !in_text(&text) {
                let clean = redact_text(&text);
                prop_assert_eq!((clean.count, &clean.text), (0, &text));
            }
            let path = text.replace('?', "");
            if !in_path(&path) {
                let clean = redact_url(&path);
                prop_assert_eq!((clean.count, &clean.text), (0, &path));
            }
        }

        #[test]
        fn p20_a_key_that_means_a_secret_is_never_taken_for_another(
            key in "([a-z./_-]{0,4}|[A-Z0-9_]{0,140}|[a-zA-Z_]{0,6})(pass|PASS|Pass|_PW|Pw|AUTH|Auth|passwd|requirepass|masterauth|rootpw|OLDPWD|Pass-Word|pass.phrase|SECRET|to.ken|apiKey|private-key|key_data|credential|authorization|bearer|cookie|jwt|code-verifier|signature|assertion|pwd|pw|otp|sig|auth|mysql_pwd|db-pass|id|name|ref)(|[a-z-]{0,3}|[A-Z0-9_-]{0,3}|Id|_ID|ID2)"
        ) {
            prop_assert_eq!(is_key(&key), is_sensitive_key(&key));
        }

        #[test]
        fn p20_nor_has_any_other_text(text in "\\PC{0,60}") {
            if !in_text(&text) {
                prop_assert_eq!(redact_text(&text).count, 0);
            }
        }
    }
}
