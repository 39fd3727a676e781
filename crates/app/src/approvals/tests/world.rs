//! An approver at a desktop, over an inventory that knows one profile, and what is asked for under it.

use super::hub::{AsPerson, FakeHub};
use crate::approvals::Approvals;
use crate::desk::AppError;
use crate::inventory::tests::{UID, World as Below, all, cluster, preview, profile_with};
use crate::person::tests::{ended, settled, until};
use sallyport_api::{AccessProfile, AccessRequest, RuleSummary};
use sallyport_audit::{Action, Entry};
use sallyport_hub::{Change, ProfileRights};
use sallyport_ipc::{LimitsInput, RequestView};
use sallyport_model::{Digest, Held, Hold, Profile, Scope};
use sallyport_policy::digest;
use sallyport_rbac::{Rule, effective};
use serde_json::{Value, json};
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(super) const TEAM: &str = "team-payments";
const CA: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const NAMESPACES: [&str; 2] = ["a", "b"];

/// Two have to say yes under it.
fn debug() -> AccessProfile {
    profile_with("debug", json!({"namespaces": NAMESPACES, "approvals": 2}))
}

/// As a broker offers these verbs.
pub(super) fn offered(verbs: &[&str]) -> Value {
    let scope = Scope::from_list(NAMESPACES.iter().map(|name| name.parse().unwrap()));
    let rule = Rule::on(&"sallyport:view".parse().unwrap(), verbs.to_vec(), vec![""], vec!["pods"]);
    let given = effective([rule], &scope);
    let revision = format!("{UID}/1").parse().unwrap();
    let roles = Profile::try_from(&debug()).unwrap().roles;
    let to = ("https://c.example.test", &CA.parse::<Digest>().unwrap());
    let digest = digest(&revision, &"eu".parse().unwrap(), &scope, &roles, &given, to);
    let rules: Vec<RuleSummary> = given.iter().map(RuleSummary::from).collect();
    json!({"digest": digest.to_string(), "rules": rules, "endpoint": to.0, "caDigest": CA, "takesLimits": true})
}

/// The digest of that.
pub(super) fn digest_of(verbs: &[&str]) -> String {
    offered(verbs)["digest"].as_str().unwrap().to_owned()
}

/// A request of somebody's in the team.
pub(super) fn request(uid: &str, user: &str, status: Value) -> AccessRequest {
    serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessRequest",
        "metadata": {"name": uid, "namespace": TEAM, "uid": uid, "creationTimestamp": "2026-11-24T14:00:00Z"},
        "spec": {"user": user, "groups": [], "cluster": "eu", "profile": "debug", "profileRevision": format!("{UID}/1"),
            "namespaces": NAMESPACES, "duration": "1h", "reason": "INC-1", "publicKey": "k"},
        "status": status,
    }))
    .unwrap()
}

/// Dana's, which waits for people with that offer.
pub(super) fn waits(uid: &str, verbs: &[&str]) -> AccessRequest {
    request(uid, "oidc:dana", json!({"phase": "Pending", "offer": offered(verbs)}))
}

/// When Dana's are over, Unix milliseconds.
pub(super) const ENDS: i64 = 1_795_536_000_000;

/// Dana's, which is open.
pub(super) fn open(uid: &str) -> AccessRequest {
    let end = jiff::Timestamp::from_millisecond(ENDS).unwrap().to_string();
    let grant = json!({"name": "g-aaaa", "uid": "g", "end": end, "account": "s-aaaa-1795536000"});
    request(uid, "oidc:dana", json!({"phase": "Active", "offer": offered(&["get"]), "grant": grant}))
}

pub(super) struct World {
    below: Below,
    pub(super) hub: Arc<FakeHub>,
    pub(super) approvals: Arc<Approvals>,
    /// The hold that stands on everything, if one does.
    hold: Arc<Mutex<Option<Hold>>>,
    held: watch::Sender<u64>,
}

impl Deref for World {
    type Target = Below;
    fn deref(&self) -> &Below {
        &self.below
    }
}

