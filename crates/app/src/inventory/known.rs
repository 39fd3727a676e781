//! The inventory as the window shows it: pure functions over what the hub said, what is remembered and what is open.

use super::kept::Previews;
use super::link::Troubles;
use super::unread::Unread;
use crate::person::SignedInAs;
use jiff::Timestamp;
use sallyport_api::{
    AccessCluster, AccessPreviewSpec, AccessProfile, ProfilePreview, ProfileReport, RuleSummary,
};
use sallyport_hub::{HoldRights, ProfileRights, evidence};
use sallyport_ipc::{
    Broker, Carried, ClusterDetail, ClusterView, EnvironmentKind, Guardrails, LastOpening, Mfa, ProfileView,
    ReaffirmView, Refused, Right, Rights, Shown, Way,
};
use sallyport_model::{ClusterName, Profile, ProfileName, Scope, Ttl};
use sallyport_rbac::Rule;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the hub said last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) clusters: BTreeMap<String, AccessCluster>,
    pub(crate) profiles: BTreeMap<String, AccessProfile>,
    /// Profiles this person may ask for (RBAC verb `request`); none until the hub was asked.
    pub(crate) may_request: Option<BTreeSet<String>>,
    /// What this person may do with each profile.
    pub(crate) may: BTreeMap<String, ProfileRights>,
    /// The groups that they ask with.
    pub(crate) groups: Vec<String>,
    /// And with holds.
    pub(crate) may_hold: HoldRights,
    /// Whether they may ask the hub what others may do.
    pub(crate) may_review: bool,
    pub(crate) as_of: Option<Timestamp>,
    /// What the watches told of and could not read.
    pub(crate) unread: Unread,
    /// The brokers' signs of life, by cluster; none until they were listed.
    pub(crate) seen: Option<BTreeMap<String, Seen>>,
    /// Why they could not be, where that does not pass by itself.
    pub(crate) unheard: Option<String>,
    /// What was read last of what profiles allow.
    pub(crate) previews: Previews,
    /// The hub refuses a watch: that it answers something else does not make it whole.
    pub(crate) refused: bool,
    /// What the watches ran into that may pass.
    pub(crate) troubles: Troubles,
}

/// What is known of what a cluster's profiles allow, or why nothing is.
pub(crate) type Previewed = Result<Arc<AccessPreviewSpec>, String>;

/// What is known of where and under what a request asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownFor {
    /// The team's word for the environment; empty: not known.
    pub(crate) environment: String,
    /// How many people have to say yes; `None`: the profile is not known.
    pub(crate) approvals: Option<u8>,
    /// What whoever is signed in may do with its profile; `None` while that is not known.
    pub(crate) rights: Option<ProfileRights>,
    /// The profile as it is now.
    pub(crate) profile: Option<Profile>,
    /// Whether its cluster's broker gave no sign of life, or none for too long.
    pub(crate) is_silent: bool,
    /// When it gave the last one, Unix milliseconds.
    pub(crate) broker_seen: Option<i64>,
}

/// A profile that could be asked for on a cluster, and what it allows there by its broker's word.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) profile: ProfileName,
    pub(crate) scope: Scope,
    pub(crate) rules: Vec<Rule>,
}

/// A broker's last sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// When, by this machine's clock, Unix milliseconds.
    pub(crate) at: i64,
    /// Whether that was too long ago when the hub was asked.
    pub(crate) silent: bool,
}

/// What this desktop remembers of a cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remembered {
    pub(crate) pinned: bool,
    pub(crate) last_used: Option<i64>,
    pub(crate) last: Option<LastOpening>,
    pub(crate) reason: Option<Carried>,
    /// How long is asked for first, by the person's choice for all clusters.
    pub(crate) default: Option<Ttl>,
}

impl Remembered {
    /// How long is asked for where nobody says: as chosen, else as last time under the same profile, else what is usual.
    pub(crate) fn usual(&self, profile: &Profile) -> Ttl {
        let last = self.last.as_ref().filter(|last| profile.name.as_str() == last.profile);
        usual(profile, self.default.or(last.map(|last| Ttl::seconds(last.duration_seconds.into()))))
    }
}

/// One hour, unless the profile says less or the person said otherwise.
const USUAL: Ttl = Ttl::minutes(60);

/// How long it is asked for: as long as wanted, within what the profile allows.
pub(super) fn usual(profile: &Profile, wanted: Option<Ttl>) -> Ttl {
    wanted.unwrap_or(USUAL).min(profile.max_duration).max(Ttl::SHORTEST)
}

