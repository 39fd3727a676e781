//! What brokers tell of requests as Events: in their own name, and of nothing else.

use crate::ask::Ask;
use crate::board::Board;
use crate::world::{CLUSTER, World, now, stamp};
use anyhow::Result;
use serde_json::{Value, json};

const TEAM: &str = "team-payments";
const SAYS: &str = "a broker's event says which broker reports";
const OF: &str = "a broker's event tells what became of a request in its namespace, and of nothing else";
const BARE: &str = "a broker's event carries no annotations, labels, owners or finalizers";

fn all() -> String {
    format!("/apis/events.k8s.io/v1/namespaces/{TEAM}/events")
}

/// An event as a broker makes it, with what is another.
fn event(more: Value) -> Value {
    let mut event = json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event",
        "metadata": {"generateName": "r-", "namespace": TEAM},
        "eventTime": stamp(now()).replace('Z', ".000000Z"),
        "reportingController": "sallyport-broker", "reportingInstance": CLUSTER,
        "type": "Normal", "reason": "Approved", "action": "Approved", "note": "oidc:dana",
        "regarding": {"apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest", "name": "r",
            "namespace": TEAM},
    });
    merge(&mut event, more);
    event
}

fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more,
    }
}

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    println!("\nEvents");
    let World { broker, other_broker, dana, lee, .. } = world;
    let mine = event(json!({}));
    let made = board.allowed("13", "tells of a request", broker, Ask::create(&all(), &mine)).await;
    let path = format!("{}/{}", all(), made["metadata"]["name"].as_str().unwrap_or_default());
    let series = json!({"series": {"count": 2, "lastObservedTime": stamp(now()).replace('Z', ".000000Z")}});
    board.allowed("13", "tells it again", broker, Ask::merge(&path, &series)).await;
    for (title, who, fragment) in [
        ("tells in another broker's name", other_broker, SAYS),
        ("tells as a broker", dana, "cannot create resource"),
        ("tells as a broker", lee, "cannot create resource"),
    ] {
        board.refused("13", title, who, vec![Ask::create(&all(), &mine)], fragment).await;
    }
    board
        .refused("13", "changes another broker's event", other_broker, vec![Ask::merge(&path, &series)], SAYS)
        .await;
    let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"});
    for (title, more, fragment) in [
        ("tells as the scheduler", json!({"reportingController": "default-scheduler"}), SAYS),
        ("tells as nobody", json!({"reportingInstance": "x"}), SAYS),
        ("tells of a pod", json!({"regarding": {"apiVersion": "v1", "kind": "Pod"}}), OF),
        ("tells of a profile", json!({"regarding": {"kind": "AccessProfile"}}), OF),
        ("tells of another namespace", json!({"regarding": {"namespace": "default"}}), OF),
        ("raises an alarm", json!({"type": "Warning"}), OF),
        ("tells what never happens", json!({"reason": "NodeNotReady"}), OF),
        ("tells of two things", json!({"related": {"apiVersion": "v1", "kind": "Pod", "name": "p"}}), OF),
        ("hangs notes on its event", json!({"metadata": {"annotations": {"x": "y"}}}), BARE),
        ("labels its event", json!({"metadata": {"labels": {"x": "y"}}}), BARE),
        ("gives an owner to its event", json!({"metadata": {"ownerReferences": [owner]}}), BARE),
        ("keeps its event for ever", json!({"metadata": {"finalizers": ["example.test/x"]}}), BARE),
    ] {
        let asks = vec![Ask::create(&all(), &event(more.clone())), Ask::create(&all(), &event(more)).dry()];
        board.refused("13", title, broker, asks, fragment).await;
    }
    Ok(())
}
