//! What of a filter a log store is asked for. Pure. It asks for no less than what fits: all conditions are tried again on
//! what it gives, so nothing depends on which fields a shipper made of an event.

use sallyport_archive::ObjectRef;
use sallyport_engine::Wanted;
use sallyport_feeds::is_word;
use sallyport_ipc::TimelineFilter;
use sallyport_store::AuditStore;

/// What to ask; none where the filter wants another cluster's calls alone.
pub(in crate::evidence) fn wanted(
    store: &AuditStore,
    filter: &TimelineFilter,
    accounts: &[String],
) -> Option<Wanted> {
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
        code.map(statuses).unwrap_or_default(),
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

/// One of these stands in each event of a call that went so; none where most do, so that asking for them tells nothing.
fn statuses(code: &str) -> Vec<String> {
    let all = |codes: std::ops::RangeInclusive<u16>| codes.map(|code| code.to_string()).collect();
    match code {
        "denied" => {
            let codes = sallyport_events::DENIED.iter().map(u16::to_string);
            std::iter::once("forbid".to_owned()).chain(codes).collect()
        }
        // Whatever a webhook made the API server answer: each of them may be one.
        "failed" => all(400..=599),
        "4xx" => all(400..=499),
        "5xx" => all(500..=599),
        _ => Vec::new(),
    }
}

/// What to ask for what may have removed an object: by its name, with all of its kind, with its kind itself; and, in a
/// question of its own, with its namespace, which much else is removed in.
pub(in crate::evidence) fn deletions(
    store: &AuditStore,
    object: &ObjectRef,
    with_namespace: bool,
) -> Option<Wanted> {
    let filter = TimelineFilter { cluster: object.cluster.clone(), ..TimelineFilter::default() };
    let all = wanted(store, &filter, &[])?;
    let groups: [Vec<&str>; 2] = match with_namespace {
        true if object.namespace.is_empty() || object.resource == "namespaces" => return None,
        true => [vec!["delete"], vec![&object.namespace]],
        false => [
            vec!["delete", "deletecollection", "eviction"],
            vec![&object.name, "deletecollection", "customresourcedefinitions"],
        ],
    };
    let groups = groups.into_iter().filter(|group| group.iter().all(|word| is_word(word)));
    let also = groups.map(|group| group.into_iter().map(str::to_owned).collect());
    Some(Wanted { also: also.collect(), ..all })
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
        // What failed has one of the statuses that say so, whichever; what went well has none to ask for.
        let of = |code: &str| {
            let filter = TimelineFilter { code: Some(code.into()), ..TimelineFilter::default() };
            wanted(&store(None), &filter, &[]).unwrap().also.concat()
        };
        assert_eq!((of("4xx").len(), of("5xx").len(), of("failed").len()), (100, 100, 200));
        assert!(of("failed").contains(&"404".to_owned()) && of("5xx").contains(&"504".to_owned()));
        assert!(of("allowed").is_empty() && of("2xx").is_empty());
    }

    #[test]
    fn who_deleted_something_is_asked_by_its_name_and_apart_from_that_by_its_namespace() {
        let object = ObjectRef {
            cluster: Some("b".into()),
            resource: "deployments.apps".into(),
            namespace: "pay".into(),
            name: "checkout".into(),
        };
        let asked = deletions(&store(None), &object, false).unwrap();
        assert_eq!(asked.called, "b");
        assert_eq!(asked.also[0], ["delete", "deletecollection", "eviction"]);
        assert_eq!(asked.also[1], ["checkout", "deletecollection", "customresourcedefinitions"]);
        let with = deletions(&store(None), &object, true).unwrap();
        assert_eq!(with.also, [vec!["delete".to_owned()], vec!["pay".to_owned()]]);
        assert!(deletions(&store(Some("a")), &object, false).is_none(), "it is another cluster's");
        let none = ObjectRef { namespace: String::new(), ..object.clone() };
        assert!(deletions(&store(None), &none, true).is_none());
        // What is no word is not asked for, rather than missed.
        let odd = ObjectRef { name: "\" OR *".into(), ..object };
        assert_eq!(deletions(&store(None), &odd, false).unwrap().also.len(), 1);
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
