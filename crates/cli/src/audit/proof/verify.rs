//! `audit verify`.

use super::anchors::{self, Anchors, Noted};
use super::args::Verify;
use super::verdict::VerifyView;
use super::{kept, named, pack, stop};
use crate::answer::{self, Answer};
use crate::audit::plain;
use crate::end::{End, Stop};
use sallyport_audit::{Anchor, PackVerdict, SealPublic, Seals};
use sallyport_model::{Digest, visible};
use std::collections::BTreeSet;
use std::fs;

/// More than any file with one key.
const KEY_MOST: u64 = 64 << 10;

pub(crate) fn verify(args: &Verify) -> Result<(String, End), Stop> {
    let keys: Vec<Digest> = args.key.iter().map(|key| parse_key(key)).collect::<Result<_, _>>()?;
    let noted = args.anchors.as_deref().map(anchors::read).transpose()?;
    let view = match (&args.history, &args.pack) {
        (Some(dir), _) => {
            let kept = kept(dir)?;
            let stored = kept.checkpoints().map_err(|error| stop(&error))?;
            let used = stored.iter().filter_map(|stored| stored.checkpoint.as_ref().ok());
            let used: BTreeSet<Digest> = used.map(|checkpoint| checkpoint.key.fingerprint()).collect();
            let chosen = Chosen::of(noted, args.user.as_deref(), &used, &keys);
            let seals = kept.seals(&keys, &chosen.anchors).map_err(|error| stop(&error))?;
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
            let used = pack::keys(path)?;
            let chosen = Chosen::of(noted, args.user.as_deref(), &used, &keys);
            let read = pack::read(path, &keys, &chosen.anchors)?;
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
            read.beside(&mut view);
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
    match fs::metadata(text) {
        Ok(meta) if meta.len() > KEY_MOST => return Err(failed(&"it is too large")),
        Ok(_) => {}
        Err(error) => return Err(failed(&error)),
    }
    let pem = fs::read_to_string(text).map_err(|error| failed(&error))?;
    Ok(SealPublic::from_pem(&pem).map_err(|error| failed(&error))?.fingerprint())
}

/// What of the requests has to be met.
struct Chosen {
    anchors: Vec<Anchor>,
    /// What requests of the person who was named vouch for. Everybody may write any key into their own requests.
    keys: BTreeSet<Digest>,
    /// Whose requests they are.
    users: BTreeSet<String>,
    /// The history of somebody else, or of another desktop, as far as they say.
    elsewhere: usize,
    read: Option<(usize, usize)>,
}

impl Chosen {
    /// Those of the person, where one is named; else those that name a key of this history.
    fn of(noted: Option<Anchors>, user: Option<&str>, used: &BTreeSet<Digest>, keys: &[Digest]) -> Self {
        let Some(Anchors { noted, silent, other }) = noted else {
            return Self {
                anchors: Vec::new(),
                keys: BTreeSet::new(),
                users: BTreeSet::new(),
                elsewhere: 0,
                read: None,
            };
        };
        let is_of = |noted: &Noted| match user {
            Some(user) => noted.user == user,
            None => noted.key.is_some_and(|key| used.contains(&key) || keys.contains(&key)),
        };
        let (of, others): (Vec<Noted>, Vec<Noted>) = noted.into_iter().partition(is_of);
        Self {
            keys: of.iter().filter(|_| user.is_some()).filter_map(|noted| noted.key).collect(),
            users: of.iter().map(|noted| noted.user.clone()).collect(),
            anchors: of.into_iter().map(|noted| noted.anchor).collect(),
            elsewhere: others.len(),
            read: Some((silent, other)),
        }
    }

    fn names(&self, key: &Digest) -> bool {
        self.keys.contains(key)
    }

    fn tell(self, mut view: VerifyView) -> VerifyView {
        let Some((silent, other)) = self.read else { return view };
        if self.anchors.is_empty() {
            view.doubt("none of the requests says anything of this history".to_owned());
        }
        if !self.users.is_empty() && self.keys.is_empty() {
            let users: Vec<String> = self.users.iter().map(|user| visible(user)).collect();
            view.note(format!(
                "requests of {} tell of this history: are they its owner? --user says so",
                users.join(", ")
            ));
        }
        if self.elsewhere > 0 {
            view.note(format!(
                "{} requests tell of other histories: of other people, other desktops, or of one that was there before this \
                 one (--user asks for all of a person's)",
                self.elsewhere
            ));
        }
        if silent + other > 0 {
            view.note(format!("{silent} requests say nothing of a history, {other} objects are no requests"));
        }
        view
    }
}
