//! `audit export`.

use super::args::{Export, Form};
use super::place::place;
use super::{anchors, events, named};
use crate::audit::said::said;
use crate::end::{End, Stop};
use jiff::Timestamp;
use sallyport_audit::{Action, Checkpoint, Entry, PackEnd, PackHead, Seals};
use sallyport_model::visible;
use sallyport_report::handed::{self, Along, BY, Events, PackError, told};
use sallyport_store::{Kept, spare_file};
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};

/// Which entries; of one option said several times each will do, different ones all have to fit.
struct Selection {
    sessions: Vec<String>,
    clusters: Vec<String>,
    from: Option<i64>,
    to: Option<i64>,
}

impl Selection {
    fn of(args: &Export) -> Self {
        let now = Timestamp::now();
        let at = |since: Option<crate::audit::times::Since>| since.map(|since| since.at(now));
        Self {
            sessions: args.session.clone(),
            clusters: args.cluster.clone(),
            from: at(args.since),
            to: at(args.until),
        }
    }

    fn holds(&self, entry: &Entry) -> bool {
        let any = |wanted: &[String], has: Option<&str>| {
            wanted.is_empty() || has.is_some_and(|has| wanted.iter().any(|one| one == has))
        };
        any(&self.sessions, entry.session.as_ref().map(|id| id.as_str()))
            && any(&self.clusters, entry.cluster.as_ref().map(|name| name.as_str()))
            && self.from.is_none_or(|from| entry.at >= from)
            && self.to.is_none_or(|to| entry.at < to)
    }

    /// The same in an archive, which knows sessions by their accounts alone.
    fn events(&self, kept: &Kept) -> Result<sallyport_archive::Filter, Stop> {
        if self.sessions.is_empty() {
            return Ok(events::filter(&self.clusters, None, self.from, self.to));
        }
        let of_session = |entry: &Entry| {
            let id = entry.session.as_ref().map(|id| id.as_str());
            entry.action == Action::Granted && self.sessions.iter().any(|one| Some(one.as_str()) == id)
        };
        let accounts = kept.walk(|entries| -> Vec<String> {
            let entries = entries.filter_map(|next| next.ok().map(|linked| linked.entry)).filter(of_session);
            entries.filter_map(|entry| entry.detail.text("account").map(str::to_owned)).collect()
        });
        Ok(events::filter(&self.clusters, Some(&accounts.map_err(said)?), self.from, self.to))
    }

    fn words(&self) -> String {
        let mut words = Vec::new();
        if !self.sessions.is_empty() {
            words.push(format!("session {}", self.sessions.join(" or ")));
        }
        if !self.clusters.is_empty() {
            words.push(format!("cluster {}", self.clusters.join(" or ")));
        }
        words.extend(self.from.map(|from| format!("from {}", told(from))));
        words.extend(self.to.map(|to| format!("before {}", told(to))));
        if words.is_empty() { "everything".to_owned() } else { words.join(", ") }
    }
}

pub(crate) fn export(args: &Export) -> Result<(String, End), Stop> {
    if args.to.symlink_metadata().is_ok() {
        return Err(Stop(format!("there is something at {} already: name another file", named(&args.to))));
    }
    let kept = Kept::open(&args.history).map_err(said)?;
    let seals = kept.seals(&[], &[]).map_err(said)?;
    if let Seals::Broken { first_bad, why } = &seals {
        let text = format!(
            "Nothing was written: from entry {first_bad} on the history was tampered with: {}\n",
            visible(&why.to_string())
        );
        return Ok((text, End::Found));
    }
    let selection = Selection::of(args);
    if args.events.is_some() && args.format != Form::Pack {
        return Err(Stop("--events: clusters' events go with a pack alone; `audit query -o csv` and `-o ocsf` write them as \
                         lines of their own".to_owned()));
    }
    let text = match args.format {
        Form::Pack | Form::Jsonl => proving(args, &kept, &selection)?,
        Form::Csv | Form::Ocsf => plain(args, &kept, &selection)?,
    };
    Ok((text, End::Good))
}

