//! One cluster, and one finding with its path, its fix and what that would do: worked out from the kept reading when somebody
//! looks.

use super::exception::Standing;
use super::fleet::together;
use super::kept::Which;
use super::ports::{Answer, Left, Ways};
use super::proposed::fix_view;
use super::words::{area, origin, rule_said, severity, subject_named, verdict, why};
use super::{Held, Open, Scans};
use crate::desk::{AppError, now_ms};
use sallyport_audit::{Action, Draft, Outcome};
use sallyport_ipc::{
    CheckLine, EvidenceLine, FindingDetail, FindingLine, PathProof, PathStep, PostureArea, PostureDetail,
    Practice, ReviewLine, Shown, SubjectKind,
};
use sallyport_model::{ClusterName, ErrorCode};
use sallyport_posture::area::Area;
use sallyport_posture::check::Judged;
use sallyport_posture::drift::drift;
use sallyport_posture::effect::Uses;
use sallyport_posture::path::{Goal, Hop, Path};
use sallyport_posture::{Evidence, Finding, Ground, Object, Report, Review, Snapshot, fix, practice};
use sallyport_rbac::who::Subject;
use sallyport_scan::Reading;
use std::collections::BTreeSet;

/// Findings that are listed of one cluster.
const FINDINGS: usize = 2_000;
/// Points of the trend.
const POINTS: usize = 60;
/// How long a path is followed.
const REVIEWS: usize = 40;

/// A kept reading, and what it comes to.
struct Looked {
    snapshot: Snapshot,
}

impl Looked {
    fn of(reading: &Reading) -> Self {
        Self { snapshot: reading.snapshot() }
    }
}

impl Scans {
    /// One cluster, whole.
    ///
    /// # Errors
    /// When nobody is signed in, or nothing is kept of it.
    pub(crate) async fn cluster(&self, cluster: String) -> Result<PostureDetail, AppError> {
        let signed = self.person.signed()?;
        let open = self.open(&signed).await?;
        let reading = self.reading(&open, &cluster).await?;
        let before = self.kept(&open).reading(&cluster, Which::Before).await.ok().flatten();
        let drift = open.known().scanned.get(&cluster).and_then(|one| one.drift.clone());
        let row = self.row(&signed, &open, &cluster);
        let (points, exceptions) = {
            let known = open.known();
            (known.index.clusters.get(&cluster).cloned().unwrap_or_default(), known.index.exceptions.clone())
        };
        let name = cluster.clone();
        let practised = open
            .known()
            .scanned
            .get(&cluster)
            .map(|one| super::fleet::fresh(one, now_ms() / 1000))
            .unwrap_or_default();
        let now = now_ms() / 1000;
        let looked = tokio::task::spawn_blocking(move || {
            let looked = Looked::of(&reading);
            let report = Ground::new(&looked.snapshot).report();
            let new: BTreeSet<String> =
                before.as_ref().map(|before| new_since(before, &looked, &report)).unwrap_or_default();
            let standing = Standing::of(&exceptions, now);
            let lines = lines(&name, &report, &standing, &new);
            (lines, checks(&report), gaps(&report), report.notes)
        });
        let (findings, checks, gaps, notes) = looked.await.map_err(|e| failed().because(e))?;
        let more = findings.len().saturating_sub(FINDINGS);
        Ok(PostureDetail {
            cluster: row,
            practices: practised.iter().map(own_practice).collect(),
            findings: findings.into_iter().take(FINDINGS).collect(),
            findings_more: u32::try_from(more).unwrap_or(u32::MAX),
            checks,
            gaps: gaps.into_iter().map(Shown::from).collect(),
            notes: notes.iter().map(Shown::from).collect(),
            drift,
            trend: points
                .iter()
                .rev()
                .take(POINTS)
                .rev()
                .map(|point| together(point.at, std::iter::once(point)))
                .collect(),
        })
    }

    pub(super) async fn reading(&self, open: &Open, cluster: &str) -> Result<Reading, AppError> {
        self.kept(open).reading(cluster, Which::Last).await?.ok_or_else(|| nothing(cluster))
    }

