//! Who may ask, and within which limits (P7; attacks 4, 5, 9, 14, 19).

use crate::ask::{Ask, every_form};
use crate::board::{Board, Person};
use crate::limits::{limits, sign_in};
use crate::world::{API, MFA, World, person, request, requests, signed_in, until_refused};
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    println!("\nAsking");
    prepare(world, board).await?;
    who(world, board).await?;
    limits(world, board).await?;
    sign_in(world, board).await?;
    bare(world, board).await
}

/// Profiles and bindings that only this story needs.
async fn prepare(world: &World, board: &Board) -> Result<()> {
    for (name, spec) in [
        ("fenced", json!({"clusters": ["*"], "roles": ["sallyport:view"], "maxDuration": "1h"})),
        ("dotted", json!({"clusters": ["a.b", "*.eu"], "roles": ["sallyport:view"], "maxDuration": "12h"})),
        (
            "hardware",
            json!({
                "clusters": ["*"], "roles": ["sallyport:view"], "maxDuration": "1h", "approvals": 1,
                "mfa": {"acr": [MFA], "amr": ["hwk", "fpt"]},
            }),
        ),
    ] {
        let body = json!({"apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": name}, "spec": spec});
        board.must(&world.editor, Ask::create(&format!("{API}/accessprofiles"), &body)).await?;
    }
    world.hub.kubectl().apply(include_str!("hub.yaml")).await?;
    // RBAC is watched, not asked: the last binding above is known when this one works.
    let check = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes":
        {"group": "access.sallyport.dev", "resource": "accessprofiles", "name": "hardware", "verb": "approve"}}});
    for _ in 0..3000 {
        let reply = board
            .must(&world.lee, Ask::create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &check))
            .await?;
        if reply["status"]["allowed"] == true {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    anyhow::bail!("the approver's binding is not seen")
}

/// A create as POST and dry run; people hold no patch, so for them there is no apply.
pub(crate) fn creates(namespace: &str, body: &Value) -> Vec<Ask> {
    let path = requests(namespace);
    vec![Ask::create(&path, body), Ask::create(&path, body).dry()]
}

/// The same and by apply, for who may do everything.
fn creates_by_admin(namespace: &str, body: &Value) -> Vec<Ask> {
    let mut named = body.clone();
    named["metadata"]["name"] = json!("r-attack");
    named["metadata"].as_object_mut().map(|m| m.remove("generateName"));
    let mut forms = creates(namespace, body);
    forms.push(Ask::apply(&format!("{}/r-attack", requests(namespace)), "attacker", &named));
    forms
}

