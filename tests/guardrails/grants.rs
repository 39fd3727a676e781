//! Grants, their removal without a broker, and the broker's own namespace (P9, P10; attacks 3, 7, 18).

use crate::ask::{Ask, every_form};
use crate::board::{Board, Person};
use crate::sessions::{SESSIONS, Session, bindings, edited, grant, token_request};
use crate::system::workloads;
use crate::world::{API, World, now, stamp};
use anyhow::Result;
use serde_json::json;
use std::time::{Duration, Instant};

pub(crate) async fn grants(world: &World, board: &mut Board, session: &Session) -> Result<()> {
    let (hand, owner) = (&world.hand, &world.owner);
    let path = format!("{API}/accessgrants");
    let good = grant("sessions2", &["payments"], "sallyport:debug");
    let only = "only the broker makes grants and reports on them";
    board
        .refused(
            "9",
            "makes a grant",
            owner,
            vec![Ask::create(&path, &good), Ask::create(&path, &good).dry()],
            only,
        )
        .await;
    let one = format!("{path}/{}", session.grant);
    let live = Ask::get(&one).send(&owner.client).await?.body;
    let stay = json!({"metadata": {"finalizers": ["example.test/stay"]}});
    board.refused("7", "puts a finalizer on a grant", owner, every_form(&one, &live, &stay), only).await;
    board
        .refused(
            "7",
            "puts a finalizer on a grant, with too much RBAC",
            hand,
            every_form(&one, &live, &stay),
            "a grant is not edited",
        )
        .await;
    board
        .refused(
            "9",
            "makes a grant longer",
            hand,
            every_form(&one, &live, &json!({"spec": {"duration": "12h"}})),
            "spec is immutable",
        )
        .await;
    let end = json!({"status": {"end": stamp(now() + 7200)}});
    board
        .refused(
            "9",
            "reports a later end",
            hand,
            every_form(&format!("{one}/status"), &live, &end),
            "a grant ends its duration after its creation",
        )
        .await;
    board
        .refused("9", "reports on a grant", owner, every_form(&format!("{one}/status"), &live, &end), only)
        .await;
    for (id, title, body, fragment) in [
        (
            "9",
            "makes a grant of another name",
            edited(&good, &|b| b["metadata"]["name"] = json!("admins")),
            "a grant is named g-<id>",
        ),
        (
            "7",
            "makes a grant with a finalizer",
            edited(&good, &|b| b["metadata"]["finalizers"] = json!(["example.test/stay"])),
            "no owners and no finalizers",
        ),
        (
            "7",
            "makes a grant with an owner",
            edited(&good, &|b| b["metadata"]["ownerReferences"] = json!([session.owner()])),
            "no owners and no finalizers",
        ),
        (
            "9",
            "makes a grant for 13 hours",
            edited(&good, &|b| b["spec"]["duration"] = json!("13h")),
            "lasts from 15m to 12h",
        ),
        (
            "9",
            "makes a grant for 10 minutes",
            edited(&good, &|b| b["spec"]["duration"] = json!("10m")),
            "lasts from 15m to 12h",
        ),
        (
            "3",
            "makes a grant for kube-system",
            edited(&good, &|b| b["spec"]["namespaces"] = json!(["payments", "kube-system"])),
            "no grant reaches kube-*",
        ),
        (
            "3",
            "makes a cluster-wide grant of debug",
            edited(&good, &|b| b["spec"]["namespaces"] = json!([])),
            "holds sallyport:view alone or sallyport:posture alone",
        ),
        (
            "3",
            "makes a cluster-wide grant of what people and what scans read together",
            edited(&good, &|b| {
                b["spec"]["namespaces"] = json!([]);
                b["spec"]["roles"] = json!(["sallyport:view", "sallyport:posture"]);
            }),
            "holds sallyport:view alone or sallyport:posture alone",
        ),
        (
            "3",
            "makes a cluster-wide grant of what scans read twice",
            edited(&good, &|b| {
                b["spec"]["namespaces"] = json!([]);
                b["spec"]["roles"] = json!(["sallyport:posture", "sallyport:posture"]);
            }),
            "Duplicate value",
        ),
        (
            "4",
            "makes a grant with a path for a namespace",
            edited(&good, &|b| b["spec"]["namespaces"] = json!(["kube-system/rolebindings?x="])),
            "should match",
        ),
    ] {
        board
            .refused(
                id,
                title,
                hand,
                vec![Ask::create(&path, &body), Ask::create(&path, &body).dry()],
                fragment,
            )
            .await;
    }
    let created =
        live["metadata"]["creationTimestamp"].as_str().unwrap_or_default().parse::<jiff::Timestamp>()?;
    let end = json!({"status": {"end": stamp(created.as_second() + 1800)}});
    board.allowed("9", "reports the end", hand, Ask::merge(&format!("{one}/status"), &end)).await;
    board.allowed("9", "makes a grant", hand, Ask::create(&path, &good).dry()).await;
    let scan = edited(&good, &|b| {
        b["spec"]["namespaces"] = json!([]);
        b["spec"]["roles"] = json!(["sallyport:posture"]);
    });
    board.allowed("9", "makes a grant for a scan", hand, Ask::create(&path, &scan).dry()).await;

    // The dead broker's revocation: anyone who may delete a grant ends its session; the API server's own garbage
    // collection does the rest.
    let started = Instant::now();
    board.allowed("10", "deletes a grant by hand", owner, Ask::delete(&one)).await;
    let made = [
        format!("{SESSIONS}/serviceaccounts/{}", session.account),
        format!("{}/{}-0", bindings("payments"), session.grant),
    ];
    let mut left = made.len();
    while left > 0 && started.elapsed() < Duration::from_secs(90) {
        tokio::time::sleep(Duration::from_millis(10)).await;
        left = 0;
        for path in &made {
            left += usize::from(Ask::get(path).send(&owner.client).await?.code != 404);
        }
    }
    board.check(
        "10",
        "garbage collection takes account and binding along, with no broker",
        left == 0,
        &format!("{} ms, {left} left", started.elapsed().as_millis()),
    );
    Ok(())
}

