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
        let looked = |calls: Vec<Call>| calls.iter().for_each(|call| note(&mut all, column, call));
        let answer = archive.each_page(&filter, CALLS_MOST, &bounds, looked).map_err(crate::audit::stop)?;
        if answer.damaged > 0 || answer.unread_segments > 0 {
            return Err(Stop(
                "the archive is damaged, so that who used what lately can't be told: `sallyport audit status \
                 --verify` says what is; without --archive the fix is told without it"
                    .to_owned(),
            ));
        }
        if let Some(next) = answer.value {
            // What is older was not looked at.
            since = since.max(next.at.div_euclid(1_000_000));
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

/// From when on the events of a cluster are all there, in seconds since 1970.
fn begins(archive: &Archive, of: &Filter, cluster: &str, bounds: &Bounds) -> Result<i64, Stop> {
    let none = || {
        Stop(format!(
            "the archive has no event of a cluster called {}: `--cluster NAME` says how it was called at `sallyport \
             audit import`",
            sallyport_report::words::shown(cluster)
        ))
    };
    let answer = archive.range_of(of, bounds).map_err(crate::audit::stop)?;
    if !answer.lacks_nothing() {
        return Err(Stop(
            "the archive could not be looked through, so that since when it is whole is not known: try again, or \
             without --archive"
                .to_owned(),
        ));
    }
    let (first, _) = answer.value.ok_or_else(none)?;
    // Of the second in which it began, only a part is there.
    Ok(first.div_euclid(1_000_000) + 1)
}

/// Verb, group, resource, subresource, name and namespace of a call about a resource, by whoever's rights it used.
fn note(all: &mut BTreeMap<(String, [String; 6]), (i64, u64)>, column: Column, call: &Call) {
    let text = |column| call.text(column).to_owned();
    // By whom it was made did not use their own rights then.
    let is_for_another = column == Column::User && !call.text(Column::Impersonated).is_empty();
    if is_for_another || call.text(Column::Resource).is_empty() || call.is_denied() {
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
