//! Somebody who types `make run`.

use anyhow::{Context as _, Result, bail, ensure};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// One at a time: a fleet and a window take what two cores give.
static TURN: Mutex<()> = Mutex::new(());

/// A folder for temporary files, one for pictures, and a makefile whose `run` is the demo.
pub(crate) struct Person {
    temp: TempDir,
    own: TempDir,
    screens: Vec<PathBuf>,
    _turn: MutexGuard<'static, ()>,
}

impl Person {
    pub(crate) fn new() -> Result<Self> {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let (temp, own) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let demo = env!("CARGO_BIN_EXE_demo");
        fs::write(own.path().join("Makefile"), format!("run:\n\t@{demo}\n"))?;
        Ok(Self { temp, own, screens: screens_left(), _turn: turn })
    }

    /// Where the play leaves its pictures.
    pub(crate) fn pictures(&self) -> PathBuf {
        self.own.path().join("pictures")
    }

    /// A shell script of this person.
    pub(crate) fn script(&self, name: &str, lines: &str) -> Result<PathBuf> {
        let path = self.own.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{lines}\n"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }

    /// The environment of make: no display, and nothing of a make that runs this test.
    fn environment(&self) -> [(&'static str, Option<PathBuf>); 7] {
        [
            ("TMPDIR", Some(self.temp.path().to_owned())),
            ("SALLYPORT_PICTURES", Some(self.pictures())),
            ("DISPLAY", None),
            ("WAYLAND_DISPLAY", None),
            ("MAKEFLAGS", None),
            ("MAKELEVEL", None),
            ("MFLAGS", None),
        ]
    }

    /// make in a process group of its own, its output in a pipe.
    pub(crate) fn without_terminal(&self) -> Result<Piped> {
        use std::os::unix::process::CommandExt as _;
        let mut command = Command::new("make");
        command.arg("run").current_dir(self.own.path()).process_group(0);
        for (name, value) in self.environment() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let (reader, writer) = std::io::pipe()?;
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let child = command.spawn().context("start make")?;
        // With it our own ends of the pipe go.
        drop(command);
        Ok(Piped { child, heard: Heard::listen(reader) })
    }

    /// The app that works in somebody's folder, once it does.
    pub(crate) fn app_of(&self, name: &str, within: Duration) -> Result<rustix::process::Pid> {
        let began = Instant::now();
        let home = format!("/{name}/sallyport");
        loop {
            let all = fs::read_dir("/proc").into_iter().flatten().flatten();
            for dir in all.map(|entry| entry.path()) {
                let environ =
                    String::from_utf8_lossy(&fs::read(dir.join("environ")).unwrap_or_default()).into_owned();
                let own = environ.split('\0').find_map(|one| one.strip_prefix("SALLYPORT_HOME="));
                let here = own
                    .is_some_and(|own| own.ends_with(&home) && Path::new(own).starts_with(self.temp.path()));
                // The app and none of what it started, and only once it hears what it is told.
                let app = fs::read_to_string(dir.join("comm"))
                    .is_ok_and(|comm| comm.starts_with("sallyport-deskt"));
                let hears = fs::read_to_string(dir.join("status")).is_ok_and(|status| hears_sigterm(&status));
                let pid = dir.file_name().and_then(|pid| pid.to_str()?.parse().ok());
                if let Some(pid) = pid.filter(|_| here && app && hears) {
                    return rustix::process::Pid::from_raw(pid).context("an id is not zero");
                }
            }
            ensure!(began.elapsed() < within, "no app of {name} runs");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends an app as a desktop session that ends does.
    pub(crate) fn quits(&self, app: rustix::process::Pid) -> Result<()> {
        Ok(rustix::process::kill_process(app, rustix::process::Signal::TERM)?)
    }

    /// Nobody works in the folder for temporary files, nothing is in it, and no X server that ended left its lock.
    pub(crate) fn nothing_left(&self) -> Result<()> {
        let named = self.temp.path().display().to_string();
        let users = processes_with(&named);
        ensure!(users.is_empty(), "still running: {users:?}");
        let files: Vec<_> = fs::read_dir(self.temp.path())?.flatten().map(|entry| entry.path()).collect();
        ensure!(files.is_empty(), "left behind: {files:?}");
        let new: Vec<_> = screens_left().into_iter().filter(|lock| !self.screens.contains(lock)).collect();
        ensure!(new.is_empty(), "an X server ended and left {new:?}");
        Ok(())
    }
}

/// What is heard of a program.
struct Heard(Arc<Mutex<String>>);

impl Heard {
    fn listen(mut from: impl Read + Send + 'static) -> Self {
        let heard = Arc::new(Mutex::new(String::new()));
        let sink = heard.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            let mut bytes = Vec::new();
            while let Ok(n @ 1..) = from.read(&mut buffer) {
                bytes.extend_from_slice(&buffer[..n]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                *sink.lock().unwrap_or_else(PoisonError::into_inner) = text;
            }
        });
        Self(heard)
    }

    fn said(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn until(&self, text: &str, within: Duration) -> Result<()> {
        let began = Instant::now();
        while !self.said().contains(text) {
            ensure!(began.elapsed() < within, "“{text}” was not said within {within:?}:\n{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// Asks `ended` until it says how, and kills what does not end.
fn wait(mut ended: impl FnMut() -> Result<Option<i64>>, heard: &Heard, within: Duration) -> Result<i64> {
    let began = Instant::now();
    loop {
        if let Some(code) = ended()? {
            // What was said last may still be on its way.
            std::thread::sleep(Duration::from_millis(200));
            return Ok(code);
        }
        if began.elapsed() > within {
            bail!("it still runs after {within:?}:\n{}", heard.said());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// `make run` on a terminal.
pub(crate) struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    heard: Heard,
    _pty: portable_pty::PtyPair,
}

impl Terminal {
    pub(crate) fn make(person: &Person, more: &[(&str, &str)]) -> Result<Self> {
        let size = PtySize { rows: 50, cols: 400, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size)?;
        let mut command = CommandBuilder::new("make");
        command.arg("run");
        command.cwd(person.own.path());
        for (name, value) in person.environment() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            }
        }
        for (name, value) in more {
            command.env(name, value);
        }
        let child = pty.slave.spawn_command(command)?;
        let heard = Heard::listen(pty.master.try_clone_reader()?);
        let keys = pty.master.take_writer()?;
        Ok(Self { child, keys, heard, _pty: pty })
    }

    pub(crate) fn said(&self) -> String {
        self.heard.said()
    }

    pub(crate) fn until(&self, text: &str, within: Duration) -> Result<()> {
        self.heard.until(text, within)
    }

    pub(crate) fn press(&mut self, keys: &str) -> Result<()> {
        self.keys.write_all(keys.as_bytes())?;
        Ok(self.keys.flush()?)
    }

    /// Its exit code; 128 and more for a signal.
    pub(crate) fn ended(&mut self, within: Duration) -> Result<i64> {
        let child = &mut self.child;
        wait(
            || {
                let status = child.try_wait()?;
                Ok(status.map(|s| if s.signal().is_some() { 128 } else { i64::from(s.exit_code()) }))
            },
            &self.heard,
            within,
        )
    }
}

/// `make run` without one.
pub(crate) struct Piped {
    child: Child,
    heard: Heard,
}

impl Piped {
    pub(crate) fn said(&self) -> String {
        self.heard.said()
    }

    pub(crate) fn until(&self, text: &str, within: Duration) -> Result<()> {
        self.heard.until(text, within)
    }

    /// Sends SIGTERM to make, as `kill` does.
    pub(crate) fn terminate(&self) -> Result<()> {
        let make =
            rustix::process::Pid::from_raw(self.child.id().cast_signed()).context("an id is not zero")?;
        Ok(rustix::process::kill_process(make, rustix::process::Signal::TERM)?)
    }

    pub(crate) fn ended(&mut self, within: Duration) -> Result<i64> {
        let child = &mut self.child;
        wait(|| Ok(child.try_wait()?.map(|s| i64::from(s.code().unwrap_or(128)))), &self.heard, within)
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        // One that still runs belongs to a test that failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a process has a handler for SIGTERM (proc(5), `SigCgt`).
fn hears_sigterm(status: &str) -> bool {
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    caught
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & (1 << 14) != 0)
}

/// Locks of X servers that run no more.
fn screens_left() -> Vec<PathBuf> {
    let all = fs::read_dir("/tmp").into_iter().flatten().flatten().map(|entry| entry.path());
    let locks = all.filter(|p| {
        p.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.starts_with(".X") && n.ends_with("-lock"))
    });
    locks
        .filter(|lock| {
            let owner = fs::read_to_string(lock).unwrap_or_default();
            !owner.trim().is_empty() && !Path::new("/proc").join(owner.trim()).exists()
        })
        .collect()
}

/// Processes with `text` in their command line or their environment.
fn processes_with(text: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    let has = |dir: &PathBuf, file: &str| {
        String::from_utf8_lossy(&fs::read(dir.join(file)).unwrap_or_default()).contains(text)
    };
    all.filter(|dir| has(dir, "cmdline") || has(dir, "environ"))
        .map(|dir| {
            let line = fs::read(dir.join("cmdline")).unwrap_or_default();
            format!("{}: {}", dir.display(), String::from_utf8_lossy(&line).replace('\0', " "))
        })
        .collect()
}
