//! The processes of a terminal: everything in the session its shell leads, everything that carries its mark in the
//! environment, and what those have started.

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use sallyport_model::visible;
use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinError;

/// The variable that marks what was started in a terminal; its value is the terminal's own directory.
pub(crate) const MARK: &str = "SALLYPORT_TERMINAL";

/// How often it is looked whether they have ended.
const STEP: Duration = Duration::from_millis(20);

/// What belongs to one terminal.
///
/// The session finds what the shell started in the usual way. The mark finds what left the session: a tmux server, a
/// daemon, an editor of its own window. What wiped its environment is found as long as its parent is, and after that if it
/// was there when they were all held.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    leader: Option<Pid>,
    mark: OsString,
    /// When its shell was started: whatever is older was not started in it.
    since: u64,
    /// Those that were held: each by its process id and when it began, which no later process shares.
    held: Arc<Mutex<HashSet<(i32, u64)>>>,
}

/// What /proc says of one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) name: String,
    pub(crate) stat: Stat,
}

/// The fields of `/proc/<pid>/stat` that matter here (proc(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    state: char,
    parent: i32,
    group: i32,
    session: i32,
    /// The terminal it is on; 0 without one.
    terminal: i32,
    /// The group in the foreground of that terminal.
    foreground: i32,
    /// When it was started, in clock ticks since boot.
    pub(crate) began: u64,
    /// Where its stack begins. A fork keeps it and an exec draws a new one, so it tells one program's run from the
    /// next in the same process. 0 when it may not be read.
    pub(crate) image: u64,
}

impl Stat {
    pub(crate) fn foreground_group(&self) -> i32 {
        self.foreground
    }

    pub(crate) fn parse(line: &str) -> Option<(String, Self)> {
        // The name may contain anything, parentheses too; the last one closes it.
        let (before, after) = line.rsplit_once(')')?;
        let name = before.split_once('(')?.1.to_owned();
        let fields: Vec<&str> = after.split_whitespace().collect();
        let signed = |at: usize| fields.get(at)?.parse::<i32>().ok();
        let unsigned = |at: usize| fields.get(at)?.parse::<u64>().ok();
        let stat = Self {
            state: fields.first()?.chars().next()?,
            parent: signed(1)?,
            group: signed(2)?,
            session: signed(3)?,
            terminal: signed(4)?,
            foreground: signed(5)?,
            began: unsigned(19)?,
            image: unsigned(25).unwrap_or_default(),
        };
        Some((name, stat))
    }

    fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }

    /// Whether it does something, or would if a processor or a disk had time for it.
    pub(crate) fn is_at_work(&self) -> bool {
        matches!(self.state, 'R' | 'D')
    }

    /// Whether what is typed into its terminal goes to its group.
    pub(crate) fn is_in_foreground(&self) -> bool {
        self.terminal != 0 && self.group == self.foreground
    }
}

/// What [`end`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// What is still there, by name and process id.
    pub(crate) left: Vec<(String, u32)>,
    /// Why nobody knows what is still there: /proc could not be read. What could be signalled without it was.
    pub(crate) unknown: Option<String>,
}

impl Ended {
    /// What a task said of it. One that was cut short has shown nothing.
    pub(crate) fn of(said: Result<Self, JoinError>) -> Self {
        let unknown = || Some("looking for it was cut short".to_owned());
        said.unwrap_or_else(|_| Self { left: Vec::new(), unknown: unknown() })
    }

    /// What is or may be still there, for people.
    pub(crate) fn in_words(&self) -> Vec<String> {
        let known = self.left.iter().map(|(name, pid)| format!("{} (process {pid})", visible(name)));
        let unknown = self.unknown.iter().map(|why| format!("whatever else was started here ({why})"));
        known.chain(unknown).collect()
    }
}

impl Family {
    pub(crate) fn of(leader: Pid, mark: impl Into<OsString>) -> Self {
        let since = of(leader).map_or(0, |process| process.stat.began);
        Self { leader: Some(leader), mark: mark.into(), since, held: Arc::default() }
    }

