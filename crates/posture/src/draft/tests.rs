use super::*;
use crate::snapshot::Snapshot;
use crate::tests::{Cluster, account, group, rule, user};

fn of(snapshot: &Snapshot, name: &str, subject: &Subject) -> Result<Draft, NoDraft> {
    let ground = Ground::new(snapshot);
    let mut all = ground.rights.rbac.bindings().iter();
    let at = all.position(|(one, _)| one.name.ends_with(name)).expect("the binding");
    draft(&ground, &ground.object(at).unwrap(), subject, "payments-eu", None)
}

fn devs() -> Subject {
    Subject::Group("oidc:devs".into())
}

fn cluster(given: &[serde_json::Value], place: Option<&str>) -> Snapshot {
    Cluster::default()
        .namespace("payments", None)
        .namespace("kube-system", None)
        .cluster_role("Run Things", given)
        .cluster_role("things", given)
        .bind(place, "things", &[group("oidc:devs"), user("ana")])
        .bind(place, "Run Things", &[group("oidc:devs")])
        .read()
}

#[test]
fn a_grant_becomes_a_profile_with_what_it_needs() {
    let exec = [rule(&["create", "get"], &[""], &["pods/exec", "pods"])];
    let draft = of(&cluster(&exec, Some("payments")), "things", &devs()).expect("a draft");
    assert_eq!(
        draft.profile,
        "apiVersion: access.sallyport.dev/v1alpha1\nkind: AccessProfile\nmetadata:\n  name: devs-things\nspec:\n  clusters: \
         [payments-eu]\n  roles: [things]\n  namespaces: [payments]\n  maxDuration: \"1h\"\n  approvals: 1\n  mfa:\n    \
         maxAge: \"1h\"\n  reasonRequired: true\n"
    );
    assert!(draft.ask.contains("resourceNames: [devs-things]\n  verbs: [request]\n"), "{}", draft.ask);
    assert!(draft.ask.contains("name: oidc:devs\n"), "{}", draft.ask);
    assert!(matches!(&draft.remove, Change::RemoveSubject { subject, .. } if *subject == devs()));
    assert!(
        draft.notes.iter().any(|note| note.starts_with("Add things to the resourceNames")),
        "{:?}",
        draft.notes
    );
    // The other binding still gives it.
    assert_eq!(draft.effect.losses, []);
    assert_eq!(draft.role, None);
    // A name that no profile may hold.
    let other = of(&cluster(&exec, Some("payments")), "Run Things", &devs()).expect("a draft");
    assert!(
        other.role.as_deref().is_some_and(|role| role.contains("name: profile:devs-run-things\n")),
        "{other:?}"
    );
    assert!(matches!(other.remove, Change::DeleteBinding { .. }));
}

#[test]
fn plain_reads_open_without_approvals_and_a_grant_of_everywhere_names_namespaces() {
    let reads = [rule(&["get", "list"], &["apps"], &["deployments"])];
    let draft = of(&cluster(&reads, None), "things", &devs()).expect("a draft");
    assert!(
        draft.profile.contains("approvals: 0\n") && draft.profile.contains("namespaces: [payments]\n"),
        "{}",
        draft.profile
    );
    assert!(draft.notes.iter().any(|note| note.contains("It held everywhere")), "{:?}", draft.notes);
}

#[test]
fn p11_what_no_session_may_hold_is_refused_with_the_rule() {
    let mints = [rule(&["get"], &[""], &["pods"]), rule(&["create"], &[""], &["serviceaccounts/token"])];
    let refused = of(&cluster(&mints, Some("payments")), "things", &devs()).expect_err("P11");
    let NoDraft::Dangerous { dangers, refused: 1, of: 2 } = &refused else { panic!("{refused:?}") };
    assert!(dangers[0].contains("minting tokens"), "{dangers:?}");
    assert!(refused.to_string().contains("serviceaccounts/token"), "{refused}");
    // And where P11 refuses, whatever is drafted would be refused.
    assert!(matches!(
        of(&cluster(&[rule(&["*"], &["*"], &["*"])], None), "things", &devs()),
        Err(NoDraft::Dangerous { .. })
    ));
}

#[test]
fn nobody_gets_a_profile_who_could_not_ask_for_it() {
    let snapshot = Cluster::default()
        .namespace("payments", None)
        .cluster_role("r", &[rule(&["get"], &[""], &["pods"])])
        .bind(Some("payments"), "r", &[account("ci", "bot"), group("system:authenticated"), user("ana")])
        .bind(Some("kube-system"), "r", &[user("kai")])
        .read();
    let of = |name: &str, subject: Subject| of(&snapshot, name, &subject);
    assert!(matches!(of("2-r", Subject::account("ci", "bot")), Err(NoDraft::Program(_))));
    assert!(matches!(of("2-r", Subject::Group("system:authenticated".into())), Err(NoDraft::NotTheirs(_))));
    assert!(matches!(of("2-r", Subject::User("ben".into())), Err(NoDraft::Refused(Refusal::Gone(_)))));
    assert_eq!(of("3-r", Subject::User("kai".into())), Err(NoDraft::Nowhere));
    assert!(of("2-r", Subject::User("ana".into())).is_ok());
}
