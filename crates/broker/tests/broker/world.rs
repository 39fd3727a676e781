//! Hub and target, started once; people; and what a test asks of them. Tests take turns: each has a broker of its own,
//! and there is one Lease.

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, RoleBinding};
use kube::{Api, ResourceExt, api::ListParams};
use sallyport_api::{AccessGrant, AccessProfile, AccessRequest, CONDITION_ENDED, GRANT_LABEL};
use sallyport_client::{Endpoint, probe_get};
use sallyport_hub::seal::{self, KeyPair, Sealed};
use sallyport_hub::{Ask, Hub, Refused};
use sallyport_model::{
    Digest, GrantUid, Phase, ProfileRevision, RequestRef, RequestUid, Scope, SessionAccount, Terms, Ttl,
};
use sallyport_testkit::broker::{Broker, BrokerOptions, Enrolled, Programs, install_hub, install_target};
use sallyport_testkit::profiles::EDITORS;
use sallyport_testkit::repository::deploy;
use sallyport_testkit::{Identity, Plane, PlaneOptions};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use tokio::time::Instant;

pub(crate) const CLUSTER: &str = "sandbox-1";
/// The policy on who binds session accounts.
pub(crate) const BINDINGS: &str = "sessions-bindings.sallyport.dev";
pub(crate) const TEAM: &str = "team-payments";

pub(crate) struct World {
    pub(crate) hub: Plane,
    pub(crate) target: Plane,
    pub(crate) enrolled: Enrolled,
}

/// The world, for one test at a time.
pub(crate) async fn world() -> Result<(&'static World, MutexGuard<'static, ()>)> {
    static WORLD: OnceCell<World> = OnceCell::const_new();
    static TURN: Mutex<()> = Mutex::const_new(());
    let turn = TURN.lock().await;
    Ok((WORLD.get_or_try_init(World::start).await?, turn))
}

impl World {
    async fn start() -> Result<Self> {
        let begun = Instant::now();
        let (hub, target) = tokio::try_join!(
            Plane::start(PlaneOptions::new("hub")),
            Plane::start(PlaneOptions::new("target"))
        )?;
        tokio::try_join!(install_hub(&hub), install_target(&target))?;
        let demo = deploy("demo");
        hub.apply_kustomize(&demo).await?;
        target.apply_kustomize(&demo.join("target")).await?;
        // Until its controller has found the new kinds, which it looks for every 30 s, a quota refuses everything.
        hub.kubectl().ok(&["delete", "resourcequota", "--all", "-n", TEAM]).await?;
        let world = Self { enrolled: Enrolled::new(&hub, &target, CLUSTER, "sandbox").await?, hub, target };
        world.restore_profiles().await?;
        println!("hub and target ready in {} ms", begun.elapsed().as_millis());
        Ok(world)
    }

    /// The demo's profiles, as their editor applies them.
    pub(crate) async fn restore_profiles(&self) -> Result<()> {
        let profiles = deploy("demo/profiles");
        self.hub.make_profiles(&profiles).await
    }

    pub(crate) fn editor(&self) -> Result<kube::Client> {
        self.hub.client_as(&Identity::new("setup").group(EDITORS))
    }

    pub(crate) async fn broker(&self, options: BrokerOptions) -> Result<Broker> {
        self.broker_of(&self.enrolled, options).await
    }

    /// A broker that reaches hub or target elsewhere.
    pub(crate) async fn broker_of(&self, enrolled: &Enrolled, options: BrokerOptions) -> Result<Broker> {
        let programs = Programs {
            broker: env!("CARGO_BIN_EXE_sallyport-broker").into(),
            faults: Some(env!("CARGO_BIN_EXE_sallyport-broker-faults").into()),
        };
        Broker::start(programs, enrolled, options).await
    }

    /// A guardrail of the target taken away by its admin, until [`World::restore_guardrails`].
    pub(crate) async fn without_guardrail(&self, policy: &str) -> Result<()> {
        self.target.kubectl().ok(&["delete", "validatingadmissionpolicybinding", policy]).await?;
        // Taken away it holds for a moment more, as it takes one to bite.
        if policy == BINDINGS { self.until_bindings_are_guarded(false).await } else { Ok(()) }
    }

