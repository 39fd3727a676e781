//! Which calls are wanted.

use crate::ArchiveError;
use crate::block::{Meta, Part};
use crate::coding::Marked;
use crate::column::{AT, Column, FORBID};
use crate::marks::Marks;
use crate::segment::{Segment, Unread, View};
use sallyport_events::{Flaw, Stage, Stages, is_denied};
use std::collections::HashSet;
use std::sync::Arc;

/// Which calls are wanted; what is not said does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    only: Vec<(Column, Vec<String>)>,
    person: Option<String>,
    text: Option<String>,
    codes: Option<(u16, u16)>,
    but_codes: Option<(u16, u16)>,
    is_denied: bool,
    is_let_through: bool,
    resources: Vec<(String, Option<String>)>,
    /// By a session's account, or with one of these credentials.
    sessions: Option<Vec<String>>,
    told: Told,
    from: Option<i64>,
    to: Option<i64>,
}

/// What an event has to tell of its call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    is_ended: bool,
    is_begun: bool,
    is_partial: bool,
    stages: Stages,
}

impl Told {
    fn is_wanted(self, marks: &Marks) -> bool {
        let begins = marks.begins();
        let is_stage = self.stages == Stages::default() || self.stages.bits() & marks.stages.bits() != 0;
        !(self.is_ended && begins)
            && (begins || !self.is_begun)
            && (!self.is_partial || marks.flaws.has(Flaw::Partial))
            && is_stage
    }
}

impl Filter {
    /// Only calls with this text in a column; of several for the same column, with one of them.
    #[must_use]
    pub fn only(mut self, column: Column, text: impl Into<String>) -> Self {
        match self.only.iter_mut().find(|(of, _)| *of == column) {
            Some((_, texts)) => texts.push(text.into()),
            None => self.only.push((column, vec![text.into()])),
        }
        self
    }

    /// Only calls that somebody made, as themselves or as somebody else, or that somebody else made as them.
    #[must_use]
    pub fn person(mut self, name: impl Into<String>) -> Self {
        self.person = Some(name.into());
        self
    }

