//! The upper part of the page: practices, grid, what to fix first, what only shows across clusters, exceptions.

use super::{Html, Page};
use crate::words::count;
use sallyport_posture::area::{Area, Cell, CellVerdict};
use sallyport_posture::fleet::{Scanned, Shared, Weakness};
use sallyport_posture::practice::{self, Practised};
use sallyport_posture::{Severity, Verdict};

/// Lines of what to fix first.
const FIRST: usize = 60;
/// Clusters named in one line.
const NAMED: usize = 6;

/// The class and the word of a severity.
pub(super) fn severity(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Critical => ("critical", "critical"),
        Severity::High => ("high", "high"),
        Severity::Medium => ("medium", "medium"),
        Severity::Low => ("low", "low"),
        Severity::Info => ("info", "info"),
    }
}

fn badge(html: &mut Html, class: &'static str, word: &str) {
    html.raw("<span class=\"badge ").raw(class).raw("\">").text(word).raw("</span>");
}

pub(super) fn severity_badge(html: &mut Html, of: Severity) {
    let (class, word) = severity(of);
    badge(html, class, word);
}

pub(super) fn verdict_badge(html: &mut Html, verdict: &Verdict) {
    let (class, word) = match verdict {
        Verdict::Pass | Verdict::Inert => ("pass", "pass"),
        Verdict::Fail => ("fail", "fail"),
        Verdict::Unknown(_) => ("unknown", "unknown"),
        Verdict::Provider(_) => ("provider", "provider"),
        Verdict::NotApplicable(_) => ("none", "n/a"),
    };
    badge(html, class, word);
}

pub(super) fn practices(html: &mut Html, page: &Page) {
    html.raw("<section><h2>Ten practices of zero trust</h2>\n");
    match page.scanned.as_slice() {
        [one] => {
            html.raw("<ol class=\"practices\">\n");
            one.practices.iter().for_each(|one| practised(html, one));
            html.raw("</ol>\n");
        }
        _ => across_fleet(html, page),
    }
    html.raw("</section>\n");
}

fn practised(html: &mut Html, one: &Practised) {
    html.raw("<li>");
    verdict_badge(html, &one.verdict);
    html.one(" <strong>", one.practice.title(), "</strong>\n<div class=\"more\">");
    html.list(one.evidence.iter().map(String::as_str));
    if !one.gaps.is_empty() {
        html.raw("<p class=\"quiet\">Missing</p>").list(one.gaps.iter().map(String::as_str));
    }
    if let Some(next) = &one.next {
        html.one("<p><strong>Next:</strong> ", next, "</p>");
    }
    html.raw("</div></li>\n");
}

fn across_fleet(html: &mut Html, page: &Page) {
    let all =
        practice::across(page.scanned.iter().map(|one| (one.cluster.as_str(), one.practices.as_slice())));
    html.raw("<table class=\"plain\"><thead><tr><th scope=\"col\">Practice</th><th scope=\"col\">Pass</th><th scope=\"col\">Fail</th><th scope=\"col\">Unknown</th><th scope=\"col\">Provider</th><th scope=\"col\">Fails in</th></tr></thead><tbody>\n");
    for one in &all {
        html.one("<tr><th scope=\"row\">", one.practice.title(), "</th><td>").number(one.pass);
        html.raw("</td><td>").number(one.fail.len()).raw("</td><td>").number(one.unknown);
        html.raw("</td><td>").number(one.provider).raw("</td><td>");
        names(html, &one.fail);
        html.raw("</td></tr>\n");
    }
    html.raw("</tbody></table>\n");
}

/// Clusters by name, and how many more.
fn names(html: &mut Html, clusters: &[String]) {
    for (at, name) in clusters.iter().take(NAMED).enumerate() {
        html.raw(if at == 0 { "<bdi>" } else { ", <bdi>" }).text(name).raw("</bdi>");
    }
    if clusters.len() > NAMED {
        html.raw(", and ").number(clusters.len() - NAMED).raw(" more");
    }
}

pub(super) fn grid(html: &mut Html, page: &Page) {
    html.raw("<section><h2>Clusters by area</h2>\n<div class=\"wide\"><table class=\"grid\"><thead><tr><th scope=\"col\">Cluster</th>");
    for area in Area::ALL {
        html.one("<th scope=\"col\">", area.title(), "</th>");
    }
    html.raw("</tr></thead><tbody>\n");
    for one in &page.scanned {
        row(html, page, one);
    }
    html.raw("</tbody></table></div>\n<p class=\"quiet\">Each cell tells the worst that is open and how many are as bad. What could not be read is unknown, never pass.</p></section>\n");
}

