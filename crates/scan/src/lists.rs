//! One kind, page by page, to its end or to where it was cut.

use crate::answer::{Got, JSON, Left, ask};
use crate::bounds::Bounds;
use crate::names;
use crate::page::page;
use crate::reduce::is_metadata_alone;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sallyport_client::Fault;
use sallyport_posture::{Coverage, Kind};
use serde::Deserialize;
use serde_json::Value;

/// The right that would be missing for Secrets, if there were one.
const NO_RIGHT: &str =
    "list secrets without their values (Kubernetes has no such right, and nothing here asks for values)";

/// A list of metadata alone, which API servers have sent since 1.15: a definition of a kind has a hundred times as much.
/// What does not know how sends the objects, and they are taken too.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json";

/// What was read of a kind, reduced.
pub(crate) type Read = (Vec<Value>, Coverage);

/// Reads a kind as far as the API server lets it. ConfigMaps are read by name: [`crate::configs`].
pub(crate) async fn read(client: &kube::Client, kind: Kind, bounds: &Bounds, left: &Left) -> Read {
    match kind {
        // No verb on Secrets, ever: a right to list them is a right to their values.
        Kind::Secret => (Vec::new(), Coverage::Forbidden(NO_RIGHT.to_owned())),
        kind => {
            let read = list(client, kind, &names::api_version(kind), bounds, left).await;
            match (&read.1, names::earlier(kind)) {
                (Coverage::NotServed, Some(earlier)) => list(client, kind, &earlier, bounds, left).await,
                _ => read,
            }
        }
    }
}

async fn list(client: &kube::Client, kind: Kind, version: &str, bounds: &Bounds, left: &Left) -> Read {
    let mut all = Vec::new();
    let mut token = String::new();
    let accept = if is_metadata_alone(kind) { METADATA } else { JSON };
    loop {
        let mut path = format!("{}/{}?limit={}", names::base(version), kind.plural(), bounds.page);
        if !token.is_empty() {
            path.push_str("&continue=");
            path.extend(utf8_percent_encode(&token, NON_ALPHANUMERIC));
        }
        let cut = |why: &str| Coverage::Cut(why.to_owned());
        let body = match ask(client, &path, accept, None, bounds.page_bytes, left).await {
            Got::Body(body) => body,
            Got::Status(403) => return (all, Coverage::Forbidden(names::right(kind))),
            Got::Status(404) if all.is_empty() => return (all, absent(client, kind, version, left).await),
            Got::Status(410) => return (all, cut("its list expired before its end; scan again")),
            Got::Status(401) => {
                return (all, cut("the API server did not accept the sign-in any more (401)"));
            }
            Got::Status(429 | 503 | 504) => return (all, cut("the API server was busy; scan again later")),
            Got::Status(other) => return (all, Coverage::Cut(format!("the API server answered {other}"))),
            Got::Not(Fault::TimedOut) => return (all, cut("the API server did not answer in time")),
            Got::Not(fault) => return (all, Coverage::Cut(fault.to_string())),
            Got::TooLarge => return (all, cut("it is larger than what a scan takes in")),
            Got::Over => return (all, cut("the time for the scan was over")),
        };
        let Some(page) = page(kind, &body, &left.kept) else {
            return (all, cut("what answered sent no list"));
        };
        // Page by page, so that no kind is ever held whole as it was sent.
        drop(body);
        all.extend(page.items);
        if page.is_cut {
            return (all, cut("there is more of it than a scan keeps"));
        }
        match page.next {
            None => return (all, Coverage::Read),
            Some(next) if next == token => return (all, cut("its list did not get on")),
            Some(next) => token = next,
        }
    }
}

/// Whether a 404 means that the API server has no such kind. Only its own word for it counts: anything on the way may
/// answer 404.
async fn absent(client: &kube::Client, kind: Kind, version: &str, left: &Left) -> Coverage {
    #[derive(Deserialize)]
    struct Resources {
        resources: Vec<Resource>,
    }
    #[derive(Deserialize)]
    struct Resource {
        name: String,
    }
    #[derive(Deserialize)]
    struct Groups {
        groups: Vec<Group>,
    }
    #[derive(Deserialize)]
    struct Group {
        name: String,
        versions: Vec<Version>,
    }
    #[derive(Deserialize)]
    struct Version {
        #[serde(rename = "groupVersion")]
        group_version: String,
    }
    const MOST: u64 = 4 << 20;
    let unknown = || Coverage::Cut("the API server answered 404 and does not say what it serves".to_owned());
    match ask(client, &names::base(version), JSON, None, MOST, left).await {
        Got::Body(body) => match serde_json::from_slice::<Resources>(&body) {
            Ok(all) if all.resources.iter().any(|one| one.name == kind.plural()) => {
                Coverage::Cut("the API server answered 404 for what it says it serves".to_owned())
            }
            Ok(_) => Coverage::NotServed,
            Err(_) => unknown(),
        },
        Got::Status(404) if !kind.group().is_empty() => {
            let Got::Body(body) = ask(client, "/apis", JSON, None, MOST, left).await else {
                return unknown();
            };
            let Ok(all) = serde_json::from_slice::<Groups>(&body) else { return unknown() };
            let group = all.groups.iter().find(|group| group.name == kind.group());
            match group.map(|group| group.versions.iter().any(|one| one.group_version == version)) {
                None => Coverage::NotServed,
                Some(true) => unknown(),
                // The stable one was asked for before.
                Some(false) if version != names::api_version(kind) => Coverage::NotServed,
                // Another version of it: there may be objects.
                Some(false) => Coverage::Cut(format!("the API server does not serve {version} yet")),
            }
        }
        _ => unknown(),
    }
}
