//! What of a snapshot may be the same in other clusters.

use super::{Provider, Traits};
use crate::ground::{Ground, Origin};
use crate::snapshot::{Certificate, Kind, Snapshot, Told, WaysIn};
use sallyport_model::{Digest, Scope};
use sallyport_rbac::effective;
use sallyport_rbac::who::RoleRef;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The most roles that are compared; of a cluster with more, the first by name.
const ROLES_MOST: usize = 2000;

impl Traits {
    /// As far as they were read. What opens which other cluster, and where in the team's life it is, whoever calls knows.
    pub fn of(ground: &Ground<'_>) -> Self {
        let snapshot = ground.snapshot;
        let keys =
            |list: &[Certificate]| list.iter().map(|one| one.key_fingerprint.clone()).collect::<Vec<_>>();
        let authentication = snapshot.told.authentication.whole();
        let chain = snapshot.door.as_ref().and_then(|door| door.chain.whole());
        Self {
            tier: None,
            version: snapshot.server,
            // A CA that was renewed with its key believes what it believed before.
            client_ca: authentication
                .filter(|known| known.as_ref().is_none_or(|known| known.unread.is_empty()))
                .map(|known| known.as_ref().map(|known| keys(&known.clients)).unwrap_or_default()),
            signing_keys: snapshot.told.keys.whole().cloned(),
            account_issuer: snapshot.told.flag("service-account-issuer").and_then(first_of_list),
            // Its own certificate; the others are its CA's.
            serving: chain.map(|chain| keys(chain.get(..1).unwrap_or_default())),
            providers: providers(&snapshot.told),
            credentials: snapshot.ways_in.as_ref().and_then(credentials),
            holds: None,
            roles: roles(ground, snapshot),
        }
    }
}

/// The first of several: what tokens are issued as.
fn first_of_list(value: &str) -> Option<String> {
    let inner = value.trim().trim_start_matches('[').trim_end_matches(']');
    inner.split([',', ' ']).map(str::trim).find(|one| !one.is_empty()).map(str::to_owned)
}

/// As flags say it; where a file says it, nobody sees that from here.
fn providers(told: &Told) -> Option<Vec<Provider>> {
    told.flags.whole()?;
    if told.flag("authentication-config").is_some_and(|file| !file.is_empty()) {
        return None;
    }
    let flag = |name: &str| told.flag(name).unwrap_or_default().to_owned();
    let issuer = flag("oidc-issuer-url");
    if issuer.is_empty() {
        return Some(Vec::new());
    }
    Some(vec![Provider { issuer, audience: flag("oidc-client-id"), prefix: flag("oidc-groups-prefix") }])
}

/// Client certificates by their keys. What a token is like in other files is not kept, so with one it is not known.
fn credentials(own: &WaysIn) -> Option<Vec<String>> {
    if own.ways.iter().any(|way| way.token.is_some() || way.exec.is_some() || way.basic) {
        return None;
    }
    own.ways
        .iter()
        .filter_map(|way| way.certificate.as_ref())
        .map(|part| part.whole().map(|certificate| certificate.key_fingerprint.clone()))
        .collect()
}

/// ClusterRoles that the team bound to somebody, with a digest of their rules.
fn roles(ground: &Ground<'_>, snapshot: &Snapshot) -> Option<BTreeMap<String, String>> {
    if !snapshot.gaps(Kind::RBAC).is_empty() {
        return None;
    }
    let mut all = BTreeMap::new();
    for (at, (binding, place)) in ground.rights.rbac.bindings().iter().enumerate() {
        let RoleRef::ClusterRole(name) = &binding.role else { continue };
        if ground.origin(at) != Origin::Own || all.contains_key(name) || name.starts_with("system:") {
            continue;
        }
        let Some(role) = ground.rights.role(*place) else { continue };
        // However they are written down, and whichever role they say they stand in.
        let known = "role".parse().ok();
        let rules = role
            .rules
            .iter()
            .filter_map(|rule| Some(sallyport_rbac::Rule { role: known.clone()?, ..rule.clone() }));
        let rules = effective(rules, &Scope::ClusterWide);
        let mut digest = String::new();
        for byte in Digest::of(format!("{rules:?}").as_bytes()).bytes().iter().take(8) {
            let _ = write!(digest, "{byte:02x}");
        }
        all.insert(name.clone(), digest);
    }
    while all.len() > ROLES_MOST {
        all.pop_last();
    }
    Some(all)
}