fn row(html: &mut Html, page: &Page, one: &Scanned) {
    let at = page.clusters.iter().position(|known| known.name == one.cluster).unwrap_or_default();
    html.raw("<tr><th scope=\"row\"><a href=\"#cluster-").number(at).raw("\"><bdi>").text(&one.cluster);
    html.raw("</bdi></a></th>");
    for cell in &one.cells {
        let (class, word) = cell_word(cell);
        html.raw("<td class=\"").raw(class).raw("\"");
        if let Some(why) = &cell.why {
            html.raw(" title=\"").text(&sallyport_model::clip(why, 300)).raw("\"");
        }
        html.raw(">").text(&word).raw("</td>");
    }
    html.raw("</tr>\n");
}

fn cell_word(cell: &Cell) -> (&'static str, String) {
    match (cell.verdict, cell.worst) {
        (CellVerdict::Fail, Some(worst)) => {
            let (class, word) = severity(worst);
            (class, format!("{} {word}", cell.count))
        }
        (CellVerdict::Fail, None) => ("fail", format!("{} excepted", cell.excepted)),
        (CellVerdict::Unknown, _) => ("unknown", "unknown".to_owned()),
        (CellVerdict::Provider, _) => ("provider", "provider".to_owned()),
        (CellVerdict::Pass, _) => ("pass", "pass".to_owned()),
        (CellVerdict::NotApplicable, _) => ("none", "n/a".to_owned()),
    }
}

pub(super) fn first(html: &mut Html, page: &Page) {
    html.raw("<section><h2>Fix first</h2>\n");
    if page.weaknesses.is_empty() {
        html.raw("<p>Nothing was found in what was read.</p></section>\n");
        return;
    }
    html.raw("<table class=\"plain\"><thead><tr><th scope=\"col\">Severity</th><th scope=\"col\">Check</th><th scope=\"col\">Weakness</th><th scope=\"col\">Clusters</th><th scope=\"col\">What to do</th></tr></thead><tbody>\n");
    for one in page.weaknesses.iter().take(FIRST) {
        weakness(html, one);
    }
    html.raw("</tbody></table>\n");
    if page.weaknesses.len() > FIRST {
        html.raw("<p class=\"quiet\">").number(page.weaknesses.len() - FIRST);
        html.raw(" more are told below, cluster by cluster.</p>\n");
    }
    html.raw("</section>\n");
}

fn weakness(html: &mut Html, one: &Weakness) {
    html.raw("<tr><td>");
    severity_badge(html, one.severity);
    html.one("</td><td class=\"code\">", &one.check, "</td><td><bdi>").text(&one.title).raw("</bdi>");
    if !one.detail.is_empty() {
        html.one(" <span class=\"quiet\">", &one.detail, "</span>");
    }
    if one.excepted > 0 {
        html.raw(" <span class=\"quiet\">").number(one.excepted).raw(" excepted</span>");
    }
    html.one("</td><td>", &count(one.clusters.len(), "cluster"), "<br><span class=\"quiet\">");
    names(html, &one.clusters);
    html.one("</span></td><td>", &one.fix, "</td></tr>\n");
}

pub(super) fn across(html: &mut Html, page: &Page) {
    // That the others were never scanned is told here too.
    if page.coverage.scanned.1 < 2 {
        return;
    }
    html.raw("<section><h2>Only seen across clusters</h2>\n<table class=\"plain\"><tbody>\n");
    page.shared.iter().for_each(|one| shared(html, one));
    html.raw("</tbody></table></section>\n");
}

fn shared(html: &mut Html, one: &Shared) {
    html.raw("<tr><td>");
    match one.found.first() {
        Some(found) => severity_badge(html, found.severity),
        None => verdict_badge(html, &one.verdict),
    }
    html.one("</td><td class=\"code\">", &one.check, "</td><td>").text(&one.title);
    html.list(one.found.iter().map(|found| found.said.as_str()));
    html.raw("</td><td>");
    match (&one.verdict, one.found.is_empty()) {
        (Verdict::Unknown(why) | Verdict::NotApplicable(why), _) => html.text(why),
        (_, false) => html.text(&one.fix),
        _ => html,
    };
    html.raw("</td></tr>\n");
}

/// What somebody answers for in a cluster, a line each.
pub(super) fn excepted(cluster: &super::Cluster) -> Vec<String> {
    let each =
        cluster.report.findings.iter().filter_map(|one| Some((one.said.clone(), one.excepted.clone()?)));
    each.map(|(said, excepted)| format!("{}: {said} {}", cluster.name, excepted.said())).collect()
}

pub(super) fn exceptions(html: &mut Html, page: &Page) {
    let excepted: Vec<&str> =
        page.clusters.iter().flat_map(|one| &one.excepted).map(String::as_str).collect();
    if page.stale.is_empty() && excepted.is_empty() {
        return;
    }
    html.raw("<section><h2>Exceptions</h2>\n");
    for one in &page.stale {
        html.raw("<p>");
        severity_badge(html, one.severity.into());
        html.raw(" <bdi>").text(&one.said).raw("</bdi> ").text(one.fix).raw("</p>\n");
    }
    html.list(excepted.into_iter());
    html.raw("</section>\n");
}
