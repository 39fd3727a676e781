//! What of a filter a log store is asked for. Pure. It asks for no less than what fits: all conditions are tried again on
//! what it gives, so nothing depends on which fields a shipper made of an event.

use sallyport_engine::Wanted;
use sallyport_feeds::is_word;
use sallyport_ipc::TimelineFilter;
use sallyport_store::AuditStore;

/// What to ask; none where the filter wants another cluster's calls alone.
pub(super) fn wanted(store: &AuditStore, filter: &TimelineFilter, accounts: &[String]) -> Option<Wanted> {
    let named = said(&filter.cluster);
    let called = match (&store.cluster, named) {
        (Some(own), Some(named)) if own.as_str() != named => return None,
        (Some(own), _) => own.as_str(),
        (None, named) => named.unwrap_or_default(),
    };
    let (resource, below) = match said(&filter.resource) {
        Some(text) => text.split_once('/').map_or((Some(text), None), |(one, two)| (Some(one), Some(two))),
        None => (None, None),
    };
    let code = said(&filter.code);
    let status = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
    let one = |text: Option<&str>| text.map(str::to_owned).into_iter().collect::<Vec<_>>();
    let groups = [
        one(said(&filter.person)),
        one(said(&filter.verb)),
        // As kubectl writes it: the group stands in a field of its own.
        one(resource.map(|resource| resource.split('.').next().unwrap_or_default())),
        one(below),
        one(said(&filter.namespace)),
        one(said(&filter.name)),
        one(status),
        if code == Some("denied") { denied() } else { Vec::new() },
        accounts.to_vec(),
    ];
    let also = groups.into_iter().filter(|group| !group.is_empty() && group.iter().all(|word| is_word(word)));
    Some(Wanted {
        filter: Some(store.filter.clone()).filter(|filter| !filter.is_empty()),
        also: also.collect(),
        parts: said(&filter.text).and_then(part).into_iter().collect(),
        ..Wanted::of(called)
    })
}

/// One of these stands in each event of a call that was denied.
fn denied() -> Vec<String> {
    let codes = sallyport_events::DENIED.iter().map(u16::to_string);
    std::iter::once("forbid".to_owned()).chain(codes).collect()
}

fn said(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// The longest piece of a text that stands in JSON as it is: what lies between pieces may be put together by us alone
/// (`deployments.apps`), or be written otherwise there.
fn part(text: &str) -> Option<String> {
    let pieces = text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'));
    pieces.max_by_key(|piece| piece.len()).filter(|piece| piece.len() > 1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(cluster: Option<&str>) -> AuditStore {
        AuditStore {
            id: "logs-1".to_owned(),
            cluster: cluster.map(|cluster| cluster.parse().unwrap()),
            address: "victorialogs:https://logs.example".to_owned(),
            tenant: String::new(),
            filter: String::new(),
            credential: None,
            ca: None,
        }
    }

    #[test]
    fn a_store_is_asked_for_what_stands_in_an_event_and_for_nothing_else() {
        let filter = TimelineFilter {
            person: Some("oidc:dana@example.test".into()),
            verb: Some("\" OR *".into()),
            resource: Some("deployments.apps/scale".into()),
            code: Some("denied".into()),
            text: Some("deployments.apps \"checkout\"".into()),
            ..TimelineFilter::default()
        };
        let asked = wanted(&store(None), &filter, &[]).unwrap();
        let words: Vec<&str> = asked.also.iter().flatten().map(String::as_str).collect();
        assert_eq!(words, ["oidc:dana@example.test", "deployments", "scale", "forbid", "401", "403"]);
        assert_eq!((asked.called.as_str(), &asked.parts[..]), ("", &["deployments".to_owned()][..]));
        // A range of codes is no word.
        let codes = TimelineFilter { code: Some("4xx".into()), ..TimelineFilter::default() };
        assert!(wanted(&store(None), &codes, &[]).unwrap().also.is_empty());
    }

    #[test]
    fn another_clusters_calls_are_not_asked_of_a_store_of_one() {
        let of =
            |cluster: &str| TimelineFilter { cluster: Some(cluster.into()), ..TimelineFilter::default() };
        assert!(wanted(&store(Some("a")), &of("b"), &[]).is_none());
        assert_eq!(wanted(&store(Some("a")), &TimelineFilter::default(), &[]).unwrap().called, "a");
        assert_eq!(wanted(&store(None), &of("b"), &[]).unwrap().called, "b");
    }
}
