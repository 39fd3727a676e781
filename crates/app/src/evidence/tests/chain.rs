//! A session as one chain: what was made for it, by the cluster's own word, and its calls of both sides.

use super::*;
use sallyport_ipc::CommandCall;
use std::collections::HashSet;

const BROKER: &str = "system:serviceaccount:sallyport-system:sallyport-broker";
const ROLES: &str = "rbac.authorization.k8s.io";

/// A write to an object that carries a name, by somebody else than the session.
fn write(id: &str, at: i64, verb: &str, (group, resource, below): (&str, &str, &str), name: &str) -> Value {
    let object = json!({ "resource": resource, "subresource": below, "namespace": "sallyport-sessions", "name": name,
        "apiGroup": group, "apiVersion": "v1" });
    event(
        id,
        at,
        verb,
        name,
        json!({ "user": { "username": BROKER }, "objectRef": object,
        "userAgent": "sallyport-broker/1.0", "responseStatus": { "code": if verb == "create" { 201 } else { 200 } } }),
    )
}

fn merged_with(mut event: Value, over: Value) -> Value {
    if let (Value::Object(event), Value::Object(over)) = (&mut event, over) {
        event.extend(over);
    }
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_goes_from_the_sign_in_over_the_clusters_own_mint_to_the_end_and_holds_nobody_elses() {
    let bench = bench().await;
    let sign_in = |at: i64, user: &str, outcome| {
        let draft = Draft::new(Action::SignIn).at(bench.began + at).outcome(outcome);
        draft.user(&user.parse().unwrap())
    };
    bench.note(sign_in(-900 * SECOND, "oidc:dana", Outcome::Ok)).await;
    bench.note(sign_in(-300 * SECOND, "oidc:dana", Outcome::Ok)).await;
    bench.note(sign_in(-200 * SECOND, "oidc:dana", Outcome::Failed)).await;
    bench.note(sign_in(-100 * SECOND, "oidc:lee", Outcome::Ok)).await;
    let (request, account) = bench.a_session().await;
    let grant = SessionAccount::derive_grant_name(&request);
    let name = account.to_string();
    let at = bench.began + 20 * SECOND;
    let accounts = ("", "serviceaccounts", "");
    let issued = json!({ "annotations": { "authorization.k8s.io/decision": "allow",
        "authentication.kubernetes.io/issued-credential-id": "JTI=jti-1" } });
    let of_other = SessionAccount::derive(&RequestUid::new("another"), 1_999_999_999).to_string();
    bench
        .log(&[
            write("sa", at, "create", accounts, &name),
            write("rb", at + SECOND, "create", (ROLES, "rolebindings", ""), &format!("{grant}-0")),
            merged_with(
                write("tk", at + 2 * SECOND, "create", ("", "serviceaccounts", "token"), &name),
                issued,
            ),
            // What only looks, and what is somebody else's, or is called nearly so.
            write("look", at + 3 * SECOND, "get", accounts, &name),
            write("other", at + 3 * SECOND, "create", accounts, &of_other),
            write("near", at + 3 * SECOND, "create", (ROLES, "rolebindings", ""), &format!("{grant}-0-x")),
            // Long after it was over, a second token: whoever makes it.
            write("again", at + 7200 * SECOND, "create", ("", "serviceaccounts", "token"), &name),
            write("gone", at + 40 * SECOND, "delete", (ROLES, "rolebindings", ""), &format!("{grant}-0")),
            event("minted-1", bench.began + 60 * SECOND + 2000, "get", "checkout", by(&account)),
        ])
        .await;
    let session = bench.evidence.session(request.to_string()).await.unwrap();
    let told: Vec<&str> = session.chain.iter().map(|row| row.sentence.as_str()).collect();
    let place = |of: &str| {
        told.iter().position(|told| told.contains(of)).unwrap_or_else(|| panic!("{of}: {told:#?}"))
    };
    assert_eq!(session.chain[0].word, "sign_in");
    assert_eq!(session.chain[0].at_us, bench.began - 300 * SECOND, "hers, the last that succeeded");
    assert_eq!(session.chain.iter().filter(|row| row.word == "sign_in").count(), 1);
    assert!(session.chain.windows(2).all(|two| two[0].at_us <= two[1].at_us), "{told:#?}");
    let minted = place("Minted a token");
    assert!(place("Created service account") < minted && minted < place("Deleted role binding"));
    assert_eq!(session.chain[minted].tie.as_ref().unwrap().by, TieBy::Issued);
    assert_eq!(
        (session.chain[minted].who.as_str(), session.chain[minted].side),
        (BROKER, TimelineSide::Cluster)
    );
    assert_eq!(told.iter().filter(|told| told.contains("Minted a token")).count(), 2, "{told:#?}");
    assert!(
        session.chain.iter().all(|row| !row.sentence.contains("-0-x") && !row.sentence.contains(&of_other))
    );
    assert!(session.chain.iter().all(|row| row.word != "get" && row.word != "call"), "{told:#?}");
    let ids: HashSet<_> = session.chain.iter().map(|row| row.id.clone()).collect();
    assert_eq!(ids.len(), session.chain.len(), "each once");
    bench.evidence.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_kubectl_command_say_so_on_both_sides_and_nobody_elses_header_does() {
    let bench = bench().await;
    let (request, account) = bench.a_session().await;
    let at = bench.began + 90 * SECOND;
    let path = "/apis/apps/v1/namespaces/pay/deployments/checkout";
    for (n, method, uri) in [(0, "GET", "/apis"), (1, "GET", path), (2, "PATCH", path)] {
        let call = Draft::new(Action::Call)
            .at(at + n * SECOND)
            .user(&"oidc:dana".parse().unwrap())
            .cluster(&CLUSTER.parse().unwrap())
            .request(&request)
            .session(&SessionId::new("s1"))
            .jti(&Jti::new("jti-1"))
            .audit_id(&AuditId::new(format!("k-{n}")));
        let call = call.detail("method", method).detail("uri", uri).detail("status", 200);
        bench.note(call.detail("kubectl_session", "4d5e").detail("kubectl_command", "kubectl apply")).await;
    }
    bench.settled().await;
    bench
        .log(&[
            event("k-1", at + SECOND + 2000, "get", "checkout", by(&account)),
            event("k-2", at + 2 * SECOND + 2000, "patch", "checkout", by(&account)),
            // The id of a call of the command, by somebody else.
            event("k-2", at + 2 * SECOND + 3000, "patch", "checkout", json!({})),
        ])
        .await;
    let of = |side| filter(|f| (f.side, f.request) = (Some(side), Some(request.to_string())));
    let told = |page: TimelinePage| {
        let commands = page.rows.into_iter().filter_map(|row| row.command);
        let mut told: Vec<_> =
            commands.map(|c| (c.call.to_string(), c.says, c.name.to_string(), c.id)).collect();
        told.sort();
        told
    };
    let own = told(bench.page(of(TimelineSide::Own)).await);
    let says: Vec<_> =
        own.iter().map(|(call, says, name, _)| (call.as_str(), *says, name.as_str())).collect();
    let apply = "kubectl apply";
    assert_eq!(
        says,
        [
            ("k-0", CommandCall::Asks, apply),
            ("k-1", CommandCall::Reads, apply),
            ("k-2", CommandCall::Acts, apply)
        ]
    );
    assert_eq!(own.iter().map(|(.., id)| id).collect::<HashSet<_>>().len(), 1);
    // The cluster's rows of the same calls are part of the same command, call by call.
    assert_eq!(told(bench.page(of(TimelineSide::Cluster)).await), own[1..]);
    let all = bench.page(filter(|f| f.side = Some(TimelineSide::Cluster))).await;
    let others: Vec<_> = all.rows.iter().filter(|row| row.who == "oidc:lee").collect();
    assert!(others.len() == 1 && others[0].command.is_none(), "{others:#?}");

    // Beside a replay: both sides as one row, in pages, and of a session alone.
    let calls = |filter, before, limit| bench.evidence.calls(filter, before, limit);
    let of_request = filter(|f| f.request = Some(request.to_string()));
    let all = calls(of_request.clone(), None, 500).await.unwrap();
    assert_eq!(
        all.rows.iter().filter(|row| row.tie.as_ref().is_some_and(|tie| tie.call.is_some())).count(),
        2
    );
    let (mut before, mut rows) = (None, 0);
    loop {
        let page = calls(of_request.clone(), before, 2).await.unwrap();
        rows += page.rows.len();
        before = page.next.map(|next| next.to_string());
        if before.is_none() {
            break;
        }
    }
    assert!(rows >= all.rows.len());
    let later = TimelineFilter { from_us: Some(at + 2 * SECOND), ..of_request };
    assert_eq!(calls(later, None, 500).await.unwrap().rows.len(), 1);
    for odd in [TimelineFilter::default(), filter(|f| f.cluster = Some(CLUSTER.into()))] {
        assert!(calls(odd, None, 500).await.is_err(), "of one session alone");
    }
    assert!(calls(filter(|f| f.session = Some("s1".into())), Some("odd".into()), 500).await.is_err());
    bench.evidence.close().await;
}
