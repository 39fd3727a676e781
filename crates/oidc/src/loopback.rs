use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::timeout,
};

use crate::{
    claims::IdClaims,
    error::Error,
    page,
    peer::is_ours,
    redirect::{Redirect, RedirectHost},
};

/// The longest request head that is read. A code and a state are a few hundred bytes; the cookies that other programs
/// on 127.0.0.1 have set come along, and browsers keep some hundred KiB of them for one host.
const LARGEST_HEAD: usize = 1 << 20;
/// Connections at once that have not said what they want. Browsers open some ahead that say nothing; when there are
/// more, the oldest has to go, so that they can't keep the browser out.
const MOST_SILENT: usize = 32;
/// How long a connection may take to say what it wants, or to take its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Tries to find a port that is free for IPv4 and IPv6.
const TRIES: usize = 8;

/// The loopback redirect of RFC 8252 §7.3: an HTTP listener on this machine for one answer of the browser.
#[derive(Debug)]
pub(crate) struct Loopback {
    listener: TcpListener,
    /// The same port on `::1`, when the redirect address names `localhost`, which may mean either.
    listener6: Option<TcpListener>,
    door: Arc<Door>,
    connections: JoinSet<()>,
    silent: VecDeque<AbortHandle>,
    arrivals: mpsc::Receiver<Arrival>,
    arrived: mpsc::Sender<Arrival>,
}

/// What a request has to name.
#[derive(Debug)]
struct Door {
    /// Host and port, as in the `Host` header.
    host: String,
    path: String,
}

/// A GET of the redirect URI, not answered yet.
#[derive(Debug)]
pub(crate) struct Arrival {
    params: Vec<(String, String)>,
    stream: TcpStream,
}

impl Arrival {
    /// A query parameter that is there once; a repeated one is as good as none.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let mut found = self.params.iter().filter(|(key, _)| key == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

impl Loopback {
    /// Listens on the first free port of those configured, on any free one when none is.
    pub(crate) async fn bind(redirect: &Redirect, path: &str) -> Result<Self, Error> {
        let (listener, listener6) = listen(redirect).await?;
        let failed = |source: io::Error| Error::Loopback { source: Arc::new(source) };
        let port = listener.local_addr().map_err(failed)?.port();
        let (arrived, arrivals) = mpsc::channel(4);
        Ok(Self {
            listener,
            listener6,
            door: Arc::new(Door { host: format!("{}:{port}", redirect.host.name()), path: path.to_owned() }),
            connections: JoinSet::new(),
            silent: VecDeque::new(),
            arrivals,
            arrived,
        })
    }

    pub(crate) fn redirect_uri(&self) -> String {
        format!("http://{}{}", self.door.host, self.door.path)
    }

