//! VictoriaLogs (docs.victoriametrics.com/victorialogs): LogsQL to ask, JSON lines both ways.

mod rebuilt;

use crate::ask::{Ask, Pulled, Text, Wanted, moment, somewhere};
use crate::http::{Http, is_html};
use crate::push::Pushed;
use crate::record::Record;
use crate::target::Target;
use crate::{EngineError, Steps};
use jiff::Timestamp;
use sallyport_events::LINE_MOST;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A record is a JSON text in which the line stands as a string: twice as long when everything in it is escaped.
const RECORD_MOST: usize = 2 * LINE_MOST + (1 << 20);

pub(crate) async fn page(http: &Http, target: &Target, ask: &Ask<'_>) -> Result<Vec<Pulled>, EngineError> {
    let order = if ask.newest { " desc" } else { "" };
    let query = format!("* | sort by (_time{order}) limit {}", ask.most);
    // `end` is before that moment, to the nanosecond.
    let (from, to) = (moment(ask.from), moment(ask.to));
    let mut form = vec![("query", query.as_str()), ("start", &from), ("end", &to)];
    let filters = filters(ask.wanted);
    form.extend(filters.iter().map(|filter| ("extra_filters", filter.as_str())));
    let mut body = http.ask(target.at("/select/logsql/query"), &form).await?;
    let (mut page, mut line, mut is_skipped) = (Vec::new(), Vec::new(), false);
    let mut last = if ask.newest { ask.to - 1 } else { ask.from };
    while let Some(chunk) = body.chunk().await? {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            let (piece, ends) = piece.strip_suffix(b"\n").map_or((piece, false), |piece| (piece, true));
            if line.len() + piece.len() > RECORD_MOST {
                is_skipped = true;
                line.clear();
            }
            if !is_skipped {
                line.extend_from_slice(piece);
            }
            if !ends {
                continue;
            }
            if std::mem::take(&mut is_skipped) {
                // Its time is not known but for the order.
                page.push(Pulled { at: last, cluster: None, text: Text::TooLong });
            } else if !line.trim_ascii().is_empty() {
                let record = record(http, &line, ask.wanted)?;
                last = record.at;
                page.push(record);
            }
            line.clear();
            if page.len() > ask.most {
                return Err(http.unfit(format!("more than the {} records that were asked for", ask.most)));
            }
        }
    }
    if is_skipped || !line.trim_ascii().is_empty() {
        return Err(match is_html(&line) {
            true => html(http),
            false => http.unfit("an answer that breaks off in the middle of a record"),
        });
    }
    Ok(page)
}

fn html(http: &Http) -> EngineError {
    http.unfit("a page of HTML: a proxy or somebody's sign-in page is in between, or the address is another program's")
}

fn record(http: &Http, line: &[u8], wanted: &Wanted) -> Result<Pulled, EngineError> {
    if is_html(line) {
        return Err(html(http));
    }
    let fields: Map<String, Value> = serde_json::from_slice(line)
        .map_err(|_| http.unfit("a line that is no JSON object, as each of VictoriaLogs is"))?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let at = text("_time").and_then(|time| time.parse::<Timestamp>().ok());
    let at = at.and_then(|at| i64::try_from(at.as_nanosecond()).ok());
    let Some(at) = at else {
        return Err(http.unfit("a record without a time (`_time`)"));
    };
    let cluster = text(&wanted.label).map(str::to_owned);
    let line = text("_msg").unwrap_or_default();
    let line = match line.trim_start().starts_with(['{', '[']) {
        true => line.to_owned(),
        // Whoever shipped it had the JSON taken apart: an event, or how a history was.
        false if fields.contains_key("auditID") || fields.contains_key("checkpoint") => {
            rebuilt::rebuilt(&fields).to_string()
        }
        false => line.to_owned(),
    };
    let text = if line.len() > LINE_MOST { Text::TooLong } else { Text::Whole(line) };
    Ok(Pulled { at, cluster, text })
}

/// All that restricts, each as an argument of its own: that takes filters alone, so that nothing in it reaches the order or
/// the limit.
fn filters(wanted: &Wanted) -> Vec<String> {
    let words = wanted.groups().map(|group| words(group));
    let parts = wanted.parts.iter().map(|part| format!("*:~{}", quoted(&somewhere(part))));
    words.chain(parts).chain([filter(wanted)]).collect()
}

