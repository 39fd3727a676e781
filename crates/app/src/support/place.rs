//! Where a bundle is written. Pure.

use crate::desk::FileKind;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};

/// What a bundle is.
pub(super) const BUNDLE: FileKind =
    FileKind { what: "an archive", ending: ".tar.gz", example: "support.tar.gz" };

/// Where it goes unless somebody says otherwise: their home, with the moment in its name so that nothing is there yet.
pub(super) fn usual(home: Option<&Path>, at: i64) -> PathBuf {
    let at = Timestamp::from_millisecond(at).unwrap_or_default().to_zoned(TimeZone::system());
    let name = format!("sallyport-support-{}{}", at.strftime("%Y%m%d-%H%M%S"), BUNDLE.ending);
    home.unwrap_or(Path::new("/")).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::parse_place;

    #[test]
    fn the_usual_place_can_be_used() {
        let usual = usual(Some(Path::new("/home/dana")), 1_790_000_000_000);
        assert_eq!(parse_place(usual.to_str().unwrap(), None, BUNDLE).unwrap(), usual);
    }
}
