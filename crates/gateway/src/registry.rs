//! Which certificate belongs to which session.

use crate::session::Session;
use sallyport_model::{Digest, SessionId};
use std::sync::{Arc, PoisonError, RwLock};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// How many closed sessions still answer with their reason; older ones are forgotten.
const REMEMBERED: usize = 64;

#[derive(Default)]
pub(crate) struct Registry {
    known: RwLock<Vec<(Digest, Arc<Session>)>>,
}

impl Registry {
    /// `false` when a session of that id is known already.
    pub(crate) fn add(&self, fingerprint: Digest, session: Arc<Session>) -> bool {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.iter().any(|(_, other)| other.id == session.id) {
            return false;
        }
        let mut closed = known.iter().filter(|(_, session)| !session.is_open()).count();
        known.retain(|(_, session)| {
            let forgotten = closed > REMEMBERED && !session.is_open();
            closed -= usize::from(forgotten);
            !forgotten
        });
        known.push((fingerprint, session));
        true
    }

    /// The session of a certificate. Every fingerprint is compared whole, whichever fits.
    pub(crate) fn by_certificate(&self, fingerprint: &Digest) -> Option<Arc<Session>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = u64::MAX;
        for (at, (other, _)) in (0_u64..).zip(known.iter()) {
            let same: Choice = other.bytes().ct_eq(fingerprint.bytes());
            found.conditional_assign(&at, same);
        }
        usize::try_from(found).ok().and_then(|at| known.get(at)).map(|(_, session)| session.clone())
    }

    pub(crate) fn session(&self, id: &SessionId) -> Option<Arc<Session>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(_, session)| session.id == *id).map(|(_, session)| session.clone())
    }

    /// Whether a session that is open, or still answers with its reason, was served on that port.
    pub(crate) fn has_port(&self, port: u16) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().any(|(_, session)| session.port == port)
    }

    pub(crate) fn sessions(&self) -> Vec<Arc<Session>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(_, session)| session.clone()).collect()
    }
}
