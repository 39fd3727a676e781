//! Brokers' signs of life and previews: each its own broker's, and readable for whoever sees the clusters (attack 13).

use crate::ask::{Ask, every_form};
use crate::board::{Board, Person};
use crate::world::{API, CLUSTER, World, now, person, signed_in, stamp};
use anyhow::Result;
use serde_json::{Value, json};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/sallyport-brokers/leases";
const BARE: &str = "a sign of life and a preview carry no annotations, labels, owners or finalizers";
const ONLY: &str = "only the broker of cluster payments-eu-1 gives its sign of life and its preview";

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    println!("\nBrokers' signs of life and previews");
    let ops = person(
        &world.hub,
        "someone with edit there",
        "oidc:ops@example.test",
        &signed_in("oidc:ops@example.test", &["oidc:ops"]),
    )?;
    beats(world, board, &ops).await?;
    previews(world, board).await?;
    reading(world, board, &ops).await
}

fn lease(name: &str) -> Value {
    let renewed = stamp(now()).replace('Z', ".000000Z");
    json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": name, "namespace": "sallyport-brokers"},
        "spec": {"holderIdentity": "b", "leaseDurationSeconds": 90, "renewTime": renewed}})
}

async fn beats(world: &World, board: &mut Board, ops: &Person) -> Result<()> {
    let path = format!("{LEASES}/{CLUSTER}");
    let mine = lease(CLUSTER);
    let makes = || {
        vec![
            Ask::create(LEASES, &mine),
            Ask::put(&path, &mine),
            Ask::apply(&path, "attacker", &mine),
            Ask::put(&path, &mine).dry(),
        ]
    };
    board.refused("13", "makes another broker's sign of life", &world.other_broker, makes(), ONLY).await;
    board.refused("13", "makes a broker's sign of life", &world.admin, makes(), ONLY).await;
    board.refused("13", "makes a broker's sign of life", ops, makes(), ONLY).await;
    board.refused("13", "makes a broker's sign of life", &world.dana, makes(), "cannot").await;
    let foreign = lease("checkout-stage");
    let others = vec![Ask::put(&format!("{LEASES}/checkout-stage"), &foreign), Ask::create(LEASES, &foreign)];
    board.refused("13", "makes another broker's sign of life", &world.broker, others, "cannot").await;

    board.allowed("13", "gives its first sign of life", &world.broker, Ask::put(&path, &mine)).await;
    let change = json!({"metadata": {"managedFields": [{}]}, "spec": lease(CLUSTER)["spec"]});
    let renewed =
        board.allowed("13", "gives another sign of life", &world.broker, Ask::merge(&path, &change)).await;
    board.check(
        "13",
        "a sign of life carries no record of its fields",
        renewed["metadata"]["managedFields"].is_null() && renewed["spec"]["holderIdentity"] == "b",
        &format!("{} bytes", renewed.to_string().len()),
    );
    // Dead for an hour, alive for ever, and another leader.
    for (title, spec) in [
        ("calls a broker silent", json!({"renewTime": stamp(now() - 3600).replace('Z', ".000000Z")})),
        ("calls a broker alive", json!({"renewTime": stamp(now() + 3600).replace('Z', ".000000Z")})),
        ("names another leader", json!({"holderIdentity": "x"})),
    ] {
        let forms = every_form(&path, &renewed, &json!({"spec": spec}));
        board.refused("13", title, &world.other_broker, forms.clone(), ONLY).await;
        board.refused("13", title, &world.admin, forms.clone(), ONLY).await;
        board.refused("13", title, ops, forms.clone(), ONLY).await;
        board.refused("13", title, &world.lee, forms, "cannot").await;
    }
    // A broker that was taken over, and what every desktop lists every two minutes.
    for (title, change) in burdens() {
        let forms = every_form(&path, &renewed, &change);
        board.refused("13", &format!("{title} its sign of life"), &world.broker, forms, BARE).await;
    }
    let named = |length| json!({"spec": {"holderIdentity": "b".repeat(length)}});
    let forms = every_form(&path, &renewed, &named(254));
    let most = "a sign of life names its broker in at most 253 characters";
    board.refused("13", "fills its sign of life", &world.broker, forms, most).await;
    let longest = Ask::merge(&path, &named(253)).dry();
    board.allowed("13", "names itself at some length", &world.broker, longest).await;
    Ok(())
}

