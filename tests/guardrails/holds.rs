//! Holds: who makes and removes them, and what they refuse while they stand.

use crate::ask::Ask;
use crate::board::{Board, Person};
use crate::status::{approval, auth_time, forms};
use crate::world::{API, World, decided, grant_record, now, request, requests, stamp, status_of};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::time::Duration;

/// Longer than an API server takes to hear of a hold that was made or removed.
const HEARD: Duration = Duration::from_secs(3);

fn path() -> String {
    format!("{API}/accessholds")
}

fn hold(by: &Person, on: Value, until: i64) -> Value {
    let mut spec = json!({"until": stamp(until), "by": by.user, "reason": "laptop stolen"});
    if let (Some(spec), Some(on)) = (spec.as_object_mut(), on.as_object()) {
        spec.extend(on.clone());
    }
    json!({"apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessHold",
        "metadata": {"generateName": "hold-"}, "spec": spec})
}

/// Makes one that must be taken, and waits until it is heard of.
async fn held(board: &Board, by: &Person, on: Value) -> Result<String> {
    let made = made(board, by, on, now() + 600).await?;
    tokio::time::sleep(HEARD).await;
    Ok(made)
}

async fn made(board: &Board, by: &Person, on: Value, until: i64) -> Result<String> {
    let made = board.must(by, Ask::create(&path(), &hold(by, on, until))).await?;
    Ok(format!("{}/{}", path(), made["metadata"]["name"].as_str().context("the hold's name")?))
}

async fn ended(board: &Board, by: &Person, hold: &str) -> Result<()> {
    board.must(by, Ask::delete(hold)).await?;
    tokio::time::sleep(HEARD).await;
    Ok(())
}

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    println!("\nHolding");
    making(world, board).await?;
    standing(world, board).await?;
    over(world, board).await?;
    by_name(world, board).await
}

async fn making(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, lee, ines, broker, strong_admin, .. } = world;
    let of_dana = || json!({"user": dana.user});
    let week = 7 * 24 * 3600;
    let mut owned = hold(lee, of_dana(), now() + 600);
    owned["metadata"]["finalizers"] = json!(["example.test/keep"]);
    let mut labelled = hold(lee, of_dana(), now() + 600);
    labelled["metadata"]["labels"] = json!({"a": "b"});
    let one = "a hold is on one thing";
    for (title, who, body, fragment) in [
        (
            "holds without the verb",
            dana,
            hold(dana, json!({"everything": true}), now() + 600),
            "cannot create resource",
        ),
        (
            "holds as a broker",
            broker,
            hold(broker, json!({"everything": true}), now() + 600),
            "cannot create resource",
        ),
        ("holds in another's name", lee, hold(ines, of_dana(), now() + 600), "spec.by must be your own name"),
        (
            "holds in another's name",
            strong_admin,
            hold(lee, of_dana(), now() + 600),
            "spec.by must be your own name",
        ),
        (
            "holds for longer than a week",
            lee,
            hold(lee, of_dana(), now() + week + 120),
            "a hold ends within 7 days",
        ),
        ("holds until yesterday", lee, hold(lee, of_dana(), now() - 86_400), "a hold ends within 7 days"),
        ("holds nothing", lee, hold(lee, json!({}), now() + 600), one),
        (
            "holds nothing by a false everything",
            lee,
            hold(lee, json!({"everything": false}), now() + 600),
            one,
        ),
        ("holds two things", lee, hold(lee, json!({"user": dana.user, "cluster": "x"}), now() + 600), one),
        (
            "holds a cluster that is no name",
            lee,
            hold(lee, json!({"cluster": "../x"}), now() + 600),
            "should match",
        ),
        ("holds for good by a finalizer", lee, owned, "carries no labels, annotations, owners or finalizers"),
        ("labels a hold", lee, labelled, "carries no labels, annotations, owners or finalizers"),
    ] {
        board.refused("20", title, who, vec![Ask::create(&path(), &body)], fragment).await;
    }
    let mut silent = hold(lee, of_dana(), now() + 600);
    silent["spec"]["reason"] = json!("");
    board
        .refused("20", "holds without a reason", lee, vec![Ask::create(&path(), &silent)], "at least 1 chars")
        .await;
    let held = held(board, lee, json!({"cluster": "nobodys"})).await?;
    let longer = json!({"spec": {"until": stamp(now() + 900)}});
    board
        .refused(
            "20",
            "makes a hold longer",
            strong_admin,
            vec![Ask::merge(&held, &longer)],
            "spec is immutable",
        )
        .await;
    board
        .refused(
            "20",
            "changes a hold",
            lee,
            vec![Ask::merge(&held, &longer)],
            "cannot patch resource || spec is immutable",
        )
        .await;
    board
        .refused(
            "20",
            "removes a hold without the verb",
            dana,
            vec![Ask::delete(&held)],
            "cannot delete resource",
        )
        .await;
    ended(board, lee, &held).await
}

