//! Certificates of a test control plane, made anew for each.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, Result, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose, SanType,
};

/// A certificate and its key, PEM.
#[derive(Clone)]
pub struct Credential {
    /// The certificate.
    pub cert_pem: String,
    /// Its private key, PKCS #8.
    pub key_pem: String,
}

/// A certificate authority: ECDSA P-256, in memory.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// Makes an authority called `common_name`.
    ///
    /// # Errors
    /// When no key can be generated.
    pub fn new(common_name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)
            .with_context(|| format!("make the authority {common_name}"))?;
        Ok(Self { issuer })
    }

    /// The authority's certificate, PEM.
    #[must_use]
    pub fn cert_pem(&self) -> String {
        self.issuer.pem()
    }

    /// The authority's certificate, DER.
    #[must_use]
    pub fn cert_der(&self) -> Vec<u8> {
        self.issuer.der().to_vec()
    }

    /// A serving certificate for 127.0.0.1, localhost and `names`.
    ///
    /// # Errors
    /// When a name is not one a certificate can carry.
    pub fn server(&self, names: &[&str]) -> Result<Credential> {
        let mut params = CertificateParams::new(
            names
                .iter()
                .map(|name| (*name).to_owned())
                .chain(["localhost".to_owned()])
                .collect::<Vec<String>>(),
        )?;
        params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        params.distinguished_name = named("localhost");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params)
    }

    /// A client certificate: Kubernetes reads the user from the common name and the groups from the organisations.
    ///
    /// # Errors
    /// With more than two groups, which the certificate library cannot write into one name; [`crate::Plane::client_as`]
    /// has no such limit.
    pub fn client(&self, user: &str, groups: &[&str]) -> Result<Credential> {
        ensure!(
            groups.len() <= 2,
            "a certificate for {user} with {} groups: at most two can be written",
            groups.len()
        );
        let mut params = CertificateParams::default();
        params.distinguished_name = named(user);
        // The same attribute under two names, since the library keeps one value for each name.
        let kinds = [DnType::OrganizationName, DnType::CustomDnType(vec![2, 5, 4, 10])];
        for (kind, group) in kinds.into_iter().zip(groups) {
            params.distinguished_name.push(kind, *group);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    fn sign(&self, mut params: CertificateParams) -> Result<Credential> {
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let cert = params.signed_by(&key, &self.issuer)?;
        Ok(Credential { cert_pem: cert.pem(), key_pem: key.serialize_pem() })
    }
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

/// Everything one control plane needs.
pub struct Pki {
    /// Signs the serving certificates and the clients below; the plane's `certificate-authority`.
    pub authority: Authority,
    /// Signs the authenticating proxy alone, so that a client certificate is never taken for it.
    pub front_authority: Authority,
    /// The API server's serving certificate.
    pub apiserver: Credential,
    /// The pod host's serving certificate.
    pub podhost_server: Credential,
    /// `kubernetes-admin` in `system:masters`.
    pub admin: Credential,
    /// `system:kube-controller-manager`.
    pub controllers: Credential,
    /// kwok, in `system:masters`: it plays the kubelets of every node.
    pub kwok: Credential,
    /// The pod host, in `system:masters`: it reads and binds pods.
    pub podhost: Credential,
    /// What the API server shows to a kubelet.
    pub kubelet_client: Credential,
    /// What a client that speaks for others shows to the API server.
    pub front_proxy: Credential,
    /// Signs ServiceAccount tokens (ES256), PKCS #8 PEM.
    pub service_account_key_pem: String,
    /// Verifies them, PEM.
    pub service_account_public_pem: String,
}

/// The common name the pod host insists on.
pub const KUBELET_CLIENT: &str = "kube-apiserver-kubelet-client";

impl Pki {
    /// Makes every key and certificate, a few milliseconds.
    ///
    /// # Errors
    /// When no key can be generated.
    pub fn new() -> Result<Self> {
        let authority = Authority::new("sallyport-test-ca")?;
        let service_account = KeyPair::generate()?;
        let front_authority = Authority::new("sallyport-test-front-proxy-ca")?;
        Ok(Self {
            apiserver: authority.server(&[
                "kubernetes",
                "kubernetes.default",
                "kubernetes.default.svc",
                "kubernetes.default.svc.cluster.local",
            ])?,
            podhost_server: authority.server(&[])?,
            admin: authority.client("kubernetes-admin", &["system:masters"])?,
            controllers: authority.client("system:kube-controller-manager", &[])?,
            kwok: authority.client("system:kwok", &["system:masters"])?,
            podhost: authority.client("system:podhost", &["system:masters"])?,
            kubelet_client: authority.client(KUBELET_CLIENT, &["system:masters"])?,
            front_proxy: front_authority.client("front-proxy-client", &[])?,
            service_account_key_pem: service_account.serialize_pem(),
            service_account_public_pem: service_account.public_key_pem(),
            authority,
            front_authority,
        })
    }
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::{FromDer, X509Certificate};

    use super::Authority;

    #[test]
    fn a_client_certificate_names_user_and_both_groups() {
        let authority = Authority::new("test").expect("an authority");
        let credential = authority.client("anna", &["one", "two"]).expect("signed");
        let (_, pem) = x509_parser::pem::parse_x509_pem(credential.cert_pem.as_bytes()).expect("PEM");
        let (_, cert) = X509Certificate::from_der(&pem.contents).expect("DER");
        let groups: Vec<&str> =
            cert.subject().iter_organization().map(|group| group.as_str().expect("text")).collect();
        assert_eq!(groups, ["one", "two"]);
        assert!(authority.client("anna", &["one", "two", "three"]).is_err());
    }
}
