//! The objects of a hub that make no sense, until they do or are gone.

use sallyport_api::MalformedObject;
use sallyport_model::{clip, visible};

/// So many are kept of those that came one by one.
const KEPT: usize = 50;

/// Each object once, the one that came last at the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unread(Vec<MalformedObject>);

impl Unread {
    /// All of a kind that can't be read. What another watch told of another kind stays.
    pub(super) fn all(&mut self, kind: &str, now: Vec<MalformedObject>) {
        self.0.retain(|one| one.kind != kind);
        self.0.extend(now);
    }

    /// One can't be read.
    pub(super) fn add(&mut self, one: MalformedObject) {
        self.0.retain(|before| (before.kind, &before.name) != (one.kind, &one.name));
        self.0.push(one);
        let surplus = self.0.len().saturating_sub(KEPT);
        self.0.drain(..surplus);
    }

    /// One can be read again, or is gone.
    pub(super) fn remove(&mut self, kind: &str, name: &str) {
        // As such an object names itself.
        let name = clip(&visible(name), 80);
        self.0.retain(|one| one.kind != kind || one.name != name);
    }

    /// A sentence for each.
    pub(super) fn sentences(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(ToString::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(name: &str) -> MalformedObject {
        MalformedObject { kind: "AccessCluster", name: clip(&visible(name), 80), why: "no".into() }
    }

    #[test]
    fn the_last_fifty_are_kept_and_one_with_a_long_name_goes_when_it_can_be_read() {
        let mut unread = Unread::default();
        for i in 0..60 {
            unread.add(cluster(&format!("c-{i}")));
        }
        assert_eq!(unread.sentences().count(), KEPT);
        assert_eq!(unread.sentences().next().unwrap(), "AccessCluster `c-10`: no");
        let long = "x".repeat(200);
        unread.add(cluster(&long));
        unread.remove("AccessProfile", &long);
        assert_eq!(unread.sentences().count(), KEPT);
        unread.remove("AccessCluster", &long);
        assert_eq!(unread.sentences().count(), KEPT - 1);
    }
}
