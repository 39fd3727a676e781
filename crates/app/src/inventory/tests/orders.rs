//! Whatever the two watches tell, in any order: what is shown is what they said last.

use super::world::{World, cluster, gone, malformed, preview, profile};
use crate::person::tests::workspace;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sallyport_client::Fault;
use sallyport_hub::Change;
use std::collections::{BTreeMap, BTreeSet};

const NAMES: [&str; 3] = ["ap", "eu", "us"];

/// What one watch tells.
#[derive(Clone, Debug)]
enum Told {
    /// These can be read, and these can't.
    All(BTreeSet<usize>, BTreeSet<usize>),
    Put(usize),
    Deleted(usize),
    Malformed(usize),
    Trouble(bool),
}

fn told() -> impl Strategy<Value = (bool, Told)> {
    let some = || proptest::collection::btree_set(0..NAMES.len(), 0..=NAMES.len());
    let what = prop_oneof![
        2 => (some(), some()).prop_map(|(good, bad)| {
            let good = good.difference(&bad).copied().collect();
            Told::All(good, bad)
        }),
        4 => (0..NAMES.len()).prop_map(Told::Put),
        2 => (0..NAMES.len()).prop_map(Told::Deleted),
        2 => (0..NAMES.len()).prop_map(Told::Malformed),
        1 => any::<bool>().prop_map(Told::Trouble),
    ];
    (any::<bool>(), what)
}

/// What holds of one kind, as the hub has it: whether each that is there can be read.
type Stored = BTreeMap<usize, bool>;

fn happens(stored: &mut Stored, told: &Told) {
    match told {
        Told::All(good, bad) => {
            *stored = good.iter().map(|n| (*n, true)).chain(bad.iter().map(|n| (*n, false))).collect();
        }
        Told::Put(n) => drop(stored.insert(*n, true)),
        Told::Deleted(n) => drop(stored.remove(n)),
        Told::Malformed(n) => drop(stored.insert(*n, false)),
        Told::Trouble(_) => {}
    }
}

fn change<K>(kind: &'static str, told: &Told, of: impl Fn(&str) -> K) -> Change<K> {
    let bad = |n: &usize| malformed(kind, NAMES[*n]);
    match told {
        Told::All(good, unread) => Change::All {
            objects: good.iter().map(|n| of(NAMES[*n])).collect(),
            malformed: unread.iter().map(bad).collect(),
        },
        Told::Put(n) => Change::Put(of(NAMES[*n])),
        Told::Deleted(n) => Change::Deleted(gone(NAMES[*n])),
        Told::Malformed(n) => Change::Malformed(bad(n), gone(NAMES[*n])),
        Told::Trouble(true) => Change::Trouble(Fault::TimedOut),
        Told::Trouble(false) => Change::Trouble(Fault::Forbidden("watch".into())),
    }
}

#[tokio::test(start_paused = true)]
async fn in_any_order_what_is_shown_is_what_the_watches_said_last() {
    let world = World::new().await;
    world.sign_in(0).await;
    let (inventory, here, of) = (&world.inventory, workspace(0).id(), preview("get"));
    let ada = world.desk.sits().unwrap();
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let orders = proptest::collection::vec(told(), 0..24);
    let shown = runner.run(&orders, |steps| {
        prop_assert!(inventory.begin(&ada));
        let [mut clusters, mut profiles] = [Stored::new(), Stored::new()];
        for (is_cluster, told) in &steps {
            if *is_cluster {
                happens(&mut clusters, told);
                let change = change("AccessCluster", told, |name| cluster(name, &of));
                inventory.take(&here, change, |known| &mut known.clusters, true);
            } else {
                happens(&mut profiles, told);
                let change = change("AccessProfile", told, profile);
                inventory.take(&here, change, |known| &mut known.profiles, false);
            }
            let is_down = world.desk.person.hub_is_down(&here);
            prop_assert_eq!(is_down, matches!(told, Told::Trouble(_)), "the last word counts");
            let readable = |stored: &Stored| -> Vec<&str> {
                stored.iter().filter(|(_, can_be)| **can_be).map(|(n, _)| NAMES[*n]).collect()
            };
            let unread = |kind: &str, stored: &Stored| -> Vec<String> {
                let bad = stored.iter().filter(|(_, can_be)| !**can_be);
                bad.map(|(n, _)| format!("{kind} `{}`: it makes no sense", NAMES[*n])).collect()
            };
            inventory.known(&here, |known| {
                prop_assert_eq!(known.clusters.keys().collect::<Vec<_>>(), readable(&clusters));
                prop_assert_eq!(known.profiles.keys().collect::<Vec<_>>(), readable(&profiles));
                let mut said: Vec<String> = known.unread.sentences().collect();
                said.sort();
                let both = [unread("AccessCluster", &clusters), unread("AccessProfile", &profiles)];
                prop_assert_eq!(said, both.concat());
                Ok(())
            })?;
        }
        Ok(())
    });
    shown.unwrap_or_else(|error| panic!("{error}"));
}
