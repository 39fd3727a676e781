//! The watches: one for each team whose requests the person may read.

use super::Approvals;
use super::ask::waiting;
use crate::person::{Signed, WorkspaceId};
use futures::StreamExt as _;
use futures::channel::mpsc::unbounded;
use futures::stream::select_all;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use kube::ResourceExt as _;
use sallyport_api::AccessRequest;
use sallyport_client::Fault;
use sallyport_hub::Change;
use sallyport_model::NamespaceName;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// What can't be read of one team and is kept.
const MALFORMED: usize = 20;
/// A watch that broke off is taken up again within seconds; only what lasts longer is told.
const TROUBLE_IS_TOLD: SignedDuration = SignedDuration::from_secs(10);
/// Between two looks at teams whose watch is in trouble.
const LOOK: Duration = Duration::from_secs(10);

/// What is not closed in one workspace.
#[derive(Default)]
pub(super) struct Open {
    teams: BTreeMap<NamespaceName, Team>,
    pub(super) none_to_read: bool,
}

/// What is not closed in one team.
#[derive(Default)]
struct Team {
    /// By UID.
    requests: BTreeMap<String, Arc<AccessRequest>>,
    /// Those that waited for people already when it was listed first; none before that.
    first: Option<BTreeSet<String>>,
    /// What can't be read, by UID.
    malformed: BTreeMap<String, String>,
    /// When its watch last told something; none before its first list.
    as_of: Option<Timestamp>,
    /// What keeps it from telling, since when.
    trouble: Option<(Fault, Timestamp)>,
}

impl Open {
    fn of(teams: &[NamespaceName]) -> Self {
        let none_to_read = teams.is_empty();
        Self { teams: teams.iter().map(|team| (team.clone(), Team::default())).collect(), none_to_read }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<AccessRequest>> {
        self.teams.values().flat_map(|team| team.requests.values())
    }

    pub(super) fn one(&self, uid: &str) -> Option<&Arc<AccessRequest>> {
        self.teams.values().find_map(|team| team.requests.get(uid))
    }

    /// Those that came, or began to wait for people, after the first list of their team.
    pub(super) fn new_ones(&self) -> impl Iterator<Item = (&String, &Arc<AccessRequest>)> {
        let listed = self.teams.values().filter_map(|team| Some((team.first.as_ref()?, &team.requests)));
        listed.flat_map(|(first, all)| all.iter().filter(|(uid, _)| !first.contains(uid.as_str())))
    }

    /// Since when all of it is known: a part of the list must not pass for the whole.
    pub(super) fn as_of(&self) -> Option<Timestamp> {
        let each: Option<Vec<Timestamp>> = self.teams.values().map(|team| team.as_of).collect();
        each?.into_iter().min()
    }

    /// What could not be read, in words.
    pub(super) fn problems(&self, now: Timestamp) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, team) in &self.teams {
            match &team.trouble {
                Some((fault, _)) if !fault.may_pass() => {
                    problems.push(format!("the requests of {name} can't be read: {fault}"));
                }
                Some((fault, since)) if now.duration_since(*since) >= TROUBLE_IS_TOLD => {
                    let at = since.to_zoned(TimeZone::system()).strftime("%H:%M:%S");
                    problems.push(format!("the requests of {name} are not known since {at}: {fault}"));
                }
                _ => {}
            }
            problems.extend(team.malformed.values().cloned());
        }
        problems
    }

    /// The teams whose watch is in trouble that may be over.
    pub(super) fn troubled(&self) -> Vec<NamespaceName> {
        let lasts = |team: &Team| team.trouble.as_ref().is_some_and(|(fault, _)| !is_refused(fault));
        self.teams.iter().filter(|(_, team)| lasts(team)).map(|(name, _)| name.clone()).collect()
    }

    /// The team answers: its watch goes on, or says again that it does not.
    fn can_be_read(&mut self, team: &NamespaceName) {
        if let Some(team) = self.teams.get_mut(team) {
            team.trouble = None;
        }
    }

    /// Takes a change in; those that are not among what is open any more.
    fn take(
        &mut self,
        team: &NamespaceName,
        change: Change<AccessRequest>,
        now: Timestamp,
    ) -> Vec<Arc<AccessRequest>> {
        let mut left = Vec::new();
        let Team { requests, first, malformed, as_of, trouble } = self.teams.entry(team.clone()).or_default();
        match change {
            Change::All { objects, malformed: unread } => {
                first.get_or_insert_with(|| waiting(&objects));
                let there = objects.into_iter().filter_map(|o| Some((o.uid()?, Arc::new(slim(o))))).collect();
                let before = std::mem::replace(requests, there);
                left.extend(
                    before.into_iter().filter(|(uid, _)| !requests.contains_key(uid)).map(|(_, o)| o),
                );
                // By what they say: a list does not name their UIDs.
                *malformed =
                    unread.iter().take(MALFORMED).map(|what| (what.name.clone(), what.to_string())).collect();
            }
            Change::Put(object) => {
                malformed.remove(&object.name_any());
                if let Some(uid) = object.uid() {
                    requests.insert(uid, Arc::new(slim(object)));
                }
            }
            Change::Malformed(what, gone) => {
                requests.remove(&gone.uid);
                if malformed.len() < MALFORMED {
                    malformed.insert(gone.name, what.to_string());
                }
            }
            Change::Deleted(gone) | Change::Left(gone) => {
                malformed.remove(&gone.name);
                left.extend(requests.remove(&gone.uid));
            }
            Change::Trouble(fault) => {
                let since = trouble.take().map_or(now, |(_, since)| since);
                *trouble = Some((fault, since));
                return left;
            }
        }
        *trouble = None;
        *as_of = Some(now);
        left
    }
}

