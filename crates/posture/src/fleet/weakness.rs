//! The same weakness in many clusters as one line, what to fix first on top.

use super::{About, Line, Scanned};
use crate::check::catalogue;
use crate::said::count;
use crate::severity::Severity;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

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

/// A weakness as it grows: of thousands of clusters each line is looked at once.
struct Gathered<'a> {
    worst: (&'a str, &'a Line),
    findings: usize,
    excepted: usize,
    /// In the order of the scans, each once.
    clusters: Vec<&'a str>,
    everywhere: Vec<&'a str>,
    /// The same person in many clusters is one.
    people: HashSet<&'a str>,
    namespaces: usize,
}

/// What to fix first: by severity, then by how far it reaches, then by how many clusters have it. What is excepted
/// everywhere comes last.
pub fn weaknesses(scanned: &[Scanned]) -> Vec<Weakness> {
    let mut gathered: HashMap<(&str, Kind<'_>), Gathered<'_>> = HashMap::new();
    for one in scanned {
        for line in &one.lines {
            let same = gathered
                .entry((&line.check, kind(&line.about)))
                .or_insert_with(|| Gathered::of(&one.cluster, line));
            same.add(&one.cluster, line);
        }
    }
    let mut all: Vec<Weakness> =
        gathered.into_iter().map(|((check, kind), of)| of.weakness(check, kind)).collect();
    all.sort_by(|a, b| {
        let rank = |one: &Weakness| {
            (one.excepted < one.findings, one.severity, one.everywhere, one.clusters.len(), one.findings)
        };
        rank(b).cmp(&rank(a)).then_with(|| (&a.check, &a.title).cmp(&(&b.check, &b.title)))
    });
    all
}

/// What makes two findings the same weakness.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
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

impl<'a> Gathered<'a> {
    fn of(cluster: &'a str, line: &'a Line) -> Self {
        Self {
            worst: (cluster, line),
            findings: 0,
            excepted: 0,
            clusters: Vec::new(),
            everywhere: Vec::new(),
            people: HashSet::new(),
            namespaces: 0,
        }
    }

    fn add(&mut self, cluster: &'a str, line: &'a Line) {
        self.findings += 1;
        self.excepted += usize::from(line.excepted);
        self.namespaces = self.namespaces.max(line.namespaces);
        if self.clusters.last() != Some(&cluster) {
            self.clusters.push(cluster);
        }
        if line.everywhere && self.everywhere.last() != Some(&cluster) {
            self.everywhere.push(cluster);
        }
        if let About::Person(name) = &line.about {
            self.people.insert(name);
        }
        // One that nobody excepted speaks for all.
        let rank = |line: &Line| (!line.excepted, line.severity, line.everywhere, line.namespaces);
        if rank(line) > rank(self.worst.1) {
            self.worst = (cluster, line);
        }
    }

    fn weakness(mut self, check: &str, kind: Kind<'_>) -> Weakness {
        let (cluster, worst) = self.worst;
        self.clusters.sort_unstable();
        let known = catalogue().iter().find(|one| one.id == check);
        let by_name = matches!(kind, Kind::Group(_) | Kind::Account(..));
        let title = match known {
            Some(known) if !by_name && self.findings > 1 => known.title.to_owned(),
            _ => worst.said.trim_end_matches('.').to_owned(),
        };
        let detail = match kind {
            Kind::People => match self.people.len() {
                1 => "1 person".to_owned(),
                many => format!("{many} people"),
            },
            // Its own sentence says where.
            _ if self.findings == 1 => String::new(),
            Kind::Objects => count(self.findings, "object"),
            Kind::Cluster => String::new(),
            Kind::Group(_) | Kind::Account(..) if !self.everywhere.is_empty() => "everywhere".to_owned(),
            Kind::Group(_) | Kind::Account(..) => match self.namespaces {
                1 => "in 1 namespace".to_owned(),
                many => format!("in up to {many} namespaces"),
            },
        };
        Weakness {
            check: check.to_owned(),
            title,
            severity: worst.severity,
            about: match kind {
                Kind::People => self.people.len(),
                Kind::Objects => self.findings,
                // The same name in another cluster is another.
                Kind::Group(_) | Kind::Account(..) | Kind::Cluster => self.clusters.len(),
            },
            findings: self.findings,
            everywhere: self.everywhere.len(),
            excepted: self.excepted,
            detail,
            first: (cluster.to_owned(), worst.fingerprint.clone()),
            fix: known.map_or_else(String::new, |known| known.fix.to_owned()),
            clusters: self.clusters.into_iter().map(str::to_owned).collect(),
        }
    }
}
