//! Session accounts, tokens and bindings on a target (P9, P10; attacks 3, 7, 18).

use crate::ask::{Ask, every_form};
use crate::bindings::{broker_binds, others_bind};
use crate::board::Board;
use crate::grants::{grants, system};
use crate::system::workloads;
use crate::world::{API, World, now, stamp};
use anyhow::{Context, Result};
use serde_json::{Value, json};

pub(crate) const SESSIONS: &str = "/api/v1/namespaces/sallyport-sessions";
pub(crate) const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// A session as the broker makes it, for attacks to start from.
pub(crate) struct Session {
    pub(crate) grant: String,
    pub(crate) uid: String,
    pub(crate) account: String,
}

/// Makes a grant and its account. `id` is what stands in both names.
pub(crate) async fn open(
    world: &World,
    board: &Board,
    id: &str,
    namespaces: &[&str],
    role: &str,
) -> Result<Session> {
    let made = board
        .must(&world.hand, Ask::create(&format!("{API}/accessgrants"), &grant(id, namespaces, role)))
        .await?;
    let uid = made["metadata"]["uid"].as_str().context("the grant's UID")?.to_owned();
    let session = Session { grant: format!("g-{id}"), uid, account: format!("s-{id}-{}", now() + 1800) };
    board.must(&world.hand, Ask::create(&format!("{SESSIONS}/serviceaccounts"), &session.account())).await?;
    Ok(session)
}

/// A token of a session.
pub(crate) async fn token(world: &World, board: &Board, session: &Session) -> Result<String> {
    let made = board
        .must(&world.hand, Ask::create(&token_path(&session.account), &token_request(900, json!({}))))
        .await?;
    Ok(made["status"]["token"].as_str().context("a token")?.to_owned())
}

fn token_path(account: &str) -> String {
    format!("{SESSIONS}/serviceaccounts/{account}/token")
}

pub(crate) fn token_request(seconds: i64, extra: Value) -> Value {
    let mut spec = json!({"expirationSeconds": seconds});
    for (key, value) in extra.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec})
}

pub(crate) fn grant(id: &str, namespaces: &[&str], role: &str) -> Value {
    json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessGrant", "metadata": {"name": format!("g-{id}")},
        "spec": {
            "request": {"namespace": "team-payments", "name": "r-x", "uid": "0c1f7b7e-4f52-4b2e-8c57-2f6a7d4b9a11"},
            "user": "oidc:dana@example.test", "duration": "30m", "profile": "debug",
            "profileRevision": "0c1f7b7e-4f52-4b2e-8c57-2f6a7d4b9a11/1", "roles": [role], "namespaces": namespaces, "offer": "a1".repeat(32),
        },
    })
}

impl Session {
    pub(crate) fn owner(&self) -> Value {
        json!({"apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessGrant", "name": self.grant, "uid": self.uid, "blockOwnerDeletion": false})
    }

    fn meta(&self, name: &str) -> Value {
        json!({"name": name, "labels": {"access.sallyport.dev/grant": self.grant}, "ownerReferences": [self.owner()]})
    }

    fn account(&self) -> Value {
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": self.meta(&self.account), "automountServiceAccountToken": false})
    }

    pub(crate) fn binding(&self, kind: &str, role: &str) -> Value {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": self.meta(&format!("{}-0", self.grant)),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "namespace": "sallyport-sessions", "name": self.account}],
        })
    }
}

pub(crate) fn bindings(namespace: &str) -> String {
    format!("{RBAC}/namespaces/{namespace}/rolebindings")
}

/// `base` with an edit.
pub(crate) fn edited(base: &Value, edit: &dyn Fn(&mut Value)) -> Value {
    let mut body = base.clone();
    edit(&mut body);
    body
}

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    world.target.kubectl().apply(include_str!("target.yaml")).await?;
    let session = open(world, board, "sessions1", &["payments"], "sallyport:debug").await?;
    println!("\nSession accounts and tokens");
    accounts(world, board, &session).await?;
    tokens(world, board, &session).await?;
    for (title, path, body) in workloads("sallyport-sessions", &session.account) {
        board
            .refused(
                "1",
                &format!("{title} among the sessions"),
                &world.owner,
                vec![Ask::create(&path, &body)],
                "sallyport-sessions holds no workloads and no secrets",
            )
            .await;
    }
    println!("\nBindings");
    others_bind(world, board, &session).await?;
    broker_binds(world, board, &session).await?;
    println!("\nGrants and the broker's own namespace");
    grants(world, board, &session).await?;
    system(world, board).await
}