    /// The next request for the redirect URI. Everything else is answered with an error on the side.
    pub(crate) async fn next(&mut self) -> Result<Arrival, Error> {
        loop {
            let second = async {
                match &self.listener6 {
                    Some(listener) => listener.accept().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                accepted = self.listener.accept() => self.take(accepted).await?,
                accepted = second => self.take(accepted).await?,
                Some(arrival) = self.arrivals.recv() => return Ok(arrival),
                Some(_) = self.connections.join_next() => {}
            }
        }
    }

    /// Reads what a connection of this user wants. One of another user is closed before a byte of it is read, and does
    /// not count.
    async fn take(&mut self, accepted: io::Result<(TcpStream, std::net::SocketAddr)>) -> Result<(), Error> {
        let (stream, from) = accepted.map_err(|source| Error::Loopback { source: Arc::new(source) })?;
        let Ok(to) = stream.local_addr() else { return Ok(()) };
        if !is_ours(from, to).await {
            tracing::warn!("a connection of another user to the sign-in's address was closed");
            return Ok(());
        }
        self.silent.retain(|task| !task.is_finished());
        if self.silent.len() >= MOST_SILENT
            && let Some(oldest) = self.silent.pop_front()
        {
            oldest.abort();
        }
        let task = self.connections.spawn(receive(stream, Arc::clone(&self.door), self.arrived.clone()));
        self.silent.push_back(task);
        Ok(())
    }

    /// Answers a request that is not the one waited for.
    pub(crate) fn ignore(&mut self, arrival: Arrival) {
        self.connections.spawn(write(arrival.stream, 400, page::stranger()));
    }

    /// Tells the person in the browser how it went.
    pub(crate) async fn answer(&self, arrival: Arrival, result: &Result<IdClaims, &Error>) {
        let (status, page) = match result {
            Ok(claims) => (200, page::signed_in(claims.name.as_deref().unwrap_or(&claims.subject))),
            Err(error) => (400, page::failed(&error.to_string())),
        };
        write(arrival.stream, status, page).await;
    }
}

/// A port on 127.0.0.1, and the same on `::1` where the host is `localhost`: whoever had that one would get what the
/// browser brings.
async fn listen(redirect: &Redirect) -> Result<(TcpListener, Option<TcpListener>), Error> {
    let any = vec![0; TRIES];
    let ports = if redirect.ports.is_empty() { &any } else { &redirect.ports };
    let mut last = None;
    for port in ports {
        match pair(redirect.host, *port).await {
            Ok(found) => return Ok(found),
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(source) if redirect.ports.is_empty() => Err(Error::Loopback { source: Arc::new(source) }),
        _ => Err(Error::PortsTaken { ports: redirect.ports.clone() }),
    }
}

async fn pair(host: RedirectHost, port: u16) -> io::Result<(TcpListener, Option<TcpListener>)> {
    let bind = |ip: IpAddr, port: u16| TcpListener::bind((ip, port));
    let first = bind(Ipv4Addr::LOCALHOST.into(), port).await?;
    if host == RedirectHost::Address {
        return Ok((first, None));
    }
    match bind(Ipv6Addr::LOCALHOST.into(), first.local_addr()?.port()).await {
        Ok(second) => Ok((first, Some(second))),
        // Somebody has it, and would be asked in our place.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
        // This system has no IPv6, and so nobody else has it either.
        Err(_) => Ok((first, None)),
    }
}

/// What a head asks for, or the status to refuse with.
type Asked = Result<Vec<(String, String)>, u16>;

async fn receive(mut stream: TcpStream, door: Arc<Door>, arrived: mpsc::Sender<Arrival>) {
    let asked = match timeout(PATIENCE, read_head(&mut stream)).await {
        Ok(Ok(Some(head))) => parse(&head, &door),
        Ok(Ok(None)) => Err(431),
        _ => return,
    };
    match asked {
        // The one who waits may be gone, and with it the sense of answering.
        Ok(params) => drop(arrived.send(Arrival { params, stream }).await),
        Err(431) => write(stream, 431, page::too_many_cookies()).await,
        Err(status) => write(stream, status, page::stranger()).await,
    }
}

/// A request's head; none when it is longer than anything a browser sends.
async fn read_head(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut chunk = [0_u8; 16 * 1024];
    loop {
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // The end may be in two pieces.
        let seen = head.len().saturating_sub(3);
        head.extend_from_slice(&chunk[..read]);
        if head[seen..].windows(4).any(|end| end == b"\r\n\r\n") {
            // Cookies may hold anything; the lines that are read are ASCII.
            return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
        }
        if head.len() > LARGEST_HEAD {
            return Ok(None);
        }
    }
}

/// The query of `GET <path>`, or the status to refuse with. The host must be the literal one of the redirect address: a
/// name that was rebound to 127.0.0.1 is someone else's page. A browser that merely looks ahead is sent away, so that it
/// does not use up the code.
fn parse(head: &str, door: &Door) -> Asked {
    let mut lines = head.split("\r\n");
    let mut request = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
        (request.next(), request.next(), request.next(), request.next())
    else {
        return Err(400);
    };
    let headers: Vec<(&str, &str)> =
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim())).collect();
    let all = |wanted: &'static str| {
        headers.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value)
    };
    let mut hosts = all("host");
    if hosts.next() != Some(door.host.as_str()) || hosts.next().is_some() {
        return Err(400);
    }
    let ahead = |value: &str| value.to_ascii_lowercase().contains("prefetch") || value == "preview";
    if ["sec-purpose", "purpose", "x-purpose", "x-moz"].into_iter().any(|name| all(name).any(ahead)) {
        return Err(503);
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match method {
        _ if path != door.path => Err(404),
        "GET" => Ok(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()),
        _ => Err(405),
    }
}

async fn write(mut stream: TcpStream, status: u16, page: String) {
    let reason = match status {
        200 => "OK",
        404 => "Not Found",
        405 => "Method Not Allowed",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Bad Request",
    };
    let answer = format!(
        "HTTP/1.1 {status} {reason}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\ncontent-security-policy: {}\r\nreferrer-policy: no-referrer\r\n\
         x-content-type-options: nosniff\r\nconnection: close\r\n\r\n{page}",
        page.len(),
        page::policy(),
    );
    let sent = timeout(PATIENCE, async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        if status == 431 {
            // What is still on its way has to be read, or the answer is lost with it.
            let mut rest = [0_u8; 16 * 1024];
            while stream.read(&mut rest).await? > 0 {}
        }
        io::Result::Ok(())
    });
    // A browser that has gone does not read; the sign-in does not depend on it.
    let _ = sent.await;
}

#[cfg(test)]
mod tests;
