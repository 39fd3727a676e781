//! A person at a desktop in a process of its own, which does what it is told and says when something happened.

use super::LONG;
use super::desktop::DESKTOP;
use anyhow::{Context, Result, bail};
use sallyport_fleet::{Fleet, apart};
use std::process::Stdio;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// When each of their streams had ended.
pub(crate) struct Ends(pub(crate) Vec<SystemTime>);

pub(crate) struct Person {
    process: Child,
    tells: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
}

impl Person {
    /// Starts their desktop and waits until it is signed in.
    pub(crate) async fn sits_down(fleet: &Fleet, sub: &str) -> Result<Self> {
        let clusters = fleet.targets.iter().map(|target| target.spec.name);
        let mut process = Command::new(std::env::current_exe()?)
            .arg(DESKTOP)
            .args(clusters)
            .envs(apart::environment(fleet, sub))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let tells = process.stdin.take().context("its input is piped")?;
        let says = BufReader::new(process.stdout.take().context("its output is piped")?).lines();
        let mut person = Self { process, tells, says };
        person.hears("ready").await?;
        Ok(person)
    }

    /// What it says after a word.
    async fn hears(&mut self, word: &str) -> Result<String> {
        let heard = async {
            while let Some(line) = self.says.next_line().await? {
                if let Some(rest) = line.strip_prefix(word) {
                    return Ok(rest.trim().to_owned());
                }
            }
            bail!("the desktop ended before it said {word}")
        };
        tokio::time::timeout(LONG, heard).await.with_context(|| format!("it never said {word}"))?
    }

    async fn tell(&mut self, word: &str) -> Result<()> {
        Ok(self.tells.write_all(format!("{word}\n").as_bytes()).await?)
    }

    /// Opens every session with a stream in it; how many there are.
    pub(crate) async fn opens(&mut self) -> Result<usize> {
        self.tell("open").await?;
        Ok(self.hears("opened").await?.parse()?)
    }

    pub(crate) async fn streams_ended(&mut self) -> Result<Ends> {
        let said = self.hears("cut").await?;
        Ok(Ends(said.split(' ').map(moment).collect::<Result<_>>()?))
    }

    /// When the last of their sessions had seen every right refused.
    pub(crate) async fn rights_gone(&mut self) -> Result<SystemTime> {
        moment(&self.hears("rights").await?)
    }

    /// Waits until every session is over; how many were proven.
    pub(crate) async fn all_closed(&mut self) -> Result<usize> {
        Ok(self.hears("closed").await?.parse()?)
    }

    /// Puts what is closed away, once nothing is held any more.
    pub(crate) async fn goes_on(&mut self) -> Result<()> {
        self.tell("go-on").await?;
        self.hears("ready").await.map(drop)
    }

    /// Quits.
    pub(crate) async fn leaves(mut self) -> Result<()> {
        drop(self.tells);
        self.process.wait().await.map(drop).context("its end")
    }
}

/// As the desktops say it: microseconds since the epoch.
fn moment(text: &str) -> Result<SystemTime> {
    Ok(SystemTime::UNIX_EPOCH + Duration::from_micros(text.parse()?))
}
