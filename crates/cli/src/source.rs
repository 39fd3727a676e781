//! From a source on the command line to a reading.

use crate::args::{Source, Whole};
use crate::end::Stop;
use sallyport_client::{Credential, Endpoint, Timeouts, connect};
use sallyport_kubeconfig::{Entry, Kubeconfig, SignIn};
use sallyport_posture::Kind;
use sallyport_report::words::shown;
use sallyport_scan::{Bounds, DoorBounds, Reading};
use std::path::{Path, PathBuf};

/// How far an API server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    /// Not at all: the kubeconfig alone is read.
    Nothing,
    /// With the context's own rights.
    Rights,
    /// And as whoever does not sign in.
    RightsAndDoor,
    /// And whether a namespace takes a privileged pod, as a try; with whether to look as whoever does not sign in.
    Trying {
        /// Whether the door is looked at too.
        door: bool,
    },
}

/// Reads what the arguments name.
pub(crate) fn read(source: &Source, asking: Asking) -> Result<Reading, Stop> {
    match &source.snapshot {
        Some(path) => files(path, &source.whole),
        None if source.whole.whole.is_empty() => {
            cluster(&source.kubeconfig, source.context.as_deref(), asking)
        }
        None => Err(Stop::new("--whole is about files: an API server says itself how far it was read")),
    }
}

/// Why a reading of nothing is no answer.
pub(crate) fn nothing(reading: &Reading) -> Stop {
    let snapshot = reading.snapshot();
    let gaps = snapshot.gaps(sallyport_posture::Kind::RBAC);
    Stop(format!("{}: nothing could be read: {}", shown(&reading.source), gaps.join("; ")))
}

/// What a source is called: its context, file or folder.
pub(crate) fn name(source: &Source) -> String {
    match (&source.snapshot, &source.context) {
        (Some(path), _) => name_of(path),
        (None, Some(context)) => context.clone(),
        (None, None) => Kubeconfig::load_all(source.kubeconfig.iter().map(PathBuf::as_path))
            .ok()
            .and_then(|config| config.entry(None).ok().map(|entry| entry.context.to_owned()))
            .unwrap_or_default(),
    }
}

/// What a file or folder is called, without its ending.
pub(crate) fn name_of(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = if whole.is_dir() { whole.file_name() } else { whole.file_stem() };
    name.unwrap_or_default().to_string_lossy().into_owned()
}

/// Reads files.
pub(crate) fn files(path: &Path, whole: &Whole) -> Result<Reading, Stop> {
    sallyport_scan::folder(path, &kinds(&whole.whole)?).map_err(Stop::new)
}

fn kinds(names: &[String]) -> Result<sallyport_scan::Whole, Stop> {
    let mut whole = sallyport_scan::Whole::default();
    for name in names {
        match name.as_str() {
            "all" => whole.0.extend(Kind::ALL),
            "rbac" => whole.0.extend(Kind::RBAC),
            name => {
                let known = Kind::ALL.iter().find(|kind| kind.plural() == name || kind.name() == name);
                let all = || Kind::ALL.iter().map(|kind| kind.plural()).collect::<Vec<_>>().join(", ");
                let unknown =
                    || Stop(format!("--whole does not know {}; it knows rbac, all, {}", shown(name), all()));
                whole.0.insert(*known.ok_or_else(unknown)?);
            }
        }
    }
    Ok(whole)
}

pub(crate) fn cluster(files: &[PathBuf], context: Option<&str>, asking: Asking) -> Result<Reading, Stop> {
    let config = Kubeconfig::load_all(files.iter().map(PathBuf::as_path)).map_err(Stop::new)?;
    let entry = config.entry(context).map_err(Stop::new)?;
    if asking == Asking::Nothing {
        let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap_or_default();
        let mut reading = Reading::default();
        reading.source = format!("{} (the kubeconfig alone)", shown(entry.context));
        reading.taken = Some(now.to_string());
        reading.ways_in = Some(sallyport_scan::ways_in(&config, &entry, files));
        return Ok(reading);
    }
    let (endpoint, credential) =
        way(&entry).map_err(|why| Stop(format!("context {}: {why}", shown(entry.context))))?;
    let bounds = Bounds::default();
    let timeouts = Timeouts { connect: std::time::Duration::from_secs(10), answer: bounds.call };
    runtime()?.block_on(async {
        let client = connect(&endpoint, credential, timeouts).map_err(Stop::new)?;
        let mut reading = sallyport_scan::cluster(&client, &bounds).await.map_err(|error| {
            Stop(format!("context {}, {}: {error}", shown(entry.context), shown(endpoint.url().as_str())))
        })?;
        reading.source = format!("{} ({})", shown(endpoint.url().as_str()), shown(entry.context));
        if matches!(asking, Asking::Trying { .. }) {
            reading.tried = Some(sallyport_scan::privileged(&client, &reading, &bounds).await);
        }
        if matches!(asking, Asking::RightsAndDoor | Asking::Trying { door: true }) {
            reading.door = Some(sallyport_scan::door(&endpoint, &DoorBounds::default()).await);
        }
        reading.ways_in = Some(sallyport_scan::ways_in(&config, &entry, files));
        Ok(reading)
    })
}

/// Where to and with what. What kubectl would do beyond it is refused and not passed over: the answers would be another
/// server's, or about somebody else.
pub(crate) fn way(entry: &Entry<'_>) -> Result<(Endpoint, Credential), String> {
    let cluster = entry.cluster;
    if cluster.insecure {
        return Err(
            "it believes any server (insecure-skip-tls-verify), and that is not done here; give the \
                    cluster's CA in certificate-authority-data"
                .to_owned(),
        );
    }
    if let Some(proxy) = &cluster.proxy {
        return Err(format!(
            "it goes through the proxy {}, and that is not done here yet",
            shown(&host(proxy.expose()))
        ));
    }
    if cluster.has_user_info() {
        return Err("its server has a user name or password in its address, and those are sent nowhere; take them out"
            .to_owned());
    }
    if cluster.server.is_empty() {
        return Err(format!("its cluster {} names no server", shown(entry.cluster_name)));
    }
    let user = |why: String| match entry.user_name {
        "" => why,
        name => format!("user {}: {why}", shown(name)),
    };
    // Refused before any file is read.
    let sign_in = match entry.user {
        Some(known) => known.sign_in().map_err(|refused| user(refused.to_string()))?,
        None => SignIn::Anonymous,
    };
    let authority = cluster.authority.as_ref().map(|kept| kept.read()).transpose()?;
    let endpoint = Endpoint::parse(
        &cluster.server,
        authority.as_ref().map(|pem| pem.expose().as_str()),
        cluster.tls_server_name.as_deref(),
    )
    .map_err(|error| error.to_string())?;
    let credential = match sign_in {
        SignIn::Anonymous => Credential::None,
        SignIn::Certificate { chain, key } => Credential::Certificate {
            chain: chain.read().map_err(user)?.expose().clone(),
            key: key.read().map_err(user)?,
        },
        SignIn::Token(token) => Credential::Token(token.clone()),
        SignIn::TokenFile(path) => Credential::file(path),
    };
    Ok((endpoint, credential))
}

/// A proxy's address without user name and password.
fn host(proxy: &str) -> String {
    proxy.rsplit('@').next().unwrap_or_default().to_owned()
}

/// What asks an API server runs in.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Stop(format!("the program could not start its runtime: {error}")))
}
