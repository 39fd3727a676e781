//! CA data of every kind that clusters have, against a TLS server that serves the certificate it is about. What Go's
//! tools take is taken, and nothing besides.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SigningKey as _, date_time_ymd,
};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use sallyport_client::{Endpoint, Fault, probe_get};
use std::{sync::Arc, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const DEADLINE: Duration = Duration::from_secs(5);

/// What a server shows and signs with.
struct Shown {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

fn authority(common_name: &str) -> CertifiedIssuer<'static, KeyPair> {
    CertifiedIssuer::self_signed(authority_params(common_name), KeyPair::generate().unwrap()).unwrap()
}

fn authority_params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn server_params() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    params
}

/// A server's own certificate under `issuer`, with the change made to it.
fn leaf(
    issuer: &CertifiedIssuer<'static, KeyPair>,
    change: impl FnOnce(&mut CertificateParams),
) -> (String, Shown) {
    let (mut params, key) = (server_params(), KeyPair::generate().unwrap());
    change(&mut params);
    let made = params.signed_by(&key, issuer).unwrap();
    (made.pem(), Shown { chain: vec![made.der().clone()], key })
}

/// The same signed by itself.
fn own(change: impl FnOnce(&mut CertificateParams)) -> (String, Shown) {
    let (mut params, key) = (server_params(), KeyPair::generate().unwrap());
    change(&mut params);
    let made = params.self_signed(&key).unwrap();
    (made.pem(), Shown { chain: vec![made.der().clone()], key })
}

/// As `openssl req -x509` makes one: its own authority.
fn is_authority(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

/// Serves one connection with it and says what a probe that trusts `bundle` came to.
async fn probed(bundle: &str, shown: &Shown) -> Result<u16, Fault> {
    let key = PrivateKeyDer::from_pem_slice(shown.key.serialize_pem().as_bytes()).unwrap();
    // Unlike the usual builder this takes a key that is not the certificate's.
    let held = CertifiedKey::new(shown.chain.clone(), any_supported_type(&key).unwrap());
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(held)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let Ok((stream, _)) = listener.accept().await else { return };
        let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await else { return };
        let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
        while !head.windows(4).any(|w| w == b"\r\n\r\n") {
            match stream.read(&mut buffer).await {
                Ok(n) if n > 0 => head.extend_from_slice(&buffer[..n]),
                _ => return,
            }
        }
        let answer = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let _ = stream.write_all(answer).await;
        let _ = stream.shutdown().await;
    });
    let endpoint = Endpoint::parse(&url, Some(bundle), None).unwrap();
    let answer = probe_get(&endpoint, None, "/", DEADLINE).await.map(|a| a.status);
    server.abort();
    answer
}

async fn passes(what: &str, bundle: &str, shown: &Shown) {
    assert_eq!(probed(bundle, shown).await, Ok(403), "{what}");
}

async fn untrusted(what: &str, bundle: &str, shown: &Shown) {
    let answer = probed(bundle, shown).await;
    assert!(matches!(answer, Err(Fault::Untrusted(_))), "{what}: {answer:?}");
}

#[tokio::test]
async fn fault_c7_a_server_that_is_its_own_authority_is_believed_by_its_certificate() {
    let (pem, shown) = own(is_authority);
    passes("signed by itself, as an authority", &pem, &shown).await;
    let (pem, shown) = own(|_| {});
    passes("signed by itself, as a server", &pem, &shown).await;
    let (pem, shown) = leaf(&authority("out of sight"), |_| {});
    passes("the server's own certificate, its issuer unknown", &pem, &shown).await;
    let (pem, shown) = leaf(&authority("out of sight"), is_authority);
    passes("an authority's certificate, its issuer unknown", &pem, &shown).await;
}

#[tokio::test]
async fn fault_c7_a_chain_without_its_root_is_enough() {
    let root = authority("root");
    let key = KeyPair::generate().unwrap();
    let middle = CertifiedIssuer::signed_by(authority_params("middle"), key, &root).unwrap();
    let (_, mut shown) = leaf(&middle, |_| {});
    passes("the issuer alone", &middle.pem(), &shown).await;
    shown.chain.push(middle.der().clone());
    passes("the issuer alone, and the server sends it too", &middle.pem(), &shown).await;
    passes("the root alone, and the server sends the rest", &root.pem(), &shown).await;
    let (pem, shown) = leaf(&middle, |_| {});
    passes("server and issuer", &format!("{pem}{}", middle.pem()), &shown).await;
    untrusted("the root alone, and nobody has the rest", &root.pem(), &shown).await;
}

#[tokio::test]
async fn fault_c7_what_can_not_be_read_is_passed_over_and_the_rest_is_used() {
    let ca = authority("root");
    let (_, shown) = leaf(&ca, |_| {});
    let broken = "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n";
    let noise = "-----BEGIN CERTIFICATE-----\n%%%\u{202e}\n-----END CERTIFICATE-----\n";
    let cut = "-----BEGIN CERTIFICATE-----\nMIIB\n";
    let key = KeyPair::generate().unwrap().serialize_pem();
    for (what, bundle) in [
        ("a broken block before", format!("{broken}{}", ca.pem())),
        ("a broken block behind", format!("{}{noise}", ca.pem())),
        ("a block that lost its end before", format!("{cut}{}", ca.pem())),
        ("a block that lost its end behind", format!("{}{cut}", ca.pem())),
        ("words between", format!("# ours\n{}\nSubject: CN=root\n{broken}", ca.pem())),
        ("a block of another kind", format!("{key}{}", ca.pem())),
        ("line ends of Windows", ca.pem().replace('\n', "\r\n")),
        ("the same twice", format!("{0}{0}", ca.pem())),
    ] {
        passes(what, &bundle, &shown).await;
    }
}

