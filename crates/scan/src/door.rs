//! What anybody sees of an API server before signing in. No credential is sent, no redirect followed, nothing repeated;
//! everything has a deadline and a bound in bytes.

mod hello;
mod tls;

use crate::error::shown;
use futures::{FutureExt as _, StreamExt as _};
use sallyport_client::{Endpoint, Fault, probe_get};
use sallyport_posture::Coverage;
use sallyport_posture::snapshot::{Address, AddressReach, AnonymousGet, Door, Part, Tls, TlsTaken};
use serde::Deserialize;
use std::net::SocketAddr;
use std::time::Duration;
use tls::Seen;
use tokio::net::TcpStream;

/// How long it may take.
#[derive(Clone, Copy, Debug)]
pub struct DoorBounds {
    /// For each connection or question, from its beginning to its end.
    pub each: Duration,
    /// For all of it; what was not asked by then is unknown.
    pub whole: Duration,
}

impl Default for DoorBounds {
    /// 5 s for each of about twenty connections, and 30 s for all.
    fn default() -> Self {
        Self { each: Duration::from_secs(5), whole: Duration::from_secs(30) }
    }
}

/// What is asked without a credential. Each is a GET without a body, and none changes anything.
const PATHS: [&str; 12] = [
    "/version",
    "/livez",
    "/readyz",
    "/healthz",
    "/metrics",
    "/api",
    "/apis",
    "/openapi/v2",
    "/api/v1/namespaces",
    "/api/v1/namespaces/kube-public/configmaps/cluster-info",
    "/.well-known/openid-configuration",
    "/openid/v1/jwks",
];
/// Questions beside each other: an API server is not to notice.
const AT_ONCE: usize = 3;
/// Addresses of a host that are told.
const ADDRESSES: usize = 16;

/// Looks at an endpoint as somebody who has no credential. It always comes back; what was not seen says so. Only for an
/// endpoint that the person has named: these connections go to it directly.
pub async fn door(endpoint: &Endpoint, bounds: &DoorBounds) -> Door {
    let url = endpoint.url();
    let mut door = Door {
        host: shown(url.host_str().unwrap_or_default()),
        port: url.port_or_known_default().unwrap_or(443),
        ..Door::default()
    };
    // What was seen before the time is over stays.
    let _ = tokio::time::timeout(bounds.whole, look(endpoint, bounds, &mut door)).await;
    let late = || Coverage::Cut("the time for it was over".to_owned());
    for version in [Tls::V1_0, Tls::V1_1, Tls::V1_2, Tls::V1_3] {
        door.tls.entry(version).or_insert_with(|| TlsTaken::Unknown("the time for it was over".to_owned()));
    }
    if door.chain.coverage == Coverage::NotAsked {
        door.chain.coverage = late();
        door.untrusted.coverage = late();
        door.client_authorities.coverage = late();
    }
    if door.addresses.coverage == Coverage::NotAsked {
        door.addresses.coverage = late();
    }
    for path in PATHS {
        if !door.anonymous.iter().any(|one| one.path == path) {
            door.anonymous.push(unanswered(path, "the time for it was over".to_owned()));
        }
    }
    door.anonymous.sort_by_key(|one| PATHS.iter().position(|path| *path == one.path));
    door
}

async fn look(endpoint: &Endpoint, bounds: &DoorBounds, door: &mut Door) {
    let found = match resolve(endpoint, door.port, bounds.each).await {
        Ok(found) => found,
        Err(why) => {
            door.addresses.coverage = Coverage::Cut(why.clone());
            nobody(door, &why);
            return;
        }
    };
    let address = |one: &SocketAddr| Address { ip: one.ip().to_string(), reach: AddressReach::of(one.ip()) };
    let mut addresses: Vec<Address> = found.iter().take(ADDRESSES).map(address).collect();
    addresses.dedup();
    door.addresses = Part::read(addresses);
    if found.len() > ADDRESSES {
        door.addresses.coverage = Coverage::Cut(format!("its host has {} addresses", found.len()));
    }
    // The first that takes a connection is asked for all the rest.
    let mut reached = Err("no address".to_owned());
    for one in found.iter().take(4) {
        reached = match connect(*one, bounds.each).await {
            Ok(_) => Ok(*one),
            Err(why) => Err(why),
        };
        if reached.is_ok() {
            break;
        }
    }
    let to = match reached {
        Ok(to) => to,
        Err(why) => {
            nobody(door, &why);
            return;
        }
    };
    protocols(endpoint, to, bounds, door).await;
    let asked: Vec<_> = PATHS.iter().map(|path| anonymous(endpoint, path, bounds.each).boxed()).collect();
    let mut asked = futures::stream::iter(asked).buffer_unordered(AT_ONCE);
    while let Some(one) = asked.next().await {
        door.anonymous.push(one);
    }
}