/// Whether it says no to the watch, whatever else may be read.
fn is_refused(fault: &Fault) -> bool {
    matches!(fault, Fault::Forbidden(_) | Fault::NotFound | Fault::Invalid(_))
}

/// Without what nobody reads here and what is a secret, although sealed: thousands are kept.
fn slim(mut request: AccessRequest) -> AccessRequest {
    request.metadata.managed_fields = None;
    if let Some(status) = &mut request.status {
        status.credential = None;
    }
    request
}

impl Approvals {
    /// Keeps the requests of whoever is signed in, until the app ends.
    pub(crate) async fn follow(self: Arc<Self>) {
        let person = self.person.clone();
        person.each_sign_in(|signed| drop(tokio::spawn(self.clone().keep(signed)))).await;
    }

    /// Begins to keep a sign-in's. False where it is over: whoever clears it has been here, or is still to come.
    fn begin(&self, signed: &Signed, teams: &[NamespaceName]) -> bool {
        let mut all = self.open();
        let goes_on = !signed.stop.is_cancelled();
        if goes_on {
            all.insert(signed.workspace.clone(), Open::of(teams));
        }
        goes_on
    }

    pub(super) async fn keep(self: Arc<Self>, signed: Arc<Signed>) {
        let teams: Vec<NamespaceName> =
            signed.teams.iter().filter(|team| team.may_read).map(|team| team.name.clone()).collect();
        if !self.begin(&signed, &teams) {
            return;
        }
        self.changed.notify_one();
        let hub = self.hub(&signed);
        let mut changes = select_all(
            teams
                .into_iter()
                .map(|team| hub.watch_open(&team).map(move |change| (team.clone(), change)).boxed()),
        );
        let (told, left) = unbounded();
        let keeping = async {
            while let Some((team, change)) = changes.next().await {
                for left in self.take(&signed.workspace, &team, change) {
                    self.note_left(&signed, &left, &told);
                }
            }
            // Nobody watches anything, which is no reason to end.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = keeping => {}
            () = self.look_where_troubled(&signed) => {}
            () = self.read_what_became(&signed, left) => {}
            () = self.tell_what_is_kept(&signed) => {}
            () = signed.stop.cancelled() => {}
        }
    }

    /// A watch that is taken up again where it broke off says nothing until something changes, so whether a team can be
    /// read by now is asked.
    async fn look_where_troubled(&self, signed: &Signed) {
        let hub = self.hub(signed);
        loop {
            tokio::time::sleep(LOOK).await;
            let troubled: Vec<NamespaceName> =
                self.open().get(&signed.workspace).map(Open::troubled).unwrap_or_default();
            for team in troubled {
                if hub.closed_of(&team, 1, None).await.is_ok()
                    && let Some(open) = self.open().get_mut(&signed.workspace)
                {
                    open.can_be_read(&team);
                }
                self.changed.notify_one();
            }
        }
    }

