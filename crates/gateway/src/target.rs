//! What a request to a Kubernetes API is about, read from its method and URL alone, as the API server reads it.

use http::Method;
use percent_encoding::percent_decode_str;
use std::fmt;

/// What a request is about. The rules are those of the API server's `RequestInfoFactory` (k8s.io/apiserver
/// pkg/endpoints/request), so that a call of ours and the API server's audit event name the same things.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Target {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, `proxy`; for a
    /// non-resource URL the method in lower case.
    pub verb: String,
    /// The API group; empty for the core group and for non-resource URLs.
    pub group: String,
    /// The API version; empty for non-resource URLs.
    pub version: String,
    /// The resource in the plural; empty for non-resource URLs.
    pub resource: String,
    /// The subresource, such as `exec` or `log`; mostly empty.
    pub subresource: String,
    /// The namespace; empty for what has none. For a namespace itself it is that namespace.
    pub namespace: String,
    /// The object's name; empty for collections.
    pub name: String,
}

/// A call that stays open and is told of at its start and at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamKind {
    /// A watch.
    Watch,
    /// `logs`, followed or not: API servers tell when either begins, and whoever reads them slowly keeps both open.
    Logs,
    /// A command in a container.
    Exec,
    /// The input and output of a container's first process.
    Attach,
    /// Ports of a pod.
    PortForward,
    /// An HTTP request to a pod, service or node through the API server.
    Proxy,
    /// Any other call that has gone on for some seconds: its client takes the answer slowly, or there is none yet. It is
    /// told of once more when that is seen, and with its end as every call is.
    Slow,
}

impl fmt::Display for StreamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Watch => "watch",
            Self::Logs => "logs",
            Self::Exec => "exec",
            Self::Attach => "attach",
            Self::PortForward => "port-forward",
            Self::Proxy => "proxy",
            Self::Slow => "slow call",
        })
    }
}

impl Target {
    /// Reads a path that begins where the API server's own would (`/api/v1/…`), still percent-encoded.
    pub fn of(method: &Method, path: &str, query: Option<&str>) -> Self {
        let parts: Vec<String> = path
            .trim_matches('/')
            .split('/')
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect();
        Self::of_resource(method, &parts, query)
            .unwrap_or_else(|| Self { verb: method.as_str().to_ascii_lowercase(), ..Self::default() })
    }

    /// `None` for a non-resource URL.
    fn of_resource(method: &Method, parts: &[String], query: Option<&str>) -> Option<Self> {
        if parts.len() < 3 {
            return None;
        }
        let (group, version, mut rest) = match parts[0].as_str() {
            "api" => ("", parts[1].as_str(), &parts[2..]),
            "apis" if parts.len() >= 4 => (parts[1].as_str(), parts[2].as_str(), &parts[3..]),
            _ => return None,
        };
        let mut verb = match *method {
            Method::POST => "create",
            Method::GET | Method::HEAD => "get",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE => "delete",
            _ => "",
        };
        // The old form /api/v1/{proxy,watch}/…; with nothing behind it the API server calls it malformed.
        if matches!(rest[0].as_str(), "proxy" | "watch") {
            verb = if rest[0] == "proxy" { "proxy" } else { "watch" };
            rest = &rest[1..];
            if rest.is_empty() {
                return None;
            }
        }
        let mut namespace = "";
        if rest[0] == "namespaces" && rest.len() > 1 {
            namespace = &rest[1];
            if rest.len() > 2 && !matches!(rest[2].as_str(), "status" | "finalize") {
                rest = &rest[2..];
            }
        }
        let part = |n: usize| rest.get(n).cloned().unwrap_or_default();
        let mut target = Self {
            verb: verb.to_owned(),
            group: group.to_owned(),
            version: version.to_owned(),
            resource: part(0),
            name: part(1),
            subresource: if verb == "proxy" { String::new() } else { part(2) },
            namespace: namespace.to_owned(),
        };
        target.refine_by_query(query.unwrap_or_default());
        Some(target)
    }

    /// Without a name, a get is a list or a watch and a delete one of the whole collection.
    fn refine_by_query(&mut self, query: &str) {
        if !self.name.is_empty() {
            return;
        }
        match self.verb.as_str() {
            "get" => {
                self.verb = if is_set(query, "watch") { "watch" } else { "list" }.to_owned();
                self.name = exact_name(query).unwrap_or_default();
            }
            "delete" => self.verb = "deletecollection".to_owned(),
            _ => {}
        }
    }

    /// Whether such a request stays open, and as what. The API server's list of long-running requests is the same:
    /// watch, proxy, and the subresources exec, attach, portforward, proxy and log.
    pub fn stream(&self) -> Option<StreamKind> {
        match (self.verb.as_str(), self.resource.as_str(), self.subresource.as_str()) {
            ("watch", ..) => Some(StreamKind::Watch),
            ("proxy", ..) | (.., "proxy") => Some(StreamKind::Proxy),
            (_, "pods", "exec") => Some(StreamKind::Exec),
            (_, "pods", "attach") => Some(StreamKind::Attach),
            (_, "pods", "portforward") => Some(StreamKind::PortForward),
            (_, "pods", "log") => Some(StreamKind::Logs),
            _ => None,
        }
    }
}

/// A boolean of a query as the API server converts it: present and neither `0` nor `false` means yes.
fn is_set(query: &str, key: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == key)
        .is_some_and(|(_, value)| value != "0" && !value.eq_ignore_ascii_case("false"))
}

