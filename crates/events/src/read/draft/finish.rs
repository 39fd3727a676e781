//! What was read of an object as an event: its secrets taken out, what it lacks from its address, and where each field
//! came from.

use super::{Draft, NAME, owned_key};
use crate::clean::{self, Holds, quoted};
use crate::read::place::place;
use crate::scan::Scan;
use crate::{Came, Decision, Event, Field, Flaw, Object, Stage, Stages, Text};
use sallyport_audit::REDACTED;
use sallyport_model::SessionAccount;
use std::borrow::Cow;
use std::ops::Range;

impl<'a> Draft<'a> {
    /// The event: cleaned, bounded, and with where each field came from.
    pub(in crate::read) fn finish(mut self, has_tail: bool) -> Box<Event<'a>> {
        if self.stopped || has_tail {
            self.event.flaws.note(Flaw::Partial);
        }
        if matches!(self.api_version.as_deref(), Some("audit.k8s.io/v1beta1" | "audit.k8s.io/v1alpha1")) {
            self.event.flaws.note(Flaw::OldShape);
        }
        if self.event.flaws.has(Flaw::Partial) && !self.has_object {
            self.place();
        }
        let mut splices = std::mem::take(&mut self.extra_at);
        self.times();
        self.texts(&mut splices);
        self.noted(&mut splices);
        self.bodies(&mut splices);
        self.event.redactions = self.done.redactions;
        self.event.raw = self.raw(splices, has_tail);
        if self.done.is_clipped {
            self.event.flaws.note(Flaw::Clipped);
        }
        let user = self.event.user.name.as_ref();
        self.event.account = SessionAccount::of_user(user);
        let extra = self.event.user.extra.iter();
        self.event.credential = extra
            .filter(|(key, _)| key == "authentication.kubernetes.io/credential-id")
            .find_map(|(_, values)| values.first().cloned());
        self.provenance();
        self.event
    }

    /// What it is about, from its address.
    fn place(&mut self) {
        let Some(place) = place(&self.event.uri, self.uri_at.is_empty()) else { return };
        let done = &mut self.done;
        let mut name = |text: String| done.text(Cow::Owned(text), NAME).0;
        self.event.object = Some(Object {
            group: name(place.group),
            version: name(place.version),
            namespace: name(place.namespace),
            resource: name(place.resource),
            name: name(place.name),
            subresource: name(place.subresource),
        });
        self.inferred.0 = true;
        if place.is_watch && self.event.verb.is_empty() {
            self.event.verb = Cow::Borrowed("watch");
            self.inferred.1 = true;
        }
    }

    fn times(&mut self) {
        if self.event.received_at.is_none() {
            self.event.received_at = self.old_at.filter(|_| self.stage != Some(Stage::ResponseComplete));
        }
        let at = self.stage_at.or(self.old_at);
        match self.stage {
            Some(Stage::RequestReceived) => self.event.received_at = self.event.received_at.or(at),
            Some(Stage::ResponseStarted) => self.event.started_at = at,
            Some(Stage::ResponseComplete | Stage::Panic) => self.event.completed_at = at,
            // Where its stage was cut off, its time alone is known.
            None => self.event.received_at = self.event.received_at.or(at),
        }
        if let Some(stage) = self.stage {
            self.event.stages = Stages::one(stage);
        }
    }

    /// The texts in which a secret may be.
    fn texts(&mut self, splices: &mut Vec<(Range<usize>, String)>) {
        let done = &mut self.done;
        let uri = std::mem::take(&mut self.event.uri);
        let is_exec = match &self.event.object {
            Some(object) if !object.subresource.is_empty() => object.subresource == "exec",
            _ => uri.split('?').next().is_some_and(|path| path.ends_with("/exec")),
        };
        let before = done.redactions;
        let (uri, changed, command) = done.uri(uri, is_exec);
        if changed && !self.uri_at.is_empty() {
            splices.push((self.uri_at.clone(), quoted(&uri)));
        }
        self.event.uri = uri;
        self.event.command = command;
        // A name that is a secret in the address is one in the name as well.
        if done.redactions > before
            && !self.inferred.0
            && let Some(object) = &mut self.event.object
        {
            let counted = done.redactions;
            let (name, changed) = done.text(std::mem::take(&mut object.name), NAME);
            object.name = name;
            done.redactions = counted;
            if changed {
                // It stands in `raw` too, in a place that is not known any more.
                self.good = 0;
            }
        }
        let is_quoting = self.event.message.is_some() && self.holds() == Holds::Data;
        let done = &mut self.done;
        let quoting = self.event.message.as_deref().filter(|_| is_quoting).and_then(clean::unquoted);
        let is_unquoted = quoting.is_some();
        if let Some(said) = quoting {
            self.event.message = Some(Cow::Owned(said));
            done.redactions += 1;
        }
        for (text, at, is_changed) in [
            (&mut self.event.user_agent, &self.agent_at, false),
            (&mut self.event.message, &self.message_at, is_unquoted),
        ] {
            let Some(said) = text.take() else { continue };
            let (said, changed) = done.text(said, clean::TEXT_MOST);
            if changed || is_changed {
                splices.push((at.clone(), quoted(&said)));
            }
            *text = Some(said);
        }
    }

    /// The annotations.
    fn noted(&mut self, splices: &mut Vec<(Range<usize>, String)>) {
        let holds = self.holds();
        for (key, value, at) in std::mem::take(&mut self.annotations) {
            let (value, changed) = self.noted_value(&key, value, holds);
            if changed {
                splices.push((at, quoted(&value)));
            }
            let event = &mut *self.event;
            match &*key {
                "authorization.k8s.io/decision" => {
                    event.decision = match &*value {
                        "allow" => Some(Decision::Allow),
                        "forbid" => Some(Decision::Forbid),
                        _ => None,
                    }
                }
                "authorization.k8s.io/reason" => event.decision_reason = Some(value),
                "authentication.kubernetes.io/issued-credential-id" => event.issued_credential = Some(value),
                "audit.k8s.io/truncated" if value == "true" => event.flaws.note(Flaw::Truncated),
                key if is_notable(key) && event.annotations.len() < 32 => {
                    let key = self.done.name(owned_key(key), NAME);
                    event.annotations.push((key, value));
                }
                _ => {}
            }
        }
    }

    /// What is kept of an annotation, and whether that is something else.
    fn noted_value(&mut self, key: &str, value: Text<'a>, holds: Holds) -> (Text<'a>, bool) {
        if clean::is_secret(key) && !value.is_empty() && value != REDACTED {
            self.done.redactions += 1;
            return (Cow::Borrowed(REDACTED), true);
        }
        if value == "allow" || value == "forbid" {
            return (value, false);
        }
        if !key.starts_with("patch.webhook.") {
            return self.noted_text(value, 4 * clean::TEXT_MOST, holds);
        }
        // What a webhook changed is part of the object.
        self.noted_body(value, holds)
    }

    /// A text in which somebody may note a part of an object.
    pub(super) fn noted_text(&mut self, value: Text<'a>, most: usize, holds: Holds) -> (Text<'a>, bool) {
        if !(clean::begins_json(&value) && is_json(&value)) {
            return self.done.text(value, most);
        }
        let (value, changed) = self.noted_body(value, holds);
        let (value, cut) = self.done.text(value, most);
        (value, changed || cut)
    }

    fn noted_body(&mut self, value: Text<'a>, holds: Holds) -> (Text<'a>, bool) {
        let kept = clean::body(None, &value, holds);
        self.done.redactions += kept.redactions;
        self.done.is_clipped |= kept.is_left_out;
        let changed = kept.instead.is_some();
        (kept.instead.map_or(value, Cow::Owned), changed)
    }

    /// What the objects of the call hold: by what it is about, and by its address where it does not say.
    fn holds(&self) -> Holds {
        match &self.event.object {
            Some(object) if !object.resource.is_empty() => Holds::of(&object.resource),
            _ => {
                let path = self.event.uri.split('?').next().unwrap_or_default();
                let is_data = path.split('/').any(|part| Holds::of(part) == Holds::Data);
                if is_data { Holds::Data } else { Holds::Other }
            }
        }
    }

    fn bodies(&mut self, splices: &mut Vec<(Range<usize>, String)>) {
        let holds = self.holds();
        for (at, is_request) in [(self.request_at.take(), true), (self.response_at.take(), false)] {
            let Some(at) = at else { continue };
            let kept = clean::body(None, &self.text[at.clone()], holds);
            self.done.redactions += kept.redactions;
            self.done.is_clipped |= kept.is_left_out;
            splices.extend(kept.instead.map(|instead| (at, instead)));
            let body = Some(kept.facts);
            if is_request { self.event.request = body } else { self.event.response = body }
        }
        for (key, at) in std::mem::take(&mut self.others) {
            let kept = clean::body(Some(&key), &self.text[at.clone()], holds);
            self.done.redactions += kept.redactions;
            self.done.is_clipped |= kept.is_left_out;
            splices.extend(kept.instead.map(|instead| (at, instead)));
        }
    }

    /// The text, what had to be changed changed, and without what could not be read.
    fn raw(&mut self, mut splices: Vec<(Range<usize>, String)>, has_tail: bool) -> Text<'a> {
        if self.event.flaws.has(Flaw::DuplicateKey) || self.event.flaws.has(Flaw::WrongType) {
            // Where things stand is not enough to know what is in it.
            self.good = 0;
            if !self.stopped
                && !has_tail
                && let Some((raw, redactions)) = clean::whole(self.text, self.holds())
            {
                self.event.redactions = self.event.redactions.max(redactions);
                return self.fitting(raw);
            }
        }
        let end = if self.stopped || has_tail || self.good == 0 { self.good } else { self.text.len() };
        let is_whole = !self.stopped && !has_tail && self.good > 0;
        if is_whole && splices.is_empty() && self.text.len() <= crate::read::RAW_MOST {
            return Cow::Borrowed(self.text);
        }
        splices.sort_by_key(|(range, _)| range.start);
        let mut out = String::with_capacity(end.min(crate::read::RAW_MOST) + 64);
        let mut at = 0;
        for (range, instead) in splices {
            if range.start < at || range.end > end {
                continue;
            }
            out.push_str(&self.text[at..range.start]);
            out.push_str(&instead);
            at = range.end;
        }
        out.push_str(&self.text[at..end]);
        if !is_whole {
            out.push_str(&format!("…{}", clean::left_out(self.text.len() - end)));
        }
        self.fitting(out)
    }

    fn fitting(&mut self, text: String) -> Text<'a> {
        let cut = (text.len() > crate::read::RAW_MOST)
            .then(|| sallyport_audit::ends(&text, crate::read::RAW_MOST))
            .flatten();
        self.done.is_clipped |= cut.is_some();
        Cow::Owned(cut.unwrap_or(text))
    }

    fn provenance(&mut self) {
        let event = &mut *self.event;
        let is_partial = event.flaws.has(Flaw::Partial);
        let uri = if is_partial && self.uri_at.is_empty() { Came::Normalised } else { Came::Raw };
        let inferred = |is_inferred: bool| if is_inferred { Came::Inferred } else { Came::Raw };
        let told = [
            (Field::AuditId, !event.audit_id.is_empty(), Came::Raw),
            (Field::Level, event.level.is_some(), Came::Raw),
            (Field::Stage, event.stages != Stages::default(), Came::Raw),
            (Field::Verb, !event.verb.is_empty(), inferred(self.inferred.1)),
            (Field::User, self.seen & (1 << 7) != 0, Came::Raw),
            (Field::Impersonated, event.impersonated.is_some(), Came::Raw),
            (Field::SourceIps, !event.source_ips.is_empty(), Came::Raw),
            (Field::UserAgent, event.user_agent.is_some(), Came::Raw),
            (Field::Object, event.object.is_some(), inferred(self.inferred.0)),
            (Field::Uri, !event.uri.is_empty(), uri),
            (Field::Command, !event.command.is_empty(), Came::Normalised),
            (Field::Code, event.code.is_some(), Came::Raw),
            (Field::Decision, event.decision.is_some(), Came::Raw),
            (Field::Credential, event.credential.is_some(), Came::Raw),
            (Field::ReceivedAt, event.received_at.is_some(), Came::Raw),
            (Field::StartedAt, event.started_at.is_some(), Came::Raw),
            (Field::CompletedAt, event.completed_at.is_some(), Came::Raw),
        ];
        for (field, _, came) in told.into_iter().filter(|(_, is_told, _)| *is_told) {
            event.provenance.note(field, came);
        }
        if self.old_at.is_some() && self.seen & (1 << 15) == 0 && event.received_at.is_some() {
            event.provenance.note(Field::ReceivedAt, Came::Normalised);
        }
    }
}

fn is_json(text: &str) -> bool {
    let mut scan = Scan::new(text);
    scan.skip().is_ok() && scan.is_over()
}

/// Annotations that a person may want to be told of.
fn is_notable(key: &str) -> bool {
    const NOTABLE: [&str; 9] = [
        "pod-security.kubernetes.io/",
        "validation.policy.admission.k8s.io/",
        "failed-open.",
        "k8s.io/",
        "authentication.k8s.io/",
        "apiserver.k8s.io/",
        "missing-san.",
        "insecure-sha1.",
        "authentication.kubernetes.io/",
    ];
    NOTABLE.iter().any(|start| key.starts_with(start))
}
