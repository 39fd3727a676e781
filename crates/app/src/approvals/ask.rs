//! Who asks this person, for the part that tells them.

use super::{Approvals, view};
use crate::person::WorkspaceId;
use sallyport_api::AccessRequest;
use sallyport_ipc::Decide;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A request that is this person's to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    /// Its UID.
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) cluster: String,
    pub(crate) environment: String,
    pub(crate) profile: String,
    pub(crate) namespaces: Vec<String>,
    /// As the request has it: `1h`.
    pub(crate) duration: String,
    pub(crate) reason: String,
}

/// Those that wait for one person and did not when their team was listed first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asks {
    /// Whose they are: the workspace and which sign-in there; none while nobody is signed in.
    pub(crate) sign_in: Option<(WorkspaceId, u64)>,
    pub(crate) waiting: Vec<Ask>,
}

impl Approvals {
    /// Who asks the person in front, of those who did not when they signed in.
    pub(crate) fn asks(&self) -> Asks {
        let Some(signed) = self.person.is_signed_in() else { return Asks::default() };
        let new: Vec<(String, Arc<AccessRequest>)> = self.look(&signed.workspace, |open| {
            open.new_ones().map(|(uid, object)| (uid.clone(), object.clone())).collect()
        });
        let theirs = |(uid, object): (String, Arc<AccessRequest>)| {
            let known = self.inventory.known_for(&signed.workspace, &object);
            let is_sound = self.checked(&object, &known).is_none();
            let is_theirs = view::decide(&object, &signed.who, &known, is_sound) == Decide::Yes;
            is_theirs.then(|| Ask::of(uid, &object, known.environment))
        };
        let waiting = new.into_iter().filter_map(theirs).collect();
        Asks { sign_in: Some((signed.workspace.clone(), signed.number)), waiting }
    }
}

impl Ask {
    fn of(id: String, object: &AccessRequest, environment: String) -> Self {
        let spec = &object.spec;
        Self {
            id,
            user: spec.user.clone(),
            cluster: spec.cluster.clone(),
            environment,
            profile: spec.profile.clone(),
            namespaces: spec.namespaces.clone(),
            duration: spec.duration.clone(),
            reason: spec.reason.clone(),
        }
    }
}

/// Those of a list that wait for people: there is something to say yes to.
pub(super) fn waiting(objects: &[AccessRequest]) -> BTreeSet<String> {
    objects
        .iter()
        .filter(|object| object.offer().is_some())
        .filter_map(|object| object.metadata.uid.clone())
        .collect()
}
