//! From X.509 to what posture looks at.

use crate::error::shown;
use sallyport_model::Digest;
use sallyport_posture::snapshot::Certificate;
use std::fmt::Write as _;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;

/// Certificates of one bundle that are looked at.
const MOST: usize = 50;
/// Names of one certificate that are kept.
const NAMES: usize = 50;

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The certificates of a PEM bundle, and what of it could not be read.
pub(crate) fn bundle(pem: &str) -> (Vec<Certificate>, Option<String>) {
    let (mut all, mut unread) = (Vec::new(), 0);
    for block in Pem::iter_from_buffer(pem.as_bytes()).take(MOST + 1) {
        match block {
            Ok(block) if block.label == "CERTIFICATE" => match of_der(&block.contents) {
                Some(certificate) => all.push(certificate),
                None => unread += 1,
            },
            // Keys and parameters are none, and are not looked into.
            Ok(_) => {}
            Err(_) => unread += 1,
        }
    }
    let why = match (unread, all.len()) {
        _ if all.len() > MOST => Some(format!("it holds more than {MOST} certificates")),
        (0, 0) => Some("it holds no certificate".to_owned()),
        (0, _) => None,
        (many, _) => Some(format!("{many} of its blocks can't be read")),
    };
    all.truncate(MOST);
    (all, why)
}

/// A certificate; none where it can't be read.
pub(crate) fn of_der(der: &[u8]) -> Option<Certificate> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    let names = parsed.subject_alternative_name().ok().flatten();
    let names = names.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(shown(name)),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    });
    let key = parsed.public_key();
    let (kind, bits) = match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => ("RSA".to_owned(), u32::try_from(rsa.key_size()).ok()),
        Ok(PublicKey::EC(point)) => ("EC".to_owned(), u32::try_from(point.key_size()).ok()),
        Ok(PublicKey::DSA(_)) => ("DSA".to_owned(), None),
        _ => (shown(&key.algorithm.algorithm.to_id_string()), None),
    };
    let organizations = parsed.subject().iter_organization();
    Some(Certificate {
        subject: shown(&parsed.subject().to_string()),
        organizations: organizations.filter_map(|one| one.as_str().ok()).map(shown).take(NAMES).collect(),
        issuer: shown(&parsed.issuer().to_string()),
        names: names.take(NAMES).collect(),
        not_before: parsed.validity().not_before.timestamp(),
        not_after: parsed.validity().not_after.timestamp(),
        key: kind,
        key_bits: bits.filter(|bits| *bits > 0),
        signature: signature(&parsed.signature_algorithm.algorithm.to_id_string()),
        authority: parsed.basic_constraints().ok().flatten().is_some_and(|own| own.value.ca),
        fingerprint: hex(Digest::of(der).bytes()),
        key_fingerprint: hex(Digest::of(key.raw).bytes()),
    })
}

fn address(bytes: &[u8]) -> Option<String> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|bytes| std::net::Ipv4Addr::from(bytes).to_string()),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        _ => None,
    }
}

/// The names of RFC 8017 and RFC 5758 for those that matter; else the OID.
fn signature(oid: &str) -> String {
    match oid {
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "Ed25519",
        other => return shown(other),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_told_and_its_key_is_not() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params =
            rcgen::CertificateParams::new(vec!["api.example".to_owned(), "10.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "system:masters");
        params.distinguished_name.push(rcgen::DnType::CommonName, "ada\u{202e}");
        let made = params.self_signed(&key).unwrap();
        let (all, why) = bundle(&format!("{}\n{}", made.pem(), key.serialize_pem()));
        assert_eq!((all.len(), why), (1, None));
        let one = &all[0];
        assert_eq!(
            (one.organizations.as_slice(), one.key.as_str(), one.key_bits),
            (&["system:masters".to_owned()][..], "EC", Some(256))
        );
        assert_eq!(one.names, ["api.example", "10.0.0.1"]);
        assert!(one.subject.contains("⟨U+202E⟩") && one.signature == "ecdsa-with-SHA256", "{one:?}");
        assert_eq!(one.weakness(), None);
    }

    #[test]
    fn what_is_no_certificate_says_so() {
        let begin = "-----BEGIN CERTIFICATE-----\n";
        for (pem, why) in [
            (String::new(), "holds no certificate"),
            ("noise".to_owned(), "holds no certificate"),
            (format!("{begin}AAAA\n-----END CERTIFICATE-----\n"), "1 of its blocks"),
            (format!("{begin}{}", "A".repeat(1 << 20)), ""),
        ] {
            let (all, said) = bundle(&pem);
            assert!(all.is_empty() && said.is_some_and(|said| said.contains(why)), "{why}");
        }
    }
}
