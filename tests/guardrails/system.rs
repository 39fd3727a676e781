//! Profiles, clusters and brokers (P8; attacks 6, 12, 13, 18).

use crate::ask::{Ask, every_form};
use crate::board::Board;
use crate::world::{API, CLUSTER, EDITORS, World, now, person, request, requests, signed_in, status_of};
use anyhow::Result;
use serde_json::{Value, json};

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    println!("\nProfiles");
    profiles(world, board).await?;
    println!("\nClusters and brokers on the hub");
    clusters(world, board).await?;
    tokens(world, board).await?;
    holdings(world, board).await?;
    println!("\nWhat stays open, in the threat model's words");
    open(world, board).await
}

fn profile(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": name}, "spec": spec})
}

async fn profiles(world: &World, board: &mut Board) -> Result<()> {
    let path = format!("{API}/accessprofiles");
    let one = format!("{path}/operate");
    let live = Ask::get(&one).send(&world.admin.client).await?.body;
    let looser = every_form(&one, &live, &json!({"spec": {"approvals": 0}}));
    let asker = person(
        &world.hub,
        "editor who may ask",
        "oidc:lee@example.test",
        &signed_in("oidc:lee@example.test", &["oidc:payments-dev", EDITORS]),
    )?;
    let approver = person(
        &world.hub,
        "editor who may approve",
        "oidc:ava@example.test",
        &signed_in("oidc:ava@example.test", &["oidc:approvers-only", EDITORS]),
    )?;
    board.refused("6", "drops the approvals of a profile", &world.dana, looser.clone(), "cannot").await;
    board
        .refused(
            "6",
            "drops the approvals of a profile",
            &asker,
            looser.clone(),
            "may ask under profile operate and so may not edit it",
        )
        .await;
    board
        .refused(
            "6",
            "drops the approvals of a profile",
            &approver,
            looser.clone(),
            "may approve under profile operate and so may not edit it",
        )
        .await;
    board
        .refused(
            "6",
            "drops the approvals of a profile",
            &world.admin,
            looser,
            "may ask under profile operate and so may not edit it",
        )
        .await;
    board
        .refused(
            "6",
            "deletes a profile",
            &approver,
            vec![Ask::delete(&one)],
            "may approve under profile operate",
        )
        .await;
    board
        .refused(
            "6",
            "deletes every profile",
            &world.admin,
            vec![Ask::delete(&path)],
            "and so may not edit it",
        )
        .await;
    let own = profile(
        "own",
        json!({"clusters": ["*"], "roles": ["sallyport:operate"], "namespaces": ["payments"], "maxDuration": "1h"}),
    );
    board
        .refused(
            "6",
            "makes a profile of their own",
            &world.admin,
            vec![Ask::create(&path, &own)],
            "may ask under profile own",
        )
        .await;
    board
        .allowed(
            "6",
            "edits a profile",
            &world.editor,
            Ask::merge(&one, &json!({"spec": {"maxDuration": "2h"}})).dry(),
        )
        .await;
    for (title, edit, fragment) in [
        (
            "allows more than a working day",
            json!({"maxDuration": "13h"}),
            "maxDuration must be from 15m to 12h",
        ),
        (
            "allows less than a token's life",
            json!({"maxDuration": "14m"}),
            "maxDuration must be from 15m to 12h",
        ),
        (
            "names kube-system",
            json!({"namespaces": ["payments", "kube-system"]}),
            "namespaces may not name kube-*",
        ),
        ("names a path", json!({"namespaces": ["payments/../kube-system"]}), "should match"),
        ("asks for MFA and for nothing", json!({"mfa": {}}), "mfa asks for nothing"),
        ("asks for a sign-in of no age", json!({"mfa": {"maxAge": "0m"}}), "longer than nothing"),
        ("binds a role with a path in its name", json!({"roles": ["a/b?c"]}), "should match"),
        (
            "writes a sign-in level that breaks the challenge",
            json!({"mfa": {"acr": ["x amr=none"]}}),
            "should match",
        ),
    ] {
        let mut spec = own["spec"].clone();
        for (key, value) in edit.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        board
            .refused("4", title, &world.editor, vec![Ask::create(&path, &profile("own", spec))], fragment)
            .await;
    }
    board.allowed("6", "makes a profile", &world.editor, Ask::create(&path, &own).dry()).await;
    Ok(())
}

