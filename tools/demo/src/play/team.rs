//! The whole team's calls, out of the log store that the team has, at the window of who looks after the hub.

use super::stage::Play;
use super::waits::{LATER, PRODUCTION, SOON};
use crate::logs::{HUB, Logs, Named, Told};
use anyhow::{Context as _, Result, bail};
use sallyport_fleet::window::key;
use sallyport_testkit::VictoriaLogs;

impl Play<'_> {
    /// Where no store is built there is none: building one is not of this play.
    pub(super) async fn team_calls(&mut self) -> Result<()> {
        self.timeline.part("the team's log store");
        if !VictoriaLogs::is_built() {
            self.timeline
                .step("none is built on this machine (`make story STORY=audit_engine` builds it once)");
            return Ok(());
        }
        let mut logs = Logs::of(self.fleet);
        logs.start();
        let named = match logs.told().await {
            Told::Up(named) => named,
            Told::Said(why) => bail!("{why}"),
        };
        self.timeline
            .step("a VictoriaLogs gets what the API servers of hub and targets write to their audit logs");
        let seen = self.seen_in(&named).await;
        logs.end().await;
        seen
    }

    async fn seen_in(&mut self, Named { address, credential, authorities }: &Named) -> Result<()> {
        self.lee.view("Audit").await?;
        self.lee.window.press(&['s']).await?;
        self.lee.window.sees("dialog", "Clusters' audit logs", SOON).await?;
        self.lee.window.click("dialog button", "A log store").await?;
        self.lee.window.type_into("#store-address", address).await?;
        self.lee.window.type_into("#store-credential", &credential.display().to_string()).await?;
        self.lee.window.type_into("#store-ca", &authorities.display().to_string()).await?;
        self.lee.window.press(&[key::ENTER]).await?;
        self.lee.window.sees("dialog .source", "new record", LATER).await?;
        self.timeline.step("ines named it in Audit, and it answered");
        self.lee_shows("audit-sources").await?;
        self.lee.window.press(&[key::ESCAPE]).await?;
        // What is in the store comes into a list that is open, as it comes into the store.
        self.lee.window.press(&['l']).await?;
        self.lee.window.sees("#entries [id^='entry-look:']", "", LATER).await?;
        self.filter(&[("cluster", PRODUCTION)]).await?;
        // The newest rows of all may be the hub's alone, and her own entries name that cluster as well: what the store tells is
        // a row by another name.
        self.lee.window.sees("#entries [id^='entry-look:']", PRODUCTION, LATER).await?;
        let read = "const foot = document.querySelector('main .foot'); return (foot !== null && !foot.textContent.includes('loading')) || null";
        self.lee.window.until("the list is read", read, LATER).await?;
        self.timeline.step("calls that none of her sessions made are rows of her timeline");
        self.lee_shows("audit-store").await?;

        let requests = ("resource", "accessrequests.access.sallyport.dev");
        self.filter(&[("cluster", HUB), ("verb", "create"), requests]).await?;
        self.lee.window.sees("#entries [id^='entry-look:']", "dana", LATER).await?;
        self.lee.window.press(&[key::DOWN]).await?;
        self.lee.window.press(&['j']).await?;
        self.lee.window.sees("aside [aria-label='Raw JSON']", "auditID", SOON).await?;
        self.timeline.step("who asked for what, as the hub's own API server wrote it");
        self.lee_shows("audit-store-hub").await
    }

    /// Types some parts of the timeline's filter; what a field holds already gives way.
    async fn filter(&mut self, parts: &[(&str, &str)]) -> Result<()> {
        let window = &self.lee.window;
        window.press(&['f']).await?;
        window.sees("dialog", "Filter the timeline", SOON).await?;
        for (part, text) in parts {
            let field = format!("#filter-{part}");
            let empty = format!(
                "const field = document.querySelector('{field}'); if (field === null) return null; field.value = ''; \
                 field.dispatchEvent(new Event('input', {{ bubbles: true }})); return true"
            );
            window.until(&format!("{field} is empty"), &empty, SOON).await?;
            window.type_into(&field, text).await?;
        }
        window.press(&[key::ENTER]).await?;
        let (_, last) = parts.last().context("a filter has parts")?;
        window.sees(".chips .filter", last, SOON).await
    }
}
