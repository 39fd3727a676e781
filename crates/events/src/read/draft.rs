//! One object as an audit event, read key by key in one pass, up to where it can be read.

mod finish;

use crate::clean::{self, Done, Holds, quoted};
use crate::scan::{Scan, Step};
use crate::{Body, Event, Flaw, Level, Object, Stage, Text, User, time};
use sallyport_audit::REDACTED;
use std::borrow::Cow;
use std::ops::Range;

/// The most that is kept of names, groups and the like: texts, and characters of each.
const NAMES: usize = 64;
const NAME: usize = 512;

/// A key that something else may be wrapped under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrap {
    Items,
    Proto,
    Properties,
    Category,
    Records,
    LogEvents,
    Message,
    Time,
    LogGroup,
}

/// An object while it is read.
pub(super) struct Draft<'a> {
    text: &'a str,
    event: Box<Event<'a>>,
    pub(super) kind: Option<Text<'a>>,
    pub(super) api_version: Option<Text<'a>>,
    stage: Option<Stage>,
    stage_at: Option<i64>,
    old_at: Option<i64>,
    /// The keys that were seen, one bit each.
    seen: u32,
    /// Where the last field ended that could be read whole.
    good: usize,
    /// Whether the text stops before the object does.
    pub(super) stopped: bool,
    uri_at: Range<usize>,
    /// Whether what it is about was read to its end.
    has_object: bool,
    /// Whether what it is about, and what was done to it, follow from its address.
    inferred: (bool, bool),
    agent_at: Range<usize>,
    message_at: Range<usize>,
    extra_at: Vec<(Range<usize>, String)>,
    annotations: Vec<(Text<'a>, Text<'a>, Range<usize>)>,
    request_at: Option<Range<usize>>,
    response_at: Option<Range<usize>>,
    /// What is kept in `raw` alone, and looked through as a whole.
    others: Vec<(Text<'a>, Range<usize>)>,
    /// Where something wrapped begins.
    pub(super) wraps: Vec<(Wrap, usize)>,
    done: Done,
}

impl<'a> Draft<'a> {
    /// Reads as far as it goes.
    pub(super) fn read(scan: &mut Scan<'a>, text: &'a str) -> Self {
        let mut draft = Self {
            text,
            event: Box::default(),
            kind: None,
            api_version: None,
            stage: None,
            stage_at: None,
            old_at: None,
            seen: 0,
            good: 0,
            stopped: false,
            uri_at: 0..0,
            has_object: false,
            inferred: (false, false),
            agent_at: 0..0,
            message_at: 0..0,
            extra_at: Vec::new(),
            annotations: Vec::new(),
            request_at: None,
            response_at: None,
            others: Vec::new(),
            wraps: Vec::new(),
            done: Done::default(),
        };
        draft.stopped = draft.fields(scan).is_err();
        draft.event.flaws.add(scan.flaws);
        draft
    }

    fn fields(&mut self, scan: &mut Scan<'a>) -> Step<()> {
        let mut first = true;
        scan.object()?;
        self.good = scan.at();
        while let Some(key) = scan.key(&mut first)? {
            self.field(&key, scan)?;
            self.good = scan.at();
        }
        Ok(())
    }

    /// Notes that a key was seen.
    fn see(&mut self, bit: u32) {
        if self.seen & (1 << bit) != 0 {
            self.event.flaws.note(Flaw::DuplicateKey);
        }
        self.seen |= 1 << bit;
    }

