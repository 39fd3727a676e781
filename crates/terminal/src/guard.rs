//! Whether the shells that read a terminal are known to keep it on its cluster.
//!
//! Every shell that loads our start-up file leaves a sign: a file in the terminal's own directory, named by its process
//! id, with what the kernel says of it at that moment. What a cluster prints can't make one. A shell without a sign is
//! one whose start-up files led it elsewhere, and which may have any kubeconfig and any kubectl.

use crate::kubeconfig::Named;
use crate::processes::{self, Family, Process, Stat};
use rustix::process::Pid;
use sallyport_model::{clip, visible};
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// How long a shell may take to give its sign, while nothing in its terminal is at work: on a busy machine one that is
/// still loading its start-up files is no other than one that has loaded them.
const SIGN_WITHIN: Duration = Duration::from_secs(2);
/// And at most, whatever is at work there; until then it is given no line.
const AT_MOST: Duration = Duration::from_secs(10);
/// How often it is looked while a sign is waited for, and at most how often otherwise.
const SOON: Duration = Duration::from_millis(50);
const OFTEN: Duration = Duration::from_millis(250);
/// How long a program in the foreground that was looked at is taken to be the same.
const KNOWN_FOR: Duration = Duration::from_secs(2);
/// The most of a sign that is read.
const SIGN: u64 = 4096;

/// Programs that read commands from a terminal. Those of them that have no start-up file of ours give no sign.
const SHELLS: &[&str] = &[
    "sh",
    "bash",
    "rbash",
    "dash",
    "ash",
    "zsh",
    "fish",
    "ksh",
    "ksh93",
    "mksh",
    "oksh",
    "loksh",
    "yash",
    "posh",
    "csh",
    "tcsh",
    "nu",
    "nushell",
    "elvish",
    "xonsh",
    "osh",
    "ysh",
    "murex",
    "pwsh",
    "powershell",
    "es",
    "rc",
    "ion",
];

/// What is known of a terminal's shells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// A shell starts and has not given its sign yet; lines typed meanwhile wait.
    Starting,
    /// Every shell that reads the terminal gave its sign.
    Guarded,
    /// Something may lead commands to another cluster: what, in a sentence. Nothing that is typed gets through until the
    /// person has said that they want it so.
    NotGuarded(String),
    /// The same, and the person wants it so.
    Taken(String),
}

/// Something that may lead commands to another cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Cause {
    /// Nowhere can programs be run from, so that there are no guarded tools.
    NoPrograms(PathBuf),
    /// The private kubeconfig was changed, to name this.
    Kubeconfig(String),
    /// It is there and can't be read, for this reason.
    Unreadable(String),
    /// A shell that gave no sign.
    Shell { pid: i32, image: u64, name: String },
    /// No shell ever gave one.
    NoSign(String),
}

impl Cause {
    fn sentence(&self, cluster: &str) -> String {
        match self {
            Self::NoPrograms(dir) => format!(
                "programs can't be run from {} or any other place of Sallyport's (noexec), so nothing keeps a kubectl with another --kubeconfig from running",
                visible(&dir.to_string_lossy())
            ),
            Self::Kubeconfig(what) => {
                format!("this terminal's kubeconfig was changed: it names {what}, and not {cluster} alone")
            }
            Self::Unreadable(why) => format!(
                "this terminal's kubeconfig can't be read ({why}), so it may name another cluster than {cluster}"
            ),
            Self::Shell { pid, name, .. } => format!(
                "this shell ({}, process {pid}) did not load Sallyport's start-up file, so its kubectl may reach another cluster than {cluster}",
                clip(&visible(name), 40)
            ),
            Self::NoSign(name) => format!(
                "this shell ({}) did not load Sallyport's start-up file, so its kubectl may reach another cluster than {cluster}. Often a system-wide file is why (for zsh, /etc/zsh/zshenv), or a start-up file that starts another shell",
                clip(&visible(name), 40)
            ),
        }
    }
}

/// What is watched of one terminal.
pub(crate) struct Watched {
    pub(crate) family: Family,
    /// Where the signs are.
    pub(crate) signs: PathBuf,
    /// The shell's program.
    pub(crate) program: String,
    pub(crate) cluster: String,
    pub(crate) kubeconfig: PathBuf,
    /// What the kubeconfig may name.
    pub(crate) named: Named,
    /// Where programs could not be run from, when that is so.
    pub(crate) no_programs: Option<PathBuf>,
}

/// The watch over one terminal's shells.
pub(crate) struct Watch {
    watched: Watched,
    state: Mutex<State>,
    tell: watch::Sender<Guard>,
    activity: Notify,
}

