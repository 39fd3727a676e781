//! From configuration to a running broker.

use crate::{
    broker::{Broker, Contact, Stores, grant_name, key_of, label, lane_of},
    clock::Clock,
    config::Config,
    events::Events,
    hub_seen::HubSeen,
    hubside::Hub,
    lease::Seat,
    memory::Memory,
    open::sessions_named,
    question::Lost,
    queue::Queue,
    report::Pulse,
    standing::everybody,
    store::{Change, follow, follow_parsed},
    token,
    turns::Turns,
    work::Tries,
};
use anyhow::{Context, Result};
use k8s_openapi::api::rbac::v1::Subject;
use kube::{Api, ResourceExt, core::DynamicObject, discovery::ApiResource, runtime::watcher};
use sallyport_api::{AccessHold, AccessProfile, AccessRequest, SESSIONS_NAMESPACE, SYSTEM_NAMESPACE};
use sallyport_client::{Credential, Endpoint, Timeouts, connect};
use sallyport_model::{Hold, Phase};
use sallyport_provision::Target;
use std::{future::Future, sync::Arc};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{Notify, watch},
    task::JoinSet,
};

/// The label with which the target's admin opens a namespace for sessions.
const OPEN_LABEL: &str = "access.sallyport.dev/sessions=true";

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// When the configuration can't be used. What fails later is tried again for as long as it takes.
pub async fn run(config: Config) -> Result<()> {
    let authorities = config.read_authorities()?;
    let timeouts = Timeouts::both(config.deadline);
    let hub_endpoint =
        Endpoint::parse(&config.hub_url, Some(&authorities.hub), config.hub_tls_name.as_deref())?;
    let target_endpoint = Endpoint::parse(&config.target_url, Some(&authorities.target), None)?;
    Endpoint::parse(&config.endpoint, Some(&authorities.endpoint), config.endpoint_tls_name.as_deref())
        .context("the endpoint for desktops")?;
    let hub = connect(&hub_endpoint, Credential::file(&config.hub_token), timeouts)?;
    let target = connect(&target_endpoint, Credential::file(&config.target_token), timeouts)?;
    #[cfg(feature = "faults")]
    let (hub, target) = {
        let countdown = crate::faults::Countdown::from_environment();
        (countdown.wrap(hub), countdown.wrap(target))
    };
    let seat = Seat {
        api: Api::namespaced(target.clone(), SYSTEM_NAMESPACE),
        name: config.lease_name.clone(),
        identity: config.instance(),
        duration: config.lease_duration,
        renew: config.lease_renew,
        deadline: config.deadline.min(config.lease_duration / 3),
    };
    let leading = watch::Sender::new(false);
    let keep = token::keep(hub.clone(), config.cluster.clone(), config.hub_token.clone(), config.deadline);
    let lead = async {
        let mut turn = leading.subscribe();
        loop {
            // The sender is above, so neither wait can fail.
            let _ = turn.wait_for(|leads| *leads).await;
            let broker = Arc::new(Broker {
                hub: Hub::new(hub.clone(), config.deadline),
                events: Events::start(hub.clone(), config.cluster.as_str(), config.deadline),
                target: Target::new(target.clone(), config.deadline),
                target_at: target_endpoint.clone(),
                stores: Stores::default(),
                queue: Queue::default(),
                clock: Clock::default(),
                contact: Contact::new(),
                report: Notify::new(),
                sweep: Notify::new(),
                verify: Notify::new(),
                memory: Memory::default(),
                turns: Turns::default(),
                lost: Lost::default(),
                hub_seen: HubSeen::default(),
                authorities: authorities.clone(),
                config: config.clone(),
            });
            tokio::select! {
                () = broker.serve() => {}
                _ = turn.wait_for(|leads| !*leads) => tracing::warn!("no longer the leader: work has stopped"),
            }
        }
    };
    tokio::select! {
        () = keep => {}
        () = seat.contend(&leading) => {}
        () = lead => {}
        ended = ended() => ended?,
    }
    seat.release().await;
    Ok(())
}

async fn ended() -> Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

