//! A desktop's own history, for somebody else: whether it is what it was, and what of it is handed on.

mod anchors;
mod args;
mod export;
mod lines;
mod ocsf;
mod pack;
mod page;
mod place;
mod verdict;
mod verify;

pub(crate) use args::{EXITS_EXPORT, EXITS_VERIFY, Export, Verify};
pub(super) use export::export;
pub(crate) use verdict::VerifyView;
pub(super) use verify::verify;

use crate::end::Stop;
use sallyport_report::words::shown;
use sallyport_store::Kept;
use std::error::Error;
use std::path::Path;

fn named(path: &Path) -> String {
    shown(&path.display().to_string()).to_string()
}

/// The history of a data directory.
fn kept(dir: &Path) -> Result<Kept, Stop> {
    if !Kept::path(dir).is_file() {
        return Err(Stop(format!(
            "there is no history in {}: name the data directory of a desktop, which has a history.db",
            named(dir)
        )));
    }
    Kept::open(dir).map_err(|error| stop(&error))
}

/// An error with what is behind it.
fn stop(error: &dyn Error) -> Stop {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(behind) = source {
        text.push_str(&format!(": {behind}"));
        source = behind.source();
    }
    super::stop(text)
}