/// How long a sign is waited for.
#[derive(Clone, Copy, Debug)]
struct Patience {
    began: Instant,
    looked: Instant,
    /// For how long nothing was at work.
    idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let now = Instant::now();
        Self { began: now, looked: now, idle: Duration::ZERO }
    }
}

impl Patience {
    /// One look; whether the time is over.
    fn is_over(&mut self, now: Instant, at_work: bool) -> bool {
        // Whoever looks may have had to wait for the processor as well: nobody knows what was in between.
        let passed = now.saturating_duration_since(self.looked).min(2 * SOON);
        self.looked = now;
        if !at_work {
            self.idle += passed;
        }
        self.idle >= SIGN_WITHIN || now.saturating_duration_since(self.began) >= AT_MOST
    }
}

#[derive(Default)]
struct State {
    /// The first sign of any shell.
    first: Patience,
    /// Shells without a sign, and how long they have been waited for.
    unsigned: HashMap<(i32, u64), Patience>,
    causes: Vec<Cause>,
    /// What the person wants all the same.
    taken: HashSet<Cause>,
    /// Whether any shell ever gave a sign.
    any_sign: bool,
    /// What was in the foreground when all of them were looked at.
    looked: Option<((i32, u64), Instant)>,
}

impl Watch {
    pub(crate) fn new(watched: Watched) -> Arc<Self> {
        Arc::new(Self {
            watched,
            state: Mutex::default(),
            tell: watch::Sender::new(Guard::Starting),
            activity: Notify::new(),
        })
    }

    pub(crate) fn now(&self) -> Guard {
        self.tell.borrow().clone()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<Guard> {
        self.tell.subscribe()
    }

    /// That something was typed or said: only then can another shell have taken over.
    pub(crate) fn stir(&self) {
        self.activity.notify_one();
    }

    /// Looks now, and waits until no sign is waited for: a line must not run in a shell that was started since.
    pub(crate) async fn settled(self: Arc<Self>) {
        let (watch, mut changes) = (self.clone(), self.changes());
        // Refused only when the runtime ends.
        let _ = tokio::task::spawn_blocking(move || watch.look(true)).await;
        self.stir();
        let _ = changes.wait_for(|guard| *guard != Guard::Starting).await;
    }

    /// That the person wants it although it is so: what they were shown, and nothing else that is so too. False when
    /// that is not what is said now.
    pub(crate) fn take(&self, why: &str) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = state.open().filter(|cause| cause.sentence(&self.watched.cluster) == why).cloned();
        let taken = shown.is_some();
        state.taken.extend(shown);
        self.publish(&state, false);
        taken
    }