async fn accounts(world: &World, board: &mut Board, session: &Session) -> Result<()> {
    let path = format!("{SESSIONS}/serviceaccounts");
    let good = edited(&session.account(), &|b| {
        b["metadata"]["name"] = json!(format!("s-sessions1-{}", now() + 1700))
    });
    let only = "only the broker makes and removes the accounts here";
    board
        .refused(
            "3",
            "makes a session account",
            &world.owner,
            vec![Ask::create(&path, &good), Ask::create(&path, &good).dry()],
            only,
        )
        .await;
    let one = format!("{path}/{}", session.account);
    let live = Ask::get(&one).send(&world.owner.client).await?.body;
    for (title, change) in [
        ("takes the owner off an account", json!({"metadata": {"ownerReferences": null}})),
        ("puts a finalizer on an account", json!({"metadata": {"finalizers": ["example.test/stay"]}})),
        ("hangs a Secret on an account", json!({"secrets": [{"name": "x"}]})),
    ] {
        let forms = every_form(&one, &live, &change)
            .into_iter()
            .filter(|f| f.form != "JSON patch" && f.form != "apply")
            .collect();
        board.refused("7", title, &world.owner, forms, only).await;
    }
    board
        .refused(
            "7",
            "removes an account",
            &world.owner,
            vec![Ask::delete(&one).dry(), Ask::delete(&path).dry()],
            only,
        )
        .await;
    let at = |seconds: i64| format!("s-sessions1-{}", now() + seconds);
    let cases: Vec<(&str, &str, Value, &str)> = vec![
        (
            "10",
            "names no end",
            edited(&good, &|b| b["metadata"]["name"] = json!("s-sessions1")),
            "is named s-<id>-<unix end>",
        ),
        (
            "10",
            "names an end of nine digits",
            edited(&good, &|b| b["metadata"]["name"] = json!("s-sessions1-999999999")),
            "is named s-<id>-<unix end>",
        ),
        (
            "10",
            "names an end after more than 12 hours",
            edited(&good, &|b| b["metadata"]["name"] = json!(at(12 * 3600 + 60))),
            "ends within the next 12 hours",
        ),
        (
            "10",
            "names an end of the past",
            edited(&good, &|b| b["metadata"]["name"] = json!(at(-60))),
            "ends within the next 12 hours",
        ),
        (
            "7",
            "makes an account without an owner",
            edited(&good, &|b| b["metadata"]["ownerReferences"] = json!([])),
            "has exactly one owner",
        ),
        (
            "7",
            "makes an account with a second owner",
            edited(
                &good,
                &|b| b["metadata"]["ownerReferences"] = json!([session.owner(), {"apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": "x"}]),
            ),
            "has exactly one owner",
        ),
        (
            "7",
            "makes an account owned by a namespace",
            edited(&good, &|b| {
                b["metadata"]["ownerReferences"] =
                    json!([{"apiVersion": "v1", "kind": "Namespace", "name": "g-sessions1", "uid": "x"}])
            }),
            "has exactly one owner",
        ),
        (
            "7",
            "hangs it on another session's grant",
            edited(&good, &|b| b["metadata"]["name"] = json!(format!("s-other-{}", now() + 1700))),
            "has exactly one owner",
        ),
        (
            "7",
            "labels it for another grant",
            edited(&good, &|b| b["metadata"]["labels"]["access.sallyport.dev/grant"] = json!("g-other")),
            "has exactly one owner",
        ),
        (
            "7",
            "makes an account with a finalizer",
            edited(&good, &|b| b["metadata"]["finalizers"] = json!(["example.test/stay"])),
            "has no finalizers",
        ),
        (
            "1",
            "makes an account with a Secret",
            edited(&good, &|b| b["secrets"] = json!([{"name": "x"}])),
            "names no secrets",
        ),
    ];
    for (id, title, body, fragment) in cases {
        board
            .refused(
                id,
                title,
                &world.hand,
                vec![Ask::create(&path, &body), Ask::create(&path, &body).dry()],
                fragment,
            )
            .await;
    }
    board
        .refused(
            "9",
            "makes an account elsewhere",
            &world.hand,
            vec![Ask::create("/api/v1/namespaces/payments/serviceaccounts", &good)],
            "cannot create resource",
        )
        .await;
    board.allowed("10", "makes a session account", &world.hand, Ask::create(&path, &good).dry()).await;
    Ok(())
}

async fn tokens(world: &World, board: &mut Board, session: &Session) -> Result<()> {
    let mint = |account: &str, seconds: i64, extra: Value| {
        vec![Ask::create(&token_path(account), &token_request(seconds, extra))]
    };
    let (hand, owner) = (&world.hand, &world.owner);
    let bound = json!({"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "x"}});
    board
        .refused(
            "10",
            "mints a session's token",
            owner,
            mint(&session.account, 900, json!({})),
            "only the broker mints tokens of sessions",
        )
        .await;
    board
        .refused(
            "10",
            "mints a token past the session's end",
            hand,
            mint(&session.account, 1900, json!({})),
            "would outlive the session",
        )
        .await;
    board
        .refused(
            "10",
            "mints a token for a year",
            hand,
            mint(&session.account, 31_536_000, json!({})),
            "would outlive the session",
        )
        .await;
    board
        .refused(
            "10",
            "mints a token for the account default",
            hand,
            mint("default", 900, json!({})),
            "would outlive the session",
        )
        .await;
    board
        .refused(
            "10",
            "mints a token shorter than Kubernetes makes them",
            hand,
            mint(&session.account, 500, json!({})),
            "10 minutes",
        )
        .await;
    board
        .refused(
            "1",
            "binds a session's token to a pod",
            hand,
            mint(&session.account, 900, bound),
            "bound to its account only",
        )
        .await;
    for audience in ["vault", "sts.amazonaws.com"] {
        board
            .refused(
                "18",
                &format!("mints a session's token for {audience}"),
                hand,
                mint(&session.account, 900, json!({"audiences": [audience]})),
                "a session token for the audiences",
            )
            .await;
    }
    let mut forged = token_request(1900, json!({}));
    forged["metadata"] = json!({"creationTimestamp": stamp(now() - 7200)});
    board
        .refused(
            "10",
            "mints a token past the end with a forged creation time",
            hand,
            vec![Ask::create(&token_path(&session.account), &forged)],
            "would outlive the session",
        )
        .await;
    board
        .refused(
            "10",
            "mints a token of another namespace",
            hand,
            vec![Ask::create(
                "/api/v1/namespaces/payments/serviceaccounts/default/token",
                &token_request(900, json!({})),
            )],
            "cannot create resource",
        )
        .await;
    board
        .allowed(
            "10",
            "mints a token within the session",
            hand,
            Ask::create(&token_path(&session.account), &token_request(900, json!({}))),
        )
        .await;
    Ok(())
}
