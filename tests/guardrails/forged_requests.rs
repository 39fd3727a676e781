//! What a requester, approver, broker or session may send along that is not theirs to say: field managers and their
//! times, owners, finalizers, stamps of the server, another's sign-in (P7, P8, P13; attacks 7, 11, 14).

use crate::ask::{Ask, every_form};
use crate::asking::creates;
use crate::board::{Board, Person};
use crate::status::{approval, auth_time, forms};
use crate::world::{MFA, World, closing, now, person, request, requests, stamp, status_of};
use anyhow::{Context, Result};
use sallyport_testkit::Identity;
use serde_json::{Value, json};

const TEAM: &str = "team-payments";

pub(crate) async fn run(world: &World, board: &mut Board) -> Result<()> {
    println!("\nForged field managers");
    managers_at_creation(world, board).await?;
    managers_afterwards(world, board).await?;
    ends_all_the_same(world, board).await?;
    grows_no_further(world, board).await?;
    println!("\nForged stamps, owners and finalizers");
    stamps_at_creation(world, board).await?;
    through_status(world, board).await?;
    println!("\nForged sign-ins");
    sign_ins(world, board).await?;
    approvers(world, board).await
}

/// A field manager as a client may claim it was one.
pub(crate) fn manager(n: usize, time: Option<String>) -> Value {
    let mut entry = json!({
        "manager": format!("forged-{n}"), "operation": "Update", "subresource": "status",
        "apiVersion": "access.sallyport.dev/v1alpha1", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:status": {"f:message": {}}},
    });
    if let Some(time) = time {
        entry["time"] = json!(time);
    }
    entry
}

/// The forgeries, each by its name.
fn forgeries() -> Vec<(&'static str, Value)> {
    let far = "2099-01-01T00:00:00Z".to_owned();
    let with_time = |time: Option<String>| json!([manager(0, time)]);
    // Of those that applied the API server keeps every one; of others it folds all but ten.
    let applied = |n: usize| {
        let mut entry = manager(n, Some(stamp(now())));
        entry["operation"] = json!("Apply");
        entry
    };
    let many = |count: usize| (0..count).map(applied).collect();
    let mut large = manager(0, Some(stamp(now())));
    large["fieldsV1"] = json!({"f:status": {format!("f:{}", "x".repeat(200_000)): {}}});
    vec![
        ("without a time", with_time(None)),
        ("of 2099", with_time(Some(far.clone()))),
        ("of year 1", with_time(Some("0001-01-02T00:00:00Z".into()))),
        ("of an hour ago", with_time(Some(stamp(now() - 3600)))),
        ("of two minutes ahead", with_time(Some(stamp(now() + 120)))),
        ("of now", with_time(Some(stamp(now())))),
        ("without and with a time", json!([manager(0, None), manager(1, Some(far))])),
        ("two of them", Value::Array(many(2))),
        ("five thousand", Value::Array(many(5000))),
        ("of 200 kB", json!([large])),
    ]
}

async fn managers_at_creation(world: &World, board: &mut Board) -> Result<()> {
    let good = request(&world.spec(&world.dana, "view").await?);
    for (title, managers) in forgeries() {
        for who in [&world.dana, &world.strong_admin] {
            let mut body = good.clone();
            body["metadata"]["managedFields"] = managers.clone();
            body["spec"]["user"] = json!(who.user);
            let title = format!("fault_a2 p13 asks with a field manager {title}");
            board
                .refused("11", &title, who, creates(TEAM, &body), "a request brings no managedFields along")
                .await;
        }
    }
    for (title, managers) in [("none", json!([])), ("one that asks for a reset", json!([{}]))] {
        let mut body = good.clone();
        body["metadata"]["managedFields"] = managers;
        let title = format!("fault_a2 asks with a list of {title}");
        let made = board.allowed("11", &title, &world.dana, Ask::create(&requests(TEAM), &body).dry()).await;
        let kept = made["metadata"]["managedFields"].as_array().map_or(0, Vec::len);
        board.check(
            "11",
            "fault_a2 and the server's own is the one that is kept",
            kept == 1,
            &format!("{kept}"),
        );
    }
    Ok(())
}

