//! What takes one person alone: a session that opens at once, its history, and the way out.

use super::stage::Play;
use super::waits::{LATER, PRODUCTION, SOON, STAGE};
use anyhow::Result;
use sallyport_fleet::window::{Closing, key};

impl Play<'_> {
    pub(super) async fn alone(&mut self) -> Result<()> {
        self.timeline.part(&format!("dana alone on {PRODUCTION}"));
        self.dana.profile("debug-prod").await?;
        self.dana.window.type_into("#why", "PAY-1182 workers restart").await?;
        self.timeline.step("profile and reason chosen");
        self.dana_shows("cluster-chosen").await?;
        self.dana.window.press(&[key::ENTER]).await?;
        self.dana.window.sees(".truth", PRODUCTION, LATER).await?;
        self.timeline.step("Enter: asked, approved, granted, ready");
        self.dana.in_session(PRODUCTION, "debug-prod").await?;
        self.timeline.step("the terminal has a prompt");
        let steps = self.dana.window.text("aside[aria-label='Steps and calls']").await?;
        println!("             {}", steps.lines().take(16).collect::<Vec<_>>().join(" | "));
        self.dana.window.terminal_type("kubectl get pods -n payments\n").await?;
        self.dana.window.terminal_shows("Running", LATER).await?;
        self.timeline.step("kubectl get pods -n payments, seen in the terminal");
        self.dana.window.terminal_type("kubectl get secrets -n payments\n").await?;
        self.dana.window.terminal_shows("Forbidden", LATER).await?;
        self.timeline.step("kubectl get secrets is refused by the API server");
        self.dana.window.terminal_type("kubectl exec deploy/api -n payments -- uname -n\n").await?;
        // The pod's name alone in a line is what the command printed; the line that was typed holds it never.
        let own = "return [...document.querySelectorAll('.xterm-rows > div')].some((r) => /^api-[a-z0-9]+-[a-z0-9]+$/.test(r.textContent.trim()))";
        self.dana.window.until("the pod's own name in the terminal", own, LATER).await?;
        self.timeline.step("kubectl exec, answered by the pod");
        self.dana_shows("session").await?;
        self.dana.window.press(&[key::CONTROL, key::SHIFT, 'p']).await?;
        self.dana.window.sees("dialog .entry", "", SOON).await?;
        self.timeline.step("Ctrl Shift P: the palette, from a terminal");
        self.dana_shows("palette").await?;
        self.dana.window.press(&[key::ESCAPE]).await?;
        self.left().await
    }

    async fn left(&mut self) -> Result<()> {
        self.timeline.skip();
        self.dana.window.click(".truth button", "Leave").await?;
        let closing = self.dana.window.rights_gone(PRODUCTION, LATER).await?;
        self.timeline.step("Leave: streams cut, terminals ended, a probe of the API server refused");
        if closing == Closing::RightsGone {
            self.dana_shows("closing-first").await?;
        } else {
            println!("             both stages of the proof ended together: no picture between them");
        }
        let proof = self.dana.window.proven(PRODUCTION, LATER).await?;
        self.timeline.step("bindings and ServiceAccount removed, the token itself refused");
        println!(
            "             {}",
            proof.lines().filter(|l| !l.trim().is_empty()).collect::<Vec<_>>().join(" | ")
        );
        self.dana_shows("closing-proof").await?;
        self.dana.window.click("section[aria-label^=Closing] button", "Done").await
    }

    /// A session whose broker is held back, so that the opening can be seen.
    pub(super) async fn held_back(&mut self) -> Result<()> {
        let broker = &self.fleet.targets[1].broker;
        self.dana.choose(STAGE).await?;
        self.timeline.part(&format!("session on {STAGE}, its broker held back for the picture"));
        broker.pause()?;
        self.dana.window.click(&format!("#cluster-{STAGE} .once"), "").await?;
        self.dana.window.sees("section h2", "Opening", SOON).await?;
        let pictured = self.dana_shows("opening").await;
        broker.resume()?;
        pictured?;
        self.dana.in_session(STAGE, "debug").await?;
        self.timeline.step("open after the broker came back");
        self.dana.view("Clusters").await?;
        self.dana.window.sees("#clusters .row", "debug", SOON).await?;
        self.dana_shows("clusters-open").await
    }

    pub(super) async fn history(&mut self) -> Result<()> {
        self.timeline.part("history");
        self.dana.view("Audit").await?;
        self.dana.window.sees("#entries [role=row]", "", SOON).await?;
        self.timeline.step("the history is listed");
        self.dana.window.click("button", "Verify").await?;
        self.dana.window.sees(".chip", "chain verified", SOON).await?;
        self.timeline.step("its chain is verified, anchored by a key in the keyring");
        self.dana.window.click("#entries [role=row]", "pods").await?;
        self.dana_shows("audit").await?;
        self.dana.window.press(&['?']).await?;
        self.dana.window.sees("dialog", "", SOON).await?;
        self.dana_shows("keys").await?;
        self.dana.window.press(&[key::ESCAPE]).await
    }
}
