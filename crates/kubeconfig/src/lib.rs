//! A kubeconfig as data (promise P5): what its contexts name, and how each user would sign in.
//!
//! Reading one executes nothing, reads no environment and no file that it names: whoever has the person's word for one
//! context reads that context's files with [`Kept::read`]. What kubectl would run or send beyond that is told, and
//! refused by [`User::sign_in`]. Shapes and rules as in `client-go/tools/clientcmd` of Kubernetes.

#![deny(missing_docs)]

mod entry;
mod error;
mod fields;
mod kept;
mod read;
#[cfg(test)]
mod tests;
mod user;

pub use entry::{Cluster, Entry, Kubeconfig};
pub use error::{Fault, KubeconfigError, MOST};
pub use kept::Kept;
pub use user::{Exec, Method, Refused, SignIn, User};
