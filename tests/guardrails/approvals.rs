//! Four eyes (P8; attacks 5, 11, 14).

use crate::ask::Ask;
use crate::board::Board;
use crate::status::{approval, auth_time, forms};
use crate::world::{MFA, World, decided, now, person, signed_in, stamp, status_of};
use anyhow::Result;
use serde_json::{Value, json};

pub(crate) async fn approving(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, omar, lee, ines, broker, strong_admin, .. } = world;
    let of_lee = approval(lee, auth_time(lee).await?);
    let yes = |approval: &Value| json!({"approvals": [approval]});
    let edited = |key: &str, value: Value| {
        let mut approval = of_lee.clone();
        approval[key] = value;
        approval
    };
    let bare = world.request(board, dana, "operate").await?;
    board
        .refused(
            "5",
            "approves before there is an offer",
            lee,
            forms(world, &bare, yes(&of_lee)).await?,
            "repeats the digest of the offer",
        )
        .await;

    let name = world.offered(board, dana, "operate").await?;
    let own = world.offered(board, lee, "operate").await?;
    let admins = world.offered(board, strong_admin, "operate").await?;
    let of_root = approval(strong_admin, auth_time(strong_admin).await?);
    let of_dana = approval(dana, auth_time(dana).await?);
    let of_omar = approval(omar, auth_time(omar).await?);
    let mut of_broker = approval(broker, 0);
    of_broker.as_object_mut().map(|o| o.remove("authTime"));
    let nobody = "nobody approves their own request";
    board
        .refused("8", "approves their own request", dana, forms(world, &name, yes(&of_dana)).await?, nobody)
        .await;
    board
        .refused("8", "approves their own request", lee, forms(world, &own, yes(&of_lee)).await?, nobody)
        .await;
    board
        .refused(
            "8",
            "approves their own request",
            strong_admin,
            forms(world, &admins, yes(&of_root)).await?,
            nobody,
        )
        .await;
    board
        .refused(
            "8",
            "approves without the verb",
            omar,
            forms(world, &name, yes(&of_omar)).await?,
            "may not approve profile operate",
        )
        .await;
    board
        .refused(
            "8",
            "approves",
            broker,
            forms(world, &name, yes(&of_broker)).await?,
            "may not approve profile operate || needs a stronger sign-in",
        )
        .await;
    let cases = [
        (
            "8",
            "approves in another approver's name",
            yes(&edited("by", json!(ines.user))),
            "exactly one approval, by your own name",
        ),
        (
            "8",
            "approves twice over, for two",
            json!({"approvals": [of_lee, edited("by", json!(ines.user))]}),
            "exactly one approval, by your own name",
        ),
        (
            "5",
            "approves another offer",
            yes(&edited("offer", json!("b2".repeat(32)))),
            "repeats the digest of the offer",
        ),
        (
            "8",
            "dates the approval back",
            yes(&edited("at", json!(stamp(now() - 7200)))),
            "an approval's time is the present",
        ),
        (
            "8",
            "dates the approval back by a minute and a half",
            yes(&edited("at", json!(stamp(now() - 90)))),
            "clock and the hub's differ by more than a minute",
        ),
        (
            "8",
            "dates the approval ahead by a minute and a half",
            yes(&edited("at", json!(stamp(now() + 90)))),
            "clock and the hub's differ by more than a minute",
        ),
        (
            "8",
            "dates the approval ahead",
            yes(&edited("at", json!(stamp(now() + 7200)))),
            "an approval's time is the present",
        ),
        (
            "14",
            "claims another sign-in time",
            yes(&edited("authTime", json!(now()))),
            "an approval's authTime is that of your own sign-in",
        ),
        (
            "8",
            "approves and writes a message",
            json!({"approvals": [of_lee], "message": "fine"}),
            "an approval is given alone",
        ),
        (
            "8",
            "approves and sets the phase",
            json!({"approvals": [of_lee], "phase": "Approved"}),
            "an approval is given alone",
        ),
    ];
    for (id, title, status, fragment) in cases {
        board.refused(id, title, lee, forms(world, &name, status).await?, fragment).await;
    }
    let mut silent = of_lee.clone();
    silent.as_object_mut().map(|o| o.remove("authTime"));
    board
        .refused(
            "14",
            "leaves the sign-in time out",
            lee,
            forms(world, &name, yes(&silent)).await?,
            "an approval's authTime is that of your own sign-in",
        )
        .await;
    for (title, first) in [
        ("denied", json!({"denial": {"by": lee.user, "at": stamp(now()), "reason": "no"}})),
        ("withdrawn", json!({"withdrawn": true})),
    ] {
        let gone = world.offered(board, dana, "operate").await?;
        let who = if title == "denied" { lee } else { dana };
        board.must(who, Ask::merge(&status_of(&gone), &json!({"status": first}))).await?;
        let of_ines = approval(ines, auth_time(ines).await?);
        board
            .refused(
                "11",
                &format!("approves what was {title}"),
                ines,
                forms(world, &gone, yes(&of_ines)).await?,
                "only while a request is pending",
            )
            .await;
    }
    let late = world.granted(board, dana, "operate").await?;
    board
        .refused(
            "11",
            "approves what was decided",
            lee,
            forms(world, &late, yes(&of_lee)).await?,
            "only while a request is pending",
        )
        .await;
    Ok(())
}

