//! A profile is changed as text: read with all that the hub stores of it, tried there without being stored, compared with
//! what was, and applied as exactly the object that was tried. Everything with the editor's own rights: what a window shows
//! of them is for convenience, and the hub decides.

mod conditions;
mod differs;
mod facts;
mod object;
mod people;
mod remarks;
mod rules;
mod standing;
mod text;
mod unknown;

use super::Reach;
use super::read::EDITOR;
use crate::desk::AppError;
use crate::person::faults::of_hub;
use crate::person::{Signed, WorkspaceId};
use sallyport_audit::{Action, Draft as Entry, Outcome};
use sallyport_client::Fault;
use sallyport_hub::{Unwritten, Write, WrongField};
use sallyport_ipc::{MissingRight, ProfileDraft, ProfileLook, ProfileProblem, ProfileVerdict, Shown};
use sallyport_model::{Digest, ErrorCode, NameError, ProfileName};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};
use text::{Problem, Written};

/// A profile that is being changed.
#[derive(Clone, Default)]
pub(super) struct Draft {
    /// Of the question that made it: an answer never takes the place of one to a later question.
    turn: u64,
    /// As the hub stored it when it was read; `None`: it is a new one.
    base: Option<Value>,
    /// What was looked at last and may be applied.
    looked: Option<Looked>,
}

/// A change that the hub would take.
#[derive(Clone)]
struct Looked {
    /// Of the object and of what it is written in place of.
    digest: String,
    name: ProfileName,
    object: Value,
    /// What the hub said that it would store.
    would_be: Value,
    /// What it changes, in words for the history.
    change: String,
}

impl Reach {
    pub(super) fn drafts(&self) -> MutexGuard<'_, BTreeMap<WorkspaceId, Draft>> {
        self.drafts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names of all profiles.
    ///
    /// # Errors
    /// When nobody is signed in, and when the hub does not say.
    pub(crate) async fn profile_names(&self) -> Result<Vec<Shown>, AppError> {
        let signed = self.person.signed()?;
        let listed = self.hub(&signed).profiles().await.map_err(of_hub)?;
        let malformed = listed.malformed.into_iter().map(|one| one.name);
        let names = listed.objects.into_iter().filter_map(|object| object.metadata.name).chain(malformed);
        let mut names: Vec<Shown> = names.map(Shown::from).collect();
        names.sort();
        Ok(names)
    }

    /// A profile as text.
    ///
    /// # Errors
    /// When there is none of this name, and when the hub does not say.
    pub(crate) async fn profile_text(
        &self,
        name: Option<String>,
        new: bool,
    ) -> Result<ProfileDraft, AppError> {
        let signed = self.person.signed()?;
        let (turn, hub) = (self.turn(), self.hub(&signed));
        let name: Option<ProfileName> = name
            .map(|name| name.parse())
            .transpose()
            .map_err(|e: NameError| AppError::new(ErrorCode::BadInput, e.to_string()))?;
        let stored = match &name {
            None => None,
            Some(name) => Some(hub.stored_profile(name).await.map_err(of_hub)?.ok_or_else(|| gone(name))?),
        };
        let text = match &stored {
            None => Ok(object::TEMPLATE.to_owned()),
            Some(stored) if new => object::like(stored),
            Some(stored) => object::text_of(stored),
        };
        let text = text.map_err(|why| AppError::failed(format!("it can't be shown as text: {why}")))?;
        let edited = name.as_ref().filter(|_| !new);
        let (may, rights) = futures::try_join!(
            hub.may_write_profile(edited),
            hub.rights(edited.map(std::slice::from_ref).unwrap_or_default())
        )
        .map_err(of_hub)?;
        let own = edited.and_then(|name| rights.profiles.get(name)).copied().and_then(remarks::own);
        let kept = stored.as_ref().filter(|_| !new).and_then(remarks::keeper);
        let draft = Draft { turn, base: stored.filter(|_| !new), looked: None };
        self.keep(&signed, draft);
        Ok(ProfileDraft {
            name: edited.map(Shown::of),
            lines: text.lines().map(Shown::from).collect(),
            lacks: (!may).then(|| lack(edited)),
            remarks: own.into_iter().chain(kept).map(Shown::from).collect(),
        })
    }

    /// Tries a text, and says what it would change.
    ///
    /// # Errors
    /// When nobody is signed in, when no profile was read before, and when the hub does not answer: nothing is changed by any.
    pub(crate) async fn profile_look(&self, text: String, again: bool) -> Result<ProfileLook, AppError> {
        let signed = self.person.signed()?;
        let mut draft = self.drafts().get(&signed.workspace).cloned().ok_or_else(not_read)?;
        (draft.turn, draft.looked) = (self.turn(), None);
        self.keep(&signed, draft.clone());
        let written = match text::read(&text) {
            Ok(written) => written,
            Err(problem) => return Ok(wrong(None, vec![problem])),
        };
        if again && let Some(name) = draft.base.as_ref().and_then(object::name_of) {
            match self.hub(&signed).stored_profile(&name).await.map_err(|fault| untried(&fault))? {
                // One of its name that was made since is another.
                Some(fresh)
                    if draft
                        .base
                        .as_ref()
                        .is_some_and(|base| base["metadata"]["uid"] == fresh["metadata"]["uid"]) =>
                {
                    draft.base = Some(fresh);
                }
                _ => return Ok(verdict(Some(&name), ProfileVerdict::Gone)),
            }
        }
        let problems = object::check(&written, draft.base.as_ref());
        let Some(name) = object::name_of(&written.object).filter(|_| problems.is_empty()) else {
            return Ok(wrong(object::name_of(&written.object).as_ref(), problems));
        };
        let look = self.tried(&signed, &name, &written, &mut draft).await?;
        self.keep(&signed, draft);
        Ok(ProfileLook { name: Shown::of(&name), ..look })
    }

