use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A word that is neither an action nor an outcome: the row was written by a newer version, or by someone else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a known {1}")]
pub struct UnknownWord(String, &'static str);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $kind:literal, { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(into = "&'static str", try_from = "String")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every one of them, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable text, as stored and as exported. Never changed once released.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    other => Err(UnknownWord(
                        sallyport_model::clip(&sallyport_model::visible(other), 40), $kind)),
                }
            }
        }
        impl TryFrom<String> for $name {
            type Error = UnknownWord;
            fn try_from(text: String) -> Result<Self, UnknownWord> {
                text.parse()
            }
        }
        impl From<$name> for &'static str {
            fn from(word: $name) -> &'static str {
                word.as_str()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What happened. A closed list: an action that is not here can't be written, and a filter can offer them all.
    Action, "action", {
        /// The app started on this data directory.
        AppStarted = "app_started",
        /// The app stopped in order; a history that ends in anything else was cut off.
        AppStopped = "app_stopped",
        /// A workspace file was accepted.
        WorkspaceJoined = "workspace_joined",
        /// Someone signed in, or tried to.
        SignIn = "sign_in",
        /// Someone signed out.
        SignOut = "sign_out",
        /// A stronger or fresher sign-in was asked for and given or not.
        StepUp = "step_up",
        /// The sign-in was renewed without a window.
        TokenRefresh = "token_refresh",
        /// A request was created on the hub.
        Ask = "ask",
        /// The broker offered what the request would really allow.
        Offer = "offer",
        /// This person approved someone's request.
        Approve = "approve",
        /// This person denied someone's request.
        Deny = "deny",
        /// A request of this person was approved, by whom or by which rule.
        Approved = "approved",
        /// A request of this person was denied.
        Denied = "denied",
        /// Nobody answered the request in time.
        Unanswered = "unanswered",
        /// The grant exists on the target.
        Granted = "granted",
        /// The rights were seen to work.
        Ready = "ready",
        /// The gateway serves the session.
        SessionOpen = "session_open",
        /// The session is over.
        SessionClosed = "session_closed",
        /// A terminal was opened.
        TerminalOpen = "terminal_open",
        /// A terminal is not known to stay on its cluster.
        TerminalUnguarded = "terminal_unguarded",
        /// The person uses a terminal all the same.
        TerminalTaken = "terminal_taken",
        /// A terminal ended.
        TerminalExit = "terminal_exit",
        /// A segment of a terminal's recording was closed; the detail says which, from when to when, and its SHA-256.
        Recorded = "recorded",
        /// This person watched a recording.
        RecordingWatched = "recording_watched",
        /// A recording was deleted, by this person or because it was too old or too much.
        RecordingDeleted = "recording_deleted",
        /// One request through the gateway.
        Call = "call",
        /// A request the gateway itself refused.
        CallRefused = "call_refused",
        /// A watch, exec, log or port-forward stream began.
        StreamStart = "stream_start",
        /// Such a stream ended.
        StreamEnd = "stream_end",
        /// A session goes on under a new grant; the detail says until when, and in place of which request.
        Extended = "extended",
        /// The requester left.
        Leave = "leave",
        /// This person ended someone's access.
        Revoke = "revoke",
        /// This person held somebody, a cluster or everything.
        Hold = "hold",
        /// This person ended a hold.
        HoldRemoved = "hold_removed",
        /// This person changed a profile or made one, or tried to.
        ProfileChanged = "profile_changed",
        /// This person's access was ended by someone else.
        Revoked = "revoked",
        /// The time was up.
        Expired = "expired",
        /// The gateway cut what was open.
        Cut = "cut",
        /// The session ended its own grant on the target, with its own token.
        GrantEnded = "grant_ended",
        /// For every role in every namespace, a call that was allowed is refused: the rights are gone.
        RightsGone = "rights_gone",
        /// The API server refuses the token itself.
        TokenRefused = "token_refused",
        /// The flush could not be proven; the detail says why.
        ProofUnproven = "proof_unproven",
        /// The broker says that nothing is left; weaker than a probe of our own.
        ProvenByBroker = "proven_by_broker",
        /// Something left over from an earlier run was removed.
        CleanupAtStart = "cleanup_at_start",
        /// A setting of this desktop was changed.
        SettingsChanged = "settings_changed",
        /// A support bundle was written; the detail says how many files it holds.
        SupportBundle = "support_bundle",
        /// A cluster was scanned, or questions about it were asked through a session; the detail says what came of it.
        Scan = "scan",
        /// A fix of something that a scan found was made through a session; the detail says what.
        FixApplied = "fix_applied",
        /// What was kept of scans was deleted.
        ScanForgotten = "scan_forgotten",
        /// This person answers for something that a scan found, or does not any more.
        Excepted = "excepted",
        /// A cluster tells of a call by a session that its gateway did not send; the detail says what it did.
        Bypass = "bypass",
        /// This person looked at somebody's access, or at a cluster's, and says what came of it ([`crate::Review`]).
        AccessReviewed = "access_reviewed",
        /// This person handed on a selection of the audit; the detail says what, as what, how many, and the file's SHA-256.
        Exported = "exported",
        /// A report of what is kept of scans was written.
        ScanReport = "scan_report",
        /// Evidence is missing between two moments.
        Gap = "gap",
        /// The chain was checked.
        Verify = "verify",
        /// This person had another sealing key made, which the one before it named; the detail says both fingerprints.
        SealRenewed = "seal_renewed",
        /// A chain begins here; the detail says under which key, and why if not the first.
        ChainBegun = "chain_begun",
    }
}

words! {
    /// How it went.
    Outcome, "outcome", {
        /// As wanted.
        Ok = "ok",
        /// Someone with the right to say no said no.
        Refused = "refused",
        /// It went wrong.
        Failed = "failed",
        /// Nobody can tell.
        Unknown = "unknown",
    }
}

impl Action {
    /// Whether it tells of a call or a stream through the gateway, and not of a step of the desktop: one session may have
    /// hundreds of thousands of these.
    pub const fn is_call(self) -> bool {
        matches!(self, Self::Call | Self::CallRefused | Self::StreamStart | Self::StreamEnd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back_and_no_two_are_alike() {
        let mut seen = std::collections::BTreeSet::new();
        for action in Action::ALL {
            assert_eq!(action.as_str().parse::<Action>().unwrap(), *action);
            assert!(seen.insert(action.as_str()), "{action} twice");
            assert!(action.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        }
        for outcome in Outcome::ALL {
            assert_eq!(outcome.as_str().parse::<Outcome>().unwrap(), *outcome);
        }
        assert!("Call".parse::<Action>().is_err() && "".parse::<Outcome>().is_err());
    }
}
