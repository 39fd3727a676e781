//! Every important object, every way Kubernetes takes a change of it, by everyone who must not (attacks 3, 6, 9, 11).

use crate::ask::{Ask, every_form};
use crate::board::{Board, Person};
use crate::sessions::{SESSIONS, bindings, open, token, token_request};
use crate::world::{API, CLUSTER, World, now, requests, stamp};
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Duration;

const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

pub(crate) async fn hub(world: &World, board: &mut Board) -> Result<()> {
    println!("\nEvery object of the hub in every form");
    let World { dana, lee, editor, broker, other_broker, admin, .. } = world;
    let request = world.active(board, dana, "debug-prod").await?;
    let policies = format!("{ADMISSION}/validatingadmissionpolicies");
    let policy_bindings = format!("{ADMISSION}/validatingadmissionpolicybindings");
    let status = "access-requests-status.sallyport.dev";
    let objects = [
        (
            "a request",
            format!("{}/{request}", requests("team-payments")),
            json!({"spec": {"duration": "12h"}}),
        ),
        (
            "a request's stamps",
            format!("{}/{request}", requests("team-payments")),
            json!({"metadata": {"finalizers": ["example.test/stay"]}}),
        ),
        ("a profile", format!("{API}/accessprofiles/operate"), json!({"spec": {"approvals": 0}})),
        (
            "a cluster",
            format!("{API}/accessclusters/{CLUSTER}"),
            json!({"spec": {"endpoints": ["https://192.0.2.66"]}}),
        ),
        ("a policy", format!("{policies}/{status}"), json!({"spec": {"failurePolicy": "Ignore"}})),
        (
            "a policy's binding",
            format!("{policy_bindings}/{status}"),
            json!({"spec": {"validationActions": ["Warn"]}}),
        ),
        (
            "a kind",
            format!("{CRDS}/accessrequests.access.sallyport.dev"),
            json!({"spec": {"preserveUnknownFields": true}}),
        ),
        (
            "the settings",
            "/api/v1/namespaces/sallyport-brokers/configmaps/guardrails".to_owned(),
            json!({"data": {"audiences": "vault"}}),
        ),
        (
            "a broker's account",
            format!("/api/v1/namespaces/sallyport-brokers/serviceaccounts/{CLUSTER}"),
            json!({"metadata": {"labels": {"a": "b"}}}),
        ),
        (
            "a role",
            format!("{RBAC}/clusterroles/sallyport:requester"),
            json!({"metadata": {"labels": {"a": "b"}}}),
        ),
        (
            "a team's namespace",
            "/api/v1/namespaces/team-payments".to_owned(),
            json!({"metadata": {"labels": {"access.sallyport.dev/requests": "false"}}}),
        ),
        (
            "the team's quota",
            "/api/v1/namespaces/team-payments/resourcequotas/requests".to_owned(),
            json!({"spec": {"hard": {"pods": "9"}}}),
        ),
    ];
    for (title, path, change) in &objects {
        let live = Ask::get(path).send(&admin.client).await?.body;
        for who in [dana, lee, broker, other_broker, editor] {
            // Profiles are the editor's own to edit; by this story's mistakes another broker may edit clusters.
            let said = match *title {
                "a profile" if who.title == editor.title => continue,
                "a cluster" if who.title == other_broker.title => "describes none || media type",
                _ => "cannot",
            };
            board
                .refused(
                    "9",
                    &format!("fault_a2 changes {title} in every form"),
                    who,
                    every_patch(path, &live, change),
                    said,
                )
                .await;
        }
    }
    subresources(board, dana, lee, broker, &request).await;
    Ok(())
}

