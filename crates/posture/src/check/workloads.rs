//! Service accounts where their tokens are: in pods, told of what makes them and once.

use super::Finding;
use super::others::{finding, place, shown};
use crate::graph::Node;
use crate::ground::{Ground, Origin, said};
use crate::severity::Severity;
use crate::snapshot::Kind;
use crate::workload::{Carrier, carriers};
use sallyport_rbac::who::Subject;

/// What a token may live, in seconds, before it is told.
const DAY: i64 = 86_400;

fn reaches(ground: &Ground<'_>, account: &Subject, far: impl Fn(usize) -> bool) -> bool {
    let groups = account.caller().groups.into_iter().map(Subject::Group);
    groups
        .chain([account.clone()])
        .filter_map(|subject| ground.graph.at(Node::Subject(ground.rights.subject(&subject)?)))
        .any(far)
}

/// Whether a ServiceAccount, or a group that it is in, leads to everything.
fn is_strong(ground: &Ground<'_>, account: &Subject) -> bool {
    reaches(ground, account, |node| ground.reach.is_critical(node))
}

/// Whether a binding names a ServiceAccount, or gives the groups that it is in more than Kubernetes gives everybody.
fn holds_something(ground: &Ground<'_>, account: &Subject) -> bool {
    let mut bindings = ground.rights.rbac.places_of(&account.caller()).into_iter();
    ground.rights.subject(account).is_some() || bindings.any(|at| ground.origin(at) != Origin::Default)
}

/// What has the token of an account in it that holds something: whoever holds nothing has nothing to lose.
fn mounting<'g, 's>(ground: &'g Ground<'s>) -> impl Iterator<Item = (&'g Carrier<'s>, Subject)> {
    ground.mounting.iter().filter_map(|one| {
        let account = one.subject();
        holds_something(ground, &account).then_some((one, account))
    })
}

/// "Deployment web in ci", and who makes that, where it is not read.
fn named(carrier: &Carrier<'_>) -> String {
    let own = format!("{} {} in {}", carrier.kind.name(), shown(&carrier.meta.name), place(carrier.meta));
    match carrier.maker {
        Some(maker) => format!("{own}, made by {} {},", shown(&maker.kind), shown(&maker.name)),
        None => own,
    }
}

fn told(
    check: &'static str,
    carrier: &Carrier<'_>,
    account: Subject,
    severity: Severity,
    said: String,
) -> Finding {
    Finding { subject: Some(account), ..finding(check, carrier.kind.name(), carrier.meta, severity, said) }
}

/// SA-03: of every account but `default`, of which SA-04 tells.
pub(super) fn mounted(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (carrier, account) in mounting(ground).filter(|(one, _)| one.account != "default") {
        let severity = if is_strong(ground, &account) { Severity::Medium } else { Severity::Low };
        let sentence = match carrier.kind {
            Kind::Pod => format!(
                "{} has the token of {} in it, whose rights whoever gets into it has too.",
                named(carrier),
                said(&account)
            ),
            _ => format!(
                "{} has the token of {} in its pods, whose rights whoever gets into one of them has too.",
                named(carrier),
                said(&account)
            ),
        };
        findings.push(told(check, carrier, account, severity, sentence));
    }
    findings
}

/// SA-04.
pub(super) fn as_default(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (carrier, account) in mounting(ground).filter(|(one, _)| one.account == "default") {
        let severity = if is_strong(ground, &account) { Severity::High } else { Severity::Medium };
        let sentence = format!(
            "{} runs as {}, which holds rights and is what every pod runs as that names no account, and has its token.",
            named(carrier),
            said(&account)
        );
        findings.push(told(check, carrier, account, severity, sentence));
    }
    findings
}

/// SA-05. A token for others than the API server is no finding by itself: a cloud's identities are made by such.
pub(super) fn long_lived(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let lives = |one: &Carrier<'_>| one.tokens.iter().any(|token| token.seconds > DAY);
    let mut findings = Vec::new();
    for carrier in carriers(ground.snapshot, lives) {
        let account = carrier.subject();
        let mut each: Vec<String> = Vec::new();
        for token in carrier.tokens.iter().filter(|token| token.seconds > DAY) {
            let whom = match token.audience.as_str() {
                "" => "the API server".to_owned(),
                other => format!("{}, which is not this API server unless it says so", shown(other)),
            };
            let one = format!("a token for {whom} that lives for {} hours", token.seconds / 3_600);
            if !each.contains(&one) {
                each.push(one);
            }
        }
        let sentence =
            format!("{} asks, as {}, for {}.", named(&carrier), said(&account), each.join(", and "));
        findings.push(told(check, &carrier, account, Severity::Low, sentence));
    }
    findings
}

/// SA-08.
pub(super) fn on_every_node(ground: &Ground<'_>, check: &'static str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (carrier, account) in mounting(ground).filter(|(one, _)| one.kind == Kind::DaemonSet) {
        let what = if is_strong(ground, &account) {
            "leads to everything"
        } else if reaches(ground, &account, |node| ground.reach.is_high(node)) {
            "leads to every Secret"
        } else {
            continue;
        };
        let sentence = format!(
            "{} has the token of {} on every node it runs on, and that {what}: whoever breaks one node has the cluster.",
            named(carrier),
            said(&account)
        );
        findings.push(told(check, carrier, account, Severity::High, sentence));
    }
    findings
}
