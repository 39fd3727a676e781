//! Moments and HTTP statuses as people type them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};

pub(crate) use sallyport_report::handed::told;

/// A moment that somebody named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// So many microseconds before now.
    Ago(i64),
    /// In microseconds of Unix time.
    At(i64),
}

impl Since {
    /// In microseconds of Unix time.
    pub(crate) fn at(self, now: Timestamp) -> i64 {
        match self {
            Self::Ago(micros) => now.as_microsecond().saturating_sub(micros),
            Self::At(micros) => micros,
        }
    }
}

/// `2h`, `3d`, `2026-11-29` (UTC), `2026-11-29T20:15:00Z`.
pub(crate) fn parse_since(text: &str) -> Result<Since, String> {
    let wrong = || {
        "a moment is one like 2h or 3d (before now), 2026-11-29 (its begin in UTC) or 2026-11-29T20:15:00Z"
            .to_owned()
    };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Since::At(at.as_microsecond()));
    }
    if text.len() == 10
        && let Ok(date) = text.parse::<Date>()
    {
        let at = date.to_zoned(TimeZone::UTC).map_err(|_| wrong())?;
        return Ok(Since::At(at.timestamp().as_microsecond()));
    }
    let span: Span = text.parse().map_err(|_| wrong())?;
    let ago = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    let micros = i64::try_from(ago.as_micros()).map_err(|_| wrong())?;
    if micros < 0 { Err(wrong()) } else { Ok(Since::Ago(micros)) }
}

/// `403`, `4xx`, `400-499`.
pub(crate) fn parse_code(text: &str) -> Result<(u16, u16), String> {
    let wrong = || "a status is one like 403, 4xx or 400-499".to_owned();
    let one = |text: &str| text.parse::<u16>().ok().filter(|code| (100..=599).contains(code));
    let range = match (text.strip_suffix("xx"), text.split_once('-')) {
        (Some(hundreds), _) => one(&format!("{hundreds}00")).map(|from| (from, from + 99)),
        (None, Some((from, to))) => one(from).zip(one(to)).filter(|(from, to)| from <= to),
        (None, None) => one(text).map(|code| (code, code)),
    };
    range.ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_type_them() {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let at = |text: &str| told(parse_since(text).unwrap().at(now));
        assert_eq!(at("2h"), "2026-11-29T10:00:00.000Z");
        assert_eq!(at("3d"), "2026-11-26T12:00:00.000Z");
        assert_eq!(at("2026-11-29"), "2026-11-29T00:00:00.000Z");
        assert_eq!(at("2026-11-29T20:15:00.5+01:00"), "2026-11-29T19:15:00.500Z");
        for wrong in
            ["", "yesterday", "-2h", "2026-13-01", "1y2", "9999999999999999999h", "2026-11-29T25:00:00Z"]
        {
            let why = parse_since(wrong).unwrap_err();
            assert!(why.contains("2026-11-29T20:15:00Z"), "{wrong}: {why}");
        }
    }

    #[test]
    fn a_status_is_one_or_a_range() {
        assert_eq!(parse_code("403"), Ok((403, 403)));
        assert_eq!(parse_code("5xx"), Ok((500, 599)));
        assert_eq!(parse_code("400-404"), Ok((400, 404)));
        for wrong in ["", "xx", "9xx", "0", "404-400", "4x", "-", "200-", "1e2", "99999"] {
            assert!(parse_code(wrong).is_err(), "{wrong}");
        }
    }
}
