//! P22: what `sallyport-rbac` answers is what the API server answers.

use super::hub;
use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::{
    authorization::v1::SubjectAccessReview,
    rbac::v1::{ClusterRole, ClusterRoleBinding},
};
use kube::{Api, api::PostParams};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use sallyport_model::{RoleName, Scope};
use sallyport_rbac::{Ask, Rule, allows, covers, dangers, effective, growth, warnings};
use sallyport_testkit::Identity;
use sallyport_testkit::repository::deploy;
use serde_json::{Value, json};
use std::time::Duration;

const VERBS: &[&str] = &["get", "list", "create", "*"];
const GROUPS: &[&str] = &["", "apps", "*"];
const RESOURCES: &[&str] = &[
    "pods",
    "pods/exec",
    "deployments",
    "*/scale",
    "deployments/scale",
    "pods/*",
    "*/*",
    "nodes/proxy",
    "*",
];
const NAMES: &[&str] = &["a", "b"];
const PATHS: &[&str] = &["/metrics", "/logs/*", "/logs*", "*"];

/// The same rules in every run, so that a failure can be looked at again.
fn some_rules(seed: u64) -> Result<Vec<Rule>> {
    let mut random = StdRng::seed_from_u64(seed);
    let role: RoleName = format!("tried-{seed}").parse()?;
    let mut some = |words: &[&str], least: usize, most: usize| -> Vec<String> {
        let count = random.random_range(least..=most);
        (0..count).filter_map(|_| words.choose(&mut random)).map(|w| (*w).to_owned()).collect()
    };
    let mut rules = Vec::new();
    for n in 0..3 {
        // A stored rule is about resources or about paths, never both.
        let on_paths = n == 2;
        rules.push(Rule {
            role: role.clone(),
            verbs: some(VERBS, 1, 2),
            api_groups: if on_paths { Vec::new() } else { some(GROUPS, 1, 2) },
            resources: if on_paths { Vec::new() } else { some(RESOURCES, 1, 3) },
            resource_names: if on_paths { Vec::new() } else { some(NAMES, 0, 1) },
            non_resource_urls: if on_paths { some(PATHS, 1, 2) } else { Vec::new() },
        });
    }
    Ok(rules)
}

fn wire(rules: &[Rule]) -> Value {
    let one = |r: &Rule| {
        json!({
            "verbs": r.verbs, "apiGroups": r.api_groups, "resources": r.resources,
            "resourceNames": r.resource_names, "nonResourceURLs": r.non_resource_urls,
        })
    };
    rules.iter().map(one).collect()
}

fn read(role: &ClusterRole) -> Result<Vec<Rule>> {
    let name: RoleName = role.metadata.name.as_deref().context("a name")?.parse()?;
    let rules = role.rules.clone().unwrap_or_default().into_iter().map(|r| Rule {
        role: name.clone(),
        verbs: r.verbs,
        api_groups: r.api_groups.unwrap_or_default(),
        resources: r.resources.unwrap_or_default(),
        resource_names: r.resource_names.unwrap_or_default(),
        non_resource_urls: r.non_resource_urls.unwrap_or_default(),
    });
    Ok(rules.collect())
}

fn asks() -> Vec<Ask<'static>> {
    let mut out = Vec::new();
    for verb in ["get", "list", "create", "delete"] {
        out.extend(["/metrics", "/logs", "/logs/x", "/logsx", "/other"].map(|path| Ask::Path { verb, path }));
        for group in ["", "apps", "batch"] {
            let pairs = [
                ("pods", ""),
                ("pods", "exec"),
                ("pods", "*"),
                ("deployments", "scale"),
                ("nodes", "proxy"),
                ("jobs", ""),
            ];
            for (resource, subresource) in pairs {
                out.extend(["", "a", "c"].map(|name| Ask::Resource {
                    verb,
                    group,
                    resource,
                    subresource,
                    name,
                }));
            }
        }
    }
    out
}

fn review(user: &str, ask: Ask<'_>) -> Result<SubjectAccessReview> {
    let attributes = match ask {
        Ask::Path { verb, path } => json!({"nonResourceAttributes": {"verb": verb, "path": path}}),
        Ask::Resource { verb, group, resource, subresource, name } => json!({"resourceAttributes": {
            "verb": verb, "group": group, "resource": resource, "subresource": subresource, "name": name,
        }}),
    };
    let mut spec = attributes;
    spec["user"] = json!(user);
    Ok(serde_json::from_value(json!({"spec": spec}))?)
}

