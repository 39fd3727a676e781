//! What somebody answers for: kept as the file of exceptions that the command line reads, and read by the same parser.

use super::kept::Kept;
use super::{Beside, Known, Open, Scans, Since};
use crate::desk::{AppError, now_ms};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sallyport_audit::{Action, Draft};
use sallyport_ipc::{ExceptionInput, ExceptionView, Shown};
use sallyport_model::{ErrorCode, glob_matches};
use sallyport_posture::check::catalogue;
use sallyport_posture::exception::{ExceptionError, Exceptions};
use sallyport_posture::{Finding, Ground, Severity};
use sallyport_rbac::who::Subject;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One exception, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    check: String,
    cluster: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    object: Option<String>,
    /// How bad it was, and where: what is worse or in other places counts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    severity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    namespaces: Option<Vec<String>>,
    owner: String,
    reason: String,
    /// The last day on which it stands, UTC: `2027-01-31`.
    until: String,
}

impl Entry {
    fn id(&self) -> String {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        super::fleet::id(&[&self.check, &self.cluster, &part(&self.subject), &part(&self.object)])
    }
}

/// Whom and what a finding is about, how bad it is, and where.
#[derive(Default)]
struct About {
    subject: Option<String>,
    object: Option<String>,
    severity: Option<String>,
    namespaces: Option<Vec<String>>,
}

impl About {
    fn of(found: &Finding) -> Self {
        let severity = match found.severity {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        };
        Self {
            subject: found.subject.as_ref().map(subject),
            object: found.object.as_ref().map(object),
            severity: Some(severity.to_owned()),
            namespaces: found.namespaces.clone(),
        }
    }
}

/// A line for each, so that a problem's line says which it is.
fn file(entries: &[Entry]) -> Result<String, serde_json::Error> {
    let lines: Vec<String> = entries.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    Ok(format!("{{\"exceptions\": [\n{}\n]}}", lines.join(",\n")))
}

fn parse(entries: &[Entry], now: i64) -> Result<Exceptions, ExceptionError> {
    let text = file(entries).unwrap_or_default();
    Exceptions::parse(&text, now)
}

/// Those that stand at a moment.
pub(super) struct Standing {
    exceptions: Exceptions,
    ids: Vec<String>,
    now: i64,
}

impl Standing {
    /// `now`: Unix seconds. One that can't be read excepts nothing, and takes the others with it: too much is found rather than
    /// too little.
    pub(super) fn of(entries: &[Entry], now: i64) -> Self {
        let exceptions = parse(entries, now).unwrap_or_else(|error| {
            tracing::warn!(%error, "the exceptions that are kept can't be read");
            Exceptions::default()
        });
        Self { exceptions, ids: entries.iter().map(Entry::id).collect(), now }
    }

    pub(super) fn covers(&self, cluster: &str, finding: &Finding) -> bool {
        self.exceptions.of(cluster, finding, self.now).is_some()
    }

    /// Who answers for a finding, and until when.
    pub(super) fn said(&self, cluster: &str, finding: &Finding) -> Option<Shown> {
        let one = self.exceptions.of(cluster, finding, self.now)?;
        Some(format!("{} answers for it until {}: {}", one.owner, one.until, one.reason).into())
    }

    /// How many of these each is for, by its id.
    pub(super) fn counts<'f>(
        &self,
        cluster: &str,
        findings: impl Iterator<Item = &'f Finding>,
    ) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for finding in findings {
            let of = self.exceptions.of(cluster, finding, self.now);
            // A line of the file each, from the second on.
            let at = of.and_then(|one| usize::try_from(one.line).ok()?.checked_sub(2));
            if let Some(id) = at.and_then(|at| self.ids.get(at)) {
                *counts.entry(id.clone()).or_insert(0) += 1;
            }
        }
        counts
    }
}