    /// What an earlier run of the app left of a terminal.
    pub(crate) fn marked(mark: impl Into<OsString>) -> Self {
        Self { leader: None, mark: mark.into(), since: 0, held: Arc::default() }
    }

    /// The same by its mark alone.
    pub(crate) fn without_session(&self) -> Self {
        Self { leader: None, ..self.clone() }
    }

    pub(crate) fn leader(&self) -> Option<Pid> {
        self.leader
    }

    /// The living ones. An error where /proc can't be read, for want of a descriptor mostly: that is not the same as
    /// none.
    #[cfg(target_os = "linux")]
    pub(crate) fn members(&self) -> io::Result<Vec<Process>> {
        self.members_in(Path::new("/proc"))
    }

    #[cfg(target_os = "linux")]
    fn members_in(&self, proc: &Path) -> io::Result<Vec<Process>> {
        let all = all(proc)?;
        let mut found: Vec<bool> = all.iter().map(|it| self.has(proc, it)).collect::<io::Result<_>>()?;
        // Children of children, until nothing is added.
        loop {
            let parents: HashSet<i32> = std::iter::zip(&all, &found)
                .filter_map(|(process, found)| found.then_some(process.pid.as_raw_nonzero().get()))
                .collect();
            let before = found.iter().filter(|found| **found).count();
            for (process, found) in std::iter::zip(&all, &mut found) {
                *found |= parents.contains(&process.stat.parent);
            }
            if found.iter().filter(|found| **found).count() == before {
                break;
            }
        }
        let own = rustix::process::getpid();
        Ok(std::iter::zip(all, found)
            .filter_map(|(process, found)| (found && process.pid != own).then_some(process))
            .collect())
    }

