//! A hub of holds: what its watch tells and its calls answer is the test's to say.

use crate::holds::ports::{Changes, HubSide};
use crate::person::Signed;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use sallyport_api::AccessHold;
use sallyport_client::Fault;
use sallyport_hub::{Change, Identity, Refused};
use sallyport_model::{Held, UserName};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// A hold on somebody or something until that second.
pub(super) fn hold(uid: &str, on: serde_json::Value, until: i64) -> AccessHold {
    let until = Timestamp::from_second(until).unwrap().to_string();
    let mut spec = json!({"until": until, "by": "oidc:lee", "reason": "stolen"});
    spec.as_object_mut().unwrap().extend(on.as_object().unwrap().clone());
    serde_json::from_value(json!({
        "apiVersion": "access.sallyport.dev/v1alpha1", "kind": "AccessHold",
        "metadata": {"name": format!("hold-{uid}"), "uid": uid, "creationTimestamp": "2026-11-24T10:00:00Z"},
        "spec": spec,
    }))
    .unwrap()
}

#[derive(Default)]
pub(super) struct FakeHub {
    watch: Mutex<Option<mpsc::UnboundedSender<Change<AccessHold>>>>,
    /// What was made: by whom, on what, until when (Unix seconds), why.
    pub(super) made: Mutex<Vec<(String, Held, i64, String)>>,
    /// What was ended, by name and UID.
    pub(super) ended: Mutex<Vec<(String, String)>>,
    refuses: Mutex<Option<Refused>>,
    faults: Mutex<BTreeMap<&'static str, Fault>>,
    /// Held while it answers no write.
    pub(super) writes: tokio::sync::Mutex<()>,
    /// Times that it was asked who one is.
    pub(super) asked: AtomicUsize,
    /// Writes that came, answered or not.
    pub(super) came: AtomicUsize,
}

impl FakeHub {
    /// Whether somebody heard it.
    pub(super) fn tell(&self, change: Change<AccessHold>) -> bool {
        self.watch.lock().unwrap().as_ref().is_some_and(|told| told.send(change).is_ok())
    }

    pub(super) fn is_watched(&self) -> bool {
        self.watch.lock().unwrap().as_ref().is_some_and(|told| !told.is_closed())
    }

    /// From now on, instead of taking what is written.
    pub(super) fn refuses(&self, with: Option<Refused>) {
        *self.refuses.lock().unwrap() = with;
    }

    /// From now on, instead of an answer: to `whoami`.
    pub(super) fn answers(&self, call: &'static str, fault: Fault) {
        self.faults.lock().unwrap().insert(call, fault);
    }

    async fn write(&self) -> Result<(), Refused> {
        self.came.fetch_add(1, Ordering::Relaxed);
        let _answers = self.writes.lock().await;
        self.refuses.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

/// The hub, by somebody's sign-in.
pub(super) struct AsPerson {
    hub: Arc<FakeHub>,
    user: UserName,
}

impl AsPerson {
    pub(super) fn of(hub: &Arc<FakeHub>, signed: &Signed) -> Arc<dyn HubSide> {
        Arc::new(Self { hub: hub.clone(), user: signed.who.user.clone() })
    }
}

impl HubSide for AsPerson {
    fn watch_holds(&self) -> Changes {
        let (told, mut changes) = mpsc::unbounded_channel();
        *self.hub.watch.lock().unwrap() = Some(told);
        Box::pin(futures::stream::poll_fn(move |cx| changes.poll_recv(cx)))
    }
    fn whoami(&self) -> BoxFuture<'_, Result<Identity, Fault>> {
        async {
            self.hub.asked.fetch_add(1, Ordering::Relaxed);
            if let Some(fault) = self.hub.faults.lock().unwrap().get("whoami").cloned() {
                return Err(fault);
            }
            Ok(Identity {
                user: self.user.clone(),
                groups: Vec::new(),
                acr: Vec::new(),
                amr: Vec::new(),
                auth_time: None,
                issued_at: None,
            })
        }
        .boxed()
    }
    fn hold<'a>(
        &'a self,
        held: &'a Held,
        me: &'a Identity,
        until: Timestamp,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<AccessHold, Refused>> {
        async move {
            self.hub.write().await?;
            let mut made = self.hub.made.lock().unwrap();
            made.push((me.user.to_string(), held.clone(), until.as_second(), reason.to_owned()));
            let on = match held {
                Held::User(name) => json!({"user": name}),
                Held::Cluster(name) => json!({"cluster": name}),
                Held::Everything => json!({"everything": true}),
            };
            Ok(hold(&format!("made-{}", made.len()), on, until.as_second()))
        }
        .boxed()
    }
    fn unhold<'a>(&'a self, name: &'a str, uid: &'a str) -> BoxFuture<'a, Result<(), Refused>> {
        async move {
            self.hub.write().await?;
            self.hub.ended.lock().unwrap().push((name.to_owned(), uid.to_owned()));
            Ok(())
        }
        .boxed()
    }
}
