//! A person's secret store: a session bus of its own with an unlocked keyring on it.

use anyhow::Result;
use sallyport_testkit::process::{Launch, Process, wait_until};
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bus and keyring. Dropping it ends both; their files are in the folder they were given.
pub struct Secrets {
    // The keyring first: who talks to whom ends first.
    _keyring: Process,
    bus: Process,
    socket: PathBuf,
}

impl Secrets {
    /// Starts both in `folder`, which belongs to them and to nobody else's.
    ///
    /// # Errors
    /// When dbus-daemon or gnome-keyring-daemon is missing or does not come up.
    pub async fn start(folder: &Path) -> Result<Self> {
        for name in ["home", "run"] {
            fs::create_dir_all(folder.join(name))?;
        }
        // The keyring insists on a runtime directory that is its owner's alone.
        fs::set_permissions(folder.join("run"), std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let socket = folder.join("bus");
        let address = address_of(&socket);
        let bus = Launch::new("dbus-daemon", "dbus-daemon", folder)
            .args(["--session", "--nofork", "--nopidfile", "--address", &address])
            .env("HOME", folder.join("home"))
            .start()?;
        // Its socket is there a moment before anybody listens to it.
        let answers = async || UnixStream::connect(&socket).is_ok();
        wait_until("the session bus", Duration::from_secs(60), &[&bus], answers).await?;
        let keyring = start_keyring(folder, &address).await?;
        Ok(Self { _keyring: keyring, bus, socket })
    }

    /// Where the bus listens, as `DBUS_SESSION_BUS_ADDRESS` has it.
    #[must_use]
    pub fn bus_address(&self) -> String {
        address_of(&self.socket)
    }

    /// Whether the bus still runs, for messages.
    ///
    /// # Errors
    /// When it has ended, with its last words.
    pub fn must_run(&self) -> Result<()> {
        self.bus.must_run()
    }
}

fn address_of(socket: &Path) -> String {
    format!("unix:path={}", socket.display())
}

/// gnome-keyring, unlocked with an empty password as a login without one would.
async fn start_keyring(dir: &Path, address: &str) -> Result<Process> {
    let keyring = Launch::new("keyring", "sh", dir)
        .args(["-c", "printf '\\n' | gnome-keyring-daemon --foreground --components=secrets --unlock --control-directory \"$XDG_RUNTIME_DIR\""])
        .env("DBUS_SESSION_BUS_ADDRESS", address)
        .env("HOME", dir.join("home"))
        .env("XDG_DATA_HOME", dir.join("home/.local/share"))
        .env("XDG_RUNTIME_DIR", dir.join("run"))
        .start()?;
    let asked = [
        "--session",
        "--print-reply",
        "--dest=org.freedesktop.DBus",
        "/",
        "org.freedesktop.DBus.NameHasOwner",
        "string:org.freedesktop.secrets",
    ];
    wait_until("the keyring", Duration::from_secs(60), &[&keyring], async || {
        let said = tokio::process::Command::new("dbus-send")
            .args(asked)
            .env("DBUS_SESSION_BUS_ADDRESS", address)
            .output()
            .await;
        said.is_ok_and(|s| String::from_utf8_lossy(&s.stdout).contains("true"))
    })
    .await?;
    Ok(keyring)
}