    fn field(&mut self, key: &str, scan: &mut Scan<'a>) -> Step<()> {
        match key {
            "kind" => {
                self.see(0);
                self.kind = scan.text()?;
            }
            "apiVersion" => {
                self.see(1);
                self.api_version = scan.text()?;
            }
            "level" => {
                self.see(2);
                self.event.level = scan.text()?.and_then(|level| Level::of(&level));
            }
            "auditID" => {
                self.see(3);
                let id = scan.text()?.unwrap_or_default();
                self.event.audit_id = self.done.name(id, 256);
            }
            "stage" => {
                self.see(4);
                self.stage = scan.text()?.and_then(|stage| Stage::of(&stage));
            }
            "requestURI" => {
                self.see(5);
                let read = scan.text();
                if read.is_err() {
                    // Of an address that was cut, what there is of it.
                    self.event.uri = scan.torn.take().unwrap_or_default();
                    self.uri_at = 0..0;
                }
                self.event.uri = read?.unwrap_or_default();
                self.uri_at = scan.last.clone();
            }
            "verb" => {
                self.see(6);
                let verb = scan.text()?.unwrap_or_default();
                self.event.verb = self.done.name(verb, 64);
            }
            "user" => {
                self.see(7);
                self.event.user = User::default();
                let mut user = std::mem::take(&mut self.event.user);
                let read = self.user(scan, &mut user);
                self.event.user = user;
                read?;
            }
            "impersonatedUser" => {
                self.see(8);
                if scan.peek()? == b'n' {
                    scan.skip()?;
                    return Ok(());
                }
                let mut user = User::default();
                let read = self.user(scan, &mut user);
                self.event.impersonated = Some(Box::new(user));
                read?;
            }
            "authenticationMetadata" => self.authentication(scan)?,
            "sourceIPs" => {
                self.see(9);
                self.event.source_ips.clear();
                if scan.peek()? == b'"' {
                    scan.flaws.note(Flaw::WrongType);
                    let ip = scan.text()?.unwrap_or_default();
                    let ip = self.done.name(ip, 64);
                    self.event.source_ips.push(ip);
                    return Ok(());
                }
                let mut ips = Vec::new();
                let read = self.names(scan, &mut ips, 16, 64);
                self.event.source_ips = ips;
                read?;
            }
            "userAgent" => {
                self.see(10);
                self.event.user_agent = scan.text()?;
                self.agent_at = scan.last.clone();
            }
            "objectRef" => {
                self.see(11);
                (self.event.object, self.has_object) = (None, false);
                self.object(scan)?;
                self.has_object = self.event.object.is_some();
            }
            "responseStatus" => {
                self.see(12);
                self.status(scan)?;
            }
            "requestObject" => {
                self.see(13);
                self.request_at = self.value(scan)?;
            }
            "responseObject" => {
                self.see(14);
                self.response_at = self.value(scan)?;
            }
            "requestReceivedTimestamp" => {
                self.see(15);
                self.event.received_at = scan.text()?.and_then(|text| time::micros(&text));
            }
            "stageTimestamp" => {
                self.see(16);
                self.stage_at = scan.text()?.and_then(|text| time::micros(&text));
            }
            "annotations" => {
                self.see(17);
                self.annotations.clear();
                self.annotations(scan)?;
            }
            _ => self.other(key, scan)?,
        }
        Ok(())
    }

    /// A value that is looked at later, if it is there.
    fn value(&mut self, scan: &mut Scan<'a>) -> Step<Option<Range<usize>>> {
        let is_null = scan.peek()? == b'n';
        let start = scan.at();
        match scan.skip() {
            Ok(range) => Ok((!is_null).then_some(range)),
            Err(stop) => {
                // It was there, and is what was too long: that is all that can be said.
                let bytes = (self.text.len() - start) as u64;
                let cut = Body { bytes, ..Body::default() };
                if self.seen & (1 << 14) != 0 {
                    self.event.response = Some(cut);
                } else {
                    self.event.request = Some(cut);
                }
                Err(stop)
            }
        }
    }

