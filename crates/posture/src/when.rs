//! Days of the calendar, without a clock: seconds of Unix to a date and back (proleptic Gregorian, UTC).

pub(crate) const DAY: i64 = 86_400;

/// Seconds of Unix as `2026-11-29`.
pub(crate) fn date(seconds: i64) -> String {
    // Eras of 400 years, years that begin in March: the leap day is the last of each.
    let days = seconds.div_euclid(DAY).saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era.saturating_mul(400) + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-11-29` or `2026-11-29T19:04:55Z` as seconds of Unix; another zone than UTC is none that an API server writes.
pub(crate) fn unix(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok().map(i64::from);
    let is = |at: usize, sign: u8| text.as_bytes().get(at) == Some(&sign);
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    if !is(4, b'-') || !is(7, b'-') || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year_from_march = year - i64::from(month <= 2);
    let era = year_from_march.div_euclid(400);
    let of_era = year_from_march.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let within = match text.len() {
        10 => 0,
        _ if is(10, b'T') && is(13, b':') && is(16, b':') && text.ends_with('Z') => {
            number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?
        }
        _ => return None,
    };
    Some(days * DAY + within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_795_978_695, "2026-11-29"),
            (-1, "1969-12-31"),
        ] {
            assert_eq!(date(seconds), text);
        }
        assert_eq!(unix("2026-11-29T19:04:55Z"), Some(1_795_979_095));
        assert_eq!(unix("2026-11-29T19:04:55.123Z"), Some(1_795_979_095));
        for none in ["", "yesterday", "2026-13-01", "2026-11-29T19:04:55+01:00", "2026/11/29", "ääääääääää"]
        {
            assert_eq!(unix(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn a_date_is_read_as_it_was_written(day in 0i64..80_000, text in ".{0,24}") {
            prop_assert_eq!(unix(&date(day * DAY)), Some(day * DAY));
            let _ = unix(&text);
        }
    }
}
