//! Both sign out and quit; dana with a session open.

use super::stage::Play;
use super::waits::{LATER, PRODUCTION, SOON};
use anyhow::Result;

impl Play<'_> {
    pub(super) async fn signed_out(&mut self) -> Result<()> {
        self.timeline.part("way out");
        self.dana.asks_to_sign_out().await?;
        self.dana_shows("sign-out").await?;
        self.dana.sign_out().await?;
        self.timeline.step("dana signed out; the session that was open is ended");
        self.dana.window.sees("[aria-label='Sessions that ended']", PRODUCTION, SOON).await?;
        let ended = "const all = [...document.querySelectorAll(\"[aria-label='Sessions that ended'] li\")].map((e) => e.innerText);\
                     return all.length > 0 && all.every((t) => t.includes('rights gone') && t.includes('token refused') && !/not shown|…/.test(t))";
        self.dana.window.until("both stages of the last proof", ended, LATER).await?;
        self.timeline.step("and proven closed");
        self.dana_shows("signed-out-proof").await?;
        self.lee.asks_to_sign_out().await?;
        self.lee.sign_out().await?;
        for seat in [&self.dana, &self.lee] {
            // The page goes with the app, so no answer is expected.
            let _ = seat.window.invoke("quit", serde_json::json!({})).await;
            seat.window.ended(SOON).await?;
        }
        self.timeline.step("both signed out and quit");
        Ok(())
    }
}
