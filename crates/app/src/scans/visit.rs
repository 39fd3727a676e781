//! A scan is a session: asked for as any other, read through the gateway, left, and its end proven.

use super::ports::{Answer, Left, Visit, Ways};
use crate::desk::{AppError, Desk};
use crate::inventory::Inventory;
use crate::person::{Person, Signed};
use crate::sessions::{End, HubOf, Record, Session, Sessions, WayIn};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::Api;
use kube::api::PostParams;
use sallyport_client::{Credential, Endpoint, Timeouts, connect};
use sallyport_ipc::ProofState;
use sallyport_model::{ClusterName, ErrorCode, Secret, SessionState};
use sallyport_posture::{Coverage, Kind, Review};
use sallyport_rbac::{Ask, Rule, allows};
use sallyport_scan::{Bounds, DoorBounds, Reading};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// What is taken in of one cluster at most: several are read at once.
const KEPT_BYTES: u64 = 128 << 20;
/// How long a scan may read: its session has to be left in time.
const READING: Duration = Duration::from_secs(600);
/// How long it may take until its rights are seen to be refused.
const FIRST_STAGE: Duration = Duration::from_secs(15);
/// How long the proof of an end is waited for.
const PROVEN: Duration = Duration::from_secs(90);

/// The ways into clusters by the sessions of this desktop.
pub(super) struct BySessions {
    pub(super) desk: Arc<Desk>,
    pub(super) person: Arc<Person>,
    pub(super) inventory: Arc<Inventory>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) signed: Arc<Signed>,
    /// Why nothing may be asked for on a cluster, by the holds of the moment.
    pub(super) held: Held,
}

/// Says of a cluster why nothing may be asked for there now.
pub(crate) type Held = Arc<dyn Fn(&ClusterName) -> Option<AppError> + Send + Sync>;

impl Ways for BySessions {
    fn begin(&self, cluster: &ClusterName) -> Result<Box<dyn Visit>, AppError> {
        if let Some(error) = (self.held)(cluster) {
            return Err(error);
        }
        let choice = self.inventory.choose_scan(&self.signed, cluster)?;
        let hub = Arc::new(HubOf::for_scans(self.person.clone(), self.signed.clone()));
        let (session, way_in) = self.sessions.scan(hub, choice)?;
        let (sessions, deadline) = (self.sessions.clone(), self.desk.options.deadline);
        Ok(Box::new(OneSession { sessions, session, way_in: Some(way_in), client: None, deadline }))
    }
}

struct OneSession {
    sessions: Arc<Sessions>,
    session: Arc<Session>,
    way_in: Option<oneshot::Receiver<WayIn>>,
    client: Option<Inside>,
    deadline: Duration,
}

/// What an open session is read with.
#[derive(Clone)]
struct Inside {
    client: kube::Client,
    door: Endpoint,
    rules: Arc<[Rule]>,
}

impl Drop for OneSession {
    /// Whatever becomes of the scan, what it opened does not stay open.
    fn drop(&mut self) {
        self.session.end(End::left());
    }
}

impl OneSession {
    /// Why it is not open, or not any more.
    fn why(&self) -> AppError {
        let view = self.session.view();
        let hint = "What was kept before stays. Scan again when it can be opened.";
        // Whoever ended it says more than that it is over.
        if let Some((by, ended)) = view.ended.as_ref().and_then(|ended| Some((ended.by.as_ref()?, ended))) {
            let why = ended.message.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            return AppError::failed(format!("its session was ended by {by} before all was read{why}"))
                .hint(hint);
        }
        if let Some(error) = view.error {
            return AppError::of_view(error);
        }
        let why =
            view.ended.and_then(|ended| ended.message).map(|why| format!(": {why}")).unwrap_or_default();
        AppError::failed(format!("its session ended before all was read{why}")).hint(hint)
    }

    /// Does it while the session is open.
    async fn while_open<T>(&self, doing: impl Future<Output = T>) -> Result<T, AppError> {
        tokio::select! {
            biased;
            () = self.session.until(|record| matches!(record.state, SessionState::Closing(_) | SessionState::Closed(_))) => {
                Err(self.why())
            }
            done = doing => Ok(done),
        }
    }

    fn inside(&self) -> Result<Inside, AppError> {
        self.client.clone().ok_or_else(|| self.why())
    }
}

impl Visit for OneSession {
    fn session(&self) -> String {
        self.session.id.to_string()
    }

