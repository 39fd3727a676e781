//! What of the audit is handed on: packs that prove themselves, and lines for other programs. The command line and the window
//! write the same bytes, into whatever they are given; nothing is written or read by itself here.

mod call;
mod cells;
mod entry;
mod events;
mod leaving;
mod lines;
mod manifest;
mod measured;
mod ocsf;
mod pack;
mod page;
mod read;
#[cfg(test)]
mod tests;

pub use call::ToldCall;
pub use cells::line as csv_line;
pub use entry::{csv, csv_head, json, ocsf};
pub use events::{Events, Lacks, Telling};
pub use manifest::{EVENTS_SHA256, Segment};
pub use measured::Measured;
pub use pack::{Along, PackError, Packed, Tape, Tapes, history, pack};
pub use read::{Found, FoundEvents, Stated, keys, read};

/// Who made it, as a pack says.
pub const BY: &str = concat!("sallyport ", env!("CARGO_PKG_VERSION"));

const LINES: &str = "sallyport-history/history.jsonl";
const KEY: &str = "sallyport-history/key.pem";
const PAGE: &str = "sallyport-history/report.html";
const EVENTS: &str = "sallyport-history/events.jsonl";
/// Before the name of each recording.
const RECORDINGS: &str = "sallyport-history/recordings/";
const MANIFEST: &str = "sallyport-history/manifest.json";

/// `2026-11-29T20:15:00.123Z`, of microseconds of Unix time.
pub fn told(micros: i64) -> String {
    match jiff::Timestamp::from_microsecond(micros) {
        Ok(at) => at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        // Before or after all that a calendar has.
        Err(_) => format!("{micros} µs"),
    }
}
