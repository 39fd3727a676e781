//! AP: how an API server is reached, as whoever does not sign in sees it.

use super::answer::{Answer, Found, shown};
use crate::ground::Ground;
use crate::severity::Severity;
use crate::snapshot::{AddressReach, AnonymousGet, Certificate, Door, Tls, TlsTaken};
use crate::when::{DAY, date};

/// Paths that say how the server is and what version it has: Kubernetes gives them to everybody.
const HEALTH: [&str; 4] = ["/version", "/livez", "/readyz", "/healthz"];
/// What joining nodes ask for before they have an identity (kubeadm).
const JOINING: &str = "/api/v1/namespaces/kube-public/configmaps/cluster-info";
/// Public keys, which many make public on purpose.
const PUBLIC_KEYS: [&str; 2] = ["/.well-known/openid-configuration", "/openid/v1/jwks"];
/// Who whoever does not sign in is.
const ANONYMOUS: &str = "system:anonymous";

const BY_FLAG: &str = "Its flags let in whoever does not sign in, as system:anonymous (--anonymous-auth).";

const NO_DOOR: &str = "nobody looked at its address without signing in";

/// AP-01.
pub(super) fn anonymous(ground: &Ground<'_>) -> Answer {
    let told = &ground.snapshot.told;
    let by_flag = told.flag("anonymous-auth");
    let configured = told.flag("authentication-config").is_some_and(|file| !file.is_empty());
    let Some(door) = ground.snapshot.door.as_ref().filter(|door| !door.anonymous.is_empty()) else {
        return match by_flag {
            Some("false") => Answer::pass(),
            Some("true") if !configured => Answer::pass().with([known(BY_FLAG)]),
            _ => Answer::unknown(match told.flags.gap("/flagz") {
                Some(gap) => format!("{NO_DOOR}, and {gap}"),
                None => format!("{NO_DOOR}, and which paths are let in stands in a file that can't be read"),
            }),
        };
    };
    let mut found: Vec<Found> = door.anonymous.iter().filter_map(open).collect();
    let as_anonymous =
        |get: &&AnonymousGet| get.status == Some(403) && get.user.as_deref() == Some(ANONYMOUS);
    if let Some(get) = door.anonymous.iter().find(as_anonymous) {
        found.push(known(&format!(
            "Whoever does not sign in is let in as {ANONYMOUS}, and roles alone decide: {} was refused by them (403).",
            shown(&get.path)
        )));
    }
    // Who is told to sign in is kept out; a 401 that no API server wrote may be of something before it.
    let kept_out = |get: &AnonymousGet| get.status == Some(401) && get.kubernetes;
    let settled =
        |get: &&AnonymousGet| kept_out(get) || open(get).is_some() || is_usual(get) || as_anonymous(get);
    let gaps = door.anonymous.iter().filter(|get| !settled(get)).map(|get| match (get.status, &get.why) {
        (_, Some(why)) => format!("{} was not answered: {}", shown(&get.path), shown(why)),
        (Some(status), None) => format!("{} was answered with {status}", shown(&get.path)),
        (None, None) => format!("{} was not answered", shown(&get.path)),
    });
    let gaps: Vec<String> = gaps.collect();
    if !gaps.is_empty() && found.is_empty() && by_flag == Some("true") && !configured {
        found.push(known(BY_FLAG));
    }
    Answer::unless(gaps).with(found)
}

fn known(said: &str) -> Found {
    Found::new(Severity::Low, "user", ANONYMOUS, said)
}

/// Whether it is what everybody may know.
fn is_usual(get: &AnonymousGet) -> bool {
    // A health check that fails answers 500, and says no more.
    let health = HEALTH.contains(&get.path.as_str()) && matches!(get.status, Some(200 | 500));
    health || (get.path == JOINING && matches!(get.status, Some(200 | 404)))
}

/// What was given to whoever did not sign in, beyond what everybody may know.
fn open(get: &AnonymousGet) -> Option<Found> {
    let path = get.path.as_str();
    if get.status != Some(200) || HEALTH.contains(&path) || path == JOINING {
        return None;
    }
    let (severity, what) = match path {
        _ if path.starts_with("/api/v1/") => (Severity::Critical, "objects"),
        "/metrics" => (Severity::High, "its metrics"),
        _ if PUBLIC_KEYS.contains(&path) => (Severity::Low, "the public keys of its ServiceAccounts' tokens"),
        _ => (Severity::High, "which APIs it has"),
    };
    let said = format!("Whoever does not sign in is given {what}: GET {} answered 200.", shown(path));
    Some(Found::new(severity, "path", path, said))
}

