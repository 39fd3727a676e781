//! What the play has to work with: a fleet, two people at their desks, a browser, and where the pictures go.

use super::seat::Seat;
use crate::timeline::Timeline;
use anyhow::Result;
use sallyport_fleet::Fleet;
use sallyport_fleet::window::Window;
use sallyport_testkit::browser::Chromium;
use std::path::PathBuf;

/// A play under way.
pub(super) struct Play<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) timeline: &'a mut Timeline,
    pub(super) dana: Seat,
    pub(super) lee: Seat,
    pub(super) browser: Chromium,
    pub(super) pictures: PathBuf,
}

impl Play<'_> {
    /// What could be seen when the story failed. The sentence about it matters more, so nothing here fails.
    pub(super) async fn last_look(&self) {
        let path = |name: &str| self.pictures.join(format!("failed-{name}.png"));
        for seat in [&self.dana, &self.lee] {
            eprintln!("\nthe last words of {}'s app:\n{}\n", seat.name, seat.window.log());
            if let Ok(terminal) = seat.window.terminal_state().await {
                eprintln!("{}'s terminal: {terminal}", seat.name);
            }
        }
        for (name, taken) in [
            ("dana", self.dana.window.screenshot(&path("dana")).await),
            ("lee", self.lee.window.screenshot(&path("lee")).await),
            ("browser", self.browser.screenshot(&path("browser")).await),
        ] {
            match taken {
                Ok(()) => eprintln!("picture of what {name} showed: {}", path(name).display()),
                Err(error) => eprintln!("no picture of what {name} showed: {error:#}"),
            }
        }
    }

    /// A window in both themes, changed by the app's own command; it stays dark.
    async fn both(&mut self, of: fn(&Self) -> &Seat, name: &str) -> Result<()> {
        let window: &Window = &of(self).window;
        for theme in ["light", "dark"] {
            window.theme(theme).await?;
            window.screenshot(&self.pictures.join(format!("{name}-{theme}.png"))).await?;
        }
        self.timeline.skip();
        Ok(())
    }

    /// What dana's window shows.
    pub(super) async fn dana_shows(&mut self, name: &str) -> Result<()> {
        self.both(|play| &play.dana, name).await
    }

    /// What the window at lee's desk shows.
    pub(super) async fn lee_shows(&mut self, name: &str) -> Result<()> {
        self.both(|play| &play.lee, name).await
    }
}
