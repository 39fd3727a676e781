//! Who binds a session, to what and where (P9; attacks 3, 7).

use crate::ask::{Ask, every_form};
use crate::board::Board;
use crate::sessions::{RBAC, Session, bindings, edited};
use crate::world::{World, now};
use anyhow::Result;
use serde_json::{Value, json};

pub(crate) async fn others_bind(world: &World, board: &mut Board, session: &Session) -> Result<()> {
    let owner = &world.owner;
    let rule = "only the broker binds session accounts";
    for (title, subject) in [
        (
            "binds a session by its account",
            json!({"kind": "ServiceAccount", "namespace": "sallyport-sessions", "name": session.account}),
        ),
        (
            "binds all sessions by their group",
            json!({"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:serviceaccounts:sallyport-sessions"}),
        ),
        (
            "binds a session by its user name",
            json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": format!("system:serviceaccount:sallyport-sessions:{}", session.account)}),
        ),
    ] {
        for (kind, path) in [
            ("RoleBinding", bindings("payments")),
            ("ClusterRoleBinding", format!("{RBAC}/clusterrolebindings")),
        ] {
            let body = json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "story"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}, "subjects": [subject],
            });
            let forms = vec![
                Ask::create(&path, &body),
                Ask::apply(&format!("{path}/story"), "attacker", &body),
                Ask::create(&path, &body).dry(),
            ];
            board.refused("3", &format!("{title} in a {kind}"), owner, forms, rule).await;
        }
        let path = format!("{}/story-standing", bindings("payments"));
        let live = Ask::get(&path).send(&owner.client).await?.body;
        let forms = every_form(&path, &live, &json!({"subjects": [subject]}));
        let forms = forms.into_iter().filter(|f| f.form != "JSON patch").collect();
        board.refused("3", &format!("{title} by editing a binding"), owner, forms, rule).await;
    }
    let body = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "story-people"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "people"}],
    });
    board.allowed("3", "binds people", owner, Ask::create(&bindings("payments"), &body).dry()).await;
    Ok(())
}

