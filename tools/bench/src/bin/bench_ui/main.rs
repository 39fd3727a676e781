//! `bench ui`: the window itself. Two thousand clusters in a browser (`ui/tools/palette.mjs`); then the program as a release:
//! from its start until its page is drawn, what it holds of memory while a person is signed in and does nothing, and in an
//! open session from a key in the terminal to the frame that shows what the shell made of it. And looking on live while
//! 1,000 rows a second come: in a browser (`ui/tools/tail.mjs`), and in the program on a log that grows.

mod tail;

use anyhow::{Context, Result, ensure};
use sallyport_bench::{Sorted, in_browser};
use sallyport_fleet::window::{Set, Window};
use serde_json::json;
use std::time::Duration;

const STARTS: usize = 5;
/// Rounds of keys, each of which the driver lets take 10 s.
const ROUNDS: usize = 8;
const KEYS: usize = 40;
/// How long nobody does anything before memory is looked at.
const IDLE: Duration = Duration::from_secs(30);

fn main() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<()> {
    let clusters = in_browser("palette.mjs", "ui ").await?;
    let looked_on = in_browser("tail.mjs", "ui ").await?;
    let set = Set::start().await?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(set.window().await?.window.started_in.as_secs_f64() * 1000.0);
    }
    let idle = set.signed_in().await?;
    tokio::time::sleep(IDLE).await;
    let megabytes = idle.window.memory()? as f64 / 1e6;
    let live = tail::tail(&idle).await?;
    drop(idle);
    let seat = set.in_session().await?;
    let mut echoes = Vec::new();
    for round in 0..=ROUNDS {
        let seen = echo(&seat.window).await?;
        // The first warms up.
        if round > 0 {
            echoes.extend(seen);
        }
    }
    let held = seat.window.memory()? as f64 / 1e6;
    let (starts, echoes) = (Sorted::new(starts), Sorted::new(echoes));
    println!(
        "{STARTS} starts: p50 {:.0} ms, the longest {:.0} ms; {} keys in a terminal: p50 {:.1} ms, p95 {:.1} ms to the frame with \
         their echo; {megabytes:.0} MB while idle, {held:.0} MB with a session open; {} CPUs",
        starts.at(0.5),
        starts.at(1.0),
        echoes.len(),
        echoes.at(0.5),
        echoes.at(0.95),
        std::thread::available_parallelism()?
    );
    let (dropped, core) = (live.dropped(), live.core());
    let of_each: Vec<String> =
        live.cores.iter().map(|(name, part)| format!("{name} {:.0} %", part * 100.0)).collect();
    let frames = Sorted::new(live.frames);
    println!(
        "looking on live at {} calls a second ({}): {} frames, p50 {:.1} ms, p95 {:.1} ms, the longest {:.1} ms; of a core: {}",
        tail::RATE,
        live.foot,
        frames.len(),
        frames.at(0.5),
        frames.at(0.95),
        frames.at(1.0),
        of_each.join(", ")
    );
    println!(
        "bench ui ready_ms={:.0} {} echo_p95_ms={:.1} pss_mb={megabytes:.0} {} tail_window_dropped={dropped:.0} tail_window_core={core:.3}",
        starts.at(0.5),
        clusters.trim_start_matches("ui "),
        echoes.at(0.95),
        looked_on.trim_start_matches("ui "),
    );
    Ok(())
}

/// The times of one line of keys, in milliseconds. The line is never sent: Ctrl U takes it away again.
async fn echo(window: &Window) -> Result<Vec<f64>> {
    let seen = window.run_async(ECHO, json!([KEYS])).await?;
    ensure!(seen["threw"].is_null(), "a key was not echoed: {seen}");
    let seen =
        seen.as_array().context("times")?.iter().filter_map(serde_json::Value::as_f64).collect::<Vec<_>>();
    ensure!(seen.len() == KEYS, "{} of {KEYS} keys were echoed", seen.len());
    Ok(seen)
}

const ECHO: &str = "
    const field = document.querySelector('.xterm-helper-textarea');
    const rows = document.querySelector('.xterm-rows');
    const count = () => (rows.textContent.match(/q/g) ?? []).length;
    const press = (key, code, keyCode, more = {}) => field.dispatchEvent(
        new KeyboardEvent('keydown', { key, code, keyCode, which: keyCode, bubbles: true, cancelable: true, ...more }));
    const until = (there) => new Promise((then, fail) => {
        const late = setTimeout(() => fail(new Error('no echo within 2 s')), 2000);
        const look = () => { if (there()) { clearTimeout(late); then(performance.now()) } else requestAnimationFrame(look) };
        look();
    });
    const took = [];
    for (let key = 0; key < arguments[0]; key++) {
        // Between two frames as often as right after one.
        await new Promise((then) => setTimeout(then, 20 + Math.random() * 40));
        const before = count();
        const begin = performance.now();
        press('q', 'KeyQ', 81);
        took.push(await until(() => count() > before) - begin);
    }
    press('u', 'KeyU', 85, { ctrlKey: true });
    await until(() => count() === 0);
    return took";