    async fn until_bindings_are_guarded(&self, guarded: bool) -> Result<()> {
        let probe = [
            "create",
            "rolebinding",
            "probe",
            "--namespace=payments",
            "--clusterrole=view",
            "--serviceaccount=sallyport-sessions:s-probe-1999999999",
            "--dry-run=server",
        ];
        eventually("what the guardrail does", Duration::from_secs(60), async || {
            let tried = self.target.kubectl().run(&probe).await?;
            let refused = tried.stderr.contains("only the broker binds session accounts");
            Ok(if guarded { refused } else { tried.code == Some(0) })
        })
        .await
        .map(drop)
    }

    /// Everything that was shipped for the target, in force again.
    pub(crate) async fn restore_guardrails(&self) -> Result<()> {
        install_target(&self.target).await?;
        self.until_bindings_are_guarded(true).await
    }

    pub(crate) fn person(&self, name: &str, groups: &[&str]) -> Result<Person> {
        self.person_as(name, groups, |identity| identity)
    }

    /// The same person with a token that was issued so many seconds ago.
    pub(crate) fn with_token(&self, name: &str, groups: &[&str], ago: i64) -> Result<Person> {
        let issued = jiff::Timestamp::now().as_second() - ago;
        self.person_as(name, groups, |me| me.extra("access.sallyport.dev/issued-at", issued.to_string()))
    }

    fn person_as(
        &self,
        name: &str,
        groups: &[&str],
        more: impl FnOnce(Identity) -> Identity,
    ) -> Result<Person> {
        let now = jiff::Timestamp::now().as_second();
        let base = Identity::new(format!("oidc:{name}@example.org")).signed_in(
            "urn:sallyport:mfa",
            &["pwd", "otp"],
            now - 5,
        );
        let identity =
            groups.iter().fold(more(base), |identity, group| identity.group(format!("oidc:{group}")));
        let client = self.hub.client_as(&identity)?;
        let hub = Hub::new(client.clone(), Duration::from_secs(15));
        let groups = groups.iter().map(|group| format!("oidc:{group}")).collect();
        Ok(Person { name: format!("oidc:{name}@example.org"), groups, hub, client })
    }

    pub(crate) fn ann(&self) -> Result<Person> {
        self.person("ann", &["payments-dev"])
    }

    pub(crate) fn lead(&self) -> Result<Person> {
        self.person("lead", &["payments-leads"])
    }

    pub(crate) async fn revision(&self, profile: &str) -> Result<ProfileRevision> {
        let api: Api<AccessProfile> = Api::all(self.hub.admin()?);
        let found = api.get(profile).await?;
        Ok(ProfileRevision::new(
            &found.uid().unwrap_or_default(),
            found.metadata.generation.unwrap_or_default(),
        )?)
    }

    /// What exists on the target under a request's grant, in words; empty when nothing does.
    pub(crate) async fn left(&self, request: &AccessRequest) -> Result<Vec<String>> {
        let grant = grant_name(request);
        let client = self.target.admin()?;
        let labelled = ListParams::default().labels(&format!("{GRANT_LABEL}={grant}"));
        let mut left = Vec::new();
        let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), "sallyport-sessions");
        left.extend(
            accounts.list(&labelled).await?.iter().map(|one| format!("ServiceAccount {}", one.name_any())),
        );
        let bindings: Api<RoleBinding> = Api::all(client.clone());
        left.extend(
            bindings.list(&labelled).await?.iter().map(|one| format!("RoleBinding {}", one.name_any())),
        );
        let bindings: Api<ClusterRoleBinding> = Api::all(client.clone());
        left.extend(
            bindings
                .list(&labelled)
                .await?
                .iter()
                .map(|one| format!("ClusterRoleBinding {}", one.name_any())),
        );
        let grants: Api<AccessGrant> = Api::all(client);
        left.extend(
            grants.get_opt(&grant).await?.iter().map(|one| format!("AccessGrant {}", one.name_any())),
        );
        Ok(left)
    }

    /// Names of the session ServiceAccounts that anybody ever tried to create for a request, from the target's own
    /// audit. Tried, because a broker that dies while it waits leaves an account and no answer that was taken.
    pub(crate) fn accounts_ever(&self, request: &AccessRequest) -> Result<Vec<String>> {
        let id = grant_name(request).replacen("g-", "s-", 1);
        let mut names = self.ever_created("serviceaccounts")?;
        names.retain(|name| name.starts_with(&id));
        Ok(names)
    }

    /// Names of what anybody ever tried to create on the target, in that order, each once, from its own audit.
    pub(crate) fn ever_created(&self, resource: &str) -> Result<Vec<String>> {
        let log = self.target.audit_text()?;
        let mut names: Vec<String> = Vec::new();
        for line in log.lines() {
            let event: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            let created = matches!(event["verb"].as_str(), Some("create" | "patch"))
                && event["objectRef"]["resource"] == resource
                && event["objectRef"]["subresource"].is_null();
            let name = event["objectRef"]["name"].as_str().unwrap_or_default();
            if created && !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }
}

