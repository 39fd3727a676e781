//! Are the target's guardrails in force (P12)? Equal to what was shipped *and* seen to refuse (attack 16).

use crate::broker::Broker;

/// The verdict and what it rests on.
pub(crate) struct Verdict {
    pub(crate) verified: bool,
    pub(crate) detail: String,
}

impl Broker {
    pub(crate) async fn verify_guardrails(&self) -> Verdict {
        Verdict { verified: false, detail: "not checked".to_owned() }
    }
}
