//! The history's vocabulary: what an entry is, how secrets are kept out of it, and the keyed chain that makes every
//! later change visible. Pure: no clock, no file, no database; `sallyport-store` keeps what is made here.

#![deny(missing_docs)]

mod action;
mod chain;
mod detail;
mod diagnose;
mod entry;
mod pack;
mod pseudonym;
mod redact;
mod review;
mod seal;
mod verdict;
mod verify;

pub use action::{Action, Outcome, UnknownWord};
pub use chain::{Chain, ChainKey, Head, HeadError, Linked};
pub use detail::{Detail, ends};
pub use entry::{Draft, Entry};
pub use pack::{
    LeftOut, Line, LineError, PackEnd, PackHead, PackTold, PackVerdict, PackWriter, entry_json,
    parse_entry_json, verify_pack,
};
pub use pseudonym::{Kind, Names};
pub use redact::{
    REDACTED, Redacted, args as redact_args, is_sensitive as is_sensitive_key, leaving as redact_leaving,
    text as redact_text, url as redact_url,
};
pub use review::{NOTE_MOST, Review, Reviewed, Ruling};
pub use seal::{
    ANCHOR_KIND, Anchor, Checkpoint, CheckpointError, Edge, PublicKeyError, RESTATED, SealKey, SealPublic,
    Sealed, Seals, Stored, TreeError, Wanted, checkpoints_in, leaf, verify_seals,
};
pub use verdict::{Fault, Unanchored, Unreadable, Verdict};
pub use verify::verify;
