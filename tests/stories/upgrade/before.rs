//! An older release, from its source in this repository's history: its manifests, its broker, and a desktop of it.

use anyhow::{Context, Result, ensure};
use sallyport_fleet::Release;
use sallyport_testkit::browser::FormBrowser;
use sallyport_testkit::repository::root;
use sallyport_testkit::{broker::Programs, idp::cache_dir};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The first release: the last commit before sets of policies had numbers.
const COMMIT: &str = "9b4c51dcb6b22f82bc71a419b1ba679cb9033573";
const DESK: &str = include_str!("desk.rs");
/// The longest wait for anything that a desktop is told to do.
const LONG: Duration = Duration::from_secs(60);

/// The release as it is kept: built once, by its own lock file, and found by its commit.
pub(crate) struct Before {
    home: PathBuf,
}

impl Before {
    /// Builds what is not there yet, which takes some minutes.
    pub(crate) async fn built() -> Result<Self> {
        let home = cache_dir()?.join("releases").join(&COMMIT[..12]);
        let before = Self { home };
        if !before.home.join("built").exists() || std::fs::read_to_string(before.home.join("built"))? != DESK
        {
            before.build().await?;
        }
        Ok(before)
    }

    async fn build(&self) -> Result<()> {
        let (home, root) = (&self.home, root());
        println!("  building the release of {} (some minutes, once)", &COMMIT[..12]);
        let source = home.join("source");
        let _ = std::fs::remove_dir_all(&source);
        std::fs::create_dir_all(&source)?;
        let archive = home.join("source.tar");
        let mut git = Command::new("git");
        git.args(["archive", "--format=tar", "-o"]).arg(&archive).arg(COMMIT).current_dir(&root);
        run(git)
            .await
            .context("this clone lacks the first release: get its whole history (git fetch --unshallow)")?;
        let mut tar = Command::new("tar");
        tar.arg("xf").arg(&archive).arg("-C").arg(&source);
        run(tar).await?;
        let examples = source.join("crates/testkit/examples");
        std::fs::create_dir_all(&examples)?;
        std::fs::write(examples.join("desk.rs"), DESK)?;
        let target = home.join("target");
        let cargo = |args: &[&str]| {
            let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            cargo.args(["build", "--quiet", "--locked"]).args(args).current_dir(&source);
            cargo
                .env("CARGO_TARGET_DIR", &target)
                .env("CARGO_PROFILE_DEV_DEBUG", "0")
                .env("CARGO_INCREMENTAL", "0");
            cargo
        };
        run(cargo(&["-p", "sallyport-broker", "--bin", "sallyport-broker"])).await?;
        run(cargo(&["-p", "sallyport-testkit", "--features", "product", "--example", "desk"])).await?;
        for program in ["sallyport-broker", "examples/desk"] {
            let from = target.join("debug").join(program);
            let name = from.file_name().context("a program has a name")?;
            std::fs::copy(&from, home.join(name))?;
        }
        std::fs::remove_dir_all(&target)?;
        std::fs::remove_file(&archive)?;
        std::fs::write(home.join("built"), DESK)?;
        Ok(())
    }

    /// What a fleet of it starts from.
    pub(crate) fn release(&self) -> Release {
        let broker = Programs { broker: self.home.join("sallyport-broker"), faults: None };
        let redirects = vec!["http://127.0.0.1/callback".to_owned()];
        Release { deploy: self.home.join("source/deploy"), broker: Some(broker), redirects }
    }

    /// A desktop of it, whose person uses that browser.
    pub(crate) async fn desk(&self, browser: FormBrowser, home: &Path) -> Result<Desk> {
        let mut child = Command::new(self.home.join("desk"))
            .arg(home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let orders = child.stdin.take().context("its input")?;
        let answers = BufReader::new(child.stdout.take().context("its output")?).lines();
        Ok(Desk { child, orders, answers, browser: Arc::new(browser) })
    }
}

/// A running desktop of an older release.
pub(crate) struct Desk {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    browser: Arc<FormBrowser>,
}

impl Desk {
    /// Has it do something, and returns its answer.
    pub(crate) async fn does(&mut self, order: Value) -> Result<Value> {
        let said = order.to_string();
        tokio::time::timeout(LONG, self.answered(order))
            .await
            .with_context(|| format!("no answer to {said}"))?
    }

    async fn answered(&mut self, order: Value) -> Result<Value> {
        self.orders.write_all(format!("{order}\n").as_bytes()).await?;
        loop {
            let line = self.answers.next_line().await?.context("the desktop ended")?;
            let mut answer: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
            if let Some(url) = answer["browser"].as_str() {
                let (browser, url) = (self.browser.clone(), url.to_owned());
                tokio::spawn(async move {
                    if let Err(error) = browser.sign_in(&url).await {
                        eprintln!("the browser: {error:#}");
                    }
                });
                continue;
            }
            if let Some(error) = answer["error"].as_str() {
                anyhow::bail!("{error}");
            }
            return Ok(answer["ok"].take());
        }
    }

    /// Waits until its list shows how that cluster can be opened.
    pub(crate) async fn listed(&mut self, cluster: &str) -> Result<()> {
        let began = Instant::now();
        loop {
            let view = self.does(json!({"do": "clusters"})).await?;
            let found = view["clusters"].as_array().into_iter().flatten().find(|one| one["name"] == cluster);
            if found.is_some_and(|one| one["way"]["kind"] != "unknown") {
                return Ok(());
            }
            ensure!(began.elapsed() < LONG, "its list shows {view}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Opens a cluster, and waits until it is open.
    pub(crate) async fn open(&mut self, cluster: &str, profile: &str) -> Result<String> {
        let order = json!({"do": "open", "cluster": cluster, "profile": profile});
        let id = self.does(order).await?["id"].as_str().context("an id")?.to_owned();
        let view = self.until(&id, |state| state != "opening").await?;
        ensure!(view["state"] == "open", "it is {}: {}", view["state"], view["error"]);
        Ok(id)
    }

    /// Leaves, and returns the whole view once it is closed.
    pub(crate) async fn leave(&mut self, id: &str) -> Result<Value> {
        self.does(json!({"do": "leave", "id": id})).await?;
        self.until(id, |state| state == "closed").await
    }

    pub(crate) async fn session(&mut self, id: &str) -> Result<Value> {
        let all = self.does(json!({"do": "sessions"})).await?;
        let found = all.as_array().into_iter().flatten().find(|one| one["id"] == id);
        found.cloned().context("there is no such session")
    }

    async fn until(&mut self, id: &str, wanted: impl Fn(&str) -> bool) -> Result<Value> {
        let began = Instant::now();
        loop {
            let view = self.session(id).await?;
            if wanted(view["state"].as_str().unwrap_or_default()) {
                return Ok(view);
            }
            ensure!(began.elapsed() < LONG, "it stays {}: {view}", view["state"]);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends it as a person would.
    pub(crate) async fn quit(mut self) -> Result<()> {
        self.does(json!({"do": "quit"})).await?;
        self.child.wait().await?;
        Ok(())
    }
}

async fn run(mut command: Command) -> Result<()> {
    let done = command.kill_on_drop(true).output().await?;
    ensure!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}
