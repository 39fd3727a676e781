//! Opening without people, and a person's day (P8; attack 20).

use crate::ask::Ask;
use crate::asking::creates;
use crate::board::Board;
use crate::status::forms;
use crate::world::{API, World, decided, now, offer, request, stamp, status_of};
use anyhow::Result;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The profile of this part.
const NAME: &str = "by-itself";

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    println!("\nOpening without people, and a person's day");
    prepare(world, board).await?;
    profiles(world, board).await;
    records(world, board).await?;
    day(world, board).await?;
    for (kind, name) in [("clusterrolebinding", NAME), ("clusterrole", NAME)] {
        world.hub.kubectl().ok(&["delete", kind, name]).await?;
    }
    board.must(&world.editor, Ask::delete(&format!("{API}/accessprofiles/{NAME}"))).await.map(drop)
}

fn profile(edit: &Value) -> Value {
    let mut spec = json!({
        "clusters": ["*"], "roles": ["sallyport:operate"], "namespaces": ["payments", "checkout"], "maxDuration": "1h",
        "approvals": 1, "autoApprovals": [{"name": "small", "namespaces": ["payments"]}],
    });
    for (key, value) in edit.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    json!({"apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": NAME}, "spec": spec})
}

/// The profile, and dana may ask under it.
async fn prepare(world: &World, board: &Board) -> Result<()> {
    let path = format!("{API}/accessprofiles");
    board.must(&world.editor, Ask::create(&path, &profile(&json!({})))).await?;
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": NAME},
        "rules": [{"apiGroups": ["access.sallyport.dev"], "resources": ["accessprofiles"], "resourceNames": [NAME],
            "verbs": ["request"]}]});
    let bound = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": NAME},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "oidc:payments-dev"}]});
    world.hub.kubectl().apply(&role.to_string()).await?;
    world.hub.kubectl().apply(&bound.to_string()).await?;
    until_asked(world).await
}

