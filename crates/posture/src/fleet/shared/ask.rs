//! The checks across clusters, one by one.

mod rights;

use super::{Asked, Found, Question, Traits};
use crate::fleet::Scanned;
use crate::said::{count, shown};
use crate::severity::Severity;
use std::collections::{BTreeMap, BTreeSet};

const fn question(
    id: &'static str,
    title: &'static str,
    fix: &'static str,
    known: fn(&Scanned) -> bool,
    ask: fn(&Asked<'_>) -> Vec<Found>,
) -> Question {
    Question { id, title, fix, known, ask }
}

/// Whether RBAC of a cluster was read far enough to say who can do everything there.
fn rights_known(one: &Scanned) -> bool {
    one.left_out == 0 && one.traits.roles.is_some()
}

pub(in crate::fleet) const QUESTIONS: &[Question] = &[
    question(
        "FL-01",
        "Somebody can do everything in many clusters",
        "Give it for a time and cluster by cluster, through a profile.",
        rights_known,
        rights::admins,
    ),
    question(
        "FL-02",
        "One credential opens several clusters",
        "Give each cluster a credential of its own.",
        |one| one.traits.credentials.is_some(),
        |asked| {
            same(
                asked,
                Severity::High,
                |traits| list(&traits.credentials),
                |many, _| format!("One credential opens {}.", count(many, "cluster")),
            )
        },
    ),
    question(
        "FL-03",
        "Client certificates of one cluster open another",
        "Give each cluster a client CA of its own.",
        |one| one.traits.client_ca.is_some(),
        |asked| {
            same(
                asked,
                Severity::Critical,
                |traits| list(&traits.client_ca),
                |many, what| {
                    format!(
                        "{many} clusters believe the same client CA ({}): a certificate of one opens the others.",
                        short(what)
                    )
                },
            )
        },
    ),
    question(
        "FL-04",
        "Tokens of one cluster's service accounts are signed as another's",
        "Give each cluster signing keys of its own (--service-account-key-file), and restart what holds old tokens.",
        |one| one.traits.signing_keys.is_some(),
        signing_keys,
    ),
    question(
        "FL-05",
        "A sign-in that is meant for one cluster is good for another",
        "Give each cluster, or at least production, an audience of its own at the provider.",
        |one| one.traits.providers.is_some(),
        providers,
    ),
    question(
        "FL-06",
        "A role of one name gives different rights in different clusters",
        "Apply the role from one place.",
        |one| one.traits.roles.is_some(),
        rights::roles,
    ),
    question(
        "FL-07",
        "A group holds more in production than elsewhere",
        "Give it in production for a time, through a profile.",
        |one| one.traits.tier.is_some() && rights_known(one),
        rights::tiers,
    ),
    question(
        "FL-08",
        "What is known of a cluster is old or little",
        "Scan it again, with the rights that its report names.",
        |_| true,
        stale,
    ),
    question(
        "FL-09",
        "Clusters run versions far apart",
        "Bring the oldest up.",
        |one| one.traits.version.is_some(),
        versions,
    ),
    question(
        "FL-10",
        "A cluster holds keys to another",
        "Keep such credentials in a cluster that is guarded as the one they open, and give them as few rights as they need.",
        |one| one.traits.holds.is_some(),
        holds,
    ),
    question(
        "FL-11",
        "One certificate stands for several API servers",
        "Give each API server a key of its own.",
        |one| one.traits.serving.is_some(),
        |asked| {
            same(
                asked,
                Severity::High,
                |traits| list(&traits.serving),
                |many, what| {
                    format!(
                        "{many} API servers show the same certificate ({}): whoever has the key of one can stand for all.",
                        short(what)
                    )
                },
            )
        },
    ),
];

fn list(trait_: &Option<Vec<String>>) -> Vec<&str> {
    trait_.iter().flatten().map(String::as_str).collect()
}

/// The beginning of a fingerprint.
fn short(fingerprint: &str) -> String {
    shown(&fingerprint.chars().take(12).collect::<String>())
}

/// The clusters of each value that several have.
fn clusters_by<'a>(
    asked: &'a Asked<'_>,
    of: impl Fn(&'a Traits) -> Vec<&'a str>,
) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut by: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in asked.scanned {
        for value in of(&one.traits).into_iter().filter(|value| !value.is_empty()) {
            by.entry(value).or_default().insert(&one.cluster);
        }
    }
    by.retain(|_, clusters| clusters.len() > 1);
    by
}

fn names(clusters: &BTreeSet<&str>) -> Vec<String> {
    clusters.iter().map(|name| (*name).to_owned()).collect()
}

fn same<'a>(
    asked: &'a Asked<'_>,
    severity: Severity,
    of: impl Fn(&'a Traits) -> Vec<&'a str>,
    said: impl Fn(usize, &str) -> String,
) -> Vec<Found> {
    let by = clusters_by(asked, of);
    by.iter()
        .map(|(value, clusters)| Found {
            severity,
            clusters: names(clusters),
            said: said(clusters.len(), value),
        })
        .collect()
}

