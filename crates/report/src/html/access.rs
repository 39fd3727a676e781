//! The page on access: who, where, when, by whose word, and what proves it.

mod review;

use super::{Html, STYLE, chart};
use crate::access::{AccessView, DecisionView, Proof, SessionView, TotalView};
use crate::verdict::VerdictView;
use crate::words::count;

/// Bars of a chart.
const BARS: usize = 30;
/// Sessions that are listed, the newest.
const SESSIONS: usize = 1000;
/// Decisions that are listed, the newest.
const DECISIONS: usize = 1000;
/// Accounts of others that are listed.
const OTHERS: usize = 200;

/// The whole page.
pub fn access(view: &AccessView, range: (i64, i64)) -> String {
    let mut html = Html::default();
    super::head(&mut html, "Access report");
    html.raw("<style>\n").raw(STYLE).raw(include_str!("access.css")).raw("</style>\n</head>\n<body>\n");
    html.raw("<header><h1>Access report</h1><p>").text(&view.from).raw(" to ").text(&view.to);
    html.one(" · made ", &view.made, "</p></header>\n<main>\n");
    facts(&mut html, view);
    charts(&mut html, view, range);
    totals(&mut html, "By person", "Person", "Clusters", &view.people);
    totals(&mut html, "By cluster", "Cluster", "People", &view.clusters);
    sessions(&mut html, view);
    decisions(&mut html, &view.decisions);
    gaps(&mut html, view);
    others(&mut html, view);
    standing(&mut html, view);
    review::reviewed(&mut html, view);
    practices(&mut html, view);
    html.raw("<section><h2>What this report does not know</h2>\n");
    html.list(view.not_known.iter().map(String::as_str)).raw("</section>\n</main>\n<footer><p>Times are UTC, by the desktop's clock; calls that API servers told of by theirs. A number of calls is what went through the gateway.</p></footer>\n</body>\n</html>\n");
    html.0
}

fn number(html: &mut Html, number: usize, of: &str, class: &'static str) {
    html.raw("<li><b class=\"").raw(class).raw("\">").number(number).raw("</b> ").text(of).raw("</li>\n");
}

fn facts(html: &mut Html, view: &AccessView) {
    let open = view.sessions.iter().filter(|one| one.opened.is_some());
    let unproven = open.clone().filter(|one| matches!(one.proof, Proof::Unproven | Proof::Untold)).count();
    let calls: u64 = view.sessions.iter().map(|one| one.calls).sum();
    let word = |many: usize, one: &str, more: &str| if many == 1 { one.to_owned() } else { more.to_owned() };
    html.raw("<ul class=\"facts\">\n");
    let sessions = open.count();
    number(html, sessions, &word(sessions, "session was opened", "sessions were opened"), "");
    number(html, usize::try_from(calls).unwrap_or(usize::MAX), "calls through the gateway", "");
    number(
        html,
        view.gaps.len(),
        &word(view.gaps.len(), "gap in the evidence", "gaps in the evidence"),
        bad(view.gaps.len()),
    );
    number(
        html,
        unproven,
        &word(unproven, "session whose end is not proven", "sessions whose end is not proven"),
        bad(unproven),
    );
    if view.sessions.iter().any(|one| one.seen.is_some()) {
        let without = view.without_evidence.len();
        number(
            html,
            without,
            &word(
                without,
                "session with calls that no API server told of",
                "sessions with calls that no API server told of",
            ),
            bad(without),
        );
    }
    html.raw("</ul>\n");
}

fn bad(number: usize) -> &'static str {
    if number == 0 { "" } else { "warn" }
}

fn charts(html: &mut Html, view: &AccessView, range: (i64, i64)) {
    if !view.days.is_empty() {
        let days: Vec<_> = view.days.iter().map(|day| (day.day.clone(), day.calls, day.refused)).collect();
        html.raw("<section><h2>Calls, day by day</h2>\n<p class=\"quiet\">Refused ones are in the second colour.</p>\n");
        chart::columns(html, "Calls by day", &days);
        html.raw("</section>\n");
    }
    let mut open: Vec<(String, Vec<(i64, i64)>)> = Vec::new();
    for total in view.clusters.iter().take(BARS) {
        let of = view.sessions.iter().filter(|one| one.cluster.as_deref().unwrap_or_default() == total.name);
        let spans: Vec<(i64, i64)> = of.filter_map(|one| one.span).collect();
        if !spans.is_empty() {
            open.push((total.name.clone(), spans));
        }
    }
    if !open.is_empty() {
        html.raw("<section><h2>When access was open</h2>\n<p class=\"quiet\">A line for each cluster; where it is shaded there is no evidence.</p>\n");
        let gaps: Vec<(i64, i64)> = view.gaps.iter().map(|gap| gap.span).collect();
        chart::spans(html, "When access was open", &open, &gaps, range);
        html.raw("</section>\n");
    }
}

fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

fn cell(html: &mut Html, text: &str) {
    html.one("<td><bdi>", text, "</bdi></td>");
}

/// A moment, to be read.
fn when(html: &mut Html, text: &str) {
    html.one("<td class=\"t\">", &text.replace('T', " ").replace('Z', ""), "</td>");
}

fn many(html: &mut Html, number: u64) {
    html.raw("<td class=\"n\">").text(&number.to_string()).raw("</td>");
}

fn head(html: &mut Html, columns: &[&'static str]) {
    html.raw("<div class=\"wide\"><table class=\"plain\"><thead><tr>");
    for column in columns {
        html.raw("<th>").raw(column).raw("</th>");
    }
    html.raw("</tr></thead><tbody>\n");
}

fn totals(html: &mut Html, title: &'static str, of: &'static str, across: &'static str, all: &[TotalView]) {
    if all.is_empty() {
        return;
    }
    html.one("<section><h2>", title, "</h2>\n");
    let named = |one: &TotalView| if one.name.is_empty() { "not told".to_owned() } else { one.name.clone() };
    let bars: Vec<_> = all.iter().take(BARS).map(|one| (named(one), one.calls, one.refused)).collect();
    chart::bars(html, title, &bars);
    head(html, &[of, "Sessions", "Open for", "Calls", "Refused", across]);
    for one in all {
        html.raw("<tr>");
        cell(html, &named(one));
        many(html, one.sessions as u64);
        cell(html, &duration(one.seconds));
        many(html, one.calls);
        many(html, one.refused);
        many(html, one.across as u64);
        html.raw("</tr>\n");
    }
    html.raw("</tbody></table></div></section>\n");
}

fn sessions(html: &mut Html, view: &AccessView) {
    html.raw("<section><h2>Sessions</h2>\n");
    if view.sessions.is_empty() {
        html.raw("<p>None in this time.</p></section>\n");
        return;
    }
    head(
        html,
        &[
            "Opened",
            "Who and where",
            "For what",
            "By whose word",
            "Open for",
            "End",
            "Calls",
            "Told by API servers",
        ],
    );
    for (at, one) in view.sessions.iter().take(SESSIONS).enumerate() {
        session(html, one, view.without_evidence.contains(&at));
    }
    html.raw("</tbody></table></div>\n");
    left_out(html, view.sessions.len(), SESSIONS, "session");
    html.raw("</section>\n");
}

fn session(html: &mut Html, one: &SessionView, is_without: bool) {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    html.raw("<tr>");
    when(html, one.opened.as_ref().or(one.asked.as_ref()).map_or("", String::as_str));
    html.raw("<td><bdi>").text(&text(&one.person)).raw("</bdi><br><bdi>").text(&text(&one.cluster));
    html.raw("</bdi> <span class=\"quiet\"><bdi>")
        .text(&text(&one.profile))
        .raw("</bdi> <bdi>")
        .text(&text(&one.namespaces));
    html.raw("</bdi></span></td>");
    cell(html, &text(&one.reason));
    cell(html, &text(&one.approved));
    cell(html, &if one.opened.is_some() { duration(one.seconds) } else { String::new() });
    let class = match one.proof {
        Proof::Proven => "badge pass",
        Proof::ByBroker => "badge low",
        Proof::Unproven | Proof::Untold => "badge high",
        Proof::NeverOpen | Proof::Open => "badge info",
    };
    html.raw("<td><span class=\"").raw(class).raw("\">").raw(one.proof.words()).raw("</span><br><bdi>");
    html.text(&text(&one.ended)).raw("</bdi></td><td class=\"n\">").text(&one.calls.to_string());
    if one.refused > 0 {
        html.raw(" <span class=\"quiet\">").text(&format!("({} refused)", one.refused)).raw("</span>");
    }
    html.raw("</td>");
    match (one.seen, is_without) {
        (Some(_), true) => html.raw("<td><span class=\"badge high\">none</span></td>"),
        (Some(seen), false) => html.raw("<td class=\"n\">").text(&seen.to_string()).raw("</td>"),
        (None, _) => html.raw("<td class=\"quiet\">not known</td>"),
    };
    html.raw("</tr>\n");
}

fn left_out(html: &mut Html, all: usize, shown: usize, what: &str) {
    if all > shown {
        let more = format!("{} more, older; the JSON of this report has all.", count(all - shown, what));
        html.one("<p class=\"quiet\">", &more, "</p>\n");
    }
}

fn decisions(html: &mut Html, all: &[DecisionView]) {
    html.raw("<section><h2>Who said yes, and who said no</h2>\n");
    if all.is_empty() {
        html.raw("<p>Nobody in this time.</p></section>\n");
        return;
    }
    head(html, &["When", "What", "By", "For", "Cluster", "Profile"]);
    for one in all.iter().take(DECISIONS) {
        html.raw("<tr>");
        when(html, &one.at);
        cell(html, one.what);
        cell(html, &one.by);
        [&one.whose, &one.cluster, &one.profile]
            .into_iter()
            .for_each(|text| cell(html, text.as_deref().unwrap_or_default()));
        html.raw("</tr>\n");
    }
    html.raw("</tbody></table></div>\n");
    left_out(html, all.len(), DECISIONS, "decision");
    html.raw("</section>\n");
}

fn gaps(html: &mut Html, view: &AccessView) {
    html.raw("<section><h2>Gaps in the evidence</h2>\n");
    if view.gaps.is_empty() {
        html.raw("<p>None that this history knows of.</p></section>\n");
        return;
    }
    head(html, &["From", "To", "Why"]);
    for one in view.gaps.iter().take(SESSIONS) {
        html.raw("<tr>");
        when(html, &one.from);
        when(html, &one.to);
        cell(html, &one.why);
        html.raw("</tr>\n");
    }
    html.raw("</tbody></table></div>\n");
    left_out(html, view.gaps.len(), SESSIONS, "gap");
    html.raw("</section>\n");
}

fn others(html: &mut Html, view: &AccessView) {
    if view.others.is_empty() {
        return;
    }
    html.raw("<section><h2>Sessions that API servers tell of and this history does not know</h2>\n<p class=\"quiet\">Those of other desktops. Whose they were says the hub: the account's name is made from the request's.</p>\n");
    head(html, &["Cluster", "Account", "Calls", "First", "Last"]);
    for one in view.others.iter().take(OTHERS) {
        html.raw("<tr>");
        [&one.cluster, &one.account].into_iter().for_each(|text| cell(html, text));
        many(html, one.calls);
        [&one.first, &one.last].into_iter().for_each(|text| when(html, text));
        html.raw("</tr>\n");
    }
    html.raw("</tbody></table></div>\n");
    if view.others.len() > OTHERS {
        let more = count(view.others.len() - OTHERS, "more account");
        html.one("<p class=\"quiet\">And ", &more, "; the JSON of this report has all.</p>\n");
    }
    html.raw("</section>\n");
}

fn standing(html: &mut Html, view: &AccessView) {
    for one in &view.standing {
        html.one(
            "<section><h2>Standing access of people on <bdi>",
            &one.cluster,
            "</bdi></h2>\n<p class=\"quiet\">",
        );
        html.one("Whatever anybody asks for, as it was read ", &one.taken, "</p>\n");
        if one.standing.is_empty() && one.gaps.is_empty() {
            html.raw("<p>Nobody holds any.</p>\n");
        }
        if !one.standing.is_empty() {
            head(html, &["Who", "Role", "Where", "By"]);
            for held in &one.standing {
                html.raw("<tr>");
                cell(html, &held.who);
                cell(html, &held.role);
                cell(html, held.namespace.as_deref().unwrap_or("everywhere"));
                cell(html, &held.binding);
                html.raw("</tr>\n");
            }
            html.raw("</tbody></table></div>\n");
        }
        if one.more > 0 {
            html.raw("<p class=\"quiet\">").number(one.more).raw(" more.</p>\n");
        }
        if !one.gaps.is_empty() {
            html.raw("<p>Not known: there may be others.</p>\n").list(one.gaps.iter().map(String::as_str));
        }
        html.raw("</section>\n");
    }
}

fn practices(html: &mut Html, view: &AccessView) {
    for line in &view.practices {
        html.one(
            "<section><h2>Ten practices on <bdi>",
            &line.cluster,
            "</bdi></h2>\n<div class=\"wide\"><table class=\"grid\"><thead><tr><th>Practice</th>",
        );
        for taken in &line.taken {
            let day: String = taken.chars().take(16).collect();
            html.one("<th>", &day.replace('T', " "), "</th>");
        }
        html.raw("</tr></thead><tbody>\n");
        for practice in &line.practices {
            html.one("<tr><th>", practice.name, "</th>");
            for verdict in &practice.verdicts {
                let (class, word) = match verdict {
                    VerdictView::Pass | VerdictView::Inert => ("pass", "pass"),
                    VerdictView::Fail => ("fail", "fail"),
                    VerdictView::Unknown => ("unknown", "unknown"),
                    VerdictView::Provider => ("provider", "provider"),
                    VerdictView::NotApplicable => ("none", "n/a"),
                };
                html.raw("<td class=\"").raw(class).raw("\">").raw(word).raw("</td>");
            }
            html.raw("</tr>\n");
        }
        html.raw("</tbody></table></div></section>\n");
    }
}
