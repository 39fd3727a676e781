//! AN: who an API server believes that somebody is, and why.

use super::answer::{Answer, Found, shown};
use crate::graph::Node;
use crate::ground::Ground;
use crate::severity::Severity;
use crate::snapshot::{TokenSeen, Told};
use sallyport_rbac::who::{MASTERS, Subject};

const JWT: &str = "apiserver_authentication_jwt_authenticator_latency_seconds_count";
const CONFIGURED: &str = "apiserver_authentication_config_controller_last_config_info";

fn is_set(told: &Told, flag: &str) -> Option<bool> {
    told.flag(flag).map(|value| !value.is_empty())
}

/// AN-01.
pub(super) fn third_party(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    let jwt = told.series(JWT).any(|one| one.label("result") == "success" && one.value > 0.0);
    if jwt || is_set(told, "oidc-issuer-url") == Some(true) {
        return Answer::pass();
    }
    if let Some(cloud) = ground.snapshot.vouched_cloud() {
        return Answer::provider(cloud.sign_in_look());
    }
    let webhook = is_set(told, "authentication-token-webhook-config-file") == Some(true);
    let configured =
        is_set(told, "authentication-config") == Some(true) || told.series(CONFIGURED).next().is_some();
    if configured || webhook {
        return Answer::unknown(
            "who else is believed stands in a file that can't be read, and nobody has signed in by it since it started",
        );
    }
    match told.flags.gap("/flagz") {
        Some(gap) => Answer::unknown(gap),
        None => Answer::pass().with([Found::new(
            Severity::Medium,
            "flag",
            "authentication-config",
            "It believes no identity provider: people sign in by client certificates and tokens alone.",
        )]),
    }
}

/// Ways of signing in that stand for a second factor (RFC 8176).
const FACTORS: [&str; 12] =
    ["mfa", "otp", "hwk", "swk", "fpt", "face", "iris", "retina", "vbm", "sms", "tel", "sc"];

/// AN-02.
pub(super) fn second_factor(ground: &Ground<'_>) -> Answer {
    let ways = ground.snapshot.ways_in.iter().flat_map(|own| &own.ways);
    let tokens: Vec<(&str, &TokenSeen)> = ways
        .filter_map(|way| Some((way.context.as_str(), way.token.as_ref()?.whole()?)))
        .filter(|(_, token)| token.jwt && !token.account && !token.amr.is_empty())
        .collect();
    let alone = tokens.iter().filter(|(_, token)| {
        let kinds = token.amr.iter().filter(|one| *one != "pwd").count();
        !token.amr.iter().any(|one| FACTORS.contains(&one.as_str())) && kinds < 2
    });
    let found: Vec<Found> = alone
        .map(|(context, token)| {
            let amr = shown(&token.amr.join(", "));
            let said = format!("Whoever uses context {} signed in by {amr} alone.", shown(context));
            Found::new(Severity::Medium, "context", *context, said)
        })
        .collect();
    if !tokens.is_empty() {
        return Answer::pass().with(found);
    }
    match ground.snapshot.vouched_cloud() {
        Some(cloud) => Answer::provider(cloud.sign_in_look()),
        None => {
            Answer::unknown("no token here says how its person signed in (amr); the identity provider knows")
        }
    }
}

/// Since this version an API server tells what kind of credential somebody came with (KEP-4193).
const TELLS_SINCE: (u32, u32) = (1, 32);

/// AN-03.
pub(super) fn credential(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    if let Some(gap) = told.identity.gap("who asked") {
        return Answer::unknown(gap);
    }
    let identity = &told.identity.found;
    let user = format!("User {}", shown(&identity.user));
    match identity.credential.as_deref() {
        // A session of Sallyport's, or a program's: it says nothing of how people come.
        Some("JTI") if identity.user.starts_with("system:serviceaccount:") => Answer::unknown(format!(
            "{user} is an account of a program: how people sign in is not told by it"
        )),
        Some("JTI") => Answer::pass(),
        Some("X509SHA256") => Answer::pass().with([Found::new(
            Severity::Low,
            "user",
            identity.user.clone(),
            format!("{user} came with a client certificate, which can't be taken back before it ends."),
        )]),
        Some(other) => Answer::unknown(format!("{user} came with a credential of the kind {}", shown(other))),
        None if ground.snapshot.server.is_some_and(|server| server >= TELLS_SINCE) => {
            Answer::unknown(format!(
                "{user} came with a credential that has no id: a provider's token without `jti`, a token of a file, or a \
             webhook's or a proxy's word"
            ))
        }
        None => Answer::unknown("this version does not tell what somebody came with"),
    }
}

