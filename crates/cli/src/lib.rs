//! The command line `sallyport`: where a cluster is weak, from a kubeconfig, from files or from a kept snapshot, and what
//! API servers' audit logs tell, without a window and without a hub.
//!
//! Arguments (`args`) name a source (`source`), which is read into what is shown (`sallyport_report`), and one of `people`, `sarif`
//! and `csv` writes that, or serde does; `audit` reads log files into an archive and asks it. **Invariants**: no environment is read and nothing is executed (promise P5);
//! what could not be read is never told as fine (promise P21); texts of a cluster reach a terminal with their hidden
//! characters visible (promise P24); nothing is changed but by `fix --apply`, with the rights of the kubeconfig that was named.

#![deny(missing_docs)]

mod answer;
mod apply;
mod args;
mod audit;
mod csv;
mod diff;
mod end;
mod exceptions;
mod fix;
mod held;
mod paths;
mod people;
mod question;
mod read;
mod report;
mod run;
mod sarif;
mod say;
mod schema;
mod signals;
mod source;
mod used;
mod who;
mod write;

pub use run::start;
