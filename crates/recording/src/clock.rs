//! What time it is while something is recorded.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// By how much the wall's clock has to be ahead of what was counted before it is believed, in microseconds: more than a clock
/// is put right by in small steps, and less than anybody would miss.
const AHEAD: i64 = 2_000_000;

/// Where both clocks stood. In between the monotonic one counts: it is never put back, but stands still while the machine
/// sleeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    at: Instant,
    unix_us: i64,
}

impl Clock {
    pub(crate) fn new(at: Instant, unix_us: i64) -> Self {
        Self { at, unix_us }
    }

    /// A moment in Unix microseconds.
    pub(crate) fn us(&self, at: Instant) -> i64 {
        let micros = |span: std::time::Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        match at.checked_duration_since(self.at) {
            Some(since) => self.unix_us.saturating_add(micros(since)),
            None => self.unix_us.saturating_sub(micros(self.at.saturating_duration_since(at))),
        }
    }

    /// Whether the wall's clock has gone on while the monotonic one stood still; it is that one's time from here on. A wall's
    /// clock that was put back is not followed: what is recorded later is never told as earlier.
    pub(crate) fn looked(&mut self, now: Instant, wall_us: i64) -> bool {
        let has_slept = wall_us.saturating_sub(self.us(now)) > AHEAD;
        if has_slept {
            *self = Self::new(now, wall_us);
        }
        has_slept
    }
}

/// What the wall's clock says, Unix microseconds.
pub(crate) fn wall() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn it_goes_on_after_a_sleep_and_never_back() {
        let begun = Instant::now();
        let later = |seconds| begun + Duration::from_secs(seconds);
        let mut clock = Clock::new(begun, 1_000_000_000);
        assert_eq!(clock.us(later(3)), 1_003_000_000);
        assert!(!clock.looked(later(3), 1_004_500_000), "put right by a little");
        assert_eq!(clock.us(later(3)), 1_003_000_000);
        assert!(clock.looked(later(4), 4_604_000_000), "an hour on the wall, and a second here");
        assert_eq!((clock.us(later(4)), clock.us(later(5))), (4_604_000_000, 4_605_000_000));
        assert_eq!(clock.us(later(3)), 4_603_000_000, "told a moment before it was looked at");
        assert!(!clock.looked(later(6), 5_000_000), "put back");
        assert_eq!(clock.us(later(6)), 4_606_000_000);
    }
}