/// All of them, for the window. `now`: Unix seconds.
pub(super) fn views(known: &Known, now: i64) -> Vec<ExceptionView> {
    let view = |entry: &Entry| {
        let id = entry.id();
        let until = last_moment(&entry.until).unwrap_or_default();
        let title = catalogue().iter().find(|check| check.id == entry.check).map_or("", |check| check.title);
        ExceptionView {
            check: entry.check.as_str().into(),
            title: title.into(),
            clusters: entry.cluster.as_str().into(),
            about: entry.subject.as_ref().or(entry.object.as_ref()).map(Shown::from),
            owner: entry.owner.as_str().into(),
            reason: entry.reason.as_str().into(),
            until: until.saturating_mul(1000),
            is_expired: until < now,
            matches: known.scanned.values().filter_map(|one| one.excepted.get(&id)).sum(),
            id,
        }
    };
    known.index.exceptions.iter().map(view).collect()
}

/// The end of a day, UTC, Unix seconds.
fn last_moment(day: &str) -> Option<i64> {
    let day: Date = day.parse().ok()?;
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second() + 24 * 3600 - 1)
}

impl Scans {
    /// Says who answers for something that was found, why, and until when.
    ///
    /// # Errors
    /// When nobody is signed in, something of it is missing, or the finding is not there any more.
    pub(crate) async fn except(&self, exception: ExceptionInput) -> Result<(), AppError> {
        let signed = self.person.signed()?;
        let open = self.open(&signed).await?;
        let day = Timestamp::from_millisecond(exception.until)
            .map_err(|_| bad("the end is no moment", "Choose a day within a year."))?
            .to_zoned(TimeZone::UTC)
            .date();
        let about = match &exception.finding {
            Some(finding) => self.about(&open, &exception.clusters, finding).await?,
            None => About::default(),
        };
        let entry = Entry {
            check: exception.check,
            cluster: exception.clusters,
            subject: about.subject,
            object: about.object,
            severity: about.severity,
            namespaces: about.namespaces,
            owner: exception.owner,
            reason: exception.reason,
            until: day.to_string(),
        };
        let now = now_ms() / 1000;
        let _one = open.keeping.lock().await;
        self.change_index(&open, |index| {
            let all = &mut index.exceptions;
            // The same once more takes the place of what was there: its end, its owner or its reason is another.
            all.retain(|one| one.id() != entry.id());
            all.push(entry.clone());
            parse(all, now).map(drop).map_err(|error| {
                AppError::new(ErrorCode::BadInput, format!("this is no exception: {}", error.what))
                    .hint("It takes an owner, a reason, and an end within a year.")
            })
        })
        .await?;
        let draft = Draft::new(Action::Excepted).user(&signed.who.user);
        let draft = draft.detail("check", &entry.check).detail("clusters", &entry.cluster);
        self.history.note(draft.detail("owner", &entry.owner).detail("until", &entry.until)).await;
        self.judge_anew(&open, &entry).await
    }

    /// Takes an exception back.
    ///
    /// # Errors
    /// When nobody is signed in, or there is none such.
    pub(crate) async fn except_remove(&self, exception: String) -> Result<(), AppError> {
        let signed = self.person.signed()?;
        let open = self.open(&signed).await?;
        let _one = open.keeping.lock().await;
        let found = open.known().index.exceptions.iter().find(|one| one.id() == exception).cloned();
        let entry =
            found.ok_or_else(|| bad("there is no such exception", "It may have been removed already."))?;
        self.change_index(&open, |index| {
            index.exceptions.retain(|one| one.id() != exception);
            Ok(())
        })
        .await?;
        let draft = Draft::new(Action::Excepted).user(&signed.who.user).detail("removed", true);
        self.history.note(draft.detail("check", &entry.check).detail("clusters", &entry.cluster)).await;
        self.judge_anew(&open, &entry).await
    }

