//! The guardrails themselves (P12; attack 16).

use crate::ask::Ask;
use crate::board::Board;
use crate::world::World;
use anyhow::Result;
use sallyport_api::{Guardrails, Side, guardrail_differences};
use sallyport_testkit::Plane;
use serde_json::{Value, json};

/// What an API server has of the guardrails.
async fn live(plane: &Plane) -> Result<Guardrails> {
    let client = plane.admin()?;
    let list = async |what: &str| -> Result<Vec<Value>> {
        let group = if what.starts_with("cluster") { "rbac.authorization" } else { "admissionregistration" };
        let reply = Ask::get(&format!("/apis/{group}.k8s.io/v1/{what}")).send(&client).await?;
        Ok(reply.body["items"].as_array().cloned().unwrap_or_default())
    };
    Ok(Guardrails {
        policies: list("validatingadmissionpolicies").await?,
        bindings: list("validatingadmissionpolicybindings").await?,
        cluster_roles: list("clusterroles").await?,
        cluster_role_bindings: list("clusterrolebindings").await?,
    })
}

/// P12: verified means equal to what was shipped, and every change is named.
pub(crate) async fn verified(world: &World, board: &mut Board) -> Result<()> {
    println!("\nThe guardrails themselves");
    for (side, plane, admin) in
        [(Side::Hub, &world.hub, &world.admin), (Side::Target, &world.target, &world.owner)]
    {
        let found = guardrail_differences(side, &live(plane).await?);
        board.check(
            "16",
            &format!("{side:?}: what is installed equals what was shipped"),
            found.is_empty(),
            &found.join("; "),
        );
        let name = match side {
            Side::Hub => "access-requests-who.sallyport.dev",
            Side::Target => "sessions-tokens.sallyport.dev",
        };
        let path = format!("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/{name}");
        let fooling =
            json!({"spec": {"matchConditions": [{"name": "only-probes", "expression": "request.dryRun"}]}});
        board
            .open(
                "16",
                "administrators can alter admission policies",
                admin,
                Ask::merge(&path, &fooling),
                "said as unverified",
            )
            .await;
        let found = guardrail_differences(side, &live(plane).await?);
        let named = found.len() == 1 && found[0].contains(name) && found[0].contains("matchConditions");
        board.check(
            "16",
            &format!("{side:?}: a policy that refuses dry runs only is found out"),
            named,
            &found.join("; "),
        );
        board.must(admin, Ask::merge(&path, &json!({"spec": {"matchConditions": null}}))).await?;
        let binding =
            format!("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/{name}");
        board.must(admin, Ask::merge(&binding, &json!({"spec": {"validationActions": ["Audit"]}}))).await?;
        let found = guardrail_differences(side, &live(plane).await?);
        let named = found.len() == 1 && found[0].contains("validationActions");
        board.check(
            "16",
            &format!("{side:?}: a binding that no longer denies is found out"),
            named,
            &found.join("; "),
        );
        board.must(admin, Ask::merge(&binding, &json!({"spec": {"validationActions": ["Deny"]}}))).await?;
    }
    Ok(())
}
