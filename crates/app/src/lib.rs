//! What the desktop does, without a window: joining a team, signing in, opening a cluster, working in it, leaving with
//! proof, and the history of it all.
//!
//! [`App`] has one async function per command of the window, in the file of its noun. Everything below is an adapter
//! that knows nothing of the others; they meet here and nowhere else. What the app needs of its surroundings is
//! [`Host`], which a window implements and a story can.

mod calls;
mod choosing;
mod cleanup;
mod closing;
mod clusters;
mod core;
mod dirs;
mod error;
mod faults;
mod following;
mod history;
mod host;
mod inventory;
mod leaving;
mod notes;
mod opening;
mod options;
mod secrets;
mod sentence;
mod serving;
mod session;
mod session_record;
mod sign_in;
mod sign_out;
mod state;
mod terminals;
mod waiting;
mod workspace;

pub use crate::core::App;
pub use dirs::Dirs;
pub use error::AppError;
pub use host::{Host, Output};
pub use options::Options;
pub use sallyport_client::keep_out_of_core_dumps;
pub use sallyport_vault::Keyring;
pub use workspace::{Workspace, Workspaces};
