//! How each API server is started.

use anyhow::Result;
use sallyport_testkit::{Plane, PlaneOptions};
use serde_json::{Value, json};

/// Who gets in without signing in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Anonymous {
    Off,
    On,
    /// For one path alone (AuthenticationConfiguration).
    Limited,
    /// And may list namespaces.
    Bound,
}

/// What is written down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Audit {
    Off,
    /// A policy that records nothing.
    None,
    Metadata,
    /// To a webhook too.
    Webhook,
    /// For a week.
    Short,
}

/// How Secrets are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Encryption {
    None,
    /// An EncryptionConfiguration that names identity first.
    Identity,
    Secretbox,
    AesCbc,
    /// As `Secretbox`, and no Secret was written.
    Quiet,
}

/// One API server, and what is so of it.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) name: String,
    pub(super) anonymous: Anonymous,
    /// Whether a file says whom it believes (`--authentication-config`).
    pub(super) configured: bool,
    pub(super) audit: Audit,
    pub(super) encryption: Encryption,
    /// Tokens of a file.
    pub(super) tokens: bool,
    pub(super) authorization: &'static str,
    /// NodeRestriction is on.
    pub(super) restricts: bool,
    /// TLS 1.0 is taken.
    pub(super) old_tls: bool,
    /// A weak cipher suite is taken.
    pub(super) weak: bool,
    /// Client certificates and the front proxy's have one CA.
    pub(super) one_authority: bool,
    /// Guards that pass over some, quotas that bound nothing, leftovers and the like are there (`planted`).
    pub(super) planted: bool,
    /// What looks at pods.
    pub(super) pod_security: PodSecurity,
}

/// What the plugin of that name does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum PodSecurity {
    On,
    /// Off, whatever namespaces say.
    Off,
    /// On, and a file says whom it passes over (`spared`).
    Spares,
}

fn plain(name: &str) -> World {
    World {
        name: name.to_owned(),
        anonymous: Anonymous::On,
        configured: false,
        audit: Audit::Off,
        encryption: Encryption::None,
        tokens: false,
        authorization: "Node,RBAC",
        restricts: false,
        old_tls: false,
        weak: false,
        one_authority: false,
        planted: false,
        pod_security: PodSecurity::On,
    }
}

/// Anonymous, authentication, audit and encryption, each on and off. Where audit is on, things are planted that have
/// nothing to do with it, and beside encryption nobody looks at pods.
pub(super) fn matrix() -> Vec<World> {
    let of = |at: usize| {
        let on = |bit: usize| at & (1 << bit) != 0;
        let word = |bit: usize, what: &str| format!("{what}{}", if on(bit) { "-on" } else { "-off" });
        let name = [(0, "anonymous"), (1, "configured"), (2, "audit"), (3, "encryption")];
        World {
            anonymous: if on(0) { Anonymous::On } else { Anonymous::Off },
            configured: on(1),
            audit: if on(2) { Audit::Metadata } else { Audit::Off },
            encryption: if on(3) { Encryption::Secretbox } else { Encryption::None },
            planted: on(2),
            pod_security: if on(3) { PodSecurity::Off } else { PodSecurity::On },
            ..plain(&name.map(|(bit, what)| word(bit, what)).join(" "))
        }
    };
    (0..16).map(of).collect()
}

/// What has more than two ways, one at a time.
pub(super) fn others() -> Vec<World> {
    vec![
        World { anonymous: Anonymous::Limited, configured: true, ..plain("anonymous limited to a path") },
        World { anonymous: Anonymous::Bound, ..plain("anonymous may list namespaces") },
        World { audit: Audit::None, ..plain("an audit policy that records nothing") },
        World { audit: Audit::Webhook, ..plain("audit to a webhook") },
        World { audit: Audit::Short, ..plain("an audit log for a week") },
        World { encryption: Encryption::Identity, ..plain("identity first") },
        World { encryption: Encryption::AesCbc, ..plain("aescbc") },
        World { encryption: Encryption::Quiet, ..plain("encryption, and no Secret written") },
        World { tokens: true, ..plain("tokens of a file") },
        World { authorization: "Node,RBAC,ABAC", tokens: true, ..plain("ABAC beside RBAC") },
        World { authorization: "Node,RBAC,Webhook", ..plain("a webhook beside RBAC") },
        World { authorization: "AlwaysAllow", ..plain("everything allowed") },
        World { restricts: true, old_tls: true, ..plain("NodeRestriction, and TLS 1.0") },
        World { weak: true, one_authority: true, ..plain("a weak cipher suite, and one CA for all") },
        World {
            planted: true,
            pod_security: PodSecurity::Spares,
            ..plain("somebody whose pods nobody looks at")
        },
    ]
}

impl World {
    /// Whether nobody has opened anything.
    pub(super) fn is_as_it_comes(&self) -> bool {
        let opened = self.anonymous == Anonymous::Bound || self.tokens || self.planted;
        self.authorization == "Node,RBAC" && !opened
    }

