//! A grant on a target: what has to exist, making it, asking until it works, removing it, and proving it gone.
//!
//! [`plan`] is pure: from a [`sallyport_policy::Permit`] and what exists it says what is missing. Everything it names
//! is *created*, never applied, and found objects count only when owner and content are what would have been made,
//! so the same plan can be carried out again after a crash at any point. Readiness and proof are asked over connections
//! of their own: they must not profit from a pool that authenticated earlier.
//!
//! The broker runs this with its ServiceAccount.

#![deny(missing_docs)]

mod error;
mod execute;
mod flush;
mod leftover;
mod mint;
mod observe;
mod observed;
mod plan;
mod proof;
mod question;
mod ready;
mod strays;
mod target;
mod witness;

pub use error::ProvisionError;
pub use execute::account_of;
pub use flush::Flushed;
pub use leftover::{Leftover, Why};
pub use mint::Minted;
pub use observed::{Observed, end_of, is_of_session};
pub use plan::{MINT_SLACK, Plan, SHORTEST_MINT, SessionPlan, Unfit, plan};
pub use proof::{OwnEnd, Progress, Proof, Proven, end_own_grant};
pub use question::{On, Question};
pub use ready::{NotReady, Ready, until_ready};
pub use strays::strays;
pub use target::Target;
pub use witness::Witnesses;
