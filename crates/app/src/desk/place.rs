//! Where a file is written that a person names. Pure.

use super::AppError;
use sallyport_model::{ErrorCode, visible};
use std::path::{Path, PathBuf};

/// The longest path that is taken, in bytes (`PATH_MAX` of Linux).
const LONGEST: usize = 4096;

/// A kind of file: what it is called, and what its name ends with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileKind {
    /// e.g. `an archive`.
    pub(crate) what: &'static str,
    /// e.g. `.tar.gz`.
    pub(crate) ending: &'static str,
    /// A name that can be used.
    pub(crate) example: &'static str,
}

/// A place as a person writes it; `~/` is their home.
///
/// # Errors
/// For what names no new file of this kind in a folder.
pub(crate) fn parse(place: &str, home: Option<&Path>, kind: FileKind) -> Result<PathBuf, AppError> {
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
    // A file of ours under the name of something that is run or read at a start would be in the way of both.
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.strip_suffix(kind.ending).is_none_or(|stem| stem.is_empty() || name.starts_with('.')) {
        return Err(bad(
            format!("the place does not end in the name of {}", kind.what),
            format!("Let it end in a name like {}.", kind.example),
        ));
    }
    Ok(path)
}

fn bad(what: impl Into<String>, next: impl Into<String>) -> AppError {
    AppError::new(ErrorCode::BadInput, what).hint(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARCHIVE: FileKind = FileKind { what: "an archive", ending: ".tar.gz", example: "support.tar.gz" };
    const PAGE: FileKind = FileKind { what: "a page", ending: ".html", example: "posture.html" };

    #[test]
    fn a_place_is_a_new_file_of_its_kind_in_a_folder_and_nothing_else() {
        let home = Path::new("/home/dana");
        for kind in [ARCHIVE, PAGE] {
            let parsed = |place: &str| {
                let place = place.replace("END", kind.ending);
                parse(&place, Some(home), kind).map(|path| path.display().to_string())
            };
            assert_eq!(parsed(" ~/aEND ").unwrap(), format!("/home/dana/a{}", kind.ending));
            assert_eq!(parsed("/tmp/a.bEND").unwrap(), format!("/tmp/a.b{}", kind.ending));
            assert!(parse(&format!("~/a{}", kind.ending), None, kind).is_err());
            for bad in [
                "",
                "~",
                "~/",
                "aEND",
                "../aEND",
                "/home/dana/.bashrc",
                "/home/dana/END",
                "/tmp/",
                "/tmp/..",
                "/tmp/.xEND",
                "/tmp/a\u{202e}END",
                "/tmp/a\nEND",
                "/tmp/a\0END",
                "/tmp/aEND/..",
                "/tmp/aEND.sh",
            ] {
                assert!(parsed(bad).is_err(), "{bad:?} as {}", kind.what);
            }
            assert!(parsed(&format!("/{}END", "x".repeat(LONGEST))).is_err());
        }
    }

    #[test]
    fn a_place_for_one_kind_is_none_for_another() {
        assert!(parse("/tmp/a.tar.gz", None, PAGE).is_err());
        assert!(parse("/tmp/a.html", None, ARCHIVE).is_err());
        assert!(parse("/tmp/a.HTML", None, PAGE).is_err());
    }
}
