//! What an API server's own audit log says, in one shape: one [`Event`] for each call, whoever wrote the line and
//! however it was wrapped on its way (a log file, an EventList, EKS, GKE, AKS).
//!
//! A line is known by its shape and never by the name of its file. It ends as an event, as something foreign or as
//! something bad, each with its [`Position`], and nothing in a line is fatal. Secrets are out of everything that is
//! handed on (P20). What a field says is marked with where it came from ([`Came`]): a cluster is not among the fields,
//! since no line is to be believed about it; the configuration of the source says which cluster it is.
//!
//! Pure: bytes come in, events go out. `fold` makes one call of its stages, `join` ties it to what this desktop
//! knows, `reconcile` compares both sides.

#![deny(missing_docs)]

mod came;
mod clean;
mod event;
mod fold;
mod found;
mod join;
mod known;
mod lines;
mod policy;
mod read;
mod reconcile;
mod same;
mod scan;
mod sentence;
mod time;

/// The longest line that is read, in bytes; the same that a webhook body may have.
pub const LINE_MOST: usize = 12 * 1024 * 1024;

pub use came::{Came, Field, Flaw, Flaws, Provenance};
pub use event::{Body, DENIED, Decision, Event, Level, Object, Shape, Stage, Stages, Text, User, is_denied};
pub use fold::{absorb, fold, is_same_call};
pub use found::{Bad, Counts, Foreign, Found, Position, What};
pub use join::{Joined, Key, Link, join};
pub use known::{Known, KnownCall, KnownSession};
pub use policy::{Policy, PolicyCall, PolicyError};
pub use read::{Reader, event_in};
pub use reconcile::{
    Away, Both, Bypass, Innocent, LevelOf, Reconciled, Record, Told, Unseen, hole, reconcile, unclean_stop,
};
pub use same::SKEW;
pub use sentence::Act;
