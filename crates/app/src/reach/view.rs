//! Who can ask for what, as the window shows it and as it is compared with the next look. Pure.

use super::drift::{Holding, Snapshot, Terms};
use super::held::{Held, Holds, held};
use super::proof::{guardrails, own};
use super::read::{AUDITOR, Read, TOLD};
use crate::inventory::{environment_kind, previewed_for, rights_of};
use sallyport_api::{AccessCluster, ProfilePreview};
use sallyport_hub::Beat;
use sallyport_ipc::{
    GuardrailProof, MissingRight, Shown, SubjectKind, WhoCanView, WhoCluster, WhoMay, WhoProfile, WhoRights,
    WhoSubject, WhoThere,
};
use sallyport_model::{ClusterName, Digest, Profile, SCANS_NAMESPACE};
use sallyport_rbac::who::{Binding, MASTERS, RoleRef, Subject};
use sallyport_rbac::{Rule, dangers};
use std::collections::BTreeMap;

/// For whoever may not see it: what they lack, and what would give it.
pub(super) fn lacking(what: Vec<&'static str>, now: i64) -> WhoCanView {
    let missing = what.iter().map(|what| MissingRight {
        what: Shown::from(format!("list {what}")),
        given_by: Shown::from(AUDITOR),
    });
    WhoCanView { missing: missing.collect(), ..empty(now) }
}

fn empty(now: i64) -> WhoCanView {
    WhoCanView {
        as_of: now,
        digest: Shown::default(),
        missing: Vec::new(),
        profiles: Vec::new(),
        clusters: Vec::new(),
        rights: Vec::new(),
        teams: Vec::new(),
        bindings: Vec::new(),
        subjects: Vec::new(),
        hub: GuardrailProof::Unknown { why: Shown::from("it was not read") },
        notes: Vec::new(),
        problems: Vec::new(),
        drift: None,
    }
}

/// What was read: the view, without its digest and what changed, and what is compared.
pub(super) fn of(read: &Read, now: i64) -> (WhoCanView, Snapshot) {
    let (mut profiles, mut odd) = (Vec::new(), Vec::new());
    for object in &read.profiles.objects {
        match Profile::try_from(object) {
            Ok(profile) => profiles.push(profile),
            Err(wrong) => odd.push(wrong),
        }
    }
    profiles.sort_by(|a, b| a.name.cmp(&b.name));
    let everybody = held(&read.stored.rbac, &profiles, &read.teams);
    let mut snapshot = Snapshot {
        profiles: profiles.iter().map(|profile| (profile.name.to_string(), terms(profile))).collect(),
        who: everybody.iter().filter_map(|held| holding(held, &profiles, read)).collect(),
        ..Snapshot::default()
    };
    let mut sets = Sets::default();
    let mut clusters: Vec<WhoCluster> = read
        .clusters
        .objects
        .iter()
        .map(|object| cluster(object, read, &profiles, &mut sets, &mut snapshot))
        .collect();
    clusters.sort_by(|a, b| a.name.cmp(&b.name));
    let mut bindings = Bindings::default();
    let mut subjects: Vec<WhoSubject> = everybody.iter().map(|held| subject(held, &mut bindings)).collect();
    subjects.sort_by(|a, b| (kind_order(a.kind), &a.name).cmp(&(kind_order(b.kind), &b.name)));
    let malformed = odd.iter().chain(&read.profiles.malformed).chain(&read.clusters.malformed);
    let malformed: Vec<Shown> = malformed.chain(&read.stored.malformed).map(Shown::of).collect();
    let view = WhoCanView {
        profiles: profiles.iter().map(profile_view).collect(),
        clusters,
        rights: sets.views,
        teams: read.teams.iter().map(Shown::of).collect(),
        bindings: bindings.words,
        subjects,
        hub: own(read, now),
        notes: notes(read),
        problems: problems(read, malformed),
        ..empty(now)
    };
    (view, snapshot)
}

fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn kind_order(kind: SubjectKind) -> u8 {
    match kind {
        SubjectKind::Group => 0,
        SubjectKind::User => 1,
        SubjectKind::ServiceAccount => 2,
    }
}

/// Bindings in words, each once.
#[derive(Default)]
struct Bindings {
    words: Vec<Shown>,
    places: BTreeMap<Binding, u32>,
}

impl Bindings {
    fn place_of(&mut self, binding: &Binding) -> u32 {
        if let Some(known) = self.places.get(binding) {
            return *known;
        }
        let at = place(self.words.len());
        let kind = if binding.namespace.is_none() { "ClusterRoleBinding" } else { "RoleBinding" };
        let role = match &binding.role {
            RoleRef::ClusterRole(name) => format!("ClusterRole {name}"),
            RoleRef::Role(name) => format!("Role {name}"),
            RoleRef::Other(name) => name.clone(),
        };
        self.words.push(Shown::from(format!("{kind} {} of {role}", binding.name)));
        self.places.insert(binding.clone(), at);
        at
    }
}

