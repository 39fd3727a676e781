//! What an earlier run left: files go at once, requests as soon as their person is signed in again. A session is never
//! resumed; its token died with the process (promise P14).

use super::Sessions;
use super::hub_side::HubOf;
use super::ports::HubSide;
use super::proof::Proof;
use super::tell::Look;
use crate::desk::Desk;
use crate::history::Recorder;
use crate::inventory::Inventory;
use crate::person::{Person, Signed};
use sallyport_api::AccessRequest;
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_client::Fault;
use sallyport_hub::Refused;
use sallyport_ipc::{Cleanup, CleanupProof};
use sallyport_model::{Phase, SessionState};
use sallyport_store::OpenSession;
use sallyport_terminal::Swept;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the broker's word is waited for.
const BROKER_WORD: Duration = Duration::from_secs(20);
/// Between two looks at the hub.
const LOOKS: Duration = Duration::from_millis(250);
/// Between two looks for a request that may still come in.
const LOOKED_FOR_EACH: Duration = Duration::from_secs(5);

/// Shows what was left, and sees to it.
pub(crate) struct Leftovers {
    desk: Arc<Desk>,
    history: Recorder,
    sessions: Arc<Sessions>,
    shown: Mutex<Vec<(Left, Cleanup)>>,
}

/// What a line is about. Two that read the same are still two.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Left {
    /// A session, by its request's name on the hub.
    Session(String),
    /// Something on this machine, by its number.
    Here(usize),
}

impl Leftovers {
    pub(crate) fn new(desk: Arc<Desk>, history: Recorder, sessions: Arc<Sessions>) -> Self {
        Self { desk, history, sessions, shown: Mutex::default() }
    }

