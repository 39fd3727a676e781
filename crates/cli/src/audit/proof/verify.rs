//! `audit verify`.

use super::anchors::{Anchors, By, Forged, Noted};
use super::args::Verify;
use super::kept_there;
use super::named;
use super::verdict::VerifyView;
use crate::answer::{self, Answer};
use crate::audit::plain;
use crate::audit::said::said;
use crate::end::{End, Stop};
use crate::read;
use sallyport_audit::{Anchor, Fault, PackVerdict, SealPublic, Seals};
use sallyport_model::{Digest, visible};
use sallyport_report::handed::{self, Stated};
use sallyport_store::Kept;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

/// More than any file with one key.
const KEY_MOST: u64 = 64 << 10;
/// Stretches of time that are named of what was not read.
const UNREAD: usize = 5;

pub(crate) fn verify(args: &Verify) -> Result<(String, End), Stop> {
    let keys: Vec<Digest> = args.key.iter().map(|key| parse_key(key)).collect::<Result<_, _>>()?;
    let view = match (&args.history, &args.pack) {
        (Some(dir), _) => {
            let kept = Kept::open(dir).map_err(said)?;
            let stored = kept.checkpoints().map_err(said)?;
            let used = stored.iter().filter_map(|stored| stored.checkpoint.as_ref().ok());
            let used: BTreeSet<Digest> = used.map(|checkpoint| checkpoint.key.fingerprint()).collect();
            let noted = noted(args, &used, &keys)?;
            let mut chosen = Chosen::of(noted, args.user.as_deref(), &used, &keys);
            let look = |anchors: &[Anchor]| kept.seals(&keys, anchors).map_err(said);
            let seals = chosen.held(look, |seals| match seals {
                Seals::Broken { why, .. } => Some(why),
                Seals::Never { .. } | Seals::Sealed(_) => None,
            })?;
            let view = match &seals {
                Seals::Never { entries } => VerifyView::never(*entries),
                Seals::Sealed(sealed) => {
                    VerifyView::sealed(sealed, sealed.anchors > 0 && chosen.names(&sealed.key.fingerprint()))
                }
                Seals::Broken { first_bad, why } => VerifyView::broken(*first_bad, why),
            };
            chosen.tell(view)
        }
        (None, Some(path)) => {
            let used = handed::keys(open(path)?).map_err(|error| unreadable(path, &error))?;
            let noted = noted(args, &used, &keys)?;
            let mut chosen = Chosen::of(noted, args.user.as_deref(), &used, &keys);
            let look = |anchors: &[Anchor]| {
                handed::read(open(path)?, &keys, anchors).map_err(|error| unreadable(path, &error))
            };
            let read = chosen.held(look, |read| match &read.verdict {
                PackVerdict::Broken { why, .. } => Some(why),
                PackVerdict::Sealed(_) | PackVerdict::NoPack(_) => None,
            })?;
            let mut view = match &read.verdict {
                PackVerdict::Sealed(told) => {
                    let is_named = told.sealed.anchors > 0 && chosen.names(&told.sealed.key.fingerprint());
                    VerifyView::pack(told, is_named)
                }
                PackVerdict::Broken { first_bad, why } => VerifyView::broken(*first_bad, why),
                PackVerdict::NoPack(why) => {
                    return Err(Stop(format!("{} is no pack: {}", named(path), visible(why))));
                }
            };
            view.recordings(read.recordings);
            let is_found = read.events.is_some();
            view.events(read.events, args.events.as_ref());
            if args.events.is_some()
                && !is_found
                && !read.beside.iter().any(|one| matches!(one, Stated::Wrong(..)))
            {
                view.tampered(
                    "deleted",
                    "the pack holds no events of clusters, and --events says that it had some".to_owned(),
                );
            }
            for stated in read.beside {
                match stated {
                    Stated::Wrong(word, note) => view.tampered(word, note),
                    Stated::Doubt(note) => view.doubt(note),
                    Stated::Note(note) => view.note(note),
                }
            }
            chosen.tell(view)
        }
        (None, None) => return Err(Stop("name a pack, or a data directory with --history".to_owned())),
    };
    let text = match args.output {
        Answer::Text => view.told(),
        Answer::Json => plain::json(&answer::json(&view)?),
    };
    Ok((text, view.end()))
}

/// What others have of how it was, where somebody said where that is.
fn noted(args: &Verify, used: &BTreeSet<Digest>, keys: &[Digest]) -> Result<Option<Anchors>, Stop> {
    if args.anchors.is_empty() && args.anchors_from.is_none() {
        return Ok(None);
    }
    let mut anchors = Anchors::default();
    for path in &args.anchors {
        anchors.read(path)?;
    }
    if let Some(target) = &args.anchors_from {
        let keys: BTreeSet<Digest> = used.iter().chain(keys).copied().collect();
        kept_there::ask(&mut anchors, target, args, &keys)?;
    }
    Ok(Some(anchors))
}

fn open(path: &Path) -> Result<File, Stop> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let is_file = file.metadata().is_ok_and(|meta| meta.is_file());
    if is_file { Ok(file) } else { Err(unreadable(path, &"it is no file")) }
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> Stop {
    Stop(format!("{} can't be read: {}", named(path), visible(&why.to_string())))
}

