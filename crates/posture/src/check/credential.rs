//! KC: how a person's kubeconfig gets them into this cluster. No finding holds anything of a credential.

use super::answer::{Answer, Found, shown};
use super::door::ends;
use crate::ground::Ground;
use crate::severity::Severity;
use crate::snapshot::{Part, WayIn, WaysIn};
use crate::when::{DAY, date};
use sallyport_rbac::who::MASTERS;

/// Each way by itself; what can't be said of one is a gap.
fn each(ground: &Ground<'_>, look: impl Fn(&WayIn, &mut Vec<String>) -> Vec<Found>) -> Answer {
    let Some(own) = &ground.snapshot.ways_in else { return without() };
    let (mut gaps, mut found) = (Vec::new(), Vec::new());
    for way in &own.ways {
        found.extend(look(way, &mut gaps));
    }
    Answer::unless(gaps).with(found)
}

fn without() -> Answer {
    Answer::nothing("no kubeconfig is part of this reading")
}

fn about(way: &WayIn, severity: Severity, said: String) -> Found {
    Found::new(severity, "context", way.context.clone(), format!("Context {} {said}.", shown(&way.context)))
}

/// AP-04.
pub(super) fn plain(ground: &Ground<'_>) -> Answer {
    let seen = ground.snapshot.door.is_some();
    match &ground.snapshot.ways_in {
        None if seen => Answer::pass(),
        None => Answer::unknown("nobody looked at its address"),
        Some(_) => each(ground, |way, _| {
            let plain = way.plain.then(|| match way.loopback {
                true => about(way, Severity::Low, "speaks with its own machine in plain text".to_owned()),
                false => about(
                    way,
                    Severity::High,
                    "speaks with the API server in plain text: whoever listens has its credential".to_owned(),
                ),
            });
            let info = way.user_info.then(|| {
                about(way, Severity::High, "has a user name or a password in its address".to_owned())
            });
            plain.into_iter().chain(info).collect()
        }),
    }
}

/// KC-01.
pub(super) fn any_server(ground: &Ground<'_>) -> Answer {
    each(ground, |way, _| {
        let severity = if way.loopback { Severity::Low } else { Severity::High };
        let said =
            "believes any server (insecure-skip-tls-verify): whoever answers gets its credential".to_owned();
        way.insecure.then(|| about(way, severity, said)).into_iter().collect()
    })
}

/// KC-02.
pub(super) fn authority(ground: &Ground<'_>) -> Answer {
    each(ground, |way, _| {
        let none = (!way.authority && !way.insecure && !way.plain).then(|| {
            about(
                way,
                Severity::Low,
                "names no CA: every authority that the system believes can stand in for it".to_owned(),
            )
        });
        let other = way.other_name.then(|| {
            about(
                way,
                Severity::Info,
                "expects another name in the certificate than its address has".to_owned(),
            )
        });
        none.into_iter().chain(other).collect()
    })
}

fn unread<T>(way: &WayIn, part: &Part<T>, what: &str, gaps: &mut Vec<String>) -> bool {
    let gap = part.gap(&format!("the {what} of context {}", shown(&way.context)));
    let is = gap.is_some();
    gaps.extend(gap);
    is
}

/// KC-03.
pub(super) fn token(ground: &Ground<'_>) -> Answer {
    each(ground, |way, gaps| {
        let Some(part) = &way.token else { return Vec::new() };
        if unread(way, part, "token", gaps) {
            return Vec::new();
        }
        let seen = &part.found;
        let life = seen.expires.zip(seen.issued).map(|(to, from)| to.saturating_sub(from));
        let whose = if seen.account { "of a service account " } else { "" };
        let found = match (seen.jwt, seen.expires, life) {
            (false, ..) => about(
                way,
                Severity::High,
                "has a token that says nothing of itself: one of a file or a webhook's, which may never end"
                    .to_owned(),
            ),
            (true, None, _) => about(way, Severity::High, format!("has a token {whose}that never ends")),
            (true, Some(to), Some(life)) if life > DAY => about(
                way,
                Severity::Medium,
                format!("has a token {whose}that holds for {} days, until {}", life / DAY, date(to)),
            ),
            (true, Some(to), None) if ground.snapshot.taken.is_none_or(|now| to - now > DAY) => {
                about(way, Severity::Medium, format!("has a token {whose}that holds until {}", date(to)))
            }
            _ => return Vec::new(),
        };
        vec![found]
    })
}

/// KC-04.
pub(super) fn basic(ground: &Ground<'_>) -> Answer {
    each(ground, |way, _| {
        let basic = way.basic.then(|| {
            about(
                way,
                Severity::High,
                "signs in by user name and password, which API servers have not taken since 1.19".to_owned(),
            )
        });
        let old = way.auth_provider.as_ref().map(|name| {
            about(
                way,
                Severity::Low,
                format!(
                    "signs in by the auth-provider {}, which kubectl has not had since 1.26",
                    shown(name)
                ),
            )
        });
        basic.into_iter().chain(old).collect()
    })
}

