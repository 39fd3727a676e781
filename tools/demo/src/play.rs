//! The whole story in two real windows, played without anyone looking: dana asks and works, lee decides and ends; at
//! lee's window ines looks on after him.

mod alone;
mod asking;
mod before;
mod holding;
mod less;
mod looking;
mod more;
mod out;
mod seat;
mod stage;
mod team;
mod waits;
mod weak;

use super::left;
use super::timeline::Timeline;
use anyhow::{Context as _, Result};
use sallyport_fleet::Fleet;
use sallyport_testkit::browser::{Chromium, ChromiumOptions, Person};
use sallyport_testkit::repository::root;
use seat::Seat;
use stage::Play;
use std::path::{Path, PathBuf};

/// A picture of an earlier play would pass for one of this.
fn remove_old(pictures: &Path) -> Result<()> {
    for file in std::fs::read_dir(pictures)? {
        let path = file?.path();
        if path.extension().is_some_and(|e| e == "png") {
            std::fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Plays it. What fails leaves pictures of both windows and of the browser.
pub(crate) async fn run(fleet: &Fleet, timeline: &mut Timeline) -> Result<()> {
    let pictures =
        std::env::var_os("SALLYPORT_PICTURES").map_or_else(|| root().join("target/demo"), PathBuf::from);
    std::fs::create_dir_all(&pictures)?;
    let pictures = pictures.canonicalize()?;
    remove_old(&pictures)?;
    timeline.part("two desks");
    let browser =
        Chromium::start(ChromiumOptions::headless(fleet.idp.ca_pem()), Person::of(&fleet.idp, "dana"));
    let (browser, dana, lee) =
        tokio::try_join!(browser, Seat::take(fleet, "dana"), Seat::take(fleet, "lee"))?;
    timeline.step("two displays, each with a session bus, an unlocked keyring and its window; a browser that trusts the demo's CA alone");
    let folders = [dana.desk.path().to_owned(), lee.desk.path().to_owned()];
    let mut play = Play { fleet, timeline, dana, lee, browser, pictures };
    if let Err(error) = play.story().await {
        play.last_look().await;
        return Err(error);
    }
    let Play { timeline, dana, lee, browser, pictures, .. } = play;
    drop((dana, lee, browser));
    for folder in folders {
        left::nothing_names(&folder).await?;
    }
    timeline.step("the apps' directories are gone, and no process names them");
    println!("\npictures: {}", pictures.display());
    Ok(())
}

impl Play<'_> {
    async fn story(&mut self) -> Result<()> {
        self.way_in().await?;
        self.alone().await?;
        self.asked_and_opened().await?;
        self.held_back().await?;
        self.history().await?;
        self.large().await?;
        self.by_itself().await?;
        self.less().await?;
        self.more_time().await?;
        self.revoked().await?;
        self.held().await?;
        self.looked_at().await?;
        self.weak().await?;
        self.team_calls().await?;
        self.signed_out().await
    }

    /// The main views on a large screen.
    async fn large(&mut self) -> Result<()> {
        let (width, height) = self.dana.window.resize(1920, 1080).await?;
        if (width, height) != (1920, 1080) {
            println!("             the window became {width}×{height} instead of 1920×1080");
        }
        for view in ["Audit", "Clusters", "Sessions"] {
            self.dana.view(view).await?;
            self.dana_shows(&format!("{}-1920", view.to_lowercase())).await?;
        }
        self.dana.window.resize(1280, 800).await?;
        Ok(())
    }
}