fn proving(args: &Export, kept: &Kept, selection: &Selection) -> Result<String, Stop> {
    let mut told_by_clusters: Option<(Events, File)> = match &args.events {
        None => None,
        Some(archive) => Some(events::gathered(archive, &selection.events(kept)?, args)?),
    };
    let stored = kept.checkpoints().map_err(said)?;
    let checkpoints: Vec<Checkpoint> =
        stored.into_iter().filter_map(|stored| stored.checkpoint.ok()).collect();
    let Some(last) = checkpoints.last() else {
        return Err(Stop(
            "there is no checkpoint, so a pack would prove nothing: the desktop makes them when it has a keyring; \
             --format csv and ocsf need none"
                .to_owned(),
        ));
    };
    let (key, origin) = (last.key, last.origin);
    let cuts: Vec<u64> = match &args.anchors {
        None => Vec::new(),
        Some(path) => anchors::read(path)?.noted.iter().map(|noted| noted.anchor.sequence).collect(),
    };
    let made = Timestamp::now().as_microsecond();
    let head = PackHead { version: 1, origin, made, by: BY.to_owned(), selection: selection.words() };
    let failed = |error: io::Error| Stop(format!("{} can't be written: {error}", named(&args.to)));
    let write = |out: &mut dyn Write| -> Result<PackEnd, Stop> {
        let walked = kept.walk(|entries| {
            let entries = entries.filter_map(|next| next.ok().map(|linked| linked.entry));
            handed::history(out, head, checkpoints, &cuts, entries, |entry| selection.holds(entry))
        });
        walked.map_err(said)?.map_err(failed)
    };
    let end = match args.format {
        Form::Jsonl => place(&args.to, write)?,
        _ => {
            // A member's size stands before it.
            let mut inner = spare_file(&args.to).map_err(failed)?;
            let mut out = BufWriter::new(&mut inner);
            write(&mut out)?;
            out.flush().map_err(failed)?;
            drop(out);
            let packed = place(&args.to, |out| {
                let beside = told_by_clusters.as_mut();
                let beside = beside.map(|(said, file)| (said.clone(), file as &mut dyn Read));
                match handed::pack(out, &mut inner, &key, Along { tapes: None, events: beside }) {
                    Ok(packed) => Ok(packed),
                    Err(PackError::Io(error)) => Err(failed(error)),
                    Err(error) => Err(Stop(format!("{error}: try again"))),
                }
            });
            packed?.end
        }
    };
    let mut text = format!(
        "{} entries with {} checkpoints, {} left out and shown as left out: {}\n  key {}\n  whoever gets it needs the key's \
         fingerprint from you by another way: `sallyport audit verify {} --key {}`\n",
        end.entries,
        end.checkpoints,
        end.left_out,
        named(&args.to),
        key.fingerprint(),
        named(&args.to),
        key.fingerprint()
    );
    if end.unsealed > 0 {
        text.push_str(&format!(
            "  {} entries after the last checkpoint are not in it: the desktop makes one within five minutes, and when it \
             is closed\n",
            end.unsealed
        ));
    }
    if let Some((said, _)) = &told_by_clusters {
        text.push_str(&events::told(said));
    }
    Ok(text)
}

fn plain(args: &Export, kept: &Kept, selection: &Selection) -> Result<String, Stop> {
    let failed = |error: io::Error| Stop(format!("{} can't be written: {error}", named(&args.to)));
    let is_csv = args.format == Form::Csv;
    let mut count = 0u64;
    place(&args.to, |out| {
        let mut text = String::new();
        if is_csv {
            handed::csv_head(&mut text);
            out.write_all(text.as_bytes()).map_err(failed)?;
        }
        let walked = kept.walk(|entries| {
            for linked in entries.filter_map(Result::ok).filter(|linked| selection.holds(&linked.entry)) {
                count += 1;
                text.clear();
                match is_csv {
                    true => handed::csv(&linked.entry, &mut text),
                    false => handed::ocsf(&linked.entry, &mut text),
                }
                out.write_all(text.as_bytes())?;
            }
            Ok(())
        });
        walked.map_err(said)?.map_err(failed)
    })?;
    Ok(format!("{count} entries: {}\n", named(&args.to)))
}
