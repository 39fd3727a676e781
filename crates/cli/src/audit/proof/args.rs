use crate::answer::Answer;
use crate::audit::store::Store;
use crate::audit::times::{Since, parse_since};
use clap::{ArgGroup, Args, ValueEnum};
use sallyport_engine::Target;
use sallyport_model::Digest;
use std::path::PathBuf;

pub(crate) const EXITS_VERIFY: &str = "Exit codes:
  0  it is what was sealed, by a key that you know
  1  it was tampered with; the first bad entry is named
  2  it could not be told: no checkpoints, or a key that nobody vouches for; bad arguments or input";

pub(crate) const EXITS_EXPORT: &str = "Exit codes:
  0  it was written
  1  the history was tampered with; nothing was written
  2  bad arguments or input, or nothing could be written";

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("of").required(true).args(["history", "pack"])))]
pub(crate) struct Verify {
    /// The data directory of a desktop. It is only read; the desktop may run.
    #[arg(long, value_name = "DIR")]
    pub(crate) history: Option<PathBuf>,
    /// A pack, as `export` writes it: the archive, or the JSON lines in it.
    #[arg(value_name = "PACK")]
    pub(crate) pack: Option<PathBuf>,
    /// The public key that has to have sealed it: a PEM file, or its fingerprint (64 hex digits). From somewhere else than
    /// the pack; a former key will do, where it named the one after it. May be said several times.
    #[arg(long, value_name = "FILE|FINGERPRINT")]
    pub(crate) key: Vec<String>,
    /// What others have of how the history was: AccessRequests as the hub has them (`kubectl get accessrequests -A -o
    /// yaml`), lines of `audit anchor`, what a log store or a collector has of `forward --history`, or another pack's JSON
    /// lines. May be said several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) anchors: Vec<PathBuf>,
    /// Asks a log store for what `forward --history` sent there: `victorialogs:https://logs.example:9428`, `loki:https://…`.
    #[arg(long, value_name = "KIND:URL")]
    pub(crate) anchors_from: Option<Target>,
    /// The SHA-256 (64 hex digits) that the clusters' events in the pack have to have, from somewhere else than the pack: for
    /// one that no entry vouches for, as `export` makes it here.
    #[arg(long, value_name = "SHA256", requires = "pack")]
    pub(crate) events: Option<Digest>,
    #[command(flatten)]
    pub(crate) store: Store,
    /// What the store has from then on: `30d`, `2026-11-01`, or `2026-11-29T20:15:00Z`.
    #[arg(long, value_name = "WHEN", value_parser = parse_since, default_value = "365d", requires = "anchors_from")]
    pub(crate) since: Since,
    /// Whose history it is, as in spec.user: all their requests have to be met, whichever key they name, and vouch for it.
    #[arg(long, value_name = "NAME", requires = "anchors")]
    pub(crate) user: Option<String>,
    /// How to write the result.
    #[arg(short, long, value_enum, default_value_t = Answer::Text)]
    pub(crate) output: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct AnchorArgs {
    /// The data directory of a desktop. It is only read; the desktop may run.
    #[arg(long, value_name = "DIR")]
    pub(crate) history: PathBuf,
    /// The file to whose end the line is added, unless it is the last one there; without it the line is printed.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The data directory of a desktop. It is only read; the desktop may run.
    #[arg(long, value_name = "DIR")]
    pub(crate) history: PathBuf,
    /// Only of these sessions, by their ids.
    #[arg(long, value_name = "ID")]
    pub(crate) session: Vec<String>,
    /// Only on these clusters.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Vec<String>,
    /// From then on: `2h`, `3d`, `2026-11-29`, or `2026-11-29T20:15:00Z`.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub(crate) since: Option<Since>,
    /// Before then.
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub(crate) until: Option<Since>,
    /// As what.
    #[arg(long, value_enum, default_value_t = Form::Pack)]
    pub(crate) format: Form,
    /// An archive of what API servers told (the folder `audit` of the data directory, or one that `audit import` made): its
    /// events of the same sessions, clusters and time go with the pack, the newest 100,000, without what looks like a secret.
    /// Nobody signs them here; what the window hands on is signed.
    #[arg(long, value_name = "DIR")]
    pub(crate) events: Option<PathBuf>,
    /// Seconds that looking through that archive may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "events")]
    pub(crate) within: u64,
    /// AccessRequests that the pack shall be comparable with, whatever is left out of it.
    #[arg(long, value_name = "FILE")]
    pub(crate) anchors: Option<PathBuf>,
    /// Where to; nothing that is there is replaced.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
}

/// As what a history is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// A tar archive that proves itself: entries, checkpoints, the public key, and a page to read.
    Pack,
    /// The pack's JSON lines alone, which prove themselves too.
    Jsonl,
    /// One line for each entry, for a spreadsheet. Proves nothing.
    Csv,
    /// One OCSF 1.x event on each line, for a SIEM. Proves nothing.
    Ocsf,
}
