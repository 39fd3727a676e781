//! How much the printed policy would write, by what an archive saw.

use super::{Printed, provider};
use crate::audit::args::{PolicyArgs, Provider};
use crate::audit::stop;
use crate::audit::times::told;
use crate::audit::view::LacksView;
use crate::end::Stop;
use sallyport_archive::{Answer, Archive, Bounds, CallId, Column, Filter, Marks};
use sallyport_events::{Level, PolicyCall, Stage, event_in};
use sallyport_report::words::shown;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Different calls that are kept apart.
const APART_MOST: usize = 200_000;
/// Events of each cluster that are read whole, the newest: for how long they are, and for paths.
const SAMPLE: usize = 2000;
/// How long reading them may take, however little time is left.
const SAMPLED: Duration = Duration::from_secs(1);
/// Bytes of an event of which there is no sample (0.9 to 1.1 kB is usual at Metadata).
const BYTES: f64 = 1000.0;
const DAY: f64 = 86_400.0 * 1e6;

/// What decides of each call whether it is written, or handed on.
#[derive(Clone, Copy)]
pub(super) enum Deciding<'a> {
    /// The printed policy.
    Policy(&'a Printed),
    /// The filter that is printed for a cloud, of what its own policy writes.
    Provider(Provider),
}

impl Deciding<'_> {
    /// Which of its rules decides.
    fn decides(self, call: &PolicyCall<'_>) -> Option<usize> {
        match self {
            Self::Policy(printed) => printed.policy.decides(call),
            Self::Provider(cloud) => Some(provider::decides(cloud, call)),
        }
    }

    /// Of each rule, in order, its level, and what it is about. No level where that is the provider's.
    fn rules(self) -> Vec<(Option<Level>, String)> {
        match self {
            Self::Policy(printed) => {
                let levels = printed.policy.levels().map(Some);
                levels.zip(printed.about.iter().cloned()).collect()
            }
            Self::Provider(cloud) => {
                let rules = provider::rules(cloud).iter();
                rules
                    .map(|(is_kept, about)| ((!is_kept).then_some(Level::None), (*about).to_owned()))
                    .collect()
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Policy(_) => "policy",
            Self::Provider(Provider::Eks) => "eks",
            Self::Provider(Provider::Gke) => "gke",
            Self::Provider(Provider::Aks) => "aks",
        }
    }

    fn not_known(self) -> Vec<&'static str> {
        match self {
            Self::Policy(_) => NOT_KNOWN.to_vec(),
            Self::Provider(Provider::Aks) => NOT_KNOWN_OF_CLOUDS[..1].to_vec(),
            Self::Provider(_) => NOT_KNOWN_OF_CLOUDS.to_vec(),
        }
    }
}

/// What the printed policy would write, or the filter for a cloud hand on.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EstimateView {
    /// Of what: the printed `policy`, or the filter for `eks`, `gke` or `aks`.
    of: &'static str,
    /// Cluster by cluster.
    pub(super) clusters: Vec<ClusterView>,
    /// What the numbers do not tell.
    not_known: Vec<&'static str>,
    #[serde(flatten)]
    pub(super) lacks: LacksView,
}

/// What it would write on one cluster.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterView {
    cluster: String,
    /// Events that were looked at: of each call that of its end, and of its begin where the answer was long.
    events: u64,
    /// The first and the last moment of them: RFC 3339, UTC.
    first: String,
    last: String,
    /// How many days lie between them.
    days: f64,
    /// What would be written each day.
    events_per_day: f64,
    /// In bytes.
    bytes_per_day: f64,
    /// What would not be: a rule of level None decides.
    left_out_per_day: f64,
    /// Rule by rule, in the policy's order.
    rules: Vec<PolicyRuleView>,
}

/// What one rule would write.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PolicyRuleView {
    /// Which, from 1.
    rule: usize,
    /// As the policy says; `Provider` where a cloud hands on what it wrote, at its own level.
    level: &'static str,
    about: String,
    /// Events that were seen and that it decides.
    events: f64,
    events_per_day: f64,
    bytes_per_day: f64,
    /// Events that were written at another level than the rule has: its bodies are not in these bytes.
    at_another_level: u64,
}

