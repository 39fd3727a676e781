use super::{an_ask, desk, hub, person, revision};
use anyhow::{Result, ensure};
use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams},
};
use sallyport_api::{AccessProfile, HistoryAnchor};
use sallyport_client::Fault;
use sallyport_hub::{Ask, Refused, StepUp};
use sallyport_model::Phase;
use sallyport_testkit::Identity;
use sallyport_testkit::profiles::EDITORS;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn one_is_who_the_hub_says() -> Result<()> {
    let me = person("ada", "payments-dev");
    let said = desk(&me).await?.whoami().await?;
    ensure!(said.user.as_str() == "oidc:ada", "{said:?}");
    ensure!(said.groups.contains(&"oidc:payments-dev".to_owned()), "{said:?}");
    ensure!((said.acr, said.amr) == (vec!["urn:sallyport:mfa".to_owned()], vec!["otp".to_owned()]));
    let age = jiff::Timestamp::now().as_second() - said.auth_time.unwrap_or_default();
    ensure!((0..60).contains(&age), "{age}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ask_becomes_a_request_and_asked_again_stays_one() -> Result<()> {
    let hub = desk(&person("ada", "payments-dev")).await?;
    let (ask, _) = an_ask("ada", "payments-dev", "debug-prod").await?;
    let first = hub.ask(&ask).await?;
    ensure!(first.phase() == Phase::Pending);
    ensure!(first.spec.duration == "30m" && first.spec.namespaces == ["payments"]);
    ensure!(first.spec.history == ask.history, "how the asker's history was stands in it");
    let again = hub.ask(&ask).await?;
    ensure!(again.uid() == first.uid(), "the same key asks once");
    let later =
        Ask { history: ask.history.clone().map(|was| HistoryAnchor { sequence: 413, ..was }), ..ask.clone() };
    ensure!(
        hub.ask(&later).await?.uid() == first.uid(),
        "though the history grew, or a hub of before keeps none"
    );
    let mut other = ask.clone();
    other.terms.reason = "something else".into();
    ensure!(hub.ask(&other).await.err() == Some(Refused::Fault(Fault::AlreadyExists)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p7_a_weak_or_old_sign_in_is_told_what_would_do() -> Result<()> {
    let (ask, _) = an_ask("bea", "payments-dev", "debug-prod").await?;
    let now = jiff::Timestamp::now().as_second();
    let base = || Identity::new("oidc:bea").group("oidc:payments-dev");
    for weak in [
        base(),
        base().signed_in("pwd", &["pwd"], now - 5),
        base().signed_in("urn:sallyport:mfa", &["otp"], now - 3600),
    ] {
        let refused = desk(&weak).await?.ask(&ask).await;
        let Err(Refused::StepUp(StepUp { acr, amr, max_age, message })) = refused else {
            anyhow::bail!("{refused:?}")
        };
        ensure!(
            acr == ["urn:sallyport:mfa"] && amr.is_empty() && max_age == Some(900),
            "{acr:?} {amr:?} {max_age:?}"
        );
        ensure!(message.starts_with("profile debug-prod needs a"), "{message}");
    }
    desk(&person("bea", "payments-dev")).await?.ask(&ask).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p7_a_profile_that_changed_is_named_with_its_live_revision() -> Result<()> {
    let editor = Identity::new("setup").group(EDITORS);
    let api: Api<AccessProfile> = Api::all(hub().await?.client_as(&editor)?);
    // Its own profile, so that no other test asks under a revision that moves.
    let mut own: AccessProfile = api.get("view").await?;
    own.metadata = kube::api::ObjectMeta { name: Some("view-moving".into()), ..Default::default() };
    api.create(&Default::default(), &own).await?;
    let (ask, _) = an_ask("cem", "payments-dev", "view-moving").await?;
    let longer = json!({"spec": {"maxDuration": "4h"}});
    api.patch("view-moving", &PatchParams::default(), &Patch::Merge(&longer)).await?;
    // As admin: nobody was given the verb `request` on this one, and masters pass it.
    let admin = Identity::new("oidc:cem").group("system:masters").group("oidc:payments-dev");
    let asked = desk(&admin.signed_in("urn:sallyport:mfa", &[], jiff::Timestamp::now().as_second())).await?;
    let refused = asked.ask(&ask).await;
    let Err(Refused::ProfileChanged { revision: Some(live), .. }) = &refused else {
        anyhow::bail!("{refused:?}")
    };
    ensure!(*live == revision("view-moving").await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p7_a_plain_no_is_a_sentence_without_the_api_servers_preamble() -> Result<()> {
    let (ask, _) = an_ask("dan", "payments-dev", "debug-prod").await?;
    let others_name = desk(&person("eve", "payments-dev")).await?.ask(&ask).await;
    let Err(Refused::Forbidden { message }) = &others_name else { anyhow::bail!("{others_name:?}") };
    ensure!(message == "spec.user must be your own name, oidc:eve", "{message}");

    let mut too_long = ask.clone();
    too_long.terms.duration = sallyport_model::Ttl::minutes(61);
    let refused = desk(&person("dan", "payments-dev")).await?.ask(&too_long).await;
    let Err(Refused::Forbidden { message }) = &refused else { anyhow::bail!("{refused:?}") };
    ensure!(message == "profile debug-prod allows at most 1h", "{message}");

    let visitor = desk(&person("dan", "visitors")).await?.ask(&ask).await;
    let Err(Refused::Forbidden { message }) = &visitor else { anyhow::bail!("{visitor:?}") };
    ensure!(message.contains("cannot create resource"), "{message}");
    Ok(())
}
