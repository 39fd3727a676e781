use super::{TEAM, an_ask, as_broker, desk, person, with_offer};
use anyhow::{Context as _, Result, ensure};
use sallyport_api::AccessRequest;
use sallyport_client::Fault;
use sallyport_hub::{
    Refused,
    seal::{self, Aad, Sealed},
};
use sallyport_model::{Digest, GrantUid, Jti, Limits, RequestRef, RequestUid, Secret};
use serde_json::json;

fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn forbidden(done: Result<AccessRequest, Refused>, why: &str) -> Result<()> {
    match &done {
        Err(Refused::Forbidden { message }) if message.contains(why) => Ok(()),
        other => anyhow::bail!("not refused with `{why}`: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_requester_withdraws_and_nobody_else_does() -> Result<()> {
    let ada = desk(&person("ada", "payments-dev")).await?;
    let (ask, _) = an_ask("ada", "payments-dev", "operate").await?;
    let which = ada.ask(&ask).await?.which()?;
    let lead = desk(&person("lee", "payments-leads")).await?;
    forbidden(lead.withdraw(&which).await, "only the requester withdraws")?;
    let reborn = RequestRef { uid: RequestUid::new("00000000-0000-4000-8000-000000000000"), ..which.clone() };
    ensure!(ada.withdraw(&reborn).await.err() == Some(Refused::Fault(Fault::NotFound)));
    ensure!(ada.request(&reborn).await.err() == Some(Fault::NotFound));
    for _ in 0..2 {
        let left = ada.withdraw(&which).await?;
        ensure!(left.status.and_then(|s| s.withdrawn) == Some(true));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_two_approvers_at_once_keep_both_of_their_yeses() -> Result<()> {
    let ada = desk(&person("ada", "payments-dev")).await?;
    let (lee, ines) = (person("lee", "payments-leads"), person("ines", "platform-admins"));
    let (lee, ines) = (desk(&lee).await?, desk(&ines).await?);
    let (lee_is, ines_is) = (lee.whoami().await?, ines.whoami().await?);
    let digest = Digest::of(b"offer");
    for _ in 0..5 {
        let (ask, _) = an_ask("ada", "payments-dev", "operate").await?;
        let request = ada.ask(&ask).await?;
        let which = request.which()?;
        with_offer(&request, &digest.to_string()).await?;
        let all = Limits::default();
        let (one, other) = tokio::join!(
            lee.approve(&which, &lee_is, &digest, &all, now(), Some("go ahead")),
            ines.approve(&which, &ines_is, &digest, &all, now(), None),
        );
        one?;
        other?;
        let approvals = ada.request(&which).await?.status.context("a status")?.approvals;
        let mut by: Vec<_> = approvals.iter().map(|a| a.by.as_str()).collect();
        by.sort_unstable();
        ensure!(by == ["oidc:ines", "oidc:lee"], "{by:?}");
        ensure!(approvals.iter().all(|a| a.auth_time.is_some() && a.offer == digest.to_string()));
        // The policy's input counts both.
        let read = sallyport_hub::decision_request(&ada.request(&which).await?)?;
        ensure!(read.approvals.len() == 2 && read.offer == Some(digest));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_one_approves_only_others_requests_and_only_the_offer_on_screen() -> Result<()> {
    let lead = person("lou", "payments-leads");
    let own = desk(&lead).await?;
    let own_is = own.whoami().await?;
    let digest = Digest::of(b"offer");
    let (ask, _) = an_ask("lou", "payments-leads", "operate").await?;
    let mine = own.ask(&ask).await?;
    with_offer(&mine, &digest.to_string()).await?;
    let which = mine.which()?;
    forbidden(
        own.approve(&which, &own_is, &digest, &Limits::default(), now(), None).await,
        "nobody approves their own",
    )?;
    let other = desk(&person("lee", "payments-leads")).await?;
    let other_is = other.whoami().await?;
    let stale =
        other.approve(&which, &other_is, &Digest::of(b"another"), &Limits::default(), now(), None).await;
    forbidden(stale, "repeats the digest of the offer")?;
    let forged = other.approve(&which, &own_is, &digest, &Limits::default(), now(), None).await;
    forbidden(forged, "by your own name")?;
    let dev = desk(&person("dev", "payments-dev")).await?;
    let refused = dev.approve(&which, &dev.whoami().await?, &digest, &Limits::default(), now(), None).await;
    forbidden(refused, "may not approve profile operate")?;
    let reborn = RequestRef { uid: RequestUid::new("00000000-0000-4000-8000-000000000000"), ..which.clone() };
    let refused = other.approve(&reborn, &other_is, &digest, &Limits::default(), now(), None).await;
    ensure!(refused.err() == Some(Refused::Fault(Fault::NotFound)));
    other.approve(&which, &other_is, &digest, &Limits::default(), now(), None).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn denial_and_revocation_carry_their_writers_name() -> Result<()> {
    let ada = desk(&person("ada", "payments-dev")).await?;
    let lee = desk(&person("lee", "payments-leads")).await?;
    let lee_is = lee.whoami().await?;
    let (ask, _) = an_ask("ada", "payments-dev", "operate").await?;
    let which = ada.ask(&ask).await?.which()?;
    let denied = lee.deny(&which, &lee_is, now(), Some("not today")).await?;
    let denial = denied.status.and_then(|s| s.denial).context("a denial")?;
    ensure!((denial.by.as_str(), denial.reason.as_deref()) == ("oidc:lee", Some("not today")));

    let (ask, _) = an_ask("ada", "payments-dev", "operate").await?;
    let which = ada.ask(&ask).await?.which()?;
    forbidden(ada.revoke(&which, &ada.whoami().await?, now(), "mine").await, "verb revoke")?;
    let revoked = lee.revoke(&which, &lee_is, now(), "incident over").await?;
    ensure!(revoked.status.and_then(|s| s.revocation).is_some_and(|r| r.by == "oidc:lee"));
    forbidden(lee.revoke(&which, &lee_is, now(), "again").await, "written once")
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_the_token_comes_back_sealed_and_is_cleared_once_opened() -> Result<()> {
    let ada = desk(&person("ada", "payments-dev")).await?;
    let (ask, keys) = an_ask("ada", "payments-dev", "debug-prod").await?;
    let request = ada.ask(&ask).await?;
    let which = request.which()?;
    with_offer(&request, &Digest::of(b"offer").to_string()).await?;
    let given = json!({"namespaces": request.spec.namespaces, "duration": request.spec.duration});
    as_broker(&request, json!({"phase": "Approved", "given": given})).await?;
    let end = now().as_second() + 1800;
    let grant = json!({
        "name": "g-abcd", "uid": "9b1f", "account": format!("s-abcd-{end}"),
        "end": jiff::Timestamp::from_second(end)?.to_string(),
    });
    as_broker(&request, json!({"grant": grant})).await?;
    let aad =
        Aad { user: ask.terms.user.clone(), request: which.uid.clone(), grant: GrantUid::new("9b1f"), end };
    let content = Sealed {
        token: Secret::new("eyJ.session.token".into()),
        endpoint: "https://127.0.0.1:6443".into(),
        ca_bundle: "CA".into(),
        tls_server_name: None,
        jti: Jti::new("j-1"),
        end,
    };
    let sealed = seal::seal(&request.spec.public_key, &aad, &content)?;
    as_broker(&request, json!({"phase": "Active", "credential": sealed, "jtis": ["j-1"]})).await?;

    let found = ada.request(&which).await?.status.context("a status")?;
    let text = found.credential.context("a credential")?;
    ensure!(!text.contains("session"));
    ensure!(seal::open(&keys, &aad, &text)?.token.expose() == "eyJ.session.token");
    let lee = desk(&person("lee", "payments-leads")).await?;
    forbidden(lee.clear_credential(&which).await, "requester may only clear")?;
    let cleared = ada.clear_credential(&which).await?;
    ensure!(cleared.metadata.namespace.as_deref() == Some(TEAM));
    ensure!(cleared.status.context("a status")?.credential.is_none());
    Ok(())
}