    /// Only calls that say this anywhere people would look for it, in whatever case.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into()).filter(|text| !text.is_empty());
        self
    }

    /// Only calls whose HTTP status is one of these, both ends included.
    #[must_use]
    pub fn codes(mut self, from: u16, to: u16) -> Self {
        self.codes = Some((from, to));
        self
    }

    /// Only calls whose HTTP status is none of these, both ends included. A call of which no status is told fits.
    #[must_use]
    pub fn but_codes(mut self, from: u16, to: u16) -> Self {
        self.but_codes = Some((from, to));
        self
    }

    /// Only calls that were denied ([`sallyport_events::is_denied`]): by an authorizer, or by admission after it allowed them.
    #[must_use]
    pub fn denied(mut self) -> Self {
        self.is_denied = true;
        self
    }

    /// Only calls that were not denied: what [`Filter::denied`] leaves out. A call of which neither status nor decision is
    /// told fits.
    #[must_use]
    pub fn let_through(mut self) -> Self {
        self.is_let_through = true;
        self
    }

    /// Only calls about one of these resources, each as kubectl writes it, with a subresource; any subresource or none
    /// where that is `None`, and only the resource itself where it is empty. An empty list does not restrict.
    #[must_use]
    pub fn resources(mut self, resources: Vec<(String, Option<String>)>) -> Self {
        self.resources = resources;
        self
    }

    /// Only calls by the account of a session, whichever, and calls made with one of these credentials (`JTI=…`).
    #[must_use]
    pub fn sessions(mut self, credentials: Vec<String>) -> Self {
        self.sessions = Some(credentials);
        self
    }

    /// Without events that tell no more than that a call began (`RequestReceived`, `ResponseStarted`), so that a call
    /// is not found twice. An event that does not say its stage stays: it may be the only one.
    #[must_use]
    pub fn ended(mut self) -> Self {
        self.told.is_ended = true;
        self
    }

    /// Only events that tell no more than that a call began: what [`Filter::ended`] leaves out.
    #[must_use]
    pub fn begun(mut self) -> Self {
        self.told.is_begun = true;
        self
    }

    /// Only events that tell of this stage; of several, of one of them.
    #[must_use]
    pub fn stage(mut self, stage: Stage) -> Self {
        self.told.stages = self.told.stages.with(Stages::one(stage));
        self
    }

    /// Only events of which something is missing.
    #[must_use]
    pub fn partial(mut self) -> Self {
        self.told.is_partial = true;
        self
    }

    /// Only calls from this moment on, in microseconds of Unix time.
    #[must_use]
    pub fn from(mut self, at: i64) -> Self {
        self.from = Some(at);
        self
    }

    /// Only calls before this moment, in microseconds of Unix time.
    #[must_use]
    pub fn to(mut self, at: i64) -> Self {
        self.to = Some(at);
        self
    }

    /// The first moment that is wanted, and the first after it that is not.
    pub(crate) fn range(&self) -> (i64, i64) {
        (self.from.unwrap_or(i64::MIN), self.to.unwrap_or(i64::MAX))
    }

    /// What it comes to in a segment; `None` when no call of it can be wanted.
    pub(crate) fn of(&self, segment: &Segment, view: &View) -> Result<Option<Wanted>, ArchiveError> {
        let (from, to) = self.range();
        if view.events == 0 || view.at_max < from || view.at_min >= to {
            return Ok(None);
        }
        let mut wanted = Wanted { from, to, ..Wanted::default() };
        for (column, texts) in &self.only {
            let mut words = Vec::new();
            for text in texts {
                words.extend(segment.word(*column, text)?);
            }
            if !wanted.all(*column, words) {
                return Ok(None);
            }
        }
        if let Some((low, high)) = self.codes {
            let is_wanted = |code: &str| code.parse().is_ok_and(|code: u16| (low..=high).contains(&code));
            if !wanted.all(Column::Code, segment.words_where(Column::Code, is_wanted)?) {
                return Ok(None);
            }
        }
        if let Some((low, high)) = self.but_codes {
            let is_wanted = |code: &str| !code.parse().is_ok_and(|code: u16| (low..=high).contains(&code));
            let mut words = segment.words_where(Column::Code, is_wanted)?;
            // Those that have none.
            words.push(0);
            wanted.all(Column::Code, words);
        }
        if self.is_denied {
            let is_wanted = |code: &str| code.parse().is_ok_and(|code| is_denied(false, Some(code)));
            let of_code = segment.words_where(Column::Code, is_wanted)?;
            let of_decision = Vec::from_iter(segment.word(Column::Decision, FORBID)?);
            let of = [(Column::Code, of_code), (Column::Decision, of_decision)];
            let either = Vec::from_iter(of.into_iter().filter(|(_, words)| !words.is_empty()));
            if either.is_empty() {
                return Ok(None);
            }
            wanted.any.push(either);
        }
        if self.is_let_through {
            let is_wanted = |code: &str| !code.parse().is_ok_and(|code| is_denied(false, Some(code)));
            let decisions = segment.words_where(Column::Decision, |decision| decision != FORBID)?;
            for (column, mut words) in
                [(Column::Code, segment.words_where(Column::Code, is_wanted)?), (Column::Decision, decisions)]
            {
                // Those that have none.
                words.push(0);
                wanted.all(column, words);
            }
        }
        if self.told != Told::default() {
            let is_wanted = |marks: &str| self.told.is_wanted(&Marks::read(marks));
            if !wanted.all(Column::Marks, segment.words_where(Column::Marks, is_wanted)?) {
                return Ok(None);
            }
        }
        if !self.resources.is_empty() {
            for (resource, subresource) in &self.resources {
                let Some(resource) = segment.word(Column::Resource, resource)? else { continue };
                match subresource {
                    None => wanted.resources.push((resource, None)),
                    Some(subresource) => {
                        let word = segment.word(Column::Subresource, subresource)?;
                        wanted.resources.extend(word.map(|word| (resource, Some(word))));
                    }
                }
            }
            // Which blocks may have one is known without reading them.
            let words = wanted.resources.iter().map(|(resource, _)| *resource).collect();
            if !wanted.all(Column::Resource, words) {
                return Ok(None);
            }
        }
        if let Some(person) = &self.person {
            let mut either = Vec::new();
            for column in [Column::User, Column::Impersonated] {
                either.extend(segment.word(column, person)?.map(|word| (column, vec![word])));
            }
            if either.is_empty() {
                return Ok(None);
            }
            wanted.any.push(either);
        }
        if let Some(credentials) = &self.sessions {
            let with: HashSet<&str> = credentials.iter().map(String::as_str).collect();
            let mut either = Vec::new();
            for (column, mut words) in [
                (Column::Session, segment.words_where(Column::Session, |account| !account.is_empty())?),
                (Column::Credential, segment.words_where(Column::Credential, |one| with.contains(one))?),
            ] {
                words.sort_unstable();
                if !words.is_empty() {
                    either.push((column, words));
                }
            }
            if either.is_empty() {
                return Ok(None);
            }
            wanted.any.push(either);
        }
        if let Some(text) = &self.text {
            let mut either = Vec::new();
            for column in Column::TEXT {
                let words = segment.containing(column, text)?;
                if !words.is_empty() {
                    either.push((column, words));
                }
            }
            if either.is_empty() {
                return Ok(None);
            }
            wanted.any.push(either);
        }
        Ok(Some(wanted))
    }
}

