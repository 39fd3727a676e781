use crate::environment::Environment;
use crate::guard::{Guard, Watch, Watched};
use crate::kubeconfig::Located;
use crate::output::{Attachment, Output};
use crate::processes::{Ended, Family};
use crate::remark::Remark;
use crate::size::Size;
use crate::tape::Tape;
use crate::{Shell, private, processes, shell};
use filedescriptor::FileDescriptor;
use portable_pty::{CommandBuilder, MasterPty, native_pty_system};
use rustix::process::Pid;
use rustix::termios::{LocalModes, tcgetattr};
use sallyport_model::visible;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long processes get to end by themselves.
const GRACE: Duration = Duration::from_millis(400);
/// How long the last output is waited for after the shell ended.
const DRAIN: Duration = Duration::from_millis(300);
/// How long a line of several gets to be read before it is looked what it started, and for how many of them: a paste of
/// a thousand lines must not take a minute.
const PACE: Duration = Duration::from_millis(100);
const PACED: usize = 20;

/// How a terminal is wanted.
#[derive(Clone, Debug, Default)]
pub struct TerminalOptions {
    /// The shell; the person's own if none.
    pub shell: Option<PathBuf>,
    /// Its size.
    pub size: Size,
    /// Lines shown before the shell says anything.
    pub banner: Vec<String>,
    /// The session it belongs to, for `SALLYPORT_SESSION`. No secret: an opaque id.
    pub session: String,
    /// A directory with a kubectl, put into PATH before the person's own directories.
    pub kubectl_dir: Option<PathBuf>,
    /// Where it starts; the home directory if none.
    pub directory: Option<PathBuf>,
    /// The variables it is made of, already scrubbed; this process's own if none.
    pub environment: Option<Environment>,
    /// Where kubectl and its kin keep what they learn of the cluster: one directory per cluster, made when missing. The
    /// terminal's own, which goes with it, if none.
    pub cache_dir: Option<PathBuf>,
    /// Where else programs may be put, should the runtime directory not let any be run (noexec).
    pub elsewhere: Vec<PathBuf>,
    /// What is said of a tool before it runs, when it is there: its name, the subcommands it is said at, the words.
    pub remarks: Vec<Remark>,
    /// What takes down what happens in it, if anything does.
    pub tape: Option<Arc<dyn Tape>>,
}

/// Why a terminal could not be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// Its files could not be written.
    #[error("the terminal's files could not be written to `{}`", .dir.display())]
    Files {
        /// The runtime directory.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No pseudo-terminal, or the shell did not start in it.
    #[error("`{}` could not be started: {why}", .shell.display())]
    Start {
        /// The shell.
        shell: PathBuf,
        /// Why, as the system said.
        why: String,
    },
    /// It could not be written to or resized.
    #[error("the terminal could not be {doing}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// It has ended.
    #[error("the terminal has ended")]
    Ended,
    /// It is not known to stay on its cluster, and the person has not said that they want it so: why, in a sentence.
    #[error("nothing was typed: {0}")]
    NotGuarded(String),
}

/// How a shell ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code; none when a signal ended it.
    pub code: Option<u32>,
    /// The signal that ended it, as the system calls it.
    pub signal: Option<String>,
}

/// How closing a terminal went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// How its shell ended.
    pub exit: Exit,
    /// What was started in it and could not be ended: `tmux: server (process 4711)`.
    pub left: Vec<String>,
}

/// A shell in a pseudo-terminal. Dropping it kills everything in it at once; [`Terminal::close`] asks first.
pub struct Terminal {
    output: Arc<Output>,
    master: Mutex<Box<dyn MasterPty + Send>>,
    family: Family,
    leader: Pid,
    /// Whether nothing was left of it when its shell ended.
    over: Arc<AtomicBool>,
    input: tokio::sync::Mutex<pipe::Sender>,
    exit: watch::Receiver<Option<Exit>>,
    kind: Shell,
    guard: Arc<Watch>,
    watching: JoinHandle<()>,
    tape: Option<Arc<dyn Tape>>,
    /// The terminal's own end, to see how it is set.
    line: File,
    // Removed with it, or when it is closed: what is left to read is in memory.
    files: Mutex<Option<Files>>,
}

/// A terminal's own directories.
struct Files {
    own: TempDir,
    /// Where its programs are, when they can't be in its own.
    _programs: Option<TempDir>,
}

/// What is made on a blocking thread.
struct Started {
    files: Files,
    kind: Shell,
    program: PathBuf,
    no_programs: Option<PathBuf>,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    fd: FileDescriptor,
}

