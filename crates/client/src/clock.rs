use http::{HeaderMap, header};

/// The `Date` of an answer in Unix seconds (RFC 9110 §6.6.1); `None` where it is missing or unreadable.
pub fn http_date(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    let zoned = jiff::fmt::rfc2822::DateTimeParser::new().parse_zoned(text).ok()?;
    Some(zoned.timestamp().as_second())
}

/// Theirs minus ours in seconds, when their `Date` arrived between two readings of our clock (Unix milliseconds).
///
/// Their clock is read to the second, so anything within one second of the interval counts as none.
pub fn clock_difference(date: i64, sent_ms: i64, received_ms: i64) -> i64 {
    let (earliest, latest) = (date.saturating_mul(1000), date.saturating_mul(1000).saturating_add(999));
    if latest < sent_ms {
        -((sent_ms - latest) / 1000)
    } else if earliest > received_ms {
        (earliest - received_ms) / 1000
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_header_is_read_and_noise_is_not() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::DATE, text.parse().unwrap());
            http_date(&headers)
        };
        assert_eq!(read("Tue, 24 Nov 2026 14:30:10 GMT"), Some(1_795_530_610));
        for bad in ["", "yesterday", "2026-11-24T14:30:10Z", "Tue, 99 Nov 2026 14:30:10 GMT"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(http_date(&HeaderMap::new()), None);
    }

    #[test]
    fn clocks_are_compared_to_the_second() {
        assert_eq!(clock_difference(100, 100_200, 100_400), 0);
        assert_eq!(clock_difference(100, 99_900, 100_100), 0);
        assert_eq!(clock_difference(140, 100_000, 100_500), 39);
        assert_eq!(clock_difference(60, 100_000, 100_500), -39);
    }
}
