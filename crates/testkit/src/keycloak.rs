//! A real Keycloak, for the story on demand: its distribution comes from Maven Central as
//! `org.keycloak:keycloak-quarkus-dist`, is kept in the cache, and runs on H2 in memory under HTTPS of a CA of its own.
//! Needs a JDK (17 or later), Maven's client and `unzip`, and says so.

mod realm;

use crate::OidcTrust;
use crate::browser::{FormBrowser, Person};
use crate::idp::cache_dir;
use crate::pki::Authority;
use crate::ports::Port;
use crate::process::{Launch, Process, Scratch, wait_until};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// The version that is played.
pub const VERSION: &str = "26.4.2";
/// How long a first start may take on a slow machine.
const START: Duration = Duration::from_secs(400);

/// A running Keycloak with one realm. Dropping it ends it and removes its files.
pub struct Keycloak {
    process: Process,
    issuer: String,
    ca_pem: String,
    _ports: [Port; 2],
    _scratch: Scratch,
}

/// What the realm is made for.
pub struct RealmFor<'r> {
    /// The public client.
    pub client_id: &'r str,
    /// People as (user name, name, group); the address is at `meridian.example`, password and secret as
    /// [`crate::idp::Account::person`] makes them.
    pub people: &'r [(&'r str, &'r str, &'r str)],
    /// How long ID tokens live, seconds.
    pub token_seconds: u32,
}

impl Keycloak {
    /// Fetches it if need be, and starts it with one realm as docs/identity-providers.md describes it.
    ///
    /// # Errors
    /// When Java or Maven's client is missing, the download fails, or it does not come up; with its last words.
    pub async fn start(realm: &RealmFor<'_>) -> Result<Self> {
        let home = installed().await?;
        let scratch = Scratch::new("keycloak")?;
        let (port, management) = (Port::claim()?, Port::claim()?);
        let base = format!("https://127.0.0.1:{}", port.number());
        let issuer = format!("{base}/realms/sallyport");
        let run = scratch.path().join("home");
        std::fs::create_dir_all(run.join("data/import"))?;
        for part in ["lib", "conf", "providers", "themes"] {
            std::os::unix::fs::symlink(home.join(part), run.join(part))?;
        }
        std::fs::write(
            run.join("data/import/sallyport-realm.json"),
            realm::json(realm, &issuer).to_string(),
        )?;
        let authority = Authority::new("Keycloak of a story")?;
        let server = authority.server(&["127.0.0.1"])?;
        let (cert, key) =
            (scratch.write("cert.pem", server.cert_pem)?, scratch.write("key.pem", server.key_pem)?);
        let process = Launch::new("keycloak", "java", scratch.path())
            .args(["-Xmx512m", "-Dkc.config.built=true"])
            .arg(format!("-Dkc.home.dir={}", run.display()))
            .args(["-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory", "-cp"])
            .arg(run.join("lib/quarkus-run.jar"))
            .args(["io.quarkus.bootstrap.runner.QuarkusEntryPoint", "start", "--optimized", "--import-realm"])
            .args(["--cache=local", "--http-host=127.0.0.1"])
            .arg(format!("--hostname={base}"))
            .arg(format!("--https-port={}", port.number()))
            .arg(format!("--http-management-port={}", management.number()))
            .arg(format!("--https-certificate-file={}", cert.display()))
            .arg(format!("--https-certificate-key-file={}", key.display()))
            .start()?;
        let found = Self {
            process,
            issuer,
            ca_pem: authority.cert_pem(),
            _ports: [port, management],
            _scratch: scratch,
        };
        found.until_up().await?;
        Ok(found)
    }

    async fn until_up(&self) -> Result<()> {
        let http = reqwest::Client::builder()
            .use_preconfigured_tls(crate::browser::tls(&self.ca_pem)?)
            .timeout(Duration::from_secs(5))
            .no_proxy()
            .build()?;
        let url = format!("{}/.well-known/openid-configuration", self.issuer);
        wait_until("Keycloak", START, &[&self.process], async || {
            http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success())
        })
        .await
    }

    /// What a hub has to trust.
    #[must_use]
    pub fn trust(&self, audience: &str) -> OidcTrust {
        OidcTrust { issuer: self.issuer.clone(), audience: audience.to_owned(), ca_pem: self.ca_pem.clone() }
    }

    /// The issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The CA to trust, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A browser used by one of the realm's people, with a working authenticator.
    ///
    /// # Errors
    /// When the CA can't be read.
    pub fn browser(&self, username: &str) -> Result<FormBrowser> {
        let secret = realm::secret(username);
        let person = Person::new(username, &format!("{username}-password"), move || {
            let code = realm::code_now(&secret);
            Box::pin(async move { Ok(code) })
        });
        FormBrowser::new(&self.ca_pem, person)
    }
}

/// The unpacked distribution, built for H2 in memory; kept in the cache.
async fn installed() -> Result<PathBuf> {
    let cache = cache_dir()?.join("keycloak");
    let home = cache.join(format!("keycloak-{VERSION}"));
    if home.join("built").exists() {
        return Ok(home);
    }
    for program in ["java", "mvn", "unzip"] {
        let there =
            Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
        ensure!(
            there.await?.success(),
            "the story keycloak needs a JDK, Maven's client and unzip; {program} is missing"
        );
    }
    std::fs::create_dir_all(&cache)?;
    let zip = cache.join(format!("keycloak-quarkus-dist-{VERSION}.zip"));
    if !zip.exists() {
        let artifact = format!("-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip");
        let into = format!("-DoutputDirectory={}", cache.display());
        let plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy";
        run("mvn", &["-q", "-B", plugin, &artifact, &into, "-Dmdep.useBaseVersion=true"], &cache).await?;
    }
    let fresh = tempfile::Builder::new().prefix("unpacking-").tempdir_in(&cache)?;
    run("unzip", &["-q", &zip.display().to_string()], fresh.path()).await?;
    let unpacked = fresh.path().join(format!("keycloak-{VERSION}"));
    run("bash", &["bin/kc.sh", "build", "--db=dev-mem"], &unpacked).await?;
    std::fs::write(unpacked.join("built"), "")?;
    if std::fs::rename(&unpacked, &home).is_err() {
        // Another run was faster, which is fine if it is whole.
        ensure!(home.join("built").exists(), "{} can't be put in place", home.display());
    }
    Ok(home)
}

async fn run(program: &str, args: &[&str], at: &Path) -> Result<()> {
    let done = tokio::time::timeout(
        Duration::from_secs(900),
        Command::new(program).args(args).current_dir(at).stdin(Stdio::null()).kill_on_drop(true).output(),
    );
    let done = done
        .await
        .with_context(|| format!("{program} took too long"))?
        .with_context(|| format!("run {program}"))?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout);
    ensure!(done.status.success(), "{program} {} failed:\n{said}", args.join(" "));
    Ok(())
}
