//! The files of a bundle. Pure.

use super::facts::Facts;
use jiff::Timestamp;
use sallyport_audit::{Names, redact_leaving};
use sallyport_ipc::{BundleFile, SessionView, Shown, Vault, VerifyView};
use sallyport_model::visible;

/// The most clusters that are listed one by one.
const CLUSTERS: usize = 200;

/// All of them, the one that says what they are first; and how many secrets were taken out.
pub(super) fn of(facts: &Facts, names: &Names, with_names: bool) -> (Vec<BundleFile>, u32) {
    let made = [
        ("about.txt", about(facts)),
        ("settings.txt", settings(facts)),
        ("workspace.txt", workspace(facts)),
        ("health.txt", health(facts)),
        ("clusters.txt", clusters(facts)),
        ("sessions.txt", facts.sessions.iter().flat_map(session).collect()),
        ("errors.txt", errors(facts)),
        ("log.txt", facts.log.clone()),
    ];
    let mut redactions = 0;
    let mut files: Vec<BundleFile> = made
        .into_iter()
        .map(|(name, lines)| {
            // Together: a secret may be wrapped over lines.
            // Names and reasons first, as they were written: what is taken out of one would hide the rest of it.
            let clean = redact_leaving(&names.applied(&lines.join("\n")));
            redactions += clean.count;
            // Seen as it is before names are looked for: a hidden character in one would hide it.
            let seen: Vec<String> = clean.text.split('\n').map(visible).collect();
            let told = names.applied(&seen.join("\n"));
            let lines = if told.is_empty() {
                vec!["nothing".into()]
            } else {
                told.split('\n').map(Shown::from).collect()
            };
            BundleFile { name: name.to_owned(), lines }
        })
        .collect();
    files.insert(0, readme(facts, &files, redactions, with_names));
    (files, redactions)
}

fn readme(facts: &Facts, files: &[BundleFile], redactions: u32, with_names: bool) -> BundleFile {
    let names = if with_names {
        "Names of people, groups and clusters are as they are; whoever made this wanted it so."
    } else {
        "Names of people, groups and clusters that Sallyport still knows are replaced where they stand as words: the same name by \
         the same word in each bundle of this desktop. Inside other names they stay."
    };
    let mut lines = vec![
        format!("Sallyport support bundle of {}", time(facts.at)),
        String::new(),
        "It holds no token, key or kubeconfig, nothing of what was typed or called, and of the reasons people gave \
         none that Sallyport still knows. The log may quote older ones.".into(),
        format!("{redactions} things that looked like a secret were taken out. A word that is one only to those who know it can't \
                 be recognised: look through it before you hand it on."),
        names.into(),
        "The hub's address and the identity provider's stay as they are.".into(),
        String::new(),
    ];
    lines.extend(files.iter().map(|file| format!("{} ({} lines)", file.name, file.lines.len())));
    BundleFile { name: "README.txt".into(), lines: lines.iter().map(Shown::from).collect() }
}

fn about(facts: &Facts) -> Vec<String> {
    let state = &facts.state;
    let mut lines = vec![
        format!("version: {}", state.version),
        format!("platform: {} {}", state.platform, std::env::consts::ARCH),
        format!("demo: {:?}", state.demo),
    ];
    lines.extend(facts.desktop.iter().map(|(name, value)| format!("{name}: {value}")));
    lines
}

fn settings(facts: &Facts) -> Vec<String> {
    let (state, settings) = (&facts.state, &facts.settings);
    let told = settings.notifications;
    let or = |shown: &Option<Shown>, other: &str| shown.as_deref().unwrap_or(other).to_owned();
    vec![
        format!("theme: {:?}", state.theme),
        format!("text size: {} px", state.font_size),
        format!(
            "default duration: {}",
            state.default_seconds.map_or("as last time".into(), |s| format!("{s} s"))
        ),
        format!("paste is asked about: {:?}", state.paste),
        format!("shell: {}", or(&settings.shell, "the person's own")),
        format!("own shell: {}", or(&settings.own_shell, "not known")),
        format!(
            "told: asks {}, requests {}, sessions {}, reasons {}",
            told.asks, told.requests, told.sessions, told.reasons
        ),
    ]
}

