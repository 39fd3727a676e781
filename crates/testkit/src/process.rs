//! Programs that live no longer than the test that started them, and the folder they work in.
//!
//! Three things end a child: dropping its [`Process`], the end of the test process (the kernel sends SIGKILL, asked
//! for by `setpriv --pdeathsig`), and for its files the [`Scratch`] folder's sweeper, a shell that waits on a pipe
//! from us and removes the folder when that pipe closes, even if we were killed with -9.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use rustix::process::{Pid, Signal, kill_process_group};

type Job = Box<dyn FnOnce() + Send>;

/// Runs `job` on the one thread that starts children.
///
/// The kernel delivers the parent-death signal when the *thread* that forked ends, not the process. A test's worker
/// threads end with its runtime; this one lives as long as the process.
fn on_spawner<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> T {
    static SPAWNER: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, queue) = channel::<Job>();
        thread::Builder::new()
            .name("spawner".into())
            .spawn(move || queue.into_iter().for_each(|job| job()))
            .expect("a thread can be started");
        Mutex::new(jobs)
    });
    let (answer, result) = channel();
    spawner
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send(Box::new(move || {
            // The caller waits below, so the answer has somewhere to go.
            let _ = answer.send(job());
        }))
        .expect("the spawner thread never ends");
    result.recv().expect("the spawner answers every job")
}

/// What to start.
#[derive(Debug, Clone)]
pub struct Launch {
    name: String,
    program: PathBuf,
    args: Vec<OsString>,
    envs: Vec<(OsString, OsString)>,
    log_dir: PathBuf,
    hold_stdin: bool,
}

impl Launch {
    /// `program`, called `name` in messages; its output goes to `<log_dir>/<name>.log`.
    #[must_use]
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>, log_dir: &Path) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            args: Vec::new(),
            envs: Vec::new(),
            log_dir: log_dir.to_owned(),
            hold_stdin: false,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable. Nothing but `PATH`, the folder for temporary files (`TMPDIR`) and these is passed on.
    #[must_use]
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.envs.push((key.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Lets a program written in Go, such as Kubernetes' own, take more memory before it looks for what it can give back:
    /// most of what a control plane works while it starts is that look. Past the second bound it looks as often as ever.
    #[must_use]
    pub fn roomy(self) -> Self {
        self.env("GOGC", "400").env("GOMEMLIMIT", "1GiB")
    }

    /// Keeps the child's stdin open until it is stopped: for programs that end when it closes.
    #[must_use]
    pub fn hold_stdin(mut self) -> Self {
        self.hold_stdin = true;
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// When the log can't be opened or the program (or `setpriv`) can't be started.
    pub fn start(self) -> Result<Process> {
        let log = self.log_dir.join(format!("{}.log", self.name));
        let out = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("open {}", log.display()))?;
        let err = out.try_clone()?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        command.arg(&self.program).args(&self.args);
        command.env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
            .env("TMPDIR", tempfile::env::temp_dir())
            .envs(self.envs)
            .current_dir(&self.log_dir)
            .stdin(if self.hold_stdin { Stdio::piped() } else { Stdio::null() })
            .stdout(out)
            .stderr(err)
            .process_group(0);
        let child = on_spawner(move || command.spawn())
            .with_context(|| format!("start {} ({})", self.name, self.program.display()))?;
        Ok(Process { name: self.name, pid: child.id(), child: Mutex::new(child), log })
    }
}

/// A running child in a process group of its own; dropping it kills the whole group and waits for its end.
#[derive(Debug)]
pub struct Process {
    name: String,
    pid: u32,
    child: Mutex<Child>,
    log: PathBuf,
}

impl Process {
    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id, also that of its group.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Where its output goes.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The last `lines` lines of its output, for error messages.
    #[must_use]
    pub fn log_tail(&self, lines: usize) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// How it ended, or `None` while it runs.
    pub fn exited(&self) -> Option<ExitStatus> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait().ok().flatten()
    }

    /// Fails with the tail of the log if it has ended.
    ///
    /// # Errors
    /// Names the program, how it ended, and its last words.
    pub fn must_run(&self) -> Result<()> {
        match self.exited() {
            None => Ok(()),
            Some(status) => {
                Err(anyhow!("{} ended with {status}; its last words:\n{}", self.name, self.log_tail(25)))
            }
        }
    }

    /// Stops every thread of the group where it is (SIGSTOP): a far end that hangs.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets a paused group go on (SIGCONT).
    ///
    /// # Errors
    /// When it has ended already.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let group = Pid::from_raw(self.pid.cast_signed()).context("a child's id is not zero")?;
        kill_process_group(group, signal)
            .with_context(|| format!("send a signal to {} (process {})", self.name, self.pid))
    }

    /// Asks the group to end (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// When it has not ended in time; with its last words.
    pub async fn end(&self, within: Duration) -> Result<()> {
        self.signal(Signal::TERM)?;
        wait_until(&format!("the end of {}", self.name), within, &[], async || self.exited().is_some())
            .await
            .with_context(|| self.log_tail(25))
    }

    /// Kills the group and waits until the kernel has taken the process away, with its ports.
    pub fn kill(&self) {
        // Gone already is as good.
        let _ = self.signal(Signal::KILL);
        let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.exited().is_none() {
            self.kill();
        }
    }
}

