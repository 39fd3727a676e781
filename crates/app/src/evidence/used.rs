//! What the clusters' logs tell of somebody's calls on one cluster, for a role that would have been enough.

use super::{Evidence, lacks, left};
use crate::desk::AppError;
use sallyport_archive::{Answer, Column, Filter, Whose, seen};
use sallyport_ipc::LacksView;
use sallyport_rbac::propose::Seen;

/// What was seen, and how far the logs reach.
pub(crate) struct SeenOn {
    pub(crate) seen: Seen,
    /// The first and the last moment of which there is any call on that cluster, in microseconds of Unix time; none: there is
    /// none.
    pub(crate) reach: Option<(i64, i64)>,
    pub(crate) lacks: LacksView,
}

impl Evidence {
    /// What somebody did on a cluster; none where no log of any cluster was ever read.
    ///
    /// # Errors
    /// When the archive can't be asked, or a newer question took this one's place.
    pub(crate) async fn seen_on(&self, cluster: &str, whose: Whose) -> Result<Option<SeenOn>, AppError> {
        let here = Filter::default().only(Column::Cluster, cluster);
        self.ask("used", move |archive, bounds| {
            let began = std::time::Instant::now();
            let found = seen(archive, &whose, &here, bounds)?;
            let reach = archive.combinations(&here, &[Column::Cluster], 1, &left(bounds, began))?;
            let lacks = super::both(lacks(&found), &lacks(&reach));
            let Answer { value: reach, .. } = reach;
            Ok(SeenOn {
                seen: found.value,
                reach: reach.rows.first().map(|row| (row.first, row.last)),
                lacks,
            })
        })
        .await
    }
}

/// What a log tells of a name, through an archive of its own; without a log there is no archive.
#[cfg(test)]
pub(crate) async fn seen_in(log: Option<&[serde_json::Value]>, cluster: &str, name: &str) -> Option<SeenOn> {
    let bench = super::tests::bench().await;
    if let Some(log) = log {
        bench.log(log).await;
    }
    bench.evidence.seen_on(cluster, Whose::Person(name.to_owned())).await.unwrap()
}
