//! The real kubectl, with one kubeconfig and a home of its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

/// How a kubectl call ended.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it complained about.
    pub stderr: String,
}

impl Answer {
    /// stdout as text, bad bytes replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// Runs kubectl. The environment holds `PATH`, `HOME` (for its caches) and `KUBECONFIG`, nothing else.
#[derive(Debug, Clone)]
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    home: PathBuf,
    within: Duration,
}

impl Kubectl {
    /// `program` with `kubeconfig`; caches go under `home`.
    #[must_use]
    pub fn new(program: &Path, kubeconfig: &Path, home: &Path) -> Self {
        Self {
            program: program.to_owned(),
            kubeconfig: kubeconfig.to_owned(),
            home: home.to_owned(),
            within: Duration::from_secs(60),
        }
    }

    /// The same with another deadline per call (60 s otherwise).
    #[must_use]
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// The same with another kubeconfig.
    #[must_use]
    pub fn with_kubeconfig(&self, kubeconfig: &Path) -> Self {
        Self { kubeconfig: kubeconfig.to_owned(), ..self.clone() }
    }

    /// The kubeconfig it uses.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The program itself.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// A command to start oneself, for calls that stream; killed when dropped.
    #[must_use]
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .env_clear()
            .env("HOME", &self.home)
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
    }

    /// Runs it to its end, whatever that is.
    ///
    /// # Errors
    /// When it can't be started or does not end within the deadline.
    pub async fn run(&self, args: &[&str]) -> Result<Answer> {
        self.run_with_stdin(args, &[]).await
    }

    /// As [`run`](Self::run), with `input` on its stdin.
    ///
    /// # Errors
    /// When it can't be started or does not end within the deadline.
    pub async fn run_with_stdin(&self, args: &[&str], input: &[u8]) -> Result<Answer> {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", self.program.display()))?;
        let mut stdin = child.stdin.take().context("stdin was asked for")?;
        let feed = async move {
            // A kubectl that stopped reading says why on stderr.
            let _ = stdin.write_all(input).await;
            drop(stdin);
        };
        let both = async { tokio::join!(feed, child.wait_with_output()).1 };
        let output = timeout(self.within, both)
            .await
            .with_context(|| format!("kubectl {} took over {:?}", args.join(" "), self.within))??;
        Ok(Answer {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs it and returns its stdout; anything but exit code 0 is an error.
    ///
    /// # Errors
    /// As [`run`](Self::run), and with kubectl's stderr when it failed.
    pub async fn ok(&self, args: &[&str]) -> Result<String> {
        let answer = self.run(args).await?;
        ensure!(
            answer.code == Some(0),
            "kubectl {} ended with {:?}: {}",
            args.join(" "),
            answer.code,
            answer.stderr.trim()
        );
        Ok(answer.text())
    }

    /// Applies manifests (YAML or JSON) server-side.
    ///
    /// # Errors
    /// With kubectl's stderr when it failed.
    pub async fn apply(&self, manifests: &str) -> Result<String> {
        let args = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        let answer = self.run_with_stdin(&args, manifests.as_bytes()).await?;
        ensure!(
            answer.code == Some(0),
            "kubectl apply ended with {:?}: {}",
            answer.code,
            answer.stderr.trim()
        );
        Ok(answer.text())
    }

    /// Applies a kustomization server-side.
    ///
    /// # Errors
    /// With kubectl's stderr when it failed.
    pub async fn apply_kustomize(&self, dir: &Path) -> Result<String> {
        let dir = dir.to_str().context("a folder named in UTF-8")?;
        self.ok(&["apply", "--server-side", "--force-conflicts", "-k", dir]).await
    }
}