/// A private folder (mode 0700) that goes away with the value, or with the process however it ends.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    sweeper: Child,
}

/// Waits for the pipe on stdin to close, then removes the folder. The children that write to it die in the same
/// instant as we do; the retries are for the last file one of them was creating.
const SWEEP: &str = r#"trap '' HUP INT TERM
while read -r _; do :; done
for _ in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf -- "$1" 2>/dev/null
  [ -e "$1" ] || exit 0
  sleep 0.2
done"#;

impl Scratch {
    /// Makes `<temp>/sallyport-<label>-XXXXXX`.
    ///
    /// # Errors
    /// When the folder can't be made or `sh` can't be started.
    pub fn new(label: &str) -> Result<Self> {
        let path = tempfile::Builder::new()
            .prefix(&format!("sallyport-{label}-"))
            .tempdir()
            .context("make a temporary folder")?
            .keep();
        let mut command = Command::new("sh");
        command
            .args(["-c", SWEEP, "sweeper"])
            .arg(&path)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        match on_spawner(move || command.spawn()) {
            Ok(sweeper) => Ok(Self { path, sweeper }),
            Err(cause) => {
                let _ = fs::remove_dir_all(&path);
                Err(cause).context("start sh")
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file readable by us alone and returns its path.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let path = self.path.join(name);
        File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(content.as_ref()))
            .with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Closing the pipe tells the sweeper, who retries where one call could lose a race with a dying child.
        drop(self.sweeper.stdin.take());
        let _ = self.sweeper.wait();
    }
}

/// Asks `ready` every 25 ms until it says yes, at most for `within`; gives up at once if one of `processes` has
/// ended, with its last words.
///
/// # Errors
/// After `within`, or when a process ended; the message names what was waited for.
pub async fn wait_until<F>(what: &str, within: Duration, processes: &[&Process], mut ready: F) -> Result<()>
where
    F: AsyncFnMut() -> bool,
{
    let start = Instant::now();
    loop {
        if ready().await {
            return Ok(());
        }
        for process in processes {
            process.must_run().with_context(|| format!("wait for {what}"))?;
        }
        if start.elapsed() >= within {
            let words: Vec<String> = processes
                .iter()
                .map(|process| format!("{}:\n{}", process.name(), process.log_tail(25)))
                .collect();
            return Err(anyhow!("{what}: not there after {within:?}\n{}", words.join("\n")));
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_process_takes_its_own_children_along() {
        let scratch = Scratch::new("process").expect("a folder");
        let process = Launch::new("parent", "sh", scratch.path())
            .args(["-c", "sleep 4711 & echo $!; wait"])
            .start()
            .expect("sh starts");
        let start = Instant::now();
        let grandchild = loop {
            let said = process.log_tail(1);
            if !said.is_empty() {
                break said;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "sh said nothing");
            thread::sleep(Duration::from_millis(5));
        };
        let proc = PathBuf::from(format!("/proc/{grandchild}"));
        assert!(proc.exists());
        drop(process);
        let start = Instant::now();
        while proc.exists() {
            assert!(start.elapsed() < Duration::from_secs(60), "the grandchild lives on");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_program_that_ends_early_is_reported_with_its_last_words() {
        let scratch = Scratch::new("process").expect("a folder");
        let process = Launch::new("broken", "sh", scratch.path())
            .args(["-c", "echo no such thing; exit 3"])
            .start()
            .expect("sh starts");
        while process.exited().is_none() {
            thread::sleep(Duration::from_millis(5));
        }
        let said = process.must_run().expect_err("it ended").to_string();
        assert!(said.contains("broken") && said.contains("no such thing"), "{said}");
    }

    #[test]
    fn a_dropped_folder_is_gone() {
        let scratch = Scratch::new("process").expect("a folder");
        let path = scratch.path().to_owned();
        scratch.write("file", "x").expect("writes");
        drop(scratch);
        assert!(!path.exists());
    }
}
