//! A report for people: what was read, what was found by severity, what is not known.

use sallyport_report::finding::{FindingView, OriginView, SeverityView};
use sallyport_report::objects::{EvidenceView, ObjectView};
use sallyport_report::view::{CoverageView, ReadView, ReportView, VerdictView};
use sallyport_report::words::{self, count, shown};
use std::collections::BTreeMap;

/// Findings of one check that are listed without --all.
const LISTED: usize = 5;
/// Proofs of one finding that are listed without --all.
const PROOFS: usize = 2;

pub(crate) fn report(report: &ReportView, all: bool) -> String {
    let mut text = head(report);
    text.push_str(&sallyport_report::glance::told(&report.practices));
    if report.counted().next().is_none() {
        let all_read = report.covered.checks == report.covered.of;
        text.push_str(if all_read {
            "\nNothing was found.\n"
        } else {
            "\nNothing was found in what was read.\n"
        });
    }
    for severity in [
        SeverityView::Critical,
        SeverityView::High,
        SeverityView::Medium,
        SeverityView::Low,
        SeverityView::Info,
    ] {
        let of: Vec<&FindingView> =
            report.findings.iter().filter(|one| one.severity == severity && (all || one.counts())).collect();
        if !of.is_empty() {
            text.push_str(&format!("\n{}\n", words::severity(severity.into()).to_uppercase()));
            by_check(&mut text, report, &of, all);
        }
    }
    if !report.stale_exceptions.is_empty() {
        text.push_str("\nEXCEPTIONS\n");
        for one in &report.stale_exceptions {
            let severity = words::severity(one.severity.into());
            text.push_str(&format!("  {severity:8}  {}  {} {}\n", one.check, shown(&one.said), one.fix));
        }
    }
    unknown(&mut text, report);
    if report.summary.shipped > 0 && !all {
        let shipped = count(report.summary.shipped, "finding");
        text.push_str(&format!(
            "\nCollapsed: {shipped} that come with Kubernetes as it ships; --all lists them.\n"
        ));
    }
    read(&mut text, &report.read);
    for note in &report.notes {
        text.push_str(&format!("Note: {note}\n"));
    }
    text
}

fn head(report: &ReportView) -> String {
    let read = &report.read;
    let mut parts = vec![shown(&read.source)];
    parts.extend(read.version.as_ref().map(|version| format!("Kubernetes {}", shown(version))));
    parts.extend(read.user.as_ref().map(|user| format!("as {}", shown(user))));
    parts.extend(read.taken.as_ref().map(|taken| shown(taken)));
    let summary = &report.summary;
    let excepted = match summary.excepted {
        0 => String::new(),
        many => format!(" ({many} of them excepted)"),
    };
    format!(
        "{}\n{} critical, {} high, {} medium, {} low, {} info{excepted}; {} of {} checks had all they depend on\n",
        parts.join(" · "),
        summary.critical,
        summary.high,
        summary.medium,
        summary.low,
        summary.info,
        report.covered.checks,
        report.covered.of,
    )
}

fn by_check(text: &mut String, report: &ReportView, findings: &[&FindingView], all: bool) {
    // In the order of the catalogue.
    for check in &report.checks {
        let of: Vec<&&FindingView> = findings.iter().filter(|one| one.check == check.id).collect();
        if of.is_empty() {
            continue;
        }
        text.push_str(&format!("  {}  {}\n", check.id, check.title));
        let listed = if all { of.len() } else { LISTED };
        for found in of.iter().take(listed) {
            one(text, found, all);
        }
        if of.len() > listed {
            text.push_str(&format!("    … and {} more; --all lists them\n", of.len() - listed));
        }
        if !check.gaps.is_empty() {
            text.push_str("    There may be more: not all that it depends on was read, as NOT KNOWN says.\n");
        }
        text.push_str(&format!("    Fix: {}\n", check.fix));
    }
}

