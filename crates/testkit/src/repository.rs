//! Where the repository lies.

use std::path::{Path, PathBuf};

/// The repository's folder, by where a program runs and not by where it was built: what is built says no folder, so that
/// one build serves every clone.
///
/// # Panics
/// When the program does not run in the repository.
#[must_use]
pub fn root() -> PathBuf {
    let at = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let at = at.or_else(|| std::env::current_dir().ok()).unwrap_or_default();
    let holds = |folder: &&Path| folder.join("Cargo.lock").is_file();
    let found = at.ancestors().find(holds).map(Path::to_path_buf);
    found.unwrap_or_else(|| panic!("{} is in no checkout of Sallyport; please run it in one", at.display()))
}

/// A folder under `deploy/`: the manifests that this version ships.
#[must_use]
pub fn deploy(name: &str) -> PathBuf {
    root().join("deploy").join(name)
}
