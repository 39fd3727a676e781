//! P13 with real tools: a cut ends each kind of stream, and the next call reads why.

use std::time::{Duration, Instant};

use super::{World, forwarded_port, next_line, streaming};
use anyhow::{Context, Result, ensure};
use sallyport_gateway::{CallOutcome, CallPhase, CutReason, StreamKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn p13_a_cut_ends_watch_logs_exec_attach_and_port_forward() -> Result<()> {
    let mut w = World::new().await?;
    let (pod, target) = (w.pod.clone(), format!("pod/{}", w.pod));
    let ticking = "while true; do echo tick; sleep 0.1; done";
    let mut open = Vec::new();
    for args in [
        &["get", "pods", "-A", "-w", "--no-headers"][..],
        &["logs", "-f", &pod],
        &["exec", &pod, "--", "sh", "-c", ticking],
        &["exec", "-i", &pod, "--", "sh", "-c", ticking],
        &["attach", &pod],
    ] {
        let (child, mut lines) = streaming(&w.through, args)?;
        next_line(&mut lines).await.with_context(|| format!("{args:?}"))?;
        open.push((args.join(" "), child, lines));
    }
    let (mut forward, mut lines) =
        streaming(&w.through, &["port-forward", "--address=127.0.0.1", &target, ":7"])?;
    let mut echo = TcpStream::connect(("127.0.0.1", forwarded_port(&mut lines).await?)).await?;
    echo.write_all(b"hello").await?;
    let mut back = [0; 5];
    timeout(Duration::from_secs(60), echo.read_exact(&mut back)).await??;

    let live = w.gateway.live(&w.session).context("open")?;
    let kinds: Vec<_> = live.open.iter().filter_map(|call| call.stream).collect();
    for kind in
        [StreamKind::Watch, StreamKind::Logs, StreamKind::Exec, StreamKind::Attach, StreamKind::PortForward]
    {
        ensure!(kinds.contains(&kind), "{kind} is not open: {kinds:?}");
    }

    let began = Instant::now();
    let report = w.gateway.cut(&w.session, CutReason::Revoked).await.context("it was open")?;
    ensure!(report.complete && report.streams.len() >= 6, "{report:?}");
    for (what, mut child, _lines) in open {
        timeout(Duration::from_secs(30), child.wait()).await.with_context(|| format!("{what} goes on"))??;
    }
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(30), echo.read_to_end(&mut rest))
        .await
        .context("the forwarded stream goes on")?;
    println!(
        "cut {} streams in {:?}; kubectl had noticed after {:?}",
        report.streams.len(),
        report.took,
        began.elapsed()
    );
    forward.kill().await?;

    let refused = w.through.run(&["get", "pods"]).await?;
    ensure!(refused.code == Some(1) && refused.stderr.contains("closed: it was revoked"), "{refused:?}");
    let refused = w.through.run(&["exec", &pod, "--", "true"]).await?;
    ensure!(refused.code == Some(1) && refused.stderr.contains("closed: it was revoked"), "{refused:?}");
    ensure!((&mut w.opened.cut).await?.reason == CutReason::Revoked);

    let mut cut = 0;
    while let Some(call) = w.calls.recv().await {
        cut += usize::from(
            call.phase == CallPhase::Ended && call.outcome == CallOutcome::Cut(CutReason::Revoked),
        );
    }
    ensure!(cut == report.streams.len(), "{cut} of {} were told of", report.streams.len());
    Ok(())
}
