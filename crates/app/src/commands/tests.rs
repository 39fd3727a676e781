use super::*;
use crate::app::tests::started;
use std::collections::BTreeMap;

/// What a stranger could send: nothing that exists, in each argument.
trait Nonsense {
    fn nonsense() -> Self;
}

macro_rules! nonsense {
    ($($ty:ty => $value:expr),* $(,)?) => {
        $(impl Nonsense for $ty { fn nonsense() -> Self { $value } })*
    };
}
nonsense! {
    String => "no such \u{202e}thing".to_owned(),
    bool => true,
    u8 => 255,
    Option<u32> => Some(u32::MAX),
    u32 => u32::MAX,
    i64 => i64::MIN,
    Theme => Theme::Dark,
    PasteAsks => PasteAsks::Always,
    TerminalSize => TerminalSize { cols: 80, rows: 24 },
    AuditFilter => AuditFilter::default(),
    Notifications => Notifications { asks: true, requests: true, sessions: true, reasons: true },
    OpenInput => OpenInput { cluster: "payments-eu-1".into(), ..OpenInput::default() },
    Option<String> => Some("/no/such/shell".to_owned()),
    Option<StepUp> => None,
    Option<LimitsInput> => Some(LimitsInput::default()),
    HoldInput => HoldInput { on: HeldKind::User, name: "\u{202e}".into(), minutes: 0, reason: String::new() },
    Option<i64> => None,
    Vec<String> => vec!["no such \u{202e}thing".to_owned()],
    ExceptionInput => ExceptionInput {
        check: "RB-01".into(),
        clusters: "*".into(),
        finding: None,
        owner: "\u{202e}".into(),
        reason: String::new(),
        until: i64::MAX,
    },
    WhoQuestion => WhoQuestion { verb: "get".into(), resource: "\u{202e}".into(), namespace: None, cluster: None },
    TimelineFilter => TimelineFilter { text: Some("\u{202e}".into()), ..TimelineFilter::default() },
    TimelineFacet => TimelineFacet::Person,
    DeletedQuestion => DeletedQuestion { resource: "\u{202e}".into(), name: "x".into(), ..DeletedQuestion::default() },
    ReviewInput => ReviewInput {
        of: ReviewOf::Cluster,
        name: "\u{202e}".into(),
        from_us: None,
        to_us: Some(i64::MIN),
        ruling: ReviewRuling::ToBeRemoved,
        note: String::new(),
    },
    ExportInput => ExportInput { place: "\u{202e}".into(), recordings: vec!["../..".into()], ..ExportInput::default() },
    StoreDraft => StoreDraft { address: "\u{202e}".into(), ..StoreDraft::default() },
    Output => Box::new(|_| true),
}

/// One command of the list, called by a stranger: its name, the action it records where it does, and what came of it.
struct Called {
    name: &'static str,
    records: Option<Action>,
    failed: Option<String>,
}

async fn call_all(app: &App) -> Vec<Called> {
    let mut called = Vec::new();
    macro_rules! each {
        () => {};
        // Ends the app, which the others need.
        ($(#[$doc:meta])* quit() -> $out:ty => $how:ident $part:ident.$method:ident; $($rest:tt)*) => {
            each! { $($rest)* }
        };
        ($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty
            => streams $(($action:ident))? $part:ident.$method:ident; $($rest:tt)*) => {
            let done = app.$name($(<$ty as Nonsense>::nonsense(),)* Nonsense::nonsense()).await;
            each! { @called $name done $($action)? }
            each! { $($rest)* }
        };
        ($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $out:ty
            => $how:ident $(($action:ident))? $part:ident.$method:ident; $($rest:tt)*) => {
            let done = app.$name($(<$ty as Nonsense>::nonsense()),*).await;
            each! { @called $name done $($action)? }
            each! { $($rest)* }
        };
        (@called $name:ident $done:ident) => {
            let failed = $done.err().map(|e| e.message().to_owned());
            called.push(Called { name: stringify!($name), records: None, failed });
        };
        (@called $name:ident $done:ident $action:ident) => {
            let failed = $done.err().map(|e| e.message().to_owned());
            called.push(Called { name: stringify!($name), records: Some(Action::$action), failed });
        };
    }
    sallyport_ipc::commands!(each);
    called
}

#[tokio::test(flavor = "multi_thread")]
async fn p17_every_command_that_records_leaves_an_entry_of_its_refusal_and_no_other_does() {
    let home = tempfile::tempdir().unwrap();
    let app = started(home.path()).await;
    let called = call_all(&app).await;
    assert_eq!(called.len(), COMMANDS.len() - 1, "all but `quit`");
    // Entries are on the disk in their order: with this one all of them.
    app.0.history.keep(sallyport_audit::Draft::new(Action::AppStarted)).await.unwrap();
    let page = app.audit_page(AuditFilter::default(), None, 500).await.unwrap();
    let mut written: BTreeMap<&str, Vec<&AuditEntryView>> = BTreeMap::new();
    for entry in page.entries.iter().filter(|e| e.outcome != sallyport_ipc::Outcome::Done) {
        written.entry(entry.action.as_str()).or_default().push(entry);
    }
    let mut expected: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &called {
        let (Some(action), Some(why)) = (one.records, &one.failed) else { continue };
        *expected.entry(action.as_str()).or_default() += 1;
        let entries = written.get(action.as_str()).map(Vec::as_slice).unwrap_or_default();
        assert!(entries.iter().any(|e| e.sentence.contains(why.as_str())), "{}: {entries:?}", one.name);
        for entry in entries {
            assert!(!entry.sentence.contains('\u{202e}'), "p24: {}", entry.sentence);
        }
    }
    let counted: BTreeMap<&str, usize> = written.iter().map(|(action, all)| (*action, all.len())).collect();
    assert_eq!(counted, expected);
    assert!(expected.len() > 5, "strangers are refused: {expected:?}");
    app.shut_down().await;
}
