use super::*;
use crate::snapshot::{Coverage, Part, Snapshot};
use crate::tests::{Cluster, account, group, named, rule, user};
use serde_json::json;

fn all() -> serde_json::Value {
    rule(&["*"], &["*"], &["*"])
}

/// Two that believe nothing of each other's.
fn apart(here: Cluster, there: Cluster) -> (Snapshot, Snapshot) {
    let (mut here, mut there) = (here.read(), there.read());
    for (snapshot, name) in [(&mut here, "here"), (&mut there, "there")] {
        flag(snapshot, "service-account-issuer", &format!("https://{name}"));
        flag(snapshot, "oidc-issuer-url", "https://id.example");
        snapshot.told.keys = Part::read(vec![format!("{name} signs")]);
        let own = snapshot.told.authentication.found.as_mut().unwrap();
        own.clients[0].key_fingerprint = format!("{name} client CA");
    }
    (here, there)
}

fn flag(snapshot: &mut Snapshot, name: &str, value: &str) {
    snapshot.told.flags.found.insert(name.to_owned(), value.to_owned());
}

fn same_ca(pair: &mut (Snapshot, Snapshot)) {
    for snapshot in [&mut pair.0, &mut pair.1] {
        snapshot.told.authentication.found.as_mut().unwrap().clients[0].key_fingerprint = "one CA".to_owned();
    }
}

fn same_keys(pair: &mut (Snapshot, Snapshot)) {
    for snapshot in [&mut pair.0, &mut pair.1] {
        snapshot.told.keys = Part::read(vec!["own".to_owned(), "one key".to_owned()]);
        flag(snapshot, "service-account-issuer", "https://kubernetes.default.svc");
    }
}

fn asked(pair: &(Snapshot, Snapshot)) -> Crossings {
    crossings(&Ground::new(&pair.0), &Ground::new(&pair.1), &Goal::ClusterAdmin)
}

/// Whose, by which check, and each step's end.
fn told(found: &Crossings) -> Vec<(String, &'static str, Vec<String>)> {
    let one = |way: &Crossing| {
        let ends = way.hops.iter().map(|hop| hop.to.clone()).collect();
        (way.subject.name().to_owned(), way.hops[way.across].check, ends)
    };
    found.ways.iter().map(one).collect()
}

/// An account with a UID, as the API server gives one.
fn with_uid(cluster: Cluster, namespace: &str, name: &str, uid: &str) -> Cluster {
    let meta = json!({"name": name, "namespace": namespace, "uid": uid});
    cluster.object(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}))
}

/// devs mint tokens of ci's builder, who may ask for certificates and approve them.
fn certificates() -> Cluster {
    let csr = "certificates.k8s.io";
    Cluster::default()
        .namespace("ci", Some("restricted"))
        .cluster_role("tokens", &[rule(&["create"], &[""], &["serviceaccounts/token"])])
        .cluster_role(
            "approver",
            &[
                rule(&["create"], &[csr], &["certificatesigningrequests"]),
                rule(&["update"], &[csr], &["certificatesigningrequests/approval"]),
                rule(&["approve"], &[csr], &["signers"]),
            ],
        )
        .bind(Some("ci"), "tokens", &[group("devs")])
        .bind(None, "approver", &[account("ci", "builder")])
}

fn with_admin() -> Cluster {
    Cluster::default().cluster_role("all", &[all()]).bind(None, "all", &[user("oidc:root")])
}

#[test]
fn a_shared_client_ca_leads_from_whoever_gets_certificates_signed_to_whoever_is_strongest_there() {
    let mut pair = apart(certificates(), with_admin());
    assert_eq!(asked(&pair), Crossings::default(), "CAs of their own: no way, and nothing unread");
    same_ca(&mut pair);
    let found = asked(&pair);
    assert_eq!(found.gaps, Vec::<String>::new());
    assert_eq!(
        told(&found),
        [
            (
                "system:serviceaccount:ci:builder".to_owned(),
                "FL-03",
                vec!["user oidc:root".to_owned(), "everything".to_owned()]
            ),
            (
                "devs".to_owned(),
                "FL-03",
                vec![
                    "every service account of ci".to_owned(),
                    "user oidc:root".to_owned(),
                    "everything".to_owned()
                ]
            ),
        ]
    );
    let way = &found.ways[1];
    assert_eq!((way.across, &way.bridge), (1, &Bridge::ClientCa("one CA".to_owned())));
    // That its signer signs by this CA is not told by anything that was read.
    assert!(!way.hops[1].certain && way.hops[0].certain);
    assert_eq!(way.hops[1].evidence.len(), 3, "the rights that prove it");
    assert_eq!(way.hops[2].evidence.len(), 1, "the other cluster's binding");
}

