//! Installing, starting and talking to the Node program.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use super::{IdpCa, IdpOptions, Order};

/// The program, carried in the binary so that it runs from anywhere.
const PROGRAM: [(&str, &str); 7] = [
    ("main.mjs", include_str!("../../idp/main.mjs")),
    ("accounts.mjs", include_str!("../../idp/accounts.mjs")),
    ("interaction.mjs", include_str!("../../idp/interaction.mjs")),
    ("pages.mjs", include_str!("../../idp/pages.mjs")),
    ("provider.mjs", include_str!("../../idp/provider.mjs")),
    ("storage.mjs", include_str!("../../idp/storage.mjs")),
    ("style.css", include_str!("../../idp/style.css")),
];
const PACKAGE: &str = include_str!("../../idp/package.json");
const LOCK: &str = include_str!("../../idp/package-lock.json");

pub(super) struct Started {
    pub(super) issuer: String,
    pub(super) ca_pem: String,
}

/// The life of one provider, on a thread of its own: start, say where it listens, pass on orders, end it.
pub(super) fn keep(options: &IdpOptions, ready: oneshot::Sender<Result<Started>>, inbox: &Receiver<Order>) {
    let mut program = match Program::start(options) {
        Ok((program, started)) => {
            if ready.send(Ok(started)).is_err() {
                return;
            }
            program
        }
        Err(error) => {
            // Whoever asked has gone: nobody is left to tell.
            let _ = ready.send(Err(error));
            return;
        }
    };
    while let Ok((order, reply)) = inbox.recv() {
        // An order whose asker gave up was carried out all the same.
        let _ = reply.send(program.obey(&order));
    }
}

struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    log: File,
}

impl Program {
    fn start(options: &IdpOptions) -> Result<(Self, Started)> {
        ensure!(!options.clients.is_empty(), "a provider needs at least one client");
        let modules = installed_modules()?;
        let dir = tempfile::Builder::new().prefix("sallyport-idp-").tempdir()?;
        for (name, text) in PROGRAM {
            fs::write(dir.path().join(name), text)?;
        }
        fs::write(dir.path().join("package.json"), PACKAGE)?;
        std::os::unix::fs::symlink(&modules, dir.path().join("node_modules"))?;
        let ca = options.ca.clone().map_or_else(new_ca, Ok)?;
        let config = write_config(dir.path(), options, &ca)?;

        let log = tempfile::tempfile()?;
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "node", "main.mjs"])
            .arg(&config)
            .current_dir(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.try_clone()?)
            .spawn()
            .context("start node under setpriv: both must be installed")?;
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().context("a piped stdout")?);
        let mut program = Self { child, stdin, stdout, log };
        let said = program.listen()?;
        let issuer = said["issuer"].as_str().context("the provider did not say where it listens")?.to_owned();
        // `dir` goes here: the program has read what it needs.
        Ok((program, Started { issuer, ca_pem: ca.cert_pem }))
    }

    fn listen(&mut self) -> Result<Value> {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line).context("read from the provider")?;
        if read == 0 {
            bail!("the provider has ended; its last words:\n{}", self.last_words());
        }
        let said: Value = serde_json::from_str(&line).with_context(|| format!("the provider said {line}"))?;
        match said.get("error") {
            Some(error) => Err(anyhow!("the provider refused: {error}")),
            None => Ok(said),
        }
    }

    fn obey(&mut self, order: &Value) -> Result<Value> {
        let stdin = self.stdin.as_mut().context("a piped stdin")?;
        writeln!(stdin, "{order}").and_then(|()| stdin.flush()).context("write to the provider")?;
        Ok(self.listen()?["ok"].take())
    }

    fn last_words(&mut self) -> String {
        let mut text = String::new();
        let read = self.log.seek(SeekFrom::Start(0)).and_then(|_| self.log.read_to_string(&mut text));
        match read {
            Ok(_) => text
                .lines()
                .rev()
                .take(20)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect::<Vec<_>>()
                .join("\n"),
            Err(error) => format!("(its log can't be read: {error})"),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.stdin.take()); // the program ends when its stdin does
        let deadline = Instant::now() + Duration::from_secs(2);
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(Some(_)) | Err(_) => return,
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        // It would not listen; gone already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where downloads are kept: `SALLYPORT_CACHE`, else `~/.cache/sallyport`.
///
/// # Errors
/// When neither it nor `HOME` is set.
pub fn cache_dir() -> Result<PathBuf> {
    match std::env::var_os("SALLYPORT_CACHE") {
        Some(dir) => Ok(PathBuf::from(dir)),
        None => {
            Ok(PathBuf::from(std::env::var_os("HOME").context("HOME is not set")?).join(".cache/sallyport"))
        }
    }
}

/// The folder with `oidc-provider` and what it needs, installed on first use and kept under the hash of the lock file.
fn installed_modules() -> Result<PathBuf> {
    let cache = cache_dir()?;
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(LOCK.as_bytes())[..8]);
    let home = cache.join("idp").join(hash);
    let modules = home.join("node_modules");
    if modules.is_dir() {
        return Ok(modules);
    }
    fs::create_dir_all(cache.join("idp"))?;
    let fresh = tempfile::Builder::new().prefix("installing-").tempdir_in(cache.join("idp"))?;
    fs::write(fresh.path().join("package.json"), PACKAGE)?;
    fs::write(fresh.path().join("package-lock.json"), LOCK)?;
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(fresh.path())
        .stdin(Stdio::null())
        .output()
        .context("run npm ci for the identity provider: is npm installed?")?;
    ensure!(
        npm.status.success(),
        "npm ci for the identity provider failed:\n{}",
        String::from_utf8_lossy(&npm.stderr)
    );
    let fresh = fresh.keep();
    if fs::rename(&fresh, &home).is_err() {
        // Another test run was faster, which is fine if it is whole.
        fs::remove_dir_all(&fresh)?;
        ensure!(modules.is_dir(), "{} can't be put in place", home.display());
    }
    Ok(modules)
}

fn write_config(dir: &Path, options: &IdpOptions, ca: &IdpCa) -> Result<PathBuf> {
    let (cert, key) = serving_certificate(ca)?;
    fs::write(dir.join("cert.pem"), cert)?;
    fs::write(dir.join("key.pem"), key)?;
    let config = json!({
        "name": options.name,
        "accounts": options.accounts,
        "clients": options.clients,
        "port": options.port.unwrap_or(0),
        "id_token_seconds": options.id_token_seconds,
        "password_fresh_seconds": options.password_fresh_seconds,
        "shown": options.shown,
        "quirks": options.quirks,
        "cert": dir.join("cert.pem"),
        "key": dir.join("key.pem"),
    });
    let path = dir.join("config.json");
    fs::write(&path, config.to_string())?;
    Ok(path)
}

/// A throwaway authority.
pub(super) fn new_ca() -> Result<IdpCa> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Sallyport demo sign-in CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    Ok(IdpCa { cert_pem: params.self_signed(&key)?.pem(), key_pem: key.serialize_pem() })
}

fn serving_certificate(ca: &IdpCa) -> Result<(String, String)> {
    let issuer = Issuer::from_ca_cert_pem(&ca.cert_pem, KeyPair::from_pem(&ca.key_pem)?)?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    params.distinguished_name.push(DnType::CommonName, "127.0.0.1");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, &issuer)?.pem(), key.serialize_pem()))
}
