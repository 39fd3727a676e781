//! What the window wants of the timeline, as history and archive take it. Pure.

use crate::desk::AppError;
use sallyport_archive::{Column, Filter as Calls};
use sallyport_audit::Action;
use sallyport_ipc::{TimelineFilter, TimelineSide};
use sallyport_model::{ClusterName, ErrorCode, RequestUid, SessionId, UserName, clip};
use sallyport_store::{CallFilter, Filter as Entries, Went};

/// The longest text of a filter, in bytes.
const TEXT_MOST: usize = 300;
/// What stands for no account at all: no session is called so.
const NOBODY: &str = "-";

/// A filter, for both sides.
#[derive(Clone, Debug)]
pub(super) struct Both {
    /// For the history; none where it is not wanted.
    pub(super) own: Option<Entries>,
    /// For the archive; none where it is not wanted.
    pub(super) calls: Option<Calls>,
    /// From when on, in microseconds of Unix time.
    pub(super) from: Option<i64>,
    /// Before when.
    pub(super) to: Option<i64>,
    /// Where the filter says how calls went: whether all of those that fit were refused or failed, or none.
    pub(super) fails: Option<bool>,
}

/// Reads a filter. `accounts` are those of the session or the request that it names.
///
/// # Errors
/// [`ErrorCode::BadInput`] for what no filter can mean.
pub(super) fn parse(filter: &TimelineFilter, accounts: &[String]) -> Result<Both, AppError> {
    if let (Some(from), Some(to)) = (filter.from_us, filter.to_us)
        && from >= to
    {
        return Err(bad("the range ends before it begins"));
    }
    let said = |text: &Option<String>| {
        text.as_deref().map(|text| clip(text.trim(), TEXT_MOST)).filter(|text| !text.is_empty())
    };
    let code = said(&filter.code).map(|code| Code::of(&code)).transpose()?;
    let own = (filter.side != Some(TimelineSide::Cluster)).then(|| own(filter, code, &said)).transpose()?;
    // A step of the desktop is none of a cluster.
    let of_cluster = filter.side != Some(TimelineSide::Own) && filter.action.is_none();
    Ok(Both {
        own,
        calls: of_cluster.then(|| calls(filter, code, accounts, &said)),
        from: filter.from_us,
        to: filter.to_us,
        fails: code.map(Code::fails),
    })
}

type Said<'f> = &'f dyn Fn(&Option<String>) -> Option<String>;

fn own(filter: &TimelineFilter, code: Option<Code>, said: Said<'_>) -> Result<Entries, AppError> {
    let wrong = |what: &str, why: String| bad(format!("the filter's {what} can't be used: {why}"));
    let cluster = said(&filter.cluster).map(|cluster| cluster.parse::<ClusterName>()).transpose();
    let user = said(&filter.person).map(|user| user.parse::<UserName>()).transpose();
    let action = said(&filter.action).map(|action| action.replace(' ', "_").parse::<Action>()).transpose();
    let resource = said(&filter.resource).map(|resource| {
        let (kind, below) = resource.split_once('/').unwrap_or((&resource, ""));
        let plain = kind.split('.').next().unwrap_or(kind);
        if below.is_empty() { plain.to_owned() } else { format!("{plain}/{below}") }
    });
    Ok(Entries {
        cluster: cluster.map_err(|e| wrong("cluster", e.to_string()))?,
        session: said(&filter.session).map(SessionId::new),
        request: said(&filter.request).map(RequestUid::new),
        user: user.map_err(|e| wrong("person", e.to_string()))?,
        actions: action.map_err(|e| wrong("action", e.to_string()))?.into_iter().collect(),
        text: said(&filter.text),
        from: filter.from_us,
        to: filter.to_us,
        call: CallFilter {
            verb: said(&filter.verb),
            resource,
            namespace: said(&filter.namespace),
            name: said(&filter.name),
            status: code.and_then(|code| code.range()),
            went: code.and_then(|code| code.went()),
        },
    })
}

fn calls(filter: &TimelineFilter, code: Option<Code>, accounts: &[String], said: Said<'_>) -> Calls {
    // Of a call whose every stage is told, the end alone: each is found once.
    let mut calls = Calls::default().ended();
    let columns = [
        (Column::Cluster, &filter.cluster),
        (Column::Verb, &filter.verb),
        (Column::Namespace, &filter.namespace),
        (Column::Name, &filter.name),
    ];
    for (column, text) in columns {
        if let Some(text) = said(text) {
            calls = calls.only(column, text);
        }
    }
    if let Some(resource) = said(&filter.resource) {
        let wanted = match resource.split_once('/') {
            Some((kind, below)) => (kind.to_owned(), Some(below.to_owned())),
            None => (resource, None),
        };
        calls = calls.resources(vec![wanted]);
    }
    if let Some(person) = said(&filter.person) {
        calls = calls.person(person);
    }
    if let Some(text) = said(&filter.text) {
        calls = calls.text(text);
    }
    if filter.session.is_some() || filter.request.is_some() {
        calls = of_accounts(calls, accounts);
    }
    calls = match code {
        Some(Code::Allowed) => calls.codes(100, 399).let_through(),
        Some(Code::Denied) => calls.denied(),
        Some(Code::Failed) => calls.codes(400, 599).let_through(),
        Some(Code::Range(from, to)) => calls.codes(from, to),
        None => calls,
    };
    if let Some(from) = filter.from_us {
        calls = calls.from(from);
    }
    if let Some(to) = filter.to_us {
        calls = calls.to(to);
    }
    calls
}

