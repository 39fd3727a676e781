//! Field managers that a requester sends along under the name the request itself is made by: the API server makes one
//! entry of both, of now (fault A2; P13).

use crate::ask::Ask;
use crate::board::Board;
use crate::world::{World, now, request, requests, stamp};
use anyhow::Result;
use serde_json::{Map, Value, json};

const TEAM: &str = "team-payments";

/// As many members of a list as `count`, each of `length` characters.
fn members(count: usize, length: usize) -> Value {
    let filling = "x".repeat(length);
    let all: Map<String, Value> = (0..count).map(|n| (format!("v:\"{n}{filling}\""), json!({}))).collect();
    Value::Object(all)
}

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    println!("\nField managers of the requester's own name");
    let good = request(&world.spec(&world.dana, "debug-prod").await?);
    let by_its_own = |fields: Value| {
        let mut body = good.clone();
        body["metadata"]["managedFields"] = json!([{
            "manager": "forged-0", "operation": "Update", "apiVersion": "access.sallyport.dev/v1alpha1",
            "time": stamp(now()), "fieldsType": "FieldsV1", "fieldsV1": fields,
        }]);
        let ask = Ask::create(&requests(TEAM), &body).managed_by("forged-0");
        vec![ask.clone().dry(), ask]
    };
    for (title, fields) in [
        ("of 200 kB in one name", json!({"f:spec": {format!("f:{}", "x".repeat(200_000)): {}}})),
        ("of a field that is not there", json!({"f:spec": {"f:other": {}}})),
        ("of a list's twenty members more", json!({"f:spec": {"f:groups": members(20, 8)}})),
        ("of 200 kB in members of a list", json!({"f:spec": {"f:groups": members(5_000, 30)}})),
        ("of 1.3 MB in members of a list", json!({"f:spec": {"f:groups": members(2_500, 500)}})),
        ("of one large member of a list", json!({"f:spec": {"f:groups": members(1, 200_000)}})),
        ("of members of what is no list", json!({"f:spec": {"f:user": members(5_000, 30)}})),
        ("of labels", json!({"f:metadata": {"f:labels": {"f:a": {}}}})),
        ("of a status", json!({"f:status": {"f:message": {}}})),
        ("of what lies below a member", json!({"f:spec": {"f:groups": {"v:\"x\"": members(5_000, 30)}}})),
    ] {
        let title = format!("fault_a2 p13 asks with its own field manager {title}");
        let said = "a request brings no managedFields along";
        board.refused("11", &title, &world.dana, by_its_own(fields), said).await;
    }
    for (title, fields) in [
        ("without fields", json!({})),
        ("of fields that are there", json!({"f:spec": {"f:user": {}, "f:groups": {}}})),
    ] {
        let title = format!("fault_a2 asks with its own field manager {title}");
        for ask in by_its_own(fields) {
            board.allowed("11", &title, &world.dana, ask).await;
        }
    }
    let ask = Ask::create(&requests(TEAM), &good).managed_by("x");
    board.allowed("11", "fault_a2 asks under any name of its own", &world.dana, ask).await;
    Ok(())
}
