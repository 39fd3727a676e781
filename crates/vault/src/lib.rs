//! Where secrets rest that outlive the process: refresh tokens, keys of open requests, the history's key.
//!
//! One file per data directory, encrypted as a whole (XChaCha20-Poly1305) under a key that lives in the desktop's
//! keyring. Without a keyring the vault keeps everything in memory and [`Vault::state`] says so; there is no mode in
//! which anything is written in plain text (promise P2). Other processes of the same user can ask an unlocked keyring
//! for the key: against those neither this nor any other keyring protects. What is too large for the vault rests on a
//! [`Shelf`], sealed with a key that is in the vault.

#![deny(missing_docs)]

mod error;
mod file;
mod item;
mod keyring;
mod shelf;
mod vault;

pub use error::Error;
pub use item::Item;
pub use keyring::Keyring;
pub use shelf::{LARGEST_KEPT, Shelf};
pub use vault::{Mishap, Vault, VaultConfig, VaultState};