/// Somebody's own filter, else the cluster's records, or those that name any.
fn filter(wanted: &Wanted) -> String {
    let of_cluster = || match wanted.called.as_str() {
        "" => format!("{}:*", quoted(&wanted.label)),
        called => format!("{}:={}", quoted(&wanted.label), quoted(called)),
    };
    wanted.filter.clone().unwrap_or_else(of_cluster)
}

/// How many records there are in each step, as `hits` counts them.
pub(crate) async fn counts(
    http: &Http,
    target: &Target,
    steps: &Steps,
    wanted: &Wanted,
) -> Result<Vec<u64>, EngineError> {
    let (from, to) = (moment(steps.from), moment(steps.end()));
    // Steps are counted from the beginning of Unix time: `offset` puts ours to where they begin.
    let (step, offset) = (format!("{}ns", steps.step), format!("{}ns", steps.from.rem_euclid(steps.step)));
    let mut form = vec![("query", "*"), ("start", &from), ("end", &to), ("step", &step), ("offset", &offset)];
    let filters = filters(wanted);
    form.extend(filters.iter().map(|filter| ("extra_filters", filter.as_str())));
    let body = http.ask(target.at("/select/logsql/hits"), &form).await?.whole().await?;
    if is_html(&body) {
        return Err(html(http));
    }
    let answer: Hits =
        serde_json::from_slice(&body).map_err(|_| http.unfit("what is no answer of VictoriaLogs' `hits`"))?;
    let mut counts = vec![0_u64; steps.many];
    for group in answer.hits {
        if group.timestamps.len() != group.values.len() {
            return Err(http.unfit("counts and moments that are not as many"));
        }
        for (at, count) in group.timestamps.iter().zip(group.values) {
            let at = at.parse::<Timestamp>().ok().and_then(|at| i64::try_from(at.as_nanosecond()).ok());
            let at = at.ok_or_else(|| http.unfit("a count without a time"))?;
            // A step that begins before the first has what is asked for at its end.
            let place = usize::try_from((at - steps.from).max(0) / steps.step).unwrap_or(usize::MAX);
            let bin = counts.get_mut(place).filter(|_| at > steps.from.saturating_sub(steps.step));
            let bin = bin.ok_or_else(|| http.unfit("counts of another time than was asked for"))?;
            *bin = bin.saturating_add(count);
        }
    }
    Ok(counts)
}

/// What `hits` answers.
#[derive(Deserialize)]
struct Hits {
    hits: Vec<HitsOf>,
}

#[derive(Deserialize)]
struct HitsOf {
    timestamps: Vec<String>,
    values: Vec<u64>,
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A filter for one of some words, in whichever field. Each is quoted, so that nothing in it is more than a word.
fn words(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("*:{}", quoted(word))).collect();
    format!("({})", words.join(" OR "))
}

pub(crate) async fn push(http: &Http, target: &Target, records: &[Record]) -> Result<Pushed, EngineError> {
    let mut url = target.at("/insert/jsonline");
    url.query_pairs_mut().append_pair("_stream_fields", "cluster,source").append_pair("_time_field", "_time");
    let mut body = Vec::new();
    for record in records {
        let mut line = json!({
            "_time": moment(record.at),
            "_msg": record.event,
            "cluster": record.cluster,
            "source": "sallyport",
            "id": record.id,
        });
        if let Value::Object(fields) = &mut line {
            fields.extend(record.fields.iter().map(|(name, text)| ((*name).to_owned(), text.clone().into())));
        }
        // Writing to a Vec never fails.
        let _ = serde_json::to_writer(&mut body, &line);
        body.push(b'\n');
    }
    http.post(url, "application/stream+json", body).await?;
    Ok(Pushed::all(records))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_is_a_text_whatever_it_is_called() {
        let wanted = Wanted::of("a\" or *");
        assert_eq!(filter(&wanted), r#""cluster":="a\" or *""#);
        assert_eq!(filter(&Wanted::of_every()), r#""cluster":*"#);
    }

    #[test]
    fn a_part_is_a_text_whatever_a_pattern_would_make_of_it() {
        let wanted = Wanted { parts: vec![".*\" | delete".to_owned()], ..Wanted::of("a") };
        assert_eq!(filters(&wanted)[0], r#"*:~"(?i)\\.\\*\\\" \\| delete""#);
    }

    #[test]
    fn words_are_words_whatever_stands_in_them() {
        let hostile = ["s-1".to_owned(), "\" OR * | delete \"".to_owned()];
        assert_eq!(words(&hostile), r#"(*:"s-1" OR *:"\" OR * | delete \"")"#);
    }
}
