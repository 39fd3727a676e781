use super::*;
use crate::tests::worlds::{questions, world};
use crate::tests::{Cluster, group, rule, user};
use proptest::prelude::*;

/// Everybody whom one of the two names, with the groups that everybody of their kind is in.
fn everybody(before: &Rbac, after: &Rbac) -> Vec<Subject> {
    let mut all: Vec<Subject> = before.subjects().chain(after.subjects()).cloned().collect();
    all.sort();
    all.dedup();
    all
}

/// What is told of a subject: by itself, or by a group that it is in.
fn told(losses: &[Loss], subject: &Subject, ask: Ask<'_>, namespace: Option<&str>) -> bool {
    let groups = subject.caller().groups.into_iter().map(Subject::Group);
    let whose: Vec<Subject> = groups.chain([subject.clone()]).collect();
    losses.iter().any(|loss| whose.contains(&loss.subject) && loss.has(ask, namespace))
}

fn is_exact(before: &Rbac, after: &Rbac) -> Result<(), TestCaseError> {
    let losses = losses(before, after);
    for subject in everybody(before, after) {
        let caller = subject.caller();
        for (ask, namespace) in questions() {
            let has = after.allows(&caller, ask, namespace);
            let lost = before.allows(&caller, ask, namespace) && !has;
            prop_assert_eq!(
                told(&losses, &subject, ask, namespace) && !has,
                lost,
                "{:?} {:?} {:?} {:?}",
                subject,
                ask,
                namespace,
                losses
            );
            // What is told of somebody alone is lost by them, without a but.
            let own = losses.iter().any(|loss| loss.subject == subject && loss.has(ask, namespace));
            prop_assert!(!own || lost, "{:?} {:?} {:?}", subject, ask, namespace);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// P22: what is said to be lost is exactly the difference of the two indexes, on every question.
    #[test]
    fn p22_what_is_lost_is_exactly_what_one_allows_and_the_other_does_not(before in world(), after in world()) {
        is_exact(&before.rbac().0, &after.rbac().0)?;
    }

    /// The same where little changed, as by a fix.
    #[test]
    fn p22_a_binding_less_takes_exactly_what_it_gave_alone(before in world(), at in 0..9_usize) {
        let mut after = before.clone();
        if at < after.bindings.len() {
            after.bindings.remove(at);
        }
        is_exact(&before.rbac().0, &after.rbac().0)?;
        prop_assert_eq!(losses(&after.rbac().0, &before.rbac().0), Vec::new());
    }

    #[test]
    fn nobody_loses_anything_between_the_same_two(world in world()) {
        let rbac = world.rbac().0;
        prop_assert_eq!(losses(&rbac, &rbac.clone()), Vec::new());
    }
}

#[test]
fn what_is_kept_by_another_binding_is_not_lost() {
    let reads = rule(&["get", "list"], &[""], &["pods", "secrets"]);
    let both = Cluster::default()
        .cluster_role("reads", &[reads])
        .cluster_role("pods", &[rule(&["get"], &[""], &["pods"])])
        .bind(None, "reads", &[group("devs")])
        .bind(Some("ci"), "pods", &[group("devs"), user("ana")]);
    let mut after = both.read();
    let before = after.clone();
    after.bindings.remove(0);
    let losses = losses(&before.rbac().0, &after.rbac().0);
    let [devs] = losses.as_slice() else { panic!("{losses:?}") };
    assert_eq!(devs.subject, Subject::Group("devs".into()));
    let get = |resource| Ask::Resource { verb: "get", group: "", resource, subresource: "", name: "" };
    assert!(devs.has(get("pods"), Some("payments")) && devs.has(get("secrets"), Some("ci")));
    assert!(!devs.has(get("pods"), Some("ci")), "it is held there still");
    assert_eq!(devs.weight(), 4);
    let words: Vec<String> =
        devs.words().into_iter().flat_map(|(_, rights)| rights).map(|one| one.title).collect();
    assert_eq!(words, ["Read secrets", "Look at objects"]);
}

#[test]
fn a_wildcard_that_is_narrowed_tells_what_is_left() {
    let world = |given| {
        Cluster::default().cluster_role("r", &[given]).bind(None, "r", &[user("ana")]).read().rbac().0
    };
    let (all, some) = (world(rule(&["*"], &["*"], &["*"])), world(rule(&["get"], &[""], &["pods"])));
    let losses = losses(&all, &some);
    let ask = |verb, resource| Ask::Resource { verb, group: "", resource, subresource: "", name: "" };
    assert!(losses[0].has(ask("delete", "pods"), None) && losses[0].has(ask("get", "secrets"), None));
    assert!(!losses[0].has(ask("get", "pods"), Some("ci")));
}
