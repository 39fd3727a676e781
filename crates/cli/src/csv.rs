//! One line for each finding, RFC 4180.

use sallyport_report::finding::{FindingView, OriginView};
use sallyport_report::handed::csv_line as line;
use sallyport_report::objects::ObjectView;
use sallyport_report::view::ReportView;
use sallyport_report::words;

const HEAD: [&str; 17] = [
    "check",
    "severity",
    "title",
    "subject_kind",
    "subject_namespace",
    "subject",
    "namespaces",
    "said",
    "inert",
    "origin",
    "object",
    "binding",
    "role",
    "fix",
    "fingerprint",
    "excepted_by",
    "excepted_until",
];

pub(crate) fn csv(report: &ReportView) -> String {
    let mut text = String::new();
    line(&mut text, &HEAD.map(str::to_owned));
    for found in &report.findings {
        line(&mut text, &row(report, found));
    }
    text
}

fn row(report: &ReportView, found: &FindingView) -> [String; 17] {
    let check = report.check(found.check);
    let subject = found.subject.as_ref();
    let object = |object: Option<&ObjectView>| {
        object.map_or(String::new(), |one| match &one.namespace {
            Some(namespace) => format!("{} {namespace}/{}", one.kind, one.name),
            None => format!("{} {}", one.kind, one.name),
        })
    };
    let proof = found.evidence.first();
    [
        found.check.to_owned(),
        words::severity(found.severity.into()).to_owned(),
        check.map_or("", |check| check.title).to_owned(),
        subject.map_or("", |subject| subject.kind).to_owned(),
        subject.and_then(|subject| subject.namespace.clone()).unwrap_or_default(),
        subject.map(|subject| subject.name.clone()).unwrap_or_default(),
        found.namespaces.as_ref().map_or_else(|| "*".to_owned(), |all| all.join(" ")),
        found.said.clone(),
        found.inert.to_string(),
        match found.origin {
            OriginView::Default => "default",
            OriginView::Vendor => "vendor",
            OriginView::Own => "own",
        }
        .to_owned(),
        object(found.object.as_ref()),
        object(proof.and_then(|proof| proof.binding.as_ref())),
        object(proof.map(|proof| &proof.role)),
        check.map_or("", |check| check.fix).to_owned(),
        found.fingerprint.clone(),
        found.excepted.as_ref().map(|one| one.owner.clone()).unwrap_or_default(),
        found.excepted.as_ref().map(|one| one.until.clone()).unwrap_or_default(),
    ]
}
