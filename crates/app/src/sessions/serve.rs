//! Becoming open: the seal, the gateway, the private kubeconfig, the first call.

use super::owner::{Address, Held, Kubeconfig, Made, Owner, Stop};
use super::ports::Reach;
use super::session::Place;
use super::way_in::WayIn;
use super::word::credential;
use crate::desk::AppError;
use sallyport_api::AccessRequest;
use sallyport_audit::Action;
use sallyport_client::Endpoint;
use sallyport_gateway::{Opened, Upstream};
use sallyport_hub::seal::{Aad, KeyPair, Sealed};
use sallyport_ipc::StepKind;
use sallyport_model::{ClusterName, GrantUid, RequestRef, Scope, SessionEvent, SessionId};
use sallyport_policy::{SessionFacts, SessionPermit, admit_session};
use sallyport_provision::Witnesses;
use sallyport_terminal::{KubeconfigSpec, Located, PrivateKubeconfig};
use std::time::{Duration, Instant};

impl Owner {
    /// Opens the seal and serves it. A request that is over meanwhile, by whoever's word, does not open.
    pub(super) async fn serve(
        &self,
        made: &mut Made,
        request: &AccessRequest,
        which: &RequestRef,
        keys: &KeyPair,
    ) -> Result<(), Stop> {
        let mut changes = made.stretch.changes.take();
        let opened = self.unless_over(&mut changes, self.open(made, request, which, keys)).await;
        made.stretch.changes = changes;
        opened.map_err(|over| made.stopped(over))
    }

    async fn open(
        &self,
        made: &mut Made,
        request: &AccessRequest,
        which: &RequestRef,
        keys: &KeyPair,
    ) -> Result<(), AppError> {
        let session = &self.session;
        let (sealed, permit) = self.unseal(request, which, keys, &session.id)?;
        let (cluster, scope) = (permit.cluster().clone(), permit.scope().clone());
        // From here on there is a token whose end has to be proven, whatever comes in between.
        let held = made.stretch.held.insert(held(request, &sealed, &permit)?);
        let (address, door) = (held.reach.target.url().to_string(), held.reach.target.clone());
        let rules = held.rules.clone();
        let first = Witnesses::first_call(&held.rules, &scope);
        let helm_misses = sallyport_rbac::helm_misses(&held.rules);
        // Before anything is open: an opened session is never taken up again.
        self.forget_key(&mut made.stretch.key).await;
        let upstream = Upstream {
            cluster: cluster.clone(),
            endpoint: sealed.endpoint.parse().map_err(|_| bad(&cluster, "its endpoint is no URL"))?,
            ca_pem: sealed.ca_bundle,
            tls_server_name: sealed.tls_server_name,
            token: sealed.token,
            jti: sealed.jti,
            user: permit.user().clone(),
            allow_impersonation: false,
            now: session.hub.now(),
        };
        let opened = self.sessions.ground.open(&permit, upstream, session.hub.workspace().as_str()).await?;
        if made.read_by.is_none() {
            let spec = kubeconfig_spec(&opened, &cluster, &scope, permit.user().as_str());
            let kubeconfig = self.write_kubeconfig(&mut made.kubeconfig, spec).await?;
            let way_in = WayIn::of(&opened, door.clone(), rules.clone());
            let way_in = std::sync::Arc::new(way_in);
            session.set_place(Some(Place { kubeconfig, target: address, helm_misses, way_in }));
        }
        self.first_call(&opened, first.as_deref(), &permit).await?;
        if let Some(read_by) = made.read_by.take() {
            // Whoever waited may have given up: then it is ended like any other.
            let _ = read_by.send(WayIn::of(&opened, door, rules));
        }
        made.cut = Some(opened.cut);
        Ok(())
    }

    async fn write_kubeconfig(
        &self,
        kept: &mut Option<Kubeconfig>,
        spec: KubeconfigSpec,
    ) -> Result<Located, AppError> {
        let wrong = || AppError::failed("the private kubeconfig could not be written");
        let runtime = self.sessions.desk.dirs.runtime.clone();
        let writing = tokio::task::spawn_blocking(move || PrivateKubeconfig::write(&runtime, &spec));
        let Kubeconfig::Writing(writing) = kept.insert(Kubeconfig::Writing(writing)) else {
            return Err(wrong());
        };
        let written = writing.await;
        *kept = None;
        let kubeconfig = written
            .map_err(|e| wrong().because(e))?
            .map_err(|e| wrong().hint("Check the runtime directory and its disk.").because(e))?;
        let located = Located::of(&kubeconfig);
        *kept = Some(Kubeconfig::There(Box::new(kubeconfig)));
        Ok(located)
    }