#[tokio::test]
async fn fault_c7_an_authority_of_version_1_is_one() {
    let ca = authority("first version");
    let (_, shown) = leaf(&ca, |_| {});
    let pem = as_version_1(&ca);
    assert_ne!(pem, ca.pem());
    passes("a version 1 root", &pem, &shown).await;
}

#[tokio::test]
async fn fault_c7_name_validity_and_purpose_are_checked_of_a_server_that_is_known_itself() {
    type Change = fn(&mut CertificateParams);
    let changes: [(&str, Change); 4] = [
        ("another name", |p| p.subject_alt_names = vec![rcgen::SanType::DnsName("x".try_into().unwrap())]),
        ("over", |p| {
            (p.not_before, p.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        }),
        ("not yet", |p| {
            (p.not_before, p.not_after) = (date_time_ymd(2201, 1, 1), date_time_ymd(2202, 1, 1));
        }),
        ("for clients", |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
    ];
    for (what, change) in changes {
        let (pem, shown) = own(|p| {
            is_authority(p);
            change(p);
        });
        untrusted(&format!("its own authority: {what}"), &pem, &shown).await;
        let (pem, shown) = leaf(&authority("out of sight"), change);
        untrusted(&format!("issuer unknown: {what}"), &pem, &shown).await;
    }
}

#[tokio::test]
async fn fault_c7_p15_nobody_else_is_believed_for_it() {
    let (pem, real) = own(is_authority);
    let (_, other) = own(is_authority);
    untrusted("another server of the same name", &pem, &other).await;
    // The same key and name, and another certificate: only the very bytes count.
    let mut params = server_params();
    is_authority(&mut params);
    params.serial_number = Some(7.into());
    let again = params.self_signed(&real.key).unwrap();
    let shown = Shown { chain: vec![again.der().clone()], key: real.key };
    untrusted("the same key in another certificate", &pem, &shown).await;
    let (_, stolen) = own(|_| {});
    let shown =
        Shown { chain: vec![CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()], key: stolen.key };
    // The certificate is the right one and its key is not: the handshake's signature tells.
    let answer = probed(&pem, &shown).await;
    assert!(
        matches!(answer, Err(Fault::Untrusted(_) | Fault::Unreachable(_))),
        "a stolen certificate without its key: {answer:?}"
    );
}

#[tokio::test]
async fn fault_c7_p15_a_server_in_the_bundle_vouches_for_nobody_else() {
    type Change = fn(&mut CertificateParams);
    let changes: [(&str, Change); 3] = [
        ("no word of authority", |_| {}),
        ("expressly none", |p| p.is_ca = IsCa::ExplicitNoCa),
        ("an authority for other things than certificates", |p| {
            is_authority(p);
            p.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        }),
    ];
    let ca = authority("root");
    for (what, change) in changes {
        let mut params = server_params();
        change(&mut params);
        let server = CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &ca).unwrap();
        let (_, forged) = leaf(&server, |_| {});
        untrusted(&format!("{what}: alone in the bundle"), &server.pem(), &forged).await;
        untrusted(&format!("{what}: beside its issuer"), &format!("{}{}", server.pem(), ca.pem()), &forged)
            .await;
        // Itself it still is.
        let key = KeyPair::from_pem(&server.key().serialize_pem()).unwrap();
        let own = Shown { chain: vec![server.der().clone()], key };
        passes(&format!("{what}: itself"), &server.pem(), &own).await;
    }
}

/// The same authority in a certificate of version 1 (RFC 5280 §4.1.2.1): no version, no extensions.
fn as_version_1(ca: &CertifiedIssuer<'static, KeyPair>) -> String {
    let (_, parsed) = x509_parser::parse_x509_certificate(ca.der()).unwrap();
    let tbs = parsed.tbs_certificate.as_ref();
    // A SEQUENCE's fields, each with its head.
    let (_, mut rest) = split(tbs);
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (whole, _) = split(rest);
        fields.push(whole);
        rest = &rest[whole.len()..];
    }
    // [0] is the version and [3] the extensions.
    let kept: Vec<u8> =
        fields.iter().filter(|f| f[0] != 0xa0 && f[0] != 0xa3).flat_map(|f| f.to_vec()).collect();
    let tbs = wrapped(0x30, &kept);
    let algorithm = fields[2];
    let signature = ca.key().sign(&tbs).unwrap();
    let bits = wrapped(0x03, &[vec![0], signature].concat());
    let der = wrapped(0x30, &[tbs, algorithm.to_vec(), bits].concat());
    let body = base64(&der);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

/// The first DER value of `der`: whole, and without its head.
fn split(der: &[u8]) -> (&[u8], &[u8]) {
    let (head, length) = match der[1] {
        short @ 0..=0x7f => (2, usize::from(short)),
        long => {
            let n = usize::from(long & 0x7f);
            (2 + n, der[2..2 + n].iter().fold(0, |all, byte| all << 8 | usize::from(*byte)))
        }
    };
    (&der[..head + length], &der[head..head + length])
}

fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        n @ 0..=0x7f => out.push(n as u8),
        n @ 0x80..=0xff => out.extend([0x81, n as u8]),
        n => out.extend([0x82, (n >> 8) as u8, n as u8]),
    }
    out.extend_from_slice(content);
    out
}

fn base64(bytes: &[u8]) -> String {
    use data_encoding::BASE64;
    let text = BASE64.encode(bytes);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    lines.join("\n")
}
