//! Signing in against a real OpenID provider, and against one that lies.

mod chromium;
mod hostile;
mod imitated;
mod itself;
mod liar;
mod refresh;
mod sign_in;
mod vouch;