    /// For the window.
    pub(crate) fn view(&self) -> Vec<Cleanup> {
        self.shown
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|(_, line)| line.clone())
            .collect()
    }

    /// Removes files an earlier run left, and lists the sessions it left open.
    pub(crate) async fn sweep(&self) {
        let (runtime, programs) = (self.desk.dirs.runtime.clone(), self.desk.dirs.programs());
        let sweep = move || -> std::io::Result<Vec<Swept>> {
            let mut swept = sallyport_terminal::sweep(&runtime)?;
            swept.extend(sallyport_terminal::sweep(&programs)?);
            Ok(swept)
        };
        let mut here: Vec<(String, CleanupProof)> = Vec::new();
        match tokio::task::spawn_blocking(sweep).await {
            Ok(Ok(found)) => {
                here.extend(found.iter().map(|what| (swept_sentence(what), CleanupProof::Removed)));
            }
            Ok(Err(error)) => {
                let why = error.to_string();
                let what = "Private files of an earlier run could not be removed".to_owned();
                here.push((what, CleanupProof::Unproven { why: why.into() }));
            }
            Err(error) => tracing::error!("the sweep did not run: {error}"),
        }
        match self.desk.prefs.open_sessions().await {
            Ok(left) => {
                for session in left {
                    self.show(
                        Left::Session(session.name.clone()),
                        &left_open(&session),
                        CleanupProof::Running,
                    );
                }
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "what was left open can't be read")
            }
        }
        if let Some(name) = self.desk.prefs.set_aside() {
            let what = format!("The preferences were damaged; they are kept as {name}");
            here.push((what, CleanupProof::Removed));
        }
        if let Some(name) = self.history.set_aside() {
            let what = format!("The history was damaged; it is kept as {name} and a new one began");
            here.push((what, CleanupProof::Removed));
        }
        for (number, (what, proof)) in here.into_iter().enumerate() {
            self.say(Left::Here(number), &what, proof).await;
        }
    }

    /// Sees to what was left on the hub whenever somebody signs in, until the app ends.
    pub(crate) async fn follow(self: Arc<Self>, person: Arc<Person>, inventory: Arc<Inventory>) {
        let begin = |signed: Arc<Signed>| {
            let hub = Arc::new(HubOf::new(person.clone(), signed.clone()));
            tokio::spawn(self.clone().clean_up(signed, hub, inventory.clone()));
        };
        person.each_sign_in(begin).await;
    }

    /// Takes up what waits for people, and withdraws what was left open; waits for the broker's word.
    async fn clean_up(self: Arc<Self>, signed: Arc<Signed>, hub: Arc<HubOf>, inventory: Arc<Inventory>) {
        // Of this run: their owners see to them, also where the hub does not know yet what was asked or that it is over.
        let live: Vec<String> = self
            .sessions
            .all()
            .iter()
            .filter(|s| {
                let is_told = s.read(|record| record.has(Proof::hub_knows));
                !(matches!(s.state(), SessionState::Closed(_)) && is_told)
            })
            .filter_map(|s| s.read(|record| record.asked_as.clone()))
            .collect();
        let left = match self.desk.prefs.open_sessions().await {
            Ok(left) => left,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "what was left open can't be read");
                return;
            }
        };
        let left = left.into_iter().filter(|session| !live.contains(&session.name));
        // One that is looked for does not keep the others waiting.
        let all = left.map(|session| self.see_to(&signed, &hub, &inventory, session));
        let over = futures::future::join_all(all).await;
        if over.into_iter().all(|over| over) && !signed.stop.is_cancelled() {
            self.sessions.forget_stray_keys().await;
        }
    }

    /// False when it could not be told what became of it.
    async fn see_to(
        &self,
        signed: &Signed,
        hub: &Arc<HubOf>,
        inventory: &Inventory,
        session: OpenSession,
    ) -> bool {
        tokio::select! {
            over = self.end_or_take_up(signed, hub, inventory, &session) => over,
            () = signed.stop.cancelled() => false,
        }
    }

    async fn end_or_take_up(
        &self,
        signed: &Signed,
        hub: &Arc<HubOf>,
        inventory: &Inventory,
        session: &OpenSession,
    ) -> bool {
        let line = Left::Session(session.name.clone());
        // Another hub knows nothing of it, whatever it says.
        if !session.hub.is_empty() && session.hub != signed.workspace.as_str() {
            let why =
                "it is on the hub of another team; it ends when its person signs in there, or by itself";
            self.say(line, &left_open(session), CleanupProof::Unproven { why: why.into() }).await;
            return false;
        }
        let request = match self.look_for(hub.as_ref(), session).await {
            Ok(Some(request)) => request,
            Ok(None) => {
                // It was noted before it was asked, and never was.
                self.unsay(&line);
                self.sessions.forget_note(&session.name).await;
                return true;
            }
            Err(fault) => {
                let why = format!("the hub: {fault}").into();
                self.say(line, &left_open(session), CleanupProof::Unproven { why }).await;
                return false;
            }
        };
        if self.sessions.goes_on(hub.clone(), inventory, &request).await {
            self.unsay(&line);
            return true;
        }
        let waited = matches!(request.phase(), Phase::Pending | Phase::Approved)
            && request.spec.user == signed.who.user.as_str();
        let proof = self.finish(hub.as_ref(), &request).await;
        let over = !matches!(proof, CleanupProof::Unproven { .. });
        let what = if waited && over { left_waiting(session) } else { left_open(session) };
        self.say(line, &what, proof).await;
        if over {
            self.sessions.forget_note(&session.name).await;
        }
        over
    }

    /// Its request. One that is not there may still come in: the ask of a run that was killed may be under way to the hub's
    /// store.
    async fn look_for(
        &self,
        hub: &dyn HubSide,
        session: &OpenSession,
    ) -> Result<Option<AccessRequest>, Fault> {
        let mut look = Look::default();
        loop {
            if let Some(found) = hub.named(&session.namespace, &session.name).await? {
                return Ok(Some(found));
            }
            if look.none(Instant::now(), self.desk.options.may_come_in) {
                return Ok(None);
            }
            tokio::time::sleep(LOOKED_FOR_EACH.min(self.desk.options.may_come_in / 4)).await;
        }
    }

    async fn finish(&self, hub: &dyn HubSide, request: &AccessRequest) -> CleanupProof {
        let unproven = |why: String| CleanupProof::Unproven { why: why.into() };
        if request.phase() == Phase::Closed {
            return CleanupProof::ByBroker;
        }
        let which = match request.which() {
            Ok(which) => which,
            Err(fault) => return unproven(fault.to_string()),
        };
        match hub.withdraw(&which).await {
            Ok(_) => {}
            Err(Refused::Forbidden { .. }) => {
                return unproven(
                    "it belongs to someone else; it ends when they sign in here, or by itself".into(),
                );
            }
            Err(refused) => return unproven(refused.to_string()),
        }
        let closed = async {
            while !hub.request(&which).await.is_ok_and(|r| r.phase() == Phase::Closed) {
                tokio::time::sleep(LOOKS).await;
            }
        };
        match tokio::time::timeout(BROKER_WORD, closed).await {
            Ok(()) => CleanupProof::ByBroker,
            Err(_) => unproven("the broker has not confirmed it yet; the next start asks again".into()),
        }
    }

    /// Takes a line back that turned out to be about something else.
    fn unsay(&self, about: &Left) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).retain(|(left, _)| left != about);
        self.desk.changed();
    }

    fn show(&self, about: Left, what: &str, proof: CleanupProof) {
        let line = Cleanup { what: what.into(), proof };
        {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            match shown.iter_mut().find(|(left, _)| *left == about) {
                Some((_, known)) => *known = line,
                None => shown.push((about, line)),
            }
        }
        self.desk.changed();
    }

    /// Shows one leftover and what became of it, and writes it down.
    async fn say(&self, about: Left, what: &str, proof: CleanupProof) {
        let (outcome, how) = match &proof {
            CleanupProof::Removed => (Outcome::Ok, "removed here".to_owned()),
            CleanupProof::ByBroker => (Outcome::Ok, "the broker reports it gone".to_owned()),
            CleanupProof::ByProbe => (Outcome::Ok, "the API server refused".to_owned()),
            CleanupProof::Running => (Outcome::Unknown, "under way".to_owned()),
            CleanupProof::Unproven { why } => (Outcome::Unknown, why.to_string()),
        };
        self.show(about, what, proof);
        let draft = Draft::new(Action::CleanupAtStart).outcome(outcome);
        self.history.note(draft.detail("what", what).detail("why", how)).await;
    }
}

fn left_open(session: &OpenSession) -> String {
    let at = jiff::Timestamp::from_second(session.opened_at)
        .map(|t| t.strftime("%H:%M UTC").to_string())
        .unwrap_or_default();
    format!("A session on {} of {at} was left open", session.cluster)
}

fn left_waiting(session: &OpenSession) -> String {
    format!(
        "A request for {} that waited for approval was taken back: its key was not kept, so nothing could open it",
        session.cluster
    )
}

fn swept_sentence(swept: &Swept) -> String {
    match swept {
        Swept::Kubeconfig(_) => "A private kubeconfig of an earlier run was removed".into(),
        Swept::Terminal(_) => "A terminal's files of an earlier run were removed".into(),
    }
}