    async fn first_call(
        &self,
        opened: &Opened,
        first: Option<&str>,
        permit: &SessionPermit,
    ) -> Result<(), AppError> {
        let (session, history) = (&self.session, &self.sessions.history);
        let started = Instant::now();
        let path = first.unwrap_or("/version");
        let status = self.sessions.ground.first_call(opened, path).await?;
        let left = permit.end() - session.hub.now();
        let left = Duration::from_secs(u64::try_from(left).unwrap_or_default());
        let took = session.change(|record| {
            record.apply(SessionEvent::Ready);
            record.done(StepKind::Ready, format!("first call answered {status}"));
            record.deadline = Instant::now().checked_add(left);
            record.opened()
        });
        let ms = started.elapsed().as_millis() as u64;
        let ready = session.draft(Action::Ready).detail("status", status).detail("path", path);
        history.note(ready.detail("ms", ms)).await;
        let click = took.as_millis() as u64;
        history.note(session.draft(Action::SessionOpen).detail("ms", click)).await;
        Ok(())
    }

    /// Looks in the background for calls that are allowed, one for each role in each namespace: only what was seen to
    /// be allowed can be seen to be refused. Until then the broker's own questions have to do.
    pub(super) async fn look_for_witnesses(&self, held: Option<&Held>) -> Option<Witnesses> {
        let held = held?;
        let scope = self.session.read(|record| record.given.scope.clone());
        Some(self.sessions.ground.look(&held.reach, &held.rules, &scope).await)
    }

    /// Opens the seal, for a session to be served with: what was asked, what the hub recorded and what the broker sealed
    /// must agree.
    pub(super) fn unseal(
        &self,
        request: &AccessRequest,
        which: &RequestRef,
        keys: &KeyPair,
        serves: &SessionId,
    ) -> Result<(Sealed, SessionPermit), AppError> {
        let (session, hub) = (&self.session, &self.session.hub);
        let signed_in = hub.signed_in()?;
        let grant = request.status.as_ref().and_then(|s| s.grant.as_ref());
        let grant = grant.ok_or_else(|| {
            AppError::failed("the hub records no grant for this session").hint("Tell your admin.")
        })?;
        let recorded_end = grant.end.0.as_second();
        let uid = GrantUid::new(grant.uid.clone());
        let user = request.spec.user.parse().map_err(|e: sallyport_model::NameError| {
            AppError::failed("the request names no proper user").because(e)
        })?;
        let aad = Aad { user, request: which.uid.clone(), grant: uid.clone(), end: recorded_end };
        let sealed =
            sallyport_hub::seal::open(keys, &aad, credential(request).unwrap_or_default()).map_err(|e| {
                AppError::failed("the token was not sealed for this session")
                    .hint("Try again; if it stays so, tell your admin: someone may be in between.")
                    .because(e)
            })?;
        session.change(|record| record.is_unsealed = true);
        let terms = session.read(|record| record.choice.terms.clone());
        let given = request.given(&terms).map_err(|e| {
            AppError::failed("what the hub records as given can't be read")
                .hint("Tell your admin.")
                .because(e)
        })?;
        let facts = SessionFacts {
            session: serves.clone(),
            signed_in,
            user: aad.user,
            cluster: terms.cluster,
            request: which.uid.clone(),
            scope: given.scope.clone(),
            duration: given.duration,
            grant: uid.clone(),
            recorded_end,
            sealed_end: sealed.end,
            endpoint: sealed.endpoint.clone(),
            now: hub.now(),
        };
        let permit =
            admit_session(facts).map_err(|r| AppError::failed(r.message).hint("Tell your admin."))?;
        session.change(|record| {
            record.given = given;
            record.grant = Some(uid);
            record.jti = Some(sealed.jti.clone());
            record.end = Some(recorded_end);
        });
        Ok((sealed, permit))
    }
}

fn bad(cluster: &ClusterName, what: &str) -> AppError {
    AppError::failed(format!("what the broker of {cluster} sealed can't be used: {what}"))
        .hint("Tell your admin.")
}

/// What was sealed, as it will be used and its end proven.
pub(super) fn held(
    request: &AccessRequest,
    sealed: &Sealed,
    permit: &SessionPermit,
) -> Result<Held, AppError> {
    let address = Address {
        endpoint: sealed.endpoint.clone(),
        ca_pem: sealed.ca_bundle.clone(),
        tls_server_name: sealed.tls_server_name.clone(),
    };
    let target =
        Endpoint::parse(&address.endpoint, Some(&address.ca_pem), address.tls_server_name.as_deref())
            .map_err(|e| bad(permit.cluster(), "its endpoint can't be called").because(e))?;
    let scope = permit.scope().clone();
    let rules = crate::inventory::rules(request.offer().map_or(&[][..], |offer| &offer.rules));
    // Of an offer for the whole cluster, what holds where less was given.
    let rules = sallyport_rbac::effective(rules, &scope);
    let witnesses = Witnesses::of(&rules, &scope);
    Ok(Held { reach: Reach { target, token: sealed.token.clone() }, address, scope, rules, witnesses })
}

fn kubeconfig_spec(opened: &Opened, cluster: &ClusterName, scope: &Scope, user: &str) -> KubeconfigSpec {
    KubeconfigSpec {
        server: opened.server_url.clone(),
        ca_pem: opened.ca_pem.clone(),
        client_cert_pem: opened.client_cert_pem.clone(),
        client_key_pem: opened.client_key_pem.clone(),
        cluster: cluster.clone(),
        namespace: scope.to_list().into_iter().next(),
        user: user.to_owned(),
    }
}
