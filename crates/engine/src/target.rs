use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use url::{Host, Url};

/// How a store is talked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// VictoriaLogs' own API.
    VictoriaLogs,
    /// Loki's.
    Loki,
    /// OTLP over HTTP, in protobuf: a collector, or a store that takes it.
    Otlp,
}

impl Kind {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::VictoriaLogs => "victorialogs",
            Self::Loki => "loki",
            Self::Otlp => "otlp",
        }
    }
}

/// Where a store is and what it speaks: `victorialogs:https://logs.example:9428`. The address is the one that its API's
/// paths begin at (`/select/…`, `/loki/api/…`, `/v1/logs`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    kind: Kind,
    base: Url,
}

/// Why a text names no store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It does not begin with what the store speaks.
    #[error(
        "a log store is named like victorialogs:https://logs.example:9428, loki:https://… or otlp:https://…"
    )]
    Kind,
    /// What follows is no address.
    #[error("its address is none: {0}")]
    Url(String),
    /// It would be sent over the network for everybody to read.
    #[error(
        "its address has to be https://…; http:// is for this machine alone (127.0.0.1, [::1], localhost)"
    )]
    Plain,
    /// A password in an address is read by whoever lists processes, and is written into logs.
    #[error("its address must not hold a user or a password: put the credential into a file")]
    Credential,
    /// A query or a fragment would be mixed up with ours.
    #[error("its address must not have a query (?…) or a fragment (#…)")]
    Query,
}

impl Target {
    /// What it speaks.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its host and port, for messages.
    pub fn host(&self) -> String {
        let name = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
    }

    /// The address of a path of its API.
    pub(crate) fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (kind, address) = text.split_once(':').ok_or(TargetError::Kind)?;
        let kind = [Kind::VictoriaLogs, Kind::Loki, Kind::Otlp]
            .into_iter()
            .find(|known| known.name() == kind)
            .ok_or(TargetError::Kind)?;
        let base = Url::parse(address).map_err(|error| TargetError::Url(error.to_string()))?;
        match base.scheme() {
            "https" => {}
            "http" if is_this_machine(&base) => {}
            _ => return Err(TargetError::Plain),
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(TargetError::Credential);
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(TargetError::Query);
        }
        Ok(Self { kind, base })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.name(), self.base)
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_named_by_what_it_speaks_and_where_it_is() {
        let target: Target = "victorialogs:https://logs.example:9428/insert".parse().unwrap();
        assert_eq!(target.kind(), Kind::VictoriaLogs);
        assert_eq!(target.host(), "logs.example:9428");
        assert_eq!(target.at("/select/x").as_str(), "https://logs.example:9428/insert/select/x");
        assert_eq!(target.to_string(), "victorialogs:https://logs.example:9428/insert");
        let plain: Target = "otlp:http://[::1]:4318".parse().unwrap();
        assert_eq!(plain.at("/v1/logs").as_str(), "http://[::1]:4318/v1/logs");
    }

    #[test]
    fn p1_what_would_give_a_credential_or_an_event_away_is_refused() {
        let refused = [
            ("https://logs.example", TargetError::Kind),
            ("splunk:https://logs.example", TargetError::Kind),
            ("loki", TargetError::Kind),
            ("loki:http://logs.example", TargetError::Plain),
            ("loki:http://127.0.0.1.evil.example", TargetError::Plain),
            ("loki:file:///etc/passwd", TargetError::Plain),
            ("loki:https://anna:secret@logs.example", TargetError::Credential),
            ("loki:https://logs.example/?tenant=x", TargetError::Query),
            ("loki:https://logs.example/#x", TargetError::Query),
        ];
        for (text, why) in refused {
            assert_eq!(text.parse::<Target>(), Err(why.clone()), "{text}");
            assert!(!why.to_string().contains("secret"));
        }
        assert!(matches!("loki:nowhere".parse::<Target>(), Err(TargetError::Url(_))));
    }
}
