//! What is said beside the answer, while it runs.

use sallyport_model::visible;
use std::io::Write as _;

/// Says it on standard error, with what hides in it visible.
pub(crate) fn say(what: &str) {
    // Where that fails there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "sallyport: {}", visible(what));
}
