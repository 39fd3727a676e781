//! The questions, each often and each time about something else.

use crate::generate::{self, BEGIN, CLUSTERS, DAY, DAYS};
use anyhow::{Result, ensure};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sallyport_archive::{Archive, Bounds, Column, Filter, ObjectRef};
use sallyport_bench::Sorted;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TIMES: usize = 60;

/// What was asked and answered.
pub(crate) struct Asked {
    pub(crate) deletes: u64,
    pub(crate) questions: Value,
    counts: Vec<u64>,
    texts: Vec<u64>,
    credentials: Vec<u64>,
    heat: Vec<(String, i64, u64)>,
    took: Vec<(&'static str, f64)>,
}

impl Asked {
    /// Milliseconds at the 95th percentile, for the closing line.
    pub(crate) fn line(&self) -> String {
        let words: Vec<_> = self.took.iter().map(|(name, ms)| format!("{name}_ms={ms:.2}")).collect();
        words.join(" ")
    }

    /// Whether somebody else answered the same.
    pub(crate) fn compare(&self, said: &Value) -> Result<()> {
        for (name, ours) in
            [("counts", &self.counts), ("texts", &self.texts), ("credentials", &self.credentials)]
        {
            ensure!(said[name] == json!(ours), "{name}: {} and {ours:?}", said[name]);
        }
        ensure!(said["deletes"] == json!(self.deletes), "deletes");
        ensure!(said["heat"] == json!(self.heat), "the heat maps differ");
        Ok(())
    }
}

/// Asks everything.
pub(crate) fn all(archive: &Archive, events: u64) -> Result<Asked> {
    let bounds = Bounds { within: Duration::from_secs(600), ..Bounds::default() };
    let mut dice = StdRng::seed_from_u64(events);
    let mut took = Vec::new();
    let mut timed = |name: &'static str, times: Vec<f64>| {
        let sorted = Sorted::new(times);
        println!(
            "{name}: p50 {:.2} ms, p95 {:.2} ms, most {:.2} ms",
            sorted.at(0.5),
            sorted.at(0.95),
            sorted.at(1.0)
        );
        took.push((name, sorted.at(0.95)));
    };
    let day = |dice: &mut StdRng| {
        let from = BEGIN + dice.random_range(0..DAYS) * DAY;
        (generate::cluster(dice.random_range(0..CLUSTERS)), from, from + DAY)
    };

    // The first of everything reads what nobody has read yet, and counts.
    let (mut times, mut cursor) = (Vec::new(), None);
    for _ in 0..TIMES {
        let began = Instant::now();
        let page = archive.page(&Filter::default(), cursor, 100, &bounds)?;
        times.push(ms(began));
        ensure!(page.is_whole && page.value.calls.len() == 100, "a page");
        cursor = page.value.next;
    }
    timed("page", times);

    let (mut times, mut sets) = (Vec::new(), Vec::new());
    let mut counts = Vec::new();
    for _ in 0..TIMES {
        let (cluster, from, to) = day(&mut dice);
        let filter = Filter::default().only(Column::Cluster, &cluster).from(from).to(to);
        let began = Instant::now();
        archive.page(&filter, None, 100, &bounds)?;
        times.push(ms(began));
        sets.push((cluster, from, to));
    }
    timed("cluster_page", times);

    let mut times = Vec::new();
    for _ in 0..TIMES {
        let (_, from, to) = day(&mut dice);
        let person = format!("oidc:person-{}@example.com", dice.random_range(0..120));
        let began = Instant::now();
        archive.page(&Filter::default().person(person).from(from).to(to), None, 100, &bounds)?;
        times.push(ms(began));
    }
    timed("person_page", times);

    let mut times = Vec::new();
    for (cluster, from, to) in &sets {
        let filter = Filter::default().only(Column::Cluster, cluster).from(*from).to(*to);
        let began = Instant::now();
        counts.push(archive.count(&filter.only(Column::Verb, "delete"), &bounds)?.value);
        times.push(ms(began));
    }
    timed("count", times);

    let mut times = Vec::new();
    let mut heat = Vec::new();
    for _ in 0..TIMES / 4 {
        let began = Instant::now();
        let map = archive.heat(BEGIN, 6, DAYS as u32 * 4, &bounds)?.value;
        times.push(ms(began));
        ensure!(map.clusters.len() == CLUSTERS, "all clusters");
    }
    for (cluster, cells) in archive.heat(BEGIN, 24, DAYS as u32, &bounds)?.value.clusters {
        let days = cells.iter().enumerate().filter(|(_, cell)| cell.calls > 0);
        heat.extend(days.map(|(day, cell)| (cluster.clone(), day as i64, cell.calls)));
    }
    timed("heat", times);

    let (mut times, mut texts, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TIMES / 4 {
        let text = format!("svc-{}-{}", dice.random_range(0..CLUSTERS), dice.random_range(0..1500));
        let began = Instant::now();
        texts.push(archive.count(&Filter::default().text(&text), &bounds)?.value);
        times.push(ms(began));
        asked.push(json!([text]));
    }
    timed("text", times);

    let tokens = archive.top(&Filter::default(), Column::Credential, TIMES / 2, &bounds)?.value;
    let (mut times, mut credentials, mut of) = (Vec::new(), Vec::new(), Vec::new());
    for (token, expected) in tokens.first {
        let began = Instant::now();
        let count = archive.count(&Filter::default().only(Column::Credential, &token), &bounds)?.value;
        times.push(ms(began));
        ensure!(count == expected, "the ranking and the count agree");
        credentials.push(count);
        of.push(json!([token]));
    }
    timed("credential", times);

    let mut times = Vec::new();
    for _ in 0..TIMES / 4 {
        let number = dice.random_range(0..CLUSTERS);
        let object = ObjectRef {
            cluster: Some(generate::cluster(number)),
            resource: "pods".to_owned(),
            namespace: format!("team-{}", dice.random_range(0..40)),
            name: format!("svc-{number}-{}", dice.random_range(0..1500)),
        };
        let began = Instant::now();
        archive.deletions(&object, 100, &bounds)?;
        times.push(ms(began));
    }
    timed("deleted", times);

    let began = Instant::now();
    let deletes = archive.count(&Filter::default().only(Column::Verb, "delete"), &bounds)?.value;
    let by_verb = archive.top(&Filter::default(), Column::Verb, 20, &bounds)?.value;
    println!("counting by verb over everything: {:.0} ms ({} verbs)", ms(began), by_verb.first.len());
    let began = Instant::now();
    let checked = archive.verify(&bounds)?;
    ensure!(checked.events == events && checked.problems.is_empty(), "{checked:?}");
    println!("every checksum: {:.1} s", began.elapsed().as_secs_f64());

    let sets: Vec<Value> = sets.iter().map(|(cluster, from, to)| json!([cluster, from, to])).collect();
    let questions = json!({"counts": sets, "texts": asked, "credentials": of, "begin": BEGIN});
    Ok(Asked { deletes, questions, counts, texts, credentials, heat, took })
}

fn ms(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1000.0
}
