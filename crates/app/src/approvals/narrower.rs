//! The next narrower profile of a request that is looked at: whether its requester may ask for it is asked of the hub, where
//! whoever looks may ask that ([0051](../../../../docs/adr/0051-whether-somebody-may-ask-for-less.md)).

use super::Approvals;
use super::offer::{self, Narrower};
use crate::person::Signed;
use sallyport_api::AccessRequest;
use sallyport_hub::MayRequest;
use sallyport_ipc::NarrowerView;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

/// Requests whose next narrower profile is kept.
const LOOKED: usize = 64;
/// Profiles that are asked about for one request.
const ASKED: usize = 8;
/// As long as that takes: what was not answered by then is not known.
const WITHIN: Duration = Duration::from_secs(3);

/// What was found for the requests that were looked at last.
#[derive(Default)]
pub(super) struct Looked {
    found: VecDeque<Found>,
    /// The UID of the request that is looked at, and what the hub said of its requester.
    card: String,
    said: BTreeMap<MayRequest, bool>,
}

struct Found {
    uid: String,
    /// The digest of the offer that it was compared with.
    offer: String,
    view: NarrowerView,
}

impl Looked {
    /// What the hub said is kept as long as the same request is looked at, whatever is offered meanwhile.
    fn turn_to(&mut self, uid: &str) {
        if self.card != uid {
            (self.card, self.said) = (uid.to_owned(), BTreeMap::new());
        }
    }

    fn of(&self, uid: &str, offer: &str) -> Option<&NarrowerView> {
        self.found.iter().find(|one| one.uid == uid && one.offer == offer).map(|one| &one.view)
    }

    /// Whether that is news.
    fn keep(&mut self, uid: &str, offer: &str, view: Option<NarrowerView>) -> bool {
        let is_news = self.of(uid, offer) != view.as_ref();
        self.found.retain(|one| one.uid != uid);
        self.found.extend(view.map(|view| Found { uid: uid.to_owned(), offer: offer.to_owned(), view }));
        if self.found.len() > LOOKED {
            self.found.pop_front();
        }
        is_news
    }
}

impl Approvals {
    pub(super) fn looked(&self) -> MutexGuard<'_, Looked> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next narrower profile, where it was looked for.
    pub(super) fn narrower(&self, object: &AccessRequest) -> Option<NarrowerView> {
        let (uid, offer) = (object.metadata.uid.as_deref()?, object.offer()?);
        self.looked().of(uid, &offer.digest).cloned()
    }

    /// Looks for it, unless another request is looked at meanwhile. Nobody waits for this.
    pub(super) async fn look_for_narrower(self: Arc<Self>, signed: Arc<Signed>, object: Arc<AccessRequest>) {
        let (Some(uid), Some(offer)) = (object.metadata.uid.as_deref(), object.offer()) else { return };
        let Ok(cluster) = object.spec.cluster.parse() else { return };
        self.looked().turn_to(uid);
        let looking = async {
            let candidates = self.inventory.candidates(&signed, &cluster).await;
            self.first_askable(&signed, &object, &offer::narrower(&object, &candidates)).await
        };
        let view = tokio::select! {
            view = looking => view,
            () = signed.stop.cancelled() => return,
        };
        let is_news = {
            let mut looked = self.looked();
            // Whoever clears a sign-in that is over has been here, or is still to come.
            !signed.stop.is_cancelled() && looked.card == uid && looked.keep(uid, &offer.digest, view)
        };
        if is_news {
            self.changed.notify_one();
        }
    }

    /// The first that the hub lets the requester ask for; where it says that of none, the first that it does not refuse.
    async fn first_askable(
        &self,
        signed: &Signed,
        object: &AccessRequest,
        fits: &[Narrower<'_>],
    ) -> Option<NarrowerView> {
        let mut said: Vec<Option<bool>> = vec![None; fits.len()];
        if self.inventory.may_review(&signed.workspace) {
            let asking = async {
                for (one, said) in fits.iter().zip(&mut said).take(ASKED) {
                    *said = match self.may_request(signed, object, one).await {
                        Ok(said) => said,
                        // The others would be answered no better.
                        Err(fault) => {
                            tracing::debug!("whether a requester may ask for less can't be asked: {fault}");
                            return;
                        }
                    };
                    if *said == Some(true) {
                        return;
                    }
                }
            };
            // What is known by then is taken.
            let _ = tokio::time::timeout(WITHIN, asking).await;
        }
        let first = |wanted: Option<bool>| fits.iter().zip(&said).find(|(_, said)| **said == wanted);
        let (found, said) = first(Some(true)).or_else(|| first(None))?;
        Some(found.view(object, *said == Some(true)))
    }

    async fn may_request(
        &self,
        signed: &Signed,
        object: &AccessRequest,
        one: &Narrower<'_>,
    ) -> Result<Option<bool>, sallyport_client::Fault> {
        let uid = object.metadata.uid.as_deref().unwrap_or_default();
        let question = MayRequest::under(object, one.profile.as_str());
        let known = {
            let looked = self.looked();
            // Whoever walks down the list has questions asked about the one where they stop.
            if looked.card != uid {
                return Ok(None);
            }
            looked.said.get(&question).copied()
        };
        if known.is_some() {
            return Ok(known);
        }
        let said = self.hub(signed).may_request(&question).await?;
        let mut looked = self.looked();
        if let Some(said) = said.filter(|_| looked.card == uid) {
            looked.said.insert(question, said);
        }
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(profile: &str) -> NarrowerView {
        NarrowerView { profile: profile.into(), adds: Vec::new(), is_askable: false }
    }

    #[test]
    fn what_was_found_is_shown_beside_the_offer_that_it_was_compared_with() {
        let mut looked = Looked::default();
        assert!(looked.keep("r", "one", Some(view("view"))) && !looked.keep("r", "one", Some(view("view"))));
        assert_eq!(looked.of("r", "one"), Some(&view("view")));
        assert_eq!((looked.of("r", "two"), looked.of("s", "one")), (None, None));
        assert!(looked.keep("r", "one", None) && looked.of("r", "one").is_none());
        for n in 0..=LOOKED {
            looked.keep(&n.to_string(), "one", Some(view("view")));
        }
        assert!(looked.of("0", "one").is_none() && looked.of("1", "one").is_some());
    }
}
