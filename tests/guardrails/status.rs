//! Who may write which part of a request's status (P8; attacks 5, 11, 14).

use crate::approvals::{approvals_stay, approvers_sign_in, approving};
use crate::ask::{Ask, every_form};
use crate::board::{Board, Person};
use crate::world::{World, closing, decided, digest, grant_record, now, offer, stamp, status_of};
use anyhow::Result;
use serde_json::{Value, json};

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    println!("\nApproving");
    approving(world, board).await?;
    approvals_stay(world, board).await?;
    approvers_sign_in(world, board).await?;
    println!("\nDenying, leaving, revoking");
    crate::less::run(world, board).await?;
    denying(world, board).await?;
    leaving(world, board).await?;
    revoking(world, board).await?;
    println!("\nThe broker's fields");
    credential(world, board).await?;
    brokers_fields(world, board).await?;
    crate::ending::run(world, board).await
}

/// An approval as `who` would write it, given a minute-old sign-in.
pub(crate) fn approval(who: &Person, auth_time: i64) -> Value {
    json!({"by": who.user, "at": stamp(now()), "offer": digest(), "authTime": auth_time})
}

/// The sign-in time that [`crate::world::signed_in`] gave, read back from the API server.
pub(crate) async fn auth_time(who: &Person) -> Result<i64> {
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let reply =
        Ask::create("/apis/authentication.k8s.io/v1/selfsubjectreviews", &body).send(&who.client).await?;
    let said = &reply.body["status"]["userInfo"]["extra"]["access.sallyport.dev/auth-time"][0];
    Ok(said.as_str().unwrap_or_default().parse()?)
}

/// A change of status in every form.
pub(crate) async fn forms(world: &World, name: &str, status: Value) -> Result<Vec<Ask>> {
    let live = world.live(name).await?;
    Ok(every_form(&status_of(name), &live, &json!({"status": status})))
}

async fn denying(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, omar, lee, ines, broker, strong_admin, .. } = world;
    let no = |by: &Person| json!({"denial": {"by": by.user, "at": stamp(now()), "reason": "not now"}});
    let rule = "a denial is given once, alone, by an approver under their own name";
    let name = world.offered(board, dana, "operate").await?;
    let own = world.offered(board, lee, "operate").await?;
    let active = world.active(board, dana, "operate").await?;
    for (title, who, request, status) in [
        ("denies without the verb", omar, &name, no(omar)),
        ("denies in an approver's name", omar, &name, no(lee)),
        ("denies in another approver's name", lee, &name, no(ines)),
        ("denies in an approver's name", broker, &name, no(lee)),
        ("denies in an approver's name", strong_admin, &name, no(lee)),
        ("denies what is open", lee, &active, no(lee)),
        ("denies their own request", lee, &own, no(lee)),
    ] {
        board.refused("8", title, who, forms(world, request, status).await?, rule).await;
    }
    let mut more = no(lee);
    more["withdrawn"] = json!(true);
    board.refused("8", "denies and withdraws", lee, forms(world, &name, more).await?, rule).await;
    // A time is evidence, and none is a reason to refuse an end.
    for (title, at) in [("back", now() - 7200), ("ahead", now() + 7200), ("to 2099", 4_070_908_800)] {
        let dated = world.offered(board, dana, "operate").await?;
        let said = json!({"status": {"denial": {"by": lee.user, "at": stamp(at)}}});
        let title = format!("fault_a2 dates a denial {title}");
        board.allowed("8", &title, lee, Ask::merge(&status_of(&dated), &said)).await;
    }
    // Some readers of times know no year 9999; what they can't read they would not act upon.
    for at in [
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "2026-12-31T23:59:60Z",
        "2026-11-28",
        "2026-11-28T10:00:00+99:00",
        "",
    ] {
        let no = json!({"denial": {"by": lee.user, "at": at}});
        let off = json!({"revocation": {"by": lee.user, "at": at, "reason": "x"}});
        for (does, request, status) in [("denies", &name, no), ("revokes", &active, off)] {
            let forms = forms(world, request, status).await?;
            board.refused("8", &format!("fault_a2 {does} at {at:?}"), lee, forms, "is invalid").await;
        }
    }
    let path = status_of(&name);
    board.allowed("8", "denies", lee, Ask::merge(&path, &json!({"status": no(lee)}))).await;
    board
        .refused("8", "takes a denial back", lee, forms(world, &name, json!({"denial": null})).await?, rule)
        .await;
    board
        .refused(
            "8",
            "takes a denial back",
            broker,
            forms(world, &name, json!({"denial": null})).await?,
            rule,
        )
        .await;
    board.refused("8", "denies again", ines, forms(world, &name, no(ines)).await?, rule).await;
    board
        .refused(
            "11",
            "approves what was denied",
            broker,
            forms(world, &name, decided()).await?,
            "a request is only closed",
        )
        .await;
    board
        .allowed(
            "11",
            "closes what was denied",
            broker,
            Ask::merge(&path, &json!({"status": closing("Denied")})),
        )
        .await;
    Ok(())
}

