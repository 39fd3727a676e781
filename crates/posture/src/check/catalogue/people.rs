//! How people get in: the families KC and AN, and who gets in as an account.

use super::{Check, maps};
use crate::check::{configuration, credential, sign_in, unseen};
use crate::snapshot::Kind;

const NOTHING: &[Kind] = &[];
/// What an API server tells of itself is told by one of those behind its address: how many there are stands there.
const ITS_SERVERS: &[Kind] = &[Kind::EndpointSlice];

pub(super) const CHECKS: &[Check] = &[
    check!(
        "KC-01",
        "A kubeconfig believes any server",
        Credential,
        maps("", "AUTH", "K09", "T1557"),
        "Put the cluster's CA into certificate-authority-data and remove insecure-skip-tls-verify.",
        NOTHING,
        credential::any_server
    ),
    check!(
        "KC-02",
        "A kubeconfig names no CA",
        Credential,
        maps("", "AUTH", "K09", ""),
        "Put the cluster's CA into certificate-authority-data.",
        NOTHING,
        credential::authority
    ),
    check!(
        "KC-03",
        "A kubeconfig holds a token that lives long",
        Credential,
        maps("3.1.2", "AUTH", "K09", "T1552.001"),
        "Sign in by an identity provider, or open sessions; revoke the token.",
        NOTHING,
        credential::token
    ),
    check!(
        "KC-04",
        "A kubeconfig signs in as clusters of old did",
        Credential,
        maps("3.1.3", "AUTH", "K09", "T1552.001"),
        "Remove user name, password and auth-provider.",
        NOTHING,
        credential::basic
    ),
    check!(
        "KC-05",
        "A kubeconfig holds a client certificate",
        Credential,
        maps("3.1.1", "AUTH", "K09", "T1552.004"),
        "Sign in by an identity provider, or open sessions; keep one certificate sealed for the day when nothing else works.",
        NOTHING,
        credential::certificate
    ),
    check!(
        "KC-06",
        "One credential opens several clusters",
        Credential,
        maps("", "AUTH", "K09", "T1078"),
        "Give each cluster a credential of its own.",
        NOTHING,
        credential::shared
    ),
    check!(
        "KC-07",
        "A kubeconfig runs a program",
        Credential,
        maps("", "AUTH", "K09", "T1552.001"),
        "Name the program by its whole path, and give it no secret by variables or arguments.",
        NOTHING,
        credential::program
    ),
    check!(
        "KC-08",
        "A kubeconfig can be read by others",
        Credential,
        maps("", "AUTH", "K09", "T1552.001"),
        "chmod 600, and keep it outside of repositories.",
        NOTHING,
        credential::file
    ),
    check!(
        "AN-01",
        "People do not sign in by an identity provider",
        SignIn,
        maps("3.1.1", "AUTH", "K09", "T1078"),
        "Set up AuthenticationConfiguration with your identity provider.",
        ITS_SERVERS,
        sign_in::third_party
    ),
    check!(
        "AN-02",
        "People sign in without a second factor",
        SignIn,
        maps("", "AUTH", "K09", "T1078"),
        "Ask for a second factor at the identity provider, or open the cluster by profiles that ask for one.",
        NOTHING,
        sign_in::second_factor
    ),
    check!(
        "AN-03",
        "The credential that was used can't be taken back",
        SignIn,
        maps("3.1.1", "AUTH", "K09", ""),
        "Sign in by an identity provider, or open sessions.",
        NOTHING,
        sign_in::credential
    ),
    check!(
        "AN-04",
        "Bootstrap tokens are live",
        SignIn,
        maps("3.1.3", "AUTH", "K09", "T1552.007"),
        "Remove those that no node needs any more: kubeadm token list, kubeadm token delete.",
        ITS_SERVERS,
        sign_in::bootstrap
    ),
    check!(
        "AN-05",
        "An authorizer allows without roles",
        SignIn,
        maps("1.2.6", "AUTH", "K02", "T1078"),
        "Set --authorization-mode=Node,RBAC, and bind what ABAC allowed.",
        ITS_SERVERS,
        configuration::without_roles
    ),
    check!(
        "AN-06",
        "Many attempts to sign in fail",
        SignIn,
        maps("", "LOG", "K10", "T1110"),
        "Look in the audit log who tries.",
        ITS_SERVERS,
        sign_in::failures
    ),
    check!(
        "AN-07",
        "Client certificates in use hold for long, or end soon",
        SignIn,
        maps("3.1.1", "AUTH", "K09", ""),
        "Issue certificates for days, or use none.",
        NOTHING,
        sign_in::client_certificates
    ),
    check!(
        "AN-08",
        "Somebody who is named may be gone",
        SignIn,
        maps("", "AUTH", "K09", "T1078"),
        "Look in the audit log or at the identity provider who of them still comes, and bind groups instead of people.",
        super::RBAC,
        unseen::people
    ),
    check!(
        "AN-09",
        "Nobody may have looked through who may do what",
        SignIn,
        maps("", "AUTH", "K02", ""),
        "Look through it at least every two years, and keep the report with its date.",
        NOTHING,
        unseen::reviewed
    ),
    check!(
        "AN-10",
        "A principal of AWS gets in with everything",
        SignIn,
        maps("", "AUTH", "K08", "T1078.004"),
        "Move to access entries with policies for what is needed, and open the rest by sessions.",
        super::RBAC,
        sign_in::aws
    ),
    check!(
        "AN-11",
        "Client certificates are issued by requests",
        SignIn,
        maps("3.1.1", "AUTH", "K09", "T1098"),
        "Deny requests that nobody needs, and let people sign in by an identity provider.",
        &[Kind::CertificateSigningRequest],
        sign_in::requests
    ),
    check!(
        "SA-06",
        "Tokens that never end are in use",
        Accounts,
        maps("1.2.30", "AUTH", "K09", "T1528"),
        "Find who comes with them in the audit log (authentication.k8s.io/legacy-token), and give them tokens that end.",
        ITS_SERVERS,
        sign_in::legacy_tokens
    ),
    check!(
        "SA-07",
        "A person signs in as a program",
        Accounts,
        maps("3.1.2", "AUTH", "K09", "T1078"),
        "Sign in by an identity provider, or open sessions; an account is for a program.",
        NOTHING,
        sign_in::as_account
    ),
];
