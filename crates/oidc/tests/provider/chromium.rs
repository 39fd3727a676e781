//! The whole way in a real browser.

use std::{future::pending, time::Duration};

use anyhow::Result;
use sallyport_oidc::Provider;

use crate::sign_in::{config, mfa};
use sallyport_testkit::{
    browser::{Chromium, ChromiumOptions, Person},
    idp::{Idp, IdpOptions},
};

/// Processes whose command line mentions `needle`.
fn running(needle: &str) -> usize {
    let processes = std::fs::read_dir("/proc").expect("procfs").flatten();
    let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(needle)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_a_person_signs_in_with_password_and_code_in_chromium() -> Result<()> {
    let idp = Idp::start(IdpOptions::default()).await?;
    let provider = Provider::discover(&config(&idp)).await?;
    let browser = Chromium::start(ChromiumOptions::headless(idp.ca_pem()), Person::of(&idp, "ana")).await?;
    let attempt = provider.begin(mfa()).await?;
    let url = attempt.authorization_url().to_string();
    let finishing = tokio::spawn(attempt.finish(Duration::from_secs(60), pending()));
    let page = browser.sign_in(&url).await?;
    assert!(page.contains("Signed in as Ana Ortiz."), "{page}");
    assert_eq!(finishing.await??.claims.subject, "ana");

    // The browser is known now: one click, no second code.
    let attempt = provider.begin(mfa()).await?;
    browser.go(attempt.authorization_url().as_str()).await?;
    assert!(browser.text("main").await?.contains("Continue to Sallyport?"));
    let shots = tempfile::tempdir()?;
    browser.screenshot(&shots.path().join("page.png")).await?;
    assert!(std::fs::read(shots.path().join("page.png"))?.starts_with(b"\x89PNG"));
    drop(attempt);

    // The certificate is what makes the page open: without the CA it does not.
    let stranger_ca = Idp::start(IdpOptions::default()).await?;
    let wary =
        Chromium::start(ChromiumOptions::headless(stranger_ca.ca_pem()), Person::of(&idp, "ana")).await?;
    assert!(wary.go(&url).await.unwrap_err().to_string().contains("ERR_CERT_AUTHORITY_INVALID"));
    let homes = [&wary, &browser].map(|one| one.home().display().to_string());
    wary.quit().await?;
    drop(browser);
    // Others that run beside this have browsers too.
    assert_eq!(running(&homes[0]) + running(&homes[1]), 0, "Chromium outlives its owner");
    Ok(())
}
