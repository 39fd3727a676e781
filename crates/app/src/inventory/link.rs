//! Whether the hub is taken for reachable while its watches say nothing: what the signs of life, which are listed all the time,
//! may say about that.

use std::time::Duration;
use tokio::time::Instant;

/// How often it is looked at first whether the hub is there again. A watch that goes on after a gap says nothing until something
/// changes, and little does.
const AGAIN: Duration = Duration::from_secs(5);
/// And at last, the hub being away for long.
const AGAIN_MOST: Duration = Duration::from_secs(30);
/// How long the watches have to be quiet once they failed again. They are tried again at least every 13 s.
const QUIET: Duration = Duration::from_secs(15);
const QUIET_MOST: Duration = Duration::from_secs(240);
/// A trouble later than this has nothing to do with the one before.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// What the watches of a sign-in last ran into, and what became of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Troubles {
    last: Option<Instant>,
    /// Since when a list of the signs of life is taken for the hub's being back, and the watches have said nothing good.
    cleared: Option<Instant>,
    /// How often the watches failed again after that.
    again: u32,
    /// Lists since the hub went away.
    listed: u32,
}

impl Troubles {
    /// A watch ran into trouble.
    pub(crate) fn came(&mut self, now: Instant) {
        if let Some(cleared) = self.cleared.take() {
            self.listed = 0;
            self.again =
                if now.duration_since(cleared) < FORGOTTEN { self.again.saturating_add(1) } else { 0 };
        }
        self.last = Some(now);
    }

    /// A watch brought something.
    pub(crate) fn over(&mut self) {
        *self = Self::default();
    }

    /// The signs of life were listed: whether that means that the hub is back. It does at once for the first time; where the
    /// watches went on failing, only after they were quiet for a while, longer each time. Else the window would say that the hub
    /// is there and that it isn't every few seconds.
    pub(crate) fn clear(&mut self, now: Instant) -> bool {
        let Some(last) = self.last else { return true };
        if self.again > 0 && now.duration_since(last) < grown(QUIET, self.again - 1, QUIET_MOST) {
            return false;
        }
        self.cleared.get_or_insert(now);
        true
    }

    /// How long to wait for the next list while the hub is away, on average.
    pub(crate) fn until_again(&mut self) -> Duration {
        let wait = grown(AGAIN, self.listed / 2, AGAIN_MOST);
        self.listed = self.listed.saturating_add(1);
        wait
    }
}

/// Twice as long each time.
fn grown(first: Duration, times: u32, most: Duration) -> Duration {
    first.saturating_mul(1 << times.min(8)).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_watch_that_keeps_failing_is_not_taken_for_mended_by_every_list() {
        let (mut troubles, start) = (Troubles::default(), Instant::now());
        assert!(troubles.clear(start), "nothing happened");
        // The watch fails every 10 s, each list succeeds: for ten minutes.
        let mut turns = 0;
        let mut live = true;
        for second in 0..600 {
            let now = start + seconds(second);
            let before = live;
            if second % 10 == 0 {
                troubles.came(now);
                live = false;
            }
            if second % 5 == 2 {
                live |= troubles.clear(now);
            }
            turns += u32::from(before != live);
        }
        assert!(turns <= 3 && !live, "{turns} turns, {live}");
    }

    #[test]
    fn a_hub_that_is_back_is_taken_for_back_by_the_first_list_however_often_it_was_away() {
        let (mut troubles, start) = (Troubles::default(), Instant::now());
        for outage in 0..5 {
            let begun = start + seconds(outage * 3600);
            for second in (0..60).step_by(10) {
                troubles.came(begun + seconds(second));
            }
            assert!(troubles.clear(begun + seconds(61)), "outage {outage}");
            assert!(troubles.clear(begun + seconds(180)));
        }
        // Soon again: after a little quiet.
        let again = start + seconds(4 * 3600 + 120);
        troubles.came(again);
        assert!(!troubles.clear(again + seconds(14)));
        assert!(troubles.clear(again + seconds(15)));
        // And what a watch brings is worth more than any list.
        troubles.came(again + seconds(20));
        assert!(!troubles.clear(again + seconds(40)));
        troubles.over();
        assert!(troubles.clear(again + seconds(41)));
    }

    #[test]
    fn the_longer_a_hub_is_away_the_more_seldom_it_is_asked() {
        let mut troubles = Troubles::default();
        troubles.came(Instant::now());
        let waits: Vec<u64> = (0..7).map(|_| troubles.until_again().as_secs()).collect();
        assert_eq!(waits, [5, 5, 10, 10, 20, 20, 30]);
        troubles.over();
        assert_eq!(troubles.until_again(), AGAIN);
    }
}
