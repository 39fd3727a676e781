//! An entry in one sentence, for people. The stable words are in the entry itself.

use sallyport_audit::{Action, Entry, Outcome, Review, Reviewed, Ruling};
use sallyport_report::handed::EVENTS_SHA256;

/// What was probed: the questions with their number, or the path of an entry that knows one only.
fn asked(get: &dyn Fn(&str) -> Option<String>) -> String {
    match (get("asked"), get("rights")) {
        (Some(asked), Some(rights)) if rights != "1" => format!("each of {rights} rights ({asked})"),
        (Some(asked), _) => asked,
        (None, _) => get("path").unwrap_or_else(|| "a call that was allowed".to_owned()),
    }
}

/// A review, with what came of it.
fn reviewed(review: &Review) -> String {
    let of = match &review.of {
        Reviewed::Person(name) => format!("the access of {name}"),
        Reviewed::Cluster(cluster) => format!("the access to {cluster}"),
        Reviewed::Standing(cluster) => format!("standing access on {cluster}"),
    };
    let ruling = match review.ruling {
        Ruling::Kept => "it is kept",
        Ruling::ToBeRemoved => "something of it is to be removed",
    };
    let note = if review.note.is_empty() { String::new() } else { format!(", “{}”", review.note) };
    format!("Reviewed {of}: {ruling}{note}")
}

