//! How a desktop's history is, on its way to where its owner can't change it: the newest signed checkpoint.

use super::super::proof::broken;
use super::super::said::said;
use super::{Position, read_place, write};
use crate::end::Stop;
use sallyport_audit::Checkpoint;
use sallyport_engine::Record;
use sallyport_model::Digest;
use sallyport_store::{Kept, LastCheckpoint};
use std::path::{Path, PathBuf};

/// What the store was told of it last.
pub(super) struct Heads {
    path: PathBuf,
    told: Option<(u64, String)>,
    sent: Option<(u64, String)>,
}

/// What there is to tell.
pub(super) enum Head {
    /// A checkpoint that the store was not told of.
    New(Box<Record>),
    /// None that it does not know.
    Known,
    /// Nothing is sealed.
    Never,
    /// The last checkpoint is none: what is said of that.
    Broken(String),
}

impl Heads {
    /// From where the store has them: beside the place of the events.
    pub(super) fn from(path: &Path, name: &str) -> Result<Self, Stop> {
        let path = path.with_extension("anchor.json");
        let told = read_place(&path, name)?.map(|place| (place.after, place.what.unwrap_or_default()));
        Ok(Self { path, told, sent: None })
    }

    /// How the history is now. The app may be running; nothing is written there. One that is shorter than what the store
    /// was told, or another, is told as well: the store has both then.
    pub(super) fn next(&mut self, history: &Path) -> Result<Head, Stop> {
        let checkpoint = match Kept::open(history).and_then(|kept| kept.newest()).map_err(said)? {
            LastCheckpoint::Signed(checkpoint) => checkpoint,
            LastCheckpoint::Never => return Ok(Head::Never),
            LastCheckpoint::Broken(why) => return Ok(Head::Broken(broken(history, &why))),
        };
        let now = (checkpoint.last, checkpoint.root.to_string());
        if self.told.as_ref() == Some(&now) {
            return Ok(Head::Known);
        }
        self.sent = Some(now);
        Ok(Head::New(Box::new(record(&checkpoint))))
    }

    /// The store has said that it has it.
    pub(super) fn taken(&mut self, name: &str) -> Result<(), Stop> {
        let Some((after, what)) = self.sent.take() else { return Ok(()) };
        let place = Position { to: name.to_owned(), after, what: Some(what.clone()) };
        self.told = Some((after, what));
        write(&self.path, &place)
    }
}

fn record(checkpoint: &Checkpoint) -> Record {
    let event = checkpoint.handed_on();
    Record {
        id: String::from(Digest::of(event.as_bytes())).chars().take(32).collect(),
        at: checkpoint.time.saturating_mul(1000),
        cluster: String::new(),
        fields: vec![
            ("anchor", checkpoint.last.to_string()),
            ("root", checkpoint.root.to_string()),
            ("key", checkpoint.key.fingerprint().to_string()),
        ],
        event,
        is_clipped: false,
    }
}