async fn leaving(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, omar, lee, broker, strong_admin, .. } = world;
    let rule = "only the requester withdraws a request, and it stays withdrawn";
    let active = world.active(board, dana, "debug-prod").await?;
    for who in [omar, lee, broker, strong_admin] {
        board
            .refused(
                "11",
                "withdraws another's request",
                who,
                forms(world, &active, json!({"withdrawn": true})).await?,
                rule,
            )
            .await;
    }
    board
        .refused(
            "11",
            "withdraws and sets the phase",
            dana,
            forms(world, &active, json!({"withdrawn": true, "phase": "Closed"})).await?,
            rule,
        )
        .await;
    let path = status_of(&active);
    let leave = Ask::merge(&path, &json!({"status": {"withdrawn": true, "credential": null}}));
    board.allowed("13", "leaves, clearing the credential", dana, leave).await;
    for who in [dana, broker, strong_admin] {
        for undo in [json!({"withdrawn": false}), json!({"withdrawn": null})] {
            board
                .refused("11", "takes a withdrawal back", who, forms(world, &active, undo).await?, rule)
                .await;
        }
    }
    let sealed = forms(world, &active, json!({"credential": "YWdhaW4="})).await?;
    board
        .refused("11", "hands out a credential after that", broker, sealed, "a request is only closed")
        .await;
    let early = world.granted(board, dana, "debug-prod").await?;
    board
        .allowed(
            "13",
            "leaves before it is open",
            dana,
            Ask::merge(&status_of(&early), &json!({"status": {"withdrawn": true}})),
        )
        .await;
    let opened = forms(world, &early, json!({"phase": "Active", "credential": "c2VhbGVk"})).await?;
    board.refused("11", "opens what was withdrawn", broker, opened, "a request is only closed").await;
    board.allowed("13", "closes it", broker, Ask::merge(&path, &json!({"status": closing("Left")}))).await;
    Ok(())
}

