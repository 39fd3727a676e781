//! Still who they were: what a requester shows the hub while something is open, and what brokers may ask about it.

use crate::ask::Ask;
use crate::asking::creates;
use crate::board::{Board, Person};
use crate::status::forms;
use crate::world::{API, MFA, World, closing, decided, now, offer, person, request, requests, status_of};
use anyhow::Result;
use sallyport_testkit::Identity;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const WATCHED: &str = "watched";
/// The same, and wants a sign-in that is not older than 15 minutes.
const AGED: &str = "aged";
const USER: &str = "oidc:dana@example.test";
const DEV: &str = "oidc:payments-dev";
const WATCHERS: &str = "oidc:watchers";

/// Who may ask under the profile, by a group of its own: losing it takes nothing else.
const RIGHTS: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: 'story:watched'}
rules:
- {apiGroups: [access.sallyport.dev], resources: [accessprofiles], resourceNames: [watched, aged], verbs: [request]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: 'story:watched'}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'story:watched'}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'oidc:watchers'}]
";

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    println!("\nReaffirming");
    profiles(world, board).await?;
    let issued = now() - 600;
    asking(world, board, issued).await?;
    granting(world, board, issued).await?;
    reaffirming(world, board, issued).await?;
    long_after(world, board, issued).await?;
    reviews(world, board).await
}

/// Dana with a token of that moment.
fn dana(world: &World, title: &str, issued: i64, groups: &[&str]) -> Result<Person> {
    signed_in_at(world, title, now() - 60, issued, groups)
}

/// The same, who signed in then and did not sign in again since.
fn signed_in_at(world: &World, title: &str, at: i64, issued: i64, groups: &[&str]) -> Result<Person> {
    let user = groups.iter().fold(Identity::new(USER), |user, group| user.group(*group));
    let identity = user.signed_in(MFA, &["pwd", "otp"], at);
    person(&world.hub, title, USER, &identity.extra("access.sallyport.dev/issued-at", issued.to_string()))
}

fn identity(groups: &[&str], acr: &str, amr: &[&str]) -> Identity {
    let user = groups.iter().fold(Identity::new(USER), |user, group| user.group(*group));
    user.signed_in(acr, amr, now() - 60)
}

async fn profiles(world: &World, board: &mut Board) -> Result<()> {
    let path = format!("{API}/accessprofiles");
    let profile = |reaffirm: Value| {
        json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": WATCHED},
            "spec": {"clusters": ["*"], "roles": ["sallyport:debug"], "namespaces": ["payments"], "maxDuration": "1h",
                "approvals": 0, "reaffirm": reaffirm},
        })
    };
    let (short, long) = ("reaffirm.every must be 5m or more", "must be 12h or less together");
    for (title, every, grace, fragment) in [
        ("every 4 minutes", "4m", "5m", short),
        ("without grace", "15m", "0m", short),
        ("less often than a session lasts", "12h", "1m", long),
        ("in a year", "8760h", "1m", long),
        ("every now and then", "often", "1m", "should match"),
        ("at no time", "", "1m", "is invalid"),
    ] {
        let title = format!("wants requesters reaffirmed {title}");
        let odd = profile(json!({"every": every, "grace": grace}));
        board.refused("7", &title, &world.editor, vec![Ask::create(&path, &odd)], fragment).await;
    }
    let half = profile(json!({"every": "15m"}));
    board
        .refused("7", "says no grace", &world.editor, vec![Ask::create(&path, &half)], "Required value")
        .await;
    board.must(&world.editor, Ask::create(&path, &profile(json!({"every": "15m", "grace": "5m"})))).await?;
    world.hub.kubectl().apply(RIGHTS).await?;
    Ok(())
}

async fn spec(world: &World, issued: Option<i64>) -> Result<Value> {
    spec_under(world, WATCHED, issued).await
}

async fn spec_under(world: &World, profile: &str, issued: Option<i64>) -> Result<Value> {
    let mut spec = world.spec(&world.dana, profile).await?;
    (spec["acr"], spec["amr"]) = (json!(MFA), json!(["pwd", "otp"]));
    if let Some(issued) = issued {
        spec["issuedAt"] = json!(issued);
    }
    Ok(spec)
}

