//! A ClientHello made by hand, for what no library offers any more: TLS 1.0 and 1.1, and cipher suites that are weak. The
//! first answer says enough, and nothing is ever agreed on (RFC 2246, RFC 4346, RFC 5246; alerts in RFC 5246 §7.2).

use crate::error::shown;
use rustls::crypto::ring;
use rustls_pki_types::ServerName;
use sallyport_client::Endpoint;
use sallyport_posture::snapshot::{Tls, TlsTaken};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What is offered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Offer {
    /// This version at most, with the suites of its time.
    Version(Tls),
    /// TLS 1.2 with weak suites alone.
    WeakSuites,
}

/// Suites of TLS 1.0 and 1.1 that servers of the time took: ECDHE, DHE and RSA with AES in CBC, and 3DES.
const OLD: [u16; 10] = [0xc009, 0xc00a, 0xc013, 0xc014, 0x0033, 0x0039, 0x002f, 0x0035, 0xc012, 0x000a];
/// Without forward secrecy (RSA key exchange), with 3DES, or with RC4.
const WEAK: [u16; 12] =
    [0x002f, 0x0035, 0x003c, 0x003d, 0x009c, 0x009d, 0x000a, 0xc012, 0xc008, 0x0005, 0xc011, 0xc007];
/// The longest record (RFC 5246 §6.2.3).
const RECORD: usize = (1 << 14) + 2048;

/// Offers something and says whether it was taken.
pub(super) async fn ask(endpoint: &Endpoint, to: SocketAddr, offer: Offer, within: Duration) -> TlsTaken {
    let name = match endpoint.server_name() {
        ServerName::DnsName(name) => Some(name.as_ref().to_owned()),
        _ => None,
    };
    match tokio::time::timeout(within, exchange(to, offer, name.as_deref())).await {
        Ok(Ok(record)) => answer(offer, &record),
        Ok(Err(error)) => TlsTaken::Unknown(shown(&format!("it said nothing: {error}"))),
        Err(_) => TlsTaken::Unknown("no answer in time".to_owned()),
    }
}

/// The first record that comes back, header and all, and no more than is needed of it.
async fn exchange(to: SocketAddr, offer: Offer, name: Option<&str>) -> std::io::Result<Vec<u8>> {
    let mut random = [0; 32];
    ring::default_provider()
        .secure_random
        .fill(&mut random)
        .map_err(|_| std::io::Error::other("there is no randomness"))?;
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(&hello(offer, name, random)).await?;
    let mut record = vec![0; 5];
    stream.read_exact(&mut record).await?;
    let length = usize::from(u16::from_be_bytes([record[3], record[4]])).min(RECORD);
    // Version and suite stand within the first 80 bytes.
    let mut body = vec![0; length.min(128)];
    stream.read_exact(&mut body).await?;
    record.extend_from_slice(&body);
    Ok(record)
}

fn version(offer: Offer) -> [u8; 2] {
    match offer {
        Offer::Version(Tls::V1_0) => [3, 1],
        Offer::Version(Tls::V1_1) => [3, 2],
        Offer::Version(_) | Offer::WeakSuites => [3, 3],
    }
}

/// A ClientHello in one record.
fn hello(offer: Offer, name: Option<&str>, random: [u8; 32]) -> Vec<u8> {
    let suites: &[u16] = match offer {
        Offer::Version(_) => &OLD,
        Offer::WeakSuites => &WEAK,
    };
    let mut body = version(offer).to_vec();
    body.extend_from_slice(&random);
    // No session to take up.
    body.push(0);
    body.extend(with_length(&suites.iter().flat_map(|suite| suite.to_be_bytes()).collect::<Vec<_>>()));
    // No compression.
    body.extend_from_slice(&[1, 0]);
    let mut extensions = Vec::new();
    let mut extension = |kind: u16, data: &[u8]| {
        extensions.extend_from_slice(&kind.to_be_bytes());
        extensions.extend(with_length(data));
    };
    if let Some(name) = name.filter(|name| name.len() < 256) {
        // server_name: one of the type host_name.
        let entry = [&[0][..], &with_length(name.as_bytes())].concat();
        extension(0, &with_length(&entry));
    }
    // supported_groups: x25519, P-256, P-384, P-521; ec_point_formats: uncompressed.
    extension(10, &[0, 8, 0, 29, 0, 23, 0, 24, 0, 25]);
    extension(11, &[1, 0]);
    if let Offer::WeakSuites = offer {
        // signature_algorithms: RSA and ECDSA with SHA-256, SHA-384, SHA-512 and SHA-1.
        extension(13, &[0, 16, 4, 1, 5, 1, 6, 1, 2, 1, 4, 3, 5, 3, 6, 3, 2, 3]);
    }
    // renegotiation_info of a first handshake (RFC 5746).
    extension(0xff01, &[0]);
    body.extend(with_length(&extensions));
    let length = u32::try_from(body.len()).unwrap_or_default().to_be_bytes();
    let message = [&[1][..], &length[1..], &body].concat();
    // The record says 1.0 whatever is in it: so every server reads it.
    [&[22, 3, 1][..], &with_length(&message)].concat()
}

