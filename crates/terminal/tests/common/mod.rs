//! What the tests of the terminal share: a session with a home of its own, and someone who reads the screen.
#![allow(dead_code, reason = "each test binary uses its part")]

use sallyport_model::Secret;
use sallyport_terminal::{
    Attachment, Environment, Guard, KubeconfigSpec, Located, PrivateKubeconfig, Terminal, TerminalOptions,
};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) fn spec() -> KubeconfigSpec {
    KubeconfigSpec {
        server: "https://127.0.0.1:6443".into(),
        ca_pem: "-----BEGIN CERTIFICATE-----\nca\n-----END CERTIFICATE-----\n".into(),
        client_cert_pem: "-----BEGIN CERTIFICATE-----\ncert\n-----END CERTIFICATE-----\n".into(),
        client_key_pem: Secret::new("the client key".to_owned()),
        cluster: "eu-1".parse().unwrap(),
        namespace: Some("payments".parse().unwrap()),
        user: "sallyport".into(),
    }
}

pub(crate) struct Session {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) kubeconfig: PrivateKubeconfig,
}

impl Session {
    pub(crate) fn new() -> Self {
        Self::in_runtime("run")
    }

    pub(crate) fn in_runtime(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // With it, fish does not start to read every manual page in the background, as it does in a new home.
        std::fs::create_dir_all(dir.path().join("home/.local/share/fish/generated_completions")).unwrap();
        let kubeconfig = PrivateKubeconfig::write(&dir.path().join(name), &spec()).unwrap();
        Self { dir, kubeconfig }
    }

    pub(crate) fn home(&self) -> String {
        self.dir.path().join("home").to_str().unwrap().to_owned()
    }

    pub(crate) fn runtime(&self) -> PathBuf {
        self.kubeconfig.path().parent().unwrap().parent().unwrap().to_owned()
    }

    pub(crate) fn home_file(&self, name: &str, body: &str, mode: u32) {
        let path = Path::new(&self.home()).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, body).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// As a desktop would be started: with its person's home, and with what must not get through.
    pub(crate) fn variables(&self) -> Vec<(OsString, OsString)> {
        let mut all: Vec<(OsString, OsString)> = [
            ("HOME", self.home().as_str()),
            ("PATH", &format!("{}/tools:/usr/local/bin:/usr/bin:/bin", self.home())),
            ("LANG", "C.UTF-8"),
            ("KUBECONFIG", "/from/the/desktop"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
        for name in SECRETS {
            all.push((name.into(), "do-not-leak".into()));
        }
        all
    }

    pub(crate) fn options(&self, shell: &str) -> TerminalOptions {
        TerminalOptions {
            shell: Some(shell.into()),
            session: "session-1".into(),
            environment: Some(Environment::scrubbed(self.variables())),
            ..TerminalOptions::default()
        }
    }

    pub(crate) async fn open_with(&self, options: TerminalOptions) -> Terminal {
        Terminal::spawn(Located::of(&self.kubeconfig), options).await.unwrap()
    }

    pub(crate) async fn open(&self, shell: &str) -> Terminal {
        Terminal::spawn(Located::of(&self.kubeconfig), self.options(shell)).await.unwrap()
    }
}

pub(crate) const SECRETS: &[&str] = &[
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "GITHUB_TOKEN",
    "VAULT_TOKEN",
    "DB_PASSWORD",
    "API_SECRET",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "AZURE_CLIENT_SECRET",
    "KUBE_TOKEN",
    "HELM_KUBETOKEN",
    "LD_PRELOAD_X",
    "GTK_MODULES",
    "WEBKIT_FORCE_SANDBOX",
];

/// Someone who types and reads.
pub(crate) struct Screen<'a> {
    terminal: &'a Terminal,
    attachment: Attachment,
    pub(crate) all: String,
    at: usize,
    typed: u32,
}

impl<'a> Screen<'a> {
    pub(crate) fn of(terminal: &'a Terminal) -> Self {
        let attachment = terminal.attach();
        let all = String::from_utf8_lossy(&attachment.scrollback).into_owned();
        Self { terminal, attachment, all, at: 0, typed: 0 }
    }

    /// Only what is said from now on.
    pub(crate) fn from_now(terminal: &'a Terminal) -> Self {
        let mut screen = Self::of(terminal);
        screen.at = screen.all.len();
        screen
    }

    /// Reads on until the text appears after what was read before; returns what was said up to and with it.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        let read = async {
            loop {
                if let Some(found) = self.all[self.at..].find(text) {
                    let end = self.at + found + text.len();
                    let said = self.all[self.at..end].to_owned();
                    self.at = end;
                    return said;
                }
                let Some(chunk) = self.attachment.next().await else {
                    panic!("the terminal ended before `{text}`: {}", &self.all[self.at..]);
                };
                self.attachment.acks().ack(chunk.len());
                self.all.push_str(&String::from_utf8_lossy(&chunk));
            }
        };
        match tokio::time::timeout(DEADLINE, read).await {
            Ok(said) => said,
            Err(_) => panic!("`{text}` did not appear; the screen: {}", self.all),
        }
    }

    /// Waits for a command to be answered, which is when the shell is at its prompt; returns all it said till then.
    pub(crate) async fn prompt(&mut self) -> String {
        self.run("true").await;
        self.all.clone()
    }

    /// Types a line and returns what was said until it was done.
    pub(crate) async fn run(&mut self, line: &str) -> String {
        self.typed += 1;
        // The mark is not in what is typed, so its echo is not taken for it.
        let n = self.typed;
        self.terminal.write(format!("{line}\nprintf '%s-%s\\n' done {n}\n").as_bytes()).await.unwrap();
        let said = self.until(&format!("done-{n}")).await;
        unwrapped(&said)
    }
}

