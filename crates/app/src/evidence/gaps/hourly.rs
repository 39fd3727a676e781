//! How many gaps of one cluster's logs become entries of their own: whoever may write to a folder of logs can make one at each
//! look, and would fill the person's history with them. What is beyond that is counted, and becomes one entry.

use sallyport_model::ClusterName;
use std::collections::HashMap;
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3600);
/// Entries of gaps of one cluster in an hour, beside the one that counts the others.
const MOST: usize = 8;

/// The hours of all clusters in which gaps were found; of what is about none, by itself.
#[derive(Debug, Default)]
pub(crate) struct Hourly(HashMap<Option<ClusterName>, Hour>);

#[derive(Debug)]
struct Hour {
    until: Instant,
    noted: usize,
    held: Option<Held>,
}

/// What was found to be missing of a cluster in an hour and is no entry of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) source: String,
    /// How often something was found.
    pub(super) count: u64,
    /// What the first of them was.
    pub(super) first: String,
    /// The stretch of all of them, in microseconds.
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Hourly {
    fn hour(&mut self, cluster: Option<&ClusterName>, at: Instant) -> &mut Hour {
        let new = || Hour { until: at + HOUR, noted: 0, held: None };
        self.0.entry(cluster.cloned()).or_insert_with(new)
    }

    /// Takes so many as entries of a cluster, and as many of them as there may still be.
    pub(super) fn take(&mut self, cluster: Option<&ClusterName>, wanted: usize, at: Instant) -> usize {
        let hour = self.hour(cluster, at);
        let taken = wanted.min(MOST - hour.noted);
        hour.noted += taken;
        taken
    }

    /// There may be no more of a cluster.
    pub(super) fn is_full(&mut self, cluster: Option<&ClusterName>, at: Instant) -> bool {
        self.hour(cluster, at).noted >= MOST
    }

    /// Counts one that becomes no entry of its own.
    pub(super) fn hold(&mut self, cluster: Option<&ClusterName>, one: Held, at: Instant) {
        let hour = self.hour(cluster, at);
        match &mut hour.held {
            Some(held) => {
                held.count = held.count.saturating_add(one.count);
                (held.from, held.to) = (held.from.min(one.from), held.to.max(one.to));
            }
            none => *none = Some(one),
        }
    }

    /// Takes away the hours that are over by then, with what was held in them.
    pub(super) fn over(&mut self, at: Instant) -> Vec<(Option<ClusterName>, Held)> {
        self.take_away(|hour| hour.until <= at)
    }

    /// Takes away all of them.
    pub(super) fn all(&mut self) -> Vec<(Option<ClusterName>, Held)> {
        self.take_away(|_| true)
    }

    fn take_away(&mut self, is_over: impl Fn(&Hour) -> bool) -> Vec<(Option<ClusterName>, Held)> {
        let over = self.0.extract_if(|_, hour| is_over(hour));
        over.filter_map(|(cluster, hour)| Some((cluster, hour.held?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(first: &str, from: i64, to: i64) -> Held {
        Held { source: "s".to_owned(), count: 1, first: first.to_owned(), from, to }
    }

    #[test]
    fn p19_what_is_more_than_a_few_in_an_hour_is_counted_and_told_once() {
        let mut hourly = Hourly::default();
        let (began, one, other) = (Instant::now(), "a".parse().unwrap(), "b".parse().unwrap());
        let (one, other) = (Some(&one), Some(&other));
        assert_eq!((hourly.take(one, 3, began), hourly.is_full(one, began)), (3, false));
        assert_eq!((hourly.take(one, 30, began), hourly.is_full(one, began)), (MOST - 3, true));
        assert_eq!(hourly.take(one, 1, began), 0);
        assert_eq!((hourly.take(other, 1, began), hourly.take(None, 1, began)), (1, 1), "each has its own");
        hourly.hold(one, held("first", 50, 60), began);
        hourly.hold(one, held("second", 40, 55), began);
        let before = began + HOUR - Duration::from_secs(1);
        assert!(hourly.over(before).is_empty() && hourly.is_full(one, before));
        let told = hourly.over(began + HOUR);
        assert_eq!(told.len(), 1, "nothing was held of the others");
        assert_eq!(told[0], (one.cloned(), Held { count: 2, ..held("first", 40, 60) }));
        assert_eq!(hourly.take(one, 30, began + HOUR), MOST, "another hour begins");
        hourly.hold(other, held("x", 1, 2), began + HOUR);
        assert_eq!((hourly.all().len(), hourly.all().len()), (1, 0));
    }
}