/// KC-05.
pub(super) fn certificate(ground: &Ground<'_>) -> Answer {
    each(ground, |way, gaps| {
        let Some(part) = &way.certificate else { return Vec::new() };
        if unread(way, part, "client certificate", gaps) {
            return Vec::new();
        }
        let one = &part.found;
        let subject = shown(&one.subject);
        let days = one.not_after.saturating_sub(one.not_before) / DAY;
        let mut found = Vec::new();
        if one.organizations.iter().any(|group| group == MASTERS) {
            let said = format!(
                "has a client certificate of the group {MASTERS} ({subject}): everything is allowed with it until {}, \
                 and nobody can take it back",
                date(one.not_after)
            );
            found.push(about(way, Severity::Critical, said));
        } else {
            let severity = if days > 3 * 365 { Severity::High } else { Severity::Medium };
            let said = format!(
                "has a client certificate ({subject}) that holds for {days} days, until {}, and can't be taken back",
                date(one.not_after)
            );
            found.push(about(way, severity, said));
        }
        match ground.snapshot.taken {
            Some(now) => {
                let of = format!("The client certificate of context {}", shown(&way.context));
                found.extend(ends(one, now, &of, &[(14, Severity::Medium)]));
            }
            None => gaps.push("when it was read is not known".to_owned()),
        }
        if let Some(weakness) = one.weakness() {
            let weak = format!("has a client certificate that {weakness}");
            let mut weak = about(way, Severity::High, weak);
            weak = weak.named(format!("{} weak", way.context));
            found.push(weak);
        }
        found
    })
}

/// KC-06.
pub(super) fn shared(ground: &Ground<'_>) -> Answer {
    each(ground, |way, _| {
        let others = shown(&way.same_as.join(", "));
        let said = format!("has the same credential as contexts of other clusters: {others}");
        (!way.same_as.is_empty()).then(|| about(way, Severity::High, said)).into_iter().collect()
    })
}

/// Programs for credentials that clouds, distributions and identity providers ship.
const KNOWN: [&str; 14] = [
    "aws",
    "aws-iam-authenticator",
    "gke-gcloud-auth-plugin",
    "gcloud",
    "kubelogin",
    "az",
    "kubectl-oidc_login",
    "kubectl",
    "tsh",
    "tbot",
    "doctl",
    "oci",
    "ibmcloud",
    "sallyport",
];

/// KC-07.
pub(super) fn program(ground: &Ground<'_>) -> Answer {
    each(ground, |way, _| {
        let Some(exec) = &way.exec else { return Vec::new() };
        let command = shown(&exec.command);
        let name = exec.command.rsplit('/').next().unwrap_or_default();
        let mut found = Vec::new();
        let looks_secret = |name: &&String| {
            let name = name.to_ascii_uppercase();
            ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "APIKEY", "API_KEY"]
                .iter()
                .any(|part| name.contains(part))
        };
        if let Some(variable) = exec.env.iter().find(looks_secret) {
            found.push(about(
                way,
                Severity::Medium,
                format!("gives {command} a secret by the variable {}", shown(variable)),
            ));
        } else if exec.secret_argument {
            found.push(about(
                way,
                Severity::Medium,
                format!("gives {command} a secret as an argument, which every process can see"),
            ));
        }
        if !KNOWN.contains(&name) {
            found.push(
                about(
                    way,
                    Severity::Low,
                    format!("runs {command} for a credential, which is no program that is known here"),
                )
                .named(format!("{} program", way.context)),
            );
        } else if !exec.path {
            found.push(
                about(
                    way,
                    Severity::Info,
                    format!("runs {command}, whatever of that name comes first in PATH"),
                )
                .named(format!("{} program", way.context)),
            );
        }
        found
    })
}

/// KC-08.
pub(super) fn file(ground: &Ground<'_>) -> Answer {
    let Some(own) = &ground.snapshot.ways_in else { return without() };
    let WaysIn { file, mode, in_repository, .. } = own;
    let mut found = Vec::new();
    if let Some(mode) = mode.filter(|mode| mode & 0o077 != 0) {
        let said = format!(
            "The kubeconfig {} can be read or written by others than its owner (mode {mode:03o}).",
            shown(file)
        );
        found.push(Found::new(Severity::Medium, "file", file.clone(), said));
    }
    if *in_repository {
        let said = format!(
            "The kubeconfig {} lies in a work tree of git, from where it is easily published.",
            shown(file)
        );
        found.push(Found::new(Severity::Medium, "file", format!("{file} repository"), said));
    }
    match mode {
        Some(_) => Answer::pass(),
        None => Answer::unknown("who else can read the file is not known"),
    }
    .with(found)
}
