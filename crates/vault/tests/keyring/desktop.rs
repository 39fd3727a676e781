//! A desktop session of its own for each test: a message bus and, on it, gnome-keyring.

use std::{
    fs,
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use sallyport_vault::{Keyring, VaultConfig};
use tempfile::TempDir;

/// Dropping it ends the bus and with it everything on it.
pub(crate) struct Desktop {
    home: TempDir,
    bus: Child,
    keyring: Option<Child>,
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for child in self.keyring.iter_mut().chain([&mut self.bus]) {
            // Gone already is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Runs a program that dies with this test's thread.
fn bound(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

impl Desktop {
    /// A session without a keyring: the bus knows no service it could start.
    pub(crate) async fn bare() -> Result<Self> {
        let home = tempfile::Builder::new().prefix("sallyport-desktop-").tempdir()?;
        let config = home.path().join("bus.conf");
        let socket = home.path().join("bus");
        fs::write(
            &config,
            format!(
                "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
                 <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
                 <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
                socket.display()
            ),
        )?;
        let bus = bound("dbus-daemon").arg("--nofork").arg("--config-file").arg(&config).spawn()?;
        let desktop = Self { home, bus, keyring: None };
        let deadline = Instant::now() + Duration::from_secs(60);
        // The socket is there a moment before anybody listens to it.
        while UnixStream::connect(&socket).is_err() {
            ensure!(Instant::now() < deadline, "the bus did not start");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(desktop)
    }

    /// A session with an unlocked keyring, as after a login.
    pub(crate) async fn with_keyring() -> Result<Self> {
        let mut desktop = Self::bare().await?;
        desktop.start_keyring(true).await?;
        Ok(desktop)
    }

    /// Starts gnome-keyring, unlocked as a login does it or left locked.
    pub(crate) async fn start_keyring(&mut self, unlocked: bool) -> Result<()> {
        let home = self.home.path().to_owned();
        let password = home.join("password");
        fs::write(&password, "test")?;
        let mut command = bound("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]);
        if unlocked {
            command.arg("--unlock").stdin(fs::File::open(&password)?);
        }
        command
            .arg("--control-directory")
            .arg(&home)
            .env("DBUS_SESSION_BUS_ADDRESS", self.address())
            .env("HOME", &home)
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_RUNTIME_DIR", &home);
        self.keyring = Some(command.spawn().context("start gnome-keyring-daemon")?);
        let connection = zbus::connection::Builder::address(self.address().as_str())?.build().await?;
        let bus = zbus::fdo::DBusProxy::new(&connection).await?;
        let deadline = Instant::now() + Duration::from_secs(60);
        while !bus.name_has_owner("org.freedesktop.secrets".try_into()?).await? {
            ensure!(Instant::now() < deadline, "gnome-keyring did not start");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Ends the keyring; its files stay.
    pub(crate) fn stop_keyring(&mut self) -> Result<()> {
        if let Some(mut keyring) = self.keyring.take() {
            keyring.kill()?;
            keyring.wait()?;
        }
        Ok(())
    }

    pub(crate) fn address(&self) -> String {
        format!("unix:path={}", self.home.path().join("bus").display())
    }

    /// Where the keyring keeps its files.
    pub(crate) fn keyring_files(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// A vault in `dir` that uses this session's keyring.
    pub(crate) fn config(&self, dir: &TempDir) -> VaultConfig {
        config(dir, Keyring::Bus(self.address()))
    }
}

pub(crate) fn config(dir: &TempDir, keyring: Keyring) -> VaultConfig {
    VaultConfig {
        dir: dir.path().to_owned(),
        keyring,
        timeout: Duration::from_secs(20),
        unlock: Duration::from_millis(500),
    }
}