impl Terminal {
    /// Opens a terminal on a session's kubeconfig.
    ///
    /// # Errors
    /// [`TerminalError::Files`], [`TerminalError::Start`]. Nothing is left of a terminal that did not open.
    pub async fn spawn(place: Located, mut options: TerminalOptions) -> Result<Self, TerminalError> {
        let banner = std::mem::take(&mut options.banner);
        let tape = options.tape.take();
        let at = place.clone();
        let started = tokio::task::spawn_blocking(move || start(&at, options))
            .await
            .unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))?;
        let Started { files, kind, program, no_programs, master, mut child, fd } = started;
        let leader = child
            .process_id()
            .and_then(|pid| Pid::from_raw(pid as i32))
            .expect("a child that was started has a process id");
        let family = Family::of(leader, files.own.path());
        let output = Output::new();
        for line in banner {
            let line = format!("{}\r\n", visible(&line));
            if let Some(tape) = &tape {
                tape.output(line.as_bytes()).await;
            }
            output.push(line.as_bytes());
        }
        let (from_shell, input, line) = match ends(&fd) {
            Ok(ends) => ends,
            Err(source) => {
                processes::drop_family(&family);
                let _ = child.wait();
                return Err(TerminalError::Io { doing: "watched", source });
            }
        };
        let guard = Watch::new(Watched {
            family: family.clone(),
            signs: files.own.path().join(shell::SIGNS),
            program: program.to_string_lossy().into_owned(),
            named: place.named,
            cluster: place.cluster,
            kubeconfig: place.path,
            no_programs,
        });
        let reader = tokio::spawn(read(from_shell, output.clone(), guard.clone(), tape.clone()));
        let watching = tokio::spawn(guard.clone().run());
        let (ended, exited) = tokio::sync::oneshot::channel();
        // A thread of its own: it reaps the shell even when the runtime is gone before the shell is.
        std::thread::spawn(move || {
            let status = child.wait();
            let _ = ended.send(status);
        });
        let (tell, exit) = watch::channel(None);
        let over = Arc::new(AtomicBool::new(false));
        let supervised =
            Supervised { family: family.clone(), over: over.clone(), reader, tape: tape.clone() };
        tokio::spawn(supervise(supervised, exited, output.clone(), tell));
        let (master, input) = (Mutex::new(master), tokio::sync::Mutex::new(input));
        let files = Mutex::new(Some(files));
        Ok(Self {
            output,
            master,
            family,
            leader,
            over,
            input,
            exit,
            kind,
            guard,
            watching,
            tape,
            line,
            files,
        })
    }

    /// Looks at it: what was said so far, then what follows. A later look takes over from an earlier one; with none
    /// the shell runs on.
    pub fn attach(&self) -> Attachment {
        self.output.attach()
    }

    /// Types into it. Waits while the shell does not read; a whole line also waits until the shell that would run it
    /// has given its sign, or had its time to.
    ///
    /// # Errors
    /// [`TerminalError::Ended`], [`TerminalError::NotGuarded`], or what the system said.
    pub async fn write(&self, bytes: &[u8]) -> Result<(), TerminalError> {
        // Whole pastes, one after the other.
        let mut input = self.input.lock().await;
        let mut exit = self.exit.clone();
        let written = async {
            for (at, line) in bytes.split_inclusive(|byte| ends_line(*byte)).enumerate() {
                // The line before may start another shell, which shows only once it was read.
                if (1..=PACED).contains(&at) {
                    tokio::time::sleep(PACE).await;
                }
                self.may_type(line).await?;
                // Before it is written: whoever reads it may turn the echo off.
                if let Some(tape) = self.tape.as_ref().filter(|tape| tape.wants_input() && self.echoes()) {
                    tape.input(line).await;
                }
                if let Err(error) = input.write_all(line).await {
                    return Ok(Err(error));
                }
            }
            Ok(Ok(()))
        };
        let written = tokio::select! {
            biased;
            _ = exit.wait_for(Option::is_some) => return Err(TerminalError::Ended),
            written = written => written?,
        };
        self.guard.stir();
        written.map_err(|source| match is_hangup(&source) {
            true => TerminalError::Ended,
            false => TerminalError::Io { doing: "written to", source },
        })
    }

    /// Whether the terminal shows what is typed. Where that can't be told it does not: what is not shown is not taken down.
    fn echoes(&self) -> bool {
        tcgetattr(&self.line).is_ok_and(|set| set.local_modes.contains(LocalModes::ECHO))
    }

    async fn may_type(&self, bytes: &[u8]) -> Result<(), TerminalError> {
        if bytes.iter().any(|byte| ends_line(*byte)) {
            self.guard.clone().settled().await;
        }
        match self.guard.now() {
            Guard::NotGuarded(why) => Err(TerminalError::NotGuarded(why)),
            Guard::Starting | Guard::Guarded | Guard::Taken(_) => Ok(()),
        }
    }

    /// Whether its shells are known to keep it on its cluster.
    pub fn guard(&self) -> Guard {
        self.guard.now()
    }

    /// The same, as it changes.
    pub fn guard_changes(&self) -> watch::Receiver<Guard> {
        self.guard.changes()
    }

    /// That the person wants it although it is not guarded: `why` is what [`Guard::NotGuarded`] told them. Holds for that
    /// alone; what else is so is told next. False when it is not what is told now.
    pub fn take_unguarded(&self, why: &str) -> bool {
        self.guard.take(why)
    }

    /// Tells it its new size.
    ///
    /// # Errors
    /// What the system said.
    pub fn resize(&self, size: Size) -> Result<(), TerminalError> {
        let master = self.master.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the shell hears of it: what it draws then is for that size.
        if let Some(tape) = &self.tape {
            tape.resized(size);
        }
        master.resize(size.into()).map_err(|error| TerminalError::Io {
            doing: "resized",
            source: io::Error::other(error.to_string()),
        })
    }

    /// The shell that runs in it.
    pub fn shell(&self) -> Shell {
        self.kind
    }

    /// The shell's process id, which is also the id of its session.
    pub fn process_id(&self) -> u32 {
        self.leader.as_raw_nonzero().get() as u32
    }

    /// Waits for the shell to end, with all that ran in it.
    pub async fn wait(&self) -> Exit {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await.ok().and_then(|exit| exit.clone());
        // The supervisor is gone only with the runtime.
        ended.unwrap_or(Exit { code: None, signal: Some("unknown".to_owned()) })
    }

    /// Ends everything that was started in it: hangs up, kills after 0.4 s what is still there, and removes its files;
    /// what it said stays readable. Says what could not be ended. Returns within a second.
    pub async fn close(&self) -> Closed {
        // Once the shell and all of its session are gone, the session's id is another process's to have.
        let over = self.over.load(Ordering::Acquire);
        let family = if over { self.family.without_session() } else { self.family.clone() };
        let ended = tokio::task::spawn_blocking(move || processes::end(&family, GRACE)).await;
        // What could not be signalled may never end.
        let exit = tokio::time::timeout(2 * GRACE + DRAIN, self.wait()).await;
        let exit = exit.unwrap_or(Exit { code: None, signal: Some("unknown".to_owned()) });
        self.watching.abort();
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _ = tokio::task::spawn_blocking(move || drop(files)).await;
        Closed { exit, left: Ended::of(ended).in_words() }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.watching.abort();
        if self.exit.borrow().is_none() {
            processes::drop_family(&self.family);
        }
    }
}

