//! How far an API server's clock is from this machine's, by the `Date` of its answers.

use http::{HeaderMap, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// Seconds that this machine's clock is ahead of the API server's, by one answer that came `now`; negative: behind. None: it
/// does not tell its time.
///
/// A `Date` is told to the second and was written before the answer came, so that a second or two is nothing.
pub(crate) fn ahead(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let date = headers.get(header::DATE)?.to_str().ok()?;
    let there = DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(now.as_second().saturating_sub(there.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_compared_and_nonsense_is_none() {
        let now: Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
        let at = |date: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(header::DATE, http::HeaderValue::from_bytes(date).unwrap());
            ahead(&headers, now)
        };
        assert_eq!(at(b"Sun, 29 Nov 2026 22:00:00 GMT"), Some(7200));
        assert_eq!(at(b"Mon, 30 Nov 2026 00:01:30 GMT"), Some(-90));
        for none in [&b""[..], b"soon", b"\xff\xfe", b"Sun, 29 Nov 99999 22:00:00 GMT", &[b'9'; 4000]] {
            assert_eq!(at(none), None);
        }
        assert_eq!(ahead(&HeaderMap::new(), now), None);
    }
}