fn with_length(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or_default().to_be_bytes();
    [&length[..], data].concat()
}

/// What the first record says.
fn answer(offer: Offer, record: &[u8]) -> TlsTaken {
    let unknown = |why: &str| TlsTaken::Unknown(why.to_owned());
    let Some(([kind, 3, ..], body)) = record.split_first_chunk::<5>() else {
        return unknown("it answered something that is no TLS");
    };
    match (kind, body) {
        // An alert: protocol_version, handshake_failure and insufficient_security say no.
        (21, [_, 70 | 40 | 71, ..]) => TlsTaken::No,
        (21, [_, description, ..]) => TlsTaken::Unknown(format!("it answered with the alert {description}")),
        // ServerHello: type, length, version, random, session, suite.
        (22, [2, _, _, _, major, minor, rest @ ..]) => {
            if [*major, *minor] != version(offer) {
                return TlsTaken::No;
            }
            let suite = rest.get(32).and_then(|session| {
                let at = 33 + usize::from(*session);
                Some(u16::from_be_bytes([*rest.get(at)?, *rest.get(at + 1)?]))
            });
            match (offer, suite) {
                (_, None) => unknown("its answer is too short"),
                (Offer::WeakSuites, Some(suite)) if !WEAK.contains(&suite) => {
                    unknown("it chose a cipher suite that was not offered")
                }
                _ => TlsTaken::Yes,
            }
        }
        _ => unknown("it answered something that is no TLS"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn server_hello(version: [u8; 2], suite: u16) -> Vec<u8> {
        let mut body = version.to_vec();
        body.extend([7; 32]);
        body.push(4);
        body.extend([9; 4]);
        body.extend(suite.to_be_bytes());
        body.push(0);
        [&[22, 3, 1][..], &with_length(&[&[2, 0, 0, 41][..], &body].concat())].concat()
    }

    #[test]
    fn the_first_record_says_whether_it_was_taken() {
        let old = Offer::Version(Tls::V1_0);
        assert_eq!(answer(old, &server_hello([3, 1], 0x002f)), TlsTaken::Yes);
        assert_eq!(answer(old, &server_hello([3, 0], 0x002f)), TlsTaken::No, "another version");
        assert_eq!(answer(Offer::Version(Tls::V1_1), &server_hello([3, 1], 0x002f)), TlsTaken::No);
        assert_eq!(answer(Offer::WeakSuites, &server_hello([3, 3], 0x000a)), TlsTaken::Yes);
        assert!(matches!(answer(Offer::WeakSuites, &server_hello([3, 3], 0xc02f)), TlsTaken::Unknown(_)));
        assert_eq!(answer(old, &[21, 3, 1, 0, 2, 2, 70]), TlsTaken::No);
        assert!(matches!(answer(old, &[21, 3, 1, 0, 2, 2, 80]), TlsTaken::Unknown(_)));
        for noise in [
            &b"HTTP/1.1 400 Bad Request"[..],
            b"SSH-2",
            b"",
            &[22, 3, 1, 0, 0],
            &server_hello([3, 1], 1)[..20],
        ] {
            assert!(matches!(answer(old, noise), TlsTaken::Unknown(_)), "{noise:?}");
        }
    }

    #[test]
    fn lengths_in_a_hello_add_up() {
        for (offer, name) in [(Offer::Version(Tls::V1_1), Some("api.example")), (Offer::WeakSuites, None)] {
            let record = hello(offer, name, [1; 32]);
            assert_eq!(usize::from(u16::from_be_bytes([record[3], record[4]])), record.len() - 5);
            assert_eq!(u32::from_be_bytes([0, record[6], record[7], record[8]]) as usize, record.len() - 9);
            assert_eq!(record[9..11], version(offer));
        }
    }

    proptest! {
        #[test]
        fn no_answer_ends_it(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for offer in [Offer::Version(Tls::V1_0), Offer::WeakSuites] {
                let _ = answer(offer, &bytes);
            }
        }
    }
}
