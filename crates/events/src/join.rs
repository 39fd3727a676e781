//! Which call, session and request an API server's event belongs to, by the strongest key there is.

use crate::same::{SKEW, Same, is_that_call};
use crate::{Event, Known};

/// What an event was tied by, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The id that the gateway minted for the call, by the token or the account that it was minted for, and nothing says
    /// that it is another call. An id alone ties nothing: whoever sees one can send it along with a call of their own.
    AuditId,
    /// The id of the session's token (KEP-4193).
    Jti,
    /// The name of the session's ServiceAccount, which nobody else ever has.
    Account,
    /// The credential that the call issued: the mint of a session's token.
    Issued,
    /// The person and the time, and nothing better: it may be wrong.
    UserAndTime,
}

impl Key {
    /// Whether it says what happened, or only what may have.
    pub fn is_inferred(self) -> bool {
        self == Self::UserAndTime
    }
}

/// What an event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// By what.
    pub key: Key,
    /// Which of [`Known::sessions`].
    pub session: usize,
    /// Which of [`Known::calls`], if it is one of them.
    pub call: Option<usize>,
}

/// What is known of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Joined {
    /// What it belongs to.
    pub link: Option<Link>,
    /// Whether it carries the id of a call that it is not: somebody else's, or one that did something else or at another
    /// time. No accident, since ids are drawn by lot.
    pub borrows_an_id: bool,
}

/// Ties one event, or one folded call, to what is known of its cluster.
pub fn join(event: &Event<'_>, known: &Known) -> Joined {
    let by_token = event.jti().and_then(|jti| known.of_jti(jti));
    let by_account = known.of_account(event);
    let call = known.call(&event.audit_id);
    let minted = call.filter(|at| {
        let call = &known.calls()[*at];
        let is_by_it = match event.jti() {
            Some(jti) => call.jti.as_str() == jti,
            // GKE and old servers do not say which token it was.
            None => by_account == Some(call.session),
        };
        is_by_it && is_that_call(event, call) != Same::No
    });
    let borrows_an_id = call.is_some() && minted.is_none();
    let link = |key: Key, session: usize, call: Option<usize>| Some(Link { key, session, call });
    let found = minted
        .and_then(|at| link(Key::AuditId, known.calls()[at].session, Some(at)))
        .or_else(|| link(Key::Jti, by_token?, None))
        .or_else(|| link(Key::Account, by_account?, None))
        .or_else(|| {
            let issued = event.issued_credential.as_deref()?.strip_prefix("JTI=")?;
            link(Key::Issued, known.of_jti(issued)?, None)
        })
        .or_else(|| link(Key::UserAndTime, by_user(event, known)?, None));
    Joined { link: found, borrows_an_id }
}

/// The one session that this person had at that time; of two, neither.
fn by_user(event: &Event<'_>, known: &Known) -> Option<usize> {
    let at = event.at()?;
    let mut fits = known.sessions().iter().enumerate().filter(|(_, session)| {
        session.user.as_ref().is_some_and(|user| user.as_str() == event.user.name)
            && (session.from.saturating_sub(SKEW)..=session.to.saturating_add(SKEW)).contains(&at)
    });
    match (fits.next(), fits.next()) {
        (Some((session, _)), None) => Some(session),
        _ => None,
    }
}
