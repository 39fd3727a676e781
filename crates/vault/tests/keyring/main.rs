//! The vault against a real keyring, a locked one, and none.

mod desktop;
mod vault;
