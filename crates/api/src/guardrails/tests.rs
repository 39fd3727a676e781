use super::*;

/// As an API server would store what was shipped.
fn stored(side: Side) -> Guardrails {
    let mut live = shipped_guardrails(side).clone();
    for object in live.policies.iter_mut().chain(&mut live.bindings) {
        object["spec"] = defaulted(&object["spec"]);
        object["metadata"]["uid"] = json!("1");
    }
    for object in live.cluster_roles.iter_mut().chain(&mut live.cluster_role_bindings) {
        object["metadata"]["uid"] = json!("1");
        object["metadata"]["labels"] = json!({"a": "b"});
    }
    live
}

#[test]
fn p12_every_policy_is_shipped_with_a_binding_that_denies() {
    for (side, least) in [(Side::Hub, 8), (Side::Target, 8)] {
        let shipped = shipped_guardrails(side);
        assert!(shipped.policies.len() >= least, "{side:?}: {}", shipped.policies.len());
        for policy in &shipped.policies {
            let name = &policy["metadata"]["name"];
            assert_eq!(policy["spec"]["failurePolicy"], "Fail", "{name}");
            let binding = shipped.bindings.iter().find(|b| &b["spec"]["policyName"] == name);
            assert_eq!(binding.expect("bound")["spec"]["validationActions"], json!(["Deny"]), "{name}");
        }
    }
}

#[test]
fn p12_what_was_shipped_is_recognised_and_every_change_is_named() {
    for side in [Side::Hub, Side::Target] {
        assert_eq!(guardrail_differences(side, &stored(side)), Vec::<String>::new());
        type Edit = fn(&mut Guardrails);
        let edits: [(&str, Edit); 6] = [
            ("spec.matchConditions", |g| {
                g.policies[0]["spec"]["matchConditions"] =
                    json!([{"name": "only-dry", "expression": "request.dryRun"}]);
            }),
            ("spec.failurePolicy", |g| g.policies[1]["spec"]["failurePolicy"] = json!("Ignore")),
            ("expression", |g| g.policies[1]["spec"]["validations"][0]["expression"] = json!("true")),
            ("spec.validationActions[0]", |g| g.bindings[2]["spec"]["validationActions"] = json!(["Warn"])),
            ("is missing", |g| drop(g.bindings.remove(0))),
            ("spec.newKnob", |g| g.policies[2]["spec"]["newKnob"] = json!(true)),
        ];
        for (said, edit) in edits {
            let mut live = stored(side);
            edit(&mut live);
            let found = guardrail_differences(side, &live);
            assert!(found.len() == 1 && found[0].contains(said), "{side:?} {said}: {found:?}");
        }
    }
}

/// A request for a whole collection, and one with generateName, carry no name: a rule that goes by it errs, and
/// refuses or passes for a reason of its own. Only subresources always have one.
#[test]
fn fault_e7_no_rule_goes_by_the_name_in_the_request_where_there_may_be_none() {
    for side in [Side::Hub, Side::Target] {
        for policy in &shipped_guardrails(side).policies {
            let spec = policy["spec"].to_string().replace("request.namespace", "");
            let rules = policy["spec"]["matchConstraints"]["resourceRules"].as_array().cloned();
            let subresources = rules.unwrap_or_default().iter().all(|rule| {
                let resources = rule["resources"].as_array().into_iter().flatten();
                resources.filter_map(Value::as_str).all(|resource| resource.contains('/'))
            });
            let name = &policy["metadata"]["name"];
            assert!(subresources || !spec.contains("request.name"), "{name} reads request.name");
        }
    }
}

#[test]
fn fault_a10_p12_the_one_binding_of_all_sessions_is_compared_with_its_roles_rules() {
    type Edit = fn(&mut Guardrails);
    let edits: [(&str, Edit); 9] = [
        ("ClusterRole sallyport:leave is missing", |g| g.cluster_roles.clear()),
        ("ClusterRoleBinding sallyport:leave is missing", |g| g.cluster_role_bindings.clear()),
        ("policy", |g| g.policies.retain(|p| p["metadata"]["name"] != "sessions-leave.sallyport.dev")),
        ("rules[0].verbs", |g| {
            g.cluster_roles[0]["rules"][0]["verbs"] = json!(["delete", "deletecollection"])
        }),
        ("rules[0].resourceNames", |g| g.cluster_roles[0]["rules"][0]["resourceNames"] = json!(["x"])),
        ("at rules", |g| {
            g.cluster_roles[0]["rules"] =
                json!([g.cluster_roles[0]["rules"][0], {"verbs": ["get"], "nonResourceURLs": ["*"]}]);
        }),
        ("at aggregationRule", |g| {
            g.cluster_roles[0]["aggregationRule"] = json!({"clusterRoleSelectors": []})
        }),
        ("at subjects", |g| {
            let more = json!({"kind": "User", "name": "mallory"});
            g.cluster_role_bindings[0]["subjects"].as_array_mut().expect("subjects").push(more);
        }),
        ("roleRef.name", |g| g.cluster_role_bindings[0]["roleRef"]["name"] = json!("view")),
    ];
    for (said, edit) in edits {
        let mut live = stored(Side::Target);
        edit(&mut live);
        let found = guardrail_differences(Side::Target, &live);
        let said = if said == "policy" { "sessions-leave.sallyport.dev is missing" } else { said };
        assert!(found.len() == 1 && found[0].contains(said), "{said}: {found:?}");
    }
}

#[test]
fn fault_a10_nothing_near_the_one_binding_is_taken_for_it() {
    let live = stored(Side::Target);
    let (binding, role) = (&live.cluster_role_bindings[0], &live.cluster_roles[0]);
    assert_eq!(leave_difference(binding, role), None);
    let nothing = leave_difference_from(&Guardrails::default(), binding, role);
    assert_eq!(nothing.as_deref(), Some("nothing was shipped to compare with"));
    type Edit = fn(&mut Value, &mut Value);
    let edits: [Edit; 7] = [
        |b, _| b["metadata"]["name"] = json!("sallyport:leaves"),
        |b, _| b["subjects"][0]["name"] = json!("system:serviceaccounts"),
        |b, _| b["subjects"] = json!([b["subjects"][0], b["subjects"][0]]),
        |b, _| b["roleRef"]["kind"] = json!("Role"),
        |_, r| r["metadata"]["name"] = json!("view"),
        |_, r| r["rules"][0]["verbs"] = json!(["*"]),
        |_, r| r["rules"] = json!([]),
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        let (mut binding, mut role) = (binding.clone(), role.clone());
        edit(&mut binding, &mut role);
        assert!(leave_difference(&binding, &role).is_some(), "edit {number}");
    }
}

#[test]
fn enrolment_names_the_cluster_and_nothing_else() {
    let manifests = enrolment(&"payments-eu-1".parse().expect("a name"));
    assert_eq!(manifests.len(), 5);
    let text = serde_json::to_string(&manifests).expect("JSON");
    assert!(text.contains("payments-eu-1") && !text.contains("CLUSTER"));
}
