//! What not even a request's own broker may do, and how a request ends (attack 11).

use crate::ask::Ask;
use crate::board::Board;
use crate::status::{approval, forms};
use crate::world::{World, closing, decided, grant_record, now, offer, request, requests, stamp, status_of};
use anyhow::Result;
use serde_json::json;
use std::time::{Duration, Instant};

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    within_bounds(world, board).await?;
    closed(world, board).await?;
    println!("\nKeeping requests");
    kept(world, board).await
}

async fn within_bounds(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, broker, .. } = world;
    let pending = world.offered(board, dana, "debug-prod").await?;
    let granted = world.granted(board, dana, "debug-prod").await?;
    let active = world.active(board, dana, "debug-prod").await?;
    let approved = world.offered(board, dana, "debug-prod").await?;
    world.report(board, &approved, decided()).await?;
    let mut other = offer();
    other["digest"] = json!("b2".repeat(32));
    let mut record = grant_record();
    record["uid"] = json!("ffffffff-4f52-4b2e-8c57-2f6a7d4b9a11");
    let open = json!({"phase": "Active", "credential": "c2VhbGVk"});
    let bad_end = json!({"phase": "Closed", "credential": null, "conditions": [{"type": "Ended", "status": "True", "reason": "Bored", "message": "", "lastTransitionTime": stamp(now())}]});
    let mut keeps = closing("Expired");
    keeps.as_object_mut().map(|o| o.remove("credential"));
    for (title, name, status, fragment) in [
        (
            "opens what was never approved",
            &pending,
            json!({"phase": "Active"}),
            "a request does not go from Pending to Active",
        ),
        (
            "goes back to Pending",
            &active,
            json!({"phase": "Pending"}),
            "a request does not go from Active to Pending",
        ),
        (
            "takes the phase away",
            &active,
            json!({"phase": null}),
            "a request does not go from Active to Pending",
        ),
        ("opens without a recorded grant", &approved, open.clone(), "the grant is recorded before"),
        (
            "seals a credential without a recorded grant",
            &approved,
            json!({"credential": "c2VhbGVk"}),
            "the grant is recorded before",
        ),
        (
            "records the grant and opens in one write",
            &approved,
            json!({"phase": "Active", "credential": "c2VhbGVk", "grant": grant_record()}),
            "the grant is recorded before",
        ),
        ("changes the offer after it was seen", &pending, json!({"offer": other}), "are written once"),
        ("takes the offer away", &pending, json!({"offer": null}), "are written once"),
        ("points to another grant", &granted, json!({"grant": record}), "are written once"),
        ("takes the grant off the record", &granted, json!({"grant": null}), "are written once"),
        ("forgets a token's JTI", &active, json!({"jtis": ["two"]}), "stays on record"),
        ("forgets all JTIs", &active, json!({"jtis": null}), "stays on record"),
        (
            "closes without saying why",
            &active,
            json!({"phase": "Closed", "credential": null}),
            "closes with the condition Ended",
        ),
        ("closes for a reason that is none", &active, bad_end, "closes with the condition Ended"),
        ("closes and keeps the credential", &active, keeps, "keeps no credential"),
    ] {
        // Applied by another manager a set only grows: that form takes no JTI away.
        let forms = forms(world, name, status).await?.into_iter();
        let forms = forms.filter(|f| f.form != "apply" || fragment != "stays on record").collect();
        board.refused("11", title, broker, forms, fragment).await;
    }
    let path = status_of(&granted);
    board.allowed("11", "opens", broker, Ask::merge(&path, &json!({"status": open}))).await;
    board
        .allowed(
            "11",
            "records a second JTI",
            broker,
            Ask::merge(&status_of(&active), &json!({"status": {"jtis": ["one", "two"]}})),
        )
        .await;
    // The record on the hub names what was made: a name that is no grant's or account's never gets there.
    for (title, key, value) in [("name", "name", "../x"), ("account", "account", "default")] {
        let mut record = grant_record();
        record[key] = json!(value);
        board
            .refused(
                "4",
                &format!("records a {title} that is none"),
                broker,
                forms(world, &approved, json!({"grant": record})).await?,
                &format!("is invalid: status.grant.{key}"),
            )
            .await;
    }
    Ok(())
}

