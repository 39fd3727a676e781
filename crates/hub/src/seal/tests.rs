use super::*;
use proptest::prelude::*;
use std::sync::LazyLock;

fn aad() -> Aad {
    Aad {
        user: "oidc:ada".parse().unwrap(),
        request: RequestUid::new("0c1f7b7e-4f52-4b2e-8c57-2f6a7d4b9a11"),
        grant: GrantUid::new("9b1f7b7e-4f52-4b2e-8c57-2f6a7d4b9a12"),
        end: 1_795_500_000,
    }
}

fn content(ca: &str) -> Sealed {
    Sealed {
        token: Secret::new("eyJhbGciOiJSUzI1NiJ9.e30.sig".to_owned()),
        endpoint: "https://10.0.0.1:6443".to_owned(),
        ca_bundle: ca.to_owned(),
        tls_server_name: Some("kubernetes".to_owned()),
        jti: Jti::new("j-1"),
        end: 1_795_500_000,
    }
}

#[test]
fn what_is_sealed_opens_with_the_requests_key() {
    let keys = KeyPair::generate();
    let text = seal(&keys.public_key_base64(), &aad(), &content("CA")).unwrap();
    let opened = open(&KeyPair::from_secret(&keys.secret_bytes()).unwrap(), &aad(), &text).unwrap();
    assert_eq!(opened.token.expose(), content("CA").token.expose());
    assert_eq!(opened.endpoint, "https://10.0.0.1:6443");
    assert_eq!(opened.tls_server_name.as_deref(), Some("kubernetes"));
    assert_eq!((opened.jti, opened.end), (Jti::new("j-1"), 1_795_500_000));
    assert_eq!(keys.public_key_base64().len(), 44);
}

#[test]
fn p1_the_sealed_text_and_its_errors_do_not_show_the_token() {
    let keys = KeyPair::generate();
    let text = seal(&keys.public_key_base64(), &aad(), &content("CA")).unwrap();
    let raw = STANDARD.decode(&text).unwrap();
    assert!(!raw.windows(10).any(|w| w == b"eyJhbGciOi"));
    assert!(!format!("{:?} {keys:?}", content("CA")).contains("eyJ"));
    let secret = STANDARD.encode(keys.secret_bytes().expose());
    assert!(!format!("{keys:?}").contains(&secret));
}

#[test]
fn a_seal_does_not_open_for_another_key_user_request_grant_or_end() {
    let keys = KeyPair::generate();
    let text = seal(&keys.public_key_base64(), &aad(), &content("CA")).unwrap();
    let opened = |keys: &KeyPair, aad: &Aad| open(keys, aad, &text).map(|s| s.end);
    assert_eq!(opened(&KeyPair::generate(), &aad()), Err(SealError::Mismatch));
    let swapped = Aad {
        request: RequestUid::new(aad().grant.as_str()),
        grant: GrantUid::new(aad().request.as_str()),
        ..aad()
    };
    for other in [
        Aad { user: "oidc:eve".parse().unwrap(), ..aad() },
        Aad { request: RequestUid::new("another"), ..aad() },
        Aad { grant: GrantUid::new("another"), ..aad() },
        Aad { end: aad().end + 1, ..aad() },
        swapped,
    ] {
        assert_eq!(opened(&keys, &other), Err(SealError::Mismatch), "{other:?}");
    }
    assert_eq!(opened(&keys, &aad()), Ok(1_795_500_000));
}

#[test]
fn parts_of_the_binding_cannot_run_into_each_other() {
    let one = Aad { user: "ab".parse().unwrap(), request: RequestUid::new("c"), ..aad() };
    let two = Aad { user: "a".parse().unwrap(), request: RequestUid::new("bc"), ..aad() };
    assert_ne!(one.bytes(), two.bytes());
}

