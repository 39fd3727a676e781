//! All that log stores have of a question, as far as that is looked for: what the pages beside the timeline are made of.

use super::seen::{Question, Reach, no_further};
use super::{For, NEWEST, Said, host};
use crate::desk::AppError;
use crate::evidence::{Evidence, saved};
use sallyport_archive::Archive;
use sallyport_engine::Wanted;
use sallyport_ipc::{Shown, StoreLacks};
use sallyport_store::AuditStore;
use std::sync::Arc;

/// What became of what was seen while somebody read it.
const GONE: &str = "was asked anew meanwhile";

/// What was seen of one store.
pub(in crate::evidence) struct SeenIn {
    /// In which look.
    pub(in crate::evidence) look: u64,
    /// Where it lies.
    pub(in crate::evidence) archive: Arc<Archive>,
    /// In microseconds: at or after that moment all that the store has was seen; none where all was.
    pub(in crate::evidence) before: Option<i64>,
    /// From when to when the store has anything of the cluster, where that was asked.
    pub(in crate::evidence) ends: Option<(i64, i64)>,
    /// Which store it is.
    pub(in crate::evidence) store: Shown,
}

impl SeenIn {
    /// What is missing where it went before it was read.
    pub(in crate::evidence) fn gone(&self) -> StoreLacks {
        StoreLacks {
            store: self.store.clone(),
            why: Shown::from(GONE),
            before_us: None,
            // Nobody else tells of it.
            is_pending: false,
            has_failed: true,
        }
    }
}

impl Evidence {
    /// What stores have of a question in a stretch of time, and what is missing of it. One that has not answered within a
    /// moment is told of once it has. With `of_cluster` it is asked from when to when each tells of the cluster.
    pub(in crate::evidence) async fn seen_in_stores(
        self: &Arc<Self>,
        why: For,
        (from, to): (Option<i64>, Option<i64>),
        of_cluster: bool,
        words: impl Fn(&AuditStore) -> Option<Wanted>,
    ) -> Result<(Vec<SeenIn>, Vec<StoreLacks>), AppError> {
        let stores = self.desk.prefs.audit_stores().await.map_err(saved::unkept)?;
        let asks = stores.into_iter().filter_map(|store| {
            let wanted = words(&store)?;
            let place = self.stores.place(why, Question { store, wanted, from, to });
            Some(async move {
                let answered = self.answer(&place, NEWEST, move |seen| {
                    let reach = seen.whole(of_cluster)?;
                    let failed = reach.why.clone().filter(|_| reach.has_failed);
                    Ok(Said { what: reach, failed })
                });
                let answered = answered.await;
                (place, answered)
            })
        });
        let (mut seen, mut lacks) = (Vec::new(), Vec::new());
        for (place, answered) in futures::future::join_all(asks).await {
            let Reach { before, why, ends, has_failed } = match answered {
                Ok(reach) => reach,
                Err(missing) => {
                    lacks.push(missing);
                    continue;
                }
            };
            match why {
                Some(why) => lacks.push(StoreLacks { has_failed, ..place.lacks(&why, before) }),
                None if from.is_none() => lacks.push(place.lacks(&no_further(), None)),
                None => {}
            }
            let store = Shown::from(host(&place.question.store));
            match self.stores.archive(place.number) {
                Some(archive) => seen.push(SeenIn { look: place.number, archive, before, ends, store }),
                // It was forgotten since.
                None => lacks.push(StoreLacks { has_failed: true, ..place.lacks(GONE, None) }),
            }
        }
        Ok((seen, lacks))
    }
}