fn start(at: &Located, options: TerminalOptions) -> Result<Started, TerminalError> {
    let files_failed = |source| TerminalError::Files { dir: at.runtime.clone(), source };
    let own = private::fresh_directory(&at.runtime, private::TERMINAL).map_err(files_failed)?;
    let (programs, no_programs) = place_of_programs(own.path(), &options.elsewhere);
    let label = at.namespace.as_ref().map_or(at.cluster.clone(), |ns| format!("{}/{ns}", at.cluster));
    let cache = options.cache_dir.clone().unwrap_or_else(|| own.path().join("cache"));
    private::directory(&cache).map_err(files_failed)?;
    let bin = programs.as_ref().map_or(own.path(), TempDir::path).join("bin");
    let place = shell::Place {
        dir: own.path(),
        bin: &bin,
        runs_programs: no_programs.is_none(),
        cache: &cache,
        kubeconfig: &at.path,
        cluster: &at.cluster,
        label: &label,
        remarks: &options.remarks,
    };
    let mut environment = options.environment.unwrap_or_else(Environment::of_this_process);
    if let Some(dir) = &options.kubectl_dir {
        environment.prepend_path(&[dir]);
    }
    let program =
        shell::choose(options.shell.as_deref(), &environment).ok_or_else(|| TerminalError::Start {
            shell: options.shell.clone().unwrap_or_else(|| "/bin/sh".into()),
            why: "it is not a program".to_owned(),
        })?;
    let start = shell::prepare(&program, &place, &mut environment).map_err(files_failed)?;
    for (name, value) in [
        ("SALLYPORT_CLUSTER", at.cluster.as_str()),
        ("SALLYPORT_NAMESPACE", at.namespace.as_deref().unwrap_or_default()),
        ("SALLYPORT_SESSION", &options.session),
    ] {
        environment.set(name, value);
    }
    let start_failed =
        |why: &dyn std::fmt::Display| TerminalError::Start { shell: program.clone(), why: why.to_string() };
    let pair = native_pty_system().openpty(options.size.into()).map_err(|e| start_failed(&e))?;
    let mut command = CommandBuilder::new(&start.program);
    command.args(&start.args);
    command.env_clear();
    for (name, value) in environment.iter() {
        command.env(name, value);
    }
    if let Some(directory) = options.directory.or_else(|| environment.get("HOME").map(PathBuf::from)) {
        command.cwd(directory);
    }
    let raw =
        pair.master.as_raw_fd().ok_or_else(|| start_failed(&"the pseudo-terminal has no descriptor"))?;
    let mut fd = FileDescriptor::dup(&raw).map_err(|e| start_failed(&e))?;
    fd.set_non_blocking(true).map_err(|e| start_failed(&e))?;
    let child = pair.slave.spawn_command(command).map_err(|e| start_failed(&e))?;
    let files = Files { own, _programs: programs };
    Ok(Started { files, kind: start.shell, program, no_programs, master: pair.master, child, fd })
}

