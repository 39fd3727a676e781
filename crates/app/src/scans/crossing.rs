//! Ways from one cluster into another, by what the kept readings of both say.

use super::Scans;
use super::detail::{failed, step};
use super::words::subject_named;
use crate::desk::AppError;
use sallyport_ipc::{CrossingLine, CrossingsView, Shown};
use sallyport_model::ErrorCode;
use sallyport_posture::crossing::{Crossing, crossings};
use sallyport_posture::path::Goal;
use sallyport_posture::{Ground, Origin};

/// Ways that are listed.
const WAYS: usize = 200;

impl Scans {
    /// Everybody's shortest way from one cluster to everything in another.
    ///
    /// # Errors
    /// When nobody is signed in, or nothing is kept of one of them.
    pub(crate) async fn crossings(&self, from: String, into: String) -> Result<CrossingsView, AppError> {
        let signed = self.person.signed()?;
        if from == into {
            return Err(AppError::new(ErrorCode::BadInput, "a way across leads from one cluster to another")
                .hint("Choose two different clusters."));
        }
        let open = self.open(&signed).await?;
        let (here, there) = (self.reading(&open, &from).await?, self.reading(&open, &into).await?);
        let looked = tokio::task::spawn_blocking(move || {
            let (here, there) = (here.snapshot(), there.snapshot());
            let found = crossings(&Ground::new(&here), &Ground::new(&there), &Goal::ClusterAdmin);
            let own: Vec<Crossing> =
                found.ways.into_iter().filter(|way| way.origin != Origin::Default).collect();
            CrossingsView {
                more: u32::try_from(own.len().saturating_sub(WAYS)).unwrap_or(u32::MAX),
                ways: own.iter().take(WAYS).map(line).collect(),
                gaps: found.gaps.iter().map(Shown::from).collect(),
            }
        });
        looked.await.map_err(|e| failed().because(e))
    }
}

fn line(way: &Crossing) -> CrossingLine {
    CrossingLine {
        subject: subject_named(&way.subject).into(),
        steps: way.hops.iter().map(|hop| step(hop, false)).collect(),
        across: u32::try_from(way.across).unwrap_or(u32::MAX),
    }
}