    fn other(&mut self, key: &str, scan: &mut Scan<'a>) -> Step<()> {
        let wrap = match key {
            "items" => Some(Wrap::Items),
            "protoPayload" => Some(Wrap::Proto),
            "properties" => Some(Wrap::Properties),
            "category" | "Category" => Some(Wrap::Category),
            "records" => Some(Wrap::Records),
            "logEvents" | "events" => Some(Wrap::LogEvents),
            "message" | "@message" | "log" | "log_s" | "_msg" => Some(Wrap::Message),
            "time" | "timestamp" | "@timestamp" | "TimeGenerated" | "_time" => Some(Wrap::Time),
            "logGroup" | "logStream" | "logStreamName" | "@logStream" | "@log" => Some(Wrap::LogGroup),
            _ => None,
        };
        let next = scan.peek()?;
        let start = scan.at();
        if let Some(wrap) = wrap {
            self.wraps.push((wrap, start));
        }
        if key == "timestamp" && next == b'"' {
            // As events said it before they had two times.
            self.old_at = scan.text()?.and_then(|text| time::micros(&text));
            return Ok(());
        }
        let range = scan.skip()?;
        if matches!(next, b'{' | b'[' | b'"') && range.len() > 2 {
            self.others.push((owned_key(key), range));
        }
        Ok(())
    }

    fn user(&mut self, scan: &mut Scan<'a>, user: &mut User<'a>) -> Step<()> {
        if !scan.object()? {
            return Ok(());
        }
        let mut first = true;
        while let Some(key) = scan.key(&mut first)? {
            match &*key {
                "username" => {
                    let name = scan.text()?.unwrap_or_default();
                    user.name = self.done.name(name, NAME);
                }
                "uid" => user.uid = scan.text()?.map(|uid| self.done.name(uid, NAME)),
                "groups" => {
                    user.groups.clear();
                    self.names(scan, &mut user.groups, NAMES, NAME)?;
                }
                "extra" => self.extra(scan, user)?,
                _ => {
                    let range = scan.skip()?;
                    self.others.push((key, range));
                }
            }
        }
        Ok(())
    }

    fn extra(&mut self, scan: &mut Scan<'a>, user: &mut User<'a>) -> Step<()> {
        user.extra.clear();
        if !scan.object()? {
            return Ok(());
        }
        let mut first = true;
        while let Some(key) = scan.key(&mut first)? {
            let mut values = Vec::new();
            // What API servers themselves put there are names and ids.
            let is_own = key.starts_with("authentication.kubernetes.io/");
            let is_secret = !is_own && clean::is_key(&key);
            if !scan.array()? {
                continue;
            }
            let mut first = true;
            while scan.element(&mut first)? {
                let Some(value) = scan.text()? else { continue };
                let at = scan.last.clone();
                let (value, changed) = if is_secret && !value.is_empty() && value != REDACTED {
                    self.done.redactions += 1;
                    (Cow::Borrowed(REDACTED), true)
                } else if is_own {
                    (self.done.name(value, NAME), false)
                } else {
                    self.noted_text(value, NAME, Holds::Other)
                };
                if changed {
                    self.extra_at.push((at, quoted(&value)));
                }
                if values.len() < NAMES {
                    values.push(value);
                } else {
                    self.done.is_clipped = true;
                }
            }
            if user.extra.len() < NAMES {
                let key = self.done.name(key, NAME);
                user.extra.push((key, values));
            } else {
                self.done.is_clipped = true;
            }
        }
        Ok(())
    }

    fn names(&mut self, scan: &mut Scan<'a>, out: &mut Vec<Text<'a>>, most: usize, each: usize) -> Step<()> {
        if !scan.array()? {
            return Ok(());
        }
        let mut first = true;
        while scan.element(&mut first)? {
            let Some(name) = scan.text()? else { continue };
            if out.len() < most {
                let name = self.done.name(name, each);
                out.push(name);
            } else {
                self.done.is_clipped = true;
            }
        }
        Ok(())
    }

    fn authentication(&mut self, scan: &mut Scan<'a>) -> Step<()> {
        if !scan.object()? {
            return Ok(());
        }
        let mut first = true;
        while let Some(key) = scan.key(&mut first)? {
            if key == "impersonationConstraint" {
                let constraint = scan.text()?;
                self.event.impersonation_constraint = constraint.map(|text| self.done.name(text, NAME));
            } else {
                let range = scan.skip()?;
                self.others.push((key, range));
            }
        }
        Ok(())
    }