    /// Tries it on the hub.
    async fn tried(
        &self,
        signed: &Signed,
        name: &ProfileName,
        written: &Written,
        draft: &mut Draft,
    ) -> Result<ProfileLook, AppError> {
        let (hub, object) = (self.hub(signed), object::to_write(&written.object, draft.base.as_ref()));
        let (verdict_said, would_be) = match hub.write_profile(name, &object, Write::Trial).await {
            Ok(answer) if draft.base.as_ref().is_some_and(|base| object::is_same(base, &answer)) => {
                return Ok(verdict(Some(name), ProfileVerdict::Same));
            }
            Ok(answer) => (ProfileVerdict::Taken, answer),
            Err(Unwritten::Changed) => return Ok(verdict(Some(name), ProfileVerdict::Changed)),
            Err(Unwritten::Gone) => return Ok(verdict(Some(name), ProfileVerdict::Gone)),
            Err(Unwritten::Exists) => {
                let line = written.line_of("metadata.name");
                let text =
                    format!("there is a profile {name} already; edit that one, or choose another name");
                return Ok(wrong(Some(name), vec![Problem::at(line, text)]));
            }
            Err(Unwritten::Invalid(fields)) => {
                let problem = |wrong: WrongField| {
                    let line = written.line_of(&wrong.field);
                    let text = match wrong.field.as_str() {
                        "" => wrong.message,
                        field => format!("{field}: {}", wrong.message),
                    };
                    Problem::at(line, text)
                };
                return Ok(wrong(Some(name), fields.into_iter().map(problem).collect()));
            }
            Err(Unwritten::Refused(why)) => {
                self.note_refused(signed, name, &why).await;
                // What it would change is told all the same, as far as the text alone says it.
                (ProfileVerdict::Refused { why: Shown::from(why) }, object.clone())
            }
            Err(Unwritten::Fault(fault)) => return Err(untried(&fault)),
        };
        let after = match object::profile_of(&would_be) {
            Ok(after) => after,
            Err(why) => return Ok(wrong(Some(name), vec![Problem::at(written.line_of("spec"), why)])),
        };
        let facts = facts::read(&*hub, signed, name).await;
        let difference = differs::between(&facts, draft.base.as_ref(), &would_be, &after);
        let mut look = verdict(Some(name), verdict_said);
        look.is_new = draft.base.is_none();
        if look.verdict == ProfileVerdict::Taken {
            let text = object.to_string();
            let looked = Looked {
                digest: Digest::of(text.as_bytes()).to_string(),
                name: name.clone(),
                change: differs::in_short(&difference),
                object,
                would_be,
            };
            look.digest = Shown::from(&looked.digest);
            draft.looked = Some(looked);
        }
        look.difference = Some(difference);
        Ok(look)
    }

    /// Applies what was looked at last.
    ///
    /// # Errors
    /// When it is another than that, and when the hub does not take it any more; an entry says so.
    pub(crate) async fn profile_apply(&self, digest: String) -> Result<(), AppError> {
        let signed = self.person.signed()?;
        let draft = self.drafts().get(&signed.workspace).cloned().unwrap_or_default();
        let looked = draft.looked.filter(|looked| looked.digest == digest).ok_or_else(|| {
            AppError::new(
                ErrorCode::BadInput,
                "this is not the change that was looked at last; nothing was applied",
            )
            .hint("Look at the change again, then apply what you see.")
        })?;
        let done = self.hub(&signed).write_profile(&looked.name, &looked.object, Write::Real).await;
        let done = match done {
            // Also where something in between answered: the write may have gone on.
            Err(Unwritten::Fault(fault)) => self.found_out(&signed, &looked, fault).await,
            done => done.map_err(|unwritten| not_applied(&looked.name, unwritten)),
        };
        let entry = Entry::new(Action::ProfileChanged)
            .user(&signed.who.user)
            .detail("profile", looked.name.as_str())
            .detail("change", &looked.change);
        let entry =
            if looked.object["metadata"]["uid"].is_null() { entry.detail("new", "yes") } else { entry };
        match done {
            Ok(stored) => {
                let generation = stored["metadata"]["generation"].as_i64().unwrap_or_default();
                let uid = stored["metadata"]["uid"].as_str().unwrap_or_default();
                self.history.note(entry.detail("revision", format!("{uid}/{generation}"))).await;
                self.keep(&signed, Draft { turn: draft.turn, base: Some(stored), looked: None });
                Ok(())
            }
            Err(error) => {
                let outcome = match error.code() {
                    ErrorCode::Forbidden | ErrorCode::BadInput | ErrorCode::ProfileChanged => {
                        Outcome::Refused
                    }
                    ErrorCode::Unreachable => Outcome::Unknown,
                    _ => Outcome::Failed,
                };
                self.history.note(entry.outcome(outcome).detail("why", error.message())).await;
                Err(error)
            }
        }
    }

