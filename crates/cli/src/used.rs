//! Who used lately what a fix takes, by the audit events of an archive.
//!
//! The archive keeps of a caller the name alone. So it tells of users and service accounts, and of groups only where a name
//! says who is in them; of any other group nothing is said.

use crate::end::Stop;
use sallyport_archive::{Archive, Bounds, Call, Column, Filter};
use sallyport_posture::effect::{Source, Use, Uses};
use sallyport_posture::fix::Proposed;
use sallyport_rbac::who::{Caller, Subject};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long the archive is asked.
const WITHIN: Duration = Duration::from_secs(30);
/// Most calls that are looked at.
const CALLS_MOST: usize = 200_000;
/// Calls of one page.
const PAGE: usize = 1000;
/// Parts of the time that the archive covers: in the first of them with a call of the cluster, its events begin.
const PARTS: usize = 5000;

/// What whoever loses something by a fix did on a cluster, by the name under which the archive knows it.
pub(crate) fn uses(dir: &Path, cluster: &str, proposed: &Proposed) -> Result<Uses, Stop> {
    let archive = crate::audit::open(dir, false)?;
    let bounds = Bounds { within: WITHIN, ..Bounds::default() };
    let users: BTreeSet<&str> = proposed
        .fixes
        .iter()
        .flat_map(|fix| &fix.effect.losses)
        .filter_map(|one| match &one.loss.subject {
            Subject::User(name) => Some(name.as_str()),
            Subject::Group(_) => None,
        })
        .collect();
    let of = Filter::default().only(Column::Cluster, cluster);
    let mut since = begins(&archive, &of, cluster, &bounds)?;
    let mut all: BTreeMap<(String, [String; 6]), (i64, u64)> = BTreeMap::new();
    // As themselves, and whoever acted as them: that used their rights too.
    for column in [Column::User, Column::Impersonated] {
        if users.is_empty() {
            break;
        }
        let filter = users
            .iter()
            .fold(of.clone().ended().but_codes(401, 403), |filter, user| filter.only(column, *user));
        let (mut cursor, mut looked) = (None, 0);
        loop {
            let answer = archive.page(&filter, cursor, PAGE, &bounds).map_err(crate::audit::stop)?;
            if answer.damaged > 0 || answer.unread_segments > 0 {
                return Err(Stop(
                    "the archive is damaged, so that who used what lately can't be told: `sallyport audit status \
                     --verify` says what is; without --archive the fix is told without it"
                        .to_owned(),
                ));
            }
            looked += answer.value.calls.len();
            for call in &answer.value.calls {
                note(&mut all, column, call);
            }
            cursor = answer.value.next;
            let Some(next) = cursor else { break };
            if !answer.is_whole || looked >= CALLS_MOST {
                // What is older was not looked at.
                since = since.max(next.at.div_euclid(1_000_000));
                break;
            }
        }
    }
    let mut callers: BTreeMap<String, Arc<Caller>> = BTreeMap::new();
    let one = |((user, what), (last, times)): ((String, [String; 6]), (i64, u64))| {
        let by = callers
            .entry(user)
            .or_insert_with_key(|user| Arc::new(Subject::User(user.clone()).caller()))
            .clone();
        let [verb, group, resource, subresource, name, namespace] = what;
        let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
        Use { by, last, times, verb, group, resource, subresource, name, namespace }
    };
    let all = all.into_iter().map(one).collect();
    Ok(Uses { source: Source::AuditLog, since, of: None, all })
}

/// When the events of a cluster begin, in seconds since 1970: the end of the part in which the first one is.
fn begins(archive: &Archive, of: &Filter, cluster: &str, bounds: &Bounds) -> Result<i64, Stop> {
    let none = || {
        Stop(format!(
            "the archive has no event of a cluster called {}: `--cluster NAME` says how it was called at `sallyport \
             audit import`",
            sallyport_report::words::shown(cluster)
        ))
    };
    let status = archive.status();
    let Some((first, last)) = status.range else { return Err(none()) };
    let step = last.saturating_sub(first) / PARTS as i64 + 1;
    let counted = archive.histogram(of, first, step, PARTS, bounds).map_err(crate::audit::stop)?;
    if !counted.lacks_nothing() {
        return Err(Stop(
            "the archive could not be looked through, so that since when it is whole is not known: try again, or \
             without --archive"
                .to_owned(),
        ));
    }
    let part = counted.value.calls.iter().position(|calls| *calls > 0).ok_or_else(none)?;
    let end = first.saturating_add(step.saturating_mul(part as i64 + 1));
    Ok(end.min(last).div_euclid(1_000_000) + i64::from(part > 0))
}

/// Verb, group, resource, subresource, name and namespace of a call about a resource, by whoever's rights it used.
fn note(all: &mut BTreeMap<(String, [String; 6]), (i64, u64)>, column: Column, call: &Call) {
    let text = |column| call.text(column).to_owned();
    // By whom it was made did not use their own rights then.
    let is_for_another = column == Column::User && !call.text(Column::Impersonated).is_empty();
    if is_for_another || call.text(Column::Resource).is_empty() || call.text(Column::Decision) == "forbid" {
        return;
    }
    let resource = text(Column::Resource);
    let (resource, group) = match resource.split_once('.') {
        Some((resource, group)) => (resource.to_owned(), group.to_owned()),
        None => (resource, String::new()),
    };
    let what = [
        text(Column::Verb),
        group,
        resource,
        text(Column::Subresource),
        text(Column::Name),
        text(Column::Namespace),
    ];
    let (last, times) = all.entry((text(column), what)).or_default();
    *last = (*last).max(call.at.div_euclid(1_000_000));
    *times += 1;
}
