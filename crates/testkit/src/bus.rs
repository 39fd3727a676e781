//! A session bus of its own, on which nothing is that a test did not put there.

use crate::process::{Launch, Process, Scratch, wait_until};
use anyhow::Result;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// A running bus. Dropping it ends it.
pub struct SessionBus {
    process: Process,
    scratch: Scratch,
}

impl SessionBus {
    /// Starts it. It knows no service that it could start itself.
    ///
    /// # Errors
    /// When dbus-daemon is missing or does not come up.
    pub async fn start() -> Result<Self> {
        let scratch = Scratch::new("bus")?;
        let socket = scratch.path().join("bus");
        let config = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            socket.display()
        );
        let config = scratch.write("bus.conf", config)?;
        let process = Launch::new("dbus-daemon", "dbus-daemon", scratch.path())
            .args(["--nofork", "--nopidfile", "--config-file"])
            .arg(&config)
            .start()?;
        // Its socket is there a moment before anybody listens to it.
        let answers = async || UnixStream::connect(&socket).is_ok();
        wait_until("the session bus", Duration::from_secs(60), &[&process], answers).await?;
        Ok(Self { process, scratch })
    }

    /// Where it listens, as `DBUS_SESSION_BUS_ADDRESS` has it.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix:path={}", self.scratch.path().join("bus").display())
    }

    /// Stops it where it is: a bus that hangs.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pause(&self) -> Result<()> {
        self.process.pause()
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it has ended.
    pub fn resume(&self) -> Result<()> {
        self.process.resume()
    }
}