impl World {
    /// Nobody is signed in; whoever signs in at the first team is followed.
    pub(super) async fn at(hub: &Arc<FakeHub>) -> Self {
        let below = Below::new().await;
        *below.hubs[0].decides.lock().unwrap() =
            ProfileRights { request: false, approve: true, revoke: true };
        let (of, hold, held) = (hub.clone(), Arc::<Mutex<Option<Hold>>>::default(), watch::Sender::new(0));
        let on = hold.clone();
        let approvals = Arc::new(Approvals::asking(
            below.desk.desk.clone(),
            below.desk.history.clone(),
            below.desk.person.clone(),
            below.inventory.clone(),
            Box::new(move |signed| AsPerson::of(&of, signed)),
            (Box::new(move |_, _, _| on.lock().unwrap().clone()), held.subscribe()),
        ));
        tokio::spawn(approvals.clone().follow());
        tokio::spawn(approvals.clone().hint());
        Self { below, hub: hub.clone(), approvals, hold, held }
    }

    /// Somebody sits there who may approve and revoke under the profile, and reads the team's requests.
    pub(super) async fn of(hub: &Arc<FakeHub>, subject: &str) -> Self {
        let world = Self::at(hub).await;
        world.come(subject).await;
        world
    }

    /// Lee alone, and a hub that told of these.
    pub(super) async fn lee(requests: Vec<AccessRequest>) -> Self {
        let world = Self::of(&Arc::default(), "lee").await;
        world.tell(all(requests)).await;
        world
    }

    /// Somebody holds everything.
    pub(super) async fn hold_by(&self, by: &str) {
        let hold = Hold { held: Held::Everything, until: i64::MAX, by: by.into(), reason: "stolen".into() };
        *self.hold.lock().unwrap() = Some(hold);
        self.held.send_modify(|count| *count += 1);
        settled().await;
    }

    /// Somebody signs in, and all there is to know is known.
    pub(super) async fn come(&self, subject: &str) {
        let before = self.hub.watched(TEAM);
        self.below.sign_in_as(0, subject).await;
        until("the requests are watched", || self.hub.watched(TEAM) > before).await;
        self.hubs[0].clusters(all(vec![cluster("eu", &preview("get"))]));
        self.hubs[0].profiles(all(vec![debug()]));
        settled().await;
    }

    /// Signs out as the app does for the parts here.
    pub(super) async fn leave(&self) {
        let signed = self.desk.person.signed().unwrap();
        signed.stop.cancel();
        self.inventory.clear(&signed.workspace);
        self.approvals.clear(&signed.workspace);
        self.desk.person.forget(&signed, &[], &[]).await.unwrap();
    }

    /// The hub tells something of the team, and it is taken in.
    pub(super) async fn tell(&self, change: Change<AccessRequest>) {
        assert!(self.hub.tell(TEAM, change) > 0, "somebody listens");
        settled().await;
    }

    pub(super) async fn list(&self) -> Vec<RequestView> {
        self.approvals.list().await.unwrap().requests
    }

    pub(super) async fn one(&self, uid: &str) -> RequestView {
        self.list().await.into_iter().find(|one| one.id.as_str() == uid).expect("it is in the list")
    }

    /// The names of what is in it.
    pub(super) async fn ids(&self) -> Vec<String> {
        self.list().await.iter().map(|one| one.id.to_string()).collect()
    }

    pub(super) async fn approve(
        &self,
        uid: &str,
        offer: &str,
        limits: Option<LimitsInput>,
    ) -> Result<(), AppError> {
        self.approvals.approve(uid.to_owned(), offer.to_owned(), limits).await
    }

    /// Presses the key; what comes of it is waited for later.
    pub(super) fn approving(&self, uid: &str, offer: &str) -> JoinHandle<Result<(), AppError>> {
        let (approvals, uid, offer) = (self.approvals.clone(), uid.to_owned(), offer.to_owned());
        tokio::spawn(async move { approvals.approve(uid, offer, None).await })
    }

    pub(super) async fn done(pressed: JoinHandle<Result<(), AppError>>) -> Result<(), AppError> {
        ended(pressed).await
    }

    /// What stands in the history of what this person decided, the newest first.
    pub(super) async fn decided(&self) -> Vec<Entry> {
        self.desk.noted(&[Action::Approve, Action::Deny, Action::Revoke]).await
    }
}