/// Through /status nobody sets any; through the object itself only who may edit it, and requesters may not.
async fn managers_afterwards(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, lee, broker, .. } = world;
    let name = world.active(board, dana, "debug-prod").await?;
    let main = format!("{}/{name}", requests(TEAM));
    for (title, managers) in [
        ("replaces", json!([manager(7, Some("2099-01-01T00:00:00Z".into()))])),
        ("resets", json!([{}])),
        ("empties", json!([])),
    ] {
        let change = json!({"metadata": {"managedFields": managers}});
        for who in [dana, lee, broker] {
            let live = world.live(&name).await?;
            let title = format!("fault_a2 {title} the field managers");
            board.refused("11", &title, who, every_form(&main, &live, &change), "cannot").await;
            let before = named(&live);
            let mut answers = Vec::new();
            for ask in every_form(&status_of(&name), &live, &change) {
                answers.push(format!("{} {}", ask.form, ask.send(&who.client).await?.code));
            }
            let after = named(&world.live(&name).await?);
            let kept = before.iter().all(|one| after.contains(one))
                && !after.iter().any(|m| m.starts_with("forged"));
            let detail = format!("{}: {} · {}", who.title, after.join(", "), answers.join(", "));
            board.check("11", &format!("{title} through /status, in vain"), kept, &detail);
        }
    }
    Ok(())
}