fn one(text: &mut String, found: &FindingView, all: bool) {
    let mark = match (found.inert, found.origin) {
        (true, _) => " (no effect)",
        (false, OriginView::Default) => " (comes with Kubernetes)",
        (false, OriginView::Vendor) => " (named as the vendor's)",
        (false, OriginView::Own) => "",
    };
    text.push_str(&format!("    - {}{mark}\n", found.said));
    if let Some(excepted) = &found.excepted {
        text.push_str(&format!("        excepted: {}\n", shown(&excepted.said())));
    }
    let proofs = if all { found.evidence.len() } else { PROOFS };
    for proof in found.evidence.iter().take(proofs) {
        text.push_str(&format!("        by {}\n", evidence(proof)));
    }
    if found.evidence.len() > proofs {
        text.push_str(&format!("        … and {} more\n", found.evidence.len() - proofs));
    }
}

fn evidence(evidence: &EvidenceView) -> String {
    let object = |one: &ObjectView| {
        let file = one.file.as_ref().map_or(String::new(), |file| format!(" ({})", shown(file)));
        format!("{}{file}", words::named(&one.kind, one.namespace.as_deref(), &one.name))
    };
    let rule = evidence.rule.map_or(String::new(), |rule| format!(", rule {}", rule + 1));
    match &evidence.binding {
        Some(binding) => format!("{} and {}{rule}", object(binding), object(&evidence.role)),
        None => format!("{}{rule}, once it is bound", object(&evidence.role)),
    }
}

/// What could not be answered, by why: one gap opens many checks, and several gaps may open the same ones.
fn unknown(text: &mut String, report: &ReportView) {
    let mut by_gap: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut elsewhere = Vec::new();
    for check in &report.checks {
        match (check.verdict, &check.why) {
            (VerdictView::Unknown, Some(why)) if check.gaps.is_empty() => {
                by_gap.entry(why).or_default().push(check.id);
            }
            (VerdictView::Provider, Some(place)) => elsewhere.push((check, place)),
            _ => check.gaps.iter().for_each(|gap| by_gap.entry(gap).or_default().push(check.id)),
        }
    }
    let mut by_checks: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
    for (gap, checks) in by_gap {
        by_checks.entry(checks).or_default().push(gap);
    }
    if !by_checks.is_empty() {
        text.push_str("\nNOT KNOWN\n");
    }
    for (checks, gaps) in by_checks {
        gaps.iter().for_each(|gap| text.push_str(&format!("  {gap}\n")));
        text.push_str(&format!("    leaves open {}\n", checks.join(", ")));
    }
    if !elsewhere.is_empty() {
        text.push_str("\nSET AT THE PROVIDER\n");
        for (check, place) in elsewhere {
            text.push_str(&format!("  {}  {}: {place}\n", check.id, check.title));
        }
    }
}

fn read(text: &mut String, read: &ReadView) {
    let of = |coverage: &[CoverageView]| -> Vec<String> {
        let kinds = read.kinds.iter().filter(|kind| coverage.contains(&kind.coverage));
        kinds.map(|kind| format!("{} {}", kind.kind, kind.objects)).collect()
    };
    let whole = of(&[CoverageView::Read]);
    if !whole.is_empty() {
        text.push_str(&format!("\nRead: {}\n", whole.join(", ")));
    }
    let parts = |coverage| read.parts.iter().filter(move |one| one.coverage == coverage).map(|one| one.part);
    let also: Vec<&str> = parts(CoverageView::Read).collect();
    if !also.is_empty() {
        text.push_str(&format!("Beside objects: {}\n", also.join(", ")));
    }
    let mut part = of(&[CoverageView::Cut]);
    part.extend(parts(CoverageView::Cut).map(str::to_owned));
    if !part.is_empty() {
        text.push_str(&format!("Read in part: {}\n", part.join(", ")));
    }
    let names = |coverage| -> Vec<&str> {
        let kinds = read.kinds.iter().filter(|kind| kind.coverage == coverage).map(|kind| kind.kind);
        kinds.chain(parts(coverage)).collect()
    };
    for (said, coverage) in [
        ("Not allowed to read", CoverageView::Forbidden),
        ("Not served", CoverageView::NotServed),
        ("Not asked for", CoverageView::NotAsked),
    ] {
        let kinds = names(coverage);
        if !kinds.is_empty() {
            text.push_str(&format!("{said}: {}\n", kinds.join(", ")));
        }
    }
    for (at, file) in read.unread.iter().enumerate() {
        if at == 10 {
            text.push_str(&format!("… and {} more files\n", read.unread.len() - 10));
            break;
        }
        text.push_str(&format!("Not read: {}\n", shown(file)));
    }
}
