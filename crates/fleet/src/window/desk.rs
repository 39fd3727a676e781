//! A person's desk: an X display, a session bus and an unlocked keyring, with a home of their own.

use super::Secrets;
use anyhow::{Context as _, Result, ensure};
use sallyport_testkit::process::{Launch, Process, Scratch, wait_until};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What a window needs around it. Dropping it ends all of it and removes every file.
pub struct Desk {
    // In this order: who talks to whom ends first.
    secrets: Secrets,
    screen: Screen,
    scratch: Scratch,
    windows: AtomicU32,
}

/// Xvfb; killed, it would leave its lock and its socket behind.
struct Screen {
    process: Option<Process>,
    number: u32,
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.process.take());
        for file in [format!("/tmp/.X{}-lock", self.number), format!("/tmp/.X11-unix/X{}", self.number)] {
            // It may have removed them itself.
            let _ = fs::remove_file(file);
        }
    }
}

impl Desk {
    /// A desk with a screen of `size` pixels on a free display.
    ///
    /// # Errors
    /// When Xvfb, dbus-daemon or gnome-keyring-daemon is missing or does not come up.
    pub async fn start(size: (u32, u32)) -> Result<Self> {
        let scratch = Scratch::new("desk")?;
        fs::create_dir(scratch.path().join("config"))?;
        let screen = Screen::start(scratch.path(), size).await?;
        let secrets = Secrets::start(scratch.path()).await?;
        Ok(Self { secrets, screen, scratch, windows: AtomicU32::new(0) })
    }

    /// Its own folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// The display, like `:99`.
    #[must_use]
    pub fn display(&self) -> String {
        format!(":{}", self.screen.number)
    }

    /// The app's `SALLYPORT_HOME` here: the same for every window of this desk.
    #[must_use]
    pub fn app_home(&self) -> PathBuf {
        self.scratch.path().join("sallyport")
    }

    /// Where its session bus listens, as `DBUS_SESSION_BUS_ADDRESS` has it.
    #[must_use]
    pub fn bus_address(&self) -> String {
        self.secrets.bus_address()
    }

    /// The environment of a program on this desk.
    #[must_use]
    pub fn env(&self) -> Vec<(String, String)> {
        let path = |name: &str| self.scratch.path().join(name).display().to_string();
        [
            ("DISPLAY", self.display()),
            ("DBUS_SESSION_BUS_ADDRESS", self.bus_address()),
            ("HOME", path("home")),
            ("XDG_RUNTIME_DIR", path("run")),
            ("XDG_CONFIG_HOME", path("config")),
            ("SALLYPORT_HOME", path("sallyport")),
            ("SHELL", "/bin/bash".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            // WebKit can wait long for an accessibility bus that nobody runs.
            ("NO_AT_BRIDGE", "1".to_owned()),
            ("GTK_A11Y", "none".to_owned()),
            ("GDK_BACKEND", "x11".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// Takes the keyboard's focus from every window, as if the person worked elsewhere.
    ///
    /// # Errors
    /// When the display does not answer.
    pub fn look_away(&self) -> Result<()> {
        self.screen.focus_nothing().context("take the focus from every window")
    }

    pub(super) fn next_name(&self, what: &str) -> String {
        format!("{what}-{}", self.windows.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether the bus still runs, for messages.
    ///
    /// # Errors
    /// When it has ended, with its last words.
    pub fn must_run(&self) -> Result<()> {
        self.secrets.must_run()
    }
}

impl Screen {
    async fn start(dir: &Path, (width, height): (u32, u32)) -> Result<Self> {
        let screen = format!("{width}x{height}x24");
        // It looks for a free number itself and says which it took.
        let process = Launch::new("xvfb", "Xvfb", dir)
            .args(["-displayfd", "1", "-screen", "0", &screen, "-nolisten", "tcp", "-noreset"])
            .start()?;
        let number = |process: &Process| {
            fs::read_to_string(process.log()).ok()?.lines().find_map(|l| l.trim().parse::<u32>().ok())
        };
        wait_until("Xvfb", Duration::from_secs(60), &[&process], async || number(&process).is_some()).await?;
        let number = number(&process).context("Xvfb names its display")?;
        Ok(Self { process: Some(process), number })
    }

    /// `SetInputFocus` to nothing (X Window System Protocol, version 11, §9), since there is no window manager to ask.
    fn focus_nothing(&self) -> Result<()> {
        let mut display = UnixStream::connect(format!("/tmp/.X11-unix/X{}", self.number))?;
        display.set_read_timeout(Some(Duration::from_secs(60)))?;
        // Little-endian, protocol 11.0, no authorisation.
        display.write_all(&[b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        let mut head = [0; 8];
        display.read_exact(&mut head)?;
        ensure!(head[0] == 1, "the display refused the connection");
        let mut rest = vec![0; usize::from(u16::from_le_bytes([head[6], head[7]])) * 4];
        display.read_exact(&mut rest)?;
        let (set_focus, ask_focus) = ([42, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0], [43, 0, 1, 0]);
        display.write_all(&set_focus)?;
        display.write_all(&ask_focus)?;
        // The answer to the second comes after the first was carried out.
        let mut answer = [0; 32];
        display.read_exact(&mut answer)?;
        ensure!(answer[0] == 1 && answer[8..12] == [0; 4], "something has the focus still");
        Ok(())
    }
}