impl Broker {
    /// Everything a leader does. Dropping the future stops all of it.
    async fn serve(self: Arc<Self>) {
        let mut tasks = JoinSet::new();
        self.clone().watch_hub(&mut tasks);
        self.clone().watch_hub_policies(&mut tasks);
        self.clone().watch_target(&mut tasks);
        let pulse = Arc::new(Pulse::default());
        // Before anything that needs the hub: a broker that starts while the hub is away has to end things all the same.
        spawn(&mut tasks, &self, |broker| async move { broker.mind_ends().await });
        while let Err(failure) = self.read_clocks(&pulse).await {
            tracing::warn!(%failure, "waiting for hub and target");
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
        let stores = &self.stores;
        // Where they may not be read nothing is granted, and all else goes on.
        let _ = tokio::time::timeout(self.config.deadline, async {
            tokio::join!(stores.hub_policies.wait_synced(), stores.hub_bindings.wait_synced())
        })
        .await;
        tokio::join!(
            stores.requests.wait_synced(),
            stores.profiles.wait_synced(),
            stores.roles.wait_synced(),
            stores.grants.wait_synced(),
            stores.accounts.wait_synced(),
            stores.bindings.wait_synced(),
            stores.cluster_bindings.wait_synced(),
        );
        tracing::info!(
            cluster = %self.config.cluster, requests = stores.requests.all().len(), grants = stores.grants.all().len(),
            "serving"
        );
        let tries = Arc::new(Tries::default());
        for _ in 0..self.config.workers.max(1) {
            let (broker, tries) = (self.clone(), tries.clone());
            tasks.spawn(broker.work(tries));
        }
        spawn(&mut tasks, &self, |broker| async move { broker.keep_swept().await });
        spawn(&mut tasks, &self, |broker| async move { broker.keep_asking().await });
        let (broker, beat) = (self.clone(), pulse.clone());
        tasks.spawn(async move { broker.keep_reporting(&beat).await });
        let (broker, beat) = (self.clone(), pulse);
        tasks.spawn(async move { broker.keep_verifying(&beat).await });
        // None of them ends but by a panic; then everything starts anew.
        if let Some(Err(error)) = tasks.join_next().await {
            tracing::error!(%error, "a task of the broker ended");
        }
    }

    fn watch_hub(self: Arc<Self>, tasks: &mut JoinSet<()>) {
        let of_cluster = watcher::Config::default().fields(&format!("spec.cluster={}", self.config.cluster));
        spawn(tasks, &self, |broker| async move {
            let api: Api<DynamicObject> =
                Api::all_with(broker.hub.client.clone(), &ApiResource::erase::<AccessRequest>(&()));
            follow_parsed(api, of_cluster, &broker.stores.requests, slim, |change| match change {
                Change::Applied(request) => broker.queue.push(key_of(&request), &lane_of(&request)),
                Change::Removed(_) => broker.sweep.notify_one(),
            })
            .await;
        });
        spawn(tasks, &self, |broker| async move {
            let api: Api<DynamicObject> =
                Api::all_with(broker.hub.client.clone(), &ApiResource::erase::<AccessHold>(&()));
            follow_parsed(
                api,
                watcher::Config::default(),
                &broker.stores.holds,
                |hold| hold,
                |change| {
                    if let Change::Applied(hold) = change {
                        let (hold, now) = (Hold::from(&*hold), broker.clock.hub_now());
                        broker
                            .wake_open(|request| hold.is_on(&request.spec.user, &request.spec.cluster, now));
                    }
                },
            )
            .await;
        });
        spawn(tasks, &self, |broker| async move {
            let api: Api<DynamicObject> =
                Api::all_with(broker.hub.client.clone(), &ApiResource::erase::<AccessProfile>(&()));
            let config = watcher::Config::default();
            follow_parsed(
                api,
                config,
                &broker.stores.profiles,
                |profile| profile,
                |_| broker.report.notify_one(),
            )
            .await;
        });
    }

    /// The hub's own guardrails: where they are no set that counts any more, or are again.
    fn watch_hub_policies(self: Arc<Self>, tasks: &mut JoinSet<()>) {
        spawn(tasks, &self, |broker| async move {
            let api = Api::all(broker.hub.client.clone());
            follow(api, watcher::Config::default(), &broker.stores.hub_policies, |_| {
                broker.hub_set_changed()
            })
            .await;
        });
        spawn(tasks, &self, |broker| async move {
            let api = Api::all(broker.hub.client.clone());
            follow(api, watcher::Config::default(), &broker.stores.hub_bindings, |_| {
                broker.hub_set_changed()
            })
            .await;
        });
    }

    fn hub_set_changed(&self) {
        self.hub_seen.changed();
        self.verify.notify_one();
        self.report.notify_one();
        self.wake_open(|request| request.phase() == Phase::Pending);
    }

    fn watch_target(self: Arc<Self>, tasks: &mut JoinSet<()>) {
        let client = self.target.client().clone();
        let any = watcher::Config::default;
        let api = Api::all(client.clone());
        spawn(tasks, &self, |broker| async move {
            follow(api, any(), &broker.stores.roles, |_| {
                // What a role allows may have grown, or a profile become possible.
                broker.wake_open(|request| request.phase() != Phase::Pending);
                broker.report.notify_one();
            })
            .await;
        });
        let api = Api::all(client.clone());
        spawn(tasks, &self, |broker| async move {
            follow(api, any(), &broker.stores.grants, |change| {
                let (Change::Applied(grant) | Change::Removed(grant)) = change;
                let named = &grant.spec.request;
                match broker.stores.requests.get(&named.namespace, &named.name) {
                    Some(request) => broker.queue.push(key_of(&request), &lane_of(&request)),
                    None => broker.sweep.notify_one(),
                }
            })
            .await;
        });
        let api = Api::namespaced(client.clone(), SESSIONS_NAMESPACE);
        spawn(tasks, &self, |broker| async move {
            follow(api, any(), &broker.stores.accounts, |change| {
                if let Change::Removed(account) = change {
                    broker.wake_grant(label(&*account));
                }
            })
            .await;
        });
        let api = Api::all(client.clone());
        spawn(tasks, &self, |broker| async move {
            follow(api, any(), &broker.stores.bindings, |change| {
                let (Change::Applied(binding) | Change::Removed(binding)) = &change;
                broker.binding_changed(&change, &binding.subjects);
            })
            .await;
        });
        let api = Api::all(client.clone());
        spawn(tasks, &self, |broker| async move {
            follow(api, any(), &broker.stores.cluster_bindings, |change| {
                let (Change::Applied(binding) | Change::Removed(binding)) = &change;
                broker.binding_changed(&change, &binding.subjects);
            })
            .await;
        });
        spawn(tasks, &self, |broker| async move {
            follow(Api::all(client), any().labels(OPEN_LABEL), &broker.stores.namespaces, |_| {
                // One that is open sessions no more closes those that are in it.
                broker.wake_open(|request| request.phase() != Phase::Pending);
                broker.report.notify_one();
            })
            .await;
        });
    }

    /// A binding of a session is news where nobody planned it, or where it was waited for to go; one of somebody else's may
    /// concern everybody.
    fn binding_changed<K: ResourceExt>(&self, change: &Change<K>, subjects: &Option<Vec<Subject>>) {
        let (Change::Applied(binding) | Change::Removed(binding)) = change;
        let place = binding.meta().namespace.as_deref();
        match (label(&**binding), change) {
            (Some(grant), Change::Applied(_))
                if sessions_named(subjects.as_ref(), place).next().is_some() =>
            {
                self.wake_grant(Some(grant));
                if self.stores.grants.get("", grant).is_none() {
                    self.sweep.notify_one();
                }
            }
            (Some(grant), Change::Removed(_)) => {
                self.wake_open(|request| request.closing().is_some() && grant_name(request) == grant);
            }
            _ => {}
        }
        // Whatever its label says: it is the subjects whose rights it adds to.
        for account in sessions_named(subjects.as_ref(), place) {
            self.wake_grant(Some(&format!("g-{}", account.id())));
        }
        let everybodys = everybody(subjects).is_some();
        if label(&**binding).is_none() || everybodys {
            self.report.notify_one();
        }
        if everybodys {
            self.wake_open(|request| request.phase() != Phase::Pending);
        }
    }

    fn wake_grant(&self, grant: Option<&str>) {
        let Some(grant) = grant.and_then(|name| self.stores.grants.get("", name)) else { return };
        let named = &grant.spec.request;
        if let Some(request) = self.stores.requests.get(&named.namespace, &named.name) {
            self.queue.push(key_of(&request), &lane_of(&request));
        }
    }
}

fn spawn<F>(tasks: &mut JoinSet<()>, broker: &Arc<Broker>, work: impl FnOnce(Arc<Broker>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    tasks.spawn(work(broker.clone()));
}

/// A closed request is kept for its name and its end; thousands of offers would only take memory.
fn slim(mut request: AccessRequest) -> AccessRequest {
    if request.phase() == Phase::Closed
        && let Some(status) = request.status.as_mut()
    {
        status.offer = None;
        status.credential = None;
    }
    request
}
