//! One cluster on the page: what was read, what was found with its proof, ways with their pictures, exact fixes.

use super::fleet::{severity_badge, verdict_badge};
use super::{Cluster, Html, picture};
use crate::finding::FindingView;
use crate::fix::FixView;
use crate::objects::EvidenceView;
use crate::view::{CheckView, CoverageView, ReportView, VerdictView};
use crate::words;
use sallyport_posture::fix::Proposed;
use std::collections::BTreeMap;

/// Findings of one check that are told.
const LISTED: usize = 25;
/// Proofs of one finding.
const PROOFS: usize = 4;
/// Rights of a loss.
const RIGHTS: usize = 12;

pub(super) fn section(html: &mut Html, at: usize, one: &Cluster, alone: bool) {
    html.raw("<section class=\"cluster\" id=\"cluster-").number(at).raw("\"><h2><bdi>").text(&one.name);
    html.raw("</bdi></h2>\n");
    head(html, &one.report);
    if !alone {
        html.raw("<ul class=\"practices short\">\n");
        for practised in &one.scanned.practices {
            html.raw("<li>");
            verdict_badge(html, &practised.verdict);
            html.one(" ", practised.practice.title(), "</li>\n");
        }
        html.raw("</ul>\n");
    }
    ways(html, one);
    fixes(html, &one.proposed);
    findings(html, &one.report);
    unknown(html, &one.report);
    html.raw("</section>\n");
}

fn head(html: &mut Html, report: &ReportView) {
    let read = &report.read;
    html.one("<p class=\"quiet\"><bdi>", &read.source, "</bdi>");
    for (before, text) in [
        (" · Kubernetes ", read.version.as_ref()),
        (" · as ", read.user.as_ref()),
        (" · read ", read.taken.as_ref()),
    ] {
        if let Some(text) = text {
            html.raw(before).raw("<bdi>").text(text).raw("</bdi>");
        }
    }
    html.raw("</p>\n<p>");
    let summary = &report.summary;
    let all = [
        (summary.critical, " critical"),
        (summary.high, " high"),
        (summary.medium, " medium"),
        (summary.low, " low"),
        (summary.info, " info"),
    ];
    for (at, (many, word)) in all.into_iter().enumerate() {
        html.raw(if at == 0 { "" } else { ", " }).number(many).raw(word);
    }
    if summary.excepted > 0 {
        html.raw(" (").number(summary.excepted).raw(" of them excepted)");
    }
    html.raw("; ").number(report.covered.checks).raw(" of ").number(report.covered.of);
    html.raw(" checks had all they depend on. ").number(summary.shipped);
    html.raw(" findings come with Kubernetes and are left out.</p>\n");
    html.list(report.notes.iter().map(String::as_str));
}

fn ways(html: &mut Html, one: &Cluster) {
    if one.ways.is_empty() {
        return;
    }
    html.raw("<h3>Ways of several steps</h3>\n");
    if let Some(cut) = &one.cut {
        html.one("<p><strong><bdi>", cut, "</bdi></strong></p>\n");
    }
    if one.many_ways > one.ways.len() {
        html.raw("<p class=\"quiet\">").number(one.ways.len()).raw(" of ").number(one.many_ways);
        html.raw(" that have one; the others' are as long or longer, or of one step.</p>\n");
    }
    html.raw("<div class=\"ways\">\n");
    one.ways.iter().for_each(|way| picture::way(html, way));
    html.raw("</div>\n");
}

fn fixes(html: &mut Html, proposed: &[Proposed]) {
    let any: Vec<&Proposed> = proposed.iter().filter(|one| !one.fixes.is_empty()).collect();
    if any.is_empty() {
        return;
    }
    html.raw("<h3>Exact fixes for the worst</h3>\n");
    for one in any {
        html.raw("<article class=\"fix\"><p>");
        severity_badge(html, one.finding.severity);
        html.raw(" <bdi>").text(&one.finding.said).raw("</bdi></p>\n");
        if let Some(first) = one.fixes.first() {
            fix(html, &FixView::of(first));
        }
        if one.fixes.len() > 1 {
            html.raw("<p class=\"quiet\">Or: ");
            let others: Vec<&str> = one.fixes.iter().skip(1).map(|fix| fix.title.as_str()).collect();
            html.raw("<bdi>").text(&others.join("; ")).raw("</bdi></p>\n");
        }
        html.raw("</article>\n");
    }
}

fn fix(html: &mut Html, fix: &FixView) {
    html.one("<p><strong><bdi>", &fix.title, "</bdi></strong></p>\n");
    for patch in &fix.patches {
        html.raw("<pre>").lines(&patch.yaml).raw("</pre>\n<p class=\"code\">").text(&patch.command);
        html.raw(" --dry-run=server -f FILE</p>\n");
    }
    let effect = &fix.effect;
    html.one("<p><strong>Effect:</strong> ", &effect.outcome, "</p>\n");
    html.list(effect.closes.iter().map(String::as_str));
    let loses: Vec<String> = effect
        .loses
        .iter()
        .map(|one| {
            let more = match one.rights.len() > RIGHTS {
                true => format!("; and {} more", one.rights.len() - RIGHTS),
                false => String::new(),
            };
            let rights: Vec<&str> = one.rights.iter().take(RIGHTS).map(String::as_str).collect();
            format!("{} loses: {}{more}", one.said, rights.join("; "))
        })
        .collect();
    match loses.is_empty() {
        true => html.raw("<p>Nobody loses a right.</p>\n"),
        false => html.list(loses.iter().take(RIGHTS).map(String::as_str)),
    };
    if loses.len() > RIGHTS {
        html.raw("<p class=\"quiet\">and ").number(loses.len() - RIGHTS).raw(" more subjects</p>\n");
    }
    html.list(effect.warnings.iter().chain(&effect.gaps).map(String::as_str));
}

