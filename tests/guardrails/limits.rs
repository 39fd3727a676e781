//! A profile's limits and how strong a sign-in it asks for (P7; attacks 5, 14).

use crate::ask::Ask;
use crate::asking::creates;
use crate::board::Board;
use crate::world::{API, MFA, World, now, person, request, requests, stamp};
use anyhow::Result;
use sallyport_testkit::Identity;
use serde_json::{Value, json};

pub(crate) async fn limits(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, .. } = world;
    let team = "team-payments";
    let with = async |profile: &str, edits: Value| -> Result<Value> {
        let mut spec = world.spec(dana, profile).await?;
        for (key, value) in edits.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        Ok(request(&spec))
    };
    let cases = vec![
        (
            "5",
            "names a revision that is over",
            with("debug-prod", json!({"profileRevision": "0c1f7b7e-4f52-4b2e-8c57-2f6a7d4b9a11/1"})).await?,
            "profile_changed revision=",
        ),
        (
            "7",
            "asks for a cluster outside the profile",
            with("debug", json!({})).await?,
            "profile debug does not cover cluster payments-eu-1",
        ),
        (
            "7",
            "takes a dot for any character",
            with("dotted", json!({"cluster": "axb"})).await?,
            "profile dotted does not cover cluster axb",
        ),
        (
            "7",
            "asks for longer than the profile allows",
            with("debug-prod", json!({"duration": "61m"})).await?,
            "profile debug-prod allows at most 1h",
        ),
        (
            "7",
            "asks for a namespace outside the profile",
            with("debug-prod", json!({"namespaces": ["payments", "vault"]})).await?,
            "allows only namespaces payments, checkout",
        ),
        (
            "7",
            "asks for the whole cluster instead",
            with("debug-prod", json!({"namespaces": []})).await?,
            "allows only namespaces payments, checkout",
        ),
        (
            "7",
            "gives no reason",
            with("debug-prod", json!({"reason": ""})).await?,
            "profile debug-prod asks for a reason",
        ),
        (
            "7",
            "gives blanks for a reason",
            with("debug-prod", json!({"reason": " \t "})).await?,
            "profile debug-prod asks for a reason",
        ),
    ];
    for (id, title, body, fragment) in cases {
        board.refused(id, title, dana, creates(team, &body), fragment).await;
    }
    board
        .allowed(
            "7",
            "asks for the profile's longest",
            dana,
            Ask::create(&requests(team), &with("debug-prod", json!({"duration": "1h"})).await?).dry(),
        )
        .await;
    board
        .allowed(
            "7",
            "asks for a cluster by glob and literal dot",
            dana,
            Ask::create(
                &requests(team),
                &with("dotted", json!({"cluster": "pay.eu", "namespaces": []})).await?,
            )
            .dry(),
        )
        .await;
    board
        .allowed(
            "7",
            "needs no reason where the profile says so",
            dana,
            Ask::create(&requests(team), &with("view", json!({"reason": "", "namespaces": []})).await?).dry(),
        )
        .await;
    // Attack 5: the profile is edited between looking and asking.
    let old = with("debug", json!({"cluster": "checkout-stage"})).await?;
    board
        .must(
            &world.editor,
            Ask::merge(&format!("{API}/accessprofiles/debug"), &json!({"spec": {"maxDuration": "45m"}})),
        )
        .await?;
    crate::world::until_refused(
        dana,
        &Ask::create(&requests(team), &old).dry(),
        std::time::Duration::from_secs(60),
    )
    .await?;
    board
        .refused(
            "5",
            "asks with what was seen before an edit",
            dana,
            creates(team, &old),
            "profile_changed revision=",
        )
        .await;
    board
        .allowed(
            "5",
            "asks again with what is there now",
            dana,
            Ask::create(&requests(team), &with("debug", json!({"cluster": "checkout-stage"})).await?).dry(),
        )
        .await;
    Ok(())
}

pub(crate) async fn sign_in(world: &World, board: &mut Board) -> Result<()> {
    let team = "team-payments";
    let user = "oidc:dana@example.test";
    let dev = || Identity::new(user).group("oidc:payments-dev");
    let prod = request(&world.spec(&world.dana, "debug-prod").await?);
    let hardware = request(&world.spec(&world.dana, "hardware").await?);
    let step_up = "insufficient_user_authentication acr=urn:sallyport:mfa amr= max_age=900 :: profile debug-prod needs a";
    let both = "insufficient_user_authentication acr=urn:sallyport:mfa amr=hwk,fpt max_age= :: profile hardware needs a";
    let as_dana = |title: &str, identity: &Identity| person(&world.hub, title, user, identity);
    let mut forged = prod.clone();
    forged["metadata"]["creationTimestamp"] = json!(stamp(now() - 3600));
    let old = dev().signed_in(MFA, &["pwd", "otp"], now() - 3600);
    let cases = vec![
        (
            "signed in with a password only",
            dev().signed_in("urn:sallyport:pwd", &["pwd"], now() - 60),
            &prod,
            format!("{step_up} stronger sign-in"),
        ),
        (
            "signed in an hour ago",
            old.clone(),
            &prod,
            format!("{step_up} sign-in not older than 15m; yours was at"),
        ),
        (
            "signed in an hour ago, with a forged creation time",
            old,
            &forged,
            format!("{step_up} sign-in not older than 15m"),
        ),
        (
            "signed in without a time",
            dev().extra("access.sallyport.dev/acr", MFA).extra("access.sallyport.dev/auth-time", "0"),
            &prod,
            format!("{step_up} sign-in not older than 15m; yours carries no time"),
        ),
        (
            "came with a client certificate",
            dev(),
            &prod,
            format!("{step_up} stronger sign-in; yours has acr []"),
        ),
        (
            "claims a sign-in a year ahead",
            dev().signed_in(MFA, &["pwd", "otp"], now() + 31_536_000),
            &prod,
            "your sign-in claims a time in the future".to_owned(),
        ),
        (
            "claims a time that is none",
            dev().signed_in(MFA, &["otp"], 0).extra("access.sallyport.dev/auth-time", "soon"),
            &prod,
            "access-requests-limits.sallyport.dev".to_owned(),
        ),
        (
            "has the strength but not the factor",
            dev().signed_in(MFA, &["pwd", "otp"], now() - 60),
            &hardware,
            format!("{both} second factor; yours has amr [pwd, otp]"),
        ),
        (
            "has the factor but not the strength",
            dev().signed_in("urn:sallyport:pwd", &["hwk"], now() - 60),
            &hardware,
            format!("{both} stronger sign-in"),
        ),
    ];
    for (title, identity, body, fragment) in cases {
        let who = as_dana("requester", &identity)?;
        board.refused("14", title, &who, creates(team, body), &fragment).await;
    }
    let who = as_dana("requester", &dev().signed_in(MFA, &["hwk"], now() - 60))?;
    board.allowed("14", "has strength and factor", &who, Ask::create(&requests(team), &hardware).dry()).await;
    let who = as_dana("requester", &dev().signed_in(MFA, &["otp"], now() + 30))?;
    board
        .allowed(
            "14",
            "a provider's clock may be 30 s ahead",
            &who,
            Ask::create(&requests(team), &prod).dry(),
        )
        .await;
    Ok(())
}
