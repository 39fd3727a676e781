//! `bench audit`: audit logs of 90 clusters over 14 days, made from a seed, into the archive and asked about; jq and
//! DuckDB, where they are installed, with the same files in the same run, and their answers compared; where one is not, the
//! closing line says so. `EVENTS` says how
//! many events (1,000,000); `BENCH_DIR` where the files go.

mod ask;
mod generate;
mod rivals;

use anyhow::{Context as _, Result, ensure};
use sallyport_archive::{Archive, Batch, Options, Pending, Source};
use sallyport_bench::memory_most;
use sallyport_events::Reader;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Instant;

const SEED: u64 = 1029;
/// Bytes of a line, about, of the archive and of DuckDB, for what is printed before anything is written.
const DISK: [u64; 3] = [1_050, 250, 700];
/// What is read of a file at a time, before the next cluster has its turn.
const CHUNK: usize = 1 << 20;
/// Batches that may be on their way to the disk.
const UNDER_WAY: usize = 8;

fn main() -> Result<()> {
    let events: u64 = match std::env::var("EVENTS") {
        Ok(said) => said.replace(['_', ','], "").parse().context("EVENTS is a number")?,
        Err(_) => 1_000_000,
    };
    let gigabytes = |bytes: u64| (events * bytes) as f64 / 1e9;
    println!(
        "{events} events need {:.1} GB of disk: {:.1} for the logs, {:.1} for the archive, {:.1} for DuckDB where it is \
         installed",
        gigabytes(DISK.iter().sum()),
        gigabytes(DISK[0]),
        gigabytes(DISK[1]),
        gigabytes(DISK[2])
    );
    let base = std::env::var_os("BENCH_DIR").map_or_else(std::env::temp_dir, Into::into);
    let folder = Temporary(base.join(format!("sallyport-bench-audit-{}", std::process::id())));
    let (logs, store) = (folder.0.join("logs"), folder.0.join("archive"));
    std::fs::create_dir_all(&logs)?;
    let began = Instant::now();
    let bytes = generate::files(&logs, events, SEED)?;
    println!(
        "{events} events of {} clusters over {} days, {:.0} bytes each, made in {:.0} s",
        generate::CLUSTERS,
        generate::DAYS,
        bytes as f64 / events as f64,
        began.elapsed().as_secs_f64()
    );

    let read = read_only(&logs)?;
    let archive = Archive::open(&store, Options::default())?;
    let began = Instant::now();
    ingest(&archive, &logs)?;
    let ingest = events as f64 / began.elapsed().as_secs_f64();
    let ingest_rss = memory_most()?;
    archive.close();
    drop(archive);
    let archive = Archive::open(&store, Options::default())?;
    let status = archive.status();
    ensure!(status.events == events && status.problems.is_empty(), "all are kept: {status:?}");
    let each = status.bytes as f64 / events as f64;
    println!(
        "read {read:.0}/s on one thread; kept {ingest:.0}/s, {each:.0} bytes each in {} segments",
        status.segments
    );
    let asked = ask::all(&archive, events)?;
    let rss = memory_most()?;

    let mut ratios = String::new();
    // Without a rival nothing is compared with it: said where whoever reads the line sees it.
    let mut absent = |name: &str, how: &str| {
        println!("NOT COMPARED with {name}, which is not there: {how}");
        ratios.push_str(&format!(" {name}=absent"));
    };
    let (jq, duckdb) = (rivals::jq(&logs)?, rivals::duckdb(&logs, &asked.questions)?);
    if jq.is_none() {
        absent("jq", "`apt-get install jq`");
    }
    if duckdb.is_none() {
        absent("duckdb", "`pip install duckdb` in a Python that DUCKDB_PYTHON names");
    }
    if let Some((deletes, seconds)) = jq {
        ensure!(deletes == asked.deletes, "jq finds {deletes} deletes, the archive {}", asked.deletes);
        let rate = events as f64 / seconds;
        println!("jq: {rate:.0} events/s to find the deletes; the same answer");
        ratios.push_str(&format!(" jq_eps={rate:.0}"));
    }
    if let Some(said) = duckdb {
        asked.compare(&said)?;
        let load = events as f64 / said["load_s"].as_f64().context("its load")?;
        println!(
            "DuckDB {}: {load:.0} events/s with the raw text, {:.0} bytes each; count {:.1} ms, heat {:.1} ms, text {:.1} ms, \
             page {:.1} ms, credential {:.1} ms; the same answers",
            said["version"],
            said["bytes"].as_f64().unwrap_or_default() / events as f64,
            said["count_ms"].as_f64().unwrap_or_default(),
            said["heat_ms"].as_f64().unwrap_or_default(),
            said["text_ms"].as_f64().unwrap_or_default(),
            said["page_ms"].as_f64().unwrap_or_default(),
            said["credential_ms"].as_f64().unwrap_or_default(),
        );
        ratios.push_str(&format!(" duckdb_eps={load:.0}"));
    }
    println!(
        "bench audit events={events} read_eps={read:.0} ingest_eps={ingest:.0} bytes_per_event={each:.0} {} \
         ingest_rss_mb={ingest_rss:.0} rss_mb={rss:.0}{ratios}",
        asked.line()
    );
    Ok(())
}

