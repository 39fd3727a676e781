//! What API servers' audit logs tell: read from files into an archive, and asked for there.

pub(crate) mod args;
mod collect;
mod forward;
mod import;
mod keep;
mod place;
mod plain;
mod policy;
mod proof;
mod propose;
mod pull;
mod query;
mod reconcile;
mod report;
mod said;
mod status;
mod store;
mod tail;
mod times;
mod view;

use args::{Audit, Output};
#[cfg(test)]
use policy::POLICY;

use crate::end::{End, Stop};
use sallyport_archive::{Archive, ArchiveError, Bounds, Options};
use sallyport_model::visible;
use sallyport_report::words::shown;
use schemars::schema_for;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long an archive that somebody else has open is waited for.
const LOCKED: Duration = Duration::from_secs(3);

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
        Audit::Propose(args) => propose::propose_for(args),
        Audit::Report(args) => report::report(args),
        Audit::Policy(args) => policy::policy(args),
        Audit::Verify(args) => proof::verify(args),
        Audit::Export(args) => proof::export(args),
        Audit::Anchor(args) => proof::anchor(args),
        Audit::Schema { of } => Ok((of.schema(), End::Good)),
    }
}

/// An archive that is there. Its errors say which files they are about, and what to do.
pub(crate) fn open(dir: &Path, is_begun: bool) -> Result<Archive, Stop> {
    open_as(dir, is_begun, Options::default())
}

fn open_as(dir: &Path, is_begun: bool, options: Options) -> Result<Archive, Stop> {
    // Looked for before anything is opened, which would leave its lock there: a place where an archive is not mounted
    // must not answer that nothing was found.
    let is_there = is_begun || dir.is_dir() && Archive::is_in(dir).map_err(stop)?;
    if !is_there {
        return Err(Stop(format!(
            "there is no archive in {}: `sallyport audit import` begins one",
            shown(&dir.display().to_string())
        )));
    }
    let began = Instant::now();
    loop {
        match Archive::open(dir, options) {
            // Whoever forwards what is new has it for a moment now and then.
            Err(ArchiveError::Locked { .. }) if began.elapsed() < LOCKED => std::thread::sleep(LOCKED / 20),
            opened => return opened.map_err(stop),
        }
    }
}

pub(crate) fn stop(error: impl std::fmt::Display) -> Stop {
    Stop(visible(&error.to_string()))
}

fn bounds(seconds: u64) -> Bounds {
    Bounds { within: Duration::from_secs(seconds), ..Bounds::default() }
}

impl Output {
    /// All of them, and the file each is committed in.
    #[cfg(test)]
    pub(crate) const ALL: [(Self, &'static str); 13] = [
        (Self::Import, "audit-import.json"),
        (Self::Pull, "audit-pull.json"),
        (Self::Forward, "audit-forward.json"),
        (Self::Collect, "audit-collect.json"),
        (Self::Query, "audit-query.json"),
        (Self::Tail, "audit-tail.json"),
        (Self::WhoDeleted, "audit-who-deleted.json"),
        (Self::Status, "audit-status.json"),
        (Self::Propose, "audit-propose.json"),
        (Self::Policy, "audit-policy.json"),
        (Self::Access, "audit-report.json"),
        (Self::Reconcile, "audit-reconcile.json"),
        (Self::Verify, "audit-verify.json"),
    ];

    /// Its schema, JSON Schema 2020-12.
    pub(crate) fn schema(self) -> String {
        crate::answer::schema(&match self {
            Self::Import => schema_for!(import::ImportView),
            Self::Pull => schema_for!(pull::PullView),
            Self::Forward => schema_for!(forward::ForwardView),
            Self::Collect => schema_for!(collect::CollectView),
            Self::Query => schema_for!(view::QueryView),
            Self::Tail => schema_for!(view::CallView),
            Self::WhoDeleted => schema_for!(view::WhoDeletedView),
            Self::Status => schema_for!(status::StatusView),
            Self::Propose => schema_for!(propose::ProposalView),
            Self::Policy => schema_for!(policy::EstimateView),
            Self::Access => schema_for!(sallyport_report::access::AccessView),
            Self::Reconcile => schema_for!(reconcile::ReconcileView),
            Self::Verify => schema_for!(proof::VerifyView),
        })
    }
}
