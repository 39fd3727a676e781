//! A session that ends its own grant, with nobody's help (fault_a10, P13), and the one binding that lets it.

use crate::ask::{Ask, every_form};
use crate::board::{Board, Person};
use crate::sessions::{RBAC, SESSIONS, Session, bindings, edited, open, token, token_request};
use crate::world::{API, World, now};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const OWN: &str = "a session ends its own grant only";
const WHOLE: &str = "a grant is deleted with everything that it owns";
const PODS: &str = "/api/v1/namespaces/payments/pods";

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    println!("\nThe one binding of all sessions");
    one_binding(world, board).await?;
    println!("\nLeaving by oneself");
    // Ids that begin alike, both ways round.
    let mine = bound(world, board, "leaver1").await?;
    let shorter = bound(world, board, "leaver").await?;
    let longer = bound(world, board, "leaver12").await?;
    let me = session(world, board, &mine).await?;
    others(world, board, &me, [&shorter, &longer]).await?;
    whole(world, board, &me, &mine).await?;
    strangers(world, board, &mine).await?;
    ends(world, board, &me, &mine).await?;
    let after = Ask::delete(&path(&longer.grant)).send(&me.client).await?;
    let stands = Ask::get(&path(&longer.grant)).send(&world.owner.client).await?.code;
    board.check(
        "A10",
        "fault_a10: after its end a session ends nobody else's either",
        [401, 403].contains(&after.code) && stands == 200,
        &format!("{}: {}", after.code, after.sentence()),
    );
    Ok(())
}

fn path(grant: &str) -> String {
    format!("{API}/accessgrants/{grant}")
}

/// A session with a binding in payments.
async fn bound(world: &World, board: &Board, id: &str) -> Result<Session> {
    let session = open(world, board, id, &["payments"], "sallyport:debug").await?;
    let binding = session.binding("RoleBinding", "sallyport:debug");
    board.must(&world.hand, Ask::create(&bindings("payments"), &binding)).await?;
    Ok(session)
}

async fn session(world: &World, board: &Board, session: &Session) -> Result<Person> {
    let token = token(world, board, session).await?;
    Ok(Person {
        title: "session".to_owned(),
        user: format!("system:serviceaccount:sallyport-sessions:{}", session.account),
        client: world.target.client_with_token(&token)?,
    })
}

async fn others(world: &World, board: &mut Board, me: &Person, those: [&Session; 2]) -> Result<()> {
    for (other, how) in
        those.into_iter().zip(["its id is the beginning of one's own", "it begins with one's own"])
    {
        let one = path(&other.grant);
        let forms = vec![
            Ask::delete(&one),
            Ask::delete(&one).dry(),
            Ask::delete_with(&one, &json!({"propagationPolicy": "Foreground"})),
        ];
        board.refused("A10", &format!("fault_a10: ends another session; {how}"), me, forms, OWN).await;
    }
    let all = format!("{API}/accessgrants");
    let cannot = "cannot deletecollection";
    let forms = vec![Ask::delete(&all), Ask::delete(&all).dry()];
    board.refused("A10", "fault_a10: ends all sessions at once", me, forms, cannot).await;
    board.refused("A10", "fault_a10: reads grants", me, vec![Ask::get(&all)], "cannot list").await;
    let longer = json!({"spec": {"duration": "12h"}});
    let forms = vec![Ask::merge(&path(&those[0].grant), &longer)];
    board.refused("A10", "fault_a10: edits grants", me, forms, "cannot patch").await;
    let client = world.owner.client.clone();
    for other in those {
        let code = Ask::get(&path(&other.grant)).send(&client).await?.code;
        board.check("A10", "fault_a10: the other's grant stands", code == 200, &other.grant);
    }
    Ok(())
}

/// Every way to delete a grant and keep what it owns.
fn orphaning(one: &str) -> Vec<Ask> {
    vec![
        Ask::delete_with(one, &json!({"propagationPolicy": "Orphan"})),
        Ask::delete(&format!("{one}?propagationPolicy=Orphan")),
        Ask::delete_with(one, &json!({"orphanDependents": true})),
        Ask::delete(&format!("{one}?orphanDependents=true")),
        Ask::delete_with(one, &json!({"propagationPolicy": "Orphan"})).dry(),
    ]
}

