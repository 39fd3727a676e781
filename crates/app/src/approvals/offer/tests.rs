use super::*;
use sallyport_api::RuleSummary;
use sallyport_model::{RoleName, Scope};
use serde_json::{Value, json};

const CA: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const NOW: i64 = 1_795_528_800;

fn rule(verbs: &[&str]) -> Rule {
    Rule::on(&"sallyport:operate".parse::<RoleName>().unwrap(), verbs.to_vec(), vec![""], vec!["pods"])
}

fn profile() -> Profile {
    let object = serde_json::from_value::<sallyport_api::AccessProfile>(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile",
        "metadata": {"name": "operate", "uid": "aa", "generation": 1},
        "spec": {"clusters": ["*"], "roles": ["sallyport:operate"], "maxDuration": "4h", "approvals": 1},
    }));
    Profile::try_from(&object.unwrap()).unwrap()
}

/// As a broker makes it.
fn offered(namespaces: &[&str], given: &[Rule]) -> Value {
    let scope = Scope::from_list(namespaces.iter().map(|n| n.parse().unwrap()));
    let (revision, cluster) = ("aa/1".parse().unwrap(), "pay-eu".parse().unwrap());
    let given = effective(given.iter().cloned(), &scope);
    let to = ("https://t:6443", &CA.parse::<Digest>().unwrap());
    let digest = digest(&revision, &cluster, &scope, &profile().roles, &given, to);
    let rules: Vec<RuleSummary> = given.iter().map(RuleSummary::from).collect();
    json!({"digest": digest.to_string(), "rules": rules, "endpoint": "https://t:6443", "caDigest": CA})
}

fn request(uid: &str, namespaces: &[&str], duration: &str, status: Value) -> AccessRequest {
    serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
        "metadata": {"name": uid, "namespace": "team", "uid": uid, "creationTimestamp": "2026-11-24T14:00:00Z"},
        "spec": {"user": "oidc:dana", "groups": [], "cluster": "pay-eu", "profile": "operate", "profileRevision": "aa/1",
            "namespaces": namespaces, "duration": duration, "reason": "r", "publicKey": "k"},
        "status": status,
    }))
    .unwrap()
}

fn pending(namespaces: &[&str], duration: &str) -> AccessRequest {
    let offer = offered(namespaces, &[rule(&["get"]), rule(&["delete"])]);
    request("asked", namespaces, duration, json!({"phase": "Pending", "offer": offer}))
}

/// One that is open for `minutes` more.
fn open(namespaces: &[&str], minutes: i64, more: Value) -> AccessRequest {
    let end = jiff::Timestamp::from_second(NOW + minutes * 60).unwrap().to_string();
    let grant = json!({"name": "g-aaaa", "uid": "u", "end": end, "account": "s-aaaa-1795500000"});
    let mut status =
        json!({"phase": "Active", "offer": offered(namespaces, &[rule(&["get"])]), "grant": grant});
    for (key, value) in more.as_object().unwrap() {
        status[key] = value.clone();
    }
    request("open", namespaces, "1h", status)
}

fn view(object: &AccessRequest, active: &[&AccessRequest]) -> OfferView {
    let offer = object.status.as_ref().unwrap().offer.as_ref().unwrap();
    of(object, offer, &Beside { active, now: NOW, ..Beside::default() })
}

#[test]
fn p8_what_an_offer_adds_is_what_is_not_open_for_as_long() {
    let asked = pending(&["a"], "1h");
    let alone = view(&asked, &[]);
    assert!(alone.beside.is_empty() && alone.adds == alone.rights && alone.rights[0].writes, "{alone:?}");
    let within = open(&["a", "b"], 60, json!({}));
    let offer = view(&asked, &[&within]);
    assert_eq!((offer.beside[0].profile.as_str(), offer.beside[0].ends_at), ("operate", (NOW + 3600) * 1000));
    assert!(
        offer.adds.len() < offer.rights.len() && offer.adds.iter().all(|right| right.writes),
        "{offer:?}"
    );
    for (why, adds_all, other) in [
        ("it ends before", true, open(&["a", "b"], 59, json!({}))),
        ("it holds elsewhere", true, open(&["b"], 60, json!({}))),
        (
            "less of it was given",
            true,
            open(&["a", "b"], 60, json!({"given": {"namespaces": ["b"], "duration": "1h"}})),
        ),
        (
            "as much of it was given as matters",
            false,
            open(&["a", "b"], 60, json!({"given": {"namespaces": ["a"], "duration": "1h"}})),
        ),
    ] {
        let seen = view(&asked, &[&other]);
        assert_eq!((seen.adds == seen.rights, seen.beside.len()), (adds_all, 1), "{why}: {seen:?}");
    }
    let closing = json!({"conditions": [{"type": "Closing", "status": "True", "reason": "Refused", "message": "",
        "lastTransitionTime": "2026-11-24T14:00:00Z"}]});
    for over in
        [open(&["a"], -1, json!({})), open(&["a"], 60, json!({"withdrawn": true})), open(&["a"], 60, closing)]
    {
        let seen = view(&asked, &[&over]);
        assert!(seen.beside.is_empty() && seen.adds == seen.rights, "{seen:?}");
    }
}