/// AP-02.
pub(super) fn versions(ground: &Ground<'_>) -> Answer {
    let Some(door) = &ground.snapshot.door else { return flags_alone(ground) };
    let mut found = Vec::new();
    let mut gaps = Vec::new();
    for old in [Tls::V1_0, Tls::V1_1] {
        match door.tls.get(&old).unwrap_or(&TlsTaken::NotAsked) {
            TlsTaken::Yes => found.push(Found::new(
                Severity::Medium,
                "protocol",
                old.to_string(),
                format!("It takes {old}, which is broken since 2021 at the latest (RFC 8996)."),
            )),
            TlsTaken::No => {}
            TlsTaken::NotAsked => gaps.push(format!("nobody asked for {old}")),
            TlsTaken::Unknown(why) => gaps.push(format!("whether it takes {old}: {}", shown(why))),
        }
    }
    let new = [Tls::V1_2, Tls::V1_3].map(|version| door.tls.get(&version).unwrap_or(&TlsTaken::NotAsked));
    if new.iter().all(|taken| **taken == TlsTaken::No) {
        let said = "It takes neither TLS 1.2 nor TLS 1.3.";
        found.push(Found::new(Severity::High, "protocol", "TLS 1.2", said));
    } else if !new.contains(&&TlsTaken::Yes) {
        gaps.push("no TLS session came about".to_owned());
    }
    match &door.weak_suites {
        TlsTaken::Yes => found.push(Found::new(
            Severity::Low,
            "protocol",
            "weak cipher suites",
            "With TLS 1.2 it takes a cipher suite without forward secrecy, with 3DES or with RC4.",
        )),
        TlsTaken::No => {}
        TlsTaken::NotAsked => gaps.push("nobody asked for weak cipher suites".to_owned()),
        TlsTaken::Unknown(why) => gaps.push(format!("whether it takes weak cipher suites: {}", shown(why))),
    }
    Answer::unless(gaps).with(found)
}

/// What its flags say of TLS, where nobody was at the door. They never pass: something may stand before it.
fn flags_alone(ground: &Ground<'_>) -> Answer {
    let least = ground.snapshot.told.flag("tls-min-version");
    let old = least.filter(|version| matches!(*version, "VersionTLS10" | "VersionTLS11"));
    let found = old.map(|version| {
        Found::new(Severity::Medium, "protocol", version, format!("Its flags let in {}.", shown(version)))
    });
    Answer::unknown(NO_DOOR).with(found)
}

/// AP-03.
pub(super) fn certificate(ground: &Ground<'_>) -> Answer {
    let Some(door) = &ground.snapshot.door else { return Answer::unknown(NO_DOOR) };
    let mut gaps: Vec<String> = Vec::new();
    gaps.extend(door.chain.gap("the chain of its certificate"));
    gaps.extend(door.untrusted.gap("whether its certificate is believed"));
    if ground.snapshot.taken.is_none() {
        gaps.push("when it was seen is not known".to_owned());
    }
    if door.chain.coverage == crate::Coverage::Read && door.chain.found.is_empty() {
        gaps.push("it showed no certificate".to_owned());
    }
    let mut found = Vec::new();
    if let Some(why) = &door.untrusted.found {
        let said = format!("Its certificate is not believed with the CA that clients have: {}.", shown(why));
        found.push(Found::new(Severity::High, "certificate", "trust", said));
    }
    for one in &door.chain.found {
        let of = format!("The certificate of {}", shown(&one.subject));
        if let Some(taken) = ground.snapshot.taken {
            found.extend(ends(one, taken, &of, &[(7, Severity::High), (30, Severity::Medium)]));
        }
        if let Some(weakness) = one.weakness() {
            let said = format!("{of} {weakness}.");
            found.push(Found::new(Severity::Medium, "certificate", format!("{} weak", one.subject), said));
        }
    }
    Answer::unless(gaps).with(found)
}

/// That a certificate has ended or soon will, in so many days how bad; the soonest first.
pub(super) fn ends(one: &Certificate, now: i64, of: &str, soon: &[(i64, Severity)]) -> Option<Found> {
    let left = one.not_after.saturating_sub(now);
    let about = |severity, said: String| Some(Found::new(severity, "certificate", one.subject.clone(), said));
    if left < 0 {
        return about(Severity::High, format!("{of} ended on {}.", date(one.not_after)));
    }
    if one.not_before > now {
        return about(Severity::Medium, format!("{of} does not hold before {}.", date(one.not_before)));
    }
    let (_, severity) = soon.iter().find(|(days, _)| left < days * DAY)?;
    about(*severity, format!("{of} ends on {}, in {} days.", date(one.not_after), left / DAY))
}

/// AP-05.
pub(super) fn address(ground: &Ground<'_>) -> Answer {
    let Some(door) = &ground.snapshot.door else { return Answer::unknown(NO_DOOR) };
    if let Some(gap) = door.addresses.gap("its address") {
        return Answer::unknown(gap);
    }
    let public: Vec<&str> = public(door).collect();
    if public.is_empty() {
        let of = |reach| door.addresses.found.iter().any(|one| one.reach == reach);
        return match (door.addresses.found.is_empty(), ground.snapshot.vouched_cloud()) {
            (true, _) => Answer::unknown("its host has no address"),
            // A tunnel, or a proxy of a cloud's own tool: what it leads to has an address of its own.
            (false, _) if of(AddressReach::Loopback) => Answer::unknown(
                "it was reached by an address of this machine alone; where else it can be reached is not seen from here",
            ),
            // From inside its network a name has other addresses than from outside.
            (false, Some(cloud)) => Answer::provider(cloud.endpoint_look()),
            (false, None) => Answer::pass(),
        };
    }
    let look = match ground.cloud() {
        Some(cloud) => format!(" {} says whether others than yours are let in.", cloud.endpoint_look()),
        None => " Whether a firewall keeps others out is not seen from here.".to_owned(),
    };
    let said = format!("It has an address of the internet: {}.{look}", shown(&public.join(", ")));
    Answer::pass().with([Found::new(Severity::Medium, "address", door.host.clone(), said)])
}

fn public(door: &Door) -> impl Iterator<Item = &str> {
    let all = door.addresses.found.iter();
    all.filter(|one| one.reach == AddressReach::Public).map(|one| one.ip.as_str())
}
