//! A hub of profiles, roles and bindings: what its calls answer is the test's to say, and what is written is judged and stored as
//! the API server does it.

use crate::inventory::tests::{UID, cluster, preview, profile_with};
use crate::reach::ports::HubSide;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sallyport_api::{
    AccessCluster, AccessPreview, AccessPreviewSpec, AccessProfile, AccessRequest, GROUP, HubSet,
    MalformedObject,
};
use sallyport_client::Fault;
use sallyport_hub::{
    Beat, Listed, OwnGuardrails, ProfileRights, Rights, StoredRbac, Unread, Unwritten, Write,
};
use sallyport_model::{NamespaceName, ProfileName};
use sallyport_rbac::Rule;
use sallyport_rbac::who::{Binding, Rbac, Role, RoleRef, Subject};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// Roles and bindings by which these groups may do these things with all profiles.
pub(super) fn rbac(groups: &[(&str, &str)]) -> StoredRbac {
    let role = |verb: &str| {
        let rule = Rule::on(&"r".parse().unwrap(), vec![verb], vec![GROUP], vec!["accessprofiles"]);
        Role { namespace: None, name: format!("may-{verb}"), rules: vec![rule] }
    };
    let binding = |(group, verb): &(&str, &str)| Binding {
        namespace: None,
        name: format!("{verb}-{group}"),
        role: RoleRef::ClusterRole(format!("may-{verb}")),
        subjects: vec![Subject::Group((*group).to_owned())],
    };
    let roles = ["request", "approve", "revoke"].map(role);
    let rbac = Rbac::about(&[GROUP], roles.into(), groups.iter().map(binding).collect());
    StoredRbac { rbac, malformed: Vec::new() }
}

/// A profile as the hub stores it.
pub(super) fn stored(name: &str, approvals: u8) -> Value {
    let mut object = serde_json::to_value(profile_with(name, json!({"approvals": approvals}))).unwrap();
    object["metadata"]["resourceVersion"] = "1".into();
    object
}

/// What the hub has.
pub(super) struct Stored {
    pub(super) profiles: BTreeMap<String, Value>,
    pub(super) clusters: Vec<AccessCluster>,
    pub(super) previews: BTreeMap<String, AccessPreviewSpec>,
    pub(super) rbac: StoredRbac,
    pub(super) silent: bool,
    /// What the asker may do under each profile, and whether they may change one.
    pub(super) may: (ProfileRights, bool),
}

pub(super) struct FakeHub {
    pub(super) stored: Mutex<Stored>,
    /// What a call is answered with instead.
    faults: Mutex<BTreeMap<&'static str, Fault>>,
    gates: Mutex<BTreeMap<&'static str, Arc<tokio::sync::Mutex<()>>>>,
    /// The calls that came, answered or not.
    came: Mutex<Vec<&'static str>>,
    /// What a write is answered with instead.
    pub(super) refuses: Mutex<Option<Unwritten>>,
    /// What its answer is lost with, though the write was carried out.
    pub(super) loses: Mutex<Option<Fault>>,
    /// What was carried out, in its order.
    pub(super) written: Mutex<Vec<Value>>,
}

impl FakeHub {
    /// One profile that dev may ask for and leads may approve, and a cluster whose broker is alive.
    pub(super) fn new() -> Arc<Self> {
        let said = preview("get");
        let stored = Stored {
            profiles: [("debug".to_owned(), stored("debug", 1))].into(),
            clusters: vec![cluster("eu", &said)],
            previews: [("eu".to_owned(), said)].into(),
            rbac: rbac(&[("dev", "request"), ("leads", "approve")]),
            silent: false,
            may: (ProfileRights::default(), true),
        };
        Arc::new(Self {
            stored: Mutex::new(stored),
            faults: Mutex::default(),
            gates: Mutex::default(),
            came: Mutex::default(),
            refuses: Mutex::default(),
            loses: Mutex::default(),
            written: Mutex::default(),
        })
    }

    /// From now on, instead of an answer: to a call by its name.
    pub(super) fn answers(&self, call: &'static str, fault: Option<Fault>) {
        let mut faults = self.faults.lock().unwrap();
        match fault {
            Some(fault) => drop(faults.insert(call, fault)),
            None => drop(faults.remove(call)),
        }
    }

    /// The answers to what is called from now on are under way until the guard is let go.
    pub(super) async fn holds_back(&self, call: &'static str) -> OwnedMutexGuard<()> {
        let gate = Arc::<tokio::sync::Mutex<()>>::default();
        self.gates.lock().unwrap().insert(call, gate.clone());
        gate.lock_owned().await
    }

    /// What is called from now on is answered at once.
    pub(super) fn answers_at_once(&self, call: &'static str) {
        self.gates.lock().unwrap().remove(call);
    }

    /// How often it came.
    pub(super) fn came(&self, call: &str) -> usize {
        self.came.lock().unwrap().iter().filter(|one| **one == call).count()
    }

    /// An answer is of the moment when the call came, however late it arrives.
    async fn says<T>(&self, call: &'static str, answer: impl FnOnce(&mut Stored) -> T) -> Result<T, Fault> {
        self.came.lock().unwrap().push(call);
        let fault = self.faults.lock().unwrap().get(call).cloned();
        let answer = fault.map_or_else(|| Ok(answer(&mut self.stored.lock().unwrap())), Err);
        let gate = self.gates.lock().unwrap().get(call).cloned();
        if let Some(gate) = gate {
            drop(gate.lock().await);
        }
        answer
    }