#[test]
fn noise_in_place_of_a_seal_is_refused() {
    let keys = KeyPair::generate();
    let text = seal(&keys.public_key_base64(), &aad(), &content("CA")).unwrap();
    let short = |bytes: usize| STANDARD.encode(&STANDARD.decode(&text).unwrap()[..bytes]);
    for (bad, why) in [
        (String::new(), SealError::Malformed),
        ("not base64!".to_owned(), SealError::Malformed),
        (text.trim_end_matches('=').to_owned() + "\n", SealError::Malformed),
        (short(31), SealError::Malformed),
        (short(32), SealError::Mismatch),
        (short(40), SealError::Mismatch),
        (short(48), SealError::Mismatch),
        ("A".repeat(1 << 20), SealError::TooLarge),
        (STANDARD.encode([0u8; 96]), SealError::Mismatch),
    ] {
        assert_eq!(open(&keys, &aad(), &bad).map(|_| ()), Err(why), "{} characters", bad.len());
    }
}

#[test]
fn public_keys_that_are_none_are_refused() {
    let low_order = STANDARD.encode([0u8; 32]);
    for bad in ["", "AAAA", "not base64", &low_order, &STANDARD.encode([1u8; 33])] {
        assert_eq!(seal(bad, &aad(), &content("CA")).map(|_| ()), Err(SealError::PublicKey), "{bad}");
    }
    for bad in [vec![], vec![1u8; 31], vec![1u8; 33]] {
        assert!(KeyPair::from_secret(&Secret::new(bad)).is_err());
    }
}

#[test]
fn a_bundle_that_would_not_fit_the_status_is_refused_when_sealing() {
    let keys = KeyPair::generate();
    let key = keys.public_key_base64();
    assert_eq!(seal(&key, &aad(), &content(&"x".repeat(1 << 20))).map(|_| ()), Err(SealError::TooLarge));
    let largest = seal(&key, &aad(), &content(&"x".repeat(65_536))).unwrap();
    assert_eq!(open(&keys, &aad(), &largest).unwrap().ca_bundle.len(), 65_536);
}

#[test]
fn content_that_makes_no_sense_is_refused_after_opening() {
    let keys = KeyPair::generate();
    let key = PublicKey::from_bytes(&STANDARD.decode(keys.public_key_base64()).unwrap()).unwrap();
    let sealed = |plain: &str| {
        let (encapped, ciphertext) = single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Kem>(
            &OpModeS::Base,
            &key,
            INFO,
            plain.as_bytes(),
            &aad().bytes(),
        )
        .unwrap();
        STANDARD.encode([encapped.to_bytes().as_slice(), &ciphertext].concat())
    };
    let with = |token: &str, end: i64| {
        sealed(&format!(r#"{{"token":"{token}","endpoint":"e","caBundle":"c","jti":"j","end":{end}}}"#))
    };
    assert!(open(&keys, &aad(), &with("tok", 1_795_500_000)).is_ok());
    for bad in [
        with("tok", 1_795_500_001),
        with("", 1_795_500_000),
        with("a\\r\\nX-Evil: 1", 1_795_500_000),
        sealed("{}"),
        sealed("not json"),
        sealed(""),
    ] {
        assert_eq!(open(&keys, &aad(), &bad).map(|_| ()), Err(SealError::Content));
    }
}

/// Made once: unoptimised curve arithmetic takes a few milliseconds each time.
static SEALED: LazyLock<(KeyPair, Vec<u8>)> = LazyLock::new(|| {
    let keys = KeyPair::generate();
    let text = seal(&keys.public_key_base64(), &aad(), &content("CA")).unwrap();
    let wire = STANDARD.decode(text).unwrap();
    (keys, wire)
});

fn flipped(at: usize, bit: u8) -> Result<(), SealError> {
    let (keys, wire) = &*SEALED;
    let mut wire = wire.clone();
    wire[at] ^= 1 << bit;
    open(keys, &aad(), &STANDARD.encode(wire)).map(|_| ())
}

#[test]
fn the_bit_of_a_public_key_that_x25519_ignores_is_not_ignored_in_a_seal() {
    // RFC 9180 §4.1: the KEM's context holds the encapsulated key as it was sent.
    assert_eq!(flipped(31, 7), Err(SealError::Mismatch));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn one_flipped_bit_anywhere_breaks_a_seal(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        prop_assert_eq!(flipped(at.index(SEALED.1.len()), bit), Err(SealError::Mismatch));
    }

    #[test]
    fn no_text_panics_when_opened(text in "\\PC{0,200}") {
        prop_assert!(open(&SEALED.0, &aad(), &text).is_err());
    }
}