async fn asking(world: &World, board: &mut Board, issued: i64) -> Result<()> {
    let team = "team-payments";
    let who = dana(world, "requester", issued, &[DEV, WATCHERS])?;
    let unmapped = person(&world.hub, "requester", USER, &identity(&[DEV, WATCHERS], MFA, &["pwd", "otp"]))?;
    let (plain, said) = (spec(world, None).await?, spec(world, Some(issued)).await?);
    // The new profile and the right to it take a moment.
    let started = Instant::now();
    while Ask::create(&requests(team), &request(&said)).dry().send(&who.client).await?.code >= 300 {
        anyhow::ensure!(started.elapsed() < Duration::from_secs(60), "the profile can't be asked for");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (title, who, spec, fragment) in [
        ("asks for it where the hub does not map iat", &unmapped, &plain, "does not map iat"),
        ("asks for it with a Sallyport of before", &who, &plain, "which this Sallyport is too old to do"),
        (
            "dates its token later",
            &who,
            &spec(world, Some(issued + 300)).await?,
            "spec.issuedAt must be that of your own token",
        ),
        (
            "dates its token where the hub does not say it",
            &unmapped,
            &said,
            "spec.issuedAt must be that of your own token || does not map iat",
        ),
    ] {
        board.refused("7", title, who, creates(team, &request(spec)), fragment).await;
    }
    board
        .allowed(
            "7",
            "says when its token was issued",
            &who,
            Ask::create(&requests(team), &request(&said)).dry(),
        )
        .await;
    Ok(())
}

/// An offer of a broker that closes what is not reaffirmed.
fn watching() -> Value {
    let mut offer = offer();
    offer["reaffirm"] = json!({"every": "15m", "grace": "5m"});
    offer
}

/// A request of dana's with its offer.
async fn offered(world: &World, board: &Board, issued: i64, offer: Value) -> Result<String> {
    let who = dana(world, "requester", issued, &[DEV, WATCHERS])?;
    let name = world.requested(board, &who, &spec(world, Some(issued)).await?).await?;
    world.report(board, &name, json!({"offer": offer})).await?;
    Ok(name)
}

async fn granting(world: &World, board: &mut Board, issued: i64) -> Result<()> {
    let old = offered(world, board, issued, offer()).await?;
    let rule = "is too old to close what is not";
    let broker = &world.broker;
    let title = "approves what it would never close (a broker of before)";
    board.refused("7", title, broker, forms(world, &old, decided()).await?, rule).await;
    let at_once = json!({"offer": offer(), "phase": "Approved", "given": decided()["given"]});
    let who = dana(world, "requester", issued, &[DEV, WATCHERS])?;
    let bare = world.requested(board, &who, &spec(world, Some(issued)).await?).await?;
    let title = "offers and approves it in one write (a broker of before)";
    board.refused("7", title, broker, forms(world, &bare, at_once).await?, rule).await;
    let new = offered(world, board, issued, watching()).await?;
    let approved = Ask::merge(&status_of(&new), &json!({"status": decided()}));
    board.allowed("7", "approves what it closes when nobody vouches", broker, approved).await;
    Ok(())
}

async fn reaffirming(world: &World, board: &mut Board, issued: i64) -> Result<()> {
    let World { omar, lee, broker, strong_admin, .. } = world;
    let name = offered(world, board, issued, watching()).await?;
    let later = issued + 300;
    let who = dana(world, "requester", later, &[DEV, WATCHERS])?;
    let word = |issued: i64, groups: &[&str]| json!({"reaffirmed": {"issued": issued, "groups": groups}});
    let good = word(later, &[DEV, WATCHERS]);
    let alone = "only the requester reaffirms a request";
    for other in [omar, lee, broker, strong_admin] {
        let forms = forms(world, &name, good.clone()).await?;
        board.refused("8", "reaffirms another's request", other, forms, alone).await;
    }
    let mut more = good.clone();
    more["withdrawn"] = json!(true);
    let both = format!("{alone} || only the requester withdraws");
    board.refused("8", "reaffirms and withdraws", &who, forms(world, &name, more).await?, &both).await;
    let lost = dana(world, "requester moved out of the group", later, &[DEV])?;
    let unmapped = person(&world.hub, "requester", USER, &identity(&[DEV, WATCHERS], MFA, &["pwd", "otp"]))?;
    let at = |acr: &str, amr: &[&str]| {
        let identity = identity(&[DEV, WATCHERS], acr, amr);
        let identity = identity.extra("access.sallyport.dev/issued-at", later.to_string());
        person(&world.hub, "requester", USER, &identity)
    };
    let (weak, fewer) = (at("urn:sallyport:pwd", &["pwd", "otp"])?, at(MFA, &["pwd"])?);
    let asked_with = dana(world, "requester with the token it was asked with", issued, &[DEV, WATCHERS])?;
    let own = "reaffirmed.issued must be that of your own token";
    let once = "only a later one reaffirms";
    let fell = "your sign-in is not what it was when you asked";
    for (title, who, status, fragment) in [
        (
            "reaffirms out of the group",
            &lost,
            word(later, &[DEV]),
            "may not request profile watched any more",
        ),
        ("reaffirms where the hub does not map iat", &unmapped, good.clone(), "does not map iat"),
        ("reaffirms with a later date than the token's", &who, word(later + 60, &[DEV]), own),
        ("reaffirms to the end of time", &who, word(253_402_300_799, &[DEV]), own),
        ("reaffirms with the token it was asked with", &asked_with, word(issued, &[DEV]), once),
        ("names a group it is not in", &who, word(later, &[DEV, "oidc:admins"]), "a group you are not in"),
        ("reaffirms with a weaker acr", &weak, good.clone(), fell),
        ("reaffirms with a factor less", &fewer, good.clone(), fell),
    ] {
        board.refused("7", title, who, forms(world, &name, status).await?, fragment).await;
    }
    let odd = forms(world, &name, word(0, &[DEV])).await?;
    board.refused("7", "reaffirms at no time", &who, odd, "should be greater than or equal to 1").await;
    let path = status_of(&name);
    board.allowed("7", "reaffirms", &who, Ask::merge(&path, &json!({"status": good}))).await;
    // A token that was shown shows nothing more; nor does one of before it.
    let again = forms(world, &name, word(later, &[DEV])).await?;
    board.refused("7", "reaffirms again with the same token", &who, again, once).await;
    let before = dana(world, "requester with an older token", later - 60, &[DEV, WATCHERS])?;
    let back = forms(world, &name, word(later - 60, &[DEV])).await?;
    board.refused("7", "reaffirms with an older token", &before, back, once).await;
    let gone = forms(world, &name, json!({"reaffirmed": null})).await?;
    board.refused("7", "takes the provider's word back", &who, gone, alone).await;
    let newest = dana(world, "requester", later + 60, &[DEV, WATCHERS])?;
    let next = word(later + 60, &[DEV]);
    let path = Ask::merge(&path, &json!({"status": next}));
    board.allowed("7", "reaffirms with a later token, in fewer groups", &newest, path).await;
    over(world, board, &name, later + 120).await
}

/// How old a sign-in may be is asked for when somebody asks, and not again: whoever signed in long ago is still vouched for.
async fn long_after(world: &World, board: &mut Board, issued: i64) -> Result<()> {
    let (team, groups) = ("team-payments", [DEV, WATCHERS]);
    let profile = json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": AGED},
        "spec": {"clusters": ["*"], "roles": ["sallyport:debug"], "namespaces": ["payments"], "maxDuration": "1h",
            "approvals": 0, "mfa": {"acr": [MFA], "maxAge": "15m"}, "reaffirm": {"every": "15m", "grace": "5m"}},
    });
    board.must(&world.editor, Ask::create(&format!("{API}/accessprofiles"), &profile)).await?;
    let fresh = dana(world, "requester", issued, &groups)?;
    let wanted = request(&spec_under(world, AGED, Some(issued)).await?);
    let started = Instant::now();
    while Ask::create(&requests(team), &wanted).dry().send(&fresh.client).await?.code >= 300 {
        anyhow::ensure!(started.elapsed() < Duration::from_secs(30), "the profile can't be asked for");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let name = world.requested(board, &fresh, &spec_under(world, AGED, Some(issued)).await?).await?;
    world.report(board, &name, json!({"offer": watching()})).await?;
    let later = issued + 300;
    let long = signed_in_at(world, "requester who signed in two hours ago", now() - 7200, later, &groups)?;
    let again = request(&spec_under(world, AGED, Some(later)).await?);
    let said = "needs a sign-in not older than 15m";
    board.refused("14", "asks with a sign-in older than maxAge", &long, creates(team, &again), said).await;
    let word = json!({"status": {"reaffirmed": {"issued": later, "groups": groups}}});
    let path = Ask::merge(&status_of(&name), &word);
    board.allowed("7", "reaffirms with a sign-in older than maxAge", &long, path).await;
    Ok(())
}

