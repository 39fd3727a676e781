//! The parts put together, and what must happen in order across them: starting, signing out, quitting.

mod export;
mod sealing;
mod settings;
mod support;
mod used;

use crate::approvals::Approvals;
use crate::desk::{AppError, Desk, Dirs, Host, Options, vault};
use crate::evidence::{Evidence, GivenUp};
use crate::history::Recorder;
use crate::holds::Holds;
use crate::inventory::{Choice, Inventory};
use crate::person::{Person, Signed};
use crate::reach::Reach;
use crate::recordings::Recordings;
use crate::scans::{Held, Scans};
use crate::sessions::{End, GatewayAndTargets, HubOf, Leftovers, Sessions};
use crate::support::Support;
use crate::told::Told;
use sallyport_gateway::{Call, Gateway, GatewayOptions};
use sallyport_ipc::{
    AppState, Event, OpenInput, PathProof, RecordingView, ReviewInput, SessionView, Shown, StepUp, VerifyView,
};
use sallyport_model::{ClusterName, ErrorCode, Hold, NameError};
use sallyport_store::{History, InstanceLock, Prefs, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OnceCell, mpsc};

/// How long signing out and quitting wait for the first proofs, and quitting for the history.
const FIRST_PROOFS: Duration = Duration::from_secs(3);
/// Calls that wait to be written.
const CALLS: usize = 1024;

/// Everything the desktop does. Cheap to clone; all clones are the same app.
#[derive(Clone)]
pub struct App(pub(crate) Arc<Parts>);

/// The parts, from the one that knows nobody to the one that knows all before it.
pub(crate) struct Parts {
    pub(crate) desk: Arc<Desk>,
    pub(crate) history: Recorder,
    pub(crate) evidence: Arc<Evidence>,
    pub(crate) recordings: Arc<Recordings>,
    pub(crate) person: Arc<Person>,
    pub(crate) inventory: Arc<Inventory>,
    pub(crate) holds: Arc<Holds>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) leftovers: Arc<Leftovers>,
    pub(crate) scans: Arc<Scans>,
    pub(crate) approvals: Arc<Approvals>,
    pub(crate) reach: Reach,
    pub(crate) told: Arc<Told>,
    pub(crate) support: Support,
    pub(crate) gateway: Gateway,
    is_down: OnceCell<()>,
}

impl App {
    /// Takes the data directory, opens history, preferences and vault, starts the gateway, cleans up what an earlier
    /// run left, and goes on with a stored sign-in in the background. Contacts no cluster (promise P6).
    ///
    /// # Errors
    /// When another instance has the directory, or one of the parts can't be opened.
    pub async fn start(dirs: Dirs, options: Options, host: Arc<dyn Host>) -> Result<Self, AppError> {
        dirs.create()?;
        let lock = InstanceLock::take(&dirs.data).map_err(in_use)?;
        let vault = Arc::new(vault::open(&dirs, options.keyring.clone()).await?);
        let history = match vault::history_keys(&vault).await {
            Some(keys) => History::open_sealed(&dirs.data, keys.chain, keys.sealing).await,
            None => History::open(&dirs.data, None).await,
        };
        let history = history.map_err(no_store("history"))?;
        if !history.is_handing_over() {
            vault::forget_former_seal(&vault).await;
        }
        let prefs = Prefs::open(&dirs.data).await.map_err(no_store("preferences"))?;
        let gateway_options =
            GatewayOptions { connect_within: options.deadline, ..GatewayOptions::default() };
        let gateway = Gateway::start(gateway_options).await.map_err(|e| {
            AppError::failed("the gateway could not be started").hint("Start Sallyport again.").because(e)
        })?;
        let (calls, received) = mpsc::channel(CALLS);

        let desk = Arc::new(Desk::new(host, options, dirs, prefs, vault, lock).await);
        let history = Recorder::new(history);
        let evidence = Evidence::new(desk.clone(), history.clone());
        let recordings = Arc::new(Recordings::new(&desk, history.clone()).await);
        let person = Arc::new(Person::new(desk.clone(), history.clone()));
        let inventory = Arc::new(Inventory::new(desk.clone(), person.clone()));
        let holds = Arc::new(Holds::new(desk.clone(), history.clone(), person.clone(), inventory.clone()));
        let ground = Arc::new(GatewayAndTargets::new(desk.clone(), gateway.clone(), calls));
        let sessions = Sessions::new(desk.clone(), history.clone(), recordings.clone(), ground);
        let leftovers = Arc::new(Leftovers::new(desk.clone(), history.clone(), sessions.clone()));
        let scans =
            Scans::new(desk.clone(), history.clone(), person.clone(), inventory.clone(), sessions.clone());
        let scans = Arc::new(scans.await);
        let approvals = Arc::new(Approvals::new(
            desk.clone(),
            history.clone(),
            person.clone(),
            inventory.clone(),
            holds.clone(),
        ));
        let reach = Reach::new(desk.clone(), history.clone(), person.clone());
        let told = Arc::new(Told::new(desk.clone(), sessions.clone(), approvals.clone()));
        let support = Support::new(desk.clone());
        let parts = Parts {
            desk,
            history,
            evidence,
            recordings,
            person,
            inventory,
            holds,
            sessions,
            leftovers,
            scans,
            approvals,
            reach,
            told,
            support,
            gateway,
            is_down: OnceCell::new(),
        };
        let app = Self(Arc::new(parts));
        // Before anything is recorded: what is open by now was left by an earlier run.
        app.0.recordings.sweep().await;
        app.0.leftovers.sweep().await;
        app.0.evidence.begin().await;
        app.run_parts(received);
        Ok(app)
    }