#[test]
fn whoever_can_do_everything_here_gets_there_too_and_nobody_else_does() {
    let here =
        with_admin().bind(Some("default"), "all", &[user("eve")]).namespace("default", Some("restricted"));
    let mut pair = apart(here, with_admin());
    same_ca(&mut pair);
    let who: Vec<String> = told(&asked(&pair)).into_iter().map(|(who, ..)| who).collect();
    assert_eq!(who, ["oidc:root"], "everything in one namespace signs nothing");
    // Nobody there but `system:masters` can do everything, and a certificate for that group is refused.
    let mut pair = apart(certificates(), Cluster::default());
    same_ca(&mut pair);
    assert_eq!(asked(&pair).ways, []);
}

/// An account of a copied cluster, whose twin may do everything there.
fn twins(here_uid: &str, there_uid: &str) -> (Snapshot, Snapshot) {
    let here = Cluster::default()
        .namespace("ci", Some("restricted"))
        .cluster_role("tokens", &[named(rule(&["create"], &[""], &["serviceaccounts/token"]), &["deployer"])])
        .bind(Some("ci"), "tokens", &[user("ana")]);
    let here = with_uid(here, "ci", "deployer", here_uid);
    let there = Cluster::default().namespace("ci", Some("restricted")).cluster_role("all", &[all()]).bind(
        None,
        "all",
        &[account("ci", "deployer")],
    );
    let mut pair = apart(here, with_uid(there, "ci", "deployer", there_uid));
    same_keys(&mut pair);
    pair
}

#[test]
fn shared_signing_keys_lead_to_the_account_of_the_same_uid_alone() {
    let found = asked(&twins("u1", "u1"));
    assert_eq!(
        told(&found),
        [(
            "ana".to_owned(),
            "FL-04",
            vec!["service account deployer of ci".to_owned(), "everything".to_owned()]
        )],
        "she mints the token of an account that nobody bound anything here"
    );
    assert!(found.ways[0].hops.iter().all(|hop| hop.certain), "issuer, keys and UID are the same");
    assert_eq!(asked(&twins("u1", "u2")).ways, [], "the API server compares UIDs");
    let mut pair = twins("u1", "u1");
    flag(&mut pair.1, "service-account-issuer", "https://another");
    assert_eq!(asked(&pair).ways, [], "a token of another issuer is refused");
    pair.1.told.flags.found.remove("service-account-issuer");
    assert!(!asked(&pair).ways[0].hops[0].certain, "whether it is the same was not read");
    let mut pair = twins("u1", "u1");
    pair.1.told.keys = Part::read(vec!["another".to_owned()]);
    assert_eq!(asked(&pair).ways, []);
}

#[test]
fn an_issuer_that_the_other_trusts_leads_to_users_that_are_named_by_it() {
    let here = Cluster::default()
        .namespace("ci", Some("restricted"))
        .cluster_role("tokens", &[rule(&["create"], &[""], &["serviceaccounts/token"])])
        .bind(Some("ci"), "tokens", &[user("ana")]);
    let there = Cluster::default().cluster_role("all", &[all()]).bind(
        None,
        "all",
        &[user("stage:system:serviceaccount:ci:deployer")],
    );
    let mut pair = apart(here, there);
    assert_eq!(asked(&pair).ways, []);
    flag(&mut pair.1, "oidc-issuer-url", "https://here");
    let found = asked(&pair);
    assert_eq!((found.ways.len(), found.ways[0].hops[1].check), (1, "FL-05"));
    assert!(!found.ways[0].hops[1].certain, "how names are made of its tokens was not read");
}

#[test]
fn p21_what_was_not_read_of_either_is_told() {
    let mut pair = apart(certificates(), with_admin());
    pair.0.told.authentication = Part::without(Coverage::Forbidden("get it".into()));
    pair.1.told.keys = Part::without(Coverage::Forbidden("get it".into()));
    let found = asked(&pair);
    for part in ["client CAs of the first", "keys that sign tokens of the other"] {
        assert!(found.gaps.iter().any(|gap| gap.contains(part)), "{part}: {:?}", found.gaps);
    }
    let mut pair = apart(certificates(), with_admin());
    pair.1.asked(Kind::ClusterRoleBinding, Coverage::Forbidden("list them".into()));
    assert!(asked(&pair).gaps.iter().any(|gap| gap.starts_with("In the other cluster: ")));
}