/// What is over is not reaffirmed.
async fn over(world: &World, board: &mut Board, name: &str, issued: i64) -> Result<()> {
    let who = dana(world, "requester", issued, &[DEV, WATCHERS])?;
    let word = json!({"reaffirmed": {"issued": issued, "groups": [DEV]}});
    let path = status_of(name);
    board.must(&who, Ask::merge(&path, &json!({"status": {"withdrawn": true}}))).await?;
    let alone = "only the requester reaffirms a request";
    let forms_now = forms(world, name, word.clone()).await?;
    board.refused("11", "reaffirms what was withdrawn", &who, forms_now, alone).await;
    world.report(board, name, closing("Left")).await?;
    let closed = format!("{alone} || a closed request stays as it is");
    board.refused("11", "reaffirms what is closed", &who, forms(world, name, word).await?, &closed).await;
    Ok(())
}

async fn reviews(world: &World, board: &mut Board) -> Result<()> {
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let review = |attributes: Value| {
        let spec = json!({"user": USER, "groups": [WATCHERS], "resourceAttributes": attributes});
        let kind =
            json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec});
        Ask::create(path, &kind)
    };
    let attributes = json!({"group": "access.sallyport.dev", "resource": "accessprofiles", "name": WATCHED,
        "verb": "request"});
    let ask = review(attributes.clone());
    board.allowed("9", "asks whether a requester may still ask", &world.broker, ask.clone()).await;
    let said = board.must(&world.broker, ask.clone()).await?;
    board.check("9", "and is told so", said["status"]["allowed"] == true, &said["status"].to_string());
    board
        .refused("9", "asks what a colleague may do", &world.dana, vec![ask], "cannot create resource")
        .await;
    let secrets = json!({"group": "", "resource": "secrets", "verb": "get"});
    let instead =
        "API servers show reviews to no policy; the answer gives nothing, and the threat model says so";
    board.open("9", "a broker asks who may read Secrets", &world.broker, review(secrets), instead).await;
    Ok(())
}
