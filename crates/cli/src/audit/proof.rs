//! A desktop's own history, for somebody else: whether it is what it was, and what of it is handed on.

mod anchors;
mod args;
mod export;
mod place;
mod verdict;
mod verify;

pub(crate) use args::{EXITS_EXPORT, EXITS_VERIFY, Export, Verify};
pub(super) use export::export;
pub(crate) use verdict::VerifyView;
pub(super) use verify::verify;

use sallyport_report::words::shown;
use std::path::Path;

fn named(path: &Path) -> String {
    shown(&path.display().to_string()).to_string()
}
