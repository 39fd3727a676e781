use super::*;
use crate::change::Change;
use crate::tests::{Cluster, account, group, rule, user};

#[test]
fn whoever_would_lock_themselves_or_sallyport_out_is_warned() {
    let snapshot = Cluster::default()
        .cluster_role("all", &[rule(&["*"], &["*"], &["*"])])
        .cluster_role("sallyport:broker", &[rule(&["get"], &[""], &["namespaces"])])
        .bind(None, "all", &[user("ana")])
        .bind(None, "sallyport:broker", &[account("sallyport-system", "broker")])
        .read();
    let ground = Ground::new(&snapshot);
    let delete = |at| Change::DeleteBinding { binding: ground.object(at).unwrap().as_ref().clone() };
    let ana = Subject::User("ana".into()).caller();
    let effect = effect(&ground, &[delete(0), delete(1)], None, None, Some(&ana)).unwrap();
    for says in ["Nobody but system:masters", "You lose rights yourself, as user ana", "is Sallyport's own"] {
        assert!(effect.warnings.iter().any(|one| one.contains(says)), "{says}: {:?}", effect.warnings);
    }
    let by_group = Caller { user: "eve".into(), groups: vec!["devs".into()] };
    let others = super::effect(&ground, &[delete(0)], None, None, Some(&by_group)).unwrap();
    assert!(!others.warnings.iter().any(|one| one.contains("yourself")), "{:?}", others.warnings);
    assert_eq!(effect.losses.len(), 2);
    assert!(effect.losses[0].said[0].contains("everywhere"), "{:?}", effect.losses[0].said);
}

#[test]
fn other_findings_that_go_with_it_and_what_was_not_read_are_told() {
    let mut snapshot = Cluster::default()
        .cluster_role(
            "both",
            &[rule(&["get"], &[""], &["secrets"]), rule(&["create"], &[""], &["pods/exec"])],
        )
        .bind(None, "both", &[group("devs")])
        .read();
    snapshot.asked(Kind::RoleBinding, crate::Coverage::Cut("its list ended".into()));
    let ground = Ground::new(&snapshot);
    let report = ground.report();
    let finding =
        report.checks.iter().flat_map(|one| &one.findings).find(|one| one.check == "RB-11").unwrap();
    let change = Change::DeleteBinding { binding: ground.object(0).unwrap().as_ref().clone() };
    let effect = effect(&ground, &[change], Some(finding), None, None).unwrap();
    assert_eq!(effect.outcome, Some(Outcome::Gone));
    assert!(effect.also_gone.iter().any(|one| one.contains("run commands")), "{:?}", effect.also_gone);
    assert!(effect.gaps.iter().any(|one| one.contains("its list ended")), "{:?}", effect.gaps);
}
