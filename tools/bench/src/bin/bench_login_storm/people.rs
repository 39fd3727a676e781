//! Those who ask, and those who say yes.

use anyhow::{Context as _, Result, bail, ensure};
use futures::StreamExt as _;
use sallyport_fleet::Fleet;
use sallyport_fleet::headless::until;
use sallyport_hub::seal::{Aad, KeyPair, open};
use sallyport_hub::{Ask, Change, Hub, evidence};
use sallyport_model::{
    Digest, GrantUid, Limits, NamespaceName, Phase, Profile, ProfileRevision, RequestRef, RequestUid, Scope,
    Terms, Ttl,
};
use sallyport_testkit::Identity;
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const TEAM: &str = "team-payments";
/// What opens at once, and what needs a yes.
const PROFILES: [(&str, u8); 2] = [("storm", 0), ("storm-yes", 1)];
/// The groups of those who ask and those who say yes, which are of that team.
const ASKING: &str = "oidc:payments-dev";
const APPROVING: &str = "oidc:payments-leads";
const DEADLINE: Duration = Duration::from_secs(10);
const APPROVERS: usize = 4;

/// Everybody, signed in.
pub(crate) struct Crowd {
    people: Vec<Person>,
}

struct Person {
    hub: Hub,
    ask: Ask,
    keys: KeyPair,
    needs_yes: bool,
}

/// Somebody whose seal was opened.
pub(crate) struct Asked {
    pub(crate) request: String,
    /// From the ask on.
    pub(crate) took: Duration,
    /// When it was.
    pub(crate) at: Instant,
    /// The request's UID where it needed a yes.
    pub(crate) yes: Option<String>,
}

impl Crowd {
    /// Makes the profiles and who may use them, and connects everybody.
    pub(crate) async fn gather(fleet: &Fleet, count: usize) -> Result<Self> {
        let hub = &fleet.hub;
        for (name, approvals) in PROFILES {
            let profile = json!({
                "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessProfile", "metadata": {"name": name},
                "spec": {"clusters": ["*"], "roles": ["sallyport:view"], "namespaces": ["payments", "checkout"],
                    "maxDuration": "1h", "approvals": approvals, "reasonRequired": false},
            });
            hub.make_profile(&profile).await?;
        }
        let names = PROFILES.map(|(name, _)| name);
        hub.allow("storm:ask", ASKING, &["request"], &names).await?;
        hub.allow("storm:yes", APPROVING, &["approve"], &names).await?;
        let revisions = revisions(&Hub::new(hub.admin()?, DEADLINE)).await?;
        let mut people = Vec::new();
        for number in 0..count {
            let (profile, approvals) = PROFILES[usize::from(number % 3 == 2)];
            let cluster = fleet.targets[number % fleet.targets.len()].spec.name;
            let user = format!("oidc:person-{number:03}");
            let who = Identity::new(&user).group(ASKING);
            let (hub, keys) = (Hub::new(hub.client_as(&who)?, DEADLINE), KeyPair::generate());
            let ask = Ask {
                team: TEAM.parse()?,
                terms: Terms {
                    user: user.parse()?,
                    cluster: cluster.parse()?,
                    profile: profile.parse()?,
                    revision: revisions.get(profile).cloned().context("the profile")?,
                    scope: Scope::from_list(["payments".parse::<NamespaceName>()?]),
                    duration: Ttl::minutes(30),
                    reason: "INC-4312".to_owned(),
                    recording: None,
                },
                groups: vec![ASKING.to_owned()],
                public_key: keys.public_key_base64(),
                sign_in: evidence(&[], &[], None),
                issued_at: None,
                history: None,
            };
            people.push(Person { hub, ask, keys, needs_yes: approvals > 0 });
        }
        // A warm-up: the profiles have reached both brokers.
        until("the profiles", Duration::from_secs(30), async || {
            let clusters = people[0].hub.clusters().await.ok()?.objects;
            let knows = |name: &str| {
                let served = clusters.iter().filter(|object| {
                    let profiles = object.status.iter().flat_map(|status| &status.profiles);
                    profiles.into_iter().any(|one| one.name == name && one.refused.is_none())
                });
                served.count() == fleet.targets.len()
            };
            PROFILES.iter().all(|(name, _)| knows(name)).then_some(())
        })
        .await?;
        Ok(Self { people })
    }

    /// All ask, spread over that time; each waits that long at most.
    pub(crate) async fn ask(self, within: Duration, patience: Duration) -> Vec<Result<Asked>> {
        let mut asking = JoinSet::new();
        for person in self.people {
            let after = within.mul_f64(rand::random::<f64>());
            asking.spawn(async move {
                tokio::time::sleep(after).await;
                let whose = person.ask.terms.user.to_string();
                let asked = tokio::time::timeout(patience, person.opens()).await;
                asked.unwrap_or_else(|_| bail!("nothing within {} s", patience.as_secs())).context(whose)
            });
        }
        asking.join_all().await
    }

