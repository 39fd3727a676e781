//! A yes to less, and what is recorded as given (P8).

use crate::ask::Ask;
use crate::board::Board;
use crate::status::{approval, auth_time, forms};
use crate::world::{World, decided, now, offer, stamp, status_of};
use anyhow::Result;
use serde_json::{Value, json};

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    println!("\nLess than was asked for");
    limits(world, board).await?;
    wide(world, board).await?;
    given(world, board).await
}

async fn limits(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, lee, .. } = world;
    let name = world.offered(board, dana, "operate").await?;
    let of_lee = approval(lee, auth_time(lee).await?);
    let limited = |limits: Value| {
        let mut approval = of_lee.clone();
        approval["limits"] = limits;
        json!({"approvals": [approval]})
    };
    let rule = "an approval's limits take something off what was asked for";
    let schema = "should have at least 1 items";
    for (title, limits, fragment) in [
        ("names no namespace", json!({"namespaces": []}), schema),
        ("names no namespace, and a duration", json!({"namespaces": [], "duration": "15m"}), schema),
        ("limits nothing", json!({}), rule),
        ("adds a namespace", json!({"namespaces": ["payments", "checkout"]}), rule),
        ("names another namespace", json!({"namespaces": ["checkout"]}), rule),
        ("names a protected namespace", json!({"namespaces": ["kube-system"]}), rule),
        ("names what is no namespace", json!({"namespaces": ["Pay ments"]}), "should match"),
        ("adds time", json!({"duration": "31m"}), rule),
        ("leaves less than a session", json!({"duration": "14m"}), rule),
        ("leaves no time", json!({"duration": "0m"}), rule),
        ("leaves a time that is none", json!({"duration": "soon"}), "should match"),
        ("leaves a time of a year", json!({"duration": "8760h"}), rule),
    ] {
        let title = format!("approves less and {title}");
        // A schema's refusal of an apply is the same sentence; of a field that is none, too.
        board.refused("8", &title, lee, forms(world, &name, limited(limits)).await?, fragment).await;
    }
    limited_otherwise(world, board, &name).await?;
    // A broker of before that reads no limits would give all of it.
    let old = world.request(board, dana, "operate").await?;
    let mut before = offer();
    before.as_object_mut().map(|offer| offer.remove("takesLimits"));
    world.report(board, &old, json!({"offer": before})).await?;
    let less = limited(json!({"duration": "15m"}));
    let said = "takes no limits";
    board
        .refused(
            "8",
            "limits the offer of a broker that takes no limits",
            lee,
            forms(world, &old, less.clone()).await?,
            said,
        )
        .await;
    board
        .allowed("8", "approves less time", lee, Ask::merge(&status_of(&name), &json!({"status": less})))
        .await;
    let frozen = "an approval can be neither edited nor removed || a write that changes nothing";
    board
        .refused(
            "8",
            "takes a limit back",
            lee,
            forms(world, &name, json!({"approvals": [of_lee]})).await?,
            frozen,
        )
        .await;
    let other = world.offered(board, dana, "operate").await?;
    let less = limited(json!({"namespaces": ["payments"], "duration": "30m"}));
    board
        .allowed(
            "8",
            "limits to all that was asked for",
            lee,
            Ask::merge(&status_of(&other), &json!({"status": less})),
        )
        .await;
    Ok(())
}

/// What a yes must be, one to less must be: to the offer there is, in one's own name, and while it waits.
async fn limited_otherwise(world: &World, board: &mut Board, name: &str) -> Result<()> {
    let World { dana, lee, ines, .. } = world;
    let less = |mut approval: Value, key: &str, value: Value| {
        approval[key] = value;
        approval["limits"] = json!({"duration": "15m"});
        json!({"approvals": [approval]})
    };
    let of_lee = approval(lee, auth_time(lee).await?);
    let other = less(of_lee.clone(), "offer", json!("b2".repeat(32)));
    let said = "repeats the digest of the offer";
    board.refused("5", "approves less of another offer", lee, forms(world, name, other).await?, said).await;
    let theirs = less(of_lee, "by", json!(ines.user));
    let said = "exactly one approval, by your own name";
    board.refused("8", "approves less in another's name", lee, forms(world, name, theirs).await?, said).await;
    let gone = world.offered(board, dana, "operate").await?;
    let no = json!({"status": {"denial": {"by": lee.user, "at": stamp(now()), "reason": "no"}}});
    board.must(lee, Ask::merge(&status_of(&gone), &no)).await?;
    let of_ines = approval(ines, auth_time(ines).await?);
    let by = json!(ines.user);
    let late = less(of_ines, "by", by);
    let said = "only while a request is pending";
    board
        .refused("11", "approves less of what was denied", ines, forms(world, &gone, late).await?, said)
        .await;
    Ok(())
}

/// Of the whole cluster, any namespace may be named; whether sessions may be there is the broker's to judge.
async fn wide(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, strong_admin, .. } = world;
    let mut spec = world.spec(dana, "view").await?;
    spec.as_object_mut().map(|spec| spec.remove("namespaces"));
    let name = world.requested(board, dana, &spec).await?;
    world.report(board, &name, json!({"offer": offer()})).await?;
    let mut yes = approval(strong_admin, auth_time(strong_admin).await?);
    yes["limits"] = json!({"namespaces": []});
    board
        .refused(
            "8",
            "narrows the whole cluster to no namespace",
            strong_admin,
            forms(world, &name, json!({"approvals": [yes]})).await?,
            "should have at least 1 items",
        )
        .await;
    yes["limits"] = json!({"namespaces": ["checkout"]});
    let change = json!({"status": {"approvals": [yes]}});
    board
        .allowed(
            "8",
            "narrows the whole cluster to a namespace",
            strong_admin,
            Ask::merge(&status_of(&name), &change),
        )
        .await;
    Ok(())
}

async fn given(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, broker, .. } = world;
    let pending = world.offered(board, dana, "debug-prod").await?;
    let granted = world.offered(board, dana, "debug-prod").await?;
    world.report(board, &granted, decided()).await?;
    let with = |given: Value| json!({"phase": "Approved", "given": given});
    let (once, more) =
        ("what is given is recorded as a request is approved", "no more is given than was asked for");
    for (title, name, status, fragment) in [
        ("approves and does not say what is given", &pending, json!({"phase": "Approved"}), once),
        ("says what is given before it is approved", &pending, json!({"given": decided()["given"]}), once),
        (
            "gives more time than asked",
            &pending,
            with(json!({"namespaces": ["payments"], "duration": "31m"})),
            more,
        ),
        ("gives no time", &pending, with(json!({"namespaces": ["payments"], "duration": "0m"})), more),
        (
            "gives the whole cluster by an empty list",
            &pending,
            with(json!({"namespaces": [], "duration": "30m"})),
            more,
        ),
        ("gives the whole cluster by no list", &pending, with(json!({"duration": "30m"})), more),
        (
            "gives another namespace",
            &pending,
            with(json!({"namespaces": ["payments", "checkout"], "duration": "30m"})),
            more,
        ),
        (
            "gives more afterwards",
            &granted,
            json!({"given": {"namespaces": ["payments"], "duration": "20m"}}),
            once,
        ),
        ("forgets what was given", &granted, json!({"given": null}), once),
    ] {
        board.refused("8", title, broker, forms(world, name, status).await?, fragment).await;
    }
    let less = with(json!({"namespaces": ["payments"], "duration": "15m"}));
    board
        .allowed("8", "gives less", broker, Ask::merge(&status_of(&pending), &json!({"status": less})))
        .await;
    Ok(())
}
