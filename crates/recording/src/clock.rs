//! What time it is while something is recorded.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// By how much the clock that goes on has to be ahead of what was counted before the machine counts as having slept, in
/// microseconds: more than two looks that are made one after the other are apart, and less than anybody would miss.
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
        match at.checked_duration_since(self.at) {
            Some(since) => self.unix_us.saturating_add(micros(since)),
            None => self.unix_us.saturating_sub(micros(self.at.saturating_duration_since(at))),
        }
    }

    /// Whether the other clock has gone on while the monotonic one stood still; it is that one's time from here on. One that
    /// is behind is not followed: what is recorded later is never told as earlier.
    pub(crate) fn looked(&mut self, now: Instant, sleepless_us: i64) -> bool {
        let has_slept = sleepless_us.saturating_sub(self.us(now)) > AHEAD;
        if has_slept {
            *self = Self::new(now, sleepless_us);
        }
        has_slept
    }
}

/// What the wall's clock says, Unix microseconds.
pub(crate) fn wall() -> i64 {
    micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// What time it is, Unix microseconds: the wall's of now, and from there on by a clock that goes on while the machine sleeps
/// and that nobody sets. The wall's may be ahead for a moment, and all that is recorded later would be told as later still.
pub(crate) fn sleepless() -> impl Fn() -> i64 + Send {
    going_on(wall(), counted)
}

#[cfg(target_os = "linux")]
fn counted() -> i64 {
    use rustix::time::{ClockId, clock_gettime};
    micros(Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default())
}

#[cfg(not(target_os = "linux"))]
fn counted() -> i64 {
    wall()
}

fn going_on(unix_us: i64, counted: impl Fn() -> i64 + Send) -> impl Fn() -> i64 + Send {
    let begun = counted();
    move || unix_us.saturating_add(counted().saturating_sub(begun))
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

    #[test]
    fn a_sleep_is_what_the_machine_counts_and_not_what_the_wall_says() {
        let counted = Arc::new(AtomicI64::new(77_000_000));
        let by = counted.clone();
        let sleepless = going_on(1_000_000_000, move || by.load(SeqCst));
        let begun = Instant::now();
        let mut clock = Clock::new(begun, sleepless());
        counted.store(81_000_000, SeqCst);
        assert_eq!(sleepless(), 1_004_000_000, "wherever the wall's clock was put meanwhile");
        assert!(!clock.looked(begun + Duration::from_secs(4), sleepless()));
        counted.store(3_681_000_000, SeqCst);
        assert!(clock.looked(begun + Duration::from_secs(4), sleepless()), "an hour with the lid closed");
        assert_eq!(clock.us(begun + Duration::from_secs(5)), 4_605_000_000);
        // What this machine counts, as long as it does not sleep.
        let (sleepless, begun, was) = (super::sleepless(), Instant::now(), wall());
        std::thread::sleep(Duration::from_millis(20));
        let (us, most) = (sleepless() - was, micros(begun.elapsed()) + AHEAD);
        assert!((10_000..most).contains(&us), "{us}");
    }

    #[test]
    fn it_goes_on_after_a_sleep_and_never_back() {
        let begun = Instant::now();
        let later = |seconds| begun + Duration::from_secs(seconds);
        let mut clock = Clock::new(begun, 1_000_000_000);
        assert_eq!(clock.us(later(3)), 1_003_000_000);
        assert!(!clock.looked(later(3), 1_004_500_000), "ahead by a little");
        assert_eq!(clock.us(later(3)), 1_003_000_000);
        assert!(clock.looked(later(4), 4_604_000_000), "an hour there, and a second here");
        assert_eq!((clock.us(later(4)), clock.us(later(5))), (4_604_000_000, 4_605_000_000));
        assert_eq!(clock.us(later(3)), 4_603_000_000, "told a moment before it was looked at");
        assert!(!clock.looked(later(6), 5_000_000), "put back");
        assert_eq!(clock.us(later(6)), 4_606_000_000);
    }
}