/// What happened, from the entry's own facts.
pub(crate) fn sentence(entry: &Entry) -> String {
    let get =
        |key: &str| entry.detail.get(key).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
    let or = |key: &str, other: &str| get(key).unwrap_or_else(|| other.to_owned());
    let cluster = entry.cluster.as_ref().map_or_else(|| "a cluster".to_owned(), ToString::to_string);
    let ms = get("ms").map(|ms| format!(", {ms} ms")).unwrap_or_default();
    let why = get("why").map(|why| format!(": {why}")).unwrap_or_default();
    let (failed, is_unknown) = (entry.outcome != Outcome::Ok, entry.outcome == Outcome::Unknown);
    match entry.action {
        Action::AppStarted => "Sallyport started".into(),
        Action::AppStopped => "Sallyport stopped".into(),
        Action::WorkspaceJoined if failed => format!("Workspace refused{why}"),
        Action::WorkspaceJoined => {
            format!("Joined {} at {}", or("workspace", "a workspace"), or("hub", "its hub"))
        }
        Action::SignIn if failed => format!("Sign-in failed{why}"),
        Action::SignIn => format!("Signed in with {}", or("amr", "the identity provider")),
        Action::SignOut => format!("Signed out, {}", or("provider", "the provider was not told")),
        Action::StepUp if failed => format!("Stronger sign-in failed{why}"),
        Action::StepUp => format!("Signed in again with {}", or("amr", "the identity provider")),
        Action::TokenRefresh if failed => format!("The sign-in could not be renewed{why}"),
        Action::TokenRefresh => "The sign-in was renewed".into(),
        Action::Ask if failed => {
            format!("Asking for {} on {cluster} was refused{why}", or("profile", "access"))
        }
        Action::Ask => {
            let reason =
                get("reason").filter(|r| !r.is_empty()).map(|r| format!(", “{r}”")).unwrap_or_default();
            format!(
                "Asked for {} on {cluster} for {}{reason}",
                or("profile", "access"),
                or("duration", "a while")
            )
        }
        Action::Offer => format!("Offered {} rules on {cluster}", or("rules", "some")),
        Action::Approve if failed => format!("A request was not approved{why}"),
        Action::Approve => {
            format!("Approved {} on {cluster} for {}", or("profile", "a profile"), or("for", "someone"))
        }
        Action::Deny if failed => format!("A request was not denied{why}"),
        Action::Deny => {
            format!("Denied {} on {cluster} to {}{why}", or("profile", "a profile"), or("for", "someone"))
        }
        Action::Approved => format!("Approved {}{ms}", or("by", "at once")),
        Action::Denied => format!("Denied{why}"),
        Action::Unanswered => "Nobody answered in time".into(),
        Action::Granted => format!("Granted as {}{ms}", or("account", "a session account")),
        Action::Ready if failed => format!("The first call was not answered{why}"),
        Action::Ready => format!("First call answered {}{ms}", or("status", "200")),
        Action::SessionOpen if failed => format!("Session on {cluster} could not be opened{why}"),
        Action::SessionOpen => format!("Session on {cluster} opened, {} ms after the click", or("ms", "?")),
        Action::SessionClosed => format!("Session on {cluster} closed"),
        Action::TerminalOpen if failed => format!("A terminal could not be opened{why}"),
        Action::TerminalOpen => format!("Terminal opened ({})", or("shell", "shell")),
        Action::TerminalUnguarded => format!("Terminal on {cluster} is not guarded{why}"),
        Action::TerminalTaken if failed => format!("A terminal could not be taken{why}"),
        Action::TerminalTaken => format!("Terminal on {cluster} used although not guarded{why}"),
        Action::TerminalExit => {
            format!("Terminal ended{}", get("code").map(|c| format!(" with {c}")).unwrap_or_default())
        }
        Action::Recorded => format!(
            "Recorded {} of a terminal on {cluster}, part {}",
            or("span", "some"),
            or("segment", "of some number")
        ),
        Action::RecordingWatched if failed => format!("A recording could not be watched{why}"),
        Action::RecordingWatched => {
            format!("Watched the recording of {}'s terminal on {cluster}", or("of", "somebody"))
        }
        Action::RecordingDeleted if failed => format!("A recording was not deleted{why}"),
        Action::RecordingDeleted => format!("The recording of a terminal on {cluster} was deleted{why}"),
        Action::Call => format!("{} {}", or("verb", "call"), or("what", "the API")),
        Action::CallRefused => {
            format!("{} {} was not sent on{why}", or("verb", "call"), or("what", "the API"))
        }
        Action::StreamStart => format!("{} {} began", or("verb", "stream"), or("what", "")),
        Action::StreamEnd => format!("{} {} ended{ms}", or("verb", "stream"), or("what", "")),
        Action::Extended if failed => format!("A session was not extended{why}"),
        Action::Extended => {
            format!("Session on {cluster} goes on under a new grant, {} streams cut", or("streams", "0"))
        }
        Action::Leave if failed => format!("A session could not be left{why}"),
        Action::Leave => format!("Left {cluster}"),
        Action::Hold if failed => format!("Nothing was held{why}"),
        Action::Hold => match &entry.cluster {
            Some(cluster) => format!("Held cluster {cluster}{why}"),
            None => format!("Held {}{why}", or("for", "somebody")),
        },
        Action::HoldRemoved if failed => format!("A hold was not ended{why}"),
        Action::HoldRemoved => match &entry.cluster {
            Some(cluster) => format!("Ended the hold on cluster {cluster}"),
            None => format!("Ended the hold on {}", or("for", "somebody")),
        },
        Action::ProfileChanged if is_unknown => {
            format!("Whether profile {} was changed is not known{why}", or("profile", "of some name"))
        }
        Action::ProfileChanged if failed => {
            format!("Profile {} was not changed{why}", or("profile", "of some name"))
        }
        Action::ProfileChanged => {
            let (name, what) =
                (or("profile", "of some name"), or("change", "in a way that is not on record"));
            if get("new").is_some() {
                format!("Made profile {name}: {what}")
            } else {
                format!("Changed profile {name}: {what}")
            }
        }
        Action::Revoke if failed => format!("Someone's access was not ended{why}"),
        Action::Revoke => format!("Ended the access of {} to {cluster}{why}", or("for", "someone")),
        Action::Revoked => format!("Ended by {}{why}", or("by", "someone else")),
        Action::Expired => "The time was up".into(),
        Action::Cut => format!("{} streams cut, gateway closed{ms}", or("streams", "0")),
        Action::GrantEnded if failed => format!("This session could not end its own grant{why}"),
        Action::GrantEnded => format!("This session ended its own grant on {cluster}{ms}"),
        Action::RightsGone => {
            format!("Rights gone: {} answered {}{ms}", asked(&get), or("status", "403"))
        }
        Action::TokenRefused => {
            format!("Token refused: {} answered {}{ms}", asked(&get), or("status", "401"))
        }
        Action::ProofUnproven => format!("Not proven: {}{why}", or("stage", "the end of the session")),
        Action::ProvenByBroker => {
            format!("The broker reports ServiceAccount and bindings gone from {cluster}")
        }
        Action::CleanupAtStart => or("what", "Something left over was removed"),
        Action::Scan if is_unknown => {
            format!("The scan of {cluster}: {}", or("why", "its end was not shown"))
        }
        Action::Scan if failed => format!("The scan of {cluster} failed{why}"),
        Action::Scan if entry.detail.get("begun").is_some() => {
            format!("A scan of {} clusters was begun", or("begun", "some"))
        }
        Action::Scan if entry.detail.get("asked").is_some() => {
            format!(
                "{cluster} asked whether a path is there: {} of {} allowed",
                or("allowed", "some"),
                or("asked", "some")
            )
        }
        Action::Scan => format!(
            "{cluster} scanned: {} critical and {} high, by {} checks",
            or("critical", "?"),
            or("high", "?"),
            or("checks", "?")
        ),
        Action::ScanForgotten if failed => format!("What is kept of scans was not deleted{why}"),
        Action::ScanForgotten => format!("What is kept of {} scans was deleted", or("clusters", "some")),
        Action::Excepted if failed => format!("An exception was not written down{why}"),
        Action::Excepted if entry.detail.get("removed").is_some() => {
            format!("An exception from {} was taken back", or("check", "a check"))
        }
        Action::Excepted => format!(
            "{} answers for {} on {} until {}",
            or("owner", "somebody"),
            or("check", "a check"),
            or("clusters", "clusters"),
            or("until", "a day")
        ),
        Action::AccessReviewed => match Review::of(entry) {
            Some(review) => reviewed(&review),
            None => format!("An access review was not written down{why}"),
        },
        Action::FixApplied if is_unknown => {
            format!("{} on {cluster}: whether it was done is not known{why}", or("what", "A fix"))
        }
        Action::FixApplied if failed => format!("A fix was not applied on {cluster}{why}"),
        Action::FixApplied => format!("Fix applied on {cluster}: {}", or("what", "a workload")),
        Action::ScanReport if failed => format!("A posture report was not written{why}"),
        Action::ScanReport => "Posture report written".to_owned(),
        Action::Exported if is_unknown && get(EVENTS_SHA256).is_some() => format!(
            "{} events of clusters were about to be handed on with {}; selected: {}",
            or("calls", "Some"),
            or("format", "a file"),
            or("filter", "something")
        ),
        Action::Exported if failed => format!("Nothing was handed on{why}"),
        Action::Exported => format!(
            "Handed on as {}: {} entries and {} calls{}; selected: {}",
            or("format", "a file"),
            or("entries", "some"),
            or("calls", "some"),
            match or("recordings", "0") {
                many if many == "0" => String::new(),
                many => format!(", and {many} segments of recordings"),
            },
            or("filter", "something")
        ),
        Action::SupportBundle if failed => format!("A support bundle was not written{why}"),
        Action::SupportBundle => format!("Support bundle written, {} files", or("files", "some")),
        Action::SettingsChanged if failed => format!("A setting was not changed{why}"),
        Action::SettingsChanged => format!("Setting {} changed", or("setting", "")),
        Action::Bypass => {
            format!("Around the gateway, with this session's rights on {cluster}: {}", or("did", "a call"))
        }
        Action::Gap if get("source").is_some() && entry.cluster.is_some() => {
            format!("Evidence of {cluster} may be missing{why}")
        }
        Action::Gap if get("source").is_some() => format!("Clusters' evidence may be missing{why}"),
        Action::Gap => format!("No evidence{why}"),
        Action::Verify if failed && get("why").is_some() => format!("The history could not be checked{why}"),
        Action::Verify => format!("History checked: {}", or("verdict", "no verdict")),
        Action::SealRenewed if failed => format!("The sealing key was not replaced{why}"),
        Action::SealRenewed => {
            let short =
                |key: &str| get(key).map_or_else(|| "a key".to_owned(), |key| key.chars().take(16).collect());
            format!("A new sealing key, {}…, named by {}…", short("sealed_by"), short("before"))
        }
        Action::ChainBegun => format!("A chain begins here{why}"),
    }
}