    /// One finding with its path, its fix and what that would do.
    ///
    /// # Errors
    /// When nobody is signed in, nothing is kept of the cluster, or there is no such finding.
    pub(crate) async fn finding(&self, cluster: String, finding: String) -> Result<FindingDetail, AppError> {
        let signed = self.person.signed()?;
        let open = self.open(&signed).await?;
        let reading = self.reading(&open, &cluster).await?;
        let exceptions = open.known().index.exceptions.clone();
        let now = now_ms() / 1000;
        let name: Result<ClusterName, _> = cluster.parse();
        let used = match &name {
            Ok(name) => self.used(&signed, name).await,
            Err(_) => Ok(None),
        };
        // A finding is shown although nobody knows who used what.
        let used = used.unwrap_or_else(|error| {
            tracing::warn!("who used what lately is not told: {}", error.message());
            None
        });
        let looked = tokio::task::spawn_blocking(move || {
            let looked = Looked::of(&reading);
            let ground = Ground::new(&looked.snapshot);
            let report = ground.report();
            let (judged, found) = found(&report, &finding)?;
            let standing = Standing::of(&exceptions, now);
            Some(detail(&cluster, &ground, &report, (judged, found), &standing, used.as_ref()))
        });
        looked.await.map_err(|e| failed().because(e))?.ok_or_else(gone)
    }

    /// The questions that show a finding's path.
    async fn reviews(&self, open: &Open, cluster: &str, finding: String) -> Result<Vec<Review>, AppError> {
        let reading = self.reading(open, cluster).await?;
        let looked = tokio::task::spawn_blocking(move || {
            let looked = Looked::of(&reading);
            let ground = Ground::new(&looked.snapshot);
            let report = ground.report();
            let (_, found) = found(&report, &finding)?;
            Some(path_of(&ground, found).map(|(_, path)| reviews(&path)).unwrap_or_default())
        });
        looked.await.map_err(|e| failed().because(e))?.ok_or_else(gone)
    }

    /// Asks the API server the questions that show a finding's path, through a session like a scan's, which is left after it.
    ///
    /// # Errors
    /// When there is no path, the session does not open, or something of its end was not shown.
    pub(crate) async fn prove(
        &self,
        cluster: String,
        finding: String,
        held: Held,
    ) -> Result<PathProof, AppError> {
        let signed = self.person.signed()?;
        let name: ClusterName = cluster
            .parse()
            .map_err(|e: sallyport_model::NameError| AppError::new(ErrorCode::BadInput, e.to_string()))?;
        let open = self.open(&signed).await?;
        let questions = self.reviews(&open, &cluster, finding).await?;
        if questions.is_empty() {
            return Err(AppError::new(
                ErrorCode::BadInput,
                "this finding has no path that questions could show",
            )
            .hint("Its evidence names the objects that prove it."));
        }
        let mut visit = self.ways(signed.clone(), held).begin(&name)?;
        let answers = async {
            visit.opened().await?;
            visit.ask(questions.clone()).await
        };
        let answers = answers.await;
        visit.leave().await;
        let left = visit.proven().await;
        let entry = |outcome| Draft::new(Action::Scan).cluster(&name).user(&signed.who.user).outcome(outcome);
        if left == Left::Unproven {
            let why = "the end of the session that asked was not shown";
            self.history.note(entry(Outcome::Unknown).detail("why", why)).await;
            return Err(AppError::failed("the end of the session that asked was not shown")
                .hint("Its closing report is among the sessions: it says what may be left."));
        }
        let proof = proof(&questions, &answers?);
        let draft = Draft::new(Action::Scan).cluster(&name).user(&signed.who.user);
        let draft = draft.detail("asked", u64::from(proof.asked)).detail("allowed", u64::from(proof.allowed));
        self.history.note(draft).await;
        Ok(proof)
    }
}

fn proof(questions: &[Review], answers: &[Answer]) -> PathProof {
    let lines: Vec<ReviewLine> = questions
        .iter()
        .zip(answers)
        .map(|(question, answer)| ReviewLine {
            question: asked(question).into(),
            allowed: answer.allowed,
            reason: answer.reason.as_str().into(),
        })
        .collect();
    let count = |many: usize| u32::try_from(many).unwrap_or(u32::MAX);
    PathProof {
        at: now_ms(),
        allowed: count(lines.iter().filter(|line| line.allowed == Some(true)).count()),
        asked: count(questions.len()),
        lines,
    }
}

/// `oidc:eve: create serviceaccounts/token in ci`.
fn asked(review: &Review) -> String {
    let caller = &review.caller;
    let who = if caller.user.is_empty() { caller.groups.join(", ") } else { caller.user.clone() };
    let mut what = review.resource.clone();
    if !review.group.is_empty() {
        what = format!("{what}.{}", review.group);
    }
    if !review.subresource.is_empty() {
        what = format!("{what}/{}", review.subresource);
    }
    let name = if review.name.is_empty() { String::new() } else { format!(" named {}", review.name) };
    let place = review.namespace.as_ref().map_or_else(String::new, |namespace| format!(" in {namespace}"));
    format!("{who}: {} {what}{name}{place}", review.verb)
}

fn nothing(cluster: &str) -> AppError {
    AppError::new(ErrorCode::BadInput, format!("no scan of {cluster} is kept")).hint("Scan it first.")
}

