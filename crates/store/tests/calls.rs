//! Which calls of the history are wanted, and how many entries there are over time.

use sallyport_audit::{Action, Draft, Outcome};
use sallyport_store::{CallFilter, Filter, History, TopBy, Went};

const BEGIN: i64 = 1_790_000_000_000_000;
const SECOND: i64 = 1_000_000;

/// One call as `app` writes it.
fn call(n: i64, verb: &str, what: &str, status: u16) -> Draft {
    let refused = if matches!(status, 401 | 403) { Outcome::Refused } else { Outcome::Ok };
    Draft::new(Action::Call)
        .at(BEGIN + n * SECOND)
        .outcome(refused)
        .detail("verb", verb)
        .detail("what", what)
        .detail("status", status)
}

async fn history(dir: &std::path::Path) -> History {
    let history = History::open(dir, None).await.unwrap();
    for draft in [
        call(0, "get", "pods api-0 in pay", 200),
        call(1, "list", "pods in pay", 200),
        call(2, "exec", "pods/exec api-0 in pay", 101),
        call(3, "get", "secrets tls in payments", 403),
        call(4, "list", "podtemplates in pay", 200),
        call(5, "get", "nodes n1", 404),
        call(6, "get", "/readyz", 200),
        // Nothing of what was asked can be taken for a part of the question.
        call(7, "get", "pods %' OR 1=1 -- in pay", 200),
    ] {
        history.append(draft).await.unwrap();
    }
    history.append_durable(Draft::new(Action::SignOut).at(BEGIN + 8 * SECOND)).await.unwrap();
    history
}

#[tokio::test]
async fn calls_are_found_by_what_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let history = history(dir.path()).await;
    let text = |text: &str| Some(text.to_owned());
    let count = async |call: CallFilter| history.count(Filter { call, ..Filter::default() }).await.unwrap();
    for (call, want) in [
        (CallFilter { verb: text("get"), ..CallFilter::default() }, 5),
        (CallFilter { resource: text("pods"), ..CallFilter::default() }, 4),
        (CallFilter { resource: text("pods/exec"), ..CallFilter::default() }, 1),
        (CallFilter { resource: text("pod"), ..CallFilter::default() }, 0),
        (CallFilter { resource: text("%"), ..CallFilter::default() }, 0),
        // That of an odd one can't be told.
        (CallFilter { namespace: text("pay"), ..CallFilter::default() }, 4),
        (CallFilter { namespace: text("ments"), ..CallFilter::default() }, 0),
        (CallFilter { name: text("api-0"), ..CallFilter::default() }, 2),
        (CallFilter { name: text("api"), ..CallFilter::default() }, 0),
        // A namespace, and the word before it, are no names.
        (CallFilter { name: text("pay"), ..CallFilter::default() }, 0),
        (CallFilter { name: text("in"), ..CallFilter::default() }, 0),
        (CallFilter { name: text("n1"), ..CallFilter::default() }, 1),
        (CallFilter { name: text("' OR '1'='1"), ..CallFilter::default() }, 0),
        (CallFilter { status: Some((400, 499)), ..CallFilter::default() }, 2),
        (CallFilter { went: Some(Went::Allowed), verb: text("get"), ..CallFilter::default() }, 3),
        (CallFilter { went: Some(Went::Refused), ..CallFilter::default() }, 1),
        (CallFilter { went: Some(Went::Failed), ..CallFilter::default() }, 1),
        (CallFilter { went: Some(Went::Failed), verb: text("list"), ..CallFilter::default() }, 0),
        (CallFilter { verb: text("get"), namespace: text("pay"), ..CallFilter::default() }, 1),
    ] {
        assert_eq!(count(call.clone()).await, want, "{call:?}");
    }
    let page =
        Filter { call: CallFilter { resource: text("pods"), ..CallFilter::default() }, ..Filter::default() };
    assert_eq!(history.page(page, None, 10).await.unwrap().entries.len(), 4, "a page and a count agree");
}

#[tokio::test]
async fn entries_are_counted_in_the_stretch_in_which_they_happened() {
    let dir = tempfile::tempdir().unwrap();
    let history = history(dir.path()).await;
    let (first, last) = history.range().await.unwrap().expect("there are entries");
    assert!(first <= BEGIN && last >= BEGIN + 8 * SECOND);
    let buckets = history.buckets(Filter::default(), BEGIN, 3 * SECOND, 3).await.unwrap();
    let each: Vec<_> = buckets.each.iter().map(|bucket| (bucket.entries, bucket.failed)).collect();
    assert_eq!((each, buckets.is_whole), (vec![(3, 0), (3, 1), (3, 0)], true));
    // By a text, which is looked for in each entry, they are the same.
    let text = Filter { text: Some("PAY".into()), ..Filter::default() };
    let buckets = history.buckets(text.clone(), BEGIN, 3 * SECOND, 3).await.unwrap();
    let sum: u64 = buckets.each.iter().map(|bucket| bucket.entries).sum();
    assert_eq!(sum, history.count(text).await.unwrap());
    // A range of the filter's own holds, and odd ones break nothing.
    let late = Filter { from: Some(BEGIN + 4 * SECOND), ..Filter::default() };
    let buckets = history.buckets(late, BEGIN, 3 * SECOND, 3).await.unwrap();
    assert_eq!(buckets.each.iter().map(|bucket| bucket.entries).collect::<Vec<_>>(), [0, 2, 3]);
    for (from, step, n) in [(i64::MAX, 1, 3), (BEGIN, 0, 2), (i64::MIN, i64::MAX, 4), (BEGIN, 1, 0)] {
        assert_eq!(history.buckets(Filter::default(), from, step, n).await.unwrap().each.len(), n);
    }
}

/// What fits nowhere is looked for no longer than a page may take, and whoever asks goes on from there.
#[tokio::test]
async fn what_no_index_knows_is_looked_for_in_stretches() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), None).await.unwrap();
    history.append_durable(call(0, "deletecollection", "pods in pay", 200)).await.unwrap();
    for n in 1..40_000 {
        history.append(call(n, "get", "pods api-0 in pay", 200)).await.unwrap();
    }
    history.append_durable(call(40_000, "get", "pods api-0 in pay", 200)).await.unwrap();
    let rare = Filter {
        call: CallFilter { verb: Some("deletecollection".to_owned()), ..CallFilter::default() },
        ..Filter::default()
    };
    let (mut cursor, mut found, mut pages) = (None, 0, 0);
    loop {
        let page = history.page(rare.clone(), cursor, 10).await.unwrap();
        (found, pages, cursor) = (found + page.entries.len(), pages + 1, page.next);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, 1, "in {pages} pages");
}

#[tokio::test]
async fn who_and_where_are_ranked_and_nobody_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let history = history(dir.path()).await;
    for (n, cluster) in ["b", "a", "b"].iter().enumerate() {
        history
            .append_durable(Draft::new(Action::Leave).at(BEGIN + n as i64).cluster(&cluster.parse().unwrap()))
            .await
            .unwrap();
    }
    let ranked = history.top(Filter::default(), TopBy::Cluster, 10).await.unwrap();
    assert_eq!(ranked, [("b".to_owned(), 2), ("a".to_owned(), 1)]);
    assert_eq!(history.top(Filter::default(), TopBy::Cluster, 1).await.unwrap().len(), 1);
    assert!(history.top(Filter::default(), TopBy::User, 10).await.unwrap().is_empty());
}
