//! The closing report, waited for by what lasts.
//!
//! Its heading between the two stages of the proof may never be on screen: where the API server has not cached the
//! session's token, the first probe is answered 401 and both stages end together. So nothing here waits for it.

use super::Window;
use anyhow::{Context as _, Result, bail};
use serde_json::json;
use std::time::{Duration, Instant};

/// How far a closing report is, by its heading.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Closing {
    /// The rights are gone; the token may still be known.
    RightsGone,
    /// Both stages are proven. This one lasts.
    Proven,
}

impl Window {
    /// Waits until the rights on `cluster` are gone, and says whether the proof was over by then.
    ///
    /// # Errors
    /// After `within`; at once when the report is over and unproven, with its lines.
    pub async fn rights_gone(&self, cluster: &str, within: Duration) -> Result<Closing> {
        self.report(cluster, within, |_| true).await
    }

    /// Waits until `cluster` is closed with both stages proven, and returns the lines of the proof.
    ///
    /// # Errors
    /// As [`Window::rights_gone`].
    pub async fn proven(&self, cluster: &str, within: Duration) -> Result<String> {
        self.report(cluster, within, |closing| closing == Closing::Proven).await?;
        self.text("[aria-label='Closing proof']").await
    }

    async fn report(
        &self,
        cluster: &str,
        within: Duration,
        enough: impl Fn(Closing) -> bool,
    ) -> Result<Closing> {
        let label = format!("section[aria-label={}]", json!(format!("Closing {cluster}")));
        let heading = "return document.querySelector(arguments[0] + ' h2')?.innerText ?? ''";
        let began = Instant::now();
        loop {
            let seen = self.run(heading, json!([label])).await.context("look at the closing report")?;
            let seen = seen.as_str().unwrap_or_default();
            match heading_of(cluster, seen) {
                Some(Ok(closing)) if enough(closing) => return Ok(closing),
                Some(Err(())) => bail!("the closing report says “{seen}”: {}", self.flat(&label).await),
                _ if began.elapsed() > within => bail!(
                    "{cluster} was not closed within {within:?}; its report says “{seen}”; the window shows: {}",
                    self.flat("body").await
                ),
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// What an element shows, in one line.
    async fn flat(&self, css: &str) -> String {
        let text = self.text(css).await.unwrap_or_default().replace('\n', " | ");
        text.chars().take(1500).collect()
    }
}

/// What a heading of the closing report means; an error for one that ends without proof, nothing for one that goes on.
fn heading_of(cluster: &str, heading: &str) -> Option<Result<Closing, ()>> {
    match heading.strip_prefix(cluster) {
        Some(" is closed behind you") => Some(Ok(Closing::Proven)),
        Some(rest) if rest.starts_with(" is closed, ") => Some(Err(())),
        _ => (heading == format!("Your rights on {cluster} are gone")).then_some(Ok(Closing::RightsGone)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Closing, heading_of};

    #[test]
    fn fault_e5_every_heading_of_the_report_is_known_for_what_it_is() {
        let of = |heading: &str| heading_of("pay-1", heading);
        assert_eq!(of("Leaving pay-1"), None);
        assert_eq!(of(""), None);
        assert_eq!(of("Your rights on pay-1 are gone"), Some(Ok(Closing::RightsGone)));
        assert_eq!(of("Your rights on pay-10 are gone"), None);
        assert_eq!(of("pay-1 is closed behind you"), Some(Ok(Closing::Proven)));
        assert_eq!(of("pay-10 is closed behind you"), None);
        assert_eq!(of("pay-1 is closed, but not all of it is proven"), Some(Err(())));
        assert_eq!(of("pay-1 is closed, on the broker's word"), Some(Err(())));
    }
}