/// The managers' names.
fn named(object: &Value) -> Vec<String> {
    let all = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    all.iter().map(|m| m["manager"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Whatever an object carries, from before these rules or by an administrator's hand: what ends access works.
async fn ends_all_the_same(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, lee, admin, broker, .. } = world;
    for (title, managers) in forgeries() {
        let forged = async |name: &str| {
            let patch = json!({"metadata": {"managedFields": managers}});
            board.must(admin, Ask::merge(&format!("{}/{name}", requests(TEAM)), &patch)).await.map(drop)
        };
        let by = json!({"by": lee.user, "at": stamp(now()), "reason": "x"});
        let (active, left) =
            (world.active(board, dana, "debug-prod").await?, world.active(board, dana, "debug-prod").await?);
        let asked = world.offered(board, dana, "operate").await?;
        for name in [&active, &left, &asked] {
            forged(name).await?;
        }
        for (does, who, name, status) in [
            ("revokes", lee, &active, json!({"revocation": by})),
            ("denies", lee, &asked, json!({"denial": by})),
            ("leaves", dana, &left, json!({"withdrawn": true})),
            ("closes", broker, &left, closing("Left")),
        ] {
            let title = format!("fault_a2 p13 {does} what carries a field manager {title}");
            board.allowed("11", &title, who, Ask::merge(&status_of(name), &json!({"status": status}))).await;
        }
    }
    // An approval needs a "now": the server's, or none.
    let yes = approval(lee, auth_time(lee).await?);
    let say = |name: &str| Ask::merge(&status_of(name), &json!({"status": {"approvals": [yes]}}));
    for (title, managers, fits) in [
        ("without a time", json!([manager(0, None)]), true),
        ("of 2099", json!([manager(0, Some("2099-01-01T00:00:00Z".into()))]), false),
    ] {
        let name = world.offered(board, dana, "operate").await?;
        let patch = json!({"metadata": {"managedFields": managers}});
        board.must(admin, Ask::merge(&format!("{}/{name}", requests(TEAM)), &patch)).await?;
        let title = format!("fault_a2 p8 approves what carries a field manager {title}");
        if fits {
            board.allowed("8", &title, lee, say(&name)).await;
        } else {
            let said = "an approval's time is the present || needs a sign-in not older";
            board.refused("8", &title, lee, vec![say(&name)], said).await;
        }
    }
    Ok(())
}

/// Server-side apply keeps a field manager for every name that applies, also where nothing changes.
async fn grows_no_further(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, lee, .. } = world;
    let rule = "a write that changes nothing adds no field manager";
    let left = world.active(board, dana, "debug-prod").await?;
    let path = status_of(&left);
    let leave = Ask::merge(&path, &json!({"status": {"withdrawn": true}}));
    board.allowed("13", "fault_a2 leaves", dana, leave.clone()).await;
    board.allowed("13", "fault_a2 says so again", dana, leave).await;
    let applied = |name: &str, status: Value| json!({"apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest", "metadata": {"name": name}, "status": status});
    let again = applied(&left, json!({"withdrawn": true}));
    let forms = (0..3).map(|n| Ask::apply(&path, &format!("grow-{n}"), &again)).collect();
    board.refused("19", "fault_a2 p13 leaves again under other names", dana, forms, rule).await;
    let asked = world.offered(board, dana, "operate").await?;
    let yes = json!({"approvals": [approval(lee, auth_time(lee).await?)]});
    let path = status_of(&asked);
    let body = applied(&asked, yes);
    board.allowed("8", "fault_a2 approves by apply", lee, Ask::apply(&path, "lee", &body)).await;
    board.allowed("8", "fault_a2 approves by apply again", lee, Ask::apply(&path, "lee", &body)).await;
    let forms = (0..3).map(|n| Ask::apply(&path, &format!("grow-{n}"), &body)).collect();
    board.refused("19", "fault_a2 p13 approves again under other names", lee, forms, rule).await;
    Ok(())
}

async fn stamps_at_creation(world: &World, board: &mut Board) -> Result<()> {
    let dana = &world.dana;
    let good = request(&world.spec(dana, "view").await?);
    for (field, value) in [
        ("uid", json!("11111111-1111-4111-8111-111111111111")),
        ("creationTimestamp", json!("2001-01-01T00:00:00Z")),
        ("generation", json!(77)),
        ("selfLink", json!("/apis/elsewhere")),
        ("deletionTimestamp", json!("2001-01-01T00:00:00Z")),
        ("deletionGracePeriodSeconds", json!(86_400)),
        ("namespace", json!(TEAM)),
    ] {
        let mut body = good.clone();
        body["metadata"][field] = value.clone();
        let title = format!("fault_a2 asks with metadata.{field} of their own");
        let made = board.allowed("7", &title, dana, Ask::create(&requests(TEAM), &body)).await;
        let kept = made["metadata"][field] == value && field != "namespace";
        board.check(
            "7",
            &format!("fault_a2 and metadata.{field} is the server's"),
            !kept,
            &made["metadata"][field].to_string(),
        );
    }
    for (title, field, value, said) in [
        ("a resource version", "resourceVersion", json!("1"), "resourceVersion"),
        ("a name that is a path", "name", json!("../../x"), "metadata.name"),
        ("a name in capitals", "name", json!("ASK"), "metadata.name"),
        ("a name of 254 characters", "name", json!("a".repeat(254)), "metadata.name"),
        (
            "a generated name that is a path",
            "generateName",
            json!("../x"),
            "metadata.name || metadata.generateName",
        ),
        (
            "a generated name of 300 characters and a blank",
            "generateName",
            json!(format!("{} ", "a".repeat(300))),
            "generateName",
        ),
        ("another namespace", "namespace", json!("team-platform"), "does not match"),
    ] {
        let mut body = good.clone();
        body["metadata"][field] = value;
        if field == "name" {
            body["metadata"].as_object_mut().map(|m| m.remove("generateName"));
        }
        let mut tries = creates(TEAM, &body);
        if field == "resourceVersion" {
            // The storage refuses it, and a dry run ends before that.
            tries.truncate(1);
        }
        board.refused("7", &format!("fault_a2 asks with {title}"), dana, tries, said).await;
    }
    Ok(())
}

/// What is not status is dropped or refused there, in every form, whoever writes.
async fn through_status(world: &World, board: &mut Board) -> Result<()> {
    let World { dana, lee, broker, other_broker, .. } = world;
    let owner = json!([{"apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": "x"}]);
    for who in [dana, lee, broker, other_broker] {
        let name = world.offered(board, dana, "operate").await?;
        for (section, field, value) in [
            ("metadata", "finalizers", json!(["example.test/stay"])),
            ("metadata", "ownerReferences", owner.clone()),
            ("metadata", "labels", json!({"a": "b"})),
            ("metadata", "annotations", json!({"a": "x".repeat(10_000)})),
            ("metadata", "deletionTimestamp", json!("2001-01-01T00:00:00Z")),
            ("metadata", "deletionGracePeriodSeconds", json!(0)),
            ("metadata", "creationTimestamp", json!("2001-01-01T00:00:00Z")),
            ("metadata", "generation", json!(9)),
            ("metadata", "generateName", json!("other-")),
            ("spec", "duration", json!("12h")),
            ("spec", "user", json!(who.user)),
            ("spec", "profile", json!("view")),
            ("spec", "acr", json!("urn:sallyport:other")),
            ("spec", "authTime", json!(1)),
        ] {
            let before = world.live(&name).await?;
            let change = json!({section: {field: value}});
            let mut answers = Vec::new();
            for ask in every_form(&status_of(&name), &before, &change) {
                answers.push(format!("{} {}", ask.form, ask.send(&who.client).await?.code));
            }
            let after = world.live(&name).await?;
            let same = after[section][field] == before[section][field] && after["status"] == before["status"];
            let title = format!("fault_a2 p7 writes {section}.{field} through /status, in vain");
            board.check("7", &title, same, &format!("{} · {}", who.title, answers.join(", ")));
        }
    }
    Ok(())
}

/// A SHA-256.
const ROOT: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

async fn sign_ins(world: &World, board: &mut Board) -> Result<()> {
    let user = "oidc:dana@example.test";
    let as_dana = |title: &str, identity: &Identity| person(&world.hub, title, user, identity);
    let dev = || Identity::new(user).group("oidc:payments-dev");
    let at = now() - 60;
    let strong = as_dana("requester", &dev().signed_in(MFA, &["pwd", "otp"], at))?;
    let weak = as_dana("requester with a password", &dev().signed_in("urn:sallyport:pwd", &["pwd"], at))?;
    let bare = as_dana("requester by certificate", &dev())?;
    let zero = as_dana("requester without a time", &dev().extra("access.sallyport.dev/auth-time", "0"))?;
    let float = as_dana(
        "requester with a time in floats",
        &dev().extra("access.sallyport.dev/auth-time", "1.79e+09"),
    )?;
    let twice = as_dana(
        "requester with two times",
        &dev().signed_in(MFA, &[], at).extra("access.sallyport.dev/auth-time", "1795000000"),
    )?;
    // A profile that wants nothing of the sign-in, so that only the rule without parameters can refuse.
    let body = |extra: Value| async move {
        let mut spec = world.spec(&world.dana, "view").await?;
        for (key, value) in extra.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        anyhow::Ok(request(&spec))
    };
    for (title, who, extra, said) in [
        (
            "another class",
            &strong,
            json!({"acr": "urn:sallyport:hardware"}),
            "spec.acr must be that of your own sign-in",
        ),
        (
            "a class above their own",
            &weak,
            json!({"acr": MFA}),
            "spec.acr must be that of your own sign-in, [urn:sallyport:pwd]",
        ),
        (
            "a class they have none of",
            &bare,
            json!({"acr": MFA}),
            "spec.acr must be that of your own sign-in, [] || needs a sign-in not older",
        ),
        ("a class in another case", &strong, json!({"acr": "URN:SALLYPORT:MFA"}), "spec.acr must be"),
        ("a class and a blank", &strong, json!({"acr": format!("{MFA} ")}), "spec.acr must be"),
        ("no class in words", &strong, json!({"acr": ""}), "spec.acr"),
        ("a class of 257 characters", &strong, json!({"acr": "x".repeat(257)}), "spec.acr"),
        (
            "a method they did not use",
            &strong,
            json!({"amr": ["pwd", "hwk"]}),
            "spec.amr must be among those of your own sign-in, [pwd, otp]",
        ),
        ("a method above their own", &weak, json!({"amr": ["otp"]}), "spec.amr must be among"),
        (
            "a method they have none of",
            &bare,
            json!({"amr": ["otp"]}),
            "spec.amr must be among || needs a sign-in not older",
        ),
        ("two methods in one word", &strong, json!({"amr": ["pwd, otp"]}), "spec.amr must be among"),
        ("33 methods", &strong, json!({"amr": vec!["pwd"; 33]}), "spec.amr"),
        (
            "a time of now",
            &strong,
            json!({"authTime": now()}),
            "spec.authTime must be that of your own sign-in",
        ),
        ("a time a year ahead", &strong, json!({"authTime": now() + 31_536_000}), "spec.authTime must be"),
        (
            "a time they have none of",
            &bare,
            json!({"authTime": at}),
            "spec.authTime must be that of your own sign-in, [] || needs a sign-in",
        ),
        ("a time of zero", &zero, json!({"authTime": 0}), "spec.authTime"),
        ("a time before zero", &strong, json!({"authTime": -1}), "spec.authTime"),
        (
            "a time beyond all years",
            &strong,
            json!({"authTime": 9_000_000_000_000_000_000_i64}),
            "spec.authTime",
        ),
        ("a time in words", &strong, json!({"authTime": at.to_string()}), "spec.authTime"),
        ("a time with a fraction", &strong, json!({"authTime": 1.5}), "spec.authTime"),
        (
            "a time that the token has in floats",
            &float,
            json!({"authTime": 1_790_000_000}),
            "spec.authTime must be || access-requests-limits",
        ),
        ("one of two times", &twice, json!({"authTime": at}), "spec.authTime must be || needs a sign-in"),
        // An anchor proves nothing to admission, and has to be one to whoever reads it.
        ("a history in words", &strong, json!({"history": "412"}), "spec.history"),
        ("a history of nothing", &strong, json!({"history": {}}), "spec.history"),
        (
            "a history before its first entry",
            &strong,
            json!({"history": {"sequence": 0, "root": ROOT}}),
            "spec.history",
        ),
        (
            "a history longer than numbers are",
            &strong,
            json!({"history": {"sequence": 9_007_199_254_740_992_i64, "root": ROOT}}),
            "spec.history",
        ),
        (
            "a history's root in capitals",
            &strong,
            json!({"history": {"sequence": 1, "root": ROOT.to_uppercase()}}),
            "spec.history.root",
        ),
        (
            "a history's root with a line behind it",
            &strong,
            json!({"history": {"sequence": 1, "root": format!("{}\n", &ROOT[1..])}}),
            "spec.history.root",
        ),
        (
            "a history's key that is a book",
            &strong,
            json!({"history": {"sequence": 1, "root": ROOT, "key": ROOT.repeat(1000)}}),
            "spec.history.key",
        ),
    ] {
        let title = format!("fault_a8 p7 asks with {title}");
        board.refused("14", &title, who, creates(TEAM, &body(extra).await?), said).await;
    }
    for (title, extra) in [
        ("all of their own sign-in", json!({"acr": MFA, "amr": ["pwd", "otp"], "authTime": at})),
        ("a part of it", json!({"amr": ["otp"]})),
        ("nothing of it, which counts for nothing", json!({})),
        ("how their history is", json!({"history": {"sequence": 412, "root": ROOT, "key": ROOT}})),
        ("how it is without a key", json!({"history": {"sequence": 412, "root": ROOT}})),
    ] {
        let ask = Ask::create(&requests(TEAM), &body(extra).await?).dry();
        board.allowed("14", &format!("fault_a8 asks with {title}"), &strong, ask).await;
    }
    // The case of the fault: no profile judges the sign-in, and what the broker will judge by is true all the same.
    let gone = json!({"profile": "made-a-moment-ago", "acr": MFA, "amr": ["otp"], "authTime": at});
    let masters = Identity::new(user).group("system:masters").signed_in("urn:sallyport:pwd", &["pwd"], at);
    let masters = as_dana("requester with a password and every verb", &masters)?;
    board
        .refused(
            "14",
            "fault_a8 p7 claims MFA where no profile is seen",
            &masters,
            creates(TEAM, &body(gone).await?),
            "spec.acr must be || spec.amr must be",
        )
        .await;
    Ok(())
}

async fn approvers(world: &World, board: &mut Board) -> Result<()> {
    let lee: &Person = &world.lee;
    let name = world.offered(board, &world.dana, "operate").await?;
    let at = auth_time(lee).await?;
    let rule = "an approval's acr and amr are those of your own sign-in";
    for (title, key, value) in [
        ("another class", "acr", json!("urn:sallyport:hardware")),
        ("a class in another case", "acr", json!("URN:SALLYPORT:MFA")),
        ("a method they did not use", "amr", json!(["hwk"])),
        ("one method more", "amr", json!(["pwd", "otp", "hwk"])),
    ] {
        let mut yes = approval(lee, at);
        yes[key] = value;
        let title = format!("fault_a8 p8 approves with {title}");
        board.refused("14", &title, lee, forms(world, &name, json!({"approvals": [yes]})).await?, rule).await;
    }
    let weak =
        Identity::new(&lee.user).group("oidc:payments-leads").signed_in("urn:sallyport:pwd", &["pwd"], at);
    let weak = person(&world.hub, "approver with a password", &lee.user, &weak)?;
    let mut yes = approval(&weak, at);
    (yes["acr"], yes["amr"]) = (json!(MFA), json!(["otp"]));
    let said = format!("{rule} || needs a stronger sign-in");
    let change = forms(world, &name, json!({"approvals": [yes]})).await?;
    board.refused("14", "fault_a8 p8 approves with a class above their own", &weak, change, &said).await;
    let mut yes = approval(lee, at);
    (yes["acr"], yes["amr"]) = (json!(MFA), json!(["pwd", "otp"]));
    let path = status_of(&name);
    let made = board
        .allowed(
            "14",
            "fault_a8 approves with all of their own sign-in",
            lee,
            Ask::merge(&path, &json!({"status": {"approvals": [yes]}})),
        )
        .await;
    let kept = made["status"]["approvals"][0]["acr"].as_str().context("the approval's acr")? == MFA;
    board.check(
        "14",
        "fault_a8 p8 and it is what the broker will judge",
        kept,
        &made["status"]["approvals"].to_string(),
    );
    Ok(())
}