    /// What runs as long as the app.
    fn run_parts(&self, received: mpsc::Receiver<Call>) {
        let Parts {
            desk,
            history,
            person,
            inventory,
            holds,
            sessions,
            leftovers,
            scans,
            approvals,
            told,
            gateway,
            ..
        } = &*self.0;
        tokio::spawn(sessions.clone().take_calls(gateway.clone(), received));
        tokio::spawn(history.clone().hint(desk.clone()));
        tokio::spawn(person.clone().follow_groups());
        tokio::spawn(inventory.clone().hint());
        tokio::spawn(inventory.clone().follow());
        tokio::spawn(holds.clone().follow());
        tokio::spawn(holds.clone().tell_ends());
        tokio::spawn(self.clone().end_what_is_held());
        tokio::spawn(scans.clone().hint());
        tokio::spawn(approvals.clone().hint());
        tokio::spawn(approvals.clone().follow());
        tokio::spawn(told.clone().follow());
        tokio::spawn(told.clone().deliver());
        tokio::spawn(leftovers.clone().follow(person.clone(), inventory.clone()));
        tokio::spawn(self.clone().tell_changes());
        tokio::spawn(self.clone().list_what_is_remembered());
        let person = person.clone();
        tokio::spawn(async move { person.resume().await });
    }

    /// Tells the window everything around the views, whenever something of it has changed.
    async fn tell_changes(self) {
        let desk = &self.0.desk;
        loop {
            tokio::select! {
                () = desk.until_changed() => {}
                () = desk.stop.cancelled() => return,
            }
            desk.host.tell(Event::State { state: Box::new(self.0.view()) });
        }
    }

    /// Cuts this desktop's own sessions that are held, on seeing it: their broker does the same in its time.
    async fn end_what_is_held(self) {
        let Parts { desk, holds, sessions, .. } = &*self.0;
        let mut moved = holds.moves();
        loop {
            tokio::select! {
                Ok(()) = moved.changed() => {}
                () = desk.stop.cancelled() => return,
            }
            sessions.end_held(|workspace, user, cluster| holds.on(workspace, user, cluster));
        }
    }

    /// The list says when each cluster was used.
    async fn list_what_is_remembered(self) {
        loop {
            tokio::select! {
                () = self.0.sessions.until_remembered() => self.0.inventory.changed(),
                () = self.0.desk.stop.cancelled() => return,
            }
        }
    }

    /// Ends every session (3 s for the first proof), then gateway, watches and history. What could not be proven
    /// stays noted and is finished at the next start.
    pub async fn shut_down(&self) {
        self.0.shut_down().await;
    }

    /// Whether closing the window must ask first; if so, the window is told to.
    pub fn ask_before_quitting(&self) -> bool {
        let asks = self.0.sessions.any_open() || self.0.approvals.untold_count() > 0;
        if asks {
            self.0.desk.host.tell(Event::QuitAsked);
        }
        asks
    }
}

impl Parts {
    pub(crate) fn app(&self) -> &Self {
        self
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }

    pub(crate) fn history(&self) -> &Recorder {
        &self.history
    }

    pub(crate) fn evidence(&self) -> &Arc<Evidence> {
        &self.evidence
    }

    pub(crate) fn recordings(&self) -> &Recordings {
        &self.recordings
    }

    pub(crate) fn person(&self) -> &Person {
        &self.person
    }

    pub(crate) fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    pub(crate) fn holds(&self) -> &Holds {
        &self.holds
    }