/// A fingerprint, or a file with a key.
fn parse_key(text: &str) -> Result<Digest, Stop> {
    if let Ok(fingerprint) = text.to_ascii_lowercase().parse::<Digest>() {
        return Ok(fingerprint);
    }
    let failed = |why: &dyn std::fmt::Display| {
        Stop(format!(
            "{} is neither a fingerprint (64 hex digits) nor a file with a public key: {why}",
            visible(text)
        ))
    };
    let pem = read::text(Path::new(text), KEY_MOST).map_err(|why| failed(&why))?;
    Ok(SealPublic::from_pem(&pem).map_err(|error| failed(&error))?.fingerprint())
}

/// What of the anchors has to be met.
struct Chosen {
    noted: Vec<Noted>,
    /// Whose history it is was said. Everybody may write any key into their own requests, and what is not met there tells
    /// nothing of somebody else's history.
    is_owner_named: bool,
    /// What requests of nobody who was named say and the history was not: which, and whose.
    against: Vec<(String, String)>,
    /// The history of somebody else, or of another desktop, as far as they say.
    elsewhere: usize,
    read: Option<Passed>,
}

/// How much of what was read says nothing of any history.
struct Passed {
    silent: usize,
    other: usize,
    forged: Forged,
    /// What was not read at all.
    unread: Vec<String>,
}

impl Chosen {
    /// Those of the person, where one is named; else those that name a key of this history.
    fn of(noted: Option<Anchors>, user: Option<&str>, used: &BTreeSet<Digest>, keys: &[Digest]) -> Self {
        let Some(Anchors { noted, silent, other, forged, unread, .. }) = noted else {
            return Self {
                noted: Vec::new(),
                is_owner_named: user.is_some(),
                against: Vec::new(),
                elsewhere: 0,
                read: None,
            };
        };
        let is_of = |noted: &Noted| match (user, noted.by.user()) {
            (Some(user), Some(by)) => user == by,
            _ => noted.key.is_some_and(|key| used.contains(&key) || keys.contains(&key)),
        };
        let (noted, others): (Vec<Noted>, Vec<Noted>) = noted.into_iter().partition(is_of);
        Self {
            noted,
            is_owner_named: user.is_some(),
            against: Vec::new(),
            elsewhere: others.len(),
            read: Some(Passed { silent, other, forged, unread }),
        }
    }

    /// What looking comes to. Where nobody said whose history it is, whoever says otherwise in a request is put aside and
    /// named, all that they say with it, and it is looked at again: they would else make anybody's history one that was
    /// tampered with. What its key signed is its own word, whoever kept it.
    fn held<T>(
        &mut self,
        look: impl Fn(&[Anchor]) -> Result<T, Stop>,
        why: impl Fn(&T) -> Option<&Fault>,
    ) -> Result<T, Stop> {
        loop {
            let anchors: Vec<Anchor> = self.noted.iter().map(|noted| noted.anchor.clone()).collect();
            let found = look(&anchors)?;
            let against = match why(&found) {
                Some(Fault::NotAsAnchored(what) | Fault::CutAsAnchored { what, .. })
                    if !self.is_owner_named =>
                {
                    what
                }
                _ => return Ok(found),
            };
            let Some(by) = self.noted.iter().find(|noted| noted.anchor.what == *against) else {
                return Ok(found);
            };
            let By::Request(user) = by.by.clone() else { return Ok(found) };
            self.against.push((against.clone(), user.clone()));
            self.noted.retain(|noted| noted.by.user() != Some(&user));
        }
    }

    /// A request of the person who was named vouches for this key. What the key signed itself does not.
    fn names(&self, key: &Digest) -> bool {
        let of_them = |noted: &Noted| noted.by.user().is_some() && noted.key.as_ref() == Some(key);
        self.is_owner_named && self.noted.iter().any(of_them)
    }

    fn tell(self, mut view: VerifyView) -> VerifyView {
        let Some(Passed { silent, other, forged, unread }) = self.read else { return view };
        for (request, user) in &self.against {
            view.doubt(format!(
                "{} of {} says that this history was another one. Anybody may write that into their own request: if it is \
                 their history, --user says so, and it was changed, cut short or begun anew",
                visible(request),
                visible(user)
            ));
        }
        if self.noted.is_empty() && self.against.is_empty() {
            view.doubt("none of the anchors says anything of this history".to_owned());
        }
        let users: BTreeSet<&str> = self.noted.iter().filter_map(|noted| noted.by.user()).collect();
        if !users.is_empty() && !self.is_owner_named {
            let users: Vec<String> = users.into_iter().map(visible).collect();
            view.note(format!(
                "requests of {} tell of this history: are they its owner? --user says so",
                users.join(", ")
            ));
        }
        if self.elsewhere > 0 {
            view.note(format!(
                "{} anchors tell of other histories: of other people, other desktops, or of one that was there before this \
                 one (--user asks for all of a person's)",
                self.elsewhere
            ));
        }
        if silent + other > 0 {
            view.note(format!("{silent} requests say nothing of a history, {other} objects are no anchors"));
        }
        if let Some(first) = &forged.first {
            view.note(format!(
                "{} checkpoints were not signed by the key that they name, the first of them {}: whoever put them there made \
                 them up, and they are believed in nothing",
                forged.count,
                visible(first)
            ));
        }
        for what in unread.iter().take(UNREAD) {
            view.doubt(format!(
                "{}. An anchor among what was not read may contradict this history: remove from the store what is made up, or \
                 hold it to what a collector wrote (--anchors)",
                visible(what)
            ));
        }
        if unread.len() > UNREAD {
            view.doubt(format!("and so it is of {} stretches of time more", unread.len() - UNREAD));
        }
        view
    }
}
