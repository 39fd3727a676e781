//! Whether a request may become access. Pure: no clock, no I/O; whoever calls brings request, live profile, facts
//! and the time along, and gets a [`Decision`].
//!
//! A [`Permit`] is the proof that a decision allowed something: its fields are private, so only [`decide`] makes one, and
//! `provision` can't be called without. [`SessionPermit`] is the same for the desktop's gateway.
//!
//! Guardrails in the API server check most of this as well, but they fail open when a profile is gone or not seen yet (no
//! parameter, no check), so everything is decided again here from the live profile before anything is granted (P7).

#![deny(missing_docs)]

mod auto;
mod day;
mod decide;
mod fit;
mod offer;
mod permit;
mod reaffirm;
mod session;

pub use auto::{Asking, Met, Outlook, Unmet, changes, evaluate, outlook};
pub use day::{DAY, KEPT_AT_LEAST, Past, Spell, left_of_day, spent, uncountable};
pub use decide::{
    Approval, Decision, OPEN_PER_PERSON_MOST, Request, UNANSWERED_AFTER, WaitFor, decide, given,
};
pub use fit::{CLOCKS_APART_MOST, Facts, fits, too_large_to_show, unfit, without};
pub use offer::{Offer, digest, offer};
pub use permit::Permit;
pub use reaffirm::{Vouched, vouched};
pub use session::{SessionFacts, SessionPermit, admit_session};
