//! One process per data directory.

use sallyport_store::{InstanceLock, StoreError};
use sallyport_testkit::child::{self, Child};

#[test]
fn p14_two_processes_never_share_a_directory_and_a_killed_one_is_not_in_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Child::start("hold_until_killed", dir.path()).unwrap();
    assert_eq!(child.line().unwrap().as_deref(), Some("holding"));
    let Err(StoreError::Locked { pid, .. }) = InstanceLock::take(dir.path()) else { panic!("shared") };
    assert_eq!(pid, Some(child.id()));
    child.kill().unwrap();
    InstanceLock::take(dir.path()).expect("a killed process holds nothing");
}

#[test]
#[ignore = "run by the test that kills it"]
fn hold_until_killed() {
    let _lock = InstanceLock::take(&child::dir().unwrap()).unwrap();
    child::say("holding");
    loop {
        std::thread::park();
    }
}

#[test]
fn a_child_of_the_holder_does_not_hold_it() {
    let dir = tempfile::tempdir().unwrap();
    let lock = InstanceLock::take(dir.path()).unwrap();
    let mut sleeper = std::process::Command::new("sleep").arg("30").spawn().unwrap();
    drop(lock);
    let taken = InstanceLock::take(dir.path());
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    taken.unwrap();
}