/// Names that other kinds have, and verbs that would be ways around the rules.
async fn subresources(board: &mut Board, dana: &Person, lee: &Person, broker: &Person, request: &str) {
    let path = format!("{}/{request}", requests("team-payments"));
    for sub in [
        "scale",
        "finalize",
        "approval",
        "binding",
        "eviction",
        "token",
        "log",
        "proxy",
        "ephemeralcontainers",
    ] {
        for who in [dana, lee, broker] {
            let body = json!({"apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest", "metadata": {"name": request}, "status": {"phase": "Active"}});
            let url = format!("{path}/{sub}");
            let asks = vec![
                Ask::get(&url),
                Ask::create(&url, &body),
                Ask::put(&url, &body),
                Ask::merge(&url, &body),
                Ask::apply(&url, "x", &body),
                Ask::delete(&url),
            ];
            board.refused("9", &format!("fault_a2 tries the subresource {sub}"), who, asks, "cannot").await;
        }
    }
    for (title, body) in [
        ("without waiting", json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0})),
        (
            "and orphans what it owns",
            json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Orphan"}),
        ),
        (
            "by another UID",
            json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "x"}}),
        ),
    ] {
        for who in [dana, lee] {
            let asks = vec![Ask::delete_with(&path, &body), Ask::delete_with(&path, &body).dry()];
            board
                .refused("9", &format!("fault_a2 deletes a request {title}"), who, asks, "cannot delete")
                .await;
        }
        let asks = vec![Ask::delete_with(&path, &body), Ask::delete_with(&path, &body).dry()];
        let said = "a request that is not closed is not deleted || the UID in the precondition";
        board.refused("9", &format!("fault_a2 deletes what is open {title}"), broker, asks, said).await;
    }
    for who in [dana, lee, broker] {
        let asks =
            vec![Ask::delete(&requests("team-payments")), Ask::delete(&requests("team-payments")).dry()];
        board
            .refused("9", "fault_a2 deletes the collection of requests", who, asks, "cannot deletecollection")
            .await;
    }
}

pub(crate) async fn target(world: &World, board: &mut Board) -> Result<()> {
    println!("\nEvery object of a target in every form");
    let World { hand, owner, .. } = world;
    let made = open(world, board, "forgeries", &["payments"], "sallyport:debug").await?;
    board
        .must(hand, Ask::create(&bindings("payments"), &made.binding("RoleBinding", "sallyport:debug")))
        .await?;
    let session = session(world, board, &made).await?;
    let sessions = "sessions-reach.sallyport.dev";
    let objects = [
        ("its grant", format!("{API}/accessgrants/{}", made.grant), json!({"spec": {"duration": "12h"}})),
        (
            "its grant's stamps",
            format!("{API}/accessgrants/{}", made.grant),
            json!({"metadata": {"finalizers": ["example.test/stay"]}}),
        ),
        (
            "its grant's status",
            format!("{API}/accessgrants/{}/status", made.grant),
            json!({"status": {"end": stamp(now() + 7200)}}),
        ),
        (
            "its account",
            format!("{SESSIONS}/serviceaccounts/{}", made.account),
            json!({"metadata": {"ownerReferences": null}}),
        ),
        (
            "its binding",
            format!("{}/{}-0", bindings("payments"), made.grant),
            json!({"subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:authenticated"}]}),
        ),
        (
            "a policy",
            format!("{ADMISSION}/validatingadmissionpolicies/{sessions}"),
            json!({"spec": {"failurePolicy": "Ignore"}}),
        ),
        (
            "a policy's binding",
            format!("{ADMISSION}/validatingadmissionpolicybindings/{sessions}"),
            json!({"spec": {"validationActions": ["Warn"]}}),
        ),
        (
            "the settings",
            "/api/v1/namespaces/sallyport-system/configmaps/guardrails".to_owned(),
            json!({"data": {"audiences": "vault"}}),
        ),
        (
            "a role",
            format!("{RBAC}/clusterroles/sallyport:debug"),
            json!({"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
        ),
        (
            "a namespace's opt-in",
            "/api/v1/namespaces/payments".to_owned(),
            json!({"metadata": {"labels": {"access.sallyport.dev/sessions": "true", "a": "b"}}}),
        ),
        (
            "the kind",
            format!("{CRDS}/accessgrants.access.sallyport.dev"),
            json!({"spec": {"preserveUnknownFields": true}}),
        ),
    ];
    for (title, path, change) in &objects {
        let live = Ask::get(path).send(&owner.client).await?.body;
        board
            .refused(
                "1",
                &format!("fault_a2 changes {title} in every form"),
                &session,
                every_patch(path, &live, change),
                "cannot",
            )
            .await;
        // The broker may write a grant's status, and by this story's mistakes edit grants and bindings as well.
        let mut forms = every_patch(path, &live, change);
        forms.retain(|form| !path.ends_with("/status") || form.form != "dry run" || !form.is_put());
        let said = "cannot || media type || edits none || a grant is not edited || is immutable || ends its duration after";
        board.refused("9", &format!("fault_a2 changes {title} in every form"), hand, forms, said).await;
    }
    stamps(world, board, &made.account).await
}