async fn clusters(world: &World, board: &mut Board) -> Result<()> {
    let path = format!("{API}/accessclusters/{CLUSTER}");
    let live = Ask::get(&path).send(&world.admin.client).await?.body;
    let healthy = json!({"status": {"broker": {"version": "9", "instance": "x"}}});
    let status = every_form(&format!("{path}/status"), &live, &healthy);
    let only = "only the broker of cluster payments-eu-1 reports its status";
    board.refused("13", "reports for another cluster", &world.other_broker, status.clone(), only).await;
    board.refused("13", "reports in the broker's place", &world.admin, status.clone(), only).await;
    board.refused("13", "reports in the broker's place", &world.dana, status, "cannot").await;
    board
        .allowed(
            "13",
            "reports on its own cluster",
            &world.broker,
            Ask::merge(&format!("{path}/status"), &healthy),
        )
        .await;
    let live = Ask::get(&path).send(&world.admin.client).await?.body;
    let elsewhere = every_form(&path, &live, &json!({"spec": {"endpoints": ["https://203.0.113.1:6443"]}}));
    board.refused("13", "points a cluster at a proxy", &world.broker, elsewhere.clone(), "cannot").await;
    board
        .refused(
            "13",
            "points a cluster at a proxy, with too much RBAC",
            &world.other_broker,
            elsewhere,
            "a broker reports on its cluster and describes none",
        )
        .await;
    let plain = every_form(&path, &live, &json!({"spec": {"endpoints": ["http://192.0.2.1:6443"]}}));
    board.refused("13", "describes a cluster without TLS", &world.admin, plain, "should match").await;
    let mut long = json!({"apiVersion": live["apiVersion"], "kind": "AccessCluster", "spec": live["spec"]});
    long["metadata"] = json!({"name": "a".repeat(64)});
    board
        .refused(
            "4",
            "names a cluster beyond what fits",
            &world.admin,
            vec![Ask::create(&format!("{API}/accessclusters"), &long)],
            "at most 63 characters",
        )
        .await;
    long["metadata"] = json!({"name": "a".repeat(63)});
    board
        .allowed(
            "4",
            "describes a cluster",
            &world.admin,
            Ask::create(&format!("{API}/accessclusters"), &long).dry(),
        )
        .await;
    Ok(())
}

fn token_request(seconds: i64, extra: Value) -> Value {
    let mut spec = json!({"expirationSeconds": seconds});
    for (key, value) in extra.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec})
}

async fn tokens(world: &World, board: &mut Board) -> Result<()> {
    let of = |account: &str| format!("/api/v1/namespaces/sallyport-brokers/serviceaccounts/{account}/token");
    let mint = |account: &str, seconds: i64, extra: Value| {
        vec![Ask::create(&of(account), &token_request(seconds, extra))]
    };
    let ops = person(
        &world.hub,
        "someone with edit there",
        "oidc:ops@example.test",
        &signed_in("oidc:ops@example.test", &["oidc:ops"]),
    )?;
    board
        .refused(
            "12",
            "mints another broker's token",
            &world.broker,
            mint("checkout-stage", 3600, json!({})),
            "cannot create resource",
        )
        .await;
    board
        .refused(
            "12",
            "mints another broker's token, with too much RBAC",
            &world.other_broker,
            mint(CLUSTER, 3600, json!({})),
            "is neither the broker of cluster payments-eu-1 nor allowed to enroll it",
        )
        .await;
    board
        .refused(
            "12",
            "mints a broker's token",
            &ops,
            mint(CLUSTER, 3600, json!({})),
            "nor allowed to enroll it",
        )
        .await;
    board
        .refused(
            "12",
            "mints itself a token for a day",
            &world.broker,
            mint(CLUSTER, 86_400, json!({})),
            "at most 3600 seconds",
        )
        .await;
    board
        .refused(
            "12",
            "mints a broker's token for a year",
            &world.admin,
            mint(CLUSTER, 31_536_000, json!({})),
            "at most 3600 seconds",
        )
        .await;
    let bound = json!({"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "x"}});
    board
        .refused(
            "12",
            "binds a broker's token to a pod",
            &world.broker,
            mint(CLUSTER, 3600, bound),
            "bound to its service account only",
        )
        .await;
    for who in [&world.broker, &world.admin] {
        board
            .refused(
                "18",
                "mints a broker's token for a foreign audience",
                who,
                mint(CLUSTER, 3600, json!({"audiences": ["vault"]})),
                "a broker token for the audiences vault",
            )
            .await;
    }
    board
        .allowed(
            "12",
            "renews its token",
            &world.broker,
            Ask::create(&of(CLUSTER), &token_request(3600, json!({}))),
        )
        .await;
    Ok(())
}

async fn holdings(world: &World, board: &mut Board) -> Result<()> {
    let ns = "/api/v1/namespaces/sallyport-brokers";
    let none = "sallyport-brokers holds no workloads and no secrets";
    enrolled_again(world, board).await?;
    for (title, path, body) in workloads("sallyport-brokers", CLUSTER) {
        board
            .refused(
                "12",
                &format!("{title} among the brokers"),
                &world.admin,
                vec![Ask::create(&path, &body)],
                none,
            )
            .await;
    }
    let ops = person(
        &world.hub,
        "someone with edit there",
        "oidc:ops@example.test",
        &signed_in("oidc:ops@example.test", &["oidc:ops"]),
    )?;
    let map = format!("{ns}/configmaps/guardrails");
    let live = Ask::get(&map).send(&world.admin.client).await?.body;
    let mut forms = every_form(&map, &live, &json!({"data": {"audiences": "vault"}}));
    forms.push(Ask::delete(&map));
    board.refused("18", "widens the audiences", &ops, forms, "changed by who may enroll clusters").await;
    let all = Ask::delete(&format!("{ns}/configmaps?fieldSelector=metadata.name%3Dguardrails")).dry();
    board
        .refused(
            "18",
            "fault_e7: deletes the guardrails' settings with their collection",
            &ops,
            vec![all],
            "changed by who may enroll clusters",
        )
        .await;
    board
        .allowed(
            "18",
            "changes another ConfigMap there",
            &ops,
            Ask::create(
                &format!("{ns}/configmaps"),
                &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "notes"}}),
            )
            .dry(),
        )
        .await;
    board
        .allowed(
            "18",
            "sets the audiences",
            &world.admin,
            Ask::merge(&map, &json!({"data": {"note": "by an admin"}})).dry(),
        )
        .await;
    Ok(())
}

