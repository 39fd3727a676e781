//! Whether somebody else may ask under a profile, by what a real API server says to whom.

use super::{desk, person};
use anyhow::{Result, ensure};
use sallyport_api::AccessRequest;
use sallyport_client::Fault;
use sallyport_hub::MayRequest;
use serde_json::json;
use std::time::Duration;

fn request(user: &str, groups: &[&str]) -> Result<AccessRequest> {
    Ok(serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest", "metadata": {"name": "r"},
        "spec": {"user": user, "groups": groups, "cluster": "payments-eu-1", "profile": "operate",
            "profileRevision": "aa/1", "duration": "1h", "reason": "r", "publicKey": "k"},
    }))?)
}

#[tokio::test(flavor = "multi_thread")]
async fn p7_who_looks_after_the_hub_asks_who_may_ask_and_an_approver_may_not() -> Result<()> {
    let auditor = desk(&person("ada", "platform-admins")).await?;
    // The authorizer hears of the roles by watches.
    let mut knows = false;
    for _ in 0..1500 {
        knows = auditor.rights(&[]).await?.reviews;
        if knows {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ensure!(knows, "sallyport:hub-auditor may ask what others may do");
    let dana = request("oidc:dana", &["oidc:payments-dev"])?;
    let nobody = request("oidc:dana", &["oidc:visitors"])?;
    let odd = request("oidc:da\"}na /../\n", &["", "oidc:payments-dev\0", "oidc:payments-dev "])?;
    for (who, profile, may) in [
        (&dana, "view", true),
        (&dana, "debug", true),
        (&dana, "no-such-profile", false),
        (&nobody, "view", false),
        (&odd, "view", false),
    ] {
        let said = auditor.may_request(&MayRequest::under(who, profile)).await?;
        ensure!(said == Some(may), "{} under {profile}: {said:?}", who.spec.user);
    }
    ensure!(auditor.may_request(&MayRequest::of(&dana)).await? == Some(true), "under the profile it names");
    // Of nobody nothing is known.
    let said = auditor.may_request(&MayRequest::of(&request("", &[])?)).await;
    ensure!(said != Ok(Some(true)), "{said:?}");

    let lead = desk(&person("lee", "payments-leads")).await?;
    ensure!(!lead.rights(&[]).await?.reviews, "approvers need not have the right");
    let said = lead.may_request(&MayRequest::of(&dana)).await;
    ensure!(matches!(said, Err(Fault::Forbidden(_))), "{said:?}");
    Ok(())
}
