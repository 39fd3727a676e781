//! What the desktop does, without a window: joining a team, signing in, opening a cluster, working in it, leaving with
//! proof, and the history of it all. What it needs of its surroundings is [`Host`], which a window implements and a story
//! can.
//!
//! # Parts
//!
//! Each part owns its state behind its own lock, and nobody calls upwards: what must happen in order across parts is a few
//! lines in `app`. From below:
//!
//! - `desk`: what every part stands on: host, options, directories, preferences, vault.
//! - `history`: written by every part, read by the window.
//! - `evidence`: what API servers' audit logs tell, beside the history: its archive, where its events come from, and one
//!   timeline of both.
//! - `recordings`: what terminals showed, where a profile has that recorded, and watching it again.
//! - `person`: a seat in each workspace that was joined (one is in front of the window): whether somebody sits there or
//!   tries to, and how that hub is. It publishes who is signed in and calls nobody.
//! - `inventory`: clusters and profiles, kept while somebody is signed in; what a click means.
//! - `holds`: what is held on this hub, and what that means for whoever is signed in.
//! - `sessions`: everything from a click to the last proof.
//! - `scans`: where clusters are weak: each scan a session, and what they read kept sealed.
//! - `approvals`: what is asked for in the person's teams, and their word on it.
//! - `reach`: who can ask for what, for those who look after a hub; read when they look.
//! - `told`: what of all that the person is told on their desktop while they look elsewhere.
//! - `support`: a support bundle, made of what the other parts show, and shown before it is written.
//!
//! `app` puts them together, and has what needs several of them in order; the function for each command of the window is
//! made from the list in `sallyport-ipc` (`commands`).
//!
//! # The life of a session
//!
//! A click becomes a session in `sessions::Sessions::open`, and from then on it belongs to one task, its owner
//! (`sessions::life`), which holds what there is of it by value: the key pair, the request, the token, the kubeconfig.
//! Everybody else (the window, signing out, quitting, the gateway's clock, the hub) can only ask it to end, and the first
//! `End` counts. Whatever the owner waits for, it waits for that too.
//!
//! It asks (`ask`): what will be asked is written down first, so that a crash leaves nothing that the next start does not
//! find; a refusal for want of MFA waits for the step-up. It follows (`follow`) what the hub says of the request, and what
//! ends one comes before what opens one (`word`): a request that was revoked, denied or taken back never opens. It unseals
//! and serves (`serve`): from the moment the seal is open there is a token whose end has to be proven. While it is open it
//! watches (`life`). Then it closes (`close`), and its first act is the gateway's cut: after that, at once and none waiting
//! for another, the session's own token ends its grant and probes past the gateway show it (`rights`), and the hub is told
//! for as long as it can't hear (`tell`). What all of that shows is folded by `proof`, which is pure. What was not shown is
//! looked at again until it is, or the app ends; then the next start goes on (`leftovers`).
//!
//! More time is a session of its own (`extend`) until it has what it asked for. Then the two owners exchange what they hold
//! of their requests, by value: the one that is open goes on with the new grant and token, its shells and its client
//! certificate as they were, and the other is left with what was there before, which it closes as above.

mod app;
mod approvals;
mod commands;
mod desk;
mod evidence;
mod history;
mod holds;
mod inventory;
mod person;
mod reach;
mod recordings;
mod scans;
mod sessions;
mod support;
mod told;

pub use app::App;
pub use desk::{AppError, Dirs, Host, LogTail, Notification, Notifier, Options, Output};
pub use person::{Workspace, Workspaces};
pub use sallyport_client::keep_out_of_core_dumps;
pub use sallyport_vault::Keyring;