async fn session(world: &World, board: &Board, made: &crate::sessions::Session) -> Result<Person> {
    let token = token(world, board, made).await?;
    let user = format!("system:serviceaccount:sallyport-sessions:{}", made.account);
    let person = Person { title: "session".into(), user, client: world.target.client_with_token(&token)? };
    for _ in 0..3000 {
        if Ask::get("/api/v1/namespaces/payments/pods").send(&person.client).await?.code == 200 {
            return Ok(person);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("the session's role is not in force after a minute")
}

/// P10 rests on what the API server stamps.
async fn stamps(world: &World, board: &mut Board, account: &str) -> Result<()> {
    let hand = &world.hand;
    let path = format!("{SESSIONS}/serviceaccounts/{account}/token");
    for (title, created) in [("past", now() - 86_400), ("future", now() + 86_400)] {
        let mut body = token_request(86_400, json!({}));
        body["metadata"] = json!({"creationTimestamp": stamp(created)});
        let asks = vec![Ask::create(&path, &body), Ask::create(&path, &body).dry()];
        let title = format!("fault_a2 p10 mints a day's token made in the {title}");
        board.refused("12", &title, hand, asks, "would outlive the session").await;
    }
    let accounts = format!("{SESSIONS}/serviceaccounts");
    for (title, created) in [("past", now() - 86_400), ("future", now() + 86_400)] {
        let name = format!("s-stamped-{}", now() + 86_400);
        let owner = json!([{"apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessGrant", "name": "g-stamped", "uid": "x", "blockOwnerDeletion": false}]);
        let body = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "creationTimestamp": stamp(created),
            "labels": {"access.sallyport.dev/grant": "g-stamped"}, "ownerReferences": owner}});
        let title = format!("fault_a2 p10 makes an account for a day in the {title}");
        board
            .refused(
                "9",
                &title,
                hand,
                vec![Ask::create(&accounts, &body), Ask::create(&accounts, &body).dry()],
                "a session ends within the next 12 hours",
            )
            .await;
    }
    for (title, field, value, said) in [
        ("a generated name", "generateName", json!("g-"), "a grant is named g-<id>"),
        ("a finalizer", "finalizers", json!(["example.test/stay"]), "no owners and no finalizers"),
    ] {
        let mut body = crate::sessions::grant("stamped", &["payments"], "sallyport:debug");
        body["metadata"][field] = value;
        if field == "generateName" {
            body["metadata"].as_object_mut().map(|m| m.remove("name"));
        }
        let path = format!("{API}/accessgrants");
        // Five random characters make a name that fits; a retry then meets another.
        let asks = vec![Ask::create(&path, &body).dry()];
        if field == "generateName" {
            board
                .allowed(
                    "9",
                    &format!("fault_a2 makes a grant with {title}, which fits all the same"),
                    hand,
                    asks[0].clone(),
                )
                .await;
        } else {
            board.refused("9", &format!("fault_a2 makes a grant with {title}"), hand, asks, said).await;
        }
    }
    // Fault C5: what an administrator reads while an incident is on.
    let end = crate::world::stamp(ended_at(world, "g-forgeries").await?);
    let reported = json!({"status": {"end": end}});
    board.must(hand, Ask::merge(&format!("{API}/accessgrants/g-forgeries/status"), &reported)).await?;
    let listed = world.target.kubectl().ok(&["get", "accessgrants"]).await?;
    let holds = listed.contains(&end) && !listed.contains("<invalid>");
    board.check("9", "fault_c5 a listed grant names its end, though it is ahead", holds, listed.trim());
    Ok(())
}

async fn ended_at(world: &World, grant: &str) -> Result<i64> {
    let live = Ask::get(&format!("{API}/accessgrants/{grant}")).send(&world.owner.client).await?.body;
    let created =
        live["metadata"]["creationTimestamp"].as_str().unwrap_or_default().parse::<jiff::Timestamp>()?;
    Ok(created.as_second() + 1800)
}

/// Every form, and the patch that only built-in kinds take.
fn every_patch(path: &str, live: &Value, change: &Value) -> Vec<Ask> {
    let mut forms = every_form(path, live, change);
    forms.push(Ask::strategic(path, change));
    forms.push(Ask::put(path, live).dry());
    forms
}
