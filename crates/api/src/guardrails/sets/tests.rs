use super::*;
use serde_json::json;

type Edit = fn(&mut Guardrails);

/// As an API server stores what this version ships.
fn stored() -> Guardrails {
    let mut live = shipped_guardrails(Side::Hub).clone();
    for object in live.policies.iter_mut().chain(&mut live.bindings) {
        object["spec"] = defaulted(&object["spec"]);
    }
    live
}

/// What the next version might ship.
fn next() -> Guardrails {
    let mut live = stored();
    for object in live.policies.iter_mut().chain(&mut live.bindings) {
        object["metadata"]["annotations"] = json!({SET: (HUB_SET + 1).to_string()});
    }
    let validations = live.policies[0]["spec"]["validations"].as_array_mut().expect("validations");
    validations.push(json!({"expression": "object.spec.newer == 'x'", "message": "what comes next"}));
    live
}

#[test]
fn p12_each_set_is_told_by_what_it_is_and_has_its_number() {
    assert_eq!(hub_set(&stored()), Ok(HubSet::Own));
    assert_eq!(hub_set(&next()), Ok(HubSet::After));
    let numbers = [HubSet::Before, HubSet::Own, HubSet::After].map(HubSet::number);
    assert_eq!(numbers, [HUB_SET - 1, HUB_SET, HUB_SET + 1]);
    let kustomization = include_str!("../../../../../deploy/hub/kustomization.yaml");
    assert!(kustomization.contains(&format!("{{{SET}: '{HUB_SET}'}}")), "what is applied says its number");
}

#[test]
fn p12_the_set_before_is_known_by_the_outline_it_left() {
    assert_eq!((before().set, before().objects.len()), (HUB_SET - 1, 18));
    let outline = hub_outline();
    assert!(is_of(&outline, &stored()));
    let mut more = stored();
    more.policies.push(json!({"metadata": {"name": "somebody-elses"}, "spec": {}}));
    assert!(is_of(&outline, &more), "what was added can only refuse more");
    let edits: [Edit; 5] = [
        |g| drop(g.policies.remove(3)),
        |g| drop(g.bindings.remove(0)),
        |g| g.policies[2]["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"),
        |g| g.policies[1]["spec"]["validations"][0]["expression"] = json!("true"),
        |g| g.bindings[1]["spec"]["validationActions"] = json!(["Audit"]),
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        let mut live = stored();
        edit(&mut live);
        assert!(!is_of(&outline, &live), "edit {number}");
    }
}

#[test]
fn attack_16_what_only_says_that_it_comes_next_is_not_taken_for_it() {
    let edits: [Edit; 13] = [
        |g| drop(g.policies.remove(1)),
        |g| drop(g.bindings.remove(1)),
        |g| g.policies[1]["metadata"]["annotations"] = json!({SET: (HUB_SET + 2).to_string()}),
        |g| g.bindings[1]["metadata"]["annotations"] = json!({}),
        |g| g.policies[1]["spec"]["failurePolicy"] = json!("Ignore"),
        |g| g.policies[1]["spec"]["matchConstraints"]["resourceRules"] = json!([]),
        |g| {
            g.policies[1]["spec"]["matchConditions"] =
                json!([{"name": "only-dry", "expression": "request.dryRun"}]);
        },
        |g| g.policies[1]["spec"]["validations"] = json!([]),
        |g| g.policies[1]["spec"]["paramKind"] = json!({"apiVersion": "v1", "kind": "ConfigMap"}),
        |g| {
            g.policies[1]["spec"]["matchConstraints"]["namespaceSelector"] =
                json!({"matchLabels": {"a": "b"}});
        },
        |g| g.bindings[1]["spec"]["paramRef"] = json!({"name": "none", "parameterNotFoundAction": "Allow"}),
        |g| g.bindings[1]["spec"]["validationActions"] = json!(["Warn", "Audit"]),
        |g| {
            g.bindings[1]["spec"]["matchResources"] =
                json!({"namespaceSelector": {"matchLabels": {"a": "b"}}})
        },
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        let mut live = next();
        edit(&mut live);
        let differs = hub_set(&live).expect_err(&format!("edit {number}"));
        assert!(!differs.is_empty(), "edit {number} is named");
    }
}

#[test]
fn a_digest_goes_by_what_is_said_and_not_by_its_order() {
    let text = |text: &str| {
        let mut out = String::new();
        write_sorted(&serde_json::from_str(text).expect("JSON"), &mut out);
        out
    };
    assert_eq!(text(r#"{"b":[1,{"d":2,"c":"x"}],"a":null}"#), text(r#"{"a":null,"b":[1,{"c":"x","d":2}]}"#));
    assert_ne!(text(r#"{"a":["b","c"]}"#), text(r#"{"a":["c","b"]}"#));
    assert_ne!(text(r#"{"a":["b,c"]}"#), text(r#"{"a":["b","c"]}"#));
}