    /// Those who say yes, until they are ended.
    pub(crate) fn approvers(&self, fleet: &Fleet) -> Result<Approvers> {
        let given = Arc::new(Mutex::new(Given::default()));
        let mut tasks = JoinSet::new();
        for number in 0..APPROVERS {
            let who = Identity::new(format!("oidc:operator-{number}")).group(APPROVING);
            let (hub, given) = (Hub::new(fleet.hub.client_as(&who)?, DEADLINE), given.clone());
            tasks.spawn(async move { approve(&hub, number, &given).await });
        }
        Ok(Approvers { _tasks: tasks, given })
    }
}

impl Person {
    async fn opens(self) -> Result<Asked> {
        let Self { hub, ask, keys, needs_yes } = self;
        let began = Instant::now();
        let request = hub.ask(&ask).await?;
        let uid = request.metadata.uid.clone().context("a UID")?;
        let which = RequestRef {
            team: ask.team.clone(),
            name: request.metadata.name.clone().context("a name")?,
            uid: RequestUid::new(&uid),
        };
        let mut changes = Box::pin(hub.watch_request(&which));
        while let Some(change) = changes.next().await {
            let seen = match change {
                Change::All { objects, .. } => objects,
                Change::Put(object) => vec![object],
                _ => continue,
            };
            for object in seen {
                ensure!(object.phase() != Phase::Closed, "closed: {:?}", object.status);
                let status = object.status.unwrap_or_default();
                let (Some(grant), Some(sealed)) = (status.grant, status.credential) else { continue };
                let aad = Aad {
                    user: ask.terms.user.clone(),
                    request: which.uid.clone(),
                    grant: GrantUid::new(grant.uid),
                    end: grant.end.0.as_second(),
                };
                open(&keys, &aad, &sealed)?;
                let at = Instant::now();
                hub.clear_credential(&which).await?;
                return Ok(Asked {
                    request: uid.clone(),
                    took: at - began,
                    at,
                    yes: needs_yes.then_some(uid),
                });
            }
        }
        bail!("the watch ended")
    }
}

/// The yeses that were given.
#[derive(Default)]
pub(crate) struct Given {
    at: HashMap<String, Instant>,
    /// How many failed, and with what the last did.
    pub(crate) failed: usize,
    pub(crate) said: String,
}

impl Given {
    /// When the yes to a request was sent.
    pub(crate) fn at(&self, request: &str) -> Option<Instant> {
        self.at.get(request).copied()
    }
}

pub(crate) struct Approvers {
    _tasks: JoinSet<()>,
    given: Arc<Mutex<Given>>,
}

impl Approvers {
    pub(crate) fn end(self) -> Given {
        std::mem::take(&mut *self.given.lock().expect("nobody panics here"))
    }
}

/// Looks at the inbox, and says yes to its share of what has an offer.
async fn approve(hub: &Hub, number: usize, given: &Mutex<Given>) {
    let me = match hub.whoami().await {
        Ok(me) => me,
        Err(fault) => {
            let mut given = given.lock().expect("nobody panics here");
            (given.failed, given.said) = (given.failed + 1, fault.to_string());
            return;
        }
    };
    let team: NamespaceName = TEAM.parse().expect("a name");
    let mut inbox = Box::pin(hub.watch_open(&team));
    while let Some(change) = inbox.next().await {
        let Change::Put(object) = change else { continue };
        let uid = object.metadata.uid.clone().unwrap_or_default();
        let is_mine = uid.bytes().map(usize::from).sum::<usize>() % APPROVERS == number;
        let waits = object.phase() == Phase::Pending && object.spec.profile == PROFILES[1].0;
        let offer = object.offer().and_then(|offer| offer.digest.parse::<Digest>().ok());
        let (true, true, Some(offer)) = (is_mine, waits, offer) else { continue };
        if given.lock().expect("nobody panics here").at.contains_key(&uid) {
            continue;
        }
        let which = RequestRef {
            team: team.clone(),
            name: object.metadata.name.clone().unwrap_or_default(),
            uid: RequestUid::new(&uid),
        };
        given.lock().expect("nobody panics here").at.insert(uid, Instant::now());
        let now = jiff::Timestamp::now();
        if let Err(refused) = hub.approve(&which, &me, &offer, &Limits::default(), now, None).await {
            let mut given = given.lock().expect("nobody panics here");
            (given.failed, given.said) = (given.failed + 1, refused.to_string());
        }
    }
}

/// The revision of each profile, as every desktop has read it before its person clicks.
async fn revisions(hub: &Hub) -> Result<HashMap<String, ProfileRevision>> {
    let all = hub.profiles().await?.objects;
    let known = all.iter().filter_map(|object| Profile::try_from(object).ok());
    Ok(known.map(|profile| (profile.name.to_string(), profile.revision)).collect())
}
