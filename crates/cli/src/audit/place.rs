//! Where is asked: an archive, or one that is made of a log store's last records and goes with the answer.

use super::args::{Query, Which};
use super::{open, stop};
use crate::end::Stop;
use sallyport_archive::{Archive, Options, Source};
use sallyport_engine::{Target, Wanted};
use sallyport_feeds::{Look, is_word};
use sallyport_model::ClusterName;
use std::time::Duration;
use tempfile::TempDir;

/// A store has the moment when an event was written, and we ask by when a call arrived: this far behind `--until` its end
/// is looked for, in microseconds.
const LONGEST_CALL: i64 = 3_600_000_000;

pub(super) struct Place {
    // Dropped before its folder.
    archive: Archive,
    before: Option<i64>,
    _folder: Option<TempDir>,
}

impl Place {
    pub(super) fn of(args: &Query) -> Result<Self, Stop> {
        if let Some(target) = &args.engine {
            return Self::in_store(args, target);
        }
        let dir = args.archive.as_ref().ok_or_else(|| Stop::new("--archive or --engine: one of them"))?;
        Ok(Self { archive: open(dir, false)?, before: None, _folder: None })
    }

    fn in_store(args: &Query, target: &Target) -> Result<Self, Stop> {
        let [called] = &args.which.cluster[..] else {
            return Err(Stop::new("--engine: name one --cluster"));
        };
        let cluster: ClusterName = called.parse().map_err(stop)?;
        let engine = args.store.engine(target)?;
        let now = jiff::Timestamp::now();
        let since = args.which.since.ok_or_else(|| Stop::new("--engine: say --since"))?;
        let to = args.which.until.map_or(now.as_microsecond(), |until| {
            until.at(now).saturating_add(LONGEST_CALL).min(now.as_microsecond())
        });
        let look = Look {
            wanted: Wanted {
                filter: args.filter.clone(),
                also: words(&args.which),
                label: args.label.clone(),
                ..Wanted::of(called)
            },
            from: since.at(now).saturating_mul(1000).max(0),
            // What is written in this very moment as well.
            to: to.saturating_add(1).saturating_mul(1000),
            most: args.records as usize,
            within: Duration::from_secs(args.within),
        };
        let folder = tempfile::Builder::new().prefix("sallyport-look-").tempdir().map_err(stop)?;
        let archive = Archive::open(folder.path(), Options::default()).map_err(stop)?;
        let source = Source { id: engine.target().kind().name().to_owned(), cluster };
        let looked = sallyport_feeds::look(&archive, &source, &engine, &look).map_err(stop)?;
        if let Some(why) = looked.broke {
            return Err(Stop::new(why));
        }
        Ok(Self { archive, before: looked.before.map(|nanos| nanos / 1000), _folder: Some(folder) })
    }

    pub(super) fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Before which moment nothing of a store was looked at, in microseconds of Unix time.
    pub(super) fn before(&self) -> Option<i64> {
        self.before
    }
}

/// What a store can be asked for as well: words that stand in every event that fits. What is none stays for us alone.
fn words(which: &Which) -> Vec<Vec<String>> {
    let resource = |text: &String| {
        let (resource, _) = text.split_once('/').unwrap_or((text, ""));
        resource.split('.').next().unwrap_or_default().to_owned()
    };
    let code = which.code.filter(|(from, to)| from == to).map(|(code, _)| code.to_string());
    let groups: [Vec<String>; 8] = [
        which.person.iter().cloned().collect(),
        which.verb.clone(),
        which.resource.iter().map(resource).collect(),
        which.namespace.clone(),
        which.name.clone(),
        which.credential.clone(),
        which.session.clone(),
        code.into_iter().collect(),
    ];
    groups.into_iter().filter(|group| !group.is_empty() && group.iter().all(|word| is_word(word))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_asked_for_words_and_for_nothing_that_is_none() {
        let which = Which {
            person: Some("dana@example".to_owned()),
            resource: vec!["deployments.apps/scale".to_owned(), "pods".to_owned()],
            namespace: vec!["shop".to_owned(), "\" or *".to_owned()],
            name: vec!["a-".to_owned()],
            code: Some((400, 499)),
            ..Which::default()
        };
        let expected = [vec!["dana@example".to_owned()], vec!["deployments".to_owned(), "pods".to_owned()]];
        assert_eq!(words(&which), expected);
    }
}