pub(crate) async fn approvals_stay(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, lee, ines, broker, strong_admin, .. } = world;
    let name = world.offered(board, dana, "operate").await?;
    let path = status_of(&name);
    let live = world.live(&name).await?;
    let applied = |approval: &Value| {
        json!({
            "apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": {"name": name}, "status": {"approvals": [approval]},
        })
    };
    let first = approval(lee, auth_time(lee).await?);
    let second = approval(ines, auth_time(ines).await?);
    let (one, two) = (applied(&first), applied(&second));
    let asks = [Ask::apply(&path, "lee", &one), Ask::apply(&path, "ines", &two)];
    let (a, b) = tokio::join!(asks[0].send(&lee.client), asks[1].send(&ines.client));
    let both = world.live(&name).await?["status"]["approvals"].as_array().map_or(0, Vec::len);
    let codes = format!("{} and {}, {both} kept", a?.code, b?.code);
    board.check("8", "two approvers approve at the same moment by apply", both == 2, &codes);

    let mut louder = first.clone();
    louder["comment"] = json!("and more");
    let frozen = "an approval can be neither edited nor removed || needs a stronger sign-in";
    let changes = [
        ("edits an approval", json!({"approvals": [louder, second]})),
        ("removes one approval", json!({"approvals": [second]})),
        ("removes all approvals", json!({"approvals": null})),
    ];
    for (title, status) in changes {
        for who in [lee, dana, broker, strong_admin] {
            // A partial list applied by another manager takes nothing away; leave that form out.
            let all = forms(world, &name, status.clone()).await?;
            let forms = all.into_iter().filter(|f| title.starts_with("edits") || f.form != "apply").collect();
            board.refused("8", title, who, forms, frozen).await;
        }
    }
    let nothing = json!({"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": {"name": name}, "status": {}});
    board
        .refused(
            "8",
            "takes their approval back by applying nothing",
            lee,
            vec![Ask::apply(&path, "lee", &nothing)],
            frozen,
        )
        .await;
    board
        .allowed("8", "decides on two approvals", broker, Ask::merge(&path, &json!({"status": decided()})))
        .await;
    Ok(())
}

pub(crate) async fn approvers_sign_in(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, .. } = world;
    let user = "oidc:lee@example.test";
    let lead = |acr: &str, amr: &[&str], at: i64| {
        sallyport_testkit::Identity::new(user).group("oidc:payments-leads").signed_in(acr, amr, at)
    };
    let operate = world.offered(board, dana, "operate").await?;
    let dana_with_key = sallyport_testkit::Identity::new("oidc:dana@example.test")
        .group("oidc:payments-dev")
        .signed_in(MFA, &["hwk"], now() - 60);
    let dana_with_key = person(&world.hub, "requester", "oidc:dana@example.test", &dana_with_key)?;
    let hardware = world.offered(board, &dana_with_key, "hardware").await?;
    let said = "insufficient_user_authentication acr=urn:sallyport:mfa amr= max_age=3600 :: approving under profile operate needs a";
    let said_hardware = "insufficient_user_authentication acr=urn:sallyport:mfa amr=hwk,fpt max_age= :: approving under profile hardware needs a";
    let cases = [
        (
            "approves after a password only",
            lead("urn:sallyport:pwd", &["pwd"], now() - 60),
            &operate,
            format!("{said} stronger sign-in"),
        ),
        (
            "approves with a sign-in of two hours ago",
            lead(MFA, &["otp"], now() - 7200),
            &operate,
            format!("{said} sign-in not older than 1h"),
        ),
        (
            "approves with a sign-in from the future",
            lead(MFA, &["otp"], now() + 7200),
            &operate,
            "approving with a sign-in from the future".to_owned(),
        ),
        (
            "approves without the second factor asked for",
            lead(MFA, &["otp"], now() - 60),
            &hardware,
            format!("{said_hardware} second factor"),
        ),
    ];
    for (title, identity, name, fragment) in cases {
        let who = person(&world.hub, "approver", user, &identity)?;
        let mine = approval(&who, auth_time(&who).await?);
        board
            .refused("14", title, &who, forms(world, name, json!({"approvals": [mine]})).await?, &fragment)
            .await;
    }
    let certificate = sallyport_testkit::Identity::new(user).group("oidc:payments-leads");
    let who = person(&world.hub, "approver without a sign-in", user, &certificate)?;
    let mut mine = approval(&who, 0);
    board
        .refused(
            "14",
            "claims a sign-in time without a sign-in",
            &who,
            forms(world, &operate, json!({"approvals": [mine]})).await?,
            "an approval's authTime is that of your own sign-in || needs a stronger sign-in",
        )
        .await;
    mine.as_object_mut().map(|o| o.remove("authTime"));
    board
        .refused(
            "14",
            "approves with a client certificate",
            &who,
            forms(world, &operate, json!({"approvals": [mine]})).await?,
            "stronger sign-in; yours has acr []",
        )
        .await;
    let who = person(&world.hub, "approver", user, &signed_in(user, &["oidc:payments-leads"]))?;
    let mine = approval(&who, auth_time(&who).await?);
    board
        .allowed(
            "14",
            "approves after a step-up",
            &who,
            Ask::merge(&status_of(&operate), &json!({"status": {"approvals": [mine]}})),
        )
        .await;
    Ok(())
}