/// What goes with any object, and with these none.
fn burdens() -> [(&'static str, Value); 4] {
    let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"});
    [
        ("hangs notes on", json!({"metadata": {"annotations": {"x": "y".repeat(10_000)}}})),
        ("labels", json!({"metadata": {"labels": {"x": "y"}}})),
        ("gives an owner to", json!({"metadata": {"ownerReferences": [owner]}})),
        ("keeps for ever", json!({"metadata": {"finalizers": ["example.test/x"]}})),
    ]
}

fn preview(name: &str, verb: &str) -> Value {
    let rule = json!({"role": "sallyport:view", "verbs": [verb], "apiGroups": [""], "resources": ["pods"]});
    json!({"apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessPreview", "metadata": {"name": name},
        "spec": {"digest": "a1".repeat(32), "profiles": [{"name": "view", "revision": "a/1", "rules": [rule]}]}})
}

async fn previews(world: &World, board: &mut Board) -> Result<()> {
    let (all, path) = (format!("{API}/accesspreviews"), format!("{API}/accesspreviews/{CLUSTER}"));
    let mine = preview(CLUSTER, "get");
    let makes = || vec![Ask::create(&all, &mine), Ask::apply(&path, "attacker", &mine)];
    board
        .refused("13", "says what another cluster's profiles allow", &world.other_broker, makes(), ONLY)
        .await;
    board.refused("13", "says what a cluster's profiles allow", &world.admin, makes(), ONLY).await;
    board.refused("13", "says what a cluster's profiles allow", &world.dana, makes(), "cannot").await;
    let foreign = preview("checkout-stage", "get");
    let others = vec![
        Ask::apply(&format!("{all}/checkout-stage"), "sallyport-broker", &foreign),
        Ask::create(&all, &foreign),
    ];
    board.refused("13", "says what another cluster's profiles allow", &world.broker, others, "cannot").await;
    let made = Ask::apply(&path, "sallyport-broker", &mine);
    board.allowed("13", "says what its profiles allow", &world.broker, made).await;
    let again = Ask::apply(&path, "sallyport-broker", &preview(CLUSTER, "list"));
    let live = board.allowed("13", "says what its profiles allow now", &world.broker, again).await;
    for (title, change) in burdens() {
        // It has no right to PUT one.
        let forms = every_form(&path, &live, &change).into_iter().filter(|ask| !ask.is_put()).collect();
        board.refused("13", &format!("{title} its preview"), &world.broker, forms, BARE).await;
    }
    let harmless = json!({"spec": preview(CLUSTER, "get")["spec"]});
    let forms = every_form(&path, &live, &harmless);
    board.refused("13", "makes a profile look harmless", &world.other_broker, forms.clone(), ONLY).await;
    board.refused("13", "makes a profile look harmless", &world.admin, forms.clone(), ONLY).await;
    board.refused("13", "makes a profile look harmless", &world.lee, forms, "cannot").await;
    Ok(())
}

/// Whoever sees the clusters sees who serves them, and no other Lease of the hub.
async fn reading(world: &World, board: &mut Board, ops: &Person) -> Result<()> {
    board.allowed("13", "lists who is alive", &world.dana, Ask::get(LEASES)).await;
    board
        .allowed("13", "reads a preview", &world.dana, Ask::get(&format!("{API}/accesspreviews/{CLUSTER}")))
        .await;
    let beyond = vec![
        Ask::get("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"),
        Ask::get("/apis/coordination.k8s.io/v1/leases"),
        Ask::get(&format!("{API}/accesspreviews")),
    ];
    board
        .refused("13", "reads other Leases, and all previews at once", &world.dana, beyond, "cannot list")
        .await;
    let preview = vec![Ask::get(&format!("{API}/accesspreviews/{CLUSTER}"))];
    board.refused("13", "reads a preview and sees no clusters", ops, preview, "cannot get").await;
    let flows = Ask::get("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/sallyport-people");
    let people =
        board.must(&world.admin, flows).await?["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let flow = Ask::get(LEASES).send(&world.dana.client).await?.flow;
    board.check("19", "who asks which brokers are alive waits among people", flow == people, &flow);
    Ok(())
}