pub(crate) fn grant_name(request: &AccessRequest) -> String {
    SessionAccount::derive_grant_name(&RequestUid::new(request.uid().unwrap_or_default()))
}

/// Somebody who signed in.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
    pub(crate) hub: Hub,
    /// To the hub, as them.
    pub(crate) client: kube::Client,
}

/// A request under way and the key its token is sealed to.
pub(crate) struct Asked {
    pub(crate) which: RequestRef,
    pub(crate) keys: KeyPair,
    pub(crate) begun: Instant,
}

impl Person {
    pub(crate) async fn ask_with(
        &self,
        world: &World,
        profile: &str,
        namespaces: &[&str],
        change: impl FnOnce(&mut Ask),
    ) -> Result<Asked> {
        let keys = KeyPair::generate();
        let me = self.hub.whoami().await?;
        let mut ask = Ask {
            team: TEAM.parse()?,
            terms: Terms {
                user: self.name.parse()?,
                cluster: CLUSTER.parse()?,
                profile: profile.parse()?,
                revision: world.revision(profile).await?,
                scope: Scope::from_list(namespaces.iter().map(|n| n.parse()).collect::<Result<Vec<_>, _>>()?),
                duration: Ttl::minutes(15),
                reason: "INC-1".to_owned(),
                recording: None,
            },
            groups: self.groups.clone(),
            public_key: keys.public_key_base64(),
            sign_in: me.sign_in(),
            issued_at: me.issued_at,
            history: None,
        };
        change(&mut ask);
        let begun = Instant::now();
        let request = match until_taken(async || self.hub.ask(&ask).await).await {
            Ok(request) => request,
            Err(refused) => bail!("the hub refused: {refused}"),
        };
        Ok(Asked { which: request.which()?, keys, begun })
    }

    pub(crate) async fn ask(&self, world: &World, profile: &str, namespaces: &[&str]) -> Result<Asked> {
        self.ask_with(world, profile, namespaces, |_| {}).await
    }

    /// Asks for `debug` in payments and waits until it is open.
    pub(crate) async fn open(&self, world: &World) -> Result<(Asked, AccessRequest)> {
        let asked = self.ask(world, "debug", &["payments"]).await?;
        let request = self.until(&asked, Phase::Active).await?;
        Ok((asked, request))
    }

    /// Opens as soon as the broker has heard that nothing stands in the way any more.
    pub(crate) async fn open_again(&self, world: &World) -> Result<(Asked, AccessRequest)> {
        let start = Instant::now();
        loop {
            match self.open(world).await {
                Err(_) if start.elapsed() < Duration::from_secs(60) => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                opened => return opened,
            }
        }
    }

    pub(crate) async fn until(&self, asked: &Asked, phase: Phase) -> Result<AccessRequest> {
        // A loaded machine takes its time; what has to be quick is measured where it is.
        self.until_within(asked, phase, Duration::from_secs(60)).await
    }

