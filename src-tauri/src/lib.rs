//! The desktop's composition root: one window, its commands as thin adapters, and the host the use cases ask for.
//!
//! Everything that decides or remembers is in `sallyport-app`; nothing imports this crate.

mod commands;
#[cfg(target_os = "linux")]
mod freedesktop;
mod host;
mod logs;
mod start;
mod window;

pub use start::run;