/// Nothing can be asked, and why.
fn nobody(door: &mut Door, why: &str) {
    for version in [Tls::V1_0, Tls::V1_1, Tls::V1_2, Tls::V1_3] {
        door.tls.insert(version, TlsTaken::Unknown(why.to_owned()));
    }
    door.weak_suites = TlsTaken::Unknown(why.to_owned());
    let cut = || Coverage::Cut(why.to_owned());
    door.chain.coverage = cut();
    door.untrusted.coverage = cut();
    door.client_authorities.coverage = cut();
    door.anonymous = PATHS.iter().map(|path| unanswered(path, why.to_owned())).collect();
}

async fn resolve(endpoint: &Endpoint, port: u16, within: Duration) -> Result<Vec<SocketAddr>, String> {
    let host = endpoint.url().host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match tokio::time::timeout(within, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(found)) => Ok(found.collect()),
        Ok(Err(error)) => Err(format!("its name is not known: {}", shown(&error.to_string()))),
        Err(_) => Err("its name was not found in time".to_owned()),
    }
}

async fn connect(to: SocketAddr, within: Duration) -> Result<TcpStream, String> {
    match tokio::time::timeout(within, TcpStream::connect(to)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(format!("no connection: {}", shown(&error.to_string()))),
        Err(_) => Err("no connection in time".to_owned()),
    }
}

async fn protocols(endpoint: &Endpoint, to: SocketAddr, bounds: &DoorBounds, door: &mut Door) {
    // The newer one tells of the certificate; without it the older does.
    for version in [Tls::V1_3, Tls::V1_2] {
        let Seen { taken, chain, asks } = tls::shake(endpoint, to, version, bounds.each).await;
        if taken == TlsTaken::Yes && door.chain.coverage != Coverage::Read {
            door.untrusted = Part::read(tls::distrust(endpoint, &chain));
            door.chain = tls::told(&chain);
            door.client_authorities = Part::read(asks);
        }
        door.tls.insert(version, taken);
    }
    if door.chain.coverage == Coverage::NotAsked {
        let none = || Coverage::Cut("no TLS session came about".to_owned());
        door.chain.coverage = none();
        door.untrusted.coverage = none();
        door.client_authorities.coverage = none();
    }
    for version in [Tls::V1_1, Tls::V1_0] {
        let taken = hello::ask(endpoint, to, hello::Offer::Version(version), bounds.each).await;
        door.tls.insert(version, taken);
    }
    door.weak_suites = hello::ask(endpoint, to, hello::Offer::WeakSuites, bounds.each).await;
}

fn unanswered(path: &str, why: String) -> AnonymousGet {
    AnonymousGet { path: path.to_owned(), status: None, user: None, kubernetes: false, why: Some(why) }
}

/// What an API server answers where it refuses.
#[derive(Deserialize)]
struct Status {
    kind: String,
    #[serde(default)]
    message: String,
}

async fn anonymous(endpoint: &Endpoint, path: &'static str, within: Duration) -> AnonymousGet {
    let mut asked = probe_get(endpoint, None, path, within).await;
    if matches!(asked, Err(Fault::Unreachable(_))) {
        // An API server closes the connection behind its 401 (`UnauthenticatedHTTP2DOSMitigation`), and on a busy machine
        // the answer is lost with it: once more, on another one.
        asked = probe_get(endpoint, None, path, within).await;
    }
    let answer = match asked {
        Ok(answer) => answer,
        Err(Fault::TimedOut) => return unanswered(path, "no answer in time".to_owned()),
        Err(fault) => return unanswered(path, shown(&fault.to_string())),
    };
    let said = serde_json::from_slice::<Status>(&answer.body).ok().filter(|status| status.kind == "Status");
    let user = said.as_ref().and_then(|status| named(&status.message));
    AnonymousGet {
        path: path.to_owned(),
        status: Some(answer.status),
        user,
        kubernetes: said.is_some(),
        why: None,
    }
}

/// Whom a refusal names: `pods is forbidden: User "system:anonymous" cannot list …`.
fn named(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("User \"")?;
    rest.split_once('"').map(|(user, _)| shown(user))
}