pub(crate) async fn broker_binds(world: &World, board: &mut Board, session: &Session) -> Result<()> {
    let hand = &world.hand;
    let good = session.binding("RoleBinding", "sallyport:debug");
    let wide = session.binding("ClusterRoleBinding", "sallyport:view");
    let (here, everywhere) = (bindings("payments"), format!("{RBAC}/clusterrolebindings"));
    let subject = good["subjects"][0].clone();
    let one = "the broker binds exactly one session account";
    let owner = "has exactly one owner, the AccessGrant in its label";
    let reserved = |namespace: &str| format!("namespace {namespace} takes no sessions");
    let role = |name: &str| edited(&good, &|b| b["roleRef"]["name"] = json!(name));
    let cases: Vec<(&str, &str, String, Value, String)> = vec![
        (
            "9",
            "binds without a label",
            here.clone(),
            edited(&good, &|b| b["metadata"]["labels"] = json!({})),
            "touches only bindings labelled".into(),
        ),
        (
            "9",
            "binds under another name",
            here.clone(),
            edited(&good, &|b| b["metadata"]["name"] = json!("admins")),
            "is named after its grant".into(),
        ),
        (
            "9",
            "binds a person",
            here.clone(),
            edited(&good, &|b| {
                b["subjects"] =
                    json!([{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "mallory"}])
            }),
            one.into(),
        ),
        (
            "9",
            "binds itself",
            here.clone(),
            edited(&good, &|b| {
                b["subjects"] =
                    json!([{"kind": "ServiceAccount", "namespace": "sallyport-system", "name": "broker"}])
            }),
            one.into(),
        ),
        (
            "9",
            "binds a second subject along",
            here.clone(),
            edited(&good, &|b| {
                b["subjects"] =
                    json!([subject, {"kind": "ServiceAccount", "namespace": "payments", "name": "default"}])
            }),
            one.into(),
        ),
        (
            "9",
            "binds nobody, to be filled in later",
            here.clone(),
            edited(&good, &|b| b["subjects"] = json!([])),
            one.into(),
        ),
        (
            "9",
            "binds another session's account",
            here.clone(),
            edited(&good, &|b| b["subjects"][0]["name"] = json!(format!("s-other-{}", now() + 900))),
            one.into(),
        ),
        (
            "7",
            "binds without an owner",
            here.clone(),
            edited(&good, &|b| b["metadata"]["ownerReferences"] = json!([])),
            owner.into(),
        ),
        (
            "7",
            "binds with a second owner",
            here.clone(),
            edited(
                &good,
                &|b| b["metadata"]["ownerReferences"] = json!([session.owner(), {"apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": "x"}]),
            ),
            owner.into(),
        ),
        (
            "7",
            "binds under another grant",
            here.clone(),
            edited(&good, &|b| b["metadata"]["ownerReferences"][0]["name"] = json!("g-other")),
            owner.into(),
        ),
        (
            "7",
            "binds with a finalizer",
            here.clone(),
            edited(&good, &|b| b["metadata"]["finalizers"] = json!(["example.test/stay"])),
            "has no finalizers".into(),
        ),
        (
            "9",
            "hands out its own role",
            here.clone(),
            role("sallyport:broker"),
            "not given the verb bind on ClusterRole sallyport:broker".into(),
        ),
        (
            "9",
            "hands out cluster-admin",
            here.clone(),
            role("cluster-admin"),
            "attempting to grant RBAC permissions not currently held".into(),
        ),
        (
            "9",
            "hands out edit",
            here.clone(),
            role("edit"),
            "attempting to grant RBAC permissions not currently held".into(),
        ),
        (
            "9",
            "binds a namespaced Role of its own rules",
            here.clone(),
            edited(&good, &|b| {
                b["roleRef"] =
                    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "story"})
            }),
            "not given the verb bind on Role story".into(),
        ),
        (
            "3",
            "binds where the admin did not allow it",
            bindings("default"),
            good.clone(),
            reserved("default"),
        ),
        (
            "3",
            "binds in kube-system, which an admin labelled",
            bindings("kube-system"),
            good.clone(),
            reserved("kube-system"),
        ),
        // Two guardrails answer here, in any order.
        (
            "3",
            "binds in its own namespace",
            bindings("sallyport-system"),
            good.clone(),
            "ValidatingAdmissionPolicy 'broker-".into(),
        ),
        (
            "3",
            "binds among the sessions",
            bindings("sallyport-sessions"),
            good.clone(),
            reserved("sallyport-sessions"),
        ),
        (
            "3",
            "binds debug cluster-wide",
            everywhere.clone(),
            edited(&wide, &|b| b["roleRef"]["name"] = json!("sallyport:debug")),
            "cluster-wide the broker binds sallyport:view or sallyport:posture".into(),
        ),
        (
            "3",
            "binds operate cluster-wide",
            everywhere.clone(),
            edited(&wide, &|b| b["roleRef"]["name"] = json!("sallyport:operate")),
            "cluster-wide the broker binds sallyport:view or sallyport:posture".into(),
        ),
    ];
    for (id, title, path, body, fragment) in cases {
        board
            .refused(
                id,
                title,
                hand,
                vec![Ask::create(&path, &body), Ask::create(&path, &body).dry()],
                &fragment,
            )
            .await;
    }
    let made = format!("{here}/{}-0", session.grant);
    board.allowed("9", "binds debug in an allowed namespace", hand, Ask::create(&here, &good)).await;
    board.allowed("9", "binds view cluster-wide", hand, Ask::create(&everywhere, &wide).dry()).await;
    let scan = edited(&wide, &|b| b["roleRef"]["name"] = json!("sallyport:posture"));
    board.allowed("9", "binds posture cluster-wide", hand, Ask::create(&everywhere, &scan).dry()).await;
    let live = Ask::get(&made).send(&world.owner.client).await?.body;
    let more = every_form(&made, &live, &json!({"metadata": {"annotations": {"a": "b"}}}));
    // The story gave it update, by an admin's mistake.
    board
        .refused(
            "9",
            "edits a binding, with too much RBAC",
            hand,
            more,
            "the broker makes and removes bindings and edits none",
        )
        .await;
    board
        .refused(
            "9",
            "removes an admin's binding",
            hand,
            vec![Ask::delete(&format!("{here}/story-standing"))],
            "touches only bindings labelled",
        )
        .await;
    board.allowed("9", "removes its binding", hand, Ask::delete(&made).dry()).await;
    Ok(())
}
