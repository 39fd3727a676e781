//! A person's requests under one profile on one cluster, and nobody else's.

use super::{CLUSTER, TEAM, an_ask, as_broker, desk, person};
use anyhow::{Result, ensure};
use kube::ResourceExt as _;
use sallyport_hub::past;
use sallyport_model::Ttl;
use sallyport_policy::Spell;
use serde_json::json;
use std::collections::BTreeSet;

/// Names that would be other terms of a selector if they were not one value of it.
const NAMES: [&str; 4] = ["eve", "eve,spec.user=oidc:eve", r"e\ve", "e=v,e"];

#[tokio::test(flavor = "multi_thread")]
async fn attack_20_a_persons_requests_are_found_whatever_their_name_and_no_other() -> Result<()> {
    let mut made: Vec<BTreeSet<String>> = Vec::new();
    for name in NAMES {
        let desk = desk(&person(name, "payments-dev")).await?;
        let mut own = BTreeSet::new();
        for profile in ["operate", "view"] {
            let (ask, _) = an_ask(name, "payments-dev", profile).await?;
            let request = desk.ask(&ask).await?;
            if profile == "operate" {
                own.insert(request.uid().unwrap_or_default());
                let offer = json!({"digest": "a".repeat(64), "rules": [], "endpoint": "https://x", "caDigest": "0".repeat(64)});
                let given = json!({"namespaces": ["payments"], "duration": "30m"});
                as_broker(&request, json!({"phase": "Approved", "offer": offer, "given": given})).await?;
            }
        }
        made.push(own);
    }
    for (name, own) in NAMES.iter().zip(&made) {
        let desk = desk(&person(name, "payments-dev")).await?;
        let (team, user) = (TEAM.parse()?, format!("oidc:{name}").parse()?);
        let (profile, cluster) = ("operate".parse()?, CLUSTER.parse()?);
        let listed = desk.requests_under(Some(&team), &user, (&profile, &cluster)).await?;
        let found: BTreeSet<String> =
            listed.objects.iter().map(|one| one.uid().unwrap_or_default()).collect();
        ensure!(found == *own, "{name}: {found:?}");
        let counted = past(&listed, None, jiff::Timestamp::now().as_second())?;
        ensure!(counted.spells == [Spell::ToCome(Ttl::minutes(30))], "{name}: {counted:?}");
        // All teams are for whoever may read them: a person may not.
        ensure!(desk.requests_under(None, &user, (&profile, &cluster)).await.is_err());
    }
    Ok(())
}
