//! With less that was read nothing gets better.

use super::server::{CASES, Case, well};
use super::{admission, people};
use crate::check::tests::*;
use crate::snapshot::{Kind, Part};

/// Takes away one of what was read, and says so.
fn take_away(snapshot: &mut Snapshot, part: usize, how: &Coverage) {
    let told = &mut snapshot.told;
    let partly = matches!(how, Coverage::Cut(_));
    match part {
        0 => told.flags = Part::without(how.clone()),
        1 if partly => {
            // What came before the cut stays.
            let half = told.metrics.found.len() / 2;
            told.metrics.found.truncate(half);
            told.metrics.coverage = how.clone();
        }
        1 => told.metrics = Part::without(how.clone()),
        2 => told.ready = Part::without(how.clone()),
        3 => told.identity = Part::without(how.clone()),
        4 => told.authentication = Part::without(how.clone()),
        5 => told.aws_auth = Part::without(how.clone()),
        6 => told.cluster_info = Part::without(how.clone()),
        7 => snapshot.door = None,
        8 => snapshot.taken = None,
        9 => snapshot.server = None,
        10 => snapshot.version = None,
        _ => snapshot.asked(Kind::ALL[part - 11], how.clone()),
    }
}

fn any_part() -> impl Strategy<Value = (usize, Coverage)> {
    let how = prop::sample::select(vec![
        Coverage::Forbidden("get it".to_owned()),
        Coverage::Cut("410".to_owned()),
        Coverage::NotAsked,
    ]);
    (0..11 + Kind::ALL.len(), how)
}

/// One server's flags, its metrics and its door do not contradict each other.
fn agree(snapshot: &mut Snapshot) {
    let told = &mut snapshot.told;
    // What is off is not asked, and nobody is exempted without a file that says so.
    if told.flag("disable-admission-plugins").is_some_and(|off| off.contains("PodSecurity")) {
        told.metrics
            .found
            .retain(|one| one.label("name") != "PodSecurity" && !one.name.starts_with("pod_security"));
    }
    let says = |name: &str| told.sum(name).is_some_and(|many| many > 0.0);
    let by_file = says("pod_security_exemptions_total")
        || says("apiserver_manifest_admission_config_controller_last_config_info");
    if let Some(flag) = told.flags.found.get_mut("admission-control-config-file").filter(|_| by_file) {
        "admission.yaml".clone_into(flag);
    }
    let let_in = |one: &crate::snapshot::AnonymousGet| one.status != Some(401);
    let anonymous = snapshot.door.as_ref().is_some_and(|door| door.anonymous.iter().any(let_in));
    if let Some(flag) = snapshot.told.flags.found.get_mut("anonymous-auth").filter(|_| anonymous) {
        "true".clone_into(flag);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is wrong and whatever can't be read: what fails with everything read never passes without some of it.
    #[test]
    fn p21_less_that_was_read_never_makes_a_pass(
        wrong in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        away in prop::collection::vec(any_part(), 1..6),
    ) {
        let cases: Vec<&Case> = CASES.iter().chain(people::CASES).chain(admission::CASES).collect();
        let mut snapshot = well();
        for at in wrong {
            // Some make an object of the same name.
            let mut tried = snapshot.clone();
            let (_, _, change) = at.get(&cases);
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| change(&mut tried))).is_ok() {
                snapshot = tried;
            }
        }
        agree(&mut snapshot);
        let mut less = snapshot.clone();
        for (part, how) in &away {
            take_away(&mut less, *part, how);
        }
        let (all, few) = (Ground::new(&snapshot).report(), Ground::new(&less).report());
        for (all, few) in all.checks.iter().zip(&few.checks) {
            let worse = !matches!(all.verdict, Verdict::Fail) || few.verdict != Verdict::Pass;
            prop_assert!(worse, "{} passes without {away:?}: {:?}", all.check.id, all.findings);
        }
    }
}
