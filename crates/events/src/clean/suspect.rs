//! Whether a text could have in it what the history's rules take out. Says yes too often and never no wrongly: a test
//! holds it against the rules themselves.

use sallyport_audit::is_sensitive_key;

/// Whether `redact_text` could change it.
pub(super) fn in_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    // How long the run of base64 is that ends here, and whether it has a capital letter in it.
    let (mut run, mut has_capital) = (0usize, false);
    let mut starts_word = true;
    for (at, byte) in bytes.iter().copied().enumerate() {
        let begins = std::mem::replace(&mut starts_word, matches!(byte, b' ' | 9..=13 | b'"' | b'\''));
        let found = match byte {
            b'=' => speaks_of_a_secret(text, at),
            b':' => bytes[at + 1..].starts_with(b"//") || speaks_of_a_secret(text, at),
            // A flag, or a private key.
            b'-' if begins => true,
            b'b' | b'B' if begins => {
                let word = &bytes[at..bytes.len().min(at + 6)];
                word.len() >= 5
                    && (word[..5].eq_ignore_ascii_case(b"basic") || word.eq_ignore_ascii_case(b"bearer"))
            }
            0x80.. => {
                // White space of another alphabet begins a word too.
                starts_word = true;
                false
            }
            _ => is_marked(bytes, at),
        };
        if found {
            return true;
        }
        if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_') {
            run += 1;
            has_capital |= byte.is_ascii_uppercase();
            if run >= 40 && has_capital {
                return true;
            }
        } else {
            (run, has_capital) = (0, false);
        }
    }
    text.contains("-----BEGIN")
}

/// Whether `redact_url` could change a path that has no query.
pub(super) fn in_path(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| match byte {
        b'A'..=b'Z' => path.len() >= 20,
        b':' => bytes[at + 1..].starts_with(b"//"),
        _ => is_marked(bytes, at),
    })
}

/// Whether one of the marks that makers put before their tokens ends here.
fn is_marked(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[..at];
    match bytes[at] {
        b'_' => {
            before.ends_with(b"_pat") || before.ends_with(b"npm") || before.ends_with(b"_pat") || {
                let [.., b'g', b'h', _] = before else { return false };
                true
            }
        }
        b'-' => before.ends_with(b"glpat") || matches!(before, [.., b'x', b'o', b'x', _]),
        b'.' => {
            before.ends_with(b"ya29") || before.ends_with(b"hvs") || before.ends_with(b"k8s-aws-v1")
        }
        b'J' => before.ends_with(b"ey"),
        b'A' => before.ends_with(b"AKI") || before.ends_with(b"ASI"),
        b'a' => before.ends_with(b"AIz"),
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
    may_be_sensitive(key) && is_sensitive_key(key)
}

/// Whether a key has the letters of any word that means a secret; far quicker than asking which.
fn may_be_sensitive(key: &str) -> bool {
    const fn letters(word: &str) -> u32 {
        let (bytes, mut at, mut set) = (word.as_bytes(), 0, 0);
        while at < bytes.len() {
            if bytes[at].is_ascii_alphabetic() {
                set |= 1 << (bytes[at].to_ascii_lowercase() - b'a');
            }
            at += 1;
        }
        set
    }
    const STEMS: [u32; 13] = [
        letters("pass"),
        letters("pwd"),
        letters("pw"),
        letters("otp"),
        letters("sig"),
        letters("auth"),
        letters("secret"),
        letters("token"),
        letters("key"),
        letters("credential"),
        letters("bearer"),
        letters("cookie"),
        letters("jwt"),
    ];
    // `codeverifier` and `assertion` have words of their own.
    const OTHERS: [u32; 2] = [letters("codeverifier"), letters("assertion")];
    let set = letters(key);
    STEMS.iter().chain(&OTHERS).any(|stem| set & stem == *stem)
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
                "-p", "-u", "--user=", "--password", "bearer ", "Basic ", "hunter2", "token", "Token: ", "api_key=",
                "a.p-i.key:", "pwd", "PWD=", "://", "u:p@h", "-----BEGIN ", "PRIVATE KEY-----", "eyJhbGciOiJSUzI1",
                "ghp_abcdefghijklmnopq", "github_pat_abcdefghij", "glpat-abcdefghijkl", "xoxb-abcdefghijkl",
                "AKIAIOSFODNN7EXAMPLE", "AIzaabcdefghijklmnopqrstuvwxyz", "ya29.abcdefghijklm", "hvs.abcdefghijklm",
                "k8s-aws-v1.abcdefghij", "npm_abcdefghijklmnopqrstuvwxyz", "dckr_pat_abcdefghij", "sshpass", "helm",
                "mysql", "\"", "'", "\\", " ", "=", ":", "/", "\n", "\u{2003}", "é", "verifier", "code-",
                "assertion", "credential", "signature=", "cookie:", "sig=", "auth:", "Xy1", "wJalrXUtnFEMI7MDENGbPxRfiCY",
                "0123456789abcdef", "_", "-", ".", "+", "?a=",
            ]).prop_map(str::to_owned),
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
        fn p20_nor_has_any_other_text(text in "\\PC{0,60}") {
            if !in_text(&text) {
                prop_assert_eq!(redact_text(&text).count, 0);
            }
        }
    }
}