    /// Watches until the terminal is over.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            let watch = self.clone();
            let Ok(waits) = tokio::task::spawn_blocking(move || watch.look(false)).await else { return };
            if waits {
                tokio::time::sleep(SOON).await;
            } else {
                // Nothing wakes while nothing happens.
                tokio::time::sleep(OFTEN).await;
                self.activity.notified().await;
            }
        }
    }

    /// Looks once; true when a sign is still waited for. `closely`: even where the same program leads the foreground, as
    /// it may have started a shell in its own group since (`aws-vault exec prod -- zsh`).
    fn look(&self, closely: bool) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let kubeconfig = self.kubeconfig();
        let foreground = self.foreground();
        let known = foreground.is_some_and(|now| {
            state.looked.is_some_and(|(before, at)| before == now && at.elapsed() < KNOWN_FOR)
        });
        let of_kubeconfig = |cause: &&Cause| matches!(cause, Cause::Kubeconfig(_) | Cause::Unreadable(_));
        let asked = state.causes.iter().find(of_kubeconfig) != kubeconfig.as_ref();
        if !closely && known && !asked && state.unsigned.is_empty() && state.any_sign {
            return false;
        }
        let (waits, shells) = self.shells(&mut state);
        state.looked = foreground.map(|now| (now, Instant::now()));
        state.causes = self.watched.no_programs.iter().cloned().map(Cause::NoPrograms).collect();
        state.causes.extend(kubeconfig);
        state.causes.extend(shells);
        if !waits && !state.any_sign && !state.causes.iter().any(|cause| matches!(cause, Cause::Shell { .. }))
        {
            state.causes.push(Cause::NoSign(self.watched.program.clone()));
        }
        self.publish(&state, waits);
        waits
    }

    fn publish(&self, state: &State, waits: bool) {
        let sentence = |cause: &Cause| cause.sentence(&self.watched.cluster);
        let now = match (state.open(), state.causes.first()) {
            (Some(cause), _) => Guard::NotGuarded(sentence(cause)),
            (None, _) if waits => Guard::Starting,
            (None, Some(cause)) => Guard::Taken(sentence(cause)),
            (None, None) => Guard::Guarded,
        };
        self.tell.send_if_modified(|before| {
            let changed = *before != now;
            *before = now;
            changed
        });
    }

    /// The shells without a sign: whether one may still give it, or the first any, and those that had their time.
    fn shells(&self, state: &mut State) -> (bool, Vec<Cause>) {
        let (any, signs) = signs(&self.watched.signs);
        state.any_sign |= any;
        // Where they can't be listed just now, it is looked again; what is known of them stays.
        let Ok(members) = self.watched.family.members() else { return (true, Vec::new()) };
        let (now, at_work) = (Instant::now(), members.iter().any(|process| process.stat.is_at_work()));
        let unsigned: Vec<Process> = members
            .into_iter()
            .filter(|process| !signs.iter().any(|sign| sign.covers(process)) && reads_a_terminal(process))
            .collect();
        let key = |process: &Process| (process.pid.as_raw_nonzero().get(), process.stat.image);
        let keys: HashSet<_> = unsigned.iter().map(key).collect();
        state.unsigned.retain(|known, _| keys.contains(known));
        let mut waits = !state.any_sign && !state.first.is_over(now, at_work);
        let mut causes = Vec::new();
        for process in &unsigned {
            let patience = state.unsigned.entry(key(process)).or_default();
            if patience.is_over(now, at_work) {
                let (pid, image) = key(process);
                causes.push(Cause::Shell { pid, image, name: process.name.clone() });
            } else {
                waits = true;
            }
        }
        (waits, causes)
    }

    /// What is in the foreground of the terminal.
    fn foreground(&self) -> Option<(i32, u64)> {
        let leader = processes::of(self.watched.family.leader()?)?;
        let process = processes::of(Pid::from_raw(leader.stat.foreground_group())?)?;
        Some((process.pid.as_raw_nonzero().get(), process.stat.image))
    }

    fn kubeconfig(&self) -> Option<Cause> {
        match self.watched.named.other_than_itself(&self.watched.kubeconfig) {
            Ok(what) => Some(Cause::Kubeconfig(clip(&visible(&what?), 120))),
            Err(error) => Some(Cause::Unreadable(error.to_string())),
        }
    }
}

impl State {
    /// What is said now: the first of what the person does not want all the same.
    fn open(&self) -> Option<&Cause> {
        self.causes.iter().find(|cause| !self.taken.contains(*cause))
    }
}

/// What a shell left of itself.
#[derive(Debug)]
struct Sign {
    pid: i32,
    stat: Stat,
}

impl Sign {
    fn parse(name: &str, text: &str) -> Option<Self> {
        Some(Self { pid: name.parse().ok()?, stat: Stat::parse(text)?.1 })
    }

    /// The shell itself and what it forked. Where the kernel does not tell images apart, the shell itself.
    fn covers(&self, process: &Process) -> bool {
        let same = process.pid.as_raw_nonzero().get() == self.pid && process.stat.began == self.stat.began;
        if process.stat.image == 0 || self.stat.image == 0 {
            same
        } else {
            process.stat.image == self.stat.image
        }
    }
}

/// Whether any shell left one, and those that say of which run they are. Where there is no /proc, none does.
fn signs(dir: &Path) -> (bool, Vec<Sign>) {
    let Ok(entries) = fs::read_dir(dir) else { return (false, Vec::new()) };
    let mut any = false;
    let read = |entry: fs::DirEntry| {
        let mut text = String::new();
        fs::File::open(entry.path()).ok()?.take(SIGN).read_to_string(&mut text).ok()?;
        Sign::parse(entry.file_name().to_str()?, &text)
    };
    let found = entries.flatten().inspect(|_| any = true).filter_map(read).collect();
    (any, found)
}

