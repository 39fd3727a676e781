//! How the hub is: its link as the window shows it, and its clock.

use super::Person;
use crate::desk::now_ms;
use jiff::Timestamp;
use sallyport_client::{Endpoint, clock_difference, probe_get};
use sallyport_ipc::{HubLink, HubState};
use sallyport_oidc::TokenSource;

pub(super) fn state(link: HubLink, message: Option<String>, since: i64) -> HubState {
    HubState { link, since, message, retry_at: None, sign_in: false }
}

impl Person {
    /// Notes how the connection to the hub is.
    pub(crate) fn hub_is(&self, link: HubLink, message: Option<String>) {
        {
            let mut now = self.now();
            if now.hub.link == link && now.hub.message == message {
                return;
            }
            let since = if now.hub.link == link { now.hub.since } else { now_ms() };
            now.hub = state(link, message, since);
        }
        self.desk.changed();
    }

    /// Whether the hub did not answer as it should when it was last heard of.
    pub(crate) fn hub_is_down(&self) -> bool {
        self.now().hub.link == HubLink::Down
    }

    /// Now by the hub's clock, Unix seconds.
    pub(crate) fn hub_now(&self) -> i64 {
        Timestamp::now().as_second() + self.now().hub_ahead.unwrap_or_default()
    }

    /// Compares clocks once per connection; countdowns then run on monotonic time.
    pub(super) async fn read_hub_clock(&self, endpoint: &Endpoint, tokens: &TokenSource) {
        let Ok(token) = tokens.id_token().await else { return };
        let sent = now_ms();
        if let Ok(answer) = probe_get(endpoint, Some(&token), "/version", self.desk.options.deadline).await
            && let Some(date) = answer.date
        {
            self.now().hub_ahead = Some(clock_difference(date, sent, now_ms()));
        }
    }
}
