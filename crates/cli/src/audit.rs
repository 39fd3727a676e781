//! What API servers' audit logs tell: read from files into an archive, and asked for there.

mod args;
mod collect;
mod forward;
mod import;
mod plain;
mod pull;
mod query;
mod reconcile;
mod status;
mod tail;
mod times;
mod view;

pub(crate) use args::{Audit, Output};

use crate::end::{End, Stop};
use sallyport_archive::{Archive, Bounds, Options};
use sallyport_model::visible;
use sallyport_report::words::shown;
use schemars::schema_for;
use std::path::Path;
use std::time::Duration;

/// For `--audit-policy-file` (audit.k8s.io/v1, `Policy`).
const POLICY: &str = include_str!("audit/policy.yaml");

pub(crate) fn run(audit: &Audit) -> Result<(String, End), Stop> {
    match audit {
        Audit::Import(args) => import::import(args),
        Audit::Pull(args) => pull::pull(args),
        Audit::Forward(args) => forward::forward(args),
        Audit::Collect(args) => collect::collect(args),
        Audit::Query(args) => query::query(args),
        Audit::WhoDeleted(args) => query::who_deleted(args),
        Audit::Tail(args) => tail::tail(args),
        Audit::Reconcile(args) => reconcile::reconcile(args),
        Audit::Status(args) => status::status(args),
        Audit::Policy => Ok((POLICY.to_owned(), End::Good)),
        Audit::Schema { of } => Ok((of.schema(), End::Good)),
    }
}

/// An archive that is there. Its errors say which files they are about, and what to do.
fn open(dir: &Path, is_begun: bool) -> Result<Archive, Stop> {
    // Looked for before anything is opened, which would leave its lock there: a place where an archive is not mounted
    // must not answer that nothing was found.
    let is_there = is_begun || dir.is_dir() && Archive::is_in(dir).map_err(stop)?;
    if !is_there {
        return Err(Stop(format!(
            "there is no archive in {}: `sallyport audit import` begins one",
            shown(&dir.display().to_string())
        )));
    }
    Archive::open(dir, Options::default()).map_err(stop)
}

fn stop(error: impl std::fmt::Display) -> Stop {
    Stop(visible(&error.to_string()))
}

fn bounds(seconds: u64) -> Bounds {
    Bounds { within: Duration::from_secs(seconds), ..Bounds::default() }
}

impl Output {
    /// All of them, and the file each is committed in.
    #[cfg(test)]
    pub(crate) const ALL: [(Self, &'static str); 7] = [
        (Self::Import, "audit-import.json"),
        (Self::Pull, "audit-pull.json"),
        (Self::Forward, "audit-forward.json"),
        (Self::Query, "audit-query.json"),
        (Self::WhoDeleted, "audit-who-deleted.json"),
        (Self::Status, "audit-status.json"),
        (Self::Reconcile, "audit-reconcile.json"),
    ];

    /// Its schema, JSON Schema 2020-12.
    pub(crate) fn schema(self) -> String {
        crate::answer::schema(&match self {
            Self::Import => schema_for!(import::ImportView),
            Self::Pull => schema_for!(pull::PullView),
            Self::Forward => schema_for!(forward::ForwardView),
            Self::Query => schema_for!(view::QueryView),
            Self::WhoDeleted => schema_for!(view::WhoDeletedView),
            Self::Status => schema_for!(status::StatusView),
            Self::Reconcile => schema_for!(reconcile::ReconcileView),
        })
    }
}