pub(super) fn estimate(
    archive: &Archive,
    deciding: Deciding<'_>,
    args: &PolicyArgs,
) -> Result<EstimateView, Stop> {
    let (began, within) = (Instant::now(), Duration::from_secs(args.within));
    let bounds = || Bounds { within: within.saturating_sub(began.elapsed()), ..Bounds::default() };
    let mut filter = Filter::default();
    filter = args.since.map_or(filter.clone(), |since| filter.from(since.at(jiff::Timestamp::now())));
    let columns = [
        Column::Cluster,
        Column::User,
        Column::Verb,
        Column::Resource,
        Column::Subresource,
        Column::Namespace,
        Column::Marks,
    ];
    let mut lacks = LacksView::of(&Answer { is_whole: true, ..Answer::<()>::default() });
    let mut clusters: BTreeMap<String, (ClusterView, i64, i64)> = BTreeMap::new();
    let mut paths: BTreeMap<String, u64> = BTreeMap::new();
    // The printed policy writes no RequestReceived.
    for filter in [filter.clone().ended(), filter.clone().begun().stage(Stage::ResponseStarted)] {
        let answer = archive.combinations(&filter, &columns, APART_MOST, &bounds()).map_err(stop)?;
        lacks.and(&answer);
        lacks.and(&Answer { is_whole: answer.value.others == 0, ..Answer::<()>::default() });
        for row in answer.value.rows {
            let [cluster, user, verb, resource, subresource, namespace, marks] = row.texts.as_slice() else {
                continue;
            };
            let (view, first, last) =
                clusters.entry(cluster.clone()).or_insert_with(|| begin(cluster, deciding));
            (*first, *last) = ((*first).min(row.first), (*last).max(row.last));
            view.events += row.calls;
            if resource.is_empty() {
                *paths.entry(cluster.clone()).or_default() += row.calls;
                continue;
            }
            let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
            let groups = groups(user);
            let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
            let call = PolicyCall {
                user,
                groups: &groups,
                verb,
                group,
                resource,
                subresource,
                namespace,
                name: "",
                path: "",
            };
            view.note(deciding, &call, row.calls as f64, Marks::read(marks).level);
        }
    }
    for (cluster, (view, first, last)) in &mut clusters {
        let of = filter.clone().only(Column::Cluster, cluster.as_str()).ended();
        let paths = paths.get(cluster).copied().unwrap_or_default() as f64;
        let left = Bounds { within: bounds().within.max(SAMPLED), ..Bounds::default() };
        let sampled = sample(archive, &of, &left, &mut lacks)?;
        let only_paths = sample(archive, &of.only(Column::Resource, ""), &left, &mut lacks)?;
        view.spread(deciding, paths, &only_paths);
        view.finish(deciding, (*first, *last), &[sampled, only_paths].concat());
    }
    Ok(EstimateView {
        of: deciding.name(),
        clusters: clusters.into_values().map(|(view, _, _)| view).collect(),
        not_known: deciding.not_known(),
        lacks,
    })
}

const NOT_KNOWN: [&str; 3] = [
    "What the policy in force now does not write is in no number here: under one that writes everything at Metadata for a \
     day the estimate is whole.",
    "Groups are not in the archive: those of accounts and nodes follow from their names, and others are in none of the \
     printed rules.",
    "Bytes are those of events as the archive keeps them, before compression, without what was taken out. Rules of level \
     Request add what was sent where it was not written before: 1 to 3 kB for each, seldom more.",
];

const NOT_KNOWN_OF_CLOUDS: [&str; 2] = [
    "What was not written where the archive's events come from is in no number here, and what a cloud writes more or less of \
     by its own policy; bytes are those of events as the archive keeps them, before compression.",
    "A filter asks for names alone: a ServiceAccount, or a node, that is called otherwise than by `system:` counts as a \
     person.",
];

fn begin(cluster: &str, deciding: Deciding<'_>) -> (ClusterView, i64, i64) {
    let rules = deciding.rules().into_iter().enumerate().map(|(at, (level, about))| PolicyRuleView {
        rule: at + 1,
        level: level.map_or("Provider", Level::name),
        about,
        ..PolicyRuleView::default()
    });
    let view = ClusterView { cluster: cluster.to_owned(), rules: rules.collect(), ..ClusterView::default() };
    (view, i64::MAX, i64::MIN)
}

/// The groups that API servers give accounts and nodes by their names.
fn groups(user: &str) -> Vec<String> {
    let mut groups = vec!["system:authenticated".to_owned()];
    if let Some((namespace, _)) =
        user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'))
    {
        groups.extend(["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")]);
    } else if user.starts_with("system:node:") {
        groups.push("system:nodes".to_owned());
    }
    groups
}

/// An event that was read whole.
#[derive(Clone, Debug)]
struct Sampled {
    user: String,
    verb: String,
    resource: String,
    group: String,
    subresource: String,
    namespace: String,
    path: String,
    bytes: usize,
    level: Option<Level>,
}

impl Sampled {
    fn decided(&self, deciding: Deciding<'_>) -> Option<usize> {
        let groups = groups(&self.user);
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        deciding.decides(&PolicyCall {
            user: &self.user,
            groups: &groups,
            verb: &self.verb,
            group: &self.group,
            resource: &self.resource,
            subresource: &self.subresource,
            namespace: &self.namespace,
            name: "",
            path: &self.path,
        })
    }
}