/// Both the binding and the profile's present state are known to admission.
async fn until_asked(world: &World) -> Result<()> {
    let started = Instant::now();
    loop {
        let body = request(&world.spec(&world.dana, NAME).await?);
        let asked = Ask::create(&crate::world::requests("team-payments"), &body).dry();
        if asked.send(&world.dana.client).await?.code < 400 {
            return Ok(());
        }
        anyhow::ensure!(started.elapsed() < Duration::from_secs(60), "dana can't ask under {NAME}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What a profile may say of it at all.
async fn profiles(world: &World, board: &mut Board) {
    let path = format!("{API}/accessprofiles");
    let one = |auto: Value| {
        let mut auto = auto;
        auto["name"] = json!("a");
        json!({"autoApprovals": [auto]})
    };
    let empty = "should have at least 1 items";
    for (title, edit, fragment) in [
        ("lets nobody's group open", one(json!({"groups": []})), empty),
        ("opens on no day", one(json!({"days": [], "zone": "UTC"})), empty),
        ("opens in no namespace", one(json!({"namespaces": []})), empty),
        ("opens always", one(json!({})), "without a condition would let everything through"),
        ("names days and no zone", one(json!({"days": ["Mon"]})), "days and hours need a zone"),
        ("names hours and no zone", one(json!({"hours": "09:00-18:00"})), "days and hours need a zone"),
        ("names a zone alone", one(json!({"zone": "UTC", "perDay": 1})), "a zone needs days or hours"),
        ("names a day in another language", one(json!({"days": ["Mo"], "zone": "UTC"})), "is invalid"),
        (
            "opens for no time",
            one(json!({"hours": "09:00-09:00", "zone": "UTC"})),
            "hours must end at another time",
        ),
        (
            "ends at midnight before it begins",
            one(json!({"hours": "09:00-00:00", "zone": "UTC"})),
            "hours must end at another time",
        ),
        ("opens at 25:00", one(json!({"hours": "25:00-26:00", "zone": "UTC"})), "should match"),
        (
            "names a path as a zone",
            one(json!({"hours": "09:00-10:00", "zone": "../../etc/localtime"})),
            "should match",
        ),
        ("opens never a day", one(json!({"perDay": 0})), "should be greater than or equal to 1"),
        ("opens for less than a session", one(json!({"maxDuration": "14m"})), "maxDuration is at least 15m"),
        (
            "opens for longer than the profile",
            one(json!({"maxDuration": "61m"})),
            "not longer than the profile's",
        ),
        (
            "opens where the profile does not",
            one(json!({"namespaces": ["ledger"]})),
            "are among the profile's",
        ),
        (
            "names one twice",
            json!({"autoApprovals": [{"name": "a", "perDay": 1}, {"name": "a", "perDay": 2}]}),
            "Duplicate value",
        ),
        ("stands for nobody's approval", json!({"approvals": 0}), "autoApprovals stand for approvals"),
        (
            "counts a day shorter than a session",
            json!({"maxPerDay": "59m"}),
            "maxPerDay must be from maxDuration to 24h",
        ),
        ("counts a day of two", json!({"maxPerDay": "48h"}), "maxPerDay must be from maxDuration to 24h"),
    ] {
        let mut body = profile(&edit);
        body["metadata"]["name"] = json!("another");
        board.refused("8", title, &world.editor, vec![Ask::create(&path, &body)], fragment).await;
    }
    let all = json!({"maxPerDay": "4h", "autoApprovals": [
        {"name": "office", "groups": ["oidc:payments-dev"], "days": ["Mon", "Fri"], "hours": "22:00-06:00",
            "zone": "America/Argentina/Buenos_Aires", "maxDuration": "30m", "namespaces": ["payments"], "perDay": 3},
        {"name": "late", "hours": "00:00-24:00", "zone": "Etc/GMT+5"},
    ]});
    let mut body = profile(&all);
    body["metadata"]["name"] = json!("another");
    board.allowed("8", "says all of it", &world.editor, Ask::create(&path, &body).dry()).await;
}

/// Who says that it was met, when, and of what.
async fn records(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, omar, lee, other_broker, strong_admin, broker, .. } = world;
    let met = |name: &str| json!({"name": name, "saw": "payments", "at": stamp(now())});
    let bare = world.request(board, dana, NAME).await?;
    for who in [dana, omar, lee, other_broker, strong_admin] {
        for status in
            [json!({"autoApproval": met("small")}), json!({"autoApproval": met("small"), "offer": offer()})]
        {
            board
                .refused(
                    "8",
                    "says that their request opens by itself",
                    who,
                    forms(world, &bare, status).await?,
                    "only the broker of cluster payments-eu-1 changes status.",
                )
                .await;
        }
    }
    let rule = "an autoApproval is recorded with the offer, and at no other time";
    let early = forms(world, &bare, json!({"autoApproval": met("small")})).await?;
    board.refused("8", "records an autoApproval before there is an offer", broker, early, rule).await;
    let unknown = json!({"autoApproval": met("wide"), "offer": offer()});
    board
        .refused(
            "8",
            "records an autoApproval that the profile does not have",
            broker,
            forms(world, &bare, unknown).await?,
            "profile by-itself has no autoApproval wide at the revision that was asked for",
        )
        .await;
    let late = world.offered(board, dana, NAME).await?;
    for (title, status) in [
        ("records an autoApproval after the offer", json!({"autoApproval": met("small")})),
        ("records it as it approves what was offered without", {
            let mut status = decided();
            status["autoApproval"] = met("small");
            status
        }),
    ] {
        board.refused("8", title, broker, forms(world, &late, status).await?, rule).await;
    }
    // All at once, as a broker does it; then it stays.
    let mut at_once = decided();
    (at_once["autoApproval"], at_once["offer"]) = (met("small"), offer());
    board
        .allowed(
            "8",
            "approves by an autoApproval",
            broker,
            Ask::merge(&status_of(&bare), &json!({"status": at_once})),
        )
        .await;
    for (title, change) in [
        ("changes what was seen", json!({"autoApproval": {"name": "small", "saw": "x", "at": stamp(now())}})),
        ("takes an autoApproval back", json!({"autoApproval": null})),
    ] {
        board.refused("8", title, broker, forms(world, &bare, change).await?, rule).await;
    }
    // Attack 5: the profile is another by then.
    let old = world.request(board, dana, NAME).await?;
    let path = format!("{API}/accessprofiles/{NAME}");
    board.must(&world.editor, Ask::merge(&path, &json!({"spec": {"maxDuration": "2h"}}))).await?;
    until_asked(world).await?;
    board
        .refused(
            "5",
            "records an autoApproval of a profile that has changed",
            broker,
            forms(world, &old, json!({"autoApproval": met("small"), "offer": offer()})).await?,
            "at the revision that was asked for",
        )
        .await;
    let body = creates("team-payments", &request(&world.spec(dana, NAME).await?));
    let claimed =
        body.into_iter().map(|ask| ask.with(&json!({"spec": {"groups": ["oidc:payments-leads"]}}))).collect();
    board
        .refused(
            "8",
            "asks with a group that would open it",
            dana,
            claimed,
            "spec.groups names a group you are not in",
        )
        .await;
    Ok(())
}

/// A broker of before counts no day, and says so by leaving out what is left of it.
async fn day(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, broker, .. } = world;
    let path = format!("{API}/accessprofiles/{NAME}");
    board.must(&world.editor, Ask::merge(&path, &json!({"spec": {"maxPerDay": "2h"}}))).await?;
    until_asked(world).await?;
    let name = world.request(board, dana, NAME).await?;
    let mut approved = decided();
    approved["offer"] = offer();
    board
        .refused(
            "20",
            "approves without counting the day",
            broker,
            forms(world, &name, approved.clone()).await?,
            "profile by-itself counts a day of each person, which the broker of cluster payments-eu-1 does not",
        )
        .await;
    approved["offer"]["leftToday"] = json!("1h30m20s");
    board
        .allowed(
            "20",
            "approves what is left of a day",
            broker,
            Ask::merge(&status_of(&name), &json!({"status": approved})),
        )
        .await;
    let mut more = json!({"offer": offer()});
    more["offer"]["leftToday"] = json!("24h");
    board
        .refused(
            "20",
            "gives back of a day",
            broker,
            forms(world, &name, more).await?,
            "offer, grant and what is given are written once",
        )
        .await;
    Ok(())
}