async fn closed(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, lee, broker, strong_admin, .. } = world;
    let name = world.active(board, dana, "operate").await?;
    world.report(board, &name, closing("Expired")).await?;
    let rule = "a closed request stays as it is";
    let off = |by: &str| json!({"revocation": {"by": by, "at": stamp(now()), "reason": "x"}});
    let yes = approval(lee, crate::status::auth_time(lee).await?);
    for (title, who, status) in [
        ("opens it again", broker, json!({"phase": "Active"})),
        ("approves it again", broker, decided()),
        ("opens it again", strong_admin, json!({"phase": "Active"})),
        ("puts a credential in", broker, json!({"credential": "bGF0ZQ=="})),
        ("rewrites why it ended", broker, json!({"message": "all was well"})),
        ("rewrites how it ended", broker, json!({"conditions": null})),
        ("withdraws it afterwards", dana, json!({"withdrawn": true})),
        ("revokes it afterwards", lee, off(&lee.user)),
        ("approves it afterwards", lee, json!({"approvals": [yes]})),
        ("empties it", strong_admin, json!({"jtis": null, "offer": null, "grant": null, "phase": null})),
    ] {
        board.refused("11", title, who, forms(world, &name, status).await?, rule).await;
    }
    Ok(())
}

async fn kept(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, broker, other_broker, admin, .. } = world;
    let open = world.active(board, dana, "debug-prod").await?;
    let over = world.active(board, dana, "debug-prod").await?;
    world.report(board, &over, closing("Expired")).await?;
    let path = |name: &str| format!("{}/{name}", requests("team-payments"));
    let alone = "a request is deleted by its broker alone";
    board.refused("9", "deletes a request", dana, vec![Ask::delete(&path(&over))], "cannot delete").await;
    board
        .refused(
            "9",
            "deletes a request",
            admin,
            vec![Ask::delete(&path(&over)), Ask::delete(&path(&open)).dry()],
            alone,
        )
        .await;
    board
        .refused(
            "9",
            "deletes all of them",
            admin,
            vec![Ask::delete(&requests("team-payments")).dry()],
            alone,
        )
        .await;
    board
        .refused(
            "9",
            "deletes another cluster's request",
            other_broker,
            vec![Ask::delete(&path(&over))],
            alone,
        )
        .await;
    board
        .refused(
            "9",
            "deletes what is open",
            broker,
            vec![Ask::delete(&path(&open))],
            "a request that is not closed is not deleted",
        )
        .await;
    board.allowed("9", "deletes what is over", broker, Ask::delete(&path(&over))).await;
    // Where there is no broker, what was never granted would use up the team's quota for good.
    let spec = world.spec(dana, "view").await?;
    let made = board.must(dana, Ask::create(&requests("team-payments"), &request(&spec))).await?;
    let never = path(made["metadata"]["name"].as_str().unwrap_or_default());
    board
        .refused("19", "clears what was never granted", other_broker, vec![Ask::delete(&never).dry()], alone)
        .await;
    board.allowed("19", "clears what was never granted", admin, Ask::delete(&never)).await;

    // A namespace on its way out waits for what is open in it.
    let team = "team-leaving";
    let mut spec = world.spec(dana, "view").await?;
    spec["namespaces"] = json!([]);
    let made = board.must(dana, Ask::create(&requests(team), &request(&spec))).await?;
    let name = made["metadata"]["name"].as_str().unwrap_or_default();
    let stays = format!("{}/{name}", requests(team));
    board.must(admin, Ask::delete(&format!("/api/v1/namespaces/{team}"))).await?;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let there = Ask::get(&stays).send(&admin.client).await?.code;
    board.check(
        "9",
        "a deleted namespace does not take an open request along",
        there == 200,
        &format!("GET {there}"),
    );
    board
        .must(broker, Ask::merge(&format!("{stays}/status"), &json!({"status": closing("Unanswered")})))
        .await?;
    let started = Instant::now();
    let mut code = 200;
    while code != 404 && started.elapsed() < Duration::from_secs(90) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        code = Ask::get(&format!("/api/v1/namespaces/{team}")).send(&admin.client).await?.code;
    }
    board.check(
        "9",
        "and goes once it is closed",
        code == 404,
        &format!("after {} ms", started.elapsed().as_millis()),
    );
    Ok(())
}