/// One profile as it applies to one cluster.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    pub(crate) profile: Profile,
    pub(crate) report: Option<ProfileReport>,
}

impl Offered {
    fn refused(&self) -> bool {
        self.report.as_ref().is_some_and(|r| r.refused.is_some())
    }

    /// Smaller is narrower: what opens at once before what needs people, namespaces before cluster-wide, fewer rules
    /// before more.
    fn width(&self) -> (bool, u8, bool, u32, String) {
        let rules = self.report.as_ref().map_or(u32::MAX, |r| r.rule_count);
        let wide = self.profile.scope == Scope::ClusterWide;
        (self.refused(), self.profile.approvals, wide, rules, self.profile.name.to_string())
    }
}

impl Known {
    /// What is known of a cluster and a profile, by the names in a request.
    pub(crate) fn known_for(&self, cluster: &str, profile: &str) -> KnownFor {
        KnownFor {
            environment: self.clusters.get(cluster).map(|c| c.spec.environment.clone()).unwrap_or_default(),
            approvals: self.profiles.get(profile).map(|p| p.spec.approvals),
            rights: self.may.get(profile).copied(),
            profile: self.profiles.get(profile).and_then(|object| Profile::try_from(object).ok()),
            is_silent: self.is_silent(cluster),
            broker_seen: self.seen.as_ref().and_then(|seen| seen.get(cluster)).map(|seen| seen.at),
        }
    }

    /// The profiles that are granted on a cluster, with what they allow there.
    pub(crate) fn candidates(&self, cluster: &ClusterName, preview: &AccessPreviewSpec) -> Vec<Candidate> {
        let status = self.clusters.get(cluster.as_str()).and_then(|object| object.status.as_ref());
        let reports = status.map_or(&[][..], |status| &status.profiles);
        let granted = reports.iter().filter(|report| report.refused.is_none());
        let of = |report: &ProfileReport| {
            let profile = Profile::try_from(self.profiles.get(&report.name)?).ok()?;
            let is_here = profile.revision.to_string() == report.revision && profile.covers(cluster);
            // What is for scans is asked for where nothing else may be.
            if !is_here || profile.is_for_scans() {
                return None;
            }
            let same = |one: &&ProfilePreview| one.name == report.name && one.revision == report.revision;
            let rules = rules(&preview.profiles.iter().find(same)?.rules);
            // A part of its rules would look narrower than it is.
            let whole = usize::try_from(report.rule_count).ok() == Some(rules.len());
            whole.then_some(Candidate { profile: profile.name, scope: profile.scope, rules })
        };
        granted.filter_map(of).collect()
    }

    /// The profiles this person may ask for on a cluster, the narrowest first. `None` while the hub has not said.
    pub(crate) fn offered(&self, cluster: &ClusterName) -> Option<Vec<Offered>> {
        let may = self.may_request.as_ref()?;
        let reports =
            self.clusters.get(cluster.as_str()).and_then(|c| c.status.as_ref()).map(|s| &s.profiles);
        let mut offered: Vec<Offered> = self
            .profiles
            .values()
            .filter_map(|object| Profile::try_from(object).ok())
            .filter(|p| may.contains(p.name.as_str()) && p.covers(cluster))
            .map(|profile| {
                let found = reports.and_then(|all| all.iter().find(|r| r.name == profile.name.as_str()));
                // A report of another revision speaks of another profile.
                let report = found.filter(|r| r.revision == profile.revision.to_string()).cloned();
                Offered { profile, report }
            })
            .collect();
        offered.sort_by_key(Offered::width);
        Some(offered)
    }