    pub(super) fn take(
        &self,
        workspace: &WorkspaceId,
        team: &NamespaceName,
        change: Change<AccessRequest>,
    ) -> Vec<Arc<AccessRequest>> {
        // Signed out meanwhile.
        let taken = self.open().get_mut(workspace).map(|open| open.take(team, change, Timestamp::now()));
        let Some(left) = taken else { return Vec::new() };
        self.changed.notify_one();
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_api::MalformedObject;
    use sallyport_hub::Gone;
    use serde_json::json;

    fn request(uid: &str) -> AccessRequest {
        serde_json::from_value(json!({
            "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
            "metadata": {"name": uid, "uid": uid, "managedFields": [{"manager": "m"}]},
            "spec": {"user": "u", "groups": [], "cluster": "c", "profile": "p", "profileRevision": "aa/1",
                "duration": "1h", "reason": "r", "publicKey": "k"},
            "status": {"phase": "Active", "credential": "sealed"},
        }))
        .unwrap()
    }

    fn team(name: &str) -> NamespaceName {
        name.parse().unwrap()
    }

    fn all(objects: &[&str]) -> Change<AccessRequest> {
        Change::All { objects: objects.iter().map(|uid| request(uid)).collect(), malformed: Vec::new() }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    #[test]
    fn what_waited_when_the_team_was_listed_first_is_not_new_and_what_comes_or_is_offered_later_is() {
        let waits = |uid: &str, is_offered: bool| {
            let mut request = request(uid);
            let offer = json!({"digest": "d", "rules": [], "warnings": [], "endpoint": "e", "caDigest": "c"});
            let status = if is_offered { json!({"phase": "Pending", "offer": offer}) } else { json!({}) };
            request.status = serde_json::from_value(status).unwrap();
            request
        };
        let list = |objects: Vec<AccessRequest>| Change::All { objects, malformed: Vec::new() };
        let mut open = Open::of(&[team("pay"), team("shop")]);
        let new_ones = |open: &Open| -> Vec<String> { open.new_ones().map(|(uid, _)| uid.clone()).collect() };
        // Before the first list there is no telling, and each team has its own.
        open.take(&team("shop"), Change::Put(waits("early", true)), at(0));
        open.take(&team("pay"), list(vec![waits("old", true), waits("unoffered", false)]), at(1));
        assert_eq!(new_ones(&open), ["unoffered"]);
        open.take(&team("pay"), Change::Put(waits("unoffered", true)), at(2));
        open.take(&team("pay"), Change::Put(waits("came", true)), at(3));
        // After a gap it is listed again, with what came meanwhile.
        open.take(&team("pay"), list(vec![waits("old", true), waits("meanwhile", true)]), at(4));
        assert_eq!(new_ones(&open), ["meanwhile"]);
    }

    #[test]
    fn a_part_of_the_list_is_not_told_as_the_whole() {
        let mut open = Open::of(&[team("pay"), team("shop")]);
        open.take(&team("pay"), all(&["a"]), at(5));
        assert_eq!((open.as_of(), open.all().count()), (None, 1), "shop has not been heard of");
        open.take(&team("shop"), Change::Trouble(Fault::TimedOut), at(6));
        assert!(open.problems(at(10)).is_empty(), "it may pass by itself");
        assert_eq!(open.troubled(), [team("shop")]);
        let told = open.problems(at(17));
        assert!(
            told.len() == 1 && told[0].starts_with("the requests of shop are not known since"),
            "{told:?}"
        );
        open.take(&team("shop"), Change::Trouble(Fault::TimedOut), at(20));
        assert_eq!(open.problems(at(20)).len(), 1, "the first one counts");
        open.take(&team("shop"), all(&["b"]), at(21));
        assert_eq!((open.as_of(), open.problems(at(99)).len()), (Some(at(5)), 0));
        open.take(&team("shop"), Change::Trouble(Fault::TimedOut), at(30));
        open.can_be_read(&team("shop"));
        assert!(
            open.problems(at(99)).is_empty() && open.troubled().is_empty(),
            "it was taken up again in silence"
        );
    }

    #[test]
    fn what_could_not_be_read_is_told_until_it_can() {
        let mut open = Open::of(&[team("pay")]);
        let refused = Change::Trouble(Fault::Forbidden("no".into()));
        open.take(&team("pay"), refused, at(0));
        assert!(open.troubled().is_empty(), "that something else can be read does not mend it");
        assert!(open.problems(at(0))[0].starts_with("the requests of pay can't be read"));
        let gone = |name: &str| Gone { namespace: "pay".into(), name: name.into(), uid: name.into() };
        let bad = MalformedObject { kind: "AccessRequest", name: "x".into(), why: "odd".into() };
        open.take(&team("pay"), Change::Malformed(bad, gone("x")), at(1));
        assert_eq!(open.problems(at(1)).len(), 1, "its watch tells again: {:?}", open.problems(at(1)));
        open.take(&team("pay"), Change::Put(request("x")), at(2));
        assert!(open.problems(at(2)).is_empty(), "it was repaired");
        assert!(open.one("x").is_some_and(|kept| kept.metadata.managed_fields.is_none()
            && kept.status.as_ref().is_some_and(|status| status.credential.is_none())));
        open.take(&team("pay"), Change::Left(gone("x")), at(3));
        assert_eq!(open.all().count(), 0);
    }
}