    /// Where there is no /proc, only the shell itself is known.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn members(&self) -> io::Result<Vec<Process>> {
        let Some(pid) = self.leader.filter(|leader| rustix::process::test_kill_process(*leader).is_ok())
        else {
            return Ok(Vec::new());
        };
        let stat = Stat {
            state: 'R',
            parent: 0,
            group: 0,
            session: 0,
            terminal: 0,
            foreground: 0,
            began: 0,
            image: 0,
        };
        Ok(vec![Process { pid, name: String::new(), stat }])
    }

    /// An error where its environment can't be read for a reason of ours: it may be one of them.
    #[cfg(target_os = "linux")]
    fn has(&self, proc: &Path, process: &Process) -> io::Result<bool> {
        use std::os::unix::ffi::OsStrExt as _;
        if self.leader.is_some_and(|leader| leader.as_raw_nonzero().get() == process.stat.session) {
            return Ok(true);
        }
        if process.stat.began < self.since {
            return Ok(false);
        }
        let known = (process.pid.as_raw_nonzero().get(), process.stat.began);
        if self.held.lock().unwrap_or_else(PoisonError::into_inner).contains(&known) {
            return Ok(true);
        }
        let path = proc.join(process.pid.as_raw_nonzero().to_string()).join("environ");
        let environment = match std::fs::read(path) {
            Ok(environment) => environment,
            // Ended, another user's, or one that gave the memory of its environment away.
            Err(error) if is_gone(&error) || is(&error, rustix::io::Errno::IO) => return Ok(false),
            Err(error) => return Err(error),
        };
        Ok(environment.split(|byte| *byte == 0).any(|variable| {
            variable
                .strip_prefix(MARK.as_bytes())
                .and_then(|rest| rest.strip_prefix(b"="))
                .is_some_and(|value| value == self.mark.as_bytes())
        }))
    }

    /// Stops every one of them, and those they make meanwhile, and remembers them: one that wiped its environment is known
    /// by its parent alone, and no end of that may lose it. Looks until all that is there stands still, for a few
    /// milliseconds; the signal that follows lets them go on.
    fn hold(&self) {
        for _ in 0..10 {
            let Ok(members) = self.members() else { return };
            let mut moved = false;
            for Process { pid, stat, .. } in members {
                moved |= stat.state != 'T';
                let known = (pid.as_raw_nonzero().get(), stat.began);
                if self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(known) || stat.state != 'T'
                {
                    let _ = kill_process(pid, Signal::STOP);
                }
            }
            if !moved {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Signals every one of them; says how many there were. Where they can't be listed, the shell and its group are
    /// signalled all the same: that takes no descriptor.
    fn signal(&self, signal: Signal) -> io::Result<usize> {
        let members = self.members();
        if let (Err(_), Some(leader)) = (&members, self.leader) {
            let _ = kill_process_group(leader, signal);
            let _ = kill_process(leader, signal);
        }
        let members = members?;
        for Process { pid, .. } in &members {
            // It may have ended by itself in between.
            let _ = kill_process(*pid, signal);
            if signal != Signal::KILL {
                // A stopped job learns of its end only when it goes on.
                let _ = kill_process(*pid, Signal::CONT);
            }
        }
        Ok(members.len())
    }

    /// Kills every one of them, and those they made meanwhile, without waiting for any.
    fn kill(&self) {
        for _ in 0..10 {
            if self.signal(Signal::KILL).is_ok_and(|count| count == 0) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn is_gone_within(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while Instant::now() < until {
            std::thread::sleep(STEP);
            if self.members().is_ok_and(|members| members.is_empty()) {
                return true;
            }
        }
        false
    }
}

/// Asks them to end, and kills those that have not after the grace; says what is left. Blocks for at most the grace
/// and 0.2 s.
pub(crate) fn end(family: &Family, grace: Duration) -> Ended {
    family.hold();
    // A shell hears the hangup; a server without a terminal, such as tmux's, hears the other one.
    if family.signal(Signal::HUP).is_ok_and(|count| count == 0) || family.is_gone_within(grace / 2) {
        return Ended::default();
    }
    // A failure shows in the end, if it lasts.
    let _ = family.signal(Signal::TERM);
    if family.is_gone_within(grace / 2) {
        return Ended::default();
    }
    family.hold();
    family.kill();
    // What is in the middle of a call to the kernel ends when that returns.
    if family.is_gone_within(STEP) || family.is_gone_within(Duration::from_millis(100)) {
        return Ended::default();
    }
    match family.members() {
        Ok(left) => {
            let left = left.into_iter().map(|p| (p.name, p.pid.as_raw_nonzero().get().unsigned_abs()));
            Ended { left: left.collect(), unknown: None }
        }
        Err(error) => Ended { left: Vec::new(), unknown: Some(error.to_string()) },
    }
}

/// Ends them at once: for a drop, where nothing may wait.
pub(crate) fn drop_family(family: &Family) {
    family.hold();
    let _ = family.signal(Signal::HUP);
    if let Some(leader) = family.leader {
        let _ = kill_process_group(leader, Signal::KILL);
    }
    family.kill();
}

/// Every living process there is.
#[cfg(target_os = "linux")]
fn all(proc: &Path) -> io::Result<Vec<Process>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(proc)? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| Pid::from_raw(name.parse().ok()?)) else {
            continue;
        };
        match std::fs::read(proc.join(pid.as_raw_nonzero().to_string()).join("stat")) {
            Ok(line) => all.extend(living(pid, &line)),
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// It has ended since it was listed, or is not ours to look at.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied)
        || is(error, rustix::io::Errno::SRCH)
}

fn is(error: &io::Error, errno: rustix::io::Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

/// One living process.
pub(crate) fn of(pid: Pid) -> Option<Process> {
    living(pid, &std::fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?)
}

fn living(pid: Pid, line: &[u8]) -> Option<Process> {
    let (name, stat) = Stat::parse(&String::from_utf8_lossy(line))?;
    (!stat.has_ended()).then_some(Process { pid, name, stat })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_parentheses_and_spaces_is_only_a_name() {
        let line = "7 (a) b (c) S 1 7 7 34816 7 4194304 99 0 0 0 0 0 0 0 20 0 1 0 98118 3133440 412 1 2 3 140732205938768 0";
        let (name, stat) = Stat::parse(line).unwrap();
        assert_eq!(name, "a) b (c");
        assert_eq!((stat.parent, stat.group, stat.session, stat.terminal), (1, 7, 7, 34816));
        assert_eq!((stat.began, stat.image), (98_118, 140_732_205_938_768));
        assert!(stat.is_in_foreground());
        for broken in ["", "7", "7 (", "7 (x) S", "7 (x) S a b c d e", ") ("] {
            assert_eq!(Stat::parse(broken), None, "{broken}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn fault_a5_a_proc_that_cant_be_read_is_not_one_without_processes() {
        assert!(all(Path::new("/nowhere")).is_err());
        let proc = tempfile::tempdir().unwrap();
        assert!(all(proc.path()).unwrap().is_empty());
        std::fs::create_dir(proc.path().join("7")).unwrap();
        assert!(all(proc.path()).unwrap().is_empty(), "it ended in between");
        // What can't be read for another reason says nothing of the process.
        std::fs::create_dir(proc.path().join("7/stat")).unwrap();
        assert!(all(proc.path()).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn fault_a5_p13_a_process_whose_environment_cant_be_read_may_be_one_of_them() {
        let proc = tempfile::tempdir().unwrap();
        let seven = proc.path().join("7");
        std::fs::create_dir(&seven).unwrap();
        let line = "7 (x) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 98118 0 0 0 1 2 4096 0";
        std::fs::write(seven.join("stat"), line).unwrap();
        let family = Family::marked("/run/t-1");
        assert_eq!(family.members_in(proc.path()).unwrap(), [], "it ended in between");
        std::fs::write(seven.join("environ"), "A=b\0SALLYPORT_TERMINAL=/run/t-1\0").unwrap();
        assert_eq!(family.members_in(proc.path()).unwrap().len(), 1);
        // As when there is no descriptor for it: not the same as none.
        std::fs::remove_file(seven.join("environ")).unwrap();
        std::fs::create_dir(seven.join("environ")).unwrap();
        assert!(family.members_in(proc.path()).is_err());
    }

    #[tokio::test]
    async fn fault_d2_p13_an_ending_that_was_cut_short_shows_nothing() {
        let cut = tokio::task::spawn_blocking(|| -> Ended { panic!("on purpose") }).await;
        let ended = Ended::of(cut);
        assert_ne!(ended, Ended::default());
        assert_eq!(ended.in_words(), ["whatever else was started here (looking for it was cut short)"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn fault_a5_p13_without_a_descriptor_the_shell_is_ended_and_the_rest_is_named_as_unknown() {
        let run = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "processes::tests::end_while_starving"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && said.contains("1 passed"), "{said}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[ignore = "run in a process of its own by the test above"]
    fn end_while_starving() {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut shell = std::process::Command::new("setsid").args(["sleep", "60"]).spawn().unwrap();
        let family = Family::of(Pid::from_child(&shell), "nowhere");
        while !family.members().unwrap().iter().any(|process| process.name == "sleep") {
            std::thread::sleep(STEP);
        }
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = Some(64);
        setrlimit(Resource::Nofile, limit).unwrap();
        let mut eaten = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            eaten.push(file);
        }
        let began = Instant::now();
        let ended = end(&family, Duration::from_millis(200));
        drop(eaten);
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        assert!(ended.unknown.is_some_and(|why| why.contains("open files")));
        assert!(!shell.wait().unwrap().success(), "it was ended by a signal");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_fork_keeps_its_image_and_an_exec_does_not() {
        let script = "stat() { read -r line </proc/$1/stat; echo \"$line\"; }; stat $$; (sh=$(exec sh -c 'echo $PPID'); stat $sh); exec sh -c 'read -r line </proc/$$/stat; echo \"$line\"'";
        let out = std::process::Command::new("/bin/sh").args(["-c", script]).output().unwrap();
        let said = String::from_utf8(out.stdout).unwrap();
        let images: Vec<u64> = said.lines().filter_map(|line| Some(Stat::parse(line)?.1.image)).collect();
        assert_eq!(images.len(), 3, "{said}");
        assert!(images.iter().all(|image| *image != 0), "{said}");
        assert_eq!(images[0], images[1], "a fork");
        assert_ne!(images[0], images[2], "an exec");
    }
}
