use super::error::AppError;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Where one instance keeps its things. `SALLYPORT_HOME` puts all of them under one directory, so that the demo
/// and every test is an instance of its own and goes away with its directory.
#[derive(Clone, Debug)]
pub struct Dirs {
    /// The workspace file and what a person may edit.
    pub config: PathBuf,
    /// The history, the vault, preferences, the lock.
    pub data: PathBuf,
    /// Private kubeconfigs: 0700, in memory where the system offers it.
    pub runtime: PathBuf,
    /// The log.
    pub logs: PathBuf,
}

impl Dirs {
    /// Everything under one directory.
    pub fn under(home: &Path) -> Self {
        Self {
            config: home.join("config"),
            data: home.join("data"),
            runtime: home.join("run"),
            logs: home.join("logs"),
        }
    }

    /// Where a terminal's programs go when the runtime directory lets none be run (noexec).
    pub(crate) fn programs(&self) -> PathBuf {
        self.data.join("run")
    }

    /// `SALLYPORT_HOME`, else the XDG base directories (freedesktop.org Base Directory Specification 0.8).
    ///
    /// # Errors
    /// When neither `SALLYPORT_HOME` nor `HOME` is set.
    pub fn from_environment() -> Result<Self, AppError> {
        if let Some(home) = env::var_os("SALLYPORT_HOME").filter(|h| !h.is_empty()) {
            return Ok(Self::under(Path::new(&home)));
        }
        let home = env::var_os("HOME").map(PathBuf::from).ok_or_else(|| {
            AppError::failed("there is no home directory")
                .hint("Set HOME, or SALLYPORT_HOME to a directory of yours.")
        })?;
        let xdg = |key: &str, or: &str| {
            let set = env::var_os(key).map(PathBuf::from).filter(|p| p.is_absolute());
            set.unwrap_or_else(|| home.join(or)).join("sallyport")
        };
        let data = xdg("XDG_DATA_HOME", ".local/share");
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|p| p.is_absolute());
        Ok(Self {
            config: xdg("XDG_CONFIG_HOME", ".config"),
            logs: data.join("logs"),
            runtime: runtime
                .map_or_else(|| xdg("XDG_CACHE_HOME", ".cache").join("run"), |r| r.join("sallyport")),
            data,
        })
    }

    /// Makes them, readable by their owner alone.
    ///
    /// # Errors
    /// When one can't be made or belongs to someone else's rights.
    pub fn create(&self) -> Result<(), AppError> {
        for dir in [&self.config, &self.data, &self.runtime, &self.logs] {
            make_private(dir).map_err(|e| {
                AppError::failed(format!("could not make the directory {}", dir.display()))
                    .hint("Check its owner and that the disk is not full.")
                    .because(e)
            })?;
        }
        Ok(())
    }
}

#[cfg(unix)]
fn make_private(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_private(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)
}
