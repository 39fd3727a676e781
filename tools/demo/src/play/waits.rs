//! How long the play waits, and where it goes.

use std::time::Duration;

// A wait lasts as long as it has to; these are for machines that build something else at the same time.
pub(super) const SOON: Duration = Duration::from_secs(20);
pub(super) const LATER: Duration = Duration::from_secs(60);
pub(super) const PRODUCTION: &str = "payments-eu-1";
pub(super) const STAGE: &str = "checkout-stage";
