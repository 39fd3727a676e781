//! Signing in against a real OpenID provider, and against one that lies.

// The provider and the browser belong to the testkit, which depends on every crate of the workspace, this one
// included; compiled in here they cost this crate's tests nothing else.
#[allow(dead_code, unused_imports, unreachable_pub)]
#[path = "../../../testkit/src/browser.rs"]
mod browser;
#[allow(dead_code, unused_imports, unreachable_pub)]
#[path = "../../../testkit/src/idp.rs"]
mod idp;

mod chromium;
mod hostile;
mod imitated;
mod itself;
mod liar;
mod refresh;
mod sign_in;