async fn whole(world: &World, board: &mut Board, me: &Person, mine: &Session) -> Result<()> {
    let one = path(&mine.grant);
    for who in [me, &world.hand, &world.owner] {
        let title = "fault_a10: ends a grant and keeps what it owns";
        board.refused("A10", title, who, orphaning(&one), WHOLE).await;
    }
    let all = Ask::delete(&format!("{API}/accessgrants?propagationPolicy=Orphan")).dry();
    let title = "fault_a10: ends all grants and keeps what they own";
    board.refused("A10", title, &world.owner, vec![all], WHOLE).await;
    let token = token(world, board, mine).await?;
    let kubectl = world.target.kubectl_with(&world.target.kubeconfig_with_token(&token)?);
    let said =
        kubectl.run(&["delete", "accessgrant", &mine.grant, "--cascade=orphan", "--wait=false"]).await?;
    board.check(
        "A10",
        "fault_a10: kubectl delete --cascade=orphan is refused",
        said.stderr.contains(WHOLE),
        said.stderr.trim(),
    );
    let code = Ask::get(PODS).send(&me.client).await?.code;
    board.check("A10", "fault_a10: all that time the session works", code == 200, &format!("GET {code}"));
    Ok(())
}

/// Accounts that are no session, or only look like one.
async fn strangers(world: &World, board: &mut Board, mine: &Session) -> Result<()> {
    let accounts = "/api/v1/namespaces/payments/serviceaccounts";
    let twin = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": mine.account}});
    board.must(&world.owner, Ask::create(accounts, &twin)).await?;
    let minted = Ask::create(&format!("{accounts}/{}/token", mine.account), &token_request(900, json!({})));
    let minted = board.must(&world.owner, minted).await?;
    let token = minted["status"]["token"].as_str().context("a token")?;
    let twin = Person {
        title: "account of that name in another namespace".to_owned(),
        user: format!("system:serviceaccount:payments:{}", mine.account),
        client: world.target.client_with_token(token)?,
    };
    let forms = vec![Ask::delete(&path(&mine.grant)), Ask::delete(&path(&mine.grant)).dry()];
    board.refused("A10", "fault_a10: ends a session", &twin, forms, "cannot delete").await;
    let mint = format!("{SESSIONS}/serviceaccounts/default/token");
    let mint = vec![Ask::create(&mint, &token_request(900, json!({})))];
    let title = "fault_a10: becomes the account default, which is in the sessions' group";
    board.refused("A10", title, &world.hand, mint, "would outlive the session").await;
    Ok(())
}

/// The positive case, measured.
async fn ends(world: &World, board: &mut Board, me: &Person, mine: &Session) -> Result<()> {
    let one = path(&mine.grant);
    board.allowed("A10", "fault_a10: ends its own session, dry", me, Ask::delete(&one).dry()).await;
    let started = Instant::now();
    let own = Ask::delete_with(&one, &json!({"propagationPolicy": "Background"}));
    board.allowed("A10", "fault_a10_p13: ends its own session", me, own).await;
    let mut code = 200;
    while code == 200 && started.elapsed() < Duration::from_secs(60) {
        code = Ask::get(PODS).send(&me.client).await?.code;
    }
    board.check(
        "A10",
        "fault_a10_p13: and garbage collection takes its rights, with no broker",
        [401, 403].contains(&code),
        &format!("first {code} after {} ms", started.elapsed().as_millis()),
    );
    let mut left = 200;
    while left == 200 && started.elapsed() < Duration::from_secs(60) {
        left = Ask::get(&format!("{SESSIONS}/serviceaccounts/{}", mine.account))
            .send(&world.owner.client)
            .await?
            .code;
    }
    let took = format!("after {} ms", started.elapsed().as_millis());
    board.check("A10", "fault_a10_p13: and its ServiceAccount", left == 404, &took);
    Ok(())
}