/// Where the terminal's programs go: a directory elsewhere, when its own lets none be run; and its own, when no other
/// does either.
fn place_of_programs(own: &Path, elsewhere: &[PathBuf]) -> (Option<TempDir>, Option<PathBuf>) {
    if private::runs_programs(own) {
        return (None, None);
    }
    let fresh = |dir: &PathBuf| private::fresh_directory(dir, private::TERMINAL).ok();
    let found = elsewhere.iter().filter_map(fresh).find(|dir| private::runs_programs(dir.path()));
    let none = found.is_none().then(|| own.parent().unwrap_or(own).to_owned());
    (found, none)
}

/// The two ends of the pseudo-terminal's descriptor for the runtime, and one to look at. It is no pipe, but is read, written
/// and polled like one.
fn ends(fd: &FileDescriptor) -> io::Result<(pipe::Receiver, pipe::Sender, File)> {
    let file = || fd.as_file().map_err(|error| io::Error::other(error.to_string()));
    Ok((pipe::Receiver::from_file_unchecked(file()?)?, pipe::Sender::from_file_unchecked(file()?)?, file()?))
}

/// Carries what the shell says to the output, no faster than the window takes it.
async fn read(
    mut shell: pipe::Receiver,
    output: Arc<Output>,
    guard: Arc<Watch>,
    tape: Option<Arc<dyn Tape>>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        output.wait_for_room().await;
        match shell.read(&mut buffer).await {
            Ok(0) => return,
            Ok(count) => {
                // First: what was on screen was taken down.
                if let Some(tape) = &tape {
                    tape.output(&buffer[..count]).await;
                }
                output.push(&buffer[..count]);
                guard.stir();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                if !is_hangup(&error) {
                    tracing::warn!(%error, "a terminal can't be read any more");
                }
                return;
            }
        }
    }
}

/// What is seen to after the shell.
struct Supervised {
    family: Family,
    over: Arc<AtomicBool>,
    reader: JoinHandle<()>,
    tape: Option<Arc<dyn Tape>>,
}

/// After the shell: ends what it left running, lets the last output through, and tells.
async fn supervise(
    after: Supervised,
    exited: tokio::sync::oneshot::Receiver<io::Result<portable_pty::ExitStatus>>,
    output: Arc<Output>,
    tell: watch::Sender<Option<Exit>>,
) {
    let Supervised { family, over, reader, tape } = after;
    let status = exited.await;
    let ended = tokio::task::spawn_blocking(move || processes::end(&family, GRACE / 2)).await;
    over.store(Ended::of(ended) == Ended::default(), Ordering::Release);
    // Whoever left the session with the terminal still open keeps it from ending; nobody reads it then.
    let stop = reader.abort_handle();
    if tokio::time::timeout(DRAIN, reader).await.is_err() {
        stop.abort();
    }
    if let Some(tape) = tape {
        tape.ended();
    }
    output.end();
    let exit = match status {
        Ok(Ok(status)) => Exit {
            code: status.signal().is_none().then(|| status.exit_code()),
            signal: status.signal().map(str::to_owned),
        },
        _ => Exit { code: None, signal: Some("unknown".to_owned()) },
    };
    tell.send_replace(Some(exit));
}

fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// EIO is how a pseudo-terminal says that nobody is at its other end.
fn is_hangup(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}