fn findings(html: &mut Html, report: &ReportView) {
    html.raw("<h3>Findings</h3>\n");
    if report.counted().next().is_none() {
        html.raw("<p>Nothing was found in what was read.</p>\n");
    }
    let of = |check: &CheckView| -> Vec<&FindingView> {
        report.counted().filter(|one| one.check == check.id).collect()
    };
    let mut checks: Vec<(&CheckView, Vec<&FindingView>)> =
        report.checks.iter().map(|check| (check, of(check))).filter(|(_, all)| !all.is_empty()).collect();
    // The worst check first; the catalogue's order decides between equals.
    checks.sort_by_key(|(_, all)| std::cmp::Reverse(all.iter().map(|one| one.severity).max()));
    for (check, all) in checks {
        html.one("<article class=\"check\"><h4><span class=\"code\">", check.id, "</span> ")
            .text(check.title);
        html.raw("</h4>\n<p class=\"quiet\">").text(&maps(check)).raw("</p>\n<ul>\n");
        all.iter().take(LISTED).for_each(|found| finding(html, found));
        html.raw("</ul>\n");
        if all.len() > LISTED {
            html.raw("<p class=\"quiet\">and ").number(all.len() - LISTED).raw(" more</p>\n");
        }
        if !check.gaps.is_empty() {
            html.raw("<p class=\"quiet\">There may be more: not all that it depends on was read.</p>\n");
        }
        html.one("<p><strong>Fix:</strong> ", check.fix, "</p></article>\n");
    }
}

fn maps(check: &CheckView) -> String {
    let maps = &check.maps;
    let all = [("CIS", maps.cis), ("NSA/CISA", maps.nsa), ("OWASP", maps.owasp), ("ATT&CK", maps.mitre)];
    let all = all.into_iter().filter(|(_, id)| !id.is_empty());
    all.map(|(name, id)| format!("{name} {id}")).collect::<Vec<_>>().join(" · ")
}

fn finding(html: &mut Html, found: &FindingView) {
    html.raw("<li>");
    severity_badge(html, found.severity.into());
    html.raw(" <bdi>").text(&found.said).raw("</bdi>");
    if found.inert {
        html.raw(" <span class=\"quiet\">(no effect)</span>");
    }
    if let Some(excepted) = &found.excepted {
        html.one(" <span class=\"excepted\">excepted: <bdi>", &excepted.said(), "</bdi></span>");
    }
    let proofs: Vec<String> = found.evidence.iter().take(PROOFS).map(evidence).collect();
    html.list(proofs.iter().map(String::as_str));
    if found.evidence.len() > PROOFS {
        html.raw("<span class=\"quiet\">and ").number(found.evidence.len() - PROOFS).raw(" more</span>");
    }
    html.raw("</li>\n");
}

fn evidence(one: &EvidenceView) -> String {
    let role = words::named(&one.role.kind, one.role.namespace.as_deref(), &one.role.name);
    let rule = one.rule.map_or(String::new(), |rule| format!(", rule {}", rule + 1));
    match &one.binding {
        Some(binding) => {
            format!(
                "{} gives {role}{rule}",
                words::named(&binding.kind, binding.namespace.as_deref(), &binding.name)
            )
        }
        None => format!("{role}{rule}, once it is bound"),
    }
}

fn unknown(html: &mut Html, report: &ReportView) {
    // One gap opens many checks.
    let mut by_why: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for check in &report.checks {
        if matches!(check.verdict, VerdictView::Unknown | VerdictView::Provider) {
            let why = check.why.as_deref().unwrap_or("not all that it depends on was read");
            by_why.entry(why).or_default().push(check.id);
        }
    }
    if !by_why.is_empty() {
        html.raw("<h3>Not known</h3>\n<ul>\n");
        for (why, checks) in by_why {
            html.one("<li><bdi>", why, "</bdi>: <span class=\"code\">").text(&checks.join(", "));
            html.raw("</span></li>\n");
        }
        html.raw("</ul>\n");
    }
    let kinds = report.read.kinds.iter();
    let read: Vec<String> = kinds
        .clone()
        .filter(|kind| kind.coverage == CoverageView::Read)
        .map(|kind| format!("{} {}", kind.kind, kind.objects))
        .collect();
    let unread: Vec<&str> = kinds.filter_map(|kind| kind.why.as_deref()).collect();
    html.raw("<h3>Read</h3>\n<p>");
    html.text(if read.is_empty() { "No kind was read whole." } else { "" })
        .text(&read.join(", "))
        .raw("</p>\n");
    html.list(unread.into_iter().chain(report.read.unread.iter().take(LISTED).map(String::as_str)));
}