    /// Whether a write whose answer was lost was carried out.
    async fn found_out(&self, signed: &Signed, looked: &Looked, fault: Fault) -> Result<Value, AppError> {
        match self.hub(signed).stored_profile(&looked.name).await {
            Ok(Some(now)) if object::is_same(&now, &looked.would_be) => Ok(now),
            Ok(_) => Err(AppError::new(
                ErrorCode::Unreachable,
                format!("the hub did not say whether it took this: {fault}; a moment later it had not"),
            )
            .hint("Look at the change again in a moment, then apply it.")
            .retry()),
            Err(_) => Err(AppError::new(
                ErrorCode::Unreachable,
                format!("the hub did not say whether it took this: {fault}; it may have"),
            )
            .hint("When it answers again, read the profile anew to see.")
            .retry()),
        }
    }

    fn keep(&self, signed: &Signed, draft: Draft) {
        let mut drafts = self.drafts();
        let is_last = drafts.get(&signed.workspace).is_none_or(|later| later.turn <= draft.turn);
        // Signed out meanwhile: nothing of it is kept.
        if is_last && !signed.stop.is_cancelled() {
            drafts.insert(signed.workspace.clone(), draft);
        }
    }

    async fn note_refused(&self, signed: &Signed, name: &ProfileName, why: &str) {
        let entry = Entry::new(Action::ProfileChanged).user(&signed.who.user).outcome(Outcome::Refused);
        self.history
            .note(entry.detail("profile", name.as_str()).detail("why", why).detail("trial", "yes"))
            .await;
    }
}

fn verdict(name: Option<&ProfileName>, verdict: ProfileVerdict) -> ProfileLook {
    ProfileLook {
        digest: Shown::default(),
        name: name.map(Shown::of).unwrap_or_default(),
        is_new: false,
        verdict,
        problems: Vec::new(),
        difference: None,
    }
}

fn wrong(name: Option<&ProfileName>, problems: Vec<Problem>) -> ProfileLook {
    let problem = |one: Problem| ProfileProblem { line: one.line, text: Shown::from(one.text) };
    ProfileLook {
        problems: problems.into_iter().map(problem).collect(),
        ..verdict(name, ProfileVerdict::Wrong)
    }
}

/// The right that changing it takes.
fn lack(name: Option<&ProfileName>) -> MissingRight {
    let what = match name {
        Some(name) => format!("update accessprofiles.access.sallyport.dev/{name}"),
        None => "create accessprofiles.access.sallyport.dev".to_owned(),
    };
    MissingRight { what: Shown::from(what), given_by: Shown::from(EDITOR) }
}

fn gone(name: &ProfileName) -> AppError {
    AppError::new(ErrorCode::BadInput, format!("there is no profile {name} on this hub any more"))
        .hint("Look again who can ask for what, or make a new one.")
}

fn not_read() -> AppError {
    AppError::new(ErrorCode::BadInput, "no profile was read to compare this with")
        .hint("Open the profile again.")
}

fn untried(fault: &Fault) -> AppError {
    let code = if fault.may_pass() { ErrorCode::Unreachable } else { ErrorCode::Failed };
    let error = AppError::new(code, format!("the hub did not say whether it would take this: {fault}"))
        .hint("Nothing was changed, and the text is as you wrote it. Look at the change again.");
    if fault.may_pass() { error.retry() } else { error }
}

fn not_applied(name: &ProfileName, unwritten: Unwritten) -> AppError {
    let refused = |code, message: String| AppError::new(code, message);
    match unwritten {
        Unwritten::Changed => refused(
            ErrorCode::ProfileChanged,
            format!("somebody else changed profile {name} since you looked, so nothing was applied"),
        )
        .hint("Look again: your text is compared with the profile as it is now."),
        Unwritten::Gone => gone(name),
        Unwritten::Exists => refused(
            ErrorCode::BadInput,
            format!("somebody else made a profile {name} meanwhile, so nothing was applied"),
        )
        .hint("Edit that one, or choose another name."),
        Unwritten::Refused(why) => refused(ErrorCode::Forbidden, format!("the hub did not take it: {why}"))
            .hint("Nothing was changed. Copy the text for somebody who may apply it."),
        Unwritten::Invalid(fields) => refused(
            ErrorCode::BadInput,
            format!(
                "the hub did not take it: {}",
                fields.iter().map(|one| one.message.as_str()).collect::<Vec<_>>().join("; ")
            ),
        )
        .hint("Look at the change again."),
        Unwritten::Fault(fault) => of_hub(fault),
    }
}