async fn who(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, .. } = world;
    let good = request(&world.spec(dana, "debug-prod").await?);
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut body = good.clone();
        edit(&mut body);
        body
    };
    // The profile `view` names no namespaces, so that only one policy refuses.
    let view = request(&world.spec(dana, "view").await?);
    let anywhere = |edit: &dyn Fn(&mut Value)| {
        let mut body = view.clone();
        edit(&mut body);
        body
    };
    let team = "team-payments";
    let mut with_status = good.clone();
    with_status["status"] = json!({"phase": "Active", "withdrawn": false, "approvals": []});
    let made =
        board.allowed("7", "asks within the profile", dana, Ask::create(&requests(team), &with_status)).await;
    board.check("7", "a status sent along is dropped", made["status"].is_null(), &made["status"].to_string());
    let name = made["metadata"]["name"].as_str().unwrap_or_default().to_owned();

    let cases: Vec<(&str, &str, Value, &str)> = vec![
        (
            "7",
            "asks in a colleague's name",
            edited(&|b| b["spec"]["user"] = json!("oidc:omar@example.test")),
            "spec.user must be your own name",
        ),
        (
            "7",
            "claims a group of others",
            edited(&|b| b["spec"]["groups"] = json!(["oidc:platform-admins"])),
            "names a group you are not in",
        ),
        (
            "7",
            "asks for a minute less than the shortest",
            edited(&|b| b["spec"]["duration"] = json!("14m")),
            "must be from 15m to 12h",
        ),
        (
            "7",
            "asks for longer than a working day",
            edited(&|b| b["spec"]["duration"] = json!("9999h")),
            "must be from 15m to 12h || allows at most 1h",
        ),
        (
            "4",
            "asks for kube-system",
            anywhere(&|b| b["spec"]["namespaces"] = json!(["kube-system"])),
            "may name neither kube-*",
        ),
        (
            "4",
            "asks for the sessions' own namespace",
            anywhere(&|b| b["spec"]["namespaces"] = json!(["sallyport-sessions"])),
            "may name neither kube-*",
        ),
        (
            "4",
            "puts a path into a namespace",
            edited(&|b| b["spec"]["namespaces"] = json!(["kube-system/rolebindings?dryRun=All&x="])),
            "should match",
        ),
        (
            "4",
            "puts a path into the cluster's name",
            edited(&|b| b["spec"]["cluster"] = json!("a/../b")),
            "should match",
        ),
        (
            "7",
            "brings a finalizer",
            edited(&|b| b["metadata"]["finalizers"] = json!(["example.test/stay"])),
            "no finalizers and no owners",
        ),
        (
            "7",
            "brings an owner",
            edited(&|b| {
                b["metadata"]["ownerReferences"] =
                    json!([{"apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": "x"}])
            }),
            "no finalizers and no owners",
        ),
        (
            "19",
            "brings a label",
            edited(&|b| b["metadata"]["labels"] = json!({"a": "b"})),
            "no labels and no annotations",
        ),
        (
            "19",
            "brings 200 kB of annotations",
            edited(&|b| b["metadata"]["annotations"] = json!({"a": "x".repeat(200_000)})),
            "no labels and no annotations",
        ),
        ("7", "sends a key that is none", edited(&|b| b["spec"]["publicKey"] = json!("short")), "publicKey"),
        ("7", "leaves the spec out", edited(&|b| drop(b.as_object_mut().map(|o| o.remove("spec")))), "spec"),
    ];
    for (id, title, body, fragment) in cases {
        board.refused(id, title, dana, creates(team, &body), fragment).await;
        let mut body = body;
        if body["spec"]["user"] == dana.user.as_str() {
            body["spec"]["user"] = json!(world.strong_admin.user);
        }
        board.refused(id, title, &world.strong_admin, creates_by_admin(team, &body), fragment).await;
    }
    let fenced = request(&world.spec(dana, "fenced").await?);
    board
        .refused(
            "7",
            "asks under a profile of others",
            dana,
            creates(team, &fenced),
            "may not request profile fenced",
        )
        .await;
    board
        .refused(
            "9",
            "asks in a namespace of another team",
            dana,
            creates("team-platform", &good),
            "cannot create resource",
        )
        .await;
    board
        .refused(
            "9",
            "asks in a namespace that takes none",
            dana,
            creates("no-team", &good),
            "takes no requests",
        )
        .await;
    let visitor = person(
        &world.hub,
        "any signed-in user",
        "oidc:noor@example.test",
        &signed_in("oidc:noor@example.test", &["oidc:visitors"]),
    )?;
    board
        .refused(
            "9",
            "lists a team's requests",
            &visitor,
            vec![Ask::get(&requests(team))],
            "cannot list resource",
        )
        .await;
    board
        .refused(
            "9",
            "deletes them all",
            &visitor,
            vec![Ask::delete(&requests(team))],
            "cannot deletecollection",
        )
        .await;
    board.allowed("9", "a team sees its own requests", dana, Ask::get(&requests(team))).await;
    unchanged(world, board, &name).await
}

/// What was asked stays as asked, for a cluster-admin as well.
async fn unchanged(world: &World, board: &mut Board, name: &str) -> Result<()> {
    let path = format!("{}/{name}", requests("team-payments"));
    let live = world.live(name).await?;
    let admin = &world.admin;
    for (title, change, fragment) in [
        ("makes it longer", json!({"spec": {"duration": "12h"}}), "spec is immutable"),
        ("makes it another person's", json!({"spec": {"user": "kubernetes-admin"}}), "spec is immutable"),
        ("adds a namespace", json!({"spec": {"namespaces": ["payments", "checkout"]}}), "spec is immutable"),
        ("labels it later", json!({"metadata": {"labels": {"a": "b"}}}), "no labels and no annotations"),
        (
            "annotates it later",
            json!({"metadata": {"annotations": {"a": "b"}}}),
            "no labels and no annotations",
        ),
        (
            "adds a finalizer later",
            json!({"metadata": {"finalizers": ["example.test/stay"]}}),
            "no finalizers and no owners",
        ),
    ] {
        board.refused("7", title, admin, every_form(&path, &live, &change), fragment).await;
    }
    board
        .refused(
            "7",
            "changes what was asked",
            &world.dana,
            every_form(&path, &live, &json!({"spec": {"duration": "45m"}})),
            "cannot",
        )
        .await;
    board
        .refused(
            "7",
            "takes the spec away",
            admin,
            vec![Ask::json_patch(&path, &json!([{"op": "remove", "path": "/spec"}]))],
            "spec",
        )
        .await;
    let reply = Ask::merge(
        &format!("{path}/status"),
        &json!({"spec": {"duration": "12h"}, "metadata": {"labels": {"a": "b"}}}),
    )
    .send(&world.dana.client)
    .await?;
    // Some versions keep the new field manager of a write that comes to nothing, which is refused then.
    let said = reply.body["message"].as_str().unwrap_or_default();
    let taken = reply.code < 300 || said.contains("a write that changes nothing adds no field manager");
    let after = Ask::get(&path).send(&world.admin.client).await?.body;
    let kept = after["spec"]["duration"] == "30m" && after["metadata"]["labels"].is_null();
    board.check(
        "7",
        "spec and labels sent through /status are dropped",
        taken && kept,
        &format!("{} {} {said}", reply.code, after["spec"]["duration"]),
    );
    Ok(())
}