async fn revoking(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, omar, lee, ines, broker, other_broker, .. } = world;
    let off =
        |by: &Person| json!({"revocation": {"by": by.user, "at": stamp(now()), "reason": "incident over"}});
    let rule = "a revocation is written once, alone, by a holder of the verb revoke";
    let active = world.active(board, dana, "debug-prod").await?;
    for (title, who, status) in [
        ("revokes without the verb", omar, off(omar)),
        ("revokes without the verb", broker, off(broker)),
        ("revokes without the verb", other_broker, off(other_broker)),
        ("revokes in another's name", lee, off(ines)),
        ("revokes in another's name", &world.strong_admin, off(lee)),
        ("revokes in an approver's name", dana, off(lee)),
    ] {
        board.refused("11", title, who, forms(world, &active, status).await?, rule).await;
    }
    let mut more = off(lee);
    more["phase"] = json!("Closed");
    board.refused("11", "revokes and closes", lee, forms(world, &active, more).await?, rule).await;
    for (title, at) in [("back", now() - 7200), ("ahead", now() + 7200), ("to 2099", 4_070_908_800)] {
        let dated = world.active(board, dana, "debug-prod").await?;
        let said = json!({"status": {"revocation": {"by": lee.user, "at": stamp(at), "reason": "x"}}});
        let title = format!("fault_a2 p13 dates a revocation {title}");
        board.allowed("11", &title, lee, Ask::merge(&status_of(&dated), &said)).await;
    }
    let path = status_of(&active);
    board.allowed("11", "revokes what is open", lee, Ask::merge(&path, &json!({"status": off(lee)}))).await;
    for (title, who, status) in [
        (
            "rewrites a revocation",
            lee,
            json!({"revocation": {"by": lee.user, "at": stamp(now()), "reason": "other"}}),
        ),
        ("takes a revocation over", ines, off(ines)),
        ("takes a revocation back", lee, json!({"revocation": null})),
        ("takes a revocation back", broker, json!({"revocation": null})),
        ("takes a revocation back", &world.strong_admin, json!({"revocation": null})),
    ] {
        board.refused("11", title, who, forms(world, &active, status).await?, rule).await;
    }
    let again = forms(world, &active, json!({"credential": "YWdhaW4="})).await?;
    board
        .refused("11", "hands out a credential after a revocation", broker, again, "a request is only closed")
        .await;
    let other = world.active(board, dana, "debug-prod").await?;
    board
        .allowed(
            "11",
            "an administrator revokes under their own name",
            &world.strong_admin,
            Ask::merge(&status_of(&other), &json!({"status": off(&world.strong_admin)})),
        )
        .await;
    board
        .allowed(
            "11",
            "closes what was revoked",
            broker,
            Ask::merge(&path, &json!({"status": closing("Revoked")})),
        )
        .await;
    Ok(())
}

async fn credential(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, omar, lee, other_broker, strong_admin, .. } = world;
    let rule = "only the broker sets a credential; the requester may only clear it";
    let name = world.active(board, dana, "debug-prod").await?;
    for who in [dana, omar, lee, other_broker, strong_admin] {
        board
            .refused(
                "11",
                "puts a credential in",
                who,
                forms(world, &name, json!({"credential": "bWluZQ=="})).await?,
                rule,
            )
            .await;
    }
    for who in [omar, lee, other_broker, strong_admin] {
        board
            .refused(
                "11",
                "clears another's credential",
                who,
                forms(world, &name, json!({"credential": null})).await?,
                rule,
            )
            .await;
    }
    board
        .allowed(
            "1",
            "clears the credential once opened",
            dana,
            Ask::merge(&status_of(&name), &json!({"status": {"credential": null}})),
        )
        .await;
    Ok(())
}

async fn brokers_fields(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, lee, other_broker, strong_admin, .. } = world;
    let name = world.offered(board, dana, "operate").await?;
    let condition = json!([{"type": "Ended", "status": "True", "reason": "Left", "message": "", "lastTransitionTime": stamp(now())}]);
    for who in [dana, lee, other_broker, strong_admin] {
        for (field, value) in [
            ("phase", json!("Approved")),
            ("grant", grant_record()),
            ("given", json!({"namespaces": ["payments"], "duration": "30m"})),
            ("jtis", json!(["mine"])),
            ("message", json!("all fine")),
            ("conditions", condition.clone()),
            (
                "offer",
                json!({"digest": "b2".repeat(32), "endpoint": "https://192.0.2.9", "caDigest": "c0".repeat(32), "rules": []}),
            ),
        ] {
            let change = json!({field: value});
            board
                .refused(
                    "8",
                    &format!("writes status.{field}"),
                    who,
                    forms(world, &name, change).await?,
                    "only the broker of cluster payments-eu-1 changes status.",
                )
                .await;
        }
    }
    let bare = world.request(board, dana, "operate").await?;
    let change = forms(world, &bare, json!({"offer": offer()})).await?;
    board
        .refused(
            "5",
            "writes an offer",
            other_broker,
            change,
            "only the broker of cluster payments-eu-1 changes status.offer",
        )
        .await;
    Ok(())
}