    fn object(&mut self, scan: &mut Scan<'a>) -> Step<()> {
        if !scan.object()? {
            return Ok(());
        }
        self.event.object = Some(Object::default());
        let mut first = true;
        while let Some(key) = scan.key(&mut first)? {
            let done = &mut self.done;
            let mut name = |scan: &mut Scan<'a>| -> Step<Text<'a>> {
                let name = scan.text()?.unwrap_or_default();
                Ok(done.name(name, NAME))
            };
            let Some(object) = &mut self.event.object else { break };
            match &*key {
                "resource" => object.resource = name(scan)?,
                "namespace" => object.namespace = name(scan)?,
                "name" => object.name = name(scan)?,
                "apiGroup" => object.group = name(scan)?,
                "apiVersion" => object.version = name(scan)?,
                "subresource" => object.subresource = name(scan)?,
                "uid" | "resourceVersion" => self.skip(key, scan)?,
                _ => {
                    let range = scan.skip()?;
                    self.others.push((key, range));
                }
            }
        }
        Ok(())
    }

    /// Over a word that is kept in `raw` alone; what is no word is looked through.
    fn skip(&mut self, key: Text<'a>, scan: &mut Scan<'a>) -> Step<()> {
        let is_word = !matches!(scan.peek()?, b'{' | b'[');
        let range = scan.skip()?;
        if !is_word && range.len() > 2 {
            self.others.push((key, range));
        }
        Ok(())
    }

    fn status(&mut self, scan: &mut Scan<'a>) -> Step<()> {
        if !scan.object()? {
            return Ok(());
        }
        let mut first = true;
        while let Some(key) = scan.key(&mut first)? {
            match &*key {
                "code" => self.event.code = scan.number()?.and_then(|code| u16::try_from(code).ok()),
                "reason" => self.event.reason = scan.text()?.map(|reason| self.done.name(reason, 128)),
                "message" => {
                    if self.event.message.is_some() {
                        self.event.flaws.note(Flaw::DuplicateKey);
                    }
                    self.event.message = scan.text()?;
                    self.message_at = scan.last.clone();
                }
                "metadata" | "status" | "kind" | "apiVersion" => self.skip(key, scan)?,
                _ => {
                    let range = scan.skip()?;
                    self.others.push((key, range));
                }
            }
        }
        Ok(())
    }

    fn annotations(&mut self, scan: &mut Scan<'a>) -> Step<()> {
        if !scan.object()? {
            return Ok(());
        }
        let mut first = true;
        while let Some(key) = scan.key(&mut first)? {
            if let Some(value) = scan.text()? {
                self.annotations.push((key, value, scan.last.clone()));
            }
        }
        Ok(())
    }

    /// Whether it says that it is an audit event, or looks like one that lost its kind on the way.
    pub(super) fn is_event(&self) -> bool {
        let is_kind = self.kind.as_deref() == Some("Event");
        match self.api_version.as_deref() {
            Some(version) => version.starts_with("audit.k8s.io/") && (is_kind || self.kind.is_none()),
            None => {
                // auditID, and one of stage, requestURI and verb.
                (is_kind || self.kind.is_none()) && self.has_id() && self.seen & 0b111_0000 != 0
            }
        }
    }

    /// Ends its text where it ends, where something else follows.
    pub(super) fn ends_at(&mut self, end: usize) {
        self.text = &self.text[..end];
    }

    /// What it calls itself, if that is no version that is known.
    pub(super) fn unknown_version(&self) -> Option<String> {
        let version = self.api_version.as_deref()?.strip_prefix("audit.k8s.io/")?;
        let is_known = matches!(version, "v1" | "v1beta1" | "v1alpha1");
        (!is_known).then(|| format!("Event audit.k8s.io/{version}"))
    }

    /// Whether it says which call it is.
    pub(super) fn has_id(&self) -> bool {
        !self.event.audit_id.is_empty()
    }
}

fn owned_key<'a>(key: &str) -> Text<'a> {
    Cow::Owned(key.to_owned())
}