    /// What one click takes: the last-used profile, else the narrowest that opens at once, else the narrowest.
    pub(crate) fn chosen<'a>(offered: &'a [Offered], last: Option<&LastOpening>) -> Option<&'a Offered> {
        // What is for scans is nothing to work with.
        let usable = || offered.iter().filter(|o| !o.refused() && !o.profile.is_for_scans());
        last.and_then(|l| usable().find(|o| o.profile.name.as_str() == l.profile)).or_else(|| usable().next())
    }

    /// Takes a sign of life that was read of one broker, or that there is none; true when the list would be another.
    pub(crate) fn saw(&mut self, cluster: &str, now: Option<Seen>) -> bool {
        let Some(seen) = self.seen.as_mut() else { return false };
        let before = match now {
            Some(now) => seen.insert(cluster.to_owned(), now),
            None => seen.remove(cluster),
        };
        before.map(|seen| seen.silent) != now.map(|seen| seen.silent)
    }

    /// Whether a broker gave no sign of life, or none for too long.
    pub(crate) fn is_silent(&self, cluster: &str) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.get(cluster).is_none_or(|seen| seen.silent))
    }

    /// One line of the list, at `now` in Unix seconds.
    pub(crate) fn cluster_view(&self, object: &AccessCluster, known: &Remembered, now: i64) -> ClusterView {
        let name = object.metadata.name.clone().unwrap_or_default();
        let spec = &object.spec;
        let broker = self.broker(object);
        let reported = object.status.as_ref().is_some_and(|status| status.broker.is_some());
        // Where the signs of life can't be read, its report has to do.
        let serves = if self.seen.is_some() { broker.seen_at.is_some() } else { reported };
        let way = self.way(&name, serves, known, now);
        let display = spec.display_name.as_deref().filter(|d| !d.trim().is_empty()).unwrap_or(&name);
        ClusterView {
            display_name: Shown::from(display),
            environment: environment_kind(&spec.environment),
            environment_word: Shown::from(&spec.environment),
            provider: Shown::from(spec.provider.as_deref().unwrap_or_default()),
            region: Shown::from(spec.region.as_deref().unwrap_or_default()),
            version: object
                .status
                .as_ref()
                .and_then(|s| s.kubernetes_version.as_deref())
                .map(Shown::from)
                .unwrap_or_default(),
            pinned: known.pinned,
            last_used: known.last_used,
            broker,
            way,
            name: name.into(),
        }
    }

    fn broker(&self, object: &AccessCluster) -> Broker {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        let report = object.status.as_ref().and_then(|status| status.broker.as_ref());
        let seen = self.seen.as_ref().and_then(|seen| seen.get(name));
        Broker {
            version: report.map(|report| Shown::from(&report.version)),
            silent: self.is_silent(name),
            seen_at: seen.map(|seen| seen.at),
        }
    }

    fn way(&self, name: &str, serves: bool, known: &Remembered, now: i64) -> Way {
        let Ok(name) = name.parse::<ClusterName>() else { return Way::NotYours };
        let Some(offered) = self.offered(&name) else { return Way::Unknown };
        match Self::chosen(&offered, known.last.as_ref()) {
            None => Way::NotYours,
            // Nobody would answer; a click that can't succeed must not look as if it could.
            Some(_) if !serves => Way::Unknown,
            Some(o) if self.opens_at_once(&o.profile, known, now) => {
                Way::OneClick { profile: Shown::of(&o.profile.name) }
            }
            Some(o) => {
                Way::Ask { profile: Shown::of(&o.profile.name), approvals: o.profile.approvals.into() }
            }
        }
    }

    /// The detail pane.
    pub(crate) fn detail(
        &self,
        object: &AccessCluster,
        previewed: &Previewed,
        known: &Remembered,
        signed_in: Option<&SignedInAs>,
        now: i64,
    ) -> ClusterDetail {
        let cluster = self.cluster_view(object, known, now / 1000);
        let offered = cluster.name.parse().ok().and_then(|name| self.offered(&name)).unwrap_or_default();
        let endpoint = object.spec.endpoints.first().and_then(|e| url::Url::parse(e).ok());
        ClusterDetail {
            endpoint: endpoint
                .and_then(|u| u.host_str().map(|h| u.port().map_or(h.to_owned(), |p| format!("{h}:{p}"))))
                .map(|e| Shown::from(&e))
                .unwrap_or_default(),
            guardrails: guardrails(object),
            chosen: Self::chosen(&offered, known.last.as_ref()).map(|o| Shown::of(&o.profile.name)),
            profiles: offered.iter().map(|o| profile_view(o, known, previewed, signed_in, now)).collect(),
            last: known.last.clone(),
            reason: known.reason.clone(),
            cluster,
        }
    }
}

/// The colour that goes with an environment's word.
pub(crate) fn environment_kind(word: &str) -> EnvironmentKind {
    match word {
        "prod" | "production" => EnvironmentKind::Prod,
        "stage" | "staging" => EnvironmentKind::Stage,
        "dev" | "development" | "test" => EnvironmentKind::Dev,
        _ => EnvironmentKind::Other,
    }
}

/// The broker's word on the target's guardrails, for the window (promise P12).
fn guardrails(object: &AccessCluster) -> Guardrails {
    let Some(report) = object.status.as_ref().and_then(|s| s.guardrails.as_ref()) else {
        return Guardrails::Unknown;
    };
    let (at, detail) = (report.since_ms(), Shown::from(&report.detail));
    if report.verified { Guardrails::Verified { at, detail } } else { Guardrails::Unverified { at, detail } }
}

