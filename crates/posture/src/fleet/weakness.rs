//! The same weakness in many clusters as one line, what to fix first on top.

use super::{About, Line, Scanned};
use crate::check::catalogue;
use crate::said::count;
use crate::severity::Severity;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A weakness that one cluster or many have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Weakness {
    /// The check's id.
    pub check: String,
    /// What it is: the finding's own sentence where it is about somebody, else the check's title.
    pub title: String,
    /// How bad it is where it is worst.
    pub severity: Severity,
    /// The clusters, by name in order.
    pub clusters: Vec<String>,
    /// How many findings that are.
    pub findings: usize,
    /// How many people, groups, accounts or objects they are about.
    pub about: usize,
    /// In how many clusters it holds everywhere.
    pub everywhere: usize,
    /// How many of the findings somebody excepted.
    pub excepted: usize,
    /// More of it in few words: "12 people", "in 3 namespaces".
    pub detail: String,
    /// A finding of it, in the first cluster where it is worst: cluster and fingerprint.
    pub first: (String, String),
    /// What to do about it.
    pub fix: String,
}

#[derive(Default)]
struct Gathered<'a> {
    lines: Vec<(&'a str, &'a Line)>,
}

/// What to fix first: by severity, then by how far it reaches, then by how many clusters have it. What is excepted
/// everywhere comes last.
pub fn weaknesses(scanned: &[Scanned]) -> Vec<Weakness> {
    let mut gathered: BTreeMap<(&str, Kind<'_>), Gathered<'_>> = BTreeMap::new();
    for one in scanned {
        for line in &one.lines {
            let same = gathered.entry((&line.check, kind(&line.about))).or_default();
            same.lines.push((&one.cluster, line));
        }
    }
    let mut all: Vec<Weakness> =
        gathered.into_iter().filter_map(|((check, kind), of)| of.weakness(check, kind)).collect();
    all.sort_by(|a, b| {
        let rank = |one: &Weakness| {
            (one.excepted < one.findings, one.severity, one.everywhere, one.clusters.len(), one.findings)
        };
        rank(b).cmp(&rank(a)).then_with(|| (&a.check, &a.title).cmp(&(&b.check, &b.title)))
    });
    all
}

/// What makes two findings the same weakness.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind<'a> {
    Group(&'a str),
    Account(&'a str, &'a str),
    People,
    Objects,
    Cluster,
}

fn kind(about: &About) -> Kind<'_> {
    match about {
        About::Group(name) => Kind::Group(name),
        About::Account(namespace, name) => Kind::Account(namespace, name),
        About::Person(_) => Kind::People,
        About::Object(_) => Kind::Objects,
        About::Cluster => Kind::Cluster,
    }
}

impl Gathered<'_> {
    fn weakness(self, check: &str, kind: Kind<'_>) -> Option<Weakness> {
        let (mut worst_in, mut worst) = *self.lines.first()?;
        let mut clusters: BTreeSet<&str> = BTreeSet::new();
        let mut everywhere: BTreeSet<&str> = BTreeSet::new();
        let mut about: BTreeSet<(&str, &About)> = BTreeSet::new();
        for (cluster, line) in &self.lines {
            clusters.insert(cluster);
            if line.everywhere {
                everywhere.insert(cluster);
            }
            match kind {
                // The same person in many clusters is one.
                Kind::People => about.insert(("", &line.about)),
                _ => about.insert((cluster, &line.about)),
            };
            // One that nobody excepted speaks for all.
            let rank = |line: &Line| (!line.excepted, line.severity, line.everywhere, line.namespaces);
            if rank(line) > rank(worst) {
                (worst_in, worst) = (cluster, line);
            }
        }
        let known = catalogue().iter().find(|one| one.id == check);
        let by_name = matches!(kind, Kind::Group(_) | Kind::Account(..));
        let title = match known {
            Some(known) if !by_name && self.lines.len() > 1 => known.title.to_owned(),
            _ => worst.said.trim_end_matches('.').to_owned(),
        };
        let namespaces: usize = self.lines.iter().map(|(_, line)| line.namespaces).max().unwrap_or_default();
        let detail = match kind {
            Kind::People => match about.len() {
                1 => "1 person".to_owned(),
                many => format!("{many} people"),
            },
            Kind::Objects => count(self.lines.len(), "object"),
            Kind::Cluster => String::new(),
            // Its own sentence says where.
            _ if self.lines.len() == 1 => String::new(),
            Kind::Group(_) | Kind::Account(..) if !everywhere.is_empty() => "everywhere".to_owned(),
            Kind::Group(_) | Kind::Account(..) => match namespaces {
                1 => "in 1 namespace".to_owned(),
                many => format!("in up to {many} namespaces"),
            },
        };
        Some(Weakness {
            check: check.to_owned(),
            title,
            severity: worst.severity,
            findings: self.lines.len(),
            about: if matches!(kind, Kind::Objects) { self.lines.len() } else { about.len() },
            everywhere: everywhere.len(),
            excepted: self.lines.iter().filter(|(_, line)| line.excepted).count(),
            detail,
            first: (worst_in.to_owned(), worst.fingerprint.clone()),
            fix: known.map_or_else(String::new, |known| known.fix.to_owned()),
            clusters: clusters.into_iter().map(str::to_owned).collect(),
        })
    }
}