    fn opened(&mut self) -> BoxFuture<'_, Result<(), AppError>> {
        async {
            let Some(way_in) = self.way_in.take() else { return Ok(()) };
            // One that nobody grants gives up by itself.
            // Whoever scans a fleet proves once who they are, and not for each cluster that waits for it.
            let wanted = |record: &Record| {
                record.error.as_ref().is_some_and(|error| error.code == ErrorCode::StepUpNeeded)
            };
            let way_in = tokio::select! {
                biased;
                way_in = way_in => way_in,
                () = self.session.until(wanted) => return Err(self.why()),
            };
            let Ok(way_in) = way_in else {
                // Whoever did not open it says why as it closes.
                let closing = |record: &Record| record.state != SessionState::Opening;
                let _ = tokio::time::timeout(self.deadline, self.session.until(closing)).await;
                return Err(self.why());
            };
            // What a list may take is the scan's to say.
            let client = inside(&way_in, Timeouts { connect: self.deadline, answer: READING })?;
            self.client = Some(Inside { client, door: way_in.door, rules: way_in.rules.into() });
            Ok(())
        }
        .boxed()
    }

    fn read<'a>(
        &'a mut self,
        told: &'a (dyn Fn(u32, u32) + Sync),
    ) -> BoxFuture<'a, Result<Reading, AppError>> {
        async move {
            let Inside { client, door, rules } = self.inside()?;
            let bounds = Bounds { whole: READING, kept_bytes: KEPT_BYTES, ..Bounds::default() };
            let count = |many: usize| u32::try_from(many).unwrap_or(u32::MAX);
            let told = |done, total| told(count(done), count(total));
            // Without any credential, so it goes to the API server itself and not through the gateway, which would add one.
            let (seen, outside) =
                (sallyport_scan::cluster_told(&client, &bounds, &told), DoorBounds::default());
            let both = async { tokio::join!(seen, sallyport_scan::door(&door, &outside)) };
            let (read, door) = self.while_open(both).await?;
            let mut reading = read.map_err(|e| {
                AppError::new(ErrorCode::Unreachable, format!("it was not read: {e}"))
                    .hint("What was kept before stays. Scan again when it answers.")
                    .retry()
            })?;
            // A session that ended while it was read leaves lists that were cut: nothing of that is a scan.
            self.while_open(async {}).await?;
            // Rights may go before anybody says so: what was offered and is refused is no word on the cluster.
            if let Some(kind) = refused(&reading, &rules) {
                return Err(AppError::failed(format!(
                    "its rights ended while it was read: {kind} was refused"
                ))
                .hint("What was kept before stays. Scan again.")
                .retry());
            }
            reading.door = Some(door);
            Ok(reading)
        }
        .boxed()
    }

    fn ask(&mut self, reviews: Vec<Review>) -> BoxFuture<'_, Result<Vec<Answer>, AppError>> {
        async {
            let Inside { client, .. } = self.inside()?;
            let asking = async {
                let mut answers = Vec::new();
                for review in reviews {
                    answers.push(answer(&client, &review, self.deadline).await);
                }
                answers
            };
            self.while_open(asking).await
        }
        .boxed()
    }

    fn leave(&mut self) -> BoxFuture<'_, ()> {
        async {
            self.session.end(End::left());
            let gone = self.session.until(Record::first_stage_over);
            let _ = tokio::time::timeout(FIRST_STAGE, gone).await;
        }
        .boxed()
    }

    fn proven(self: Box<Self>) -> BoxFuture<'static, Left> {
        async move {
            let closed = self.session.until(|record| matches!(record.state, SessionState::Closed(_)));
            let is_closed = tokio::time::timeout(PROVEN, closed).await.is_ok();
            let view = self.session.view();
            if !is_closed || view.proof.iter().any(|line| line.state == ProofState::Unproven) {
                return Left::Unproven;
            }
            // Nobody reads the closing reports of a whole fleet: this one says that nothing is left.
            if let Err(error) = self.sessions.dismiss(view.id).await {
                tracing::warn!("a scan's session could not be put away: {}", error.message());
            }
            Left::Proven
        }
        .boxed()
    }
}

/// Through the gateway, with a session's own certificate.
pub(super) fn inside(way_in: &WayIn, timeouts: Timeouts) -> Result<kube::Client, AppError> {
    let wrong = |e: Box<dyn std::error::Error + Send + Sync>| {
        AppError::failed("the session's own gateway can't be called").because(e)
    };
    let gateway =
        Endpoint::parse(&way_in.gateway, Some(&way_in.ca_pem), None).map_err(|e| wrong(e.into()))?;
    let key = Secret::new(way_in.key.expose().clone());
    let credential = Credential::Certificate { chain: way_in.certificate.clone(), key };
    connect(&gateway, credential, timeouts).map_err(|e| wrong(e.into()))
}

/// A kind that was refused although the session's rules give it.
fn refused(reading: &Reading, rules: &[Rule]) -> Option<&'static str> {
    let refused = |(_, coverage): &(&Kind, &Coverage)| matches!(coverage, Coverage::Forbidden(_));
    let given = |kind: Kind| {
        let ask = Ask::Resource {
            verb: "list",
            group: kind.group(),
            resource: kind.plural(),
            subresource: "",
            name: "",
        };
        allows(rules, ask)
    };
    let mut gone = reading.coverage.iter().filter(refused).map(|(kind, _)| *kind).filter(|kind| given(*kind));
    gone.next().map(Kind::plural)
}

/// What the API server says to a question about somebody.
async fn answer(client: &kube::Client, review: &Review, within: Duration) -> Answer {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let object = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(review.caller.user.clone()),
            groups: Some(review.caller.groups.clone()),
            resource_attributes: Some(ResourceAttributes {
                namespace: review.namespace.clone(),
                verb: some(&review.verb),
                group: some(&review.group),
                resource: some(&review.resource),
                subresource: some(&review.subresource),
                name: some(&review.name),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let api: Api<SubjectAccessReview> = Api::all(client.clone());
    let no_answer = |why: String| Answer { allowed: None, reason: why };
    match sallyport_client::within(within, api.create(&PostParams::default(), &object)).await {
        Ok(SubjectAccessReview { status: Some(status), .. }) => {
            Answer { allowed: Some(status.allowed), reason: status.reason.unwrap_or_default() }
        }
        Ok(_) => no_answer("the API server gave none".to_owned()),
        Err(fault) => no_answer(fault.to_string()),
    }
}