    /// Starts it. There are no controllers: nothing here needs one.
    pub(super) async fn start(&self) -> Result<Plane> {
        let mut options = PlaneOptions::new("matrix").without_controllers();
        options.authorization = self.authorization.to_owned();
        options.audit_log = false;
        options = self.let_in(options);
        options = self.written_down(options);
        options = self.kept(options);
        if self.tokens {
            options = options.file_flag("token-auth-file", "tokens.csv", "matrix-token-of-alice,alice,1\n");
        }
        if self.authorization.contains("ABAC") {
            let policy = json!({"apiVersion": "abac.authorization.kubernetes.io/v1beta1", "kind": "Policy",
                "spec": {"user": "alice", "namespace": "*", "resource": "*", "apiGroup": "*"}});
            options = options.file_flag("authorization-policy-file", "abac.jsonl", format!("{policy}\n"));
        }
        if self.authorization.contains("Webhook") {
            options =
                options.file_flag("authorization-webhook-config-file", "authorizer.json", nobody_there());
        }
        if self.restricts {
            options = options.flag("--enable-admission-plugins=NodeRestriction");
        }
        match self.pod_security {
            PodSecurity::On => {}
            PodSecurity::Off => options = options.flag("--disable-admission-plugins=PodSecurity"),
            PodSecurity::Spares => {
                let own = json!({"apiVersion": "pod-security.admission.config.k8s.io/v1",
                    "kind": "PodSecurityConfiguration", "exemptions": {"usernames": ["spared"]}});
                let config = json!({"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration",
                    "plugins": [{"name": "PodSecurity", "configuration": own}]});
                options =
                    options.file_flag("admission-control-config-file", "admission.json", config.to_string());
            }
        }
        if self.old_tls {
            options = options.flag("--tls-min-version=VersionTLS10");
        }
        if self.weak {
            options = options.flag(
                "--tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_RC4_128_SHA,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,\
                 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            );
        }
        if self.one_authority {
            options = options.flag("--requestheader-client-ca-file=ca.crt");
        }
        Plane::start(options).await
    }

    fn let_in(&self, options: PlaneOptions) -> PlaneOptions {
        if !self.configured {
            return options.flag(format!("--anonymous-auth={}", self.anonymous != Anonymous::Off));
        }
        let anonymous = match self.anonymous {
            Anonymous::Off => json!({"enabled": false}),
            Anonymous::On | Anonymous::Bound => json!({"enabled": true}),
            Anonymous::Limited => json!({"enabled": true, "conditions": [{"path": "/livez"}]}),
        };
        let config = json!({"apiVersion": "apiserver.config.k8s.io/v1beta1", "kind": "AuthenticationConfiguration",
            "anonymous": anonymous});
        options.file_flag("authentication-config", "authentication-of-the-matrix.json", config.to_string())
    }

    fn written_down(&self, options: PlaneOptions) -> PlaneOptions {
        let policy = |level: &str| {
            json!({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": level}]})
                .to_string()
        };
        let level = match self.audit {
            Audit::Off => return options,
            Audit::None => "None",
            Audit::Metadata | Audit::Webhook | Audit::Short => "Metadata",
        };
        let options = options
            .file_flag("audit-policy-file", "policy-of-the-matrix.json", policy(level))
            .flag("--audit-log-path=audit-of-the-matrix.log");
        match self.audit {
            Audit::Webhook => {
                options.file_flag("audit-webhook-config-file", "audit-webhook.json", nobody_there())
            }
            Audit::Short => options.flag("--audit-log-maxage=7"),
            _ => options,
        }
    }

    fn kept(&self, options: PlaneOptions) -> PlaneOptions {
        // Of no use to anybody: it encrypts what this plane alone has.
        let key = json!({"keys": [{"name": "k1", "secret": "bWF0cml4LW1hdHJpeC1tYXRyaXgtbWF0cml4LW1hdHI="}]});
        let providers: Vec<Value> = match self.encryption {
            Encryption::None => return options,
            Encryption::Identity => vec![json!({"identity": {}}), json!({"secretbox": key})],
            Encryption::Secretbox | Encryption::Quiet => {
                vec![json!({"secretbox": key}), json!({"identity": {}})]
            }
            Encryption::AesCbc => vec![json!({"aescbc": key}), json!({"identity": {}})],
        };
        let config = json!({"apiVersion": "apiserver.config.k8s.io/v1", "kind": "EncryptionConfiguration",
            "resources": [{"resources": ["secrets"], "providers": providers}]});
        options.file_flag("encryption-provider-config", "encryption.json", config.to_string())
    }
}

/// A kubeconfig of a webhook where nobody answers.
fn nobody_there() -> String {
    json!({"apiVersion": "v1", "kind": "Config", "current-context": "w",
        "clusters": [{"name": "w", "cluster": {"server": "http://127.0.0.1:9/w"}}],
        "users": [{"name": "w", "user": {}}],
        "contexts": [{"name": "w", "context": {"cluster": "w", "user": "w"}}]})
    .to_string()
}
