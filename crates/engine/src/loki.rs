//! Loki's HTTP API (grafana.com/docs/loki, "HTTP API"): LogQL to ask, pushes in JSON.

use crate::EngineError;
use crate::ask::{Ask, Pulled, Text, Wanted, somewhere};
use crate::http::{Http, is_html};
use crate::push::Pushed;
use crate::record::Record;
use crate::target::Target;
use sallyport_events::LINE_MOST;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Loki's own most of one page (`max_entries_limit_per_query`) is 5,000, and asking for more is refused.
const PAGE_MOST: usize = 5000;

#[derive(Deserialize)]
struct Answer {
    status: String,
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    #[serde(default)]
    stream: BTreeMap<String, String>,
    // What follows time and line is metadata that we do not look at.
    values: Vec<Vec<Value>>,
}

pub(crate) async fn page(http: &Http, target: &Target, ask: &Ask<'_>) -> Result<Vec<Pulled>, EngineError> {
    let most = ask.most.min(PAGE_MOST);
    let mut url = target.at("/loki/api/v1/query_range");
    // `end` is before that moment, `start` from it on.
    url.query_pairs_mut()
        .append_pair("query", &query(ask.wanted))
        .append_pair("start", &ask.from.to_string())
        .append_pair("end", &ask.to.to_string())
        .append_pair("limit", &most.to_string())
        .append_pair("direction", if ask.newest { "backward" } else { "forward" });
    let body = http.get(url).await?.whole().await?;
    if is_html(&body) {
        return Err(http.unfit("a page of HTML: a proxy or somebody's sign-in page is in between"));
    }
    let answer: Answer = serde_json::from_slice(&body).map_err(|error| {
        http.unfit(format!("what is no answer of Loki's (line {}, column {})", error.line(), error.column()))
    })?;
    if answer.status != "success" || answer.data.result_type != "streams" {
        return Err(http.unfit("an answer that has no log lines in it"));
    }
    let mut page = Vec::new();
    for stream in answer.data.result {
        let cluster = stream.stream.get(&ask.wanted.label);
        for value in stream.values {
            let (at, line) = match &value[..] {
                [Value::String(at), Value::String(line), ..] => (at.parse::<i64>(), line),
                _ => return Err(http.unfit("a value that is not a time and a line")),
            };
            let at = at.map_err(|_| http.unfit("a line without a time"))?;
            let text = if line.len() > LINE_MOST { Text::TooLong } else { Text::Whole(line.clone()) };
            page.push(Pulled { at, cluster: cluster.cloned(), text });
        }
    }
    // Each stream is in order, and they stand one behind the other.
    page.sort_by_key(|record| record.at);
    if ask.newest {
        page.reverse();
    }
    Ok(page)
}

/// A stream selector, and line filters for words. Each text is quoted, so that nothing in it is more than a text.
fn query(wanted: &Wanted) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let mut query = match &wanted.filter {
        Some(filter) => filter.clone(),
        None if wanted.called.is_empty() => format!("{{{}=~\".+\"}}", wanted.label),
        None => format!("{{{}={}}}", wanted.label, quoted(&wanted.called)),
    };
    for group in wanted.groups() {
        let words: Vec<String> = group.iter().map(|word| quoted(word)).collect();
        query.push_str(&format!(" |= {}", words.join(" or ")));
    }
    for part in &wanted.parts {
        query.push_str(&format!(" |~ {}", quoted(&somewhere(part))));
    }
    query
}

pub(crate) async fn push(http: &Http, target: &Target, records: &[Record]) -> Result<Pushed, EngineError> {
    let mut streams: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for record in records {
        let values = streams.entry(&record.cluster).or_default();
        values.push(json!([record.at.to_string(), record.event]));
    }
    // No more labels than these: each further one is a stream of its own, and users and ids would be thousands.
    let streams: Vec<Value> = streams
        .into_iter()
        .map(|(cluster, values)| json!({"stream": {"cluster": cluster, "source": "sallyport"}, "values": values}))
        .collect();
    let body = json!({ "streams": streams }).to_string().into_bytes();
    http.post(target.at("/loki/api/v1/push"), "application/json", body).await?;
    Ok(Pushed::all(records))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_quoted() {
        let mut wanted = Wanted::of("pay\"ments");
        assert_eq!(query(&wanted), r#"{cluster="pay\"ments"}"#);
        assert_eq!(query(&Wanted::of_every()), r#"{cluster=~".+"}"#);
        wanted.filter = Some("{job=\"audit\"}".to_owned());
        wanted.words = vec!["s-1".to_owned(), "JTI=\"} | drop".to_owned()];
        assert_eq!(query(&wanted), r#"{job="audit"} |= "s-1" or "JTI=\"} | drop""#);
        wanted.parts = vec!["a.b".to_owned()];
        assert!(query(&wanted).ends_with(r#" |~ "(?i)a\\.b""#), "{}", query(&wanted));
    }
}
