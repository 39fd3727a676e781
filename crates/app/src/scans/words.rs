//! Posture's words as the window's. Pure.

use sallyport_ipc::{FindingOrigin, PostureArea, PostureCell, PostureSeverity, PostureVerdict};
use sallyport_model::Digest;
use sallyport_posture::area::{Area, Cell, CellVerdict};
use sallyport_posture::{Origin, Severity, Verdict};
use sallyport_rbac::Rule;
use sallyport_rbac::who::Subject;

pub(super) fn area(area: Area) -> PostureArea {
    match area {
        Area::Reach => PostureArea::Reach,
        Area::SignIn => PostureArea::SignIn,
        Area::Credentials => PostureArea::Credentials,
        Area::Rbac => PostureArea::Rights,
        Area::Admission => PostureArea::Admission,
        Area::Audit => PostureArea::Audit,
        Area::Encryption => PostureArea::Encryption,
        Area::Version => PostureArea::Version,
    }
}

pub(super) fn severity(severity: Severity) -> PostureSeverity {
    match severity {
        Severity::Info => PostureSeverity::Info,
        Severity::Low => PostureSeverity::Low,
        Severity::Medium => PostureSeverity::Medium,
        Severity::High => PostureSeverity::High,
        Severity::Critical => PostureSeverity::Critical,
    }
}

/// What has no effect is found and no weakness.
pub(super) fn verdict(verdict: &Verdict) -> PostureVerdict {
    match verdict {
        Verdict::Pass | Verdict::Inert => PostureVerdict::Pass,
        Verdict::Fail => PostureVerdict::Fail,
        Verdict::Unknown(_) => PostureVerdict::Unknown,
        Verdict::Provider(_) => PostureVerdict::Provider,
        Verdict::NotApplicable(_) => PostureVerdict::NotApplicable,
    }
}

pub(super) fn why(verdict: &Verdict) -> Option<&str> {
    match verdict {
        Verdict::Unknown(why) | Verdict::Provider(why) | Verdict::NotApplicable(why) => Some(why),
        Verdict::Pass | Verdict::Inert | Verdict::Fail => None,
    }
}

pub(super) fn origin(origin: Origin) -> FindingOrigin {
    match origin {
        Origin::Default => FindingOrigin::Default,
        Origin::Vendor => FindingOrigin::Vendor,
        Origin::Own => FindingOrigin::Own,
    }
}

pub(super) fn cell(cell: &Cell) -> PostureCell {
    let count = |many: usize| u32::try_from(many).unwrap_or(u32::MAX);
    PostureCell {
        verdict: match cell.verdict {
            CellVerdict::NotApplicable => PostureVerdict::NotApplicable,
            CellVerdict::Pass => PostureVerdict::Pass,
            CellVerdict::Provider => PostureVerdict::Provider,
            CellVerdict::Unknown => PostureVerdict::Unknown,
            CellVerdict::Fail => PostureVerdict::Fail,
        },
        worst: cell.worst.map(severity),
        count: count(cell.count),
        unknown: count(cell.covered.1.saturating_sub(cell.covered.0)),
        excepted: count(cell.excepted),
    }
}

/// A rule as it stands in its role: `get, list on pods, pods/log of apps named a`.
pub(super) fn rule_said(rule: &Rule) -> String {
    let what = if rule.resources.is_empty() { &rule.non_resource_urls } else { &rule.resources };
    let groups: Vec<&str> =
        rule.api_groups.iter().map(String::as_str).filter(|group| !group.is_empty()).collect();
    let of = if groups.is_empty() { String::new() } else { format!(" of {}", groups.join(", ")) };
    let names = &rule.resource_names;
    let named = if names.is_empty() { String::new() } else { format!(" named {}", names.join(", ")) };
    format!("{} on {}{of}{named}", rule.verbs.join(", "), what.join(", "))
}

/// The same for the same texts.
pub(super) fn id(parts: &[&str]) -> String {
    Digest::of(parts.join("\n").as_bytes()).to_string()[..16].to_owned()
}

pub(super) fn subject_named(subject: &Subject) -> String {
    match (subject, subject.as_account()) {
        (_, Some((namespace, name))) => format!("ServiceAccount {namespace}/{name}"),
        (Subject::Group(name), _) => format!("group {name}"),
        (Subject::User(name), _) => format!("user {name}"),
    }
}
