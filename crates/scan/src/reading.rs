use crate::reduce::reduce;
use sallyport_posture::snapshot::{Authorizers, Door, Told, Tried, WaysIn};
use sallyport_posture::{Coverage, Kind, Snapshot};
use serde_json::Value;
use std::collections::BTreeMap;

/// Seconds by which clocks may be apart before anything is said.
const APART: u64 = 60;

/// Seconds beyond which no clock is believed to be apart, whatever a file or a server says: a hundred years.
const FAR: i64 = 100 * 365 * 86_400;

/// One object: kind, namespace (empty: none) and name.
pub type Place = (String, String, String);

/// One reading of a cluster: objects reduced to what posture looks at, and how far each kind was read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Where it was read from, for people: an address, a folder.
    pub source: String,
    /// As whom, where the API server said.
    pub user: Option<String>,
    /// When, RFC 3339, where it is known.
    pub taken: Option<String>,
    /// Seconds that this machine's clock was ahead of the API server's, negative: behind; none: it did not say.
    pub clock_ahead: Option<i64>,
    /// The server's version as it writes it, e.g. `v1.37.2`.
    pub version: Option<String>,
    /// Its major and minor version.
    pub server: Option<(u32, u32)>,
    /// Who decides beside RBAC.
    pub authorizers: Authorizers,
    /// What the API server tells of itself beside its objects.
    pub told: Told,
    /// What anybody sees of it before signing in ([`crate::door`]); none: nobody looked.
    pub door: Option<Door>,
    /// How a kubeconfig gets its person in ([`crate::ways_in`]); none: none is part of this reading.
    pub ways_in: Option<WaysIn>,
    /// What came of making a privileged pod in each namespace, as a try ([`crate::privileged`]); none: nobody asked.
    pub tried: Option<Vec<Tried>>,
    /// How far each kind was read; a kind that is missing was not asked for.
    pub coverage: BTreeMap<Kind, Coverage>,
    /// The files that could not be read, and why.
    pub unread: Vec<String>,
    /// The file that an object stands in, where it stands in one.
    pub files: BTreeMap<Place, String>,
    /// What files name without holding it, and how it was taken; a sentence each.
    pub assumed: Vec<String>,
    pub(crate) objects: Vec<(Kind, Value)>,
}

impl Reading {
    /// Takes in an object, reduced.
    pub(crate) fn add(&mut self, kind: Kind, object: Value) {
        self.objects.push((kind, reduce(kind, object)));
    }

    /// How many objects of each kind there are.
    pub fn counts(&self) -> BTreeMap<Kind, usize> {
        let mut counts = BTreeMap::new();
        for (kind, _) in &self.objects {
            *counts.entry(*kind).or_insert(0) += 1;
        }
        counts
    }

    /// Whether nothing at all was read.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
            && !self.coverage.values().any(|one| matches!(one, Coverage::Read | Coverage::NotServed))
    }

    /// What posture is asked about.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.server = self.server;
        snapshot.version = self.version.clone();
        let taken = self.taken.as_deref().and_then(|taken| taken.parse::<jiff::Timestamp>().ok());
        // What ends there ends by its clock; within a minute it is one and the same.
        let ahead = self.clock_ahead.filter(|ahead| ahead.unsigned_abs() > APART);
        snapshot.clock_ahead = ahead.map(|ahead| ahead.clamp(-FAR, FAR));
        let ahead = snapshot.clock_ahead.unwrap_or_default();
        snapshot.taken = taken.map(|taken| taken.as_second().saturating_sub(ahead));
        snapshot.authorizers = self.authorizers.clone();
        snapshot.told = self.told.clone();
        snapshot.door = self.door.clone();
        snapshot.ways_in = self.ways_in.clone();
        snapshot.tried = self.tried.clone();
        for (kind, object) in &self.objects {
            // Reduced objects have a kind; one that had none would make its kind cut.
            if snapshot.take_value(object.clone()).is_err() {
                snapshot.asked(*kind, Coverage::Cut("something in its list is no object".to_owned()));
            }
        }
        for (kind, coverage) in &self.coverage {
            snapshot.asked(*kind, coverage.clone());
        }
        snapshot
    }
}
