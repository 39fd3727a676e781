//! A desktop in a process of its own, as each person has one: what it has to be told goes through the environment.

use crate::fleet::Fleet;
use crate::headless::{Desktop, until};
use anyhow::{Context as _, Result, bail};
use sallyport_app::{Keyring, Options};
use sallyport_ipc::Way;
use sallyport_testkit::browser::{FormBrowser, Person};
use std::time::Duration;

/// The first start of many at once, on a busy machine.
const LISTED: Duration = Duration::from_secs(60);
const WORKSPACE: &str = "APART_WORKSPACE";
const CA: &str = "APART_CA";
const USER: &str = "APART_USER";
const PASSWORD: &str = "APART_PASSWORD";

/// The environment of a process that is to be a desktop of `sub`, who signs in with a password alone.
#[must_use]
pub fn environment(fleet: &Fleet, sub: &str) -> Vec<(&'static str, String)> {
    let account = fleet.idp.account(sub);
    vec![
        (WORKSPACE, fleet.workspace_file()),
        (CA, fleet.idp.ca_pem().to_owned()),
        (USER, account.email.clone()),
        (PASSWORD, account.password.clone()),
    ]
}

/// The desktop that [`environment`] tells of, signed in, once each of these clusters can be asked for. Its deadlines are those of
/// the product.
///
/// # Errors
/// When something of it is missing, and when the sign-in fails.
pub async fn signed_in(clusters: &[&str]) -> Result<Desktop> {
    sallyport_testkit::plane::install_crypto();
    let var = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
    let person = Person::new(&var(USER)?, &var(PASSWORD)?, || {
        Box::pin(async { bail!("this person has a password alone") })
    });
    let browser = FormBrowser::new(&var(CA)?, person)?;
    let options = Options { keyring: Keyring::Off, ..Options::default() };
    let desktop = Desktop::by(browser, tempfile::tempdir()?, options).await?;
    desktop.app.workspace_join(var(WORKSPACE)?).await?;
    desktop.app.sign_in(None).await?;
    until("the inventory", LISTED, async || {
        let view = desktop.app.clusters_list().await.ok()?;
        let is_listed = |name: &&str| {
            view.clusters.iter().any(|one| one.name == **name && matches!(one.way, Way::OneClick { .. }))
        };
        clusters.iter().all(is_listed).then_some(())
    })
    .await?;
    Ok(desktop)
}