#[test]
fn p8_an_offer_that_is_not_what_its_digest_says_is_no_offer() {
    let said = |edit: &dyn Fn(&mut Value)| {
        let mut offer = offered(&["a"], &[rule(&["get"])]);
        edit(&mut offer);
        let object = request("asked", &["a"], "1h", json!({"phase": "Pending", "offer": offer}));
        problem(&object, object.status.as_ref().unwrap().offer.as_ref().unwrap(), Some(&profile()))
    };
    assert_eq!(said(&|_| {}), None);
    let edits: [&dyn Fn(&mut Value); 5] = [
        &|offer| offer["rules"][0]["verbs"] = json!(["list"]),
        &|offer| offer["rules"] = json!([]),
        &|offer| offer["endpoint"] = json!("https://elsewhere:6443"),
        &|offer| offer["caDigest"] = json!("b".repeat(64)),
        &|offer| offer["digest"] = json!("c".repeat(64)),
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        assert!(said(edit).is_some_and(|why| why.contains("digest")), "edit {number}");
    }
    let unread = said(&|offer| offer["rules"][0]["role"] = json!("a role/that is none"));
    assert!(unread.is_some_and(|why| why.contains("can't be read")));
    let warned = pending(&["a"], "1h");
    let mut offer = warned.status.as_ref().unwrap().offer.clone().unwrap();
    offer.warnings = vec!["all is well".into()];
    let seen = of(&warned, &offer, &Beside::default());
    assert!(seen.warnings.iter().all(|warning| warning.as_str() != "all is well"), "{seen:?}");
    let other = Profile { revision: "aa/2".parse().unwrap(), ..profile() };
    assert_eq!(problem(&warned, &offer, Some(&other)), None, "its broker refuses it for that");
}

#[test]
fn narrower_profiles_give_nothing_more_and_the_one_that_gives_the_most_is_first() {
    let candidate = |name: &str, scope: &[&str], rules: &[Rule]| Candidate {
        profile: name.parse().unwrap(),
        scope: Scope::from_list(scope.iter().map(|n| n.parse().unwrap())),
        rules: rules.to_vec(),
    };
    let offer = offered(&["a"], &[rule(&["get"]), rule(&["delete"]), rule(&["create"])]);
    let asked = request("asked", &["a"], "1h", json!({"phase": "Pending", "offer": offer}));
    let of = |candidates: &[Candidate]| -> Vec<String> {
        narrower(&asked, candidates).iter().map(|found| found.profile.to_string()).collect()
    };
    let view = candidate("view", &[], &[rule(&["get"])]);
    let debug = candidate("debug", &["a", "b"], &[rule(&["get"]), rule(&["create"])]);
    let wider = candidate("admin", &[], &[rule(&["*"])]);
    let other = candidate("lists", &["a"], &[rule(&["get"]), rule(&["list"])]);
    let same = candidate("twin", &["a"], &[rule(&["get"]), rule(&["delete"]), rule(&["create"])]);
    let elsewhere = candidate("elsewhere", &["b"], &[rule(&["get"]), rule(&["create"])]);
    let itself = candidate("operate", &[], &[rule(&["get"])]);
    assert_eq!(of(&[view.clone(), debug, wider.clone(), other.clone()]), ["debug", "view"]);
    assert!(of(&[same, elsewhere, itself, wider, other]).is_empty());
    let adds = narrower(&asked, &[view])[0].view(&asked, false).adds;
    assert!(!adds.is_empty() && adds.iter().all(|right| right.writes), "{adds:?}");
}