async fn bind(client: &kube::Client, user: &str, rules: &[Rule]) -> Result<()> {
    let roles: Api<ClusterRole> = Api::all(client.clone());
    let bindings: Api<ClusterRoleBinding> = Api::all(client.clone());
    let heard = Rule::on(&"w".parse()?, ["get"], ["heard.example.test"], ["things"]);
    let role: ClusterRole = serde_json::from_value(
        json!({"metadata": {"name": user}, "rules": wire(&[rules, &[heard]].concat())}),
    )?;
    roles.create(&PostParams::default(), &role).await?;
    let binding: ClusterRoleBinding = serde_json::from_value(json!({
        "metadata": {"name": user},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": user},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }))?;
    bindings.create(&PostParams::default(), &binding).await?;
    // The authorizer hears of it by watches: it knows all of it once it knows the rule that nobody else asks for.
    let reviews: Api<SubjectAccessReview> = Api::all(client.clone());
    let heard = Ask::Resource {
        verb: "get",
        group: "heard.example.test",
        resource: "things",
        subresource: "",
        name: "",
    };
    for _ in 0..3000 {
        let said = reviews.create(&PostParams::default(), &review(user, heard)?).await?;
        if said.status.is_some_and(|status| status.allowed) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("the API server does not hear of {user}'s rights")
}

#[tokio::test(flavor = "multi_thread")]
async fn p22_every_tuple_tried_gets_the_api_servers_answer() -> Result<()> {
    let client = hub().await?.admin()?;
    let reviews: Api<SubjectAccessReview> = Api::all(client.clone());
    let mut tried = (0, 0);
    for seed in 0..12 {
        let (user, rules) = (format!("tried-{seed}"), some_rules(seed)?);
        bind(&client, &user, &rules).await?;
        let answers: Vec<_> = stream::iter(asks())
            .map(|ask| {
                let (reviews, user) = (&reviews, &user);
                async move {
                    let said = reviews.create(&PostParams::default(), &review(user, ask)?).await?;
                    anyhow::Ok((ask, said.status.is_some_and(|s| s.allowed)))
                }
            })
            .buffer_unordered(8)
            .try_collect()
            .await?;
        for (ask, allowed) in answers {
            ensure!(allows(&rules, ask) == allowed, "{rules:?}\n{ask:?}: the API server says {allowed}");
            tried.0 += 1;
            tried.1 += usize::from(allowed);
        }
    }
    println!("{} tuples, {} of them allowed", tried.0, tried.1);
    ensure!(tried.1 > tried.0 / 20 && tried.1 < tried.0 * 19 / 20, "the sample says little: {tried:?}");
    Ok(())
}

/// The API server lets someone write a role only if they hold every rule in it: the same question as `covers`.
#[tokio::test(flavor = "multi_thread")]
async fn p22_covering_agrees_with_the_escalation_check() -> Result<()> {
    let plane = hub().await?;
    let admin = plane.admin()?;
    let mut tried = (0, 0);
    for seed in 100..106 {
        let user = format!("holder-{seed}");
        let mut held = some_rules(seed)?;
        held.push(Rule::on(&"w".parse()?, ["create"], ["rbac.authorization.k8s.io"], ["clusterroles"]));
        bind(&admin, &user, &held).await?;
        let own: Api<ClusterRole> = Api::all(plane.client_as(&Identity::new(&user))?);
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        let own_rules = held.iter().map(|r| vec![r.clone()]);
        let others = (200..212).map(|n| some_rules(seed * 1000 + n)).collect::<Result<Vec<_>>>()?;
        let others = others.into_iter().flatten().map(|r| vec![r]);
        for wanted in own_rules.chain(others) {
            let object = json!({"metadata": {"name": "wanted"}, "rules": wire(&wanted)});
            let made = own.create(&dry, &serde_json::from_value(object)?).await;
            let may = match &made {
                Ok(_) => true,
                Err(kube::Error::Api(status)) if status.is_forbidden() => false,
                Err(other) => anyhow::bail!("{other}"),
            };
            // The rights every signed-in user has (discovery) may cover a path the rules here do not.
            let by_discovery = may && !wanted[0].non_resource_urls.is_empty();
            ensure!(
                covers(&held, &wanted[0]) == may || by_discovery,
                "{held:?}\n{wanted:?}: the API server says {may}"
            );
            tried.0 += 1;
            tried.1 += usize::from(may);
        }
    }
    println!("{} rules, {} of them covered", tried.0, tried.1);
    ensure!(tried.1 >= 24 && tried.1 < tried.0, "the sample says little: {tried:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p11_the_live_built_in_roles_are_judged_as_promised() -> Result<()> {
    let plane = hub().await?;
    let roles: Api<ClusterRole> = Api::all(plane.admin()?);
    let everywhere = Scope::ClusterWide;
    // The aggregation controller fills these in a moment after the start.
    let mut live = Vec::new();
    for name in ["view", "edit", "admin", "cluster-admin"] {
        for _ in 0..600 {
            live = effective(read(&roles.get(name).await?)?, &everywhere);
            if !live.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        ensure!(!live.is_empty(), "{name} has no rules");
        let found = dangers(&live, &everywhere);
        ensure!(found.is_empty() == (name == "view"), "{name}: {found:?}");
        println!(
            "{name}: {} rules, {} dangers, first: {:?}",
            live.len(),
            found.len(),
            found.first().map(ToString::to_string)
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p11_sallyports_own_roles_are_none_of_the_dangerous() -> Result<()> {
    let path = deploy("target/roles.yaml");
    let text = std::fs::read_to_string(path)?;
    let mut found = 0;
    for document in text.split("\n---") {
        let role: ClusterRole = serde_saphyr::from_str(document)?;
        let name = role.metadata.name.clone().unwrap_or_default();
        ensure!(role.aggregation_rule.is_none(), "{name} is aggregated");
        let scope = match name.as_str() {
            "sallyport:view" | "sallyport:posture" => Scope::ClusterWide,
            _ => Scope::from_list(["payments".parse()?]),
        };
        let rules = effective(read(&role)?, &scope);
        ensure!(!rules.is_empty(), "{name} allows nothing");
        let dangers: Vec<_> = dangers(&rules, &scope).iter().map(ToString::to_string).collect();
        ensure!(dangers.is_empty(), "{name}: {dangers:?}");
        let exec = allows(
            &rules,
            Ask::Resource { verb: "create", group: "", resource: "pods", subresource: "exec", name: "p" },
        );
        ensure!(exec == matches!(name.as_str(), "sallyport:debug" | "sallyport:operate"), "{name}");
        found += 1;
    }
    ensure!(found == 4, "{found} roles");
    Ok(())
}

/// The example role for releases is operate and Secrets, nothing else; who asks and who approves read what that opens.
#[tokio::test(flavor = "multi_thread")]
async fn fault_c9_p11_the_role_for_releases_says_that_it_reads_every_secret() -> Result<()> {
    let deploy = deploy("");
    let shipped = std::fs::read_to_string(deploy.join("target/roles.yaml"))?;
    let operate: ClusterRole = serde_saphyr::from_str(shipped.split("\n---").nth(2).unwrap_or_default())?;
    let example = std::fs::read_to_string(deploy.join("demo/releases/target.yaml"))?;
    let releases: ClusterRole = serde_saphyr::from_str(example.split("\n---").next().unwrap_or_default())?;
    ensure!(operate.metadata.name.as_deref() == Some("sallyport:operate"), "{:?}", operate.metadata.name);
    ensure!(releases.metadata.name.as_deref() == Some("sallyport:releases"), "{:?}", releases.metadata.name);
    ensure!(releases.aggregation_rule.is_none(), "it is aggregated");
    let scope = Scope::from_list(["payments".parse()?]);
    let (less, more) = (effective(read(&operate)?, &scope), effective(read(&releases)?, &scope));
    ensure!(growth(&more, &less).is_empty(), "operate holds what releases lacks");
    let beyond = growth(&less, &more);
    let alone = beyond.iter().all(|rule| rule.resources == ["secrets"] && rule.api_groups == [""]);
    ensure!(!beyond.is_empty() && alone, "{beyond:?}");
    // Named, not refused: an admin who wants helm decides.
    ensure!(dangers(&more, &scope).is_empty(), "{:?}", dangers(&more, &scope));
    let every = "Every Secret of the session's namespaces can be read: what was read stays known.";
    ensure!(warnings(&more).iter().any(|said| said == every), "{:?}", warnings(&more));
    ensure!(!warnings(&less).iter().any(|said| said == every), "operate reads no Secrets");
    Ok(())
}
