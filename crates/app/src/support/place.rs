//! Where a bundle is written. Pure.

use crate::desk::AppError;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sallyport_model::{ErrorCode, visible};
use std::path::{Path, PathBuf};

/// What the name of a bundle ends with.
const ENDING: &str = ".tar.gz";
/// The longest path that is taken, in bytes (`PATH_MAX` of Linux).
const LONGEST: usize = 4096;

/// Where it goes unless somebody says otherwise: their home, with the moment in its name so that nothing is there yet.
pub(super) fn usual(home: Option<&Path>, at: i64) -> PathBuf {
    let at = Timestamp::from_millisecond(at).unwrap_or_default().to_zoned(TimeZone::system());
    home.unwrap_or(Path::new("/")).join(format!("sallyport-support-{}{ENDING}", at.strftime("%Y%m%d-%H%M%S")))
}

/// A place as a person writes it; `~/` is their home.
///
/// # Errors
/// For what names no new archive in a folder.
pub(super) fn parse(place: &str, home: Option<&Path>) -> Result<PathBuf, AppError> {
    let place = place.trim();
    if visible(place) != place || place.len() > LONGEST {
        return Err(bad("the place holds characters that are not seen, or is too long", "Write it anew."));
    }
    let path = match (place.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(place),
    };
    if !path.is_absolute() {
        return Err(bad("the place is no whole path", "Begin it with / or ~/."));
    }
    // An archive of ours under the name of something that is run or read at a start would be in the way of both.
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.strip_suffix(ENDING).is_none_or(|stem| stem.is_empty() || name.starts_with('.')) {
        return Err(bad(
            "the place does not end in the name of an archive",
            "Let it end in a name like support.tar.gz.",
        ));
    }
    Ok(path)
}

fn bad(what: &str, next: &str) -> AppError {
    AppError::new(ErrorCode::BadInput, what).hint(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_new_archive_in_a_folder_and_nothing_else() {
        let home = Path::new("/home/dana");
        let parsed = |place: &str| parse(place, Some(home)).map(|path| path.display().to_string());
        assert_eq!(parsed(" ~/a.tar.gz ").unwrap(), "/home/dana/a.tar.gz");
        assert_eq!(parsed("/tmp/sallyport.tar.gz").unwrap(), "/tmp/sallyport.tar.gz");
        assert!(parse("~/a.tar.gz", None).is_err());
        for bad in [
            "",
            "~",
            "~/",
            "a.tar.gz",
            "../a.tar.gz",
            "/home/dana/.bashrc",
            "/home/dana/.tar.gz",
            "/tmp/",
            "/tmp/..",
            "/tmp/.x.tar.gz",
            "/tmp/a\u{202e}.tar.gz",
            "/tmp/a\n.tar.gz",
            "/tmp/a\0.tar.gz",
            "/tmp/a.tar.gz/..",
        ] {
            assert!(parsed(bad).is_err(), "{bad:?}");
        }
        assert!(parsed(&format!("/{}.tar.gz", "x".repeat(LONGEST))).is_err());
    }

    #[test]
    fn the_usual_place_can_be_used() {
        let usual = usual(Some(Path::new("/home/dana")), 1_790_000_000_000);
        assert_eq!(parse(usual.to_str().unwrap(), None).unwrap(), usual);
    }
}
