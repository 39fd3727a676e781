//! A request that is over while something is left on its cluster (fault_a1, P13): nothing but its end is still to come.

use crate::ask::Ask;
use crate::board::Board;
use crate::status::{approval, auth_time, forms};
use crate::world::{World, closing, decided, now, stamp, status_of};
use anyhow::Result;
use serde_json::{Value, json};

const ONLY: &str = "a request that is closing is only closed";
const ON: &str = "a request goes on closing until nothing is left, and is closed then";
const REASON: &str = "the reason for which a request ends stays";

fn condition(type_: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": stamp(now())})
}

/// As the broker writes it: what is left, and how it will have ended.
fn stuck(reason: &str) -> Value {
    let left = "RoleBinding payments/g-abcdefgh-0: denied request: bindings stay";
    json!([
        condition("Closing", "True", "Refused", left),
        condition("Ended", "False", reason, "the requester left")
    ])
}

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    println!("\nOver, and not gone yet");
    let World { dana, lee, broker, strong_admin, .. } = world;
    let active = world.active(board, dana, "debug-prod").await?;
    let only = "only the broker of cluster";
    for who in [dana, lee, strong_admin] {
        let forms = forms(world, &active, json!({"conditions": stuck("Left")})).await?;
        board.refused("A1", "fault_a1: says that it is closing", who, forms, only).await;
    }
    let approved = world.granted(board, dana, "debug-prod").await?;
    let pending = world.offered(board, dana, "operate").await?;
    for name in [&active, &approved, &pending] {
        let write = Ask::merge(
            &status_of(name),
            &json!({"status": {"conditions": stuck("Left"), "credential": null}}),
        );
        board.allowed("A1", "fault_a1: says what is left of it", broker, write).await;
    }
    let yes = approval(lee, auth_time(lee).await?);
    let rule = "an approval is given alone, and only while a request is pending";
    let approve = forms(world, &pending, json!({"approvals": [yes]})).await?;
    board.refused("A1", "fault_a1: approves what is closing", lee, approve, rule).await;
    let lies =
        json!([condition("Closing", "False", "NothingLeft", ""), condition("Ended", "False", "Left", "")]);
    let other =
        json!([condition("Closing", "True", "Refused", "x"), condition("Ended", "False", "Expired", "x")]);
    let mut kept = closing("Left");
    kept["conditions"] =
        json!([condition("Ended", "True", "Left", ""), condition("Closing", "True", "Refused", "x")]);
    let (mut reason, both) = (closing("Expired"), format!("{REASON} || {ON}"));
    // It carries none any more, and a JSON patch can't take away what is not there.
    for status in [&mut kept, &mut reason] {
        status.as_object_mut().map(|fields| fields.remove("credential"));
    }
    for (title, name, status, fragment) in [
        ("delivers a token for what is closing", &active, json!({"credential": "c2VhbGVk"}), ONLY),
        ("opens what is closing", &approved, json!({"phase": "Active", "credential": "c2VhbGVk"}), ONLY),
        ("approves what is closing", &pending, decided(), ONLY),
        ("says that it is not closing", &active, json!({"conditions": lies}), ON),
        ("closes what is not gone", &active, kept, ON),
        ("changes the reason", &active, json!({"conditions": other}), REASON),
        ("closes for another reason", &active, reason, &both),
    ] {
        let forms = forms(world, name, status).await?;
        board.refused("A1", &format!("fault_a1: {title}"), broker, forms, fragment).await;
    }
    let path = status_of(&active);
    let left = json!({"status": {"withdrawn": true}});
    board.allowed("A1", "fault_a1: leaves what is closing", dana, Ask::merge(&path, &left)).await;
    let off = json!({"status": {"revocation": {"by": lee.user, "at": stamp(now()), "reason": "x"}}});
    board.allowed("A1", "fault_a1: revokes what is closing", lee, Ask::merge(&path, &off)).await;
    let mut words = stuck("Left");
    words[0]["message"] = json!("RoleBinding payments/g-abcdefgh-0: held by a finalizer");
    let words = json!({"status": {"conditions": words}});
    board.allowed("A1", "fault_a1: says what is left by now", broker, Ask::merge(&path, &words)).await;
    let mut end = closing("Left");
    end["conditions"] =
        json!([condition("Ended", "True", "Left", ""), condition("Closing", "False", "NothingLeft", "")]);
    for name in [&active, &approved, &pending] {
        let end = Ask::merge(&status_of(name), &json!({"status": end}));
        board.allowed("A1", "fault_a1_p13: closes it once nothing is left", broker, end).await;
    }
    // Ended by somebody before anything was tried: the condition comes on top of withdrawal and revocation.
    for (ended, who) in [(json!({"withdrawn": true}), dana), (off["status"].clone(), lee)] {
        let name = world.active(board, dana, "debug-prod").await?;
        board.must(who, Ask::merge(&status_of(&name), &json!({"status": ended}))).await?;
        let write = Ask::merge(&status_of(&name), &json!({"status": {"conditions": stuck("Left")}}));
        board.allowed("A1", "fault_a1: says what is left of what somebody ended", broker, write).await;
    }
    Ok(())
}