    pub(crate) fn sessions(&self) -> &Arc<Sessions> {
        &self.sessions
    }

    pub(crate) fn scans(&self) -> &Scans {
        &self.scans
    }

    pub(crate) fn approvals(&self) -> &Arc<Approvals> {
        &self.approvals
    }

    pub(crate) fn reach(&self) -> &Reach {
        &self.reach
    }

    fn view(&self) -> AppState {
        let Self { desk, history, person, inventory, holds, leftovers, approvals, .. } = self;
        let (holds, may_hold) = holds.view();
        let person = person.view(&inventory.wishes());
        AppState {
            phase: person.phase,
            workspace: person.workspace,
            user: person.user,
            sign_in: person.sign_in,
            vault: desk.vault_view(),
            hub: person.hub,
            notes: person.notes,
            clock_skew_ms: person.clock_skew_ms,
            demo: person.demo,
            theme: desk.theme(),
            font_size: desk.font_size(),
            default_seconds: desk.default_duration().map(sallyport_model::Ttl::as_seconds_u32),
            paste: desk.paste_asks(),
            to_decide: approvals.to_decide(),
            untold: approvals.untold_ends(),
            holds,
            may_hold,
            history: history.view(),
            cleanup: leftovers.view(),
            platform: std::env::consts::OS.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    pub(crate) async fn state(&self) -> Result<AppState, AppError> {
        Ok(self.view())
    }

    pub(crate) async fn join(&self, text: String) -> Result<AppState, AppError> {
        self.person.join(&text).await?;
        Ok(self.view())
    }

    pub(crate) async fn join_demo(&self) -> Result<AppState, AppError> {
        self.person.join_demo().await?;
        Ok(self.view())
    }

    pub(crate) async fn sign_in(&self, step: Option<StepUp>) -> Result<AppState, AppError> {
        self.person.sign_in(step).await?;
        Ok(self.view())
    }

    pub(crate) async fn sign_out(&self) -> Result<AppState, AppError> {
        let Self { evidence, person, inventory, holds, sessions, scans, approvals, reach, .. } = self;
        // A sign-in page that is still open somewhere must not bring the person back afterwards.
        person.give_up().await?;
        let Some(signed) = person.is_signed_in() else { return Ok(self.view()) };
        // Before the sessions end: nothing is begun or taken up under this sign-in any more.
        signed.stop.cancel();
        // Nobody sits there to be given what is being written.
        evidence.give_up_export(GivenUp::SignedOut);
        sessions.end_all(End::signed_out(), FIRST_PROOFS).await;
        evidence.end_export(GivenUp::SignedOut).await;
        // While nobody else can sit there.
        inventory.clear(&signed.workspace);
        holds.clear(&signed.workspace);
        scans.clear(&signed.workspace).await;
        let untold = approvals.untold_lines(&signed.workspace);
        approvals.clear(&signed.workspace);
        reach.clear(&signed.workspace);
        let forgotten = person.forget(&signed, &sessions.left_behind(), &untold).await;
        forgotten.map(|()| self.view())
    }

    pub(crate) async fn open_session(&self, input: OpenInput) -> Result<SessionView, AppError> {
        let signed = self.person.signed()?;
        let named = |e: NameError| AppError::new(ErrorCode::BadInput, e.to_string());
        let cluster: ClusterName = input.cluster.parse().map_err(named)?;
        // A click that names nothing but the cluster shows what is open there.
        if input.profile.is_none()
            && let Some(open) = self.sessions.open_on(&signed.workspace, &cluster)
        {
            return Ok(open.view());
        }
        let (hub, choice) = self.what_to_ask(signed, &cluster, &input).await?;
        Ok(self.sessions.open(hub, choice)?.view())
    }

    pub(crate) async fn extend_session(
        &self,
        id: String,
        seconds: Option<u32>,
    ) -> Result<SessionView, AppError> {
        let signed = self.person.signed()?;
        let (session, input) = self.sessions.to_extend(&id, seconds)?;
        let cluster = session.read(|record| record.choice.terms.cluster.clone());
        let (hub, choice) = self.what_to_ask(signed, &cluster, &input).await?;
        Ok(self.sessions.extend(hub, &session, choice)?.view())
    }

    /// Opens a recording to be watched by whoever sits here.
    pub(crate) async fn watch_recording(
        &self,
        session: String,
        terminal: String,
    ) -> Result<RecordingView, AppError> {
        let signed = self.person.is_signed_in();
        self.recordings.open(session, terminal, signed.as_ref().map(|signed| &signed.who.user)).await
    }

    pub(crate) async fn delete_recording(&self, session: String, terminal: String) -> Result<(), AppError> {
        let signed = self.person.is_signed_in();
        self.recordings.delete(session, terminal, signed.as_ref().map(|signed| &signed.who.user)).await
    }

    /// Writes down what whoever sits here says of somebody's access.
    pub(crate) async fn review_access(&self, review: ReviewInput) -> Result<(), AppError> {
        let signed = self.person.signed()?;
        self.evidence.review(&signed.who.user, review).await
    }

    /// Begins to scan these clusters.
    pub(crate) async fn scan(&self, clusters: Vec<String>) -> Result<(), AppError> {
        let signed = self.person.signed()?;
        self.scans.begin(&clusters, self.held_now(&signed)).await
    }

    pub(crate) async fn prove(&self, cluster: String, finding: String) -> Result<PathProof, AppError> {
        let signed = self.person.signed()?;
        self.scans.prove(cluster, finding, self.held_now(&signed)).await
    }

    /// Says of a cluster, whenever it is asked, why nothing can be asked for there.
    fn held_now(&self, signed: &Signed) -> Held {
        let (holds, workspace, user) =
            (self.holds.clone(), signed.workspace.clone(), signed.who.user.clone());
        Arc::new(move |cluster| {
            holds.on(&workspace, user.as_str(), cluster.as_str()).map(|hold| refused_by(&hold))
        })
    }

    /// Why nothing can be asked for on a cluster now, where that is held.
    fn is_held(&self, signed: &Signed, cluster: &ClusterName) -> Option<AppError> {
        let hold = self.holds.on(&signed.workspace, signed.who.user.as_str(), cluster.as_str())?;
        Some(refused_by(&hold))
    }

    /// What somebody asks for by this, unless it is held.
    async fn what_to_ask(
        &self,
        signed: Arc<Signed>,
        cluster: &ClusterName,
        input: &OpenInput,
    ) -> Result<(Arc<HubOf>, Choice), AppError> {
        if let Some(held) = self.is_held(&signed, cluster) {
            return Err(held);
        }
        let choice = self.inventory.choose(&signed, cluster, input).await?;
        Ok((Arc::new(HubOf::new(self.person.clone(), signed)), choice))
    }

    pub(crate) async fn verify_history(&self) -> Result<VerifyView, AppError> {
        let view = self.history.verify().await?;
        self.desk.changed();
        Ok(view)
    }

    /// Once: whoever comes second, a signal while somebody quits, waits for the first.
    async fn shut_down(&self) {
        let Self { desk, history, evidence, sessions, approvals, gateway, is_down, .. } = self;
        let once = async {
            sessions.end_all(End::quit(), FIRST_PROOFS).await;
            approvals.give_up_untold().await;
            desk.stop.cancel();
            gateway.shutdown().await;
            evidence.close().await;
            history.close(FIRST_PROOFS).await;
        };
        is_down.get_or_init(|| once).await;
    }

    pub(crate) async fn quit(&self) -> Result<(), AppError> {
        tracing::info!("quitting");
        self.shut_down().await;
        self.desk.host.exit();
        Ok(())
    }
}

fn refused_by(hold: &Hold) -> AppError {
    AppError::new(ErrorCode::Forbidden, format!("nothing was asked: {hold}")).hint(held_until(hold))
}

fn held_until(hold: &Hold) -> String {
    let until = jiff::Timestamp::from_second(hold.until).map(|at| at.to_zoned(jiff::tz::TimeZone::system()));
    match until {
        Ok(at) => format!(
            "It stands until {}, or until {} or another responder ends it.",
            at.strftime("%a %H:%M"),
            Shown::from(&hold.by)
        ),
        Err(_) => "It stands until a responder ends it.".to_owned(),
    }
}

fn in_use(error: StoreError) -> AppError {
    let message = match &error {
        StoreError::Locked { pid: Some(pid), .. } => {
            format!("Sallyport is already running here (process {pid})")
        }
        StoreError::Locked { .. } => "Sallyport is already running here".to_owned(),
        _ => "the data directory can't be used".to_owned(),
    };
    AppError::failed(message)
        .hint("Use the window that is open, or set SALLYPORT_HOME to another directory.")
        .because(error)
}

fn no_store(what: &'static str) -> impl FnOnce(StoreError) -> AppError {
    move |e| {
        AppError::failed(format!("the {what} can't be opened"))
            .hint("Check the disk and the directory's owner; the log has the details.")
            .because(e)
    }
}

#[cfg(test)]
pub(crate) mod tests;
