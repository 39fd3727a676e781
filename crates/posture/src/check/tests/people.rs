//! How people get in: their kubeconfig, and whom the API server believes.

use super::server::Comes::*;
use super::server::{Case, add, drop_series, eks, flag, hold, no_flags, no_metrics, object, way};
use crate::check::tests::*;
use crate::snapshot::{AwsAuth, ClusterInfo, ExecSeen, Identity, Mapped, Part};
use crate::tests::{NOW, certificate};

use Severity::*;

/// Each thing that can be wrong, and what cannot be read.
pub(super) const CASES: &[Case] = &[
    // The kubeconfig.
    ("KC-01", Fails(High), |s| way(s).insecure = true),
    ("KC-01", Fails(Low), |s| {
        way(s).insecure = true;
        way(s).loopback = true
    }),
    ("KC-02", Fails(Low), |s| way(s).authority = false),
    ("KC-03", Fails(High), |s| way(s).token.as_mut().unwrap().found = Default::default()),
    ("KC-03", Fails(High), |s| way(s).token.as_mut().unwrap().found.expires = None),
    ("KC-03", Fails(Medium), |s| way(s).token.as_mut().unwrap().found.expires = Some(NOW + 90 * 86_400)),
    ("KC-03", Unknown, |s| way(s).token = Some(Part::without(Coverage::Cut("x".into())))),
    ("KC-04", Fails(High), |s| way(s).basic = true),
    ("KC-04", Fails(Low), |s| way(s).auth_provider = Some("oidc".into())),
    ("KC-05", Fails(Medium), |s| way(s).certificate = Some(Part::read(certificate("ada", 365)))),
    ("KC-05", Fails(High), |s| way(s).certificate = Some(Part::read(certificate("ada", 3650)))),
    ("KC-05", Fails(Critical), |s| {
        let mut own = certificate("ada", 30);
        own.organizations = vec!["system:masters".into()];
        way(s).certificate = Some(Part::read(own));
    }),
    ("KC-05", Unknown, |s| way(s).certificate = Some(Part::without(Coverage::Cut("x".into())))),
    ("KC-06", Fails(High), |s| way(s).same_as = vec!["staging".into()]),
    ("KC-07", Fails(Low), |s| {
        way(s).exec = Some(ExecSeen { command: "/opt/odd".into(), path: true, ..Default::default() })
    }),
    ("KC-07", Fails(Info), |s| way(s).exec = Some(ExecSeen { command: "aws".into(), ..Default::default() })),
    ("KC-07", Fails(Medium), |s| {
        way(s).exec = Some(ExecSeen {
            command: "aws".into(),
            env: vec!["AWS_SECRET_ACCESS_KEY".into()],
            ..Default::default()
        })
    }),
    ("KC-08", Fails(Medium), |s| s.ways_in.as_mut().unwrap().mode = Some(0o644)),
    ("KC-08", Fails(Medium), |s| s.ways_in.as_mut().unwrap().in_repository = true),
    ("KC-08", Unknown, |s| s.ways_in.as_mut().unwrap().mode = None),
    ("SA-06", Fails(Medium), |s| add(s, "serviceaccount_legacy_tokens_total", &[], 3.0)),
    ("SA-06", Unknown, |s| drop_series(s, "serviceaccount_legacy")),
    ("SA-06", Unknown, no_metrics),
    ("SA-07", Fails(Medium), |s| way(s).token.as_mut().unwrap().found.account = true),
    ("SA-07", Fails(Medium), |s| s.told.identity.found.user = "system:serviceaccount:ci:robot".into()),
    ("SA-07", Unknown, |s| s.told.identity = Part::<Identity>::default()),
    ("SA-07", Nothing, |s| s.ways_in = None),
    ("KC-08", Nothing, |s| s.ways_in = None),
    // Who is believed.
    ("AN-01", Fails(Medium), |s| flag(s, "oidc-issuer-url", "")),
    ("AN-01", Unknown, |s| {
        flag(s, "oidc-issuer-url", "");
        flag(s, "authentication-config", "f")
    }),
    ("AN-01", Unknown, no_flags),
    ("AN-01", Provider, |s| {
        no_flags(s);
        eks(s)
    }),
    ("AN-01", Passes, |s| {
        no_flags(s);
        add(
            s,
            "apiserver_authentication_jwt_authenticator_latency_seconds_count",
            &[("result", "success")],
            1.0,
        )
    }),
    ("AN-02", Fails(Medium), |s| way(s).token.as_mut().unwrap().found.amr = vec!["pwd".into()]),
    ("AN-02", Unknown, |s| way(s).token.as_mut().unwrap().found.amr.clear()),
    ("AN-03", Fails(Low), |s| s.told.identity.found.credential = Some("X509SHA256".into())),
    ("AN-03", Unknown, |s| s.told.identity.found.credential = None),
    ("AN-03", Unknown, |s| {
        s.told.identity.found.credential = None;
        s.server = Some((1, 31))
    }),
    ("AN-03", Unknown, |s| s.told.identity = Part::<Identity>::default()),
    ("AN-04", Unknown, |s| flag(s, "enable-bootstrap-token-auth", "true")),
    ("AN-04", Fails(Low), |s| {
        flag(s, "enable-bootstrap-token-auth", "true");
        s.told.cluster_info = Part::read(Some(ClusterInfo { signed_by: 1 }));
    }),
    ("AN-06", Fails(Info), |s| add(s, "authentication_attempts", &[("result", "failure")], 400.0)),
    ("AN-07", Fails(Medium), |s| add(s, "apiserver_client_certificate_expiration_seconds_count", &[], 1.0)),
    ("AN-07", Unknown, |s| drop_series(s, "apiserver_client_certificate")),
    ("AN-07", Unknown, no_metrics),
    ("AN-10", Nothing, |_| {}),
    ("AN-10", Provider, eks),
    ("AN-10", Unknown, |s| s.told.aws_auth = Part::without(Coverage::Forbidden("get it".into()))),
    ("AN-10", Fails(Critical), |s| {
        let mapped =
            vec![Mapped { arn: "arn:aws:iam::1:role/a".into(), groups: vec!["system:masters".into()] }];
        s.told.aws_auth = Part::read(Some(AwsAuth { mapped, ..Default::default() }));
    }),
    ("AN-10", Fails(High), |s| {
        s.told.aws_auth = Part::read(Some(AwsAuth { accounts: 1, ..Default::default() }))
    }),
    ("AN-11", Fails(Low), |s| {
        object(
            s,
            json!({"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": {"name": "r"}, "spec": {"signerName": "kubernetes.io/kube-apiserver-client", "username": "ada"},
            "status": {"conditions": [{"type": "Approved"}]}}),
        )
    }),
    ("AN-05", Fails(High), |s| flag(s, "authorization-mode", "Node,RBAC,ABAC")),
    ("AN-05", Fails(Critical), |s| flag(s, "authorization-mode", "[AlwaysAllow]")),
    ("AN-05", Fails(High), |s| {
        no_flags(s);
        add(s, "apiserver_authorization_decisions_total", &[("type", "ABAC")], 1.0)
    }),
    ("AN-05", Unknown, no_flags),
    ("AN-05", Unknown, |s| flag(s, "authorization-config", "config.yaml")),
];

#[test]
fn p21_each_way_in_that_is_wrong_is_found_and_what_was_not_read_is_unknown() {
    hold(CASES, &["KC", "AN"]);
}
