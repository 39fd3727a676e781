//! Where scans ask, nothing else is asked for: no team's inbox looks there, and no day is counted (P7; attacks 9, 20).

use crate::ask::Ask;
use crate::asking::creates;
use crate::board::Board;
use crate::world::{API, World, request, requests};
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Duration;

const SCANS: &str = "sallyport-scans";

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    println!("\nScans");
    let scan = json!({"clusters": ["*"], "roles": ["sallyport:posture"], "maxDuration": "4h", "approvals": 0, "reasonRequired": false});
    for (name, differs) in [
        ("scan", json!({})),
        ("scan-approved", json!({"approvals": 1})),
        ("scan-day", json!({"maxPerDay": "8h"})),
        ("scan-fenced", json!({"namespaces": ["payments"]})),
        ("scan-more", json!({"roles": ["sallyport:posture", "sallyport:view"]})),
        ("scan-twice", json!({"roles": ["sallyport:view"]})),
    ] {
        let mut spec = scan.clone();
        differs.as_object().into_iter().flatten().for_each(|(key, value)| spec[key] = value.clone());
        let body = json!({"apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": name}, "spec": spec});
        board.must(&world.editor, Ask::create(&format!("{API}/accessprofiles"), &body)).await?;
    }
    // A policy's parameter is watched, and so is a binding: from here on both are known.
    let good = asking(world, "scan", json!({})).await?;
    let taken = Ask::create(&requests(SCANS), &good).dry();
    for _ in 0..3000 {
        if taken.send(&world.dana.client).await?.code < 300 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let refused = "is not for scans";
    let cases = [
        ("7", "a scan that somebody would have to approve", "scan-approved", json!({}), refused),
        ("20", "a scan under a profile that counts a day", "scan-day", json!({}), refused),
        ("7", "what a scan reads and a person beside", "scan-more", json!({}), refused),
        ("7", "what a person reads, as a scan", "scan-twice", json!({}), refused),
        ("9", "what changes something, as a scan", "debug-prod", json!({"namespaces": []}), refused),
        (
            "9",
            "the same in its namespaces",
            "debug-prod",
            json!({"namespaces": ["payments"]}),
            "only a whole cluster is asked for || is not for scans",
        ),
        (
            "9",
            "what somebody has to approve, out of their sight",
            "operate",
            json!({"namespaces": []}),
            refused,
        ),
        ("20", "what counts a day, where none is counted", "oncall", json!({"namespaces": []}), refused),
        (
            "7",
            "a scan of a namespace",
            "scan",
            json!({"namespaces": ["payments"]}),
            "only a whole cluster is asked for",
        ),
        ("7", "a scan under a profile for a namespace", "scan-fenced", json!({}), refused),
        ("7", "a scan that lasts for two hours", "scan", json!({"duration": "2h"}), "for an hour at most"),
        (
            "7",
            "a scan in another's name",
            "scan",
            json!({"user": "oidc:omar@example.test"}),
            "spec.user must be your own name",
        ),
    ];
    for (id, title, profile, edits, fragment) in cases {
        let body = asking(world, profile, edits).await?;
        board
            .refused(
                id,
                &format!("asks where scans ask for {title}"),
                &world.dana,
                creates(SCANS, &body),
                fragment,
            )
            .await;
    }
    let elsewhere = creates("sallyport-brokers", &good);
    board
        .refused("9", "asks for a scan among the brokers", &world.dana, elsewhere, "takes no requests")
        .await;
    board.allowed("7", "asks for a scan", &world.dana, Ask::create(&requests(SCANS), &good)).await;
    let in_team = asking(world, "scan-approved", json!({})).await?;
    let in_team = Ask::create(&requests("team-payments"), &in_team).dry();
    board
        .allowed("7", "asks in the team for what a scan reads, with an approval", &world.dana, in_team)
        .await;
    let lists = Ask::get(&requests("team-payments")).send(&world.dana.client).await?.body;
    let seen = lists["items"].as_array().into_iter().flatten().any(|one| one["spec"]["profile"] == "scan");
    board.check("7", "no team's list holds a scan", !seen, "it is in the team's list");
    Ok(())
}

async fn asking(world: &World, profile: &str, edits: Value) -> Result<Value> {
    let mut spec = world.spec(&world.dana, profile).await?;
    spec["namespaces"] = json!([]);
    edits.as_object().into_iter().flatten().for_each(|(key, value)| spec[key] = value.clone());
    Ok(request(&spec))
}