fn subject(held: &Held, bindings: &mut Bindings) -> WhoSubject {
    let (kind, name) = match (&held.subject, held.subject.as_account()) {
        (Subject::Group(name), _) => (SubjectKind::Group, Shown::from(name)),
        (Subject::User(_), Some((namespace, name))) => {
            (SubjectKind::ServiceAccount, Shown::from(format!("{namespace}/{name}")))
        }
        (Subject::User(name), None) => (SubjectKind::User, Shown::from(name)),
    };
    let Holds { profiles, asks_in, decides_in } = &held.all;
    WhoSubject {
        kind,
        name,
        may: profiles
            .iter()
            .map(|(at, ([request, approve, revoke], by))| WhoMay {
                profile: place(*at),
                request: *request,
                approve: *approve,
                revoke: *revoke,
                by: by.iter().map(|binding| bindings.place_of(binding)).collect(),
            })
            .collect(),
        asks_in: asks_in.iter().copied().map(place).collect(),
        decides_in: decides_in.iter().copied().map(place).collect(),
    }
}

/// What a subject holds by its own name, to be compared. What everybody holds is compared once, as everybody's.
fn holding(held: &Held, profiles: &[Profile], read: &Read) -> Option<(String, Holding)> {
    let direct = &held.direct;
    let with = |verb: usize| {
        let has = direct.profiles.iter().filter(move |(_, (verbs, _))| verbs.get(verb) == Some(&true));
        has.filter_map(|(at, _)| Some(profiles.get(*at)?.name.to_string())).collect()
    };
    let teams = |at: &[usize]| at.iter().filter_map(|at| Some(read.teams.get(*at)?.to_string())).collect();
    let holding = Holding {
        ask: with(0),
        approve: with(1),
        end: with(2),
        asks_in: teams(&direct.asks_in),
        decides_in: teams(&direct.decides_in),
    };
    let key = match &held.subject {
        Subject::Group(name) => format!("group {name}"),
        Subject::User(name) => format!("user {name}"),
    };
    (holding != Holding::default()).then_some((key, holding))
}

/// What a profile wants of a sign-in, in words.
pub(super) fn mfa(profile: &Profile) -> Vec<String> {
    let wanted = &profile.mfa;
    let mut words = Vec::new();
    if !wanted.acr.is_empty() {
        words.push(format!("acr {}", wanted.acr.join(" or ")));
    }
    if !wanted.amr.is_empty() {
        words.push(format!("amr {}", wanted.amr.join(" or ")));
    }
    if let Some(age) = wanted.max_age {
        let minutes = age.as_seconds().div_ceil(60);
        words.push(match (minutes / 60, minutes % 60) {
            (hours, 0) if hours > 0 => format!("at most {hours} h old"),
            _ => format!("at most {minutes} min old"),
        });
    }
    words
}

/// What a profile wants, to be compared.
pub(super) fn terms(profile: &Profile) -> Terms {
    Terms {
        approvals: profile.approvals,
        autos: profile.auto_approvals.iter().map(ToString::to_string).collect(),
        per_day: profile.max_per_day.map(|most| most.as_seconds()),
        longest: profile.max_duration.as_seconds(),
        mfa: mfa(profile),
        reason: profile.reason_required,
    }
}

fn profile_view(profile: &Profile) -> WhoProfile {
    WhoProfile {
        name: Shown::of(&profile.name),
        approvals: profile.approvals.into(),
        auto_approvals: profile.auto_approvals.iter().map(Shown::of).collect(),
        max_per_day_seconds: profile.max_per_day.map(|most| most.as_seconds_u32()),
        max_duration_seconds: profile.max_duration.as_seconds_u32(),
        namespaces: profile.scope.to_list().iter().map(Shown::of).collect(),
        mfa: mfa(profile).iter().map(Shown::from).collect(),
        reason_required: profile.reason_required,
    }
}

/// A profile (in whose namespaces it holds), its rules and its warnings.
type Set = (usize, Vec<Rule>, Vec<String>);

/// What profiles allow, each once: the same roles say the same on most clusters.
#[derive(Default)]
struct Sets {
    views: Vec<WhoRights>,
    /// The place of each, and the name that a snapshot has for it.
    places: BTreeMap<Set, (u32, String)>,
}

impl Sets {
    fn place_of(
        &mut self,
        (at, profile): (usize, &Profile),
        preview: &ProfilePreview,
        rules: Vec<Rule>,
        snapshot: &mut Snapshot,
    ) -> (u32, String) {
        let key = (at, rules, preview.warnings.clone());
        if let Some(known) = self.places.get(&key) {
            return known.clone();
        }
        let (_, rules, warnings) = &key;
        let namespaces: Vec<Shown> = profile.scope.to_list().iter().map(Shown::of).collect();
        let rights = rights_of(rules, &namespaces);
        let lines = rights
            .iter()
            .flat_map(|right| right.detail.split("; ").map(|detail| format!("{}: {detail}", right.title)))
            .chain(profile.scope.to_list().iter().map(|namespace| format!("in namespace {namespace}")))
            .collect();
        let text = serde_json::to_string(&(rules, &namespaces)).unwrap_or_default();
        let name: String = Digest::of(text.as_bytes()).to_string().chars().take(16).collect();
        snapshot.allowed.insert(name.clone(), lines);
        let found = (place(self.views.len()), name);
        self.views.push(WhoRights {
            dangers: dangers(rules, &profile.scope).iter().map(Shown::of).collect(),
            warnings: warnings.iter().map(Shown::from).collect(),
            rights,
            rules: place(rules.len()),
        });
        self.places.insert(key, found.clone());
        found
    }
}