/// What a hold on somebody refuses, and what it never does.
async fn standing(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, lee, broker, .. } = world;
    let waits = world.offered(board, dana, "operate").await?;
    let approved = world.offered(board, dana, "debug-prod").await?;
    world.report(board, &approved, decided()).await?;
    world.report(board, &approved, json!({"grant": grant_record()})).await?;
    let active = world.active(board, dana, "debug-prod").await?;
    let yes = json!({"approvals": [approval(lee, auth_time(lee).await?)]});
    let asks = request(&world.spec(dana, "debug-prod").await?);
    let said = "it is held by";
    for on in
        [json!({"user": dana.user}), json!({"cluster": crate::world::CLUSTER}), json!({"everything": true})]
    {
        let held = held(board, lee, on.clone()).await?;
        let title = |what: &str| format!("{what} while {on} is held");
        let ask = Ask::create(&requests("team-payments"), &asks);
        board.refused("20", &title("asks"), dana, vec![ask], said).await;
        board.refused("20", &title("approves"), lee, forms(world, &waits, yes.clone()).await?, said).await;
        for (what, name, status) in [
            ("decides", &waits, decided()),
            ("opens", &approved, json!({"phase": "Active", "credential": "c2VhbGVk"})),
            ("delivers a token", &approved, json!({"credential": "c2VhbGVk"})),
        ] {
            board.refused("20", &title(what), broker, forms(world, name, status).await?, said).await;
        }
        // What ends access is written whatever is held.
        let notes = json!({"status": {"message": "closing"}});
        board
            .allowed("20", &title("writes a message"), broker, Ask::merge(&status_of(&active), &notes))
            .await;
        ended(board, lee, &held).await?;
    }
    let held = held(board, lee, json!({"user": dana.user})).await?;
    for (what, who, status) in [
        ("leaves", dana, json!({"withdrawn": true})),
        ("revokes", lee, json!({"revocation": {"by": lee.user, "at": stamp(now()), "reason": "x"}})),
        ("closes", broker, crate::world::closing("Revoked")),
    ] {
        let title = format!("{what} although it is held");
        board.allowed("20", &title, who, Ask::merge(&status_of(&active), &json!({"status": status}))).await;
    }
    let others = Ask::create(&requests("team-payments"), &request(&world.spec(lee, "debug-prod").await?));
    board.allowed("20", "somebody else asks", lee, others.dry()).await;
    ended(board, lee, &held).await?;
    let asks = Ask::create(&requests("team-payments"), &asks);
    board.allowed("20", "asks when nothing is held any more", dana, asks.dry()).await;
    Ok(())
}

