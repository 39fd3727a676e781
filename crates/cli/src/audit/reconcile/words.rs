//! The same for people.

use super::view::{ClusterView, ReconcileView, SeenView, SessionView, UnseenView};
use sallyport_model::{clip, visible};
use sallyport_report::words::{count, shown};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Of each list, lines for people; JSON has all.
const TOLD: usize = 50;
/// Characters of an address or a client.
const MOST: usize = 200;

pub(super) fn told(view: &ReconcileView) -> String {
    // Writing to a String never fails.
    let mut text = format!("Calls from {} to {}\n", view.from, view.to);
    for gap in &view.history_gaps {
        let _ = writeln!(text, "History: {gap}.");
    }
    for cluster in &view.clusters {
        text.push('\n');
        one(&mut text, cluster);
    }
    text.push('\n');
    text.push_str(match view.verdict {
        "bypass" => "BYPASS: calls with a session's token came from elsewhere than its gateway.\n",
        "matched" if view.clusters.is_empty() => {
            "No session of this history and none in the archive called in that time.\n"
        }
        "matched" => "Every call that was seen of a session's token was its gateway's.\n",
        _ => "It could not all be told: see above. No call is known to have come from elsewhere.\n",
    });
    text
}

fn one(text: &mut String, cluster: &ClusterView) {
    let _ = writeln!(text, "{}", shown(&cluster.cluster));
    if cluster.sessions.is_empty() {
        text.push_str("  No session of this history called in that time.\n");
    }
    for session in &cluster.sessions {
        self::session(text, session);
    }
    if !cluster.others.is_empty() {
        let calls: u64 = cluster.others.iter().map(|other| other.calls).sum();
        let _ = writeln!(
            text,
            "  Sessions that this history knows nothing of, such as another desktop's: {} of {}. Their gateways' histories \
             say whether they were theirs.",
            count(calls as usize, "call"),
            count(cluster.others.len(), "account")
        );
        for other in cluster.others.iter().take(TOLD) {
            let _ = writeln!(text, "    {}: {}", shown(&other.account), count(other.calls as usize, "call"));
        }
        more(text, cluster.others.len());
    }
    if !cluster.borrowed.is_empty() {
        let _ = writeln!(
            text,
            "  {} by others with an Audit-ID that this gateway minted, which ties them to nothing:",
            count(cluster.borrowed.len(), "call")
        );
        for seen in cluster.borrowed.iter().take(TOLD) {
            let _ = writeln!(text, "    {}", line(seen));
        }
        more(text, cluster.borrowed.len());
    }
    unseen(text, &cluster.unseen);
    for gap in &cluster.gaps {
        let _ = writeln!(text, "  NOT TOLD: {}.", visible(gap));
    }
    for note in &cluster.notes {
        let _ = writeln!(text, "  {}.", visible(note));
    }
}

fn session(text: &mut String, session: &SessionView) {
    let person = session.person.as_deref().map_or("somebody".to_owned(), shown);
    let approved = match &session.approved_by {
        Some(by) => format!(", approved {}", shown(by)),
        None => String::new(),
    };
    let _ = writeln!(text, "  Session of {person}, request {}{approved}", shown(&session.request));
    let elsewhere = match session.bypass.len() {
        0 => ".".to_owned(),
        1 => ": this one came from elsewhere.".to_owned(),
        more => format!(": these {more} came from elsewhere."),
    };
    let _ = writeln!(
        text,
        "    The cluster saw {} by this token, the gateway {}{elsewhere}",
        count(session.cluster as usize, "call"),
        session.gateway
    );
    for seen in session.bypass.iter().take(TOLD) {
        let why = match seen.why {
            Some("reusedId") => "its Audit-ID is that of another call of the gateway",
            _ => "the gateway minted no such Audit-ID",
        };
        let _ = writeln!(text, "    ELSEWHERE  {}: {why}", line(seen));
    }
    more(text, session.bypass.len());
    for seen in session.unclear.iter().take(TOLD) {
        let _ = writeln!(text, "    not known  {}", line(seen));
    }
    more(text, session.unclear.len());
    if session.both > 0 {
        let _ = writeln!(
            text,
            "    {} tied to its entry: {} of kubectl, {}.",
            count(session.both as usize, "call"),
            count(session.kubectl_commands as usize, "command"),
            count(session.other_calls as usize, "other call"),
        );
    }
    if session.own > 0 {
        let _ = writeln!(
            text,
            "    {} more are Sallyport's own: whether its rights are there and gone, and the removal of its grant.",
            session.own
        );
    }
    for command in session.commands.iter().flatten() {
        match (&command.command, &command.kubectl_session) {
            (Some(name), _) => {
                let _ = writeln!(text, "    {}", shown(name));
            }
            (None, Some(_)) => text.push_str("    kubectl\n"),
            (None, None) => {}
        }
        for call in &command.calls {
            let _ = writeln!(text, "      {}  entry {}", line(&call.seen), call.sequence);
        }
    }
}

fn unseen(text: &mut String, unseen: &[UnseenView]) {
    let mut by_reason: BTreeMap<&[&str], Vec<&UnseenView>> = BTreeMap::new();
    unseen.iter().for_each(|one| by_reason.entry(&one.innocent).or_default().push(one));
    for (reasons, calls) in by_reason {
        let because: Vec<&str> = reasons.iter().map(|why| reason(why)).collect();
        let because = match because.len() {
            0 => "nothing that is known here explains it; is the log of each API server in the archive?"
                .to_owned(),
            _ => format!("it may be that {}", because.join(", or that ")),
        };
        let _ = writeln!(text, "  No event was found of {}: {because}.", count(calls.len(), "call"));
        for call in calls.iter().take(TOLD) {
            let uri = clip(&visible(&call.uri), MOST);
            let _ = writeln!(text, "    {}  {} {uri}  entry {}", call.at, shown(&call.method), call.sequence);
        }
        more(text, calls.len());
    }
}

fn reason(why: &str) -> &'static str {
    match why {
        "notTold" => "the audit policy tells nothing of such calls",
        "policyUnknown" => "the audit policy leaves them out, which nobody told here (--policy)",
        "stillOpen" => "they go on, and the audit policy leaves out that they began",
        "late" => "the event is on its way",
        "outside" => "it is before or after what the archive has of this cluster",
        "gap" => "it stands in what can't be read of its logs",
        "otherServer" => "another API server told of it (--every-server)",
        _ => "they never arrived, since the gateway got no answer",
    }
}

fn more(text: &mut String, all: usize) {
    if all > TOLD {
        let _ = writeln!(text, "    and {} more: -o json has them", all - TOLD);
    }
}

/// `2026-11-29T20:15:00.123Z  200  delete deployments.apps payments/checkout from 10.0.0.7 by curl/8`.
fn line(seen: &SeenView) -> String {
    let at = seen.at.as_deref().unwrap_or("at an unknown time");
    let code = seen.code.map_or("  –".to_owned(), |code| code.to_string());
    let place = match (&*seen.namespace, &*seen.name) {
        ("", "") => String::new(),
        ("", name) => format!(" {}", shown(name)),
        (namespace, "") => format!(" in {}", shown(namespace)),
        (namespace, name) => format!(" {}/{}", shown(namespace), shown(name)),
    };
    let mut line = format!("{at}  {code}  {} {}{place}", shown(&seen.verb), clip(&visible(&seen.what), MOST));
    for (word, text) in [("from", &seen.address), ("by", &seen.client)] {
        if !text.is_empty() {
            let _ = write!(line, " {word} {}", clip(&visible(text), MOST));
        }
    }
    line
}
