use super::*;
use data_encoding::{BASE64, BASE64URL};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIiwiYXVkIjoiaHViIn0.c2lnbmF0dXJlLW9mLWl0LWFsbA";
const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\nd2hhdGV2ZXI\n-----END PRIVATE KEY-----";

/// That nothing of `secret` is left that is long enough to help somebody.
fn gone(input: &str, secret: &str) {
    let clean = leaving(input);
    assert!(clean.count > 0, "{input}");
    let letters: Vec<char> = secret.chars().collect();
    for window in letters.windows(letters.len().clamp(1, 10)) {
        let window: String = window.iter().collect();
        assert!(!clean.text.contains(&window), "{window} of {input}\n→ {}", clean.text);
    }
}

#[test]
fn p1_p20_what_leaves_holds_no_secret_in_any_encoding() {
    gone(&format!("GET https://hub/api?access_token={JWT}&x=1"), JWT);
    gone(&format!("redirected to https://id/cb#id_token={JWT}"), JWT);
    gone(&format!("ran with {}", BASE64.encode(PEM.as_bytes())), "LS0tLS1CRUdJTiBQUklWQVRF");
    gone("authorization: Bearer qwertzuiopasdf", "qwertzuiopasdf");
    gone(r#"answer {"sa-token":"short-one","ok":true}"#, "short-one");
    gone(r#"body "{\"sa-token\":\"short-one\"}""#, "short-one");
    gone(r"body {\u0022sa-token\u0022:\u0022short-one\u0022}", "short-one");
    gone("q=%7B%22sa-token%22%3A%22short-one%22%7D", "short-one");
    gone("q=%257B%2522sa-token%2522%253A%2522short-one%2522%257D", "short-one");
    gone(&format!("at {} end", BASE64.encode(b"password=hunter2!")), "cGFzc3dvcmQ9aHVudGVyMiE");
    gone(&format!("2026 INFO key {PEM} was read\nnext"), "AgEAMBMGByqGSM49");
    gone("client-key-data: QUJDREVGR0hJSktM", "QUJDREVGR0hJSktM");
    gone("token: |\n  hunter2hunter\nnext", "hunter2hunter");
    gone("refresh 9ktj4m2kq0xw8vbn3c5z7a1l", "9ktj4m2kq0xw8vbn3c5z7a1l");
    gone(r#"ran "--password hunter2hunter" there"#, "hunter2hunter");
    gone("seal 3f2a9c77d01b4e5f8a6b7c8d9e0f1a2b3c", "3f2a9c77d01b4e5f8a6b");
}

#[test]
fn p20_what_is_wrapped_over_lines_is_taken_whole() {
    for width in [8, 16, 40, 64, 76] {
        for secret in [JWT.to_owned(), BASE64.encode(PEM.as_bytes())] {
            let wrapped: Vec<&str> =
                secret.as_bytes().chunks(width).map(|c| str::from_utf8(c).unwrap()).collect();
            for between in ["\n", "\r\n", "\n    ", "\\\n"] {
                let text = format!("it said {}\nand went on", wrapped.join(between));
                let clean = leaving(&text).text;
                for piece in wrapped.iter().filter(|piece| piece.len() >= 4) {
                    assert!(!clean.contains(piece), "{width}: {piece}\n{clean}");
                }
                assert!(clean.ends_with("and went on"), "{clean}");
            }
        }
    }
    // Only its end is left: the log had no room for its beginning.
    let cut = &PEM[PEM.find('\n').unwrap() + 1..];
    gone(cut, "d2hhdGV2ZXI");
}

#[test]
fn a_line_after_one_that_held_a_secret_stays() {
    let clean = leaving("GET /x?token=hunter2hunter\nthe next line").text;
    assert_eq!(clean, "GET /x?token=[redacted]\nthe next line");
    assert!(leaving("sa-token:\n  hunter2\nthe next line").text.ends_with("\nthe next line"));
}

#[test]
fn what_helps_somebody_stays() {
    for line in [
        "2026-11-29T12:00:00.123456Z  WARN sallyport_app::desk: code=BadInput say why, in a few words",
        "hub.example.test:6443 did not answer within 10 s",
        "request 0195f0aa-1c7e-7d33-9d41-0a4b6c8d9e0f of cluster payments-eu-1 was closed",
        "https://id.example.test/realms/platform said 503",
        "/apis/access.sallyport.dev/v1alpha1/namespaces/team-payments/accessrequests",
        "vault: keyring",
        "payments-eu-1\ncheckout-eu-2\nledger-us-1",
        "100% of 3 calls; C:\\new\\table",
        "",
    ] {
        assert_eq!(leaving(line), Redacted { text: line.to_owned(), count: 0 });
    }
}

/// Base64 as tokens have it.
fn letters(bytes: &[u8]) -> String {
    BASE64URL.encode(bytes).trim_end_matches('=').to_owned()
}

/// A secret with what it stands in.
fn planted() -> impl Strategy<Value = (String, String)> {
    let bytes = |least| prop::collection::vec(any::<u8>(), least..120usize);
    prop_oneof![
        (bytes(16), bytes(32)).prop_map(|(payload, signature)| {
            let jwt = format!("eyJhbGciOiJSUzI1NiJ9.{}.{}", letters(&payload), letters(&signature));
            (jwt.clone(), jwt)
        }),
        (bytes(48), "(EC |RSA |)").prop_map(|(key, kind)| {
            let body = BASE64.encode(&key);
            let lines: Vec<_> = body.as_bytes().chunks(64).map(|c| str::from_utf8(c).unwrap()).collect();
            (
                body.clone(),
                format!(
                    "-----BEGIN {kind}PRIVATE KEY-----\n{}\n-----END {kind}PRIVATE KEY-----",
                    lines.join("\n")
                ),
            )
        }),
        ("[A-Za-z0-9]{12,40}", 0usize..5).prop_map(|(secret, n)| {
            let held = match n {
                0 => format!("{{\"sa-token\":\"{secret}\"}}"),
                1 => format!("Authorization: Bearer {secret}1"),
                2 => format!("client_secret={secret}"),
                3 => format!("--password {secret}"),
                _ => format!("refresh-token: {secret}"),
            };
            (secret, held)
        }),
    ]
}

proptest! {
    #[test]
    fn p1_p20_no_planted_secret_survives_in_any_encoding(
        (secret, held) in planted(),
        encodings in prop::collection::vec(0usize..4, 0..3),
        before in "[a-z ]{0,12}",
    ) {
        let mut text = held;
        for encoding in encodings {
            text = match encoding {
                0 => BASE64.encode(text.as_bytes()),
                1 => utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string(),
                2 => serde_json::to_string(&text).unwrap(),
                _ => letters(text.as_bytes()),
            };
        }
        let line = format!("2026-11-29 INFO {before} {text}\nthe next line");
        let clean = leaving(&line).text;
        prop_assert!(!clean.contains(&secret), "{}\n→ {}", line, clean);
        let whole: Vec<char> = text.chars().filter(|c| is_base64(*c)).collect();
        let kept: String = clean.chars().filter(|c| is_base64(*c)).collect();
        // Of a secret by itself nothing stays; of what it stands in its name may.
        for window in secret.as_bytes().windows(10) {
            let window = String::from_utf8_lossy(window);
            prop_assert!(!clean.contains(window.as_ref()), "{} of\n{}\n→ {}", window, line, clean);
        }
        prop_assert!(whole.len() < 40 || !kept.contains(&whole.iter().collect::<String>()), "{}\n→ {}", line, clean);
    }

    #[test]
    fn p20_no_text_panics_and_what_is_clean_is_left_alone(input in "(?s).{0,200}", odd in "[-=:%\\\\\"'A-Za-z0-9+/\n| ]{0,120}") {
        for text in [input, odd] {
            let clean = leaving(&text);
            prop_assert!(clean.count > 0 || clean.text == text);
        }
    }
}