/// The name that `fieldSelector=metadata.name=…` pins a list or watch to.
fn exact_name(query: &str) -> Option<String> {
    let (_, selector) =
        url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "fieldSelector")?;
    selector.split(',').find_map(|term| {
        let value = term.trim().strip_prefix("metadata.name=")?;
        let name = value.strip_prefix('=').unwrap_or(value);
        let fits = !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '%']);
        fits.then(|| name.to_owned())
    })
}

/// What is behind `/c/<cluster>`, with which every path began when all clusters shared one port. No API server has a
/// path of its own there.
pub(crate) fn old_prefix(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/c/")?;
    let end = rest.find('/').unwrap_or(rest.len());
    Some(&rest[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, url: &str) -> String {
        let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
        let t = Target::of(&method.parse().unwrap(), path, query);
        let stream = t.stream().map_or(String::new(), |kind| format!(" [{kind}]"));
        let Target { verb, group, version, resource, subresource, namespace, name } = t;
        format!("{verb} {group}/{version} {resource}/{subresource} {namespace}/{name}{stream}")
    }

    #[test]
    fn p17_a_url_is_read_as_the_api_server_reads_it() {
        for (method, url, want) in [
            ("GET", "/api/v1/namespaces/pay/pods", "list /v1 pods/ pay/"),
            ("GET", "/api/v1/namespaces/pay/pods/web-0", "get /v1 pods/ pay/web-0"),
            ("HEAD", "/api/v1/namespaces/pay/pods/web-0", "get /v1 pods/ pay/web-0"),
            ("GET", "/api/v1/namespaces", "list /v1 namespaces/ /"),
            ("GET", "/api/v1/namespaces/pay", "get /v1 namespaces/ pay/pay"),
            ("PUT", "/api/v1/namespaces/pay/finalize", "update /v1 namespaces/finalize pay/pay"),
            ("GET", "/api/v1/namespaces/pay/status", "get /v1 namespaces/status pay/pay"),
            ("GET", "/api/v1/pods?watch=1", "watch /v1 pods/ / [watch]"),
            ("GET", "/api/v1/pods?watch=true&watch=false", "watch /v1 pods/ / [watch]"),
            ("GET", "/api/v1/pods?watch", "watch /v1 pods/ / [watch]"),
            ("GET", "/api/v1/pods?watch=false", "list /v1 pods/ /"),
            ("GET", "/api/v1/pods?watch=0", "list /v1 pods/ /"),
            ("GET", "/api/v1/watch/namespaces/pay/pods", "watch /v1 pods/ pay/ [watch]"),
            (
                "GET",
                "/api/v1/namespaces/pay/pods?fieldSelector=metadata.name%3Dweb&watch=true",
                "watch /v1 pods/ pay/web [watch]",
            ),
            ("GET", "/api/v1/pods?fieldSelector=metadata.name=a/b", "list /v1 pods/ /"),
            ("DELETE", "/api/v1/namespaces/pay/pods", "deletecollection /v1 pods/ pay/"),
            ("DELETE", "/api/v1/namespaces/pay/pods/web-0", "delete /v1 pods/ pay/web-0"),
            (
                "PATCH",
                "/apis/apps/v1/namespaces/pay/deployments/w/scale",
                "patch apps/v1 deployments/scale pay/w",
            ),
            (
                "POST",
                "/api/v1/namespaces/pay/pods/web-0/exec?command=sh",
                "create /v1 pods/exec pay/web-0 [exec]",
            ),
            (
                "GET",
                "/api/v1/namespaces/pay/pods/web-0/exec?command=sh",
                "get /v1 pods/exec pay/web-0 [exec]",
            ),
            (
                "GET",
                "/api/v1/namespaces/pay/pods/web-0/portforward",
                "get /v1 pods/portforward pay/web-0 [port-forward]",
            ),
            ("GET", "/api/v1/namespaces/pay/pods/web-0/log?follow=true", "get /v1 pods/log pay/web-0 [logs]"),
            ("GET", "/api/v1/namespaces/pay/pods/web-0/log", "get /v1 pods/log pay/web-0 [logs]"),
            (
                "GET",
                "/api/v1/namespaces/pay/services/web/proxy/a/b",
                "get /v1 services/proxy pay/web [proxy]",
            ),
            ("GET", "/api/v1/nodes/n1/proxy/stats", "get /v1 nodes/proxy /n1 [proxy]"),
            ("GET", "/apis/apps/v1", "get / / /"),
            ("GET", "/api/v1", "get / / /"),
            ("GET", "/version", "get / / /"),
            ("POST", "/healthz", "post / / /"),
            ("GET", "/api/v1/watch", "get / / /"),
            ("GET", "/", "get / / /"),
            ("GET", "", "get / / /"),
            (
                "GET",
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
                "get rbac.authorization.k8s.io/v1 clusterroles/ /system:node",
            ),
        ] {
            assert_eq!(read(method, url), want, "{method} {url}");
        }
    }

    #[test]
    fn noise_reads_as_something_and_never_panics() {
        for url in [
            "/api//",
            "/apis///",
            "////",
            "/api/%ff/%00/x",
            "/apis/a/b/namespaces",
            "/api/v1/namespaces//pods",
        ] {
            let _ = read("GET", url);
        }
    }
}
