//! Streams: through the gateway they are what they are without it.

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{World, forwarded_port, next_line, streaming};
use anyhow::{Context, Result, ensure};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use sallyport_testkit::Kubectl;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// kubectl with its WebSockets turned off: it speaks SPDY then, as older ones and fallbacks do.
async fn over_spdy(kubectl: &Kubectl, args: &[&str], input: &[u8]) -> Result<std::process::Output> {
    let mut child = kubectl
        .command(args)
        .env("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "false")
        .env("KUBECTL_PORT_FORWARD_WEBSOCKETS", "false")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("piped")?;
    let feed = async move {
        let _ = stdin.write_all(input).await;
    };
    Ok(tokio::join!(feed, child.wait_with_output()).1?)
}

#[tokio::test(flavor = "multi_thread")]
async fn p16_exec_carries_exit_codes_both_outputs_and_stdin_to_its_end() -> Result<()> {
    let w = World::new().await?;
    let script = ["exec", &w.pod, "--", "sh", "-c", "echo out; echo err >&2; exit 7"];
    let (through, direct) = (w.through.run(&script).await?, w.direct.run(&script).await?);
    ensure!(
        through.code == Some(7) && through.stdout == direct.stdout && through.stderr == direct.stderr,
        "{through:?}"
    );
    let input: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
    let cat = ["exec", "-i", &w.pod, "--", "cat"];
    let back = w.through.run_with_stdin(&cat, &input).await?;
    ensure!(
        back.code == Some(0) && back.stdout == input,
        "{} bytes came back: {}",
        back.stdout.len(),
        back.stderr
    );

    let spdy = over_spdy(&w.through, &script, b"").await?;
    ensure!(spdy.status.code() == Some(7) && spdy.stdout == b"out\n", "{spdy:?}");
    let back = over_spdy(&w.through, &cat, &input).await?;
    ensure!(back.status.success() && back.stdout == input, "{} bytes came back", back.stdout.len());
    let missing = w.through.run(&["exec", &w.pod, "-c", "nobody", "--", "true"]).await?;
    ensure!(
        missing.code == Some(1) && missing.stderr.contains("nobody"),
        "the API server's own refusal: {missing:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p16_a_terminal_works_and_changes_its_size() -> Result<()> {
    let w = World::new().await?;
    let (kubectl, pod) = (w.through.clone(), w.pod.clone());
    tokio::task::spawn_blocking(move || {
        let size = |rows, cols| PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size(24, 80))?;
        let mut command = CommandBuilder::new(kubectl.program());
        command.args(["exec", "-it", &pod, "--", "sh"]);
        command.env("KUBECONFIG", kubectl.kubeconfig());
        command.env("TERM", "xterm");
        let mut child = pty.slave.spawn_command(command)?;
        let mut screen = pty.master.try_clone_reader()?;
        let mut keys = pty.master.take_writer()?;
        let (send, seen) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = screen.read(&mut buffer) {
                if send.send(String::from_utf8_lossy(&buffer[..n]).into_owned()).is_err() {
                    break;
                }
            }
        });
        let mut all = String::new();
        let mut until = |wanted: &str| -> Result<()> {
            while !all.contains(wanted) {
                let more = seen.recv_timeout(Duration::from_secs(60));
                all.push_str(&more.with_context(|| format!("no {wanted:?} in {all:?}"))?);
            }
            Ok(())
        };
        keys.write_all(b"stty size\r")?;
        until("24 80")?;
        pty.master.resize(size(40, 132))?;
        for _ in 0..20 {
            keys.write_all(b"stty size\r")?;
            if until("40 132").is_ok() {
                break;
            }
        }
        until("40 132")?;
        keys.write_all(b"exit 9\r")?;
        ensure!(child.wait()?.exit_code() == 9, "the shell's exit code");
        Ok(())
    })
    .await?
}

#[tokio::test(flavor = "multi_thread")]
async fn p16_logs_and_attach_show_the_same_and_go_on() -> Result<()> {
    let w = World::new().await?;
    let first = w.direct.ok(&["logs", &w.pod, "--timestamps"]).await?;
    let (_logs, mut lines) = streaming(&w.through, &["logs", "-f", &w.pod, "--timestamps"])?;
    for line in first.lines() {
        ensure!(next_line(&mut lines).await? == line, "the beginning of the log differs");
    }
    for _ in 0..2 {
        next_line(&mut lines).await?;
    }
    let (_attach, mut lines) = streaming(&w.through, &["attach", &w.pod])?;
    let one = next_line(&mut lines).await?;
    next_line(&mut lines).await?;
    let log = w.through.ok(&["logs", &w.pod]).await?;
    ensure!(log.lines().any(|line| line == one), "{one:?} is not in the log");
    Ok(())
}

/// A busy API server resets a long copy now and then, asked directly too: it is begun again, and what arrives is compared whole.
async fn copied(kubectl: &Kubectl, from: &str, to: &str) -> Result<()> {
    for _ in 0..2 {
        match kubectl.ok(&["cp", from, to]).await {
            Err(error) if format!("{error:#}").contains("connection reset by peer") => {
                println!("begun again: {error:#}");
            }
            ended => return ended.map(drop),
        }
    }
    kubectl.ok(&["cp", from, to]).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn p16_a_hundred_megabytes_are_copied_both_ways_unchanged() -> Result<()> {
    let w = World::new().await?;
    let dir = tempfile::tempdir()?;
    let (there, back) = (dir.path().join("there"), dir.path().join("back"));
    let mut content = vec![0_u8; 100 << 20];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut content);
    tokio::fs::write(&there, &content).await?;
    let [there, back] = [&there, &back].map(|path| path.display().to_string());
    for (kubectl, how) in [(&w.direct, "direct"), (&w.through, "through the gateway")] {
        let inside = format!("{}:/data/{}", w.pod, how.replace(' ', "-"));
        let start = Instant::now();
        copied(kubectl, &there, &inside).await?;
        let in_ms = start.elapsed().as_millis();
        let start = Instant::now();
        copied(kubectl, &inside, &back).await?;
        println!("cp of 100 MB {how}: in {in_ms} ms, out {} ms", start.elapsed().as_millis());
        let returned = tokio::fs::read(&back).await?;
        ensure!(returned == content, "{how}: {} of {} bytes, not the same", returned.len(), content.len());
    }
    w.through.ok(&["exec", &w.pod, "--", "sh", "-c", "rm /data/*"]).await?;
    Ok(())
}

async fn echo(port: u16, seed: u8) -> Result<()> {
    let sent: Vec<u8> = (0..1_000_000_u32).map(|i| (i % 253) as u8 ^ seed).collect();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut read, mut write) = stream.split();
    let mut got = vec![0; sent.len()];
    let (wrote, came) =
        tokio::join!(write.write_all(&sent), timeout(Duration::from_secs(90), read.read_exact(&mut got)));
    wrote?;
    came??;
    ensure!(got == sent, "stream {seed} came back different");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p16_ports_are_forwarded_in_parallel_byte_for_byte() -> Result<()> {
    let w = World::new().await?;
    let target = format!("pod/{}", w.pod);
    for websockets in ["true", "false"] {
        let mut child = w
            .through
            .command(["port-forward", "--address=127.0.0.1", &target, ":7"])
            .env("KUBECTL_PORT_FORWARD_WEBSOCKETS", websockets)
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("piped")?;
        let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(stdout));
        let port = forwarded_port(&mut lines).await?;
        futures::future::try_join_all((0..8).map(|seed| echo(port, seed)))
            .await
            .with_context(|| format!("websockets {websockets}"))?;
    }
    Ok(())
}
