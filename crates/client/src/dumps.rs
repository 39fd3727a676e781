//! Tokens and keys are in memory, and a crash may write memory to a disk.

/// Keeps this process out of core dumps and out of reach of other processes of the same user (`ptrace`, `/proc/…/mem`).
/// Called first of all, by each program that holds tokens. Programs that it starts may still dump theirs: the limit is
/// the soft one, and being traceable comes back with `exec`.
pub fn keep_out_of_core_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Core);
        limit.current = Some(0);
        // Lowering a soft limit is always allowed; there is nobody to tell yet if it were not.
        let _ = setrlimit(Resource::Core, limit);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;

    /// This test binary again with one ignored test, in a directory of its own and allowed to dump.
    fn child(test: &str) -> (std::process::ExitStatus, String, usize) {
        let dir = tempfile::tempdir().unwrap();
        let me = std::env::current_exe().unwrap();
        let script = format!(
            "ulimit -c unlimited 2>/dev/null; exec '{}' --ignored --exact dumps::tests::{test} --nocapture",
            me.display()
        );
        let ran = Command::new("sh").args(["-c", &script]).current_dir(dir.path()).output().unwrap();
        let files = std::fs::read_dir(dir.path()).unwrap().count();
        (ran.status, String::from_utf8_lossy(&ran.stdout).into_owned(), files)
    }

    #[test]
    fn fault_e3_p1_a_program_that_holds_tokens_dumps_no_core() {
        let (status, said, files) = child("holds_tokens_and_crashes");
        assert!(said.contains("core 0, dumpable no"), "{said}");
        assert_eq!(status.signal(), Some(6), "it ended by itself: {status}");
        assert!(!status.core_dumped() && files == 0, "{status}, {files} files");
    }

    #[test]
    fn fault_e3_what_it_starts_may_still_dump() {
        let (status, said, _) = child("starts_another");
        assert!(status.success() && said.contains("core unlimited, dumpable yes"), "{status} {said}");
    }

    fn say_what_holds() {
        use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
        let core = getrlimit(Resource::Core).current.map_or("unlimited".to_owned(), |n| n.to_string());
        let dumpable = dumpable_behavior().is_ok_and(|d| d == DumpableBehavior::Dumpable);
        println!("core {core}, dumpable {}", if dumpable { "yes" } else { "no" });
    }

    #[test]
    #[ignore = "run by the test that watches it"]
    fn holds_tokens_and_crashes() {
        super::keep_out_of_core_dumps();
        say_what_holds();
        std::process::abort();
    }

    #[test]
    #[ignore = "run by the test that watches it"]
    fn starts_another() {
        super::keep_out_of_core_dumps();
        let me = std::env::current_exe().unwrap();
        // A shell of a terminal may raise its limit again.
        let script = format!(
            "ulimit -c unlimited; exec '{}' --ignored --exact dumps::tests::says_what_holds --nocapture",
            me.display()
        );
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    }

    #[test]
    #[ignore = "run by the test that watches it"]
    fn says_what_holds() {
        say_what_holds();
    }
}
