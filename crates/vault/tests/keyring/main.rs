//! The vault against a real keyring, a locked one, and none.

mod desktop;
mod fake;
mod vault;
mod waits;
