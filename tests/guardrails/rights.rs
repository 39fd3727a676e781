//! Rights that would outlive a session or that others act upon, whatever its role holds (attack 1).

use crate::ask::Ask;
use crate::board::{Board, Person};
use crate::reach::{APPS, CORE};
use crate::world::World;
use anyhow::Result;
use serde_json::{Value, json};

const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/payments/endpointslices";

fn core(kind: &str, extra: Value) -> Value {
    let mut body = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "story"}});
    for (key, value) in extra.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    body
}

pub(crate) async fn rights(world: &World, board: &mut Board, wide: &Person) -> Result<()> {
    println!("\nRights that no session uses, whatever its role holds");
    let accounts = format!("{CORE}/serviceaccounts");
    let role =
        json!({"metadata": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/admin"}}});
    let fault = "fault_a9_p11";
    let no = "a session changes no service accounts";
    for (title, ask) in [
        ("makes a service account", Ask::create(&accounts, &core("ServiceAccount", json!({})))),
        ("gives an account a role in the cloud", Ask::merge(&format!("{accounts}/default"), &role)),
        ("removes a service account", Ask::delete(&format!("{accounts}/agent")).dry()),
    ] {
        board.refused("1", &format!("{fault}: {title}"), wide, vec![ask], no).await;
    }
    let namespace = "/api/v1/namespaces/payments";
    let open = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}});
    let forms =
        vec![Ask::merge(namespace, &open), Ask::merge(namespace, &open).dry(), Ask::delete(namespace).dry()];
    board
        .refused(
            "1",
            &format!("{fault}: changes its namespace"),
            wide,
            forms,
            "a session changes no namespaces",
        )
        .await;
    let target = json!({"target": {"apiVersion": "v1", "kind": "Node", "name": "control-plane"}});
    let mut binding = core("Binding", target);
    let places = "a session places no pods on nodes";
    binding["metadata"]["name"] = json!("web-0");
    let forms = vec![
        Ask::create(&format!("{CORE}/pods/web-0/binding"), &binding),
        Ask::create(&format!("{CORE}/bindings"), &binding),
    ];
    board.refused("1", &format!("{fault}: puts a pod on a node"), wide, forms, places).await;
    let subsets = json!({"subsets": [{"addresses": [{"ip": "203.0.113.1"}], "ports": [{"port": 80}]}]});
    let points = "a session writes no endpoints";
    let forms = vec![
        Ask::create(&format!("{CORE}/endpoints"), &core("Endpoints", subsets.clone())),
        Ask::create(&format!("{CORE}/endpoints"), &core("Endpoints", subsets)).dry(),
    ];
    board.refused("1", &format!("{fault}: points a Service elsewhere"), wide, forms, points).await;
    let slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": "story", "labels": {"kubernetes.io/service-name": "web"}}, "endpoints": [{"addresses": ["203.0.113.1"]}], "ports": []});
    board
        .refused(
            "1",
            &format!("{fault}: points a Service elsewhere by a slice"),
            wide,
            vec![Ask::create(SLICES, &slice)],
            points,
        )
        .await;
    revisions_and_status(world, board, wide).await
}

async fn revisions_and_status(world: &World, board: &mut Board, wide: &Person) -> Result<()> {
    let fault = "fault_a9_p11";
    let revision = json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "story"}, "revision": 9,
        "data": {"spec": {"template": {"spec": {"hostPID": true}}}}});
    let path = format!("{APPS}/controllerrevisions");
    let forms = vec![Ask::create(&path, &revision), Ask::create(&path, &revision).dry()];
    board
        .refused(
            "1",
            &format!("{fault}: writes a revision that a controller makes pods from"),
            wide,
            forms,
            "a session writes no revisions",
        )
        .await;
    let no = "a session writes no status";
    for (title, path, status) in [
        (
            "gives a pod another address",
            format!("{CORE}/pods/web-0/status"),
            json!({"podIP": "203.0.113.1", "podIPs": [{"ip": "203.0.113.1"}]}),
        ),
        (
            "sets a StatefulSet's revision",
            format!("{APPS}/statefulsets/ledger/status"),
            json!({"currentRevision": "story", "replicas": 0}),
        ),
        (
            "sets a Deployment's status",
            format!("{APPS}/deployments/web/status"),
            json!({"observedGeneration": 9}),
        ),
        (
            "sets a Service's address",
            format!("{CORE}/services/web/status"),
            json!({"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}),
        ),
        (
            "sets a Job's status",
            "/apis/batch/v1/namespaces/payments/jobs/nightly-now/status".to_owned(),
            json!({"active": 1}),
        ),
    ] {
        let change = json!({"status": status});
        board
            .refused(
                "1",
                &format!("{fault}: {title}"),
                wide,
                vec![Ask::merge(&path, &change), Ask::merge(&path, &change).dry()],
                no,
            )
            .await;
    }
    // Beside them: the same objects are read, and the workloads themselves are changed.
    for path in [path, format!("{CORE}/endpoints"), SLICES.to_owned(), format!("{CORE}/pods/web-0/status")] {
        board
            .allowed(
                "1",
                &format!("{fault}: reads {}", path.rsplit('/').next().unwrap_or_default()),
                wide,
                Ask::get(&path),
            )
            .await;
    }
    let note = json!({"metadata": {"annotations": {"story": "x"}}});
    board
        .allowed(
            "1",
            &format!("{fault}: annotates a pod"),
            wide,
            Ask::merge(&format!("{CORE}/pods/web-0"), &note).dry(),
        )
        .await;
    let owner = &world.owner;
    let role = json!({"metadata": {"annotations": {"story": "x"}}});
    board
        .allowed(
            "1",
            &format!("{fault}: an admin annotates an account"),
            owner,
            Ask::merge(&format!("{CORE}/serviceaccounts/default"), &role).dry(),
        )
        .await;
    Ok(())
}