fn sample(
    archive: &Archive,
    filter: &Filter,
    bounds: &Bounds,
    lacks: &mut LacksView,
) -> Result<Vec<Sampled>, Stop> {
    let answer = archive.pages(filter, SAMPLE, bounds).map_err(stop)?;
    lacks.and(&answer);
    let ids: Vec<CallId> = answer.value.calls.iter().map(|call| call.id).collect();
    let mut out = Vec::new();
    // One that is damaged is missed in a sample, and counted where everything is looked at.
    for (call, raw) in answer.value.calls.iter().zip(archive.raws(&ids)) {
        let Ok(raw) = raw else { continue };
        let path = event_in(&raw, |event| event.path().into_owned()).unwrap_or_default();
        let (resource, group) =
            call.text(Column::Resource).split_once('.').unwrap_or((call.text(Column::Resource), ""));
        out.push(Sampled {
            user: call.text(Column::User).to_owned(),
            verb: call.text(Column::Verb).to_owned(),
            resource: resource.to_owned(),
            group: group.to_owned(),
            subresource: call.text(Column::Subresource).to_owned(),
            namespace: call.text(Column::Namespace).to_owned(),
            path,
            bytes: raw.len(),
            level: call.marks.level,
        });
    }
    Ok(out)
}

impl ClusterView {
    fn note(&mut self, deciding: Deciding<'_>, call: &PolicyCall<'_>, events: f64, told: Option<Level>) {
        if let Some(at) = deciding.decides(call) {
            self.add(deciding, at, events, told);
        }
    }

    fn add(&mut self, deciding: Deciding<'_>, at: usize, events: f64, told: Option<Level>) {
        let level = match deciding {
            Deciding::Policy(printed) => printed.policy.levels().nth(at),
            Deciding::Provider(_) => None,
        };
        let Some(view) = self.rules.get_mut(at) else { return };
        view.events += events;
        if level.zip(told).is_some_and(|(level, told)| told != level) {
            view.at_another_level += events as u64;
        }
    }

    /// Calls about no resource, by the paths of those that were read.
    fn spread(&mut self, deciding: Deciding<'_>, events: f64, sampled: &[Sampled]) {
        let each = events / sampled.len().max(1) as f64;
        for one in sampled {
            if let Some(at) = one.decided(deciding) {
                self.add(deciding, at, each, one.level);
            }
        }
    }

    fn finish(&mut self, deciding: Deciding<'_>, (first, last): (i64, i64), sampled: &[Sampled]) {
        (self.first, self.last) = (told(first), told(last));
        // Less than a minute says nothing of a day.
        let span = (last.saturating_sub(first) as f64).max(60e6);
        self.days = span / DAY;
        let mean = |at: Option<usize>| {
            let bytes =
                sampled.iter().filter(|one| at.is_none() || one.decided(deciding) == at).map(|one| one.bytes);
            let (sum, many) = bytes.fold((0, 0), |(sum, many), bytes| (sum + bytes, many + 1));
            (many > 0).then(|| sum as f64 / f64::from(many))
        };
        let all = mean(None).unwrap_or(BYTES);
        for (at, (view, (level, _))) in self.rules.iter_mut().zip(deciding.rules()).enumerate() {
            view.events_per_day = (view.events / self.days).round();
            if level == Some(Level::None) {
                self.left_out_per_day += view.events_per_day;
                continue;
            }
            view.bytes_per_day = (view.events_per_day * mean(Some(at)).unwrap_or(all)).round();
            self.events_per_day += view.events_per_day;
            self.bytes_per_day += view.bytes_per_day;
        }
    }
}

impl EstimateView {
    pub(super) fn told(&self) -> String {
        let mut text = String::new();
        if self.clusters.is_empty() {
            text.push_str("There is no event to estimate from.\n");
        }
        // Writing to a String never fails.
        for one in &self.clusters {
            let _ = writeln!(
                text,
                "{}: {} events from {} to {} ({:.1} days)",
                shown(&one.cluster),
                one.events,
                one.first,
                one.last,
                one.days
            );
            let _ = writeln!(text, "  {:>12}  {:>10}  rule", "events/day", "MB/day");
            for rule in &one.rules {
                let bytes = match rule.level {
                    "None" => "-".to_owned(),
                    _ => format!("{:.2}", rule.bytes_per_day / 1e6),
                };
                let about = if rule.about.is_empty() { String::new() } else { format!(": {}", rule.about) };
                let _ = writeln!(
                    text,
                    "  {:>12.0}  {bytes:>10}  {} {}{about}",
                    rule.events_per_day, rule.rule, rule.level
                );
            }
            let _ = writeln!(
                text,
                "  {:>12.0}  {:>10.2}  written; {:.0} a day are left out",
                one.events_per_day,
                one.bytes_per_day / 1e6,
                one.left_out_per_day
            );
        }
        text.push_str("\nNot known:\n");
        for one in &self.not_known {
            let _ = writeln!(text, "  {one}");
        }
        text.push_str(&self.lacks.told());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_follow_from_names() {
        assert_eq!(
            groups("system:serviceaccount:ci:robot")[1..],
            ["system:serviceaccounts", "system:serviceaccounts:ci"]
        );
        assert_eq!(groups("system:node:a")[1..], ["system:nodes"]);
        assert_eq!(groups("system:serviceaccount:robot").len(), 1);
        assert_eq!(groups("dana").len(), 1);
    }
}