pub(crate) async fn system(world: &World, board: &mut Board) -> Result<()> {
    let ns = "/api/v1/namespaces/sallyport-system";
    let ops = crate::world::signed_in("oidc:ops@example.test", &["oidc:ops"]);
    let ops = crate::world::person(&world.target, "someone with admin there", "oidc:ops@example.test", &ops)?;
    let verb = "needs the verb administer on accessgrants";
    let mut cases = workloads("sallyport-system", "broker");
    cases.push((
        "mints the broker's token",
        format!("{ns}/serviceaccounts/broker/token"),
        token_request(900, json!({})),
    ));
    cases.push(("execs into the broker", format!("{ns}/pods/broker/exec?command=cat"), json!({})));
    cases.push((
        "binds a role there",
        bindings("sallyport-system"),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "x"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
            "subjects": [{"kind": "ServiceAccount", "namespace": "payments", "name": "default"}],
        }),
    ));
    for (title, path, body) in cases {
        board
            .refused(
                "3",
                &format!("{title} in sallyport-system"),
                &ops,
                vec![Ask::create(&path, &body)],
                verb,
            )
            .await;
    }
    let map = format!("{ns}/configmaps/guardrails");
    let live = Ask::get(&map).send(&world.owner.client).await?.body;
    let mut forms = every_form(&map, &live, &json!({"data": {"audiences": "vault"}}));
    forms.push(Ask::delete(&map));
    board.refused("18", "widens the audiences", &ops, forms, verb).await;
    fault_e7_a_whole_collection(board, &ops, ns).await;
    board
        .refused(
            "18",
            "widens the audiences",
            &world.hand,
            every_form(&map, &live, &json!({"data": {"audiences": "vault"}})),
            "cannot",
        )
        .await;
    let (_, pods, pod) = workloads("sallyport-system", "broker").remove(0);
    board.allowed("3", "runs the broker's pod", &world.owner, Ask::create(&pods, &pod).dry()).await;
    board
        .allowed(
            "3",
            "writes another ConfigMap there",
            &ops,
            Ask::create(
                &format!("{ns}/configmaps"),
                &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "notes"}}),
            )
            .dry(),
        )
        .await;
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "broker"}, "spec": {"holderIdentity": "a"}});
    board
        .allowed(
            "9",
            "takes its lease",
            &world.hand,
            Ask::create("/apis/coordination.k8s.io/v1/namespaces/sallyport-system/leases", &lease).dry(),
        )
        .await;
    for (title, path) in [("reads Secrets", "/api/v1/secrets"), ("reads pods", "/api/v1/pods")] {
        board.refused("9", title, &world.hand, vec![Ask::get(path)], "cannot list resource").await;
    }
    Ok(())
}

/// A request for a whole collection carries no name: the rule goes by the object's own, and says so in its own words.
async fn fault_e7_a_whole_collection(board: &mut Board, ops: &Person, ns: &str) {
    let all = format!("{ns}/configmaps");
    let forms = vec![
        Ask::delete(&all).dry(),
        Ask::delete(&format!("{all}?fieldSelector=metadata.name%3Dguardrails")).dry(),
        Ask::delete(&format!("{all}?labelSelector=app.kubernetes.io/part-of%3Dsallyport")),
        Ask::delete(&format!("{all}?fieldSelector=metadata.name%3Dguardrails&gracePeriodSeconds=0")),
    ];
    board
        .refused(
            "18",
            "fault_e7: deletes the guardrails' settings with their collection",
            ops,
            forms,
            "oidc:ops@example.test needs the verb administer on accessgrants for configmaps of sallyport-system",
        )
        .await;
    board
        .allowed(
            "18",
            "fault_e7: clears other ConfigMaps there",
            ops,
            Ask::delete(&format!("{all}?fieldSelector=metadata.name!%3Dguardrails")).dry(),
        )
        .await;
    let unnamed =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "guardrails"}});
    board
        .allowed(
            "18",
            "fault_e7: makes a ConfigMap without a name there",
            ops,
            Ask::create(&all, &unnamed).dry(),
        )
        .await;
}
