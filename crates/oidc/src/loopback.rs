use std::{io, net::Ipv4Addr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};

use crate::{claims::IdClaims, error::Error, page};

/// The longest request head that is read; a code and a state are a few hundred bytes.
const LARGEST_HEAD: usize = 16 * 1024;
/// Connections at once. Browsers open some ahead that say nothing.
const MOST_CONNECTIONS: usize = 32;
/// How long a connection may take to say what it wants, or to take its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The loopback redirect of RFC 8252 §7.3: an HTTP listener on 127.0.0.1 for one answer of the browser.
#[derive(Debug)]
pub(crate) struct Loopback {
    listener: TcpListener,
    redirect_uri: String,
    connections: JoinSet<()>,
    arrivals: mpsc::Receiver<Arrival>,
    arrived: mpsc::Sender<Arrival>,
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
    pub(crate) async fn bind() -> Result<Self, Error> {
        let failed = |source: io::Error| Error::Loopback { source: Arc::new(source) };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let (arrived, arrivals) = mpsc::channel(4);
        Ok(Self {
            listener,
            redirect_uri: format!("http://127.0.0.1:{port}/callback"),
            connections: JoinSet::new(),
            arrivals,
            arrived,
        })
    }

    pub(crate) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The next request for the redirect URI. Everything else is answered with an error on the side.
    pub(crate) async fn next(&mut self) -> Result<Arrival, Error> {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    let (stream, _) = accepted.map_err(|source| Error::Loopback { source: Arc::new(source) })?;
                    if self.connections.len() < MOST_CONNECTIONS {
                        let host = self.redirect_uri.trim_start_matches("http://").trim_end_matches("/callback");
                        self.connections.spawn(receive(stream, host.to_owned(), self.arrived.clone()));
                    }
                }
                Some(arrival) = self.arrivals.recv() => return Ok(arrival),
                Some(_) = self.connections.join_next() => {}
            }
        }
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

async fn receive(mut stream: TcpStream, host: String, arrived: mpsc::Sender<Arrival>) {
    let Ok(Ok(head)) = timeout(PATIENCE, read_head(&mut stream)).await else { return };
    match parse(&head, &host) {
        // The one who waits may be gone, and with it the sense of answering.
        Ok(params) => drop(arrived.send(Arrival { params, stream }).await),
        Err(status) => write(stream, status, page::stranger()).await,
    }
}

async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut chunk = [0_u8; 2048];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut chunk).await?;
        if read == 0 || head.len() + read > LARGEST_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.extend_from_slice(&chunk[..read]);
    }
    String::from_utf8(head).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// The query of `GET /callback`, or the status to refuse with. The host must be the literal address: a name that
/// was rebound to 127.0.0.1 is someone else's page.
fn parse(head: &str, host: &str) -> Result<Vec<(String, String)>, u16> {
    let mut lines = head.split("\r\n");
    let mut request = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
        (request.next(), request.next(), request.next(), request.next())
    else {
        return Err(400);
    };
    let mut hosts = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then_some(value.trim())
    });
    if hosts.next() != Some(host) || hosts.next().is_some() {
        return Err(400);
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match (method, path) {
        ("GET", "/callback") => Ok(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()),
        (_, "/callback") => Err(405),
        _ => Err(404),
    }
}

async fn write(mut stream: TcpStream, status: u16, page: String) {
    let reason = match status {
        200 => "OK",
        404 => "Not Found",
        405 => "Method Not Allowed",
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
        stream.shutdown().await
    });
    // A browser that has gone does not read; the sign-in does not depend on it.
    let _ = sent.await;
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "127.0.0.1:4711";

    fn get(target: &str, host: &str) -> Result<Vec<(String, String)>, u16> {
        parse(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"), HOST)
    }

    #[test]
    fn p3_only_the_redirect_uri_is_served() {
        let params = get("/callback?code=a%20b&state=s", HOST).unwrap();
        assert_eq!(params, [("code".to_owned(), "a b".to_owned()), ("state".to_owned(), "s".to_owned())]);
        for (target, status) in
            [("/", 404), ("/favicon.ico", 404), ("/callback/x", 404), ("http://x/callback", 404)]
        {
            assert_eq!(get(target, HOST), Err(status), "{target}");
        }
        assert_eq!(parse("POST /callback HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n\r\n", HOST), Err(405));
    }

    #[test]
    fn p3_a_rebound_or_missing_host_is_refused() {
        for host in ["evil.example", "localhost:4711", "127.0.0.1", "127.0.0.1:4712", ""] {
            assert_eq!(get("/callback?code=x", host), Err(400), "{host}");
        }
        assert_eq!(parse("GET /callback HTTP/1.1\r\n\r\n", HOST), Err(400));
        let two = "GET /callback HTTP/1.1\r\nHost: 127.0.0.1:4711\r\nhost: evil.example\r\n\r\n";
        assert_eq!(parse(two, HOST), Err(400));
    }

    #[test]
    fn noise_is_not_a_request() {
        for noise in ["", "\r\n\r\n", "GET\r\n\r\n", "\u{16}\u{3}\u{1}", "GET /callback HTTP/2 x\r\n\r\n"] {
            assert_eq!(parse(noise, HOST), Err(400), "{noise:?}");
        }
    }
}
