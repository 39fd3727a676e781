//! How a hub is: its link as the window shows it, and its clock.

use super::ports::HubSide;
use super::seat::hub_state;
use super::{Person, WorkspaceId};
use crate::desk::now_ms;
use jiff::Timestamp;
use sallyport_ipc::{HubLink, Shown};

impl Person {
    /// Notes how the connection to a hub is.
    pub(crate) fn hub_is(&self, workspace: &WorkspaceId, link: HubLink, message: Option<String>) {
        let message = message.map(Shown::from);
        let is_news = self.at(workspace, |seat| {
            if seat.hub.link == link && seat.hub.message == message {
                return false;
            }
            let since = if seat.hub.link == link { seat.hub.since } else { now_ms() };
            seat.hub = hub_state(link, message, since);
            true
        });
        if is_news == Some(true) {
            self.desk.changed();
        }
    }

    /// Whether a hub did not answer as it should when it was last heard of.
    pub(crate) fn hub_is_down(&self, workspace: &WorkspaceId) -> bool {
        self.at(workspace, |seat| seat.hub.link == HubLink::Down).unwrap_or_default()
    }

    /// Now by a hub's clock, Unix seconds.
    pub(crate) fn hub_now(&self, workspace: &WorkspaceId) -> i64 {
        let ahead = self.at(workspace, |seat| seat.hub_ahead).flatten();
        Timestamp::now().as_second() + ahead.unwrap_or_default()
    }

    /// Compares clocks once per connection; countdowns then run on monotonic time.
    pub(super) async fn read_hub_clock(&self, workspace: &WorkspaceId, hub: &dyn HubSide) {
        if let Some(ahead) = hub.clock().await {
            self.at(workspace, |seat| seat.hub_ahead = Some(ahead));
        }
    }
}
