//! Times as audit logs write them.

use jiff::Timestamp;

/// Microseconds of Unix time of an RFC 3339 text; `None` for anything else. A space in place of the `T` is taken too,
/// and what has no zone is UTC (CloudWatch Insights writes both).
pub(crate) fn micros(text: &str) -> Option<i64> {
    usual(text.as_bytes()).or_else(|| {
        if text.len() > 64 {
            return None;
        }
        let text = text.trim();
        let parsed: Option<Timestamp> = text.parse().ok();
        let parsed = parsed.or_else(|| format!("{text}Z").parse().ok());
        parsed.map(Timestamp::as_microsecond)
    })
}

/// `2026-11-29T21:40:35.123456Z`, which is what API servers write: read without detours.
fn usual(text: &[u8]) -> Option<i64> {
    let (head, tail) = text.split_at_checked(19)?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|(at, byte)| head[*at] != *byte) {
        return None;
    }
    let number = |from: usize, to: usize| {
        head[from..to]
            .iter()
            .try_fold(0i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        1..=12 if month != 2 => 31,
        _ => 28,
    };
    if !(1..=12).contains(&month) || !(1..=last).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        // The 29th of February and leap seconds are for the calendar.
        return None;
    }
    let fraction = tail.strip_suffix(b"Z")?;
    let micros = match fraction.split_first() {
        None => 0,
        Some((b'.', digits)) if (1..=6).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) => {
            let read = digits.iter().fold(0i64, |sum, byte| sum * 10 + i64::from(byte - b'0'));
            read * 10i64.pow(6 - digits.len() as u32)
        }
        _ => return None,
    };
    // Days since 1970-01-01 in the proleptic Gregorian calendar, years that begin in March.
    let years = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (years.div_euclid(400), years.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some((days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000 + micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_read_and_noise_is_not() {
        assert_eq!(micros("1970-01-01T00:00:00.000001Z"), Some(1));
        assert_eq!(micros("2026-11-29T21:40:35Z"), micros("2026-11-29T22:40:35+01:00"));
        assert_eq!(micros("2026-11-29 21:40:35.500"), micros("2026-11-29T21:40:35.5Z"));
        assert_eq!(micros("2024-02-29T00:00:00Z").map(|t| t % 1_000_000), Some(0));
        for bad in ["", "now", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-29", &"9".repeat(99)]
        {
            assert_eq!(micros(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_usual_form_is_read_as_everybody_reads_it(at in 0i64..4_000_000_000_000_000) {
            let text = Timestamp::from_microsecond(at).unwrap().to_string();
            prop_assert_eq!(micros(&text), Some(at));
        }

        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,40}") {
            let _ = micros(&text);
        }
    }
}