/// A stolen token renews itself until the account is made anew; then it is worthless (attack 12).
async fn enrolled_again(world: &World, board: &mut Board) -> Result<()> {
    let account = "/api/v1/namespaces/sallyport-brokers/serviceaccounts/checkout-stage";
    let mint = Ask::create(&format!("{account}/token"), &token_request(3600, json!({})));
    let stolen = board.must(&world.other_broker, mint).await?;
    let stolen = world.hub.client_with_token(stolen["status"]["token"].as_str().unwrap_or_default())?;
    let live = board.must(&world.admin, Ask::get(account)).await?;
    board.must(&world.admin, Ask::delete(account)).await?;
    let mut again =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "checkout-stage"}});
    again["automountServiceAccountToken"] = live["automountServiceAccountToken"].clone();
    let accounts = "/api/v1/namespaces/sallyport-brokers/serviceaccounts";
    board.must(&world.admin, Ask::create(accounts, &again)).await?;
    let started = std::time::Instant::now();
    let mut code = 200;
    while code != 401 && started.elapsed() < std::time::Duration::from_secs(60) {
        code = Ask::get(&format!("{API}/accessclusters")).send(&stolen).await?.code;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let detail = format!("{code} after {} ms", started.elapsed().as_millis());
    board.check(
        "12",
        "a stolen broker token is worthless once the broker is enrolled again",
        code == 401,
        &detail,
    );
    Ok(())
}

/// A pod, a token Secret, a Deployment, a CronJob that would run as `account`.
pub(crate) fn workloads(namespace: &str, account: &str) -> Vec<(&'static str, String, Value)> {
    let pod = json!({"serviceAccountName": account, "containers": [{"name": "c", "image": "busybox"}]});
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": pod});
    let job = json!({"template": {"spec": {"serviceAccountName": account, "restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}}});
    vec![
        (
            "runs a pod",
            format!("/api/v1/namespaces/{namespace}/pods"),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": pod}),
        ),
        (
            "makes a token Secret",
            format!("/api/v1/namespaces/{namespace}/secrets"),
            json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": {"name": "x", "annotations": {"kubernetes.io/service-account.name": account}}}),
        ),
        (
            "makes a Deployment",
            format!("/apis/apps/v1/namespaces/{namespace}/deployments"),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}}),
        ),
        (
            "makes a CronJob",
            format!("/apis/batch/v1/namespaces/{namespace}/cronjobs"),
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "x"}, "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": job}}}),
        ),
    ]
}

async fn open(world: &World, board: &mut Board) -> Result<()> {
    // An administrator who holds impersonate is whoever they say they are: admission sees the effective user alone.
    let spec = world.spec(&world.strong_admin, "operate").await?;
    let made =
        board.must(&world.strong_admin, Ask::create(&requests("team-payments"), &request(&spec))).await?;
    let name = made["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    world.report(board, &name, json!({"offer": crate::world::offer()})).await?;
    let mut config = world.hub.admin_config()?;
    let header = |name: &str, value: &str| anyhow::Ok((name.parse()?, value.parse()?));
    let at = now() - 60;
    config.headers.extend::<Vec<(http::HeaderName, http::HeaderValue)>>(vec![
        header("impersonate-user", "oidc:lee@example.test")?,
        header("impersonate-group", "oidc:payments-leads")?,
        header("impersonate-extra-access.sallyport.dev%2facr", crate::world::MFA)?,
        header("impersonate-extra-access.sallyport.dev%2fauth-time", &at.to_string())?,
    ]);
    let as_lee = crate::board::Person {
        title: "cluster-admin as somebody".into(),
        user: "oidc:lee@example.test".into(),
        client: kube::Client::try_from(config)?,
    };
    let yes = json!({"status": {"approvals": [crate::status::approval(&as_lee, at)]}});
    board
        .open(
            "8",
            "impersonation by an administrator beats names and MFA",
            &as_lee,
            Ask::merge(&status_of(&name), &yes),
            "the audit log names the impersonator; posture lists who holds it",
        )
        .await;
    Ok(())
}
