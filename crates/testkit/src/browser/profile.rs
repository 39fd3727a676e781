//! A throwaway home for Chromium that trusts the demo's CA, and what takes a URL an application opens.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

/// A home directory with a certificate store of its own; removed when dropped.
#[derive(Debug)]
pub struct Profile {
    home: TempDir,
}

impl Profile {
    /// A profile that trusts `ca_pem` besides what is built into Chromium; made with `certutil` of libnss3-tools.
    ///
    /// # Errors
    /// When `certutil` is missing or refuses the certificate.
    pub fn new(ca_pem: &str) -> Result<Self> {
        let home = tempfile::Builder::new().prefix("sallyport-browser-").tempdir()?;
        let store = home.path().join(".pki/nssdb");
        fs::create_dir_all(&store)?;
        // Where newer versions look first.
        fs::create_dir_all(home.path().join(".local/share"))?;
        std::os::unix::fs::symlink(home.path().join(".pki"), home.path().join(".local/share/pki"))?;
        let ca = home.path().join("ca.pem");
        fs::write(&ca, ca_pem)?;
        let store = format!("sql:{}", store.display());
        certutil(&["-N", "--empty-password", "-d", &store])?;
        let ca = ca.to_str().context("a temporary path is UTF-8")?;
        certutil(&["-A", "-n", "sallyport demo", "-t", "C,,", "-i", ca, "-d", &store])?;
        Ok(Self { home })
    }

    /// The home directory.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Chromium's arguments for this profile: nothing of the person's own, and no way off this machine.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> = [
            "--no-first-run",
            "--no-default-browser-check",
            "--disable-background-networking",
            "--disable-breakpad",
            "--disable-crash-reporter",
            "--disable-component-update",
            "--disable-default-apps",
            "--disable-domain-reliability",
            "--disable-sync",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--metrics-recording-only",
            "--password-store=basic",
            "--disable-features=PasswordManagerOnboarding,AutofillServerCommunication,OptimizationHints",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.push(format!("--user-data-dir={}", self.home().join("chromium").display()));
        if is_root() {
            // Chromium refuses to run its sandbox as root.
            arguments.push("--no-sandbox".to_owned());
        }
        arguments
    }

    /// Waits until no process names this profile any more; those that do after three seconds are killed.
    pub fn wait_until_unused(&self) {
        let deadline = Instant::now() + Duration::from_secs(3);
        loop {
            let users = processes_naming(&self.home().to_string_lossy());
            if users.is_empty() {
                return;
            }
            if Instant::now() > deadline + Duration::from_secs(3) {
                return; // it can't be killed, and waiting longer changes nothing
            }
            if Instant::now() > deadline {
                let pids = users.iter().map(u32::to_string);
                // One that ended meanwhile makes kill fail, and is as good.
                let _ = Command::new("kill").arg("-KILL").args(pids).output();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Writes a script that opens its argument in this profile: good as `$BROWSER`.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_launcher(&self) -> Result<PathBuf> {
        let quote = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let home = quote(&self.home().to_string_lossy());
        let arguments: Vec<String> = self.arguments().iter().map(|argument| quote(argument)).collect();
        write_script(
            &self.home().join("browser"),
            &format!("HOME={home} TMPDIR={home} exec chromium {} --new-window \"$1\"", arguments.join(" ")),
        )
    }
}

/// Takes the URLs an application opens: a script for `$BROWSER` that writes them down instead.
#[derive(Debug)]
pub struct UrlCatcher {
    dir: TempDir,
    taken: usize,
}

impl UrlCatcher {
    /// A catcher that has caught nothing.
    ///
    /// # Errors
    /// When its script can't be written.
    pub fn new() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("sallyport-urls-").tempdir()?;
        let line = format!("printf '%s\\n' \"$1\" >> '{}'", dir.path().join("urls").display());
        write_script(&dir.path().join("browser"), &line)?;
        Ok(Self { dir, taken: 0 })
    }

    /// What to set `$BROWSER` to.
    #[must_use]
    pub fn script(&self) -> PathBuf {
        self.dir.path().join("browser")
    }

    /// How many URLs were opened so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.urls().len()
    }

    /// The next URL, waiting for it.
    ///
    /// # Errors
    /// When none comes within `deadline`.
    pub async fn next(&mut self, deadline: Duration) -> Result<String> {
        let asked = Instant::now();
        loop {
            if let Some(url) = self.urls().into_iter().nth(self.taken) {
                self.taken += 1;
                return Ok(url);
            }
            ensure!(asked.elapsed() < deadline, "no URL was opened within {deadline:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn urls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.dir.path().join("urls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// Processes with `text` in their command line, this one aside.
fn processes_naming(text: &str) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let names = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(text)
    };
    pids.filter(|pid| *pid != std::process::id()).filter(names).collect()
}

fn write_script(path: &Path, line: &str) -> Result<PathBuf> {
    fs::write(path, format!("#!/bin/sh\n{line}\n"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(path.to_owned())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn certutil(arguments: &[&str]) -> Result<()> {
    let done = Command::new("certutil").args(arguments).output().context("run certutil (libnss3-tools)")?;
    ensure!(
        done.status.success(),
        "certutil {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(())
}