/// SA-06.
pub(super) fn legacy_tokens(ground: &Ground<'_>) -> Answer {
    const USED: &str = "serviceaccount_legacy_tokens_total";
    let told = &ground.snapshot.told;
    let found = told.sum(USED).filter(|many| *many > 0.0).map(|many| {
        let said = format!(
            "Tokens of service accounts that never end were used {many:.0} time(s) since the API server started."
        );
        Found::new(Severity::Medium, "metric", USED, said)
    });
    match (told.metrics.gap("/metrics"), told.sum(USED)) {
        (Some(gap), _) => Answer::unknown(gap),
        (None, None) => Answer::unknown("its metrics do not tell whether such tokens are used"),
        (None, Some(_)) => Answer::pass(),
    }
    .with(found)
}

/// SA-07.
pub(super) fn as_account(ground: &Ground<'_>) -> Answer {
    let Some(own) = &ground.snapshot.ways_in else {
        // A session signs in as an account of its own, for a limited time.
        return Answer::nothing("no kubeconfig is part of this reading");
    };
    let mut found: Vec<Found> = own
        .ways
        .iter()
        .filter(|way| way.token.as_ref().is_some_and(|token| token.found.account))
        .map(|way| {
            let said = format!("Context {} signs in as a service account.", shown(&way.context));
            Found::new(Severity::Medium, "context", way.context.clone(), said)
        })
        .collect();
    let identity = &ground.snapshot.told.identity;
    if found.is_empty() && identity.found.user.starts_with("system:serviceaccount:") {
        let user = &identity.found.user;
        let said = format!("Whoever asked is the service account {}.", shown(user));
        found.push(Found::new(Severity::Medium, "user", user.clone(), said));
    }
    Answer::unless(identity.gap("who asked").into_iter().collect()).with(found)
}

/// AN-04.
pub(super) fn bootstrap(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    if told.flag("enable-bootstrap-token-auth") == Some("false") {
        return Answer::pass();
    }
    let part = &told.cluster_info;
    let signed = part.found.as_ref().map_or(0, |own| own.signed_by);
    let found = (signed > 0).then(|| {
        let said = format!(
            "Bootstrap tokens are live, {signed} at least: whoever has one can join a node. They sign ConfigMap cluster-info in \
             kube-public."
        );
        Found::new(Severity::Low, "ConfigMap", "cluster-info", said).within(Some("kube-public"))
    });
    let gap = part.gap("ConfigMap cluster-info").unwrap_or_else(|| {
        "bootstrap tokens that sign nothing, and when they end, stand in Secrets, which nothing here reads".to_owned()
    });
    Answer::unknown(gap).with(found)
}

/// AN-06.
pub(super) fn failures(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    if let Some(gap) = told.metrics.gap("/metrics") {
        return Answer::unknown(gap);
    }
    let attempts = |good: bool| -> f64 {
        let all = told.series("authentication_attempts");
        all.filter(|one| (one.label("result") == "success") == good).map(|one| one.value).sum()
    };
    let (good, bad) = (attempts(true), attempts(false));
    let found = (bad >= 100.0 && bad > good / 10.0).then(|| {
        let said =
            format!("Of {:.0} attempts to sign in {bad:.0} failed since the API server started.", good + bad);
        Found::new(Severity::Info, "metric", "authentication_attempts", said)
    });
    Answer::pass().with(found)
}

