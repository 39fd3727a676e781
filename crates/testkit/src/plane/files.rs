//! The files a plane's programs read, and the flags that name them.

use std::fs;

use anyhow::Result;
use serde_json::{Value, json};

use super::access::{certificate, kubeconfig};
use super::{OidcTrust, PlaneOptions};
use crate::pki::Pki;
use crate::process::Scratch;

pub(super) const AUDIT_LOG: &str = "audit.log";
pub(super) const ADMIN_KUBECONFIG: &str = "admin.kubeconfig";
const CONTROLLERS_KUBECONFIG: &str = "controllers.kubeconfig";
const AUTHENTICATION: &str = "authentication.json";
const AUDIT_POLICY: &str = "audit-policy.json";

pub(super) fn write_all(
    scratch: &Scratch,
    pki: &Pki,
    options: &PlaneOptions,
    url: &str,
    version: (u32, u32),
) -> Result<()> {
    let ca = pki.authority.cert_pem();
    scratch.write("ca.crt", &ca)?;
    scratch.write("front-proxy-ca.crt", pki.front_authority.cert_pem())?;
    scratch.write("service-account.key", &pki.service_account_key_pem)?;
    scratch.write("service-account.pub", &pki.service_account_public_pem)?;
    let credentials = [
        ("apiserver", &pki.apiserver),
        ("kubelet-client", &pki.kubelet_client),
        ("podhost-server", &pki.podhost_server),
        ("podhost", &pki.podhost),
    ];
    for (name, credential) in credentials {
        scratch.write(&format!("{name}.crt"), &credential.cert_pem)?;
        scratch.write(&format!("{name}.key"), &credential.key_pem)?;
    }
    let users = [
        (ADMIN_KUBECONFIG, &pki.admin),
        (CONTROLLERS_KUBECONFIG, &pki.controllers),
        ("kwok.kubeconfig", &pki.kwok),
    ];
    for (file, credential) in users {
        let content = kubeconfig(&options.name, url, &ca, certificate(credential));
        scratch.write(file, content.to_string())?;
    }
    if let Some(trust) = &options.oidc {
        let content = authentication(trust, version);
        scratch.write(AUTHENTICATION, content.to_string())?;
    }
    if options.audit_log {
        let policy = options.audit_policy.clone().unwrap_or_else(|| audit_policy().to_string());
        scratch.write(AUDIT_POLICY, policy)?;
        scratch.write(AUDIT_LOG, "")?;
    }
    for (name, content) in &options.files {
        scratch.write(name, content)?;
    }
    fs::create_dir_all(scratch.path().join("etcd"))?;
    Ok(())
}

/// Structured authentication (KEP-3331): claims become user, groups and the extra keys that guardrails read.
///
/// `auth_time` arrives as a float and would read `1.79541228e+09` without `int`.
fn authentication(trust: &OidcTrust, version: (u32, u32)) -> Value {
    // v1 is served from 1.34, v1beta1 from 1.30.
    let api = if version >= (1, 34) { "v1" } else { "v1beta1" };
    json!({
        "apiVersion": format!("apiserver.config.k8s.io/{api}"),
        "kind": "AuthenticationConfiguration",
        "jwt": [{
            "issuer": {
                "url": trust.issuer,
                "audiences": [trust.audience],
                "certificateAuthority": trust.ca_pem,
            },
            "claimValidationRules": [{
                "expression": "claims.?email_verified.orValue(false) == true",
                "message": "the email address must be verified by the identity provider",
            }],
            "claimMappings": {
                "username": {"expression": "'oidc:' + claims.email"},
                "groups": {"expression": "dyn(claims.?groups.orValue([])).map(g, 'oidc:' + g)"},
                "uid": {"expression": "claims.sub"},
                "extra": [
                    {
                        "key": "access.sallyport.dev/acr",
                        "valueExpression": "claims.?acr.orValue('')",
                    },
                    {
                        "key": "access.sallyport.dev/amr",
                        "valueExpression": "claims.?amr.orValue([])",
                    },
                    {
                        "key": "access.sallyport.dev/auth-time",
                        "valueExpression": "string(int(claims.?auth_time.orValue(0)))",
                    },
                    {
                        "key": "access.sallyport.dev/issued-at",
                        "valueExpression": "string(int(claims.iat))",
                    },
                ],
            },
        }],
    })
}

fn audit_policy() -> Value {
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "omitManagedFields": true,
        "rules": [{"level": "Metadata"}],
    })
}

pub(super) fn apiserver_flags(
    scratch: &Scratch,
    options: &PlaneOptions,
    etcd_url: &str,
    port: u16,
) -> Vec<String> {
    let file = |name: &str| scratch.path().join(name).display().to_string();
    let mut flags = vec![
        format!("--etcd-servers={etcd_url}"),
        format!("--secure-port={port}"),
        "--bind-address=127.0.0.1".to_owned(),
        // 127.0.0.1 is no address for the Endpoints of the service `kubernetes`; nobody here asks for them.
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--tls-cert-file={}", file("apiserver.crt")),
        format!("--tls-private-key-file={}", file("apiserver.key")),
        format!("--client-ca-file={}", file("ca.crt")),
        format!("--requestheader-client-ca-file={}", file("front-proxy-ca.crt")),
        "--requestheader-allowed-names=front-proxy-client".to_owned(),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        format!("--service-account-key-file={}", file("service-account.pub")),
        format!("--service-account-signing-key-file={}", file("service-account.key")),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        format!("--authorization-mode={}", options.authorization),
        "--allow-privileged=true".to_owned(),
        "--profiling=false".to_owned(),
        format!("--kubelet-certificate-authority={}", file("ca.crt")),
        format!("--kubelet-client-certificate={}", file("kubelet-client.crt")),
        format!("--kubelet-client-key={}", file("kubelet-client.key")),
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
    ];
    if options.oidc.is_some() {
        flags.push(format!("--authentication-config={}", file(AUTHENTICATION)));
    }
    if options.audit_log {
        flags.push(format!("--audit-policy-file={}", file(AUDIT_POLICY)));
        flags.push(format!("--audit-log-path={}", file(AUDIT_LOG)));
        flags.push("--audit-log-maxsize=1024".to_owned());
    }
    flags.extend(options.apiserver_flags.iter().cloned());
    flags
}

pub(super) fn controller_flags(scratch: &Scratch, options: &PlaneOptions) -> Vec<String> {
    let file = |name: &str| scratch.path().join(name).display().to_string();
    vec![
        format!("--kubeconfig={}", file(CONTROLLERS_KUBECONFIG)),
        format!("--controllers={}", options.controllers.join(",")),
        // Each controller acts under its own name, as on clusters people run; guardrails exempt two of them by name.
        "--use-service-account-credentials=true".to_owned(),
        format!("--root-ca-file={}", file("ca.crt")),
        format!("--service-account-private-key-file={}", file("service-account.key")),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
        "--profiling=false".to_owned(),
    ]
}