/// Only calls by one of these accounts; by nobody where there are none.
pub(super) fn of_accounts(calls: Calls, accounts: &[String]) -> Calls {
    match accounts {
        [] => calls.only(Column::Session, NOBODY),
        some => some.iter().fold(calls, |calls, account| calls.only(Column::Session, account)),
    }
}

/// How calls went that are wanted, or their HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    /// Let through, with a status below 400.
    Allowed,
    /// Forbidden.
    Denied,
    /// Let through, with a status of 400 and more.
    Failed,
    /// One of these, both ends included.
    Range(u16, u16),
}

impl Code {
    fn of(text: &str) -> Result<Self, AppError> {
        match text {
            "allowed" => return Ok(Self::Allowed),
            "denied" => return Ok(Self::Denied),
            "failed" => return Ok(Self::Failed),
            _ => {}
        }
        if let Some(hundreds) = text.strip_suffix("xx").and_then(|first| first.parse::<u16>().ok())
            && (1..=5).contains(&hundreds)
        {
            return Ok(Self::Range(hundreds * 100, hundreds * 100 + 99));
        }
        match text.parse::<u16>() {
            Ok(code) if (100..=599).contains(&code) => Ok(Self::Range(code, code)),
            _ => Err(bad(format!("`{}` is no HTTP status", sallyport_model::visible(text)))
                .hint("Say 403, 4xx, allowed, denied or failed.")),
        }
    }

    fn range(self) -> Option<(u16, u16)> {
        match self {
            Self::Allowed | Self::Denied | Self::Failed => None,
            Self::Range(from, to) => Some((from, to)),
        }
    }

    fn went(self) -> Option<Went> {
        match self {
            Self::Allowed => Some(Went::Allowed),
            Self::Denied => Some(Went::Refused),
            Self::Failed => Some(Went::Failed),
            Self::Range(..) => None,
        }
    }

    /// Whether what fits was refused or failed, all of it; no range has both.
    fn fails(self) -> bool {
        match self {
            Self::Allowed => false,
            Self::Denied | Self::Failed => true,
            Self::Range(from, _) => from >= 400,
        }
    }
}

pub(super) fn bad(what: impl Into<String>) -> AppError {
    AppError::new(ErrorCode::BadInput, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_one_a_hundred_of_them_or_a_refusal() {
        assert_eq!(Code::of("403").unwrap(), Code::Range(403, 403));
        assert_eq!(Code::of("4xx").unwrap(), Code::Range(400, 499));
        for (word, code) in [("allowed", Code::Allowed), ("denied", Code::Denied), ("failed", Code::Failed)] {
            assert_eq!(Code::of(word).unwrap(), code);
        }
        for odd in [
            "",
            "0xx",
            "6xx",
            "99",
            "600",
            "xx",
            "-1",
            "4XX\u{202e}",
            "99999999999",
            "Denied",
            "allowed,denied",
        ] {
            assert!(Code::of(odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn what_no_filter_can_mean_is_refused_and_a_session_without_account_finds_nobody() {
        let wrong = TimelineFilter { from_us: Some(2), to_us: Some(2), ..TimelineFilter::default() };
        assert_eq!(parse(&wrong, &[]).unwrap_err().code(), ErrorCode::BadInput);
        for (cluster, action) in [(Some("A b".to_owned()), None), (None, Some("no_such_action".to_owned()))] {
            let wrong = TimelineFilter { cluster, action, ..TimelineFilter::default() };
            assert!(parse(&wrong, &[]).is_err());
        }
        let of_session = TimelineFilter { session: Some("s".into()), ..TimelineFilter::default() };
        let nobody = format!("{:?}", parse(&of_session, &[]).unwrap().calls.unwrap());
        assert!(nobody.contains("Session") && nobody.contains("\"-\""), "{nobody}");
    }

    #[test]
    fn a_step_of_the_desktop_is_looked_for_there_alone() {
        let asked = TimelineFilter { action: Some("ask".into()), ..TimelineFilter::default() };
        let both = parse(&asked, &[]).unwrap();
        assert!(both.calls.is_none() && both.own.unwrap().actions == [Action::Ask]);
        // As a chip says it, and as it is stored.
        for action in ["terminal open", "terminal_open"] {
            let asked = TimelineFilter { action: Some(action.into()), ..TimelineFilter::default() };
            assert_eq!(parse(&asked, &[]).unwrap().own.unwrap().actions, [Action::TerminalOpen]);
        }
        let cluster = TimelineFilter { side: Some(TimelineSide::Cluster), ..TimelineFilter::default() };
        assert!(parse(&cluster, &[]).unwrap().own.is_none());
    }
}