/// A token of another issuer is refused, whatever signed it; that the issuer is the same is the default.
fn signing_keys(asked: &Asked<'_>) -> Vec<Found> {
    let issuer = |name: &str| {
        asked
            .scanned
            .iter()
            .find(|one| one.cluster == name)
            .and_then(|one| one.traits.account_issuer.as_deref())
    };
    let by = clusters_by(asked, |traits| list(&traits.signing_keys));
    let mut all = Vec::new();
    for (key, clusters) in &by {
        let issuers: BTreeSet<Option<&str>> = clusters.iter().map(|name| issuer(name)).collect();
        let known: BTreeSet<&str> = issuers.iter().copied().flatten().collect();
        let (severity, more) = if issuers.contains(&None) {
            (
                Severity::High,
                "a token of one is good for the others where issuer and audience are the same, and that was not read",
            )
        } else if known.len() < clusters.len() {
            (Severity::Critical, "a token of one is good for another, whose issuer is the same")
        } else {
            (Severity::Medium, "only their issuers, which differ, keep a token of one out of the others")
        };
        all.push(Found {
            severity,
            clusters: names(clusters),
            said: format!(
                "{} clusters sign service account tokens with the same key ({}): {more}.",
                clusters.len(),
                short(key)
            ),
        });
    }
    all
}

fn providers(asked: &Asked<'_>) -> Vec<Found> {
    let mut by: BTreeMap<&super::Provider, BTreeSet<&str>> = BTreeMap::new();
    for one in asked.scanned {
        for provider in one.traits.providers.iter().flatten() {
            by.entry(provider).or_default().insert(&one.cluster);
        }
    }
    by.retain(|_, clusters| clusters.len() > 1);
    let tier = |name: &&str| {
        let one = asked.scanned.iter().find(|one| one.cluster == **name)?;
        one.traits.tier.as_ref().map(|tier| asked.limits.production.contains(tier))
    };
    by.iter()
        .map(|(provider, clusters)| {
            let tiers: BTreeSet<Option<bool>> = clusters.iter().map(tier).collect();
            let mixed = tiers.contains(&Some(true)) && tiers.contains(&Some(false));
            let more = if mixed { ", production and others" } else { "" };
            Found {
                severity: if mixed { Severity::High } else { Severity::Low },
                clusters: names(clusters),
                said: format!(
                    "{} clusters{more} take tokens of {} for the audience {}: one that was got for one of them is good for all.",
                    clusters.len(),
                    shown(&provider.issuer),
                    shown(&provider.audience)
                ),
            }
        })
        .collect()
}

fn stale(asked: &Asked<'_>) -> Vec<Found> {
    let mut all = Vec::new();
    let mut tell = |clusters: BTreeSet<&str>, said: String| {
        if !clusters.is_empty() {
            all.push(Found { severity: Severity::Medium, clusters: names(&clusters), said });
        }
    };
    let never: BTreeSet<&str> = asked.never.iter().map(String::as_str).collect();
    let many = never.len();
    tell(
        never,
        format!(
            "{} never scanned.",
            if many == 1 { "1 cluster was".to_owned() } else { format!("{many} clusters were") }
        ),
    );
    let days = asked.limits.stale_days;
    let of = |fits: &dyn Fn(&Scanned) -> bool| -> BTreeSet<&str> {
        asked.scanned.iter().filter(|one| fits(one)).map(|one| one.cluster.as_str()).collect()
    };
    let old = of(&|one| one.at.is_none_or(|at| asked.now.saturating_sub(at) > days * 24 * 3600));
    let many = count(old.len(), "scan");
    tell(old, format!("{many} older than {days} days, or of no known time."));
    let little = of(&|one| {
        let (answered, all) = one.point.covered;
        (all - answered.min(all)) * 100 > asked.limits.open_most * all
    });
    let many = count(little.len(), "cluster");
    tell(little, format!("{many} with more than {} % of the checks open.", asked.limits.open_most));
    all
}

fn versions(asked: &Asked<'_>) -> Vec<Found> {
    let mut by: BTreeMap<(u32, u32), BTreeSet<&str>> = BTreeMap::new();
    for one in asked.scanned {
        if let Some(version) = one.traits.version {
            by.entry(version).or_default().insert(&one.cluster);
        }
    }
    let (Some((first, oldest)), Some((last, _))) = (by.first_key_value(), by.last_key_value()) else {
        return Vec::new();
    };
    // Three minors are supported at a time.
    if last.0 == first.0 && last.1 - first.1 < 3 {
        return Vec::new();
    }
    vec![Found {
        severity: Severity::Low,
        clusters: names(oldest),
        said: format!("Clusters run Kubernetes {}.{} to {}.{}.", first.0, first.1, last.0, last.1),
    }]
}

fn holds(asked: &Asked<'_>) -> Vec<Found> {
    let mut all = Vec::new();
    for one in asked.scanned {
        for held in one.traits.holds.iter().flatten().filter(|held| held.opens != one.cluster) {
            all.push(Found {
                severity: Severity::High,
                clusters: vec![one.cluster.clone(), held.opens.clone()],
                said: format!(
                    "{} of {} opens {}: a way into the one is a way into the other.",
                    shown(&held.place),
                    shown(&one.cluster),
                    shown(&held.opens)
                ),
            });
        }
    }
    all
}