/// What `deploy/target/leave.yaml` binds, and nothing near it.
async fn one_binding(world: &World, board: &mut Board) -> Result<()> {
    let owner = &world.owner;
    let group = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts:sallyport-sessions"});
    let shipped = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "sallyport:leave"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "sallyport:leave"}, "subjects": [group],
    });
    let (wide, local) = (format!("{RBAC}/clusterrolebindings"), bindings("payments"));
    let rule = "only the broker binds session accounts";
    let account = json!({"kind": "ServiceAccount", "namespace": "sallyport-sessions", "name": format!("s-other-{}", now() + 900)});
    let near: Vec<(&str, &str, Value)> = vec![
        (
            "under another name",
            &wide,
            edited(&shipped, &|b| b["metadata"]["name"] = json!("sallyport:leaves")),
        ),
        ("to another role", &wide, edited(&shipped, &|b| b["roleRef"]["name"] = json!("view"))),
        (
            "beside a second subject",
            &wide,
            edited(&shipped, &|b| {
                b["subjects"] = json!([group, {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "mallory"}])
            }),
        ),
        ("twice", &wide, edited(&shipped, &|b| b["subjects"] = json!([group, group]))),
        ("by an account", &wide, edited(&shipped, &|b| b["subjects"] = json!([account]))),
        ("in a namespace", &local, edited(&shipped, &|b| b["kind"] = json!("RoleBinding"))),
    ];
    for (how, at, body) in near {
        let forms = vec![Ask::create(at, &body), Ask::create(at, &body).dry()];
        board.refused("A10", &format!("fault_a10: binds sessions {how}"), owner, forms, rule).await;
    }
    let one = format!("{wide}/sallyport:leave");
    let live = Ask::get(&one).send(&owner.client).await?.body;
    let more = every_form(&one, &live, &json!({"subjects": [group, account]}));
    let more = more.into_iter().filter(|f| f.form != "JSON patch").collect();
    board.refused("A10", "fault_a10: adds a subject to the one binding", owner, more, rule).await;
    let role = format!("{RBAC}/clusterroles/sallyport:leave");
    let live = Ask::get(&role).send(&owner.client).await?.body;
    let narrow = live["rules"][0].clone();
    let wider = [
        json!([edited(&narrow, &|r| r["verbs"] = json!(["delete", "deletecollection"]))]),
        json!([edited(&narrow, &|r| r["verbs"] = json!(["*"]))]),
        json!([edited(&narrow, &|r| r["resources"] = json!(["*"]))]),
        json!([edited(&narrow, &|r| r["apiGroups"] = json!(["*"]))]),
        json!([edited(&narrow, &|r| r["resources"] = json!(["accessgrants", "accessgrants/status"]))]),
        json!([narrow, {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]),
        json!([narrow, {"nonResourceURLs": ["*"], "verbs": ["get"]}]),
    ];
    let forms = wider.iter().flat_map(|rules| {
        let whole = edited(&live, &|b| b["rules"] = rules.clone());
        [Ask::put(&role, &whole), Ask::merge(&role, &json!({"rules": rules}))]
    });
    let mut forms: Vec<Ask> = forms.collect();
    let gathers = json!({"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}});
    forms.push(Ask::merge(&role, &gathers));
    let rule = "sallyport:leave lets a session delete grants";
    board.refused("A10", "fault_a10: widens the role of the one binding", owner, forms, rule).await;
    let again = Ask::apply(&one, "kubectl", &shipped).dry();
    board.allowed("A10", "fault_a10: applies the one binding again", owner, again).await;
    let mut kept = json!({"apiVersion": live["apiVersion"], "kind": live["kind"], "rules": live["rules"]});
    kept["metadata"] = json!({"name": "sallyport:leave"});
    let again = Ask::apply(&role, "kubectl", &kept).dry();
    board.allowed("A10", "fault_a10: applies its role again", owner, again).await;
    Ok(())
}
