//! A desktop's own history, for somebody else: whether it is what it was, and what of it is handed on.

mod anchor;
mod anchors;
mod args;
mod events;
mod export;
mod kept_there;
mod place;
mod verdict;
mod verify;

pub(super) use anchor::{anchor, broken};
pub(crate) use args::{AnchorArgs, EXITS_EXPORT, EXITS_VERIFY, Export, Verify};
pub(super) use export::export;
pub(crate) use verdict::VerifyView;
pub(super) use verify::verify;

use sallyport_report::words::shown;
use std::path::Path;

fn named(path: &Path) -> String {
    shown(&path.display().to_string()).to_string()
}