fn cluster(
    object: &AccessCluster,
    read: &Read,
    profiles: &[Profile],
    sets: &mut Sets,
    snapshot: &mut Snapshot,
) -> WhoCluster {
    let name = object.metadata.name.clone().unwrap_or_default();
    let status = object.status.as_ref();
    let beat = read.beats.as_ref().map(|beats| beats.iter().find(|beat| beat.cluster == name));
    let preview = match &read.previews {
        Err(fault) => Err(format!("what profiles allow could not be read: {fault}")),
        Ok(all) => match (status.and_then(|status| status.preview.as_ref()), all.get(&name)) {
            (Some(wanted), Some(found)) if *wanted == found.digest => Ok(found),
            (Some(_), _) => {
                Err("its broker is just reporting something else; look again in a moment".to_owned())
            }
            (None, _) => Err("its broker has not reported what profiles allow here".to_owned()),
        },
    };
    let named: Option<ClusterName> = name.parse().ok();
    let covering = profiles
        .iter()
        .enumerate()
        .filter(|(_, profile)| named.as_ref().is_some_and(|name| profile.covers(name)));
    let mut there = Vec::new();
    let mut compared = BTreeMap::new();
    for (at, profile) in covering {
        let reports = status.map(|status| status.profiles.as_slice()).unwrap_or_default();
        let report = reports.iter().find(|report| {
            // A report of another revision speaks of another profile.
            report.name == profile.name.as_str() && report.revision == profile.revision.to_string()
        });
        let known = previewed_for(report, preview.as_ref().map(|found| *found).map_err(String::as_str));
        let (rights, set, unknown) = match known {
            Ok((preview, rules)) => {
                let (rights, set) = sets.place_of((at, profile), preview, rules, snapshot);
                (Some(rights), set, None)
            }
            Err(why) => (None, String::new(), Some(Shown::from(why))),
        };
        compared.insert(profile.name.to_string(), set);
        there.push(WhoThere {
            profile: place(at),
            rights,
            unknown,
            refused: report.and_then(|report| report.refused.as_ref()).map(Shown::from),
        });
    }
    snapshot.clusters.insert(name.clone(), compared);
    WhoCluster {
        environment: environment_kind(&object.spec.environment),
        environment_word: Shown::from(&object.spec.environment),
        guardrails: guardrails(object, beat.as_ref().map(|beat| *beat).map_err(ToString::to_string)),
        silent: matches!(beat, Ok(beat) if beat.is_none_or(Beat::is_silent)),
        profiles: there,
        name: name.into(),
    }
}

fn notes(read: &Read) -> Vec<Shown> {
    let mut notes = vec![
        format!(
            "Whoever is in the group {MASTERS} passes everything on the hub, whatever is bound: its API server asks nobody about them."
        ),
        "Somebody in several groups may do what all of them may: one may bring the profile, and another the team.".to_owned(),
    ];
    notes.push(format!(
        "In {SCANS_NAMESPACE} only scans are asked for: under a profile for scans, which opens at once and in no team's sight."
    ));
    if matches!(read.others, Ok(true)) {
        notes.push(
            "Another authorizer than RBAC has a say on this hub: it may allow more than is shown here."
                .to_owned(),
        );
    }
    let dangling = read.stored.rbac.dangling();
    if !dangling.is_empty() {
        let some: Vec<String> = dangling
            .iter()
            .take(3)
            .map(|binding| format!("{} (of {})", binding.name, binding.role.name()))
            .collect();
        notes.push(format!(
            "{} of the hub's bindings name a role that does not exist, and give nothing until somebody makes one of that name: {}{}",
            dangling.len(),
            some.join(", "),
            if dangling.len() > 3 { ", …" } else { "" },
        ));
    }
    notes.iter().map(Shown::from).collect()
}

fn problems(read: &Read, mut malformed: Vec<Shown>) -> Vec<Shown> {
    let more = malformed.len().saturating_sub(TOLD);
    malformed.truncate(TOLD);
    if more > 0 {
        malformed.push(Shown::from(format!("{more} more objects could not be read")));
    }
    let failed = [
        (read.previews.as_ref().err(), "what profiles allow on clusters could not be read"),
        (read.beats.as_ref().err(), "which brokers are alive could not be read"),
        (read.others.as_ref().err(), "whether something beside RBAC decides on this hub could not be read"),
    ];
    let failed =
        failed.into_iter().filter_map(|(fault, what)| Some(Shown::from(format!("{what}: {}", fault?))));
    failed.chain(malformed).collect()
}

#[cfg(test)]
mod tests;
