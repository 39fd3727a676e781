//! `/metrics` in the text format of Prometheus, line by line as it comes: the series that posture looks at, summed over
//! the labels that it does not. Nothing else is held.

use sallyport_model::clip;
use sallyport_posture::snapshot::Sample;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The most that is taken in. API servers of large clusters send tens of megabytes.
pub(crate) const MOST: u64 = 256 << 20;
/// The longest line.
const LINE: usize = 16 << 10;
/// The most series that are kept.
const SERIES: usize = 4000;
/// The longest value of a label that is kept, in characters.
const VALUE: usize = 200;

/// A series that is looked at.
struct Wanted {
    name: &'static str,
    /// Labels that are kept; values are summed over all others.
    keep: &'static [&'static str],
    /// Which of them.
    only: fn(&BTreeMap<String, String>) -> bool,
}

const fn wanted(name: &'static str, keep: &'static [&'static str]) -> Wanted {
    Wanted { name, keep, only: |_| true }
}

/// Names as `kube-apiserver` has them (documented at kubernetes.io, reference/instrumentation/metrics).
const WANTED: [Wanted; 19] = [
    wanted(OWN, &[]),
    wanted("apiserver_audit_level_total", &["level"]),
    wanted("apiserver_audit_error_total", &["plugin"]),
    wanted("apiserver_audit_requests_rejected_total", &[]),
    wanted(
        "apiserver_storage_transformation_operations_total",
        &["resource", "transformation_type", "transformer_prefix"],
    ),
    wanted("apiserver_encryption_config_controller_last_config_info", &[]),
    wanted("apiserver_authentication_config_controller_last_config_info", &[]),
    wanted("apiserver_authentication_jwt_authenticator_latency_seconds_count", &["result"]),
    wanted("apiserver_authorization_decisions_total", &["type", "decision"]),
    wanted("apiserver_admission_controller_admission_duration_seconds_count", &["name"]),
    wanted("apiserver_admission_webhook_fail_open_count", &["name", "type"]),
    wanted("apiserver_manifest_admission_config_controller_last_config_info", &["plugin"]),
    wanted("pod_security_exemptions_total", &[]),
    wanted("apiserver_client_certificate_expiration_seconds_bucket", &["le"]),
    wanted("apiserver_client_certificate_expiration_seconds_count", &[]),
    wanted("apiserver_requested_deprecated_apis", &["group", "version", "resource", "removed_release"]),
    wanted("authentication_attempts", &["result"]),
    wanted("serviceaccount_legacy_tokens_total", &[]),
    Wanted {
        name: "apiserver_request_total",
        keep: &[],
        // Secrets that were written: only then does an API server without encryption prove that it has none.
        only: |labels| {
            let label = |name: &str| labels.get(name).map(String::as_str).unwrap_or_default();
            label("resource") == "secrets"
                && matches!(label("verb"), "POST" | "PUT" | "PATCH" | "APPLY")
                && label("code").starts_with('2')
        },
    },
];

/// Where they are asked for by their names: API servers since 1.37 send no other then, and what others send beside them
/// is passed over. All of them are megabytes, and one reading is to cost an API server little.
pub(crate) static PATH: LazyLock<String> = LazyLock::new(|| {
    let mut names = BTreeSet::new();
    for Wanted { name, .. } in &WANTED {
        // A histogram is asked for by the name that its series begin with, and a counter may end like one.
        let whole = name.strip_suffix("_bucket").or_else(|| name.strip_suffix("_count"));
        names.extend(whole.into_iter().chain([*name]));
    }
    let asked: Vec<String> = names.into_iter().map(|name| format!("name%5B%5D={name}")).collect();
    format!("/metrics?{}", asked.join("&"))
});

/// An API server has this one from its start, whatever is configured.
const OWN: &str = "apiserver_audit_event_total";

/// Takes in what comes.
#[derive(Default)]
pub(crate) struct Reader {
    line: Vec<u8>,
    /// The line is longer than any, and is passed over to its end.
    over: bool,
    series: BTreeMap<(&'static str, BTreeMap<String, String>), f64>,
    /// Why something that was looked for may be missing.
    lost: Option<&'static str>,
}

impl Reader {
    /// The next part, cut anywhere.
    pub(crate) fn take_in(&mut self, data: &[u8]) {
        for part in data.split_inclusive(|byte| *byte == b'\n') {
            let ends = part.ends_with(b"\n");
            if self.line.len() + part.len() > LINE {
                // The name is at the beginning, so a line that matters says so early.
                let begun = [self.line.as_slice(), part].concat();
                if !self.over && name(&begun).is_some() {
                    self.lost = Some("a series of it is longer than any");
                }
                (self.over, self.line) = (true, Vec::new());
            } else if !self.over {
                self.line.extend_from_slice(part);
            }
            if ends {
                if !self.over {
                    let line = std::mem::take(&mut self.line);
                    self.line(&line);
                }
                (self.over, self.line) = (false, Vec::new());
            }
        }
    }

    fn line(&mut self, line: &[u8]) {
        let Some(wanted) = name(line) else { return };
        let Some((labels, value)) =
            std::str::from_utf8(line).ok().and_then(|line| parse(&line[wanted.name.len()..]))
        else {
            self.lost = Some("a series of it can't be read");
            return;
        };
        // JSON has no word for the others, and no count is one of them.
        if !value.is_finite() || !(wanted.only)(&labels) {
            return;
        }
        let kept = labels.into_iter().filter(|(key, _)| wanted.keep.contains(&key.as_str()));
        let key = (wanted.name, kept.map(|(key, value)| (key, clip(&value, VALUE))).collect());
        if self.series.len() >= SERIES && !self.series.contains_key(&key) {
            self.lost = Some("it has more series than a scan keeps");
            return;
        }
        *self.series.entry(key).or_insert(0.0) += value;
    }

    /// What was taken in, and why something may be missing.
    pub(crate) fn end(mut self) -> (Vec<Sample>, Option<&'static str>) {
        let rest = std::mem::take(&mut self.line);
        self.line(&rest);
        if !self.series.keys().any(|(name, _)| *name == OWN) && self.lost.is_none() {
            self.lost = Some("what answered sent no metrics of an API server");
        }
        let sample =
            |((name, labels), value): ((&str, _), f64)| Sample { name: name.to_owned(), labels, value };
        (self.series.into_iter().map(sample).collect(), self.lost)
    }
}

/// What is looked for under a line's name.
fn name(line: &[u8]) -> Option<&'static Wanted> {
    let end = line.iter().position(|byte| matches!(byte, b'{' | b' ' | b'\t'))?;
    WANTED.iter().find(|one| one.name.as_bytes() == &line[..end])
}

/// What follows a name: labels in braces where there are any, and a value.
fn parse(rest: &str) -> Option<(BTreeMap<String, String>, f64)> {
    let mut labels = BTreeMap::new();
    let mut rest = rest.trim_start();
    if let Some(mut inner) = rest.strip_prefix('{') {
        loop {
            inner = inner.trim_start_matches([' ', ',']);
            if let Some(after) = inner.strip_prefix('}') {
                rest = after;
                break;
            }
            let (key, after) = inner.split_once('=')?;
            let (value, after) = quoted(after)?;
            labels.insert(key.trim().to_owned(), value);
            inner = after;
        }
    }
    let value = rest.split_ascii_whitespace().next()?.parse().ok()?;
    Some((labels, value))
}

/// A value in quotes, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start().strip_prefix('"')?;
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> (Vec<Sample>, Option<&'static str>) {
        let mut reader = Reader::default();
        reader.take_in(text.as_bytes());
        reader.end()
    }

    fn own(text: &str) -> String {
        format!("{OWN} 0\n{text}")
    }

    #[test]
    fn series_are_summed_over_what_is_not_looked_at() {
        let text = own("# HELP apiserver_authorization_decisions_total x\n\
             apiserver_authorization_decisions_total{decision=\"allowed\",name=\"a\",type=\"RBAC\"} 3\n\
             apiserver_authorization_decisions_total{decision=\"allowed\",name=\"b\",type=\"RBAC\"} 4 1795978695\n\
             apiserver_request_total{code=\"201\",resource=\"secrets\",verb=\"POST\"} 2\n\
             apiserver_request_total{code=\"403\",resource=\"secrets\",verb=\"POST\"} 9\n\
             apiserver_request_total{code=\"201\",resource=\"pods\",verb=\"POST\"} 9\n\
             apiserver_client_certificate_expiration_seconds_bucket{le=\"+Inf\"} 5\n\
             other_total 1\n");
        let (series, lost) = read(&text);
        assert_eq!(lost, None);
        let of = |name: &str| {
            series.iter().filter(|one| one.name == name).map(|one| one.value).collect::<Vec<_>>()
        };
        assert_eq!(of("apiserver_authorization_decisions_total"), [7.0]);
        assert_eq!(of("apiserver_request_total"), [2.0]);
        assert_eq!(of("apiserver_client_certificate_expiration_seconds_bucket"), [5.0]);
        assert!(of("other_total").is_empty());
    }

    #[test]
    fn p21_what_is_none_of_an_api_server_or_can_not_be_read_says_so() {
        for (text, why) in [
            (String::new(), "sent no metrics"),
            ("<html>".to_owned(), "sent no metrics"),
            ("process_start_time_seconds 1\n".to_owned(), "sent no metrics"),
            (own("apiserver_audit_level_total{level=\"Metadata} 3\n"), "can't be read"),
            (own("apiserver_audit_level_total{level=\"Metadata\"} many\n"), "can't be read"),
            (own("apiserver_audit_level_total"), ""),
            (
                own(&format!("apiserver_audit_level_total{{level=\"{}\"}} 1\n", "x".repeat(20_000))),
                "longer than any",
            ),
            (own(&format!("other_total{{level=\"{}\"}} 1\n", "x".repeat(20_000))), ""),
            (own("apiserver_audit_level_total{level=\"Metadata\"} NaN\n"), ""),
        ] {
            let lost = read(&text).1.unwrap_or_default();
            assert!(lost.contains(why) && lost.is_empty() == why.is_empty(), "{why}: {lost}");
        }
    }

    #[test]
    fn hostile_labels_are_text_and_many_series_are_cut() {
        let (series, lost) =
            read(&own("apiserver_audit_error_total{plugin=\"a\\\"} 9\\n{b=\\\\\u{202e}\",x=\"}\"} 1\n"));
        let label = series.iter().find_map(|one| one.labels.get("plugin")).cloned();
        assert_eq!((label.as_deref(), lost), (Some("a\"} 9\n{b=\\\u{202e}"), None));
        let many: String =
            (0..5000).map(|n| format!("apiserver_audit_error_total{{plugin=\"{n}\"}} 1\n")).collect();
        let (series, lost) = read(&own(&many));
        assert!(
            series.len() <= SERIES && lost.is_some_and(|why| why.contains("more series")),
            "{}",
            series.len()
        );
        let long = own(&format!("apiserver_audit_error_total{{plugin=\"{}\"}} 1\n", "ä".repeat(4000)));
        assert!(read(&long).0.iter().all(|one| one.label("plugin").chars().count() <= VALUE + 1));
    }

    proptest! {
        /// Cut anywhere and of whatever bytes: it ends, and what was cut elsewhere is the same.
        #[test]
        fn where_it_is_cut_makes_no_difference(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            at in 0usize..400,
        ) {
            let mut text = own("apiserver_audit_level_total{level=\"Metadata\"} 3\n").into_bytes();
            text.extend(bytes);
            let at = at.min(text.len());
            let mut reader = Reader::default();
            reader.take_in(&text[..at]);
            reader.take_in(&text[at..]);
            let mut whole = Reader::default();
            whole.take_in(&text);
            prop_assert_eq!(reader.end(), whole.end());
        }
    }
}
