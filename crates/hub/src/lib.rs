//! The hub as desktop and broker use it: who one is there, what there is, asking, approving, leaving, and the
//! sealed way a token comes back.
//!
//! Rights are the hub's own business: what is asked here about them decides what a window shows and never what is
//! allowed. Everything read is parsed object by object, so one that makes no sense hides no other.

#![deny(missing_docs)]

mod ask;
mod beats;
mod decision;
mod holds;
mod identity;
mod inventory;
mod may_request;
mod past;
mod profile;
mod reaffirm;
mod refused;
mod reports;
mod rights;
pub mod seal;
mod steps;
mod stored;
mod watch;

use std::time::Duration;

pub use ask::{Ask, evidence, request_name};
pub use beats::{Beat, spread, until_next_look};
pub use decision::decision_request;
pub use identity::Identity;
pub use inventory::{Listed, Page};
pub use may_request::MayRequest;
pub use past::past;
pub use profile::{Unwritten, Write, WrongField};
pub use refused::{Refused, StepUp};
pub use rights::{HoldRights, ProfileRights, Rights, Team};
pub use stored::{OwnGuardrails, StoredRbac, Unread};
pub use watch::{Change, Gone, watch};

/// Under this name a hub keeps which fields a desktop wrote.
const MANAGER: &str = "sallyport-desktop";

/// A hub: its client and the deadline of every call to it.
#[derive(Clone)]
pub struct Hub {
    client: kube::Client,
    deadline: Duration,
}

impl Hub {
    /// A hub behind this client. Nothing is contacted yet.
    pub fn new(client: kube::Client, deadline: Duration) -> Self {
        Self { client, deadline }
    }

    /// The client, for calls this crate has no words for.
    pub fn client(&self) -> &kube::Client {
        &self.client
    }
}