    /// Whom and what the finding is about, on a cluster that the glob covers.
    async fn about(&self, open: &Open, clusters: &str, finding: &str) -> Result<About, AppError> {
        let names: Vec<String> = {
            let known = open.known();
            let has =
                |one: &super::KeptScan| one.scanned.lines.iter().any(|line| line.fingerprint == finding);
            let covered = known.scanned.iter().filter(|(name, one)| glob_matches(clusters, name) && has(one));
            covered.map(|(name, _)| name.clone()).collect()
        };
        for name in names {
            let (reading, finding) = (self.reading(open, &name).await?, finding.to_owned());
            let looked = tokio::task::spawn_blocking(move || {
                let snapshot = reading.snapshot();
                let report = Ground::new(&snapshot).report();
                let mut all = report.checks.iter().flat_map(|judged| &judged.findings);
                all.find(|one| one.fingerprint() == finding).map(About::of)
            });
            if let Ok(Some(about)) = looked.await {
                return Ok(about);
            }
        }
        Err(bad("the last scans do not find this on any of these clusters", "Look at it again."))
    }

    /// Counts anew what an exception is about, on every cluster that it names. Whoever calls holds `keeping`.
    async fn judge_anew(&self, open: &Open, entry: &Entry) -> Result<(), AppError> {
        let of: Vec<String> = {
            let known = open.known();
            known.scanned.keys().filter(|name| glob_matches(&entry.cluster, name)).cloned().collect()
        };
        let mut failed = None;
        for cluster in of {
            // One that can't be judged keeps none of the others from it.
            if let Err(error) = self.judge_again(open, &cluster).await {
                failed = Some(error);
            }
        }
        self.changed.notify_one();
        failed.map_or(Ok(()), Err)
    }

    /// Judges the last reading of a cluster anew. Whoever calls holds `keeping`.
    async fn judge_again(&self, open: &Open, cluster: &str) -> Result<(), AppError> {
        let Some(last) = open.known().scanned.get(cluster).cloned() else { return Ok(()) };
        let kept = Kept { shelf: &self.shelf, whose: &open.whose };
        let Some(reading) = kept.reading(cluster, super::kept::Which::Last).await? else { return Ok(()) };
        let beside = Beside {
            environment: last.environment.clone(),
            ours: last.ours.clone(),
            at: last.scanned.at.unwrap_or_default(),
        };
        let since = Since::AsItWas(last.drift.clone());
        self.judge(open, cluster, reading, beside, since).await.map(drop)
    }

    /// An exception that has ended hides nothing any more: what it was for is judged anew when somebody looks.
    pub(super) async fn judge_what_ended(&self, open: &Open) {
        let now = now_ms() / 1000;
        let ended = |known: &Known| {
            let over = |entry: &&Entry| last_moment(&entry.until).is_none_or(|until| until < now);
            let over: Vec<String> = known.index.exceptions.iter().filter(over).map(Entry::id).collect();
            let hidden = |one: &super::KeptScan| over.iter().any(|id| one.excepted.contains_key(id));
            let clusters = known.scanned.iter().filter(|(_, one)| hidden(one)).map(|(name, _)| name.clone());
            clusters.collect::<Vec<String>>()
        };
        if ended(&open.known()).is_empty() {
            return;
        }
        let _one = open.keeping.lock().await;
        let clusters = ended(&open.known());
        for cluster in clusters {
            if let Err(error) = self.judge_again(open, &cluster).await {
                tracing::warn!(
                    "what an exception that ended was for could not be judged: {}",
                    error.message()
                );
            }
        }
    }
}

fn bad(what: &str, next: &str) -> AppError {
    AppError::new(ErrorCode::BadInput, what).hint(next)
}

fn subject(subject: &Subject) -> String {
    match (subject, subject.as_account()) {
        (_, Some((namespace, name))) => format!("sa:{namespace}/{name}"),
        (Subject::Group(name), _) => format!("group:{name}"),
        (Subject::User(name), _) => format!("user:{name}"),
    }
}

fn object(object: &sallyport_posture::Object) -> String {
    match &object.namespace {
        Some(namespace) => format!("{}/{namespace}/{}", object.kind, object.name),
        None => format!("{}/{}", object.kind, object.name),
    }
}
