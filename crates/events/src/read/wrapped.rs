//! What audit events are wrapped in on their way: lists, CloudWatch, diagnostic records, shippers of logs.

use super::draft::{Draft, Wrap};
use super::{Around, Teller, gke};
use crate::scan::Scan;
use crate::{Bad, Shape, Text, What, time};

/// The categories of AKS that hold audit events (all calls, and all but reads).
const AKS_AUDIT: [&str; 2] = ["kube-audit", "kube-audit-admin"];

impl Teller<'_> {
    /// An object that is no event: what is wrapped in it, or that it is foreign.
    pub(super) fn wrapped(&mut self, draft: &Draft<'_>, text: &str, around: Around) {
        let find =
            |wrap: Wrap| draft.wraps.iter().find(|(kind, _)| *kind == wrap).map(|(_, start)| &text[*start..]);
        let around = around.at(find(Wrap::Time).and_then(time_of));
        if find(Wrap::Proto).is_some() {
            return match gke::read(text) {
                Ok(Some(event)) => self.event(Box::new(event), around.of(Shape::Gke)),
                Ok(None) => self.foreign("LogEntry of another service"),
                Err(bad) => self.tell(What::Bad(bad)),
            };
        }
        let kind = draft.kind.as_deref().unwrap_or_default();
        if let Some(items) = find(Wrap::Items)
            && kind == "EventList"
            && draft.api_version.as_deref().is_none_or(|version| version.starts_with("audit.k8s.io/"))
        {
            return self.list(items, around);
        }
        if !kind.is_empty() {
            let version = draft.api_version.as_deref().unwrap_or_default();
            return self.foreign(format!("{kind} {version}").trim());
        }
        if let Some(records) = find(Wrap::Records).or_else(|| find(Wrap::LogEvents)) {
            let is_cloudwatch = find(Wrap::Records).is_none();
            return self.list(records, if is_cloudwatch { around.of(Shape::Eks) } else { around });
        }
        if let Some(category) = find(Wrap::Category).and_then(word) {
            return self.record(
                &category,
                find(Wrap::Properties),
                find(Wrap::Message),
                around.of(Shape::Aks),
            );
        }
        if let Some(message) = find(Wrap::Message) {
            let is_cloudwatch = find(Wrap::LogGroup).is_some()
                || find(Wrap::Time).is_some_and(|time| time.starts_with(|c: char| c.is_ascii_digit()));
            return self.inner(message, if is_cloudwatch { around.of(Shape::Eks) } else { around });
        }
        match draft.stopped {
            true => self.tell(What::Bad(Bad::NotJson)),
            false => self.foreign("JSON"),
        }
    }

    fn list(&mut self, text: &str, around: Around) {
        if text.starts_with('[') {
            return self.elements(text, around);
        }
        self.tell(What::Bad(Bad::NotAnObject));
    }

    /// A record of AKS: the event is under `properties.log`, or in the column `log_s` of what was exported.
    fn record(&mut self, category: &str, properties: Option<&str>, log: Option<&str>, around: Around) {
        if !AKS_AUDIT.contains(&category) {
            return self.foreign(category);
        }
        let Some(properties) = properties else {
            return match log {
                Some(log) => self.inner(log, around),
                None => self.tell(What::Bad(Bad::NotAnObject)),
            };
        };
        // `properties` is an object, or a text of one.
        let mut scan = Scan::new(properties);
        let owned;
        let properties = if properties.starts_with('"') {
            owned = torn_or_whole(&mut scan).unwrap_or_default().into_owned();
            owned.as_str()
        } else {
            properties
        };
        let mut scan = Scan::new(properties);
        let mut first = true;
        if scan.object() != Ok(true) {
            return self.tell(What::Bad(Bad::NotAnObject));
        }
        while let Ok(Some(key)) = scan.key(&mut first) {
            if key == "log" && scan.peek().is_ok() {
                return self.inner(&properties[scan.at()..], around);
            }
            if scan.skip().is_err() {
                break;
            }
        }
        self.tell(What::Bad(Bad::NotJson));
    }

    /// A value that holds an event: an object, or a text of one, which may have been cut.
    fn inner(&mut self, text: &str, around: Around) {
        let around = around.deeper();
        let mut scan = Scan::new(text);
        match text.as_bytes().first() {
            Some(b'"') => {
                let inner = torn_or_whole(&mut scan).unwrap_or_default();
                let inner = inner.trim_matches(|c: char| c.is_whitespace() || c == '\0' || c == '\u{feff}');
                self.text(inner, around);
            }
            Some(b'{') => {
                let end = scan.skip().map_or(text.len(), |range| range.end);
                self.objects(&text[..end], around);
            }
            Some(b'[') => self.elements(text, around),
            _ => self.foreign("JSON"),
        }
    }
}

/// A text, or what there is of it.
fn torn_or_whole<'a>(scan: &mut Scan<'a>) -> Option<Text<'a>> {
    match scan.text() {
        Ok(text) => text,
        Err(_) => scan.torn.take(),
    }
}

fn word(text: &str) -> Option<Text<'_>> {
    Scan::new(text).text().ok().flatten()
}

/// Microseconds of Unix time: of a text, or of a number of milliseconds (CloudWatch), microseconds or nanoseconds.
fn time_of(text: &str) -> Option<i64> {
    let mut scan = Scan::new(text);
    if text.starts_with('"') {
        return time::micros(&scan.text().ok()??);
    }
    match scan.number().ok()?? {
        number @ 0..100_000_000_000_000 => Some(number * 1000),
        number @ 100_000_000_000_000..100_000_000_000_000_000 => Some(number),
        number if number > 0 => Some(number / 1000),
        _ => None,
    }
}