/// Without what a line editor adds: escape sequences, and the carriage returns it wraps long lines with.
fn unwrapped(said: &str) -> String {
    let mut out = String::new();
    let mut chars = said.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                if chars.next() == Some('[') {
                    while chars.next().is_some_and(|c| !c.is_ascii_alphabetic()) {}
                }
            }
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}

/// Waits until a terminal's guard is as wanted.
pub(crate) async fn guard_is(terminal: &Terminal, wanted: impl Fn(&Guard) -> bool) -> Guard {
    let mut changes = terminal.guard_changes();
    let found = tokio::time::timeout(DEADLINE, changes.wait_for(|guard| wanted(guard))).await;
    match found {
        Ok(found) => found.unwrap().clone(),
        Err(_) => panic!("the guard stays {:?}", terminal.guard()),
    }
}

/// A tool that says which kubeconfig it would use.
pub(crate) const KUBECTL: &str = "#!/bin/sh\necho \"kubectl:$KUBECONFIG:$*:\"\n";

pub(crate) fn session_with_kubectl() -> Session {
    let session = Session::new();
    session.home_file("tools/kubectl", KUBECTL, 0o755);
    session
}

pub(crate) fn is_not_guarded(guard: &Guard) -> bool {
    matches!(guard, Guard::NotGuarded(_))
}

/// What a person does who has read why, and wants it so.
pub(crate) fn take(terminal: &Terminal) {
    let Guard::NotGuarded(why) = terminal.guard() else { panic!("{:?}", terminal.guard()) };
    assert!(terminal.take_unguarded(&why));
}

/// Whether any process has this command line.
pub(crate) fn runs(line: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.any(|found| found.strip_suffix(&[0]) == Some(line.as_bytes()))
}

/// Whether a process runs (one that ended and waits to be reaped does not).
pub(crate) fn alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| Some(stat.rsplit_once(')')?.1.trim_start().chars().next()? != 'Z'))
        .unwrap_or(false)
}

/// Waits for all of them to be gone; ends what is not, so that a failing test leaves nothing behind either.
pub(crate) fn gone(pids: &[u32], within: Duration) {
    let until = std::time::Instant::now() + within;
    while pids.iter().any(|pid| alive(*pid)) && std::time::Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    let left: Vec<u32> = pids.iter().copied().filter(|pid| alive(*pid)).collect();
    left.iter().for_each(|pid| kill(*pid));
    assert!(left.is_empty(), "{left:?} are left");
}

pub(crate) fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

/// This test binary again, running one ignored test as a process of its own.
pub(crate) struct Child {
    process: std::process::Child,
    out: std::io::BufReader<std::process::ChildStdout>,
    // What it makes and can't remove when it is killed.
    _temporary: tempfile::TempDir,
}

impl Child {
    pub(crate) fn start(test: &str) -> Self {
        Self::inside(&[], test)
    }

    /// The same, run by another program: one that changes what the process sees of the system.
    pub(crate) fn inside(wrapper: &[&str], test: &str) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let own = std::env::current_exe().unwrap();
        let mut line: Vec<&std::ffi::OsStr> = wrapper.iter().map(std::ffi::OsStr::new).collect();
        line.push(own.as_os_str());
        let mut process = std::process::Command::new(line[0])
            .args(&line[1..])
            .args(["--ignored", "--exact", test, "--nocapture", "--test-threads=1"])
            .env("TMPDIR", temporary.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let out = std::io::BufReader::new(process.stdout.take().unwrap());
        Self { process, out, _temporary: temporary }
    }

    /// The next line it said, without the test harness's own.
    pub(crate) fn line(&mut self) -> String {
        use std::io::BufRead as _;
        loop {
            let mut line = String::new();
            assert!(self.out.read_line(&mut line).unwrap() > 0, "the child ended");
            if let Some(said) = line.trim().strip_prefix("said ") {
                return said.to_owned();
            }
        }
    }

    /// Waits for it to end by itself, having passed.
    pub(crate) fn passes(&mut self) {
        use std::io::Read as _;
        let mut said = String::new();
        self.out.read_to_string(&mut said).unwrap();
        let status = self.process.wait().unwrap();
        assert!(status.success() && said.contains("1 passed"), "{said}");
    }

    /// With SIGKILL, which leaves it no time for anything.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn say(line: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    if writeln!(out, "\nsaid {line}").and_then(|()| out.flush()).is_err() {
        // The parent is gone.
        std::process::exit(1);
    }
}