/// Events a second that are taken apart, redacted and coded on one thread, and kept nowhere.
fn read_only(logs: &Path) -> Result<f64> {
    let source = source(0)?;
    let mut reader = Reader::new();
    let mut batch = Batch::new(&source, "", 0);
    let mut file = File::open(generate::file(logs, 0))?;
    let mut chunk = vec![0; CHUNK];
    let began = Instant::now();
    let mut events = 0;
    loop {
        let length = file.read(&mut chunk)?;
        if length == 0 {
            break;
        }
        reader.push(&chunk[..length], &mut |found| batch.push(&found));
        if batch.is_full() {
            events += batch.len();
            batch = Batch::new(&source, "", 0);
        }
    }
    events += batch.len();
    Ok(events as f64 / began.elapsed().as_secs_f64())
}

/// Reads all files side by side, as they would be followed, and returns when everything is on the disk.
fn ingest(archive: &Archive, logs: &Path) -> Result<()> {
    struct Log {
        source: Source,
        name: String,
        file: File,
        reader: Reader,
        at: u64,
    }
    let mut open = Vec::new();
    for number in 0..generate::CLUSTERS {
        let file = File::open(generate::file(logs, number))?;
        let name = format!("{}.jsonl", generate::cluster(number));
        open.push(Log { source: source(number)?, name, file, reader: Reader::new(), at: 0 });
    }
    let mut chunk = vec![0; CHUNK];
    let mut waiting: VecDeque<Pending> = VecDeque::new();
    while !open.is_empty() {
        let mut ended = Vec::new();
        for (place, log) in open.iter_mut().enumerate() {
            let length = log.file.read(&mut chunk)?;
            let mut batch = Batch::new(&log.source, &log.name, log.at);
            let before = log.reader.counts().lines;
            if length == 0 {
                log.reader.finish(&mut |found| batch.push(&found));
                ended.push(place);
            } else {
                log.reader.push(&chunk[..length], &mut |found| batch.push(&found));
            }
            log.at = log.reader.unread().offset;
            batch.read(log.reader.counts().lines - before, 0, length as u64);
            batch.read_to(log.at);
            waiting.push_back(archive.append(batch)?);
            if waiting.len() > UNDER_WAY
                && let Some(pending) = waiting.pop_front()
            {
                pending.wait()?;
            }
        }
        ended.into_iter().rev().for_each(|place| drop(open.remove(place)));
    }
    for pending in waiting {
        pending.wait()?;
    }
    Ok(())
}

fn source(number: usize) -> Result<Source> {
    let cluster = generate::cluster(number);
    Ok(Source { id: format!("{cluster}-audit"), cluster: cluster.parse()? })
}

/// A folder that goes with the process, however large it became.
struct Temporary(std::path::PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // What can't be removed is somebody else's to find, by its name.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