/// A filter in the words of a segment.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Each of these columns has one of its words, which are sorted.
    all: Vec<(Column, Vec<u32>)>,
    /// Of each of these, one column has one of its words.
    any: Vec<Vec<(Column, Vec<u32>)>>,
    /// One of these resources, with the subresource where there is one; any without it. None do not restrict.
    resources: Vec<(u32, Option<u32>)>,
    from: i64,
    to: i64,
}

/// The calls of a block that are wanted.
#[derive(Debug)]
pub(crate) struct Hits {
    /// Which; all of them without it.
    pub(crate) marks: Option<Vec<bool>>,
    pub(crate) count: usize,
}

impl Hits {
    /// Their places in the block.
    pub(crate) fn calls(&self, calls: usize) -> impl Iterator<Item = usize> + '_ {
        (0..calls).filter(|call| self.marks.as_ref().is_none_or(|marks| marks[*call]))
    }
}

impl Wanted {
    fn all(&mut self, column: Column, mut words: Vec<u32>) -> bool {
        words.sort_unstable();
        words.dedup();
        let is_possible = !words.is_empty();
        self.all.push((column, words));
        is_possible
    }

    /// Whether a block may have a wanted call, by what is known without reading it.
    pub(crate) fn may_be_in(&self, meta: &Meta) -> bool {
        meta.at_max >= self.from
            && meta.at_min < self.to
            && self.all.iter().all(|(column, words)| meta.may_have(*column, words))
            && self
                .any
                .iter()
                .all(|either| either.iter().any(|(column, words)| meta.may_have(*column, words)))
    }

    /// The wanted calls of a block; `None` when there are none.
    pub(crate) fn in_block(&self, segment: &Segment, meta: &Meta) -> Result<Option<Hits>, Unread> {
        if !self.may_be_in(meta) {
            return Ok(None);
        }
        let mut marks: Option<Vec<bool>> = None;
        let narrow = |marks: &mut Option<Vec<bool>>, more: Vec<bool>| match marks {
            Some(marks) => marks.iter_mut().zip(more).for_each(|(mark, more)| *mark &= more),
            None => *marks = Some(more),
        };
        for (column, words) in &self.all {
            let part = codes(segment, meta, *column)?;
            let Part::Codes(codes) = &*part else { continue };
            let mut more = vec![false; meta.calls];
            match codes.mark(words, &mut more) {
                Marked::None => return Ok(None),
                Marked::All => {}
                Marked::Some => narrow(&mut marks, more),
            }
        }
        for either in &self.any {
            let mut more = vec![false; meta.calls];
            for (column, words) in either.iter().filter(|(column, words)| meta.may_have(*column, words)) {
                let part = codes(segment, meta, *column)?;
                let Part::Codes(codes) = &*part else { continue };
                if codes.mark(words, &mut more) == Marked::All {
                    break;
                }
            }
            narrow(&mut marks, more);
        }
        // Where no subresource is asked for, the column of resources has said all.
        if self.resources.iter().any(|(_, subresource)| subresource.is_some()) {
            narrow(&mut marks, self.about(segment, meta)?);
        }
        if meta.at_min < self.from || meta.at_max >= self.to {
            let part = segment.part(meta, AT)?;
            let Part::Numbers(at) = &*part else { return Ok(None) };
            narrow(&mut marks, at.iter().map(|at| (self.from..self.to).contains(at)).collect());
        }
        let count = marks.as_ref().map_or(meta.calls, |marks| marks.iter().filter(|mark| **mark).count());
        Ok((count > 0).then_some(Hits { marks, count }))
    }
}

impl Wanted {
    /// Which calls of a block are about one of the resources.
    fn about(&self, segment: &Segment, meta: &Meta) -> Result<Vec<bool>, Unread> {
        let resources = codes(segment, meta, Column::Resource)?;
        let subresources = codes(segment, meta, Column::Subresource)?;
        let (Part::Codes(resources), Part::Codes(subresources)) = (&*resources, &*subresources) else {
            return Ok(vec![false; meta.calls]);
        };
        let mut about = vec![false; meta.calls];
        for (resource, subresource) in &self.resources {
            let mut these = vec![false; meta.calls];
            resources.mark(&[*resource], &mut these);
            if let Some(subresource) = subresource {
                let mut with = vec![false; meta.calls];
                subresources.mark(&[*subresource], &mut with);
                these.iter_mut().zip(with).for_each(|(is, with)| *is &= with);
            }
            about.iter_mut().zip(these).for_each(|(is, this)| *is |= this);
        }
        Ok(about)
    }
}

fn codes(segment: &Segment, meta: &Meta, column: Column) -> Result<Arc<Part>, Unread> {
    segment.part(meta, column as u8)
}