fn workspace(facts: &Facts) -> Vec<String> {
    let state = &facts.state;
    let mut lines = vec![format!("phase: {:?}", state.phase)];
    if let Some(workspace) = &state.workspace {
        lines.push(format!("hub: {}", workspace.hub_host));
        lines.push(format!("issuer: {}", workspace.issuer));
        lines.extend(workspace.signs_in_at.iter().map(|host| format!("signs in at: {host}")));
        lines.extend(workspace.code_goes_to.iter().map(|host| format!("code goes to: {host}")));
    }
    if let Some(user) = &state.user {
        lines.push(format!("signed in: {}", user.name));
        lines.push(format!("groups ({}): {}", user.groups.len(), list(&user.groups)));
        let mfa = user.mfa_at.map_or("none known".into(), |at| ago(facts.at, at));
        lines.push(format!(
            "acr: {}; amr: {}; second factor: {mfa}",
            user.acr.as_deref().unwrap_or("none"),
            list(&user.amr)
        ));
    }
    lines.extend(state.sign_in.iter().map(|one| format!("sign-in under way: {:?}", one.step)));
    lines.extend(state.notes.iter().map(|note| format!("note: {note}")));
    let known = &facts.requests;
    lines.push(format!("requests known: {}, to decide: {}", known.requests.len(), state.to_decide));
    lines.extend(known.problems.iter().map(|problem| format!("requests: {problem}")));
    lines.push(format!("holds: {}; may hold: {}", state.holds.len(), state.may_hold));
    lines
}

fn health(facts: &Facts) -> Vec<String> {
    let state = &facts.state;
    let hub = &state.hub;
    let mut lines = vec![match &state.vault {
        Vault::Keyring => "vault: keyring".to_owned(),
        Vault::MemoryOnly { why } => format!("vault: memory only: {why}"),
    }];
    lines.push(format!("hub: {:?}, {}", hub.link, ago(facts.at, hub.since)));
    lines.extend(hub.message.iter().map(|message| format!("hub says: {message}")));
    let skew = state.clock_skew_ms.map_or("not known".into(), |ms| format!("{ms} ms ahead of the hub"));
    lines.push(format!("clock: {skew}"));
    lines.push(format!(
        "gateway: {}",
        if facts.recording { "takes calls" } else { "waits: calls can't be recorded" }
    ));
    let told = facts.settings.notifications_trouble.as_deref().unwrap_or("can be shown");
    lines.push(format!("notifications: {told}"));
    lines.extend(state.history.trouble.iter().map(|trouble| format!("history: {trouble}")));
    lines.push(match &facts.verified {
        Ok(view) => verdict(view),
        Err(why) => format!("history could not be checked: {why}"),
    });
    lines.extend(
        state.cleanup.iter().map(|one| format!("left by the last run: {} ({:?})", one.what, one.proof)),
    );
    lines
}

fn verdict(view: &VerifyView) -> String {
    let bad = view.first_bad.map(|at| format!(", first bad entry {at}")).unwrap_or_default();
    let why = view.why.as_deref().map(|why| format!(", {why}")).unwrap_or_default();
    format!(
        "history: {:?}, {} entries, {} gaps{bad}{why}, checked in {} ms",
        view.verdict, view.entries, view.gaps, view.ms
    )
}

fn clusters(facts: &Facts) -> Vec<String> {
    let known = &facts.clusters;
    let as_of = known.as_of.map_or("never".into(), |at| ago(facts.at, at));
    let mut lines = vec![format!("known: {}, as of {as_of}", known.clusters.len())];
    lines.extend(known.problems.iter().map(|problem| format!("problem: {problem}")));
    lines.extend(known.clusters.iter().take(CLUSTERS).map(|one| {
        let seen = one.broker.seen_at.map_or("never seen".into(), |at| format!("seen {}", ago(facts.at, at)));
        let silent = if one.broker.silent { ", silent" } else { "" };
        let broker = one.broker.version.as_deref().unwrap_or("none");
        format!(
            "{}: {:?}, Kubernetes {}, broker {broker} {seen}{silent}",
            one.name, one.environment, one.version
        )
    }));
    let more = known.clusters.len().saturating_sub(CLUSTERS);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

fn session(session: &SessionView) -> Vec<String> {
    let mut lines = vec![format!(
        "{} on {}: {:?} under {}, {} s, {} calls of which {} refused, {} streams, {} terminals",
        session.id,
        session.cluster,
        session.state,
        session.profile,
        session.duration_seconds,
        session.calls.total,
        session.calls.refused,
        session.streams.len(),
        session.terminals.len()
    )];
    let ms = |ms: Option<u32>| ms.map(|ms| format!(" {ms} ms")).unwrap_or_default();
    lines.extend(
        session.steps.iter().map(|step| format!("  {:?}: {:?}{}", step.kind, step.state, ms(step.ms))),
    );
    lines.extend(session.proof.iter().map(|proof| format!("  {:?}: {:?}", proof.kind, proof.state)));
    lines.extend(session.ended.iter().map(|ended| format!("  ended: {:?}", ended.reason)));
    lines.extend(session.error.iter().map(|error| format!("  error: {:?}", error.code)));
    lines
}

fn errors(facts: &Facts) -> Vec<String> {
    facts.faults.iter().map(|(at, command, code)| format!("{} {command}: {code:?}", time(*at))).collect()
}

fn list(all: &[Shown]) -> String {
    all.iter().map(Shown::as_str).collect::<Vec<_>>().join(", ")
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn ago(now: i64, at: i64) -> String {
    format!("{} s ago", now.saturating_sub(at) / 1000)
}
