//! What somebody did before, of a hub that pages, and that breaks off.

use super::world::{TEAM, World, request, waits};
use sallyport_api::AccessRequest;
use sallyport_client::Fault;
use sallyport_hub::{Listed, Page};
use sallyport_ipc::ErrorCode;
use serde_json::json;

fn page(requests: Vec<AccessRequest>, next: Option<&str>) -> Result<Page<AccessRequest>, Fault> {
    let listed = Listed { objects: requests, malformed: Vec::new() };
    Ok(Page { listed, next: next.map(str::to_owned) })
}

fn closed(uid: &str, user: &str) -> AccessRequest {
    let grant =
        json!({"name": "g", "uid": "u", "end": "2026-11-24T15:00:00Z", "account": "s-aaaa-1795500000"});
    request(uid, user, json!({"phase": "Closed", "grant": grant}))
}

#[tokio::test(start_paused = true)]
async fn every_page_is_asked_for_with_the_one_before_and_only_the_requesters_count() {
    let world = World::lee(vec![waits("r", &["get"])]).await;
    let pages = [
        page(vec![closed("a", "oidc:dana"), closed("b", "oidc:mo")], Some("more")),
        page(vec![closed("c", "oidc:dana")], None),
    ];
    world.hub.closed.lock().unwrap().extend(pages);
    let seen = world.approvals.before("r".into()).await.unwrap();
    assert_eq!((seen.opened, seen.never_opened, seen.more), (2, 0, false));
    let paged = world.hub.paged.lock().unwrap().clone();
    let after: Vec<Option<&str>> = paged.iter().map(|(_, _, after)| after.as_deref()).collect();
    assert_eq!(after, [None, Some("more")]);
    assert!(paged.iter().all(|(team, most, _)| team == TEAM && *most <= 500));
}

#[tokio::test(start_paused = true)]
async fn a_past_without_end_is_not_read_without_end_and_one_that_breaks_off_is_no_small_one() {
    let world = World::lee(vec![waits("r", &["get"])]).await;
    let endless = (0..50).map(|n| page(vec![closed(&format!("c{n}"), "oidc:dana")], Some("more")));
    world.hub.closed.lock().unwrap().extend(endless);
    let seen = world.approvals.before("r".into()).await.unwrap();
    assert!(seen.more && seen.opened == 10 && seen.last_at.is_none(), "{seen:?}");
    for fault in [Fault::Gone, Fault::TimedOut, Fault::Forbidden("no".into())] {
        let breaks_off = [page(vec![closed("a", "oidc:dana")], Some("more")), Err(fault.clone())];
        *world.hub.closed.lock().unwrap() = breaks_off.into();
        let error = world.approvals.before("r".into()).await.unwrap_err();
        assert_eq!(error.view().retry, fault.may_pass(), "{fault}: {error}");
    }
    assert_eq!(world.approvals.before("gone".into()).await.unwrap_err().code(), ErrorCode::BadInput);
}
