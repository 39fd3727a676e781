use super::*;
use crate::snapshot::{Coverage, Snapshot};
use crate::tests::worlds::world;
use crate::tests::{Cluster, group, rule, user};
use proptest::prelude::*;

fn between(before: &Snapshot, after: &Snapshot) -> Drift {
    let (before, after) = (Ground::new(before), Ground::new(after));
    drift((&before, &before.report()), (&after, &after.report()))
}

fn exec(place: Option<&str>) -> Cluster {
    Cluster::default()
        .namespace("payments", Some("restricted"))
        .cluster_role("exec", &[rule(&["create"], &[""], &["pods/exec"])])
        .bind(place, "exec", &[group("devs")])
}

#[test]
fn a_new_right_is_told_in_words() {
    let before = Cluster::default().namespace("payments", Some("restricted")).read();
    let told = between(&before, &exec(Some("payments")).read());
    let said: Vec<&str> = told.may.all.iter().map(|one| one.said.as_str()).collect();
    assert_eq!(said, ["Group devs may run commands in pods in payments."]);
    assert_eq!(told.may.all[0].detail, "create pods/exec");
    assert!(told.new.iter().any(|one| one.check == "RB-13"), "{:?}", told.new);
    assert!(told.may_not.all.is_empty() && told.gone.is_empty());
    let back = between(&exec(Some("payments")).read(), &before);
    assert_eq!(back.may_not.all[0].said, "Group devs may no longer run commands in pods in payments.");
    assert!(back.gone.iter().any(|one| one.check == "RB-13"));
}

#[test]
fn one_namespace_more_is_worse_and_no_other_finding() {
    let two = exec(Some("payments")).bind(Some("ci"), "exec", &[group("devs")]).read();
    let told = between(&exec(Some("payments")).read(), &two);
    assert_eq!(told.worse.len(), 1, "{told:?}");
    assert_eq!((told.new.len(), told.better.len()), (0, 0));
    assert_eq!(between(&two, &exec(Some("payments")).read()).better.len(), 1);
    // In as many places, but another one: nothing is better.
    let moved = between(&exec(Some("payments")).read(), &exec(Some("ci")).read());
    assert_eq!((moved.worse.len(), moved.better.len()), (1, 0));
}

#[test]
fn p21_what_was_not_read_is_not_gone() {
    let before = exec(Some("payments")).read();
    let mut after = Cluster::default().namespace("payments", Some("restricted")).read();
    after.asked(Kind::RoleBinding, Coverage::Forbidden("list rolebindings".into()));
    let told = between(&before, &after);
    assert!(told.gone.is_empty(), "{:?}", told.gone);
    let about = |one: &(Finding, String)| {
        one.0.check == "RB-13" && one.1.contains("by now, RoleBinding could not be read")
    };
    assert!(told.not_comparable.iter().any(about), "{:?}", told.not_comparable);
    assert!(told.may.all.is_empty() && told.may_not.all.is_empty() && !told.rights_gaps.is_empty());
    let back = between(&after, &before);
    assert!(back.new.is_empty() && back.not_comparable.iter().any(|one| one.1.starts_with("before, ")));
}

#[test]
fn what_is_told_of_rights_is_bounded_and_says_how_much_is_left() {
    let mut many = Cluster::default().cluster_role("reads", &[rule(&["get"], &[""], &["secrets"])]);
    for number in 0..700 {
        many = many.bind(Some(&format!("n{number}")), "reads", &[user("ana")]);
    }
    let told = between(&Cluster::default().read(), &many.read());
    assert_eq!((told.may.all.len(), told.may.left_out), (RIGHTS_MOST, 200));
}

fn abouts(list: &[Finding]) -> Vec<About<'_>> {
    let mut all: Vec<_> = list.iter().map(Finding::about).collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// From one to the other and back are the same lists the other way round.
    #[test]
    fn drift_is_the_same_both_ways(one in world(), other in world()) {
        let (there, back) = (between(&one, &other), between(&other, &one));
        prop_assert_eq!(abouts(&there.new), abouts(&back.gone));
        prop_assert_eq!(abouts(&there.gone), abouts(&back.new));
        prop_assert_eq!(there.same, back.same);
        let rights = |list: &Rights| list.all.iter().map(|one| (one.subject.clone(), one.namespace.clone(), one.detail.clone())).collect::<Vec<_>>();
        prop_assert_eq!(rights(&there.may), rights(&back.may_not));
        // What only moved to another place is worse both ways; all else turns round.
        prop_assert!(there.better.len() <= back.worse.len() && back.better.len() <= there.worse.len());
    }

    #[test]
    fn nothing_drifts_between_a_scan_and_itself(one in world()) {
        let told = between(&one, &one);
        prop_assert_eq!(Drift { same: told.same, ..Drift::default() }, told);
    }
}
