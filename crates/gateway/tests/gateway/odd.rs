//! What tools do that a first look at kubectl does not show.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use super::{World, next_line};
use anyhow::{Context, Result, ensure};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use sallyport_gateway::{CallOutcome, CallPhase, Opened, StreamKind};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Sends an HTTP/1.1 request as it is and reads until `until` was said.
async fn raw(opened: &Opened, request: &str, until: &str) -> Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(opened.ca_pem.as_bytes())?)?;
    let cert = CertificateDer::from_pem_slice(opened.client_cert_pem.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(opened.client_key_pem.expose().as_bytes())?;
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![cert], key)?;
    let tcp = TcpStream::connect(("127.0.0.1", opened.port)).await?;
    let mut tls =
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("127.0.0.1")?, tcp).await?;
    let request = request.replace("HOST", &format!("127.0.0.1:{}", opened.port));
    tls.write_all(request.as_bytes()).await?;
    let mut said = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&said).contains(until) {
        let read = timeout(Duration::from_secs(60), tls.read(&mut buffer)).await;
        match read.with_context(|| String::from_utf8_lossy(&said).into_owned())? {
            Ok(0) | Err(_) => break,
            Ok(read) => said.extend_from_slice(&buffer[..read]),
        }
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_c1_raw_paths_and_kubectl_proxy_work_without_a_path_in_the_address() -> Result<()> {
    let w = World::new().await?;
    ensure!(w.opened.server_url == format!("https://127.0.0.1:{}", w.opened.port));
    for path in ["/readyz", "/livez", "/version", "/api"] {
        let (through, direct) =
            (w.through.run(&["get", "--raw", path]).await?, w.direct.run(&["get", "--raw", path]).await?);
        // The addresses in `/api` are the API server's own, whoever asks.
        ensure!(through.code == Some(0) && through.stdout == direct.stdout, "{path}: {through:?}");
    }
    let mut proxy = w.through.command(["proxy", "--port=0"]).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(proxy.stdout.take().context("piped")?).lines();
    let line = next_line(&mut lines).await?;
    let port: u16 =
        line.rsplit(':').next().context("a port")?.trim().parse().with_context(|| line.clone())?;
    let mut tcp = TcpStream::connect(("127.0.0.1", port)).await?;
    let get = format!("GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    tcp.write_all(get.as_bytes()).await?;
    let mut said = String::new();
    timeout(Duration::from_secs(60), tcp.read_to_string(&mut said)).await??;
    ensure!(said.starts_with("HTTP/1.1 200") && said.ends_with("ok"), "{said}");
    proxy.kill().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_c2_an_exec_that_names_our_address_as_its_origin_works_and_another_is_told() -> Result<()> {
    let mut w = World::new().await?;
    let exec = |pod: &str, origin: &str| {
        format!(
            "GET /api/v1/namespaces/default/pods/{pod}/exec?command=echo&command=heard&stdout=true HTTP/1.1\r\n\
             Host: HOST\r\nOrigin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n"
        )
    };
    let said = raw(&w.opened, &exec(&w.pod, "https://HOST"), "heard\n").await?;
    ensure!(said.starts_with("HTTP/1.1 101") && said.contains("heard\n"), "{said}");
    let said = raw(&w.opened, &exec(&w.pod, "https://evil.example"), "\"code\":").await?;
    ensure!(said.starts_with("HTTP/1.1 403") && said.contains("web pages may not call"), "{said}");
    loop {
        let call = timeout(Duration::from_secs(60), w.calls.recv()).await?.context("told of")?;
        if call.phase == CallPhase::Ended && matches!(call.outcome, CallOutcome::Refused(_)) {
            ensure!(call.stream == Some(StreamKind::Exec) && call.target.name == w.pod, "{call:?}");
            return Ok(());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_c4_a_script_that_is_too_long_for_an_address_is_told_the_way_round() -> Result<()> {
    let mut w = World::new().await?;
    let script = |size: usize| format!("echo begun; : {}; echo done", "x".repeat(size));
    let exec =
        |script: String| ["exec".to_owned(), w.pod.clone(), "--".into(), "sh".into(), "-c".into(), script];
    let run = async |size: usize| {
        let args = exec(script(size));
        w.through.run(&args.iter().map(String::as_str).collect::<Vec<_>>()).await
    };
    let fits = run(60_000).await?;
    ensure!(fits.code == Some(0) && fits.text().contains("done"), "{fits:?}");
    let long = run(100_000).await?;
    ensure!(long.code == Some(1) && long.stderr.contains("Send a script on stdin"), "{}", long.stderr);
    let way_round =
        w.through.run_with_stdin(&["exec", "-i", &w.pod, "--", "sh"], script(100_000).as_bytes()).await?;
    ensure!(way_round.code == Some(0) && way_round.text().contains("done"), "{way_round:?}");
    loop {
        let call = timeout(Duration::from_secs(60), w.calls.recv()).await?.context("told of")?;
        if call.status == Some(414) {
            ensure!(call.stream == Some(StreamKind::Exec) && call.target.name == w.pod, "{call:?}");
            return Ok(());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_c4_what_is_behind_proxy_is_answered_as_without_the_gateway() -> Result<()> {
    let w = World::new().await?;
    for tail in ["a%2Fb", "/a//b", "a%25b", "%252Fa?x=%2F"] {
        let path = format!("/api/v1/namespaces/default/services/nobody/proxy/{tail}");
        let (through, direct) =
            (w.through.run(&["get", "--raw", &path]).await?, w.direct.run(&["get", "--raw", &path]).await?);
        ensure!(
            through.code == direct.code
                && through.stderr == direct.stderr
                && !through.stderr.contains("sallyport"),
            "{path}\n{through:?}\n{direct:?}"
        );
    }
    Ok(())
}