pub(super) fn gone() -> AppError {
    AppError::new(ErrorCode::BadInput, "the last scan does not find this any more")
        .hint("Look at the cluster again: it was scanned since.")
}

pub(super) fn failed() -> AppError {
    AppError::failed("Sallyport failed over what is kept of this scan").hint("The log has the details.")
}

pub(super) fn found<'r>(report: &'r Report, fingerprint: &str) -> Option<(&'r Judged, &'r Finding)> {
    let mut all =
        report.checks.iter().flat_map(|judged| judged.findings.iter().map(move |one| (judged, one)));
    all.find(|(_, one)| one.fingerprint() == fingerprint)
}

/// What was not there in the reading before, which had read what it depends on.
fn new_since(before: &Reading, looked: &Looked, report: &Report) -> BTreeSet<String> {
    let was = before.snapshot();
    let (was, is) = (Ground::new(&was), Ground::new(&looked.snapshot));
    let found = drift((&was, &was.report()), (&is, report));
    found.new.iter().map(Finding::fingerprint).collect()
}

fn lines(cluster: &str, report: &Report, standing: &Standing, new: &BTreeSet<String>) -> Vec<FindingLine> {
    let mut lines: Vec<FindingLine> = report
        .checks
        .iter()
        .flat_map(|judged| &judged.findings)
        .map(|found| line(cluster, found, standing, new))
        .collect();
    lines.sort_by_key(|line| {
        (line.origin != sallyport_ipc::FindingOrigin::Own, std::cmp::Reverse(line.severity))
    });
    lines
}

fn line(cluster: &str, found: &Finding, standing: &Standing, new: &BTreeSet<String>) -> FindingLine {
    let id = found.fingerprint();
    FindingLine {
        check: found.check.into(),
        area: Area::of(found.check).map_or(PostureArea::Rights, area),
        severity: severity(found.severity),
        said: found.said.as_str().into(),
        origin: origin(found.origin),
        is_inert: found.inert,
        excepted: standing.said(cluster, found),
        is_new: new.contains(&id),
        id,
    }
}

fn checks(report: &Report) -> Vec<CheckLine> {
    let check = |judged: &Judged| CheckLine {
        id: judged.check.id.into(),
        title: judged.check.title.into(),
        area: Area::of(judged.check.id).map_or(PostureArea::Rights, area),
        verdict: verdict(&judged.verdict),
        why: why(&judged.verdict).map(Shown::from),
        findings: u32::try_from(judged.findings.len()).unwrap_or(u32::MAX),
    };
    report.checks.iter().map(check).collect()
}

/// What was not read, each once.
fn gaps(report: &Report) -> BTreeSet<String> {
    report.checks.iter().flat_map(|judged| judged.gaps.iter().cloned()).collect()
}

fn own_practice(own: &practice::Practised) -> Practice {
    let all = practice::Practice::ALL;
    let number = all.iter().position(|one| *one == own.practice).unwrap_or_default() + 1;
    let is =
        |verdict: &[sallyport_ipc::PostureVerdict]| u32::from(verdict.contains(&self::verdict(&own.verdict)));
    use sallyport_ipc::PostureVerdict::{Fail, Pass, Provider, Unknown};
    Practice {
        number: u32::try_from(number).unwrap_or_default(),
        name: own.practice.title().into(),
        verdict: verdict(&own.verdict),
        evidence: own.evidence.iter().map(Shown::from).collect(),
        gap: own.gaps.first().map(Shown::from),
        next: own.next.as_deref().map(Shown::from),
        kept: is(&[Pass]),
        broken: is(&[Fail]),
        unknown: is(&[Unknown, Provider]),
    }
}

/// The worst that a finding's subject comes to, and how.
fn path_of(ground: &Ground<'_>, found: &Finding) -> Option<(Goal, Path)> {
    let subject = found.subject.as_ref()?;
    let mut goals = vec![Goal::ClusterAdmin, Goal::NodeRoot, Goal::KubeSystem];
    goals.extend(found.namespaces.iter().flatten().take(3).cloned().map(Goal::SecretsOf));
    let mut found =
        goals.into_iter().filter_map(|goal| Some((goal.clone(), ground.paths(&goal)?.of(subject)?)));
    found.next()
}

pub(super) fn step(hop: &Hop, is_cut: bool) -> PathStep {
    let by = |one: &Evidence| match &one.binding {
        Some(binding) => format!("{} → {}", named(binding), named(&one.role)),
        None => named(&one.role),
    };
    let place = hop.namespace.as_ref().map_or_else(String::new, |namespace| format!(" in {namespace}"));
    PathStep {
        from: hop.from.as_str().into(),
        what: format!("{}{place}", hop.what).into(),
        by: hop.evidence.first().map(by).unwrap_or_default().into(),
        to: hop.to.as_str().into(),
        is_certain: hop.certain,
        is_cut,
    }
}