    fn write(
        &self,
        stored: &mut Stored,
        name: &str,
        object: &Value,
        write: Write,
    ) -> Result<Value, Unwritten> {
        if let Some(refused) = self.refuses.lock().unwrap().clone() {
            return Err(refused);
        }
        let (now, theirs) = (stored.profiles.get(name), &object["metadata"]);
        let mut taken = object.clone();
        let (uid, version) = match (now, theirs["resourceVersion"].as_str()) {
            (Some(_), None) => return Err(Unwritten::Exists),
            (None, None) => (json!(UID), 1),
            (None, Some(_)) => return Err(Unwritten::Gone),
            (Some(now), Some(version)) => {
                let meta = &now["metadata"];
                if meta["uid"] != theirs["uid"] {
                    return Err(Unwritten::Gone);
                }
                if meta["resourceVersion"] != version {
                    return Err(Unwritten::Changed);
                }
                (meta["uid"].clone(), version.parse::<u64>().unwrap() + 1)
            }
        };
        taken["metadata"]["uid"] = uid;
        taken["metadata"]["resourceVersion"] = version.to_string().into();
        taken["metadata"]["generation"] = version.into();
        if write == Write::Real {
            stored.profiles.insert(name.to_owned(), taken.clone());
            self.written.lock().unwrap().push(taken.clone());
            if let Some(fault) = self.loses.lock().unwrap().clone() {
                return Err(Unwritten::Fault(fault));
            }
        }
        Ok(taken)
    }
}

fn listed(profiles: &BTreeMap<String, Value>) -> Listed<AccessProfile> {
    let mut listed = Listed { objects: Vec::new(), malformed: Vec::new() };
    for (name, object) in profiles {
        match serde_json::from_value(object.clone()) {
            Ok(object) => listed.objects.push(object),
            Err(why) => {
                let why = why.to_string();
                listed.malformed.push(MalformedObject { kind: "AccessProfile", name: name.clone(), why });
            }
        }
    }
    listed
}

impl HubSide for FakeHub {
    fn team_names(&self) -> BoxFuture<'_, Result<Vec<NamespaceName>, Fault>> {
        self.says("teams", |_| vec!["team-payments".parse().unwrap()]).boxed()
    }
    fn profiles(&self) -> BoxFuture<'_, Result<Listed<AccessProfile>, Fault>> {
        self.says("profiles", |stored| listed(&stored.profiles)).boxed()
    }
    fn clusters(&self) -> BoxFuture<'_, Result<Listed<AccessCluster>, Fault>> {
        self.says("clusters", |stored| Listed { objects: stored.clusters.clone(), malformed: Vec::new() })
            .boxed()
    }
    fn stored_rbac<'a>(&'a self, _: &'a [NamespaceName]) -> BoxFuture<'a, Result<StoredRbac, Unread>> {
        async {
            let answer = self.says("rbac", |stored| stored.rbac.clone()).await;
            answer.map_err(|fault| match fault {
                Fault::Forbidden(_) => Unread::Forbidden(vec![
                    "clusterroles.rbac.authorization.k8s.io",
                    "rolebindings.rbac.authorization.k8s.io",
                ]),
                fault => Unread::Fault(fault),
            })
        }
        .boxed()
    }
    fn beats(&self) -> BoxFuture<'_, Result<Vec<Beat>, Fault>> {
        let beats = |stored: &mut Stored| {
            let age = Duration::from_secs(if stored.silent { 3600 } else { 10 });
            vec![Beat { cluster: "eu".to_owned(), age, lasts: Duration::from_secs(90) }]
        };
        self.says("beats", beats).boxed()
    }
    fn previews(&self) -> BoxFuture<'_, Result<Vec<AccessPreview>, Fault>> {
        let all = |stored: &mut Stored| {
            stored.previews.iter().map(|(name, spec)| AccessPreview::new(name, spec.clone())).collect()
        };
        self.says("previews", all).boxed()
    }
    fn own_guardrails(&self) -> BoxFuture<'_, Result<OwnGuardrails, Fault>> {
        self.says("own", |_| OwnGuardrails { shipped: 9, set: Ok(HubSet::Own) }).boxed()
    }
    fn others_authorize(&self) -> BoxFuture<'_, Result<bool, Fault>> {
        self.says("others", |_| false).boxed()
    }
    fn stored_profile<'a>(&'a self, name: &'a ProfileName) -> BoxFuture<'a, Result<Option<Value>, Fault>> {
        self.says("profile", |stored| stored.profiles.get(name.as_str()).cloned()).boxed()
    }
    fn may_write_profile<'a>(&'a self, _: Option<&'a ProfileName>) -> BoxFuture<'a, Result<bool, Fault>> {
        self.says("may", |stored| stored.may.1).boxed()
    }
    fn rights<'a>(&'a self, profiles: &'a [ProfileName]) -> BoxFuture<'a, Result<Rights, Fault>> {
        let rights = |stored: &mut Stored| {
            let profiles = profiles.iter().map(|name| (name.clone(), stored.may.0)).collect();
            Rights { profiles, ..Rights::default() }
        };
        self.says("rights", rights).boxed()
    }
    fn write_profile<'a>(
        &'a self,
        name: &'a ProfileName,
        object: &'a Value,
        write: Write,
    ) -> BoxFuture<'a, Result<Value, Unwritten>> {
        async move {
            let call = if write == Write::Trial { "trial" } else { "write" };
            let done = self.says(call, |stored| self.write(stored, name.as_str(), object, write)).await;
            done.map_err(Unwritten::Fault)?
        }
        .boxed()
    }
    fn open_under<'a>(
        &'a self,
        _: &'a NamespaceName,
        _: &'a ProfileName,
    ) -> BoxFuture<'a, Result<Vec<AccessRequest>, Fault>> {
        self.says("open", |_| Vec::new()).boxed()
    }
}
