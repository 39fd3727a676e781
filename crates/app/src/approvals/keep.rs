//! The watches: one for each team whose requests the person may read.

use super::{Approvals, Open};
use crate::person::{Signed, WorkspaceId};
use futures::StreamExt as _;
use futures::stream::select_all;
use jiff::Timestamp;
use kube::ResourceExt as _;
use sallyport_api::AccessRequest;
use sallyport_hub::Change;
use sallyport_model::NamespaceName;
use std::sync::Arc;

/// Problems of one team that are kept.
const PROBLEMS: usize = 20;

impl Approvals {
    /// Keeps the requests of whoever is signed in, until the app ends.
    pub(crate) async fn follow(self: Arc<Self>) {
        let person = self.person.clone();
        person.each_sign_in(|signed| drop(tokio::spawn(self.clone().keep(signed)))).await;
    }

    async fn keep(self: Arc<Self>, signed: Arc<Signed>) {
        let teams: Vec<NamespaceName> =
            signed.teams.iter().filter(|team| team.may_read).map(|team| team.name.clone()).collect();
        let none_to_read = teams.is_empty();
        self.open().insert(signed.workspace.clone(), Open { none_to_read, ..Open::default() });
        self.changed.notify_one();
        let mut changes = select_all(
            teams
                .into_iter()
                .map(|team| signed.hub.watch_open(&team).map(move |change| (team.clone(), change)).boxed()),
        );
        let keeping = async {
            while let Some((team, change)) = changes.next().await {
                self.take(&signed.workspace, &team, change);
            }
            // Nobody watches anything, which is no reason to end.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = keeping => {}
            () = signed.stop.cancelled() => {}
        }
    }

    fn take(&self, workspace: &WorkspaceId, team: &NamespaceName, change: Change<AccessRequest>) {
        let mut all = self.open();
        // Signed out meanwhile.
        let Some(open) = all.get_mut(workspace) else { return };
        let (requests, problems) =
            (open.teams.entry(team.clone()).or_default(), open.problems.entry(team.clone()).or_default());
        match change {
            Change::All { objects, malformed } => {
                *requests = objects.into_iter().filter_map(|o| Some((o.uid()?, o))).collect();
                *problems = malformed.iter().take(PROBLEMS).map(ToString::to_string).collect();
            }
            Change::Put(object) => {
                if let Some(uid) = object.uid() {
                    requests.insert(uid, object);
                }
            }
            Change::Malformed(what, gone) => {
                requests.remove(&gone.uid);
                problems.push(what.to_string());
                let surplus = problems.len().saturating_sub(PROBLEMS);
                problems.drain(..surplus);
            }
            Change::Deleted(gone) | Change::Left(gone) => {
                requests.remove(&gone.uid);
            }
            Change::Trouble(fault) => {
                // What passes by itself is the hub's link, which the inventory tells; what does not is this team's.
                if !fault.may_pass() {
                    *problems = vec![format!("the requests of {team} can't be read: {fault}")];
                    drop(all);
                    self.changed.notify_one();
                }
                return;
            }
        }
        open.as_of = Some(Timestamp::now());
        drop(all);
        self.changed.notify_one();
    }
}
