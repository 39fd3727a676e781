//! The certificate authority of one start of the gateway. Its key never leaves this process, and what it signed
//! is worth nothing to the next start.

use crate::error::GatewayError;
use pkcs8::PrivateKeyInfoRef;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::server::{NoServerSessionStorage, ServerConfig, WebPkiClientVerifier};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sallyport_model::{Digest, Secret, SessionId};
use sec1::der::{self, Decode as _, EncodePem as _, pem::LineEnding};
use sec1::{EcParameters, EcPrivateKey};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Certificates begin this much before now, for tools that read the clock more coarsely than we write it.
const BACKDATED: Duration = Duration::from_secs(300);

/// How long the authority and the server certificate are good: longer than an app runs between two starts, and
/// within the 398 days some TLS stacks insist on.
const SERVER_LIFE: Duration = Duration::from_secs(397 * 86_400);

/// How long a client certificate is good: past the longest session (12 h). The session's own end comes first; what
/// calls after it reads a sentence instead of a failed handshake.
const CLIENT_LIFE: Duration = Duration::from_secs(24 * 3600);

pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A client certificate with its key, as a kubeconfig carries them.
pub(crate) struct ClientIdentity {
    pub(crate) fingerprint: Digest,
    pub(crate) cert_pem: String,
    pub(crate) key_pem: Secret<String>,
}

impl Authority {
    pub(crate) fn new() -> Result<Self, GatewayError> {
        let key = new_key()?;
        let mut params = params("Sallyport gateway", SERVER_LIFE)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(GatewayError::Certificate)?;
        Ok(Self { issuer })
    }

    pub(crate) fn cert_pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for one session. It is found again by its fingerprint, the SHA-256 of its DER form.
    pub(crate) fn client(&self, session: &SessionId) -> Result<ClientIdentity, GatewayError> {
        let key = new_key()?;
        let mut params = params(&format!("Sallyport session {session}"), CLIENT_LIFE)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let cert = params.signed_by(&key, &self.issuer).map_err(GatewayError::Certificate)?;
        Ok(ClientIdentity {
            fingerprint: Digest::of(cert.der()),
            cert_pem: cert.pem(),
            key_pem: sec1_pem(&key)?,
        })
    }

    /// TLS as every connection to the gateway must speak it: 1.2 or 1.3, a client certificate of this authority,
    /// and neither tickets nor any other kind of resumption, which would outlive the certificate (attack 21).
    pub(crate) fn server_config(&self, provider: Arc<CryptoProvider>) -> Result<ServerConfig, GatewayError> {
        let key = new_key()?;
        let mut params = params("127.0.0.1", SERVER_LIFE)?;
        params.subject_alt_names = vec![SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST))];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let cert = params.signed_by(&key, &self.issuer).map_err(GatewayError::Certificate)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));

        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).map_err(tls)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map_err(tls)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(tls)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![cert.der().clone()], key)
            .map_err(tls)?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// The key as SEC 1 has it (`EC PRIVATE KEY`, RFC 5915), curve and public key included: Go and OpenSSL read that as
/// well as PKCS #8, and Java's Kubernetes clients nothing else.
fn sec1_pem(key: &KeyPair) -> Result<Secret<String>, GatewayError> {
    let wrong = |error: der::Error| GatewayError::Key(error.into());
    let pkcs8 = Secret::new(key.serialize_der());
    let outer = PrivateKeyInfoRef::from_der(pkcs8.expose()).map_err(wrong)?;
    let mut inner = EcPrivateKey::from_der(outer.private_key.as_bytes()).map_err(wrong)?;
    inner.parameters = Some(EcParameters::NamedCurve(
        outer.algorithm.parameters_oid().map_err(|error| GatewayError::Key(error.into()))?,
    ));
    Ok(Secret::new(inner.to_pem(LineEnding::LF).map_err(wrong)?))
}

fn new_key() -> Result<KeyPair, GatewayError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(GatewayError::Certificate)
}

fn params(common_name: &str, life: Duration) -> Result<CertificateParams, GatewayError> {
    let mut params = CertificateParams::new(Vec::new()).map_err(GatewayError::Certificate)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    let now = SystemTime::now();
    params.not_before = (now - BACKDATED).into();
    params.not_after = (now + life).into();
    Ok(params)
}

fn tls(error: impl std::error::Error + Send + Sync + 'static) -> GatewayError {
    GatewayError::Tls(Box::new(error))
}
