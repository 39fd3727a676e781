//! How an API server is reached and run: the families AP, AD, AU, EN and VR.

use super::{Check, Maps, maps};
use crate::check::{
    admission, audit, configuration, credential, door, encryption, unseen, version, webhooks,
};
use crate::snapshot::Kind;

const NONE: Maps = maps("", "", "", "");
const NOTHING: &[Kind] = &[];
/// What an API server tells of itself is told by one of those behind its address: how many there are stands there.
const ITS_SERVERS: &[Kind] = &[Kind::EndpointSlice];
const WEBHOOKS: &[Kind] = &[Kind::MutatingWebhookConfiguration, Kind::ValidatingWebhookConfiguration];

const ANSWERING: &[Kind] = &[
    Kind::MutatingWebhookConfiguration,
    Kind::ValidatingWebhookConfiguration,
    Kind::Service,
    Kind::EndpointSlice,
];

pub(super) const CHECKS: &[Check] = &[
    check!(
        "AP-01",
        "Whoever does not sign in is let in",
        Server,
        maps("1.2.1", "AUTH", "K09", "T1190"),
        "Name the paths that need it in AuthenticationConfiguration (anonymous.conditions), or set --anonymous-auth=false.",
        NOTHING,
        door::anonymous
    ),
    check!(
        "AP-02",
        "It takes old versions of TLS or weak cipher suites",
        Server,
        maps("1.2.29", "AUTH", "K06", "T1557"),
        "Set --tls-min-version=VersionTLS12 and --tls-cipher-suites, or the same where TLS ends before it.",
        NOTHING,
        door::versions
    ),
    check!(
        "AP-03",
        "Its certificate ends soon, is weak or is not believed",
        Server,
        maps("1.2.24", "AUTH", "K06", ""),
        "Renew it (kubeadm certs renew apiserver), and give clients the CA that signed it.",
        NOTHING,
        door::certificate
    ),
    check!(
        "AP-04",
        "It is asked in plain text",
        Server,
        maps("", "AUTH", "K06", "T1040"),
        "Give clients an https address without a user name in it.",
        NOTHING,
        credential::plain
    ),
    check!(
        "AP-05",
        "It has an address of the internet",
        Server,
        maps("", "NET", "K06", "T1133"),
        "Give it a private address, or let in known networks alone.",
        NOTHING,
        door::address
    ),
    check!(
        "AP-06",
        "Certificates of clients and of the front proxy come from one CA, or their CA ends soon",
        Server,
        maps("1.2.25", "AUTH", "K09", "T1552.004"),
        "Give the front proxy a CA of its own, name its certificates in --requestheader-allowed-names, and renew a CA \
         before it ends.",
        NOTHING,
        configuration::authorities
    ),
    check!(
        "AP-07",
        "A flag of the API server opens more than it must",
        Server,
        maps("1.2", "AUTH", "K06", ""),
        "Set the flag as the finding says, in the manifest of each API server.",
        ITS_SERVERS,
        configuration::flags
    ),
    check!(
        "AP-08",
        "A webhook decides beside roles",
        Server,
        maps("1.2.6", "AUTH", "K02", ""),
        "Know what it allows: roles and bindings do not tell.",
        ITS_SERVERS,
        configuration::beside_roles
    ),
    check!(
        "AP-09",
        "Roles and bindings do not decide",
        Server,
        maps("1.2.8", "AUTH", "K02", ""),
        "Set --authorization-mode=Node,RBAC.",
        ITS_SERVERS,
        configuration::roles_decide
    ),
    check!(
        "AP-10",
        "What runs the cluster is put outside",
        Server,
        maps("", "NET", "K06", "T1133"),
        "Make the Service a ClusterIP, and reach it by port-forward or through a session.",
        &[Kind::Service, Kind::Ingress],
        configuration::exposed
    ),
    check!(
        "AP-11",
        "An aggregated API is believed without a certificate",
        Server,
        maps("", "AUTH", "K06", "T1557"),
        "Set caBundle and remove insecureSkipTLSVerify.",
        &[Kind::APIService],
        configuration::aggregated
    ),
    check!(
        "AD-04",
        "A webhook that guards passes over some, or is asked elsewhere",
        Admission,
        maps("", "POD", "K04", ""),
        "Choose namespaces by kubernetes.io/metadata.name, and let a Service of this cluster answer.",
        WEBHOOKS,
        webhooks::passed_over
    ),
    check!(
        "AD-06",
        "A policy engine refuses nothing",
        Admission,
        maps("5.2.1", "POD", "K04", ""),
        "Set its policies to enforce.",
        &[Kind::CustomResourceDefinition],
        admission::engines
    ),
    check!(
        "AD-08",
        "An admission plugin that guards is off",
        Admission,
        maps("1.2.14", "POD", "K04", ""),
        "Set --enable-admission-plugins=NodeRestriction, and take no other off.",
        ITS_SERVERS,
        admission::plugins
    ),
    check!(
        "AD-09",
        "A webhook that guards was passed over",
        Admission,
        maps("", "POD", "K04", ""),
        "Set failurePolicy: Fail, with more than one copy of what answers.",
        ITS_SERVERS,
        webhooks::failed_open
    ),
    check!(
        "AD-10",
        "Admission is told by files too, which no list shows",
        Admission,
        NONE,
        "Know what they say: look at staticManifestsDir in the file that --admission-control-config-file names.",
        ITS_SERVERS,
        admission::manifests
    ),
    check!(
        "AD-11",
        "A webhook that must be asked has nobody to answer",
        Admission,
        NONE,
        "Bring back what answers, or remove the webhook.",
        ANSWERING,
        webhooks::unanswered
    ),
    check!(
        "AU-01",
        "The audit log is kept for too short",
        Audit,
        maps("1.2.17", "LOG", "K10", ""),
        "Set --audit-log-maxage=30, --audit-log-maxbackup=10 and --audit-log-maxsize=100.",
        ITS_SERVERS,
        audit::kept
    ),
    check!(
        "AU-02",
        "Nobody writes down who did what",
        Audit,
        maps("3.2.1", "LOG", "K10", "T1562.008"),
        "Set --audit-policy-file, and --audit-log-path or --audit-webhook-config-file.",
        ITS_SERVERS,
        audit::on
    ),
    check!(
        "AU-03",
        "Entries of the audit log are lost",
        Audit,
        maps("3.2.2", "LOG", "K10", ""),
        "Give the log room, and its backend time.",
        ITS_SERVERS,
        audit::lost
    ),
    check!(
        "AU-04",
        "The cloud may not keep the audit log",
        Audit,
        maps("", "LOG", "K10", "T1562.008"),
        "Turn on the log of requests in the cloud's account.",
        NOTHING,
        audit::clouds_own
    ),
    check!(
        "AU-05",
        "The audit log holds what it should not, or lacks what it should hold",
        Audit,
        maps("3.2.2", "LOG", "K10", "T1562.008"),
        "Look whether its policy records Secrets, ConfigMaps and tokens at Metadata, and nobody can change the log.",
        NOTHING,
        unseen::shown_by_log
    ),
    check!(
        "AU-06",
        "The audit log stays on the machine that it tells of",
        Audit,
        maps("3.2.2", "LOG", "K10", "T1070"),
        "Send it elsewhere: --audit-webhook-config-file, or an agent on the control plane.",
        ITS_SERVERS,
        audit::elsewhere
    ),
    check!(
        "EN-01",
        "Secrets are kept as they are",
        Encryption,
        maps("1.2.27", "AUTH", "K03", "T1552.007"),
        "Set --encryption-provider-config with kms or secretbox first, then write every Secret anew.",
        ITS_SERVERS,
        encryption::at_rest
    ),
    // The reference has EN-03 too, for a flag that is set and a file that is not seen: EN-01 says just that, with what the
    // next write would tell, so it is no check of its own.
    check!(
        "EN-02",
        "A KMS provider does not answer",
        Encryption,
        maps("1.2.28", "AUTH", "K03", ""),
        "Look at the provider's own log on the control plane.",
        ITS_SERVERS,
        encryption::kms
    ),
    check!(
        "VR-01",
        "Its version is not looked after any more",
        Version,
        maps("", "UPG", "K07", "T1190"),
        "Move to the next minor version, one at a time.",
        NOTHING,
        version::supported
    ),
    check!(
        "VR-02",
        "A kubelet's version is too far from the API server's",
        Version,
        maps("", "UPG", "K07", ""),
        "Bring nodes to the API server's version, or at most three minor versions below.",
        &[Kind::Node],
        version::skew
    ),
    check!(
        "VR-03",
        "Somebody asks for an API that goes away",
        Version,
        maps("", "UPG", "K07", ""),
        "Move to the API that comes after it before the next upgrade.",
        ITS_SERVERS,
        version::deprecated
    ),
];
