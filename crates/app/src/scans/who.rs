//! Who can do something, on every cluster that a scan is kept of.

use super::words::subject_named;
use super::{Open, Scans};
use crate::desk::AppError;
use sallyport_ipc::{Shown, WhoAnswer, WhoLine, WhoQuestion};
use sallyport_model::ErrorCode;
use sallyport_posture::{Kind, Snapshot};
use sallyport_rbac::question::Asked;
use sallyport_rbac::who::Subject;
use std::collections::BTreeMap;

/// Lines of an answer.
const LINES: usize = 500;
/// Clusters that are named of each.
const NAMED: usize = 20;

/// By which binding and role, and on which clusters.
type Where = (String, Vec<String>);

impl Scans {
    /// Who can do something.
    ///
    /// # Errors
    /// When nobody is signed in, or the question is none.
    pub(crate) async fn who(&self, question: WhoQuestion) -> Result<WhoAnswer, AppError> {
        let signed = self.person.signed()?;
        let open = self.open(&signed).await?;
        let namespace = question.namespace.as_deref().map(str::trim).filter(|one| !one.is_empty());
        let (verb, resource) = (question.verb.trim(), question.resource.trim());
        let bad = |what: String| AppError::new(ErrorCode::BadInput, what);
        if verb.is_empty() || resource.is_empty() {
            return Err(
                bad("a question has a verb and a resource".to_owned()).hint("For example: get, secrets.")
            );
        }
        let asked = Asked::parse(verb, resource, None, namespace).map_err(|why| bad(why.to_string()))?;
        let clusters: Vec<String> = match question.cluster.filter(|one| !one.is_empty()) {
            Some(one) => vec![one],
            None => open.known().scanned.keys().cloned().collect(),
        };
        let (mut who, mut gaps): (BTreeMap<Subject, Where>, Vec<Shown>) = Default::default();
        for cluster in clusters {
            match self.who_on(&open, &cluster, &asked).await {
                Ok((found, less)) => {
                    for (subject, by) in found {
                        who.entry(subject).or_insert_with(|| (by, Vec::new())).1.push(cluster.clone());
                    }
                    gaps.extend(less.into_iter().map(|gap| Shown::from(format!("{cluster}: {gap}"))));
                }
                Err(error) => gaps.push(format!("{cluster}: {}", error.message()).into()),
            }
        }
        let mut who: Vec<WhoLine> = who
            .iter()
            .map(|(subject, (by, clusters))| WhoLine {
                subject: subject_named(subject).into(),
                by: by.into(),
                clusters: clusters.iter().take(NAMED).map(Shown::from).collect(),
                count: u32::try_from(clusters.len()).unwrap_or(u32::MAX),
            })
            .collect();
        who.sort_by_key(|line| std::cmp::Reverse(line.count));
        let more = who.len().saturating_sub(LINES);
        who.truncate(LINES);
        Ok(WhoAnswer {
            question: asked.said().into(),
            who,
            more: u32::try_from(more).unwrap_or(u32::MAX),
            gaps,
        })
    }

    async fn who_on(
        &self,
        open: &Open,
        cluster: &str,
        asked: &Asked,
    ) -> Result<(Vec<(Subject, String)>, Vec<String>), AppError> {
        let (reading, asked) = (self.reading(open, cluster).await?, asked.clone());
        let looked = tokio::task::spawn_blocking(move || on(&reading.snapshot(), &asked));
        looked
            .await
            .map_err(|e| AppError::failed("Sallyport failed over what is kept of this scan").because(e))
    }
}

fn on(snapshot: &Snapshot, asked: &Asked) -> (Vec<(Subject, String)>, Vec<String>) {
    let (rbac, aggregated) = snapshot.rbac();
    let mut given = rbac.who_can(asked.ask(), asked.namespace.as_deref());
    given.sort_by_key(|one| (one.subject, one.binding));
    given.dedup_by_key(|one| one.subject);
    let by = |one: &sallyport_rbac::who::Given<'_>| {
        let binding = match &one.binding.namespace {
            Some(namespace) => format!("RoleBinding {namespace}/{}", one.binding.name),
            None => format!("ClusterRoleBinding {}", one.binding.name),
        };
        let role = if one.role.namespace.is_some() { "Role" } else { "ClusterRole" };
        (one.subject.clone(), format!("{binding} → {role} {}", one.role.name))
    };
    let mut gaps = snapshot.gaps(Kind::RBAC);
    gaps.extend(snapshot.nobody_can_gaps(&aggregated));
    (given.iter().map(by).collect(), gaps)
}