/// Queues, and what happens when a profile goes.
async fn bare(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, .. } = world;
    let flow =
        Ask::get("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas").send(&world.admin.client).await?;
    let uid = |name: &str| {
        let items = flow.body["items"].as_array().cloned().unwrap_or_default();
        items
            .iter()
            .find(|f| f["metadata"]["name"] == name)
            .map(|f| f["metadata"]["uid"].clone())
            .unwrap_or_default()
    };
    for (who, name) in [(dana, "sallyport-people"), (&world.broker, "sallyport-brokers")] {
        let reply = Ask::get(&format!("{API}/accessprofiles")).send(&who.client).await?;
        let queued = uid(name).as_str().is_some_and(|uid| uid == reply.flow);
        board.check("19", &format!("the {} is queued under {name}", who.title), queued, &reply.flow);
    }
    // The one gap that admission can't close by itself.
    let gone = request(&world.spec(dana, "operate").await?);
    let operate = Ask::get(&format!("{API}/accessprofiles/operate")).send(&world.admin.client).await?.body;
    board.must(&world.editor, Ask::delete(&format!("{API}/accessprofiles/operate"))).await?;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    board
        .open(
            "7",
            "asks under a profile that was deleted while others exist",
            dana,
            Ask::create(&requests("team-payments"), &gone).dry(),
            "the broker decides again from the live profile and refuses",
        )
        .await;
    let again = json!({"apiVersion": operate["apiVersion"], "kind": operate["kind"], "metadata": {"name": "operate"}, "spec": operate["spec"]});
    board.must(&world.editor, Ask::create(&format!("{API}/accessprofiles"), &again)).await?;
    // Until the API server has seen the new one, this too is a profile that was deleted while others exist.
    let seen = Ask::create(&requests("team-payments"), &gone).dry();
    until_refused(dana, &seen, Duration::from_secs(60)).await?;
    board
        .refused(
            "5",
            "asks with the revision of a profile that was made anew",
            dana,
            creates("team-payments", &gone),
            "profile_changed revision=",
        )
        .await;
    Ok(())
}

/// A team's quota; the controller that counts looks for new kinds every 30 s.
pub(crate) async fn quota(world: &World, board: &mut Board) -> Result<()> {
    println!("\nQuota");
    let World { dana, .. } = world;
    let mut view = world.spec(dana, "view").await?;
    view["namespaces"] = json!([]);
    let (small, body) = (requests("team-small"), request(&view));
    let quotas = "/api/v1/namespaces/team-small/resourcequotas";
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "requests"},
        "spec": {"hard": {"count/accessrequests.access.sallyport.dev": "1"}}});
    let started = std::time::Instant::now();
    // A quota made before the kind was discovered is looked at again after minutes; one made after, at once.
    let mut counted = false;
    while !counted && started.elapsed() < std::time::Duration::from_secs(60) {
        board.must(&world.admin, Ask::create(quotas, &quota)).await?;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        counted =
            !Ask::create(&small, &body).dry().send(&dana.client).await?.message().contains("status unknown");
        if !counted {
            board.must(&world.admin, Ask::delete(&format!("{quotas}/requests"))).await?;
        }
    }
    board.allowed("19", "asks as often as the team's quota says", dana, Ask::create(&small, &body)).await;
    board.refused("19", "asks once more", dana, vec![Ask::create(&small, &body)], "exceeded quota").await;
    Ok(())
}

/// Last of all: no profile is left.
pub(crate) async fn without_profiles(world: &World, board: &mut Board) -> Result<()> {
    println!("\nNo profile left");
    let World { dana, editor, .. } = world;
    let body = request(&world.spec(dana, "debug-prod").await?);
    let active = world.active(board, dana, "debug-prod").await?;
    let editor: &Person = editor;
    let all = Ask::get(&format!("{API}/accessprofiles")).send(&editor.client).await?.body;
    for profile in all["items"].as_array().into_iter().flatten() {
        let name = profile["metadata"]["name"].as_str().unwrap_or_default();
        board.must(editor, Ask::delete(&format!("{API}/accessprofiles/{name}"))).await?;
    }
    // Until the API server has seen the last one go, this is a profile that was deleted while others exist.
    until_refused(dana, &Ask::create(&requests("team-payments"), &body).dry(), Duration::from_secs(60))
        .await?;
    board
        .refused(
            "7",
            "asks when no profile is left",
            dana,
            creates("team-payments", &body),
            "access-requests-limits.sallyport.dev",
        )
        .await;
    let status = crate::world::status_of(&active);
    board
        .allowed(
            "11",
            "leaves all the same",
            dana,
            Ask::merge(&status, &json!({"status": {"withdrawn": true}})),
        )
        .await;
    board
        .allowed(
            "11",
            "closes it all the same",
            &world.broker,
            Ask::merge(&status, &json!({"status": crate::world::closing("Left")})),
        )
        .await;
    Ok(())
}