    /// Waits for a phase; a request that closes instead is an error with its reason.
    pub(crate) async fn until_within(
        &self,
        asked: &Asked,
        phase: Phase,
        within: Duration,
    ) -> Result<AccessRequest> {
        let start = Instant::now();
        let mut last = None;
        while start.elapsed() < within {
            match self.hub.request(&asked.which).await {
                Ok(request) if request.phase() == phase => return Ok(request),
                Ok(request) if request.phase() == Phase::Closed => bail!("it closed: {}", ended(&request)),
                Ok(request) => last = request.status,
                Err(sallyport_client::Fault::NotFound) => bail!("the request is gone"),
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
        bail!("not {phase} after {within:?}; last seen: {last:?}")
    }

    /// Waits until it is closed and returns `Reason: message`.
    pub(crate) async fn end_of(&self, asked: &Asked) -> Result<String> {
        Ok(ended(&self.until(asked, Phase::Closed).await?))
    }

    /// The token out of the seal.
    pub(crate) fn unseal(&self, asked: &Asked, request: &AccessRequest) -> Result<Sealed> {
        let status = request.status.clone().unwrap_or_default();
        let grant = status.grant.context("the grant is recorded")?;
        let aad = seal::Aad {
            user: self.name.parse()?,
            request: asked.which.uid.clone(),
            grant: GrantUid::new(grant.uid),
            end: grant.end.0.as_second(),
        };
        Ok(seal::open(&asked.keys, &aad, &status.credential.context("a credential is there")?)?)
    }

    pub(crate) async fn leave(&self, asked: &Asked) -> Result<String> {
        if let Err(refused) = until_taken(async || self.hub.withdraw(&asked.which).await).await {
            bail!("leaving was refused: {refused}");
        }
        self.end_of(asked).await
    }
}

/// Writes again what a hub that has just started did not judge yet: up to 30 s, as [`Refused`] says.
pub(crate) async fn until_taken<T>(mut write: impl AsyncFnMut() -> Result<T, Refused>) -> Result<T, Refused> {
    let start = Instant::now();
    loop {
        match write().await {
            Err(Refused::Fault(fault)) if fault.may_pass() && start.elapsed() < Duration::from_secs(60) => {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            answer => return answer,
        }
    }
}

pub(crate) fn ended(request: &AccessRequest) -> String {
    let conditions = request.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default();
    let ended = conditions.into_iter().find(|condition| condition.type_ == CONDITION_ENDED);
    ended.map_or_else(|| "without a condition".to_owned(), |c| format!("{}: {}", c.reason, c.message))
}

/// The digest of a request's offer, once it has one.
pub(crate) async fn digest_of(person: &Person, asked: &Asked) -> Result<Digest> {
    let mut digest = None;
    eventually("an offer", Duration::from_secs(60), async || {
        digest = person.hub.request(&asked.which).await?.offer().map(|offer| offer.digest.clone());
        Ok(digest.is_some())
    })
    .await?;
    Ok(digest.context("an offer")?.parse()?)
}

/// Where the session's API server answers, as sealed.
pub(crate) fn target_of(sealed: &Sealed) -> Result<Endpoint> {
    let (ca, name) = (Some(sealed.ca_bundle.as_str()), sealed.tls_server_name.as_deref());
    Ok(Endpoint::parse(&sealed.endpoint, ca, name)?)
}

/// The status of a GET with the session's token, on a connection of its own.
pub(crate) async fn get(sealed: &Sealed, path: &str) -> Result<u16> {
    let answer = probe_get(&target_of(sealed)?, Some(&sealed.token), path, Duration::from_secs(20)).await;
    Ok(answer?.status)
}

/// Waits until `check` says yes.
pub(crate) async fn eventually(
    what: &str,
    within: Duration,
    mut check: impl AsyncFnMut() -> Result<bool>,
) -> Result<Duration> {
    let start = Instant::now();
    while start.elapsed() < within {
        if check().await? {
            return Ok(start.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bail!("{what}: not within {within:?}")
}

/// No log of a broker holds anything that looks like a token.
pub(crate) fn no_token_in(log: &str) -> Result<()> {
    ensure!(!log.contains("eyJ"), "a token was logged");
    ensure!(!log.is_empty(), "nothing was logged at all");
    Ok(())
}