fn profile_view(
    offered: &Offered,
    known: &Remembered,
    previewed: &Previewed,
    signed_in: Option<&SignedInAs>,
    now: i64,
) -> ProfileView {
    let profile = &offered.profile;
    let namespaces: Vec<Shown> = profile.scope.to_list().iter().map(Shown::of).collect();
    ProfileView {
        name: Shown::of(&profile.name),
        opens_at_once: profile.approvals == 0,
        approvals: profile.approvals.into(),
        auto_approvals: profile.auto_approvals.iter().map(Shown::of).collect(),
        max_per_day_seconds: profile.max_per_day.map(|most| most.as_seconds_u32()),
        max_duration_seconds: profile.max_duration.as_seconds_u32(),
        usual_seconds: known.usual(profile).as_seconds_u32(),
        mfa: mfa(profile, signed_in, now),
        reason_required: profile.reason_required,
        reaffirm: profile.reaffirm.map(ReaffirmView::from),
        recording: profile.recording,
        rights: rights(offered.report.as_ref(), previewed, &namespaces),
        refused: offered
            .report
            .as_ref()
            .and_then(|r| r.refused.as_ref())
            .map(|why| Refused { why: Shown::from(why), rule: None }),
        namespaces,
    }
}

fn mfa(profile: &Profile, signed_in: Option<&SignedInAs>, now_ms: i64) -> Option<Mfa> {
    let wanted = &profile.mfa;
    if *wanted == sallyport_model::Mfa::default() {
        return None;
    }
    // As the hub would judge it, by this machine's clock.
    let lacks_nothing =
        |who: &SignedInAs| wanted.lack(&evidence(&who.acr, &who.amr, who.auth_time), now_ms / 1000).is_none();
    Some(Mfa {
        acr: wanted.acr.iter().map(Shown::from).collect(),
        amr: wanted.amr.iter().map(Shown::from).collect(),
        max_age_seconds: wanted.max_age.map(|age| age.as_seconds_u32()),
        satisfied: signed_in.is_some_and(lacks_nothing),
    })
}

fn rights(report: Option<&ProfileReport>, previewed: &Previewed, namespaces: &[Shown]) -> Rights {
    match previewed_for(report, previewed.as_deref().map_err(String::as_str)) {
        Err(why) => Rights::Unknown { why: why.into() },
        Ok((preview, rules)) => Rights::Known {
            rights: rights_of(&rules, namespaces),
            rules: u32::try_from(rules.len()).unwrap_or(u32::MAX),
            warnings: preview.warnings.iter().map(Shown::from).collect(),
            missing: sallyport_rbac::helm_misses(&rules).into_iter().map(Shown::from).collect(),
        },
    }
}

/// What a cluster's preview says of the profile that its broker reported, with its rules; or why it is not known.
pub(crate) fn previewed_for<'p>(
    report: Option<&ProfileReport>,
    previewed: Result<&'p AccessPreviewSpec, &str>,
) -> Result<(&'p ProfilePreview, Vec<Rule>), String> {
    let not_reported = || "its broker has not reported what this profile allows here".to_owned();
    let report = report.ok_or_else(not_reported)?;
    let same = |one: &&ProfilePreview| one.name == report.name && one.revision == report.revision;
    let preview = previewed?.profiles.iter().find(same).ok_or_else(not_reported)?;
    let (rules, count) = (rules(&preview.rules), report.rule_count);
    // A part of the list would look like less than it is, and none of it like nothing at all.
    if usize::try_from(count).ok() != Some(preview.rules.len()) || rules.len() != preview.rules.len() {
        return Err(format!("it has {count} rules here, more than its broker can show"));
    }
    Ok((preview, rules))
}

/// Rules in words.
pub(crate) fn rights_of(rules: &[Rule], namespaces: &[Shown]) -> Vec<Right> {
    let right = |right: sallyport_rbac::Right| Right {
        title: Shown::from(&right.title),
        detail: Shown::from(&right.detail),
        namespaces: namespaces.to_vec(),
        writes: right.strong,
    };
    sallyport_rbac::describe(rules).into_iter().map(right).collect()
}

/// The rules of an offer as `rbac` reads them; one that names no proper role is left out of the words.
pub(crate) fn rules(summaries: &[RuleSummary]) -> Vec<Rule> {
    summaries.iter().filter_map(|summary| summary.try_into().ok()).collect()
}

#[cfg(test)]
mod tests;
