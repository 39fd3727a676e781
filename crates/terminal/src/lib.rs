//! The terminal of a session: a shell whose kubeconfig names one cluster, whose environment brings no other
//! credentials along, and of which nothing is left when it is closed.
//!
//! What it guards against is accident, not intent: the shell runs as the person, who may read their own files. The
//! gateway and the API server are what limits a session. Where the guard is known not to hold, it is said before a
//! line is run.

#![deny(missing_docs)]

mod environment;
mod guard;
mod kubeconfig;
mod modes;
mod output;
mod private;
mod processes;
mod remark;
mod shell;
mod size;
mod tape;
mod terminal;

pub use environment::Environment;
pub use guard::Guard;
pub use kubeconfig::{KubeconfigError, KubeconfigSpec, Located, PrivateKubeconfig};
pub use output::{Acks, Attachment};
pub use private::{Swept, sweep};
pub use remark::Remark;
pub use shell::{Installed, Shell, installed, own};
pub use size::Size;
pub use tape::{Taking, Tape};
pub use terminal::{Closed, Exit, Terminal, TerminalError, TerminalOptions};
