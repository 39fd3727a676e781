//! A restless desktop as the story sees it: a process that says what it does, and how long each step took.

use super::steps::{ENOUGH, Step};
use crate::crash::spawn_for;
use anyhow::{Context, Result, bail};
use sallyport_fleet::Fleet;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// A start with its sign-in and its inventory, on a busy machine.
const START: Duration = Duration::from_secs(90);

/// Until it is gone: what it leaves open is withdrawn first.
const END: Duration = Duration::from_secs(60);

/// A word with what it is about, when it was heard.
#[derive(Clone, Debug)]
struct Said {
    at: Instant,
    word: String,
    of: String,
}

/// A restless desktop.
pub(super) struct Restless {
    /// Whose it is, as the provider knows them.
    sub: String,
    child: Child,
    says: mpsc::UnboundedReceiver<Said>,
    /// What was heard last.
    last: Option<Said>,
    /// What each word was about, in this lap.
    said: BTreeMap<String, String>,
    /// What the step took that each word began, the last time.
    took: BTreeMap<String, Duration>,
}

impl Restless {
    /// Starts it and waits until it is signed in: by itself where an earlier one in the same `home` was.
    pub(super) async fn spawn(
        fleet: &Fleet,
        sub: &str,
        home: &Path,
        role: &str,
        keyring: &str,
    ) -> Result<Self> {
        let mut child = spawn_for(fleet, sub, home, role, keyring).await?;
        let stdout = child.stdout.take().context("its output is piped")?;
        let (tell, says) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let (word, of) = line.split_once(' ').unwrap_or((&line, ""));
                drop(tell.send(Said { at: Instant::now(), word: word.to_owned(), of: of.to_owned() }));
            }
        });
        let (last, said, took) = (None, BTreeMap::new(), BTreeMap::new());
        let mut restless = Self { sub: sub.to_owned(), child, says, last, said, took };
        restless.hears("ready", START).await?;
        Ok(restless)
    }

    /// Tells it under which profile to walk a lap.
    pub(super) fn walks(&mut self, profile: &str) -> Result<()> {
        self.said.clear();
        self.tell(profile)
    }

    /// Tells it that the provider has vouched often enough: it leaves.
    pub(super) fn has_enough(&mut self) -> Result<()> {
        self.tell(ENOUGH)
    }

    fn tell(&mut self, order: &str) -> Result<()> {
        let input = self.child.stdin.as_mut().context("its input is piped")?;
        Ok(input.write_all(format!("{order}\n").as_bytes())?)
    }

    fn take(&mut self, said: Said) {
        if let Some(before) = self.last.replace(said.clone()) {
            self.took.insert(before.word, said.at - before.at);
        }
        self.said.insert(said.word, said.of);
    }

    /// Waits until it says a word, and what that is about.
    pub(super) async fn hears(&mut self, word: &str, within: Duration) -> Result<String> {
        let heard = async {
            while let Some(said) = self.says.recv().await {
                self.take(said.clone());
                if said.word == word {
                    return Ok(said.of);
                }
            }
            bail!("the desktop ended before it said {word}")
        };
        tokio::time::timeout(within, heard).await.with_context(|| format!("it never said {word}"))?
    }

    /// What a word was about that it has said in this lap, or says within a time.
    pub(super) async fn has_said(&mut self, word: &str, within: Duration) -> Result<String> {
        self.catch_up();
        match self.said.get(word) {
            Some(of) => Ok(of.clone()),
            None => self.hears(word, within).await,
        }
    }

    /// Whether it says something within a time: what it was at is over.
    pub(super) async fn goes_on_within(&mut self, within: Duration) -> bool {
        let said = tokio::time::timeout(within, self.says.recv()).await;
        let heard = matches!(said, Ok(Some(_)));
        if let Ok(Some(said)) = said {
            self.take(said);
        }
        heard
    }

    /// Takes in what it has said by now.
    pub(super) fn catch_up(&mut self) {
        while let Ok(said) = self.says.try_recv() {
            self.take(said);
        }
    }

    /// Waits until it begins a step. That the provider is asked, the provider knows.
    pub(super) async fn begins(&mut self, fleet: &Fleet, step: Step, within: Duration) -> Result<()> {
        self.hears(step.word(), within).await?;
        if step != Step::Reaffirming {
            return Ok(());
        }
        let began = Instant::now();
        let before = self.renewals(fleet).await?;
        // One that was over by now is followed by the next: it is vouched for until that was often enough.
        while self.renewals(fleet).await? == before {
            anyhow::ensure!(began.elapsed() < within, "the provider was not asked again");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.catch_up();
        // What it takes is counted from here on.
        if let Some(last) = &mut self.last {
            last.at = Instant::now();
        }
        Ok(())
    }

    /// How often its person's sign-in was renewed: a refresh token is good for one question. Others ask meanwhile, too.
    async fn renewals(&self, fleet: &Fleet) -> Result<usize> {
        let tokens = fleet.idp.refresh_tokens().await?;
        Ok(tokens.iter().filter(|token| token.account == self.sub && token.state == "rotated").count())
    }

    /// What a step took when it last came.
    pub(super) fn took(&self, step: Step) -> Option<Duration> {
        self.took.get(step.word()).copied()
    }

    /// With -9; what it had said until then is heard.
    pub(super) async fn kill(&mut self) -> Result<ExitStatus> {
        self.child.kill()?;
        let ended = self.ended().await?.context("it did not end by -9")?;
        // Its end closes the pipe, whose reader ends with it; but where a child of its own holds that.
        let hears_out = async {
            while let Some(said) = self.says.recv().await {
                self.take(said);
            }
        };
        tokio::time::timeout(END, hears_out).await.context("somebody else holds its output")?;
        Ok(ended)
    }

    /// Closing its input is how it is told to quit.
    pub(super) async fn quits(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        if self.ended().await?.is_none() {
            self.child.kill()?;
            self.child.wait()?;
            bail!("the desktop did not quit within {} s", END.as_secs());
        }
        Ok(())
    }

    /// How it ended, if it does in time.
    async fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let began = Instant::now();
        loop {
            match self.child.try_wait()? {
                None if began.elapsed() < END => tokio::time::sleep(Duration::from_millis(1)).await,
                ended => return Ok(ended),
            }
        }
    }
}

/// Whether it ran until it was killed.
pub(super) fn was_killed(ended: ExitStatus) -> bool {
    ended.signal() == Some(9)
}