/// AN-07.
pub(super) fn client_certificates(ground: &Ground<'_>) -> Answer {
    const SEEN: &str = "apiserver_client_certificate_expiration_seconds";
    let told = &ground.snapshot.told;
    let up_to = |seconds: f64| {
        let all = told
            .series(&format!("{SEEN}_bucket"))
            .map(|one| (one.label("le").parse::<f64>(), one.value))
            .collect::<Vec<_>>();
        all.into_iter().find_map(|(le, value)| le.ok().filter(|le| *le == seconds).map(|_| value))
    };
    let count = told.sum(&format!("{SEEN}_count"));
    if let Some(gap) = told.metrics.gap("/metrics") {
        return Answer::unknown(gap);
    }
    // The histogram's own bounds: a week, and a year of 360 days.
    let (Some(count), Some(week), Some(year)) = (count, up_to(604_800.0), up_to(31_104_000.0)) else {
        return Answer::unknown("its metrics do not tell how long client certificates hold");
    };
    let mut found = Vec::new();
    if week > 0.0 {
        let said =
            "Somebody comes with a client certificate that ends within a week, or has ended.".to_owned();
        found.push(Found::new(Severity::Low, "metric", format!("{SEEN} week"), said));
    }
    // What is left of a certificate is told and not how long it holds: one of ten years in its last is among the short ones.
    if count > year {
        let said = "Somebody comes with a client certificate that holds for a year or longer, and can't be taken back.";
        found.push(Found::new(Severity::Medium, "metric", format!("{SEEN} year"), said));
    }
    Answer::unknown(
        "its metrics tell how much is left of the client certificates that were used since it started, and not how long they \
         hold",
    )
    .with(found)
}

/// AN-10.
pub(super) fn aws(ground: &Ground<'_>) -> Answer {
    let part = &ground.snapshot.told.aws_auth;
    let cloud = ground.cloud().filter(|cloud| cloud.name == "EKS");
    let own = part.found.as_ref();
    let mut found = Vec::new();
    for mapped in own.iter().flat_map(|own| &own.mapped) {
        let strong = mapped.groups.iter().find(|group| {
            let node = ground.rights.subject(&Subject::Group((*group).clone()));
            let node = node.and_then(|at| ground.graph.at(Node::Subject(at)));
            *group == MASTERS || node.is_some_and(|node| ground.reach.is_critical(node))
        });
        if let Some(group) = strong {
            let said = format!(
                "The principal {} of AWS gets in with the group {}, which leads to everything.",
                shown(&mapped.arn),
                shown(group)
            );
            let about = Found::new(Severity::Critical, "principal", mapped.arn.clone(), said);
            found.push(about.within(None));
        }
    }
    if let Some(own) = own.filter(|own| own.accounts > 0) {
        let said = format!("Accounts of AWS are let in whole, {} of them (mapAccounts).", own.accounts);
        found.push(Found::new(Severity::High, "ConfigMap", "aws-auth", said).within(Some("kube-system")));
    }
    let otherwise = match (part.gap("ConfigMap aws-auth"), own, cloud) {
        (Some(gap), _, _) => Answer::unknown(gap),
        (None, Some(own), _) if !own.unread.is_empty() => Answer::unknown(own.unread.join("; ")),
        (None, None, None) => Answer::nothing("there is no ConfigMap aws-auth"),
        // Access entries are the cloud's, with the ConfigMap and without.
        (None, Some(_), _) | (None, _, Some(_)) => Answer::provider(
            "access entries of EKS: aws eks list-access-entries --cluster-name NAME, then describe-access-entry and \
             list-associated-access-policies",
        ),
    };
    otherwise.with(found)
}

/// AN-11.
pub(super) fn requests(ground: &Ground<'_>) -> Answer {
    let mut found = Vec::new();
    for one in &ground.snapshot.requests {
        if one.signer != "kubernetes.io/kube-apiserver-client" {
            continue;
        }
        let is = |condition: &str| one.conditions.iter().any(|own| own == condition);
        let what = match (is("Approved"), is("Denied") || is("Failed")) {
            (true, false) => "was given a client certificate, which can't be taken back before it ends",
            (false, false) => "waits for a client certificate",
            _ => continue,
        };
        let said = format!("User {} {what} (request {}).", shown(&one.user), shown(&one.meta.name));
        found.push(Found::new(Severity::Low, "CertificateSigningRequest", one.meta.name.clone(), said));
    }
    Answer::pass().with(found)
}