/// Its time over, a hold refuses nothing, and nobody has to remove it.
async fn over(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, lee, ines, strong_admin, broker, .. } = world;
    let waits = world.offered(board, dana, "operate").await?;
    let ask = || async {
        let asks = request(&world.spec(dana, "debug-prod").await?);
        anyhow::Ok(Ask::create(&requests("team-payments"), &asks))
    };
    let another = made(board, strong_admin, json!({"cluster": "nobodys"}), now() + 600).await?;
    let until = now() + 15;
    let on_all =
        [json!({"user": dana.user}), json!({"cluster": crate::world::CLUSTER}), json!({"everything": true})];
    let mut holds = Vec::new();
    for on in on_all {
        holds.push(made(board, lee, on, until).await?);
    }
    let of_ines = made(board, lee, json!({"user": ines.user}), until).await?;
    tokio::time::sleep(HEARD).await;
    let held_too = "and so neither makes nor removes a hold";
    let holding = || Ask::create(&path(), &hold(ines, json!({"cluster": "nobodys"}), now() + 600));
    board.refused("20", "asks before their time is over", dana, vec![ask().await?], "it is held by").await;
    board.refused("20", "holds before its time is over", ines, vec![holding()], held_too).await;
    anyhow::ensure!(now() < until, "it was over before anything was refused");
    let left = u64::try_from(until - now()).unwrap_or_default();
    tokio::time::sleep(Duration::from_secs(left + 1)).await;

    let yes = json!({"approvals": [approval(lee, auth_time(lee).await?)]});
    board.allowed("20", "asks when the time of all holds is over", dana, ask().await?.dry()).await;
    for (what, who, status) in [
        ("approves", lee, yes),
        ("decides", broker, decided()),
        ("records a grant", broker, json!({"grant": grant_record()})),
        ("opens", broker, json!({"phase": "Active", "credential": "c2VhbGVk", "jtis": ["one"]})),
        ("delivers a token", broker, json!({"credential": "c2VhbGVkIGFuZXc=", "jtis": ["one", "two"]})),
    ] {
        let title = format!("{what} when the time of all holds is over");
        board.allowed("20", &title, who, Ask::merge(&status_of(&waits), &json!({"status": status}))).await;
    }
    board.allowed("20", "holds when the time of their own is over", ines, holding().dry()).await;
    // A delete has no time of its own.
    let still = "removes another's when the time of their own is over";
    board.refused("20", still, ines, vec![Ask::delete(&another)], held_too).await;
    for hold in holds.iter().chain([&of_ines, &another]) {
        // Each is still there: it was time that ended them.
        board.must(lee, Ask::delete(hold)).await?;
    }
    tokio::time::sleep(HEARD).await;
    Ok(())
}

/// By name, so that nobody passes by passing every verb.
async fn by_name(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, lee, ines, strong_admin, .. } = world;
    let of_admin = held(board, lee, json!({"user": strong_admin.user})).await?;
    let own = "nobody removes a hold on themselves";
    board
        .refused("20", "removes a hold on themselves", strong_admin, vec![Ask::delete(&of_admin)], own)
        .await;
    let other = held(board, ines, json!({"cluster": "nobodys"})).await?;
    let held_too = "and so neither makes nor removes a hold";
    board
        .refused("20", "removes another's while held", strong_admin, vec![Ask::delete(&other)], held_too)
        .await;
    let all = hold(strong_admin, json!({"everything": true}), now() + 600);
    board
        .refused(
            "20",
            "holds everything while held",
            strong_admin,
            vec![Ask::create(&path(), &all)],
            held_too,
        )
        .await;
    ended(board, lee, &of_admin).await?;
    ended(board, strong_admin, &other).await?;
    // Approving is leading to access too: of a stolen approver's laptop nobody gets a yes.
    let waits = world.offered(board, dana, "operate").await?;
    let of_lee = held(board, ines, json!({"user": lee.user})).await?;
    let yes = json!({"approvals": [approval(lee, auth_time(lee).await?)]});
    board.refused("20", "approves while held", lee, forms(world, &waits, yes).await?, "held by").await;
    ended(board, ines, &of_lee).await
}
