//! Checkpoints: what convinces somebody else. The keyed chain convinces whoever has its key; a checkpoint is signed, so
//! that its public key alone shows what the history was.

mod checkpoint;
mod compare;
mod handed;
mod key;
mod keys;
mod tree;
mod walk;

pub(crate) use compare::{Present, compare};
pub(crate) use keys::Keys;
pub(crate) use tree::node;

pub use checkpoint::{Checkpoint, CheckpointError, RESTATED};
pub use handed::{ANCHOR_KIND, checkpoints_in};
pub use key::{PublicKeyError, SealKey, SealPublic};
pub use tree::{Edge, TreeError, leaf};
pub use walk::{Anchor, Sealed, Seals, Stored, Wanted, verify_seals};