/// Whether a process is a shell that takes commands from the terminal it is on.
fn reads_a_terminal(process: &Process) -> bool {
    if !process.stat.is_in_foreground() {
        return false;
    }
    let proc = PathBuf::from(format!("/proc/{}", process.pid.as_raw_nonzero()));
    // Another user's shell (sudo) shows neither its program nor what it reads: then its name decides.
    let program = fs::read_link(proc.join("exe")).ok();
    let program = program.as_deref().and_then(Path::file_name).and_then(OsStr::to_str).unwrap_or_default();
    let line = fs::read(proc.join("cmdline")).unwrap_or_default();
    let words: Vec<String> =
        line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let called = words.first().map(|word| base(word)).unwrap_or_default();
    let names = [program.trim_end_matches(" (deleted)"), called, &process.name];
    let is_shell = names.iter().any(|name| SHELLS.contains(name));
    let reads = fs::read_link(proc.join("fd/0"))
        .map_or(true, |input| input.starts_with("/dev/pts") || input.starts_with("/dev/tty"));
    is_shell && reads && is_interactive(words.get(1..).unwrap_or_default())
}

/// A program's name; a login shell's begins with a dash.
fn base(word: &str) -> &str {
    word.trim_start_matches('-').rsplit('/').next().unwrap_or_default()
}

/// Whether a shell with these arguments takes commands from its input: no command and no script is given.
fn is_interactive(arguments: &[String]) -> bool {
    const WITH_VALUE: &[&str] =
        &["--rcfile", "--init-file", "--init-command", "-C", "-o", "+o", "-O", "+O", "--emulate"];
    let mut arguments = arguments.iter().filter(|argument| !argument.is_empty());
    while let Some(argument) = arguments.next() {
        if WITH_VALUE.contains(&argument.as_str()) {
            arguments.next();
        } else if let Some(long) = argument.strip_prefix("--") {
            if long.is_empty() {
                return arguments.next().is_none();
            }
            if long.starts_with("command") {
                return false;
            }
        } else if let Some(letters) = argument.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            if letters.contains('c') {
                return false;
            }
            if letters.contains('s') {
                return true;
            }
        } else if !argument.starts_with('+') {
            return argument == "-";
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_d1_only_a_shell_without_command_and_script_reads_its_terminal() {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for line in [
            "",
            "-i",
            "-l",
            "--login",
            "--rcfile /x/bashrc -i",
            "-o no_rcs",
            "--norc",
            "-f",
            "-s one two",
            "-i --init-command x",
            "+x",
            "-",
            "--posix -i",
        ] {
            assert!(is_interactive(&words(line)), "{line}");
        }
        for line in [
            "-c true",
            "-ic true",
            "-lc true",
            "script.sh",
            "-x script.sh one",
            "--command true",
            "-- script",
            "--rcfile /x script",
            "-o errexit script",
        ] {
            assert!(!is_interactive(&words(line)), "{line}");
        }
        assert_eq!(base("-zsh"), "zsh");
        assert_eq!(base("/usr/bin/fish"), "fish");
    }

    #[test]
    fn fault_d1_a_busy_machine_is_no_unguarded_shell_and_work_puts_nothing_off_for_long() {
        let look = |step: Duration, at_work: fn(u32) -> bool| {
            let mut patience = Patience::default();
            let began = patience.began;
            (1..=1000).find(|n| patience.is_over(began + step * *n, at_work(*n))).map(|n| step * n)
        };
        assert_eq!(look(SOON, |_| false), Some(SIGN_WITHIN));
        assert_eq!(
            look(SOON, |n| n <= 60),
            Some(3 * SIGN_WITHIN / 2 + SIGN_WITHIN),
            "three seconds of work before"
        );
        assert_eq!(look(SOON, |_| true), Some(AT_MOST));
        // Looked at once a second, where the processor is wanted by others: nobody knows what was in between.
        assert_eq!(look(Duration::from_secs(1), |_| false), Some(AT_MOST));
    }

    #[test]
    fn fault_d1_a_sign_is_of_one_run_of_one_program() {
        let line = |pid: i32, began: u64, image: u64| {
            format!("{pid} (zsh) S 1 7 7 34816 7 0 0 0 0 0 0 0 0 0 20 0 1 0 {began} 0 0 0 1 2 {image} 0")
        };
        let process = |pid: i32, began: u64, image: u64| Process {
            pid: Pid::from_raw(pid).unwrap(),
            name: "zsh".into(),
            stat: Stat::parse(&line(pid, began, image)).unwrap().1,
        };
        let sign = Sign::parse("7", &line(7, 100, 4096)).unwrap();
        assert!(sign.covers(&process(7, 100, 4096)));
        assert!(sign.covers(&process(8, 101, 4096)), "a fork");
        assert!(!sign.covers(&process(7, 100, 8192)), "an exec in the same process");
        assert!(!sign.covers(&process(8, 101, 0)) && sign.covers(&process(7, 100, 0)));
        assert!(Sign::parse("seven", &line(7, 100, 1)).is_none() && Sign::parse("7", "7 (x").is_none());
    }
}
