//! A log store as the command line is given it.

use super::stop;
use crate::end::Stop;
use clap::Args;
use sallyport_engine::{Access, Engine, Target};
use std::path::PathBuf;

/// A log store, and how to get in.
#[derive(Debug, Args)]
pub(crate) struct Store {
    /// Authorities to believe beside the system's, PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// A file with a bearer token, or with what stands behind `Authorization:` (`Basic …`).
    #[arg(long, value_name = "FILE")]
    pub(crate) credential_file: Option<PathBuf>,
    /// The tenant: `X-Scope-OrgID` for Loki, `12` or `12:0` for VictoriaLogs.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub(crate) tenant: String,
}

impl Store {
    /// Whom to ask, with how to get in read from its files.
    pub(super) fn engine(&self, target: &Target) -> Result<Engine, Stop> {
        let access = Access::read(self.ca.as_deref(), self.credential_file.as_deref(), &self.tenant);
        Engine::new(target.clone(), &access.map_err(stop)?).map_err(stop)
    }
}