fn reviews(path: &Path) -> Vec<Review> {
    path.hops.iter().flat_map(|hop| hop.reviews.iter().cloned()).take(REVIEWS).collect()
}

fn detail(
    cluster: &str,
    ground: &Ground<'_>,
    report: &Report,
    (judged, found): (&Judged, &Finding),
    standing: &Standing,
    used: Option<&Uses>,
) -> FindingDetail {
    let path = path_of(ground, found);
    let cut = path.as_ref().and_then(|(goal, _)| ground.paths(goal)?.cut());
    let is_cut = |evidence: &[Evidence]| {
        cut.as_ref().is_some_and(|cut| {
            evidence
                .iter()
                .filter_map(|one| one.binding.as_ref())
                .any(|binding| (&binding.namespace, &binding.name) == (&cut.namespace, &cut.binding))
        })
    };
    let steps = path.iter().flat_map(|(_, path)| &path.hops).map(|hop| step(hop, is_cut(&hop.evidence)));
    let proposed = fix::Trial::of(ground, report).propose(found, used, None);
    let asked = path.as_ref().map_or(0, |(_, path)| reviews(path).len());
    FindingDetail {
        line: line(cluster, found, standing, &BTreeSet::new()),
        cluster: cluster.into(),
        title: judged.check.title.into(),
        why: why_here(found, path.as_ref()).into(),
        subject: found.subject.as_ref().map(|subject| subject_named(subject).into()),
        subject_kind: found.subject.as_ref().map(subject_kind),
        evidence: found.evidence.iter().map(|one| evidence(ground.snapshot(), one)).collect(),
        path: steps.collect(),
        goal: path.as_ref().map(|(goal, _)| goal_named(goal).into()),
        reviews: u32::try_from(asked).unwrap_or(u32::MAX),
        fix: proposed.fixes.first().map(|one| fix_view(cluster, ground, found, one)),
        advice: [proposed.advice]
            .into_iter()
            .chain(proposed.notes.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ")
            .into(),
        maps: maps(judged),
        gaps: judged.gaps.iter().map(Shown::from).collect(),
    }
}

fn why_here(found: &Finding, path: Option<&(Goal, Path)>) -> String {
    let Some((goal, path)) = path else { return found.said.clone() };
    let steps = path.hops.len();
    let certain = if path.hops.iter().all(|hop| hop.certain) {
        "Roles and bindings alone decide it."
    } else {
        "One step depends on something that roles and bindings do not tell."
    };
    let steps = if steps == 1 { "1 step".to_owned() } else { format!("{steps} steps") };
    format!("From there it is {steps} to {}. {certain}", goal_named(goal))
}

fn goal_named(goal: &Goal) -> String {
    match goal {
        Goal::ClusterAdmin => "everything in the cluster".to_owned(),
        Goal::NodeRoot => "the root of a node".to_owned(),
        Goal::KubeSystem => "everything in kube-system".to_owned(),
        Goal::SecretsOf(namespace) => format!("the Secrets of {namespace}"),
    }
}

fn named(object: &Object) -> String {
    match &object.namespace {
        Some(namespace) => format!("{} {namespace}/{}", object.kind, object.name),
        None => format!("{} {}", object.kind, object.name),
    }
}

fn subject_kind(subject: &Subject) -> SubjectKind {
    match (subject, subject.as_account()) {
        (_, Some(_)) => SubjectKind::ServiceAccount,
        (Subject::Group(_), _) => SubjectKind::Group,
        (Subject::User(_), _) => SubjectKind::User,
    }
}

fn evidence(snapshot: &Snapshot, one: &Evidence) -> EvidenceLine {
    let role = snapshot.roles.iter().map(|role| &role.role).find(|role| {
        let namespace = one.role.namespace.as_deref();
        role.name == one.role.name && role.namespace.as_deref() == namespace
    });
    let rule = role.zip(one.rule).and_then(|(role, at)| role.rules.get(at));
    EvidenceLine {
        binding: one.binding.as_ref().map(|binding| named(binding).into()),
        role: named(&one.role).into(),
        rule: rule.map(|rule| rule_said(rule).into()),
    }
}

fn maps(judged: &Judged) -> Vec<Shown> {
    let maps = &judged.check.maps;
    let all = [("CIS", maps.cis), ("NSA", maps.nsa), ("OWASP", maps.owasp), ("ATT&CK", maps.mitre)];
    all.iter().filter(|(_, id)| !id.is_empty()).map(|(name, id)| format!("{name} {id}").into()).collect()
}
