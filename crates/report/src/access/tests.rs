use super::*;
use crate::html;
use crate::verdict::VerdictView;
use sallyport_audit::{Action, Draft, Entry, Outcome, Review, Reviewed, Ruling};
use sallyport_model::{AuditId, RequestUid, SessionId, UserName};

const MINUTE: i64 = 60_000_000;
/// 2026-11-01T00:00:00Z.
const BEGIN: i64 = 1_793_491_200_000_000;
const DAY: i64 = 86_400_000_000;

/// A history in which one thing happens after the other.
#[derive(Default)]
struct Told(Vec<Entry>);

impl Told {
    fn add(&mut self, minutes: i64, draft: Draft) -> &mut Self {
        let sequence = self.0.len() as u64 + 1;
        self.0.push(draft.place(sequence, BEGIN + minutes * MINUTE));
        self
    }

    fn of(&mut self, minutes: i64, session: &str, action: Action, detail: &[(&str, &str)]) -> &mut Self {
        let draft = Draft::new(action)
            .session(&SessionId::new(session))
            .request(&RequestUid::new(format!("uid-{session}")))
            .user(&"dana".parse::<UserName>().unwrap())
            .cluster(&"eu-1".parse().unwrap());
        let draft = detail.iter().fold(draft, |draft, (key, value)| draft.detail(key, value));
        self.add(minutes, draft)
    }

    fn call(&mut self, minutes: i64, session: &str, id: &str, action: Action, status: u16) -> &mut Self {
        let draft = Draft::new(action)
            .session(&SessionId::new(session))
            .request(&RequestUid::new(format!("uid-{session}")))
            .user(&"dana".parse::<UserName>().unwrap())
            .cluster(&"eu-1".parse().unwrap())
            .audit_id(&AuditId::new(id))
            .detail("status", status);
        self.add(minutes, draft)
    }

    /// From asking to an end that is proven.
    fn session(&mut self, at: i64, session: &str) -> &mut Self {
        self.of(
            at,
            session,
            Action::Ask,
            &[("profile", "debug"), ("namespaces", "payments"), ("reason", "INC-1")],
        )
        .of(at + 1, session, Action::Approved, &[("by", "by erin")])
        .of(at + 2, session, Action::Granted, &[("account", &format!("s-{session}-1"))])
        .of(at + 3, session, Action::SessionOpen, &[])
        .call(at + 4, session, "a", Action::Call, 200)
        .call(at + 5, session, "b", Action::Call, 403)
        .call(at + 6, session, "c", Action::StreamStart, 101)
        .call(at + 7, session, "c", Action::StreamEnd, 101)
        .of(at + 33, session, Action::SessionClosed, &[("reason", "left")])
        .of(at + 34, session, Action::RightsGone, &[])
        .of(at + 34, session, Action::TokenRefused, &[])
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            entries: &self.0,
            from: BEGIN,
            to: BEGIN + 3 * DAY,
            reach: self.0.first().zip(self.0.last()).map(|(first, last)| (first.at, last.at)),
            is_complete: true,
            ..Facts::default()
        }
    }
}

fn view(facts: Facts<'_>) -> AccessView {
    AccessView::of(facts, BEGIN + 3 * DAY)
}

#[test]
fn a_session_is_told_from_its_asking_to_what_proves_its_end() {
    let mut told = Told::default();
    told.session(10, "one");
    let view = view(told.facts());
    let [one] = view.sessions.as_slice() else { panic!("{view:?}") };
    assert_eq!((one.calls, one.refused, one.seconds), (3, 1, 30 * 60));
    assert_eq!(
        (one.proof, one.approved.as_deref(), one.reason.as_deref()),
        (Proof::Proven, Some("erin"), Some("INC-1"))
    );
    assert_eq!((one.ended.as_deref(), one.opened.as_deref()), (Some("left"), Some("2026-11-01T00:13:00Z")));
    assert_eq!((view.people[0].name.as_str(), view.people[0].across, view.clusters[0].calls), ("dana", 1, 3));
    assert_eq!(
        (view.days.len(), view.days[0].calls, view.days[0].refused, view.days[0].sessions),
        (3, 3, 1, 1)
    );
    assert_eq!((view.decisions[0].by.as_str(), view.decisions[0].whose.as_deref()), ("erin", Some("dana")));
    assert_eq!(view.decisions[0].profile.as_deref(), Some("debug"));
    assert!(view.is_clean(), "{view:?}");
}

#[test]
fn what_is_missing_is_never_told_as_fine() {
    let mut told = Told::default();
    told.session(0, "proven");
    told.of(100, "unproven", Action::SessionOpen, &[]).of(110, "unproven", Action::SessionClosed, &[]).of(
        111,
        "unproven",
        Action::ProofUnproven,
        &[],
    );
    told.of(200, "untold", Action::SessionOpen, &[]).of(210, "untold", Action::SessionClosed, &[]);
    told.of(300, "open", Action::SessionOpen, &[]);
    told.add(
        400,
        Draft::new(Action::Gap)
            .outcome(Outcome::Unknown)
            .detail("why", "unclean stop")
            .detail("from", BEGIN + 310 * MINUTE)
            .detail("to", BEGIN + 400 * MINUTE),
    );
    let mut facts = told.facts();
    facts.is_complete = false;
    let bad = [BEGIN + 5];
    facts.unreadable = &bad;
    let view = view(facts);
    let proof = |session: &str| {
        view.sessions
            .iter()
            .find(|one| one.request.as_deref() == Some(&format!("uid-{session}")))
            .map(|one| one.proof)
    };
    assert_eq!(proof("proven"), Some(Proof::Proven));
    assert_eq!(proof("unproven"), Some(Proof::Unproven));
    assert_eq!(proof("untold"), Some(Proof::Untold));
    assert_eq!(proof("open"), Some(Proof::Open));
    assert!(!view.is_clean());
    assert_eq!(view.gaps.len(), 2);
    let said = view.not_known.join("\n");
    for what in
        ["one desktop's history", "did not stop in order", "1 rows", "No archive", "No reading of posture"]
    {
        assert!(said.contains(what), "{what}: {said}");
    }
}

#[test]
fn sessions_without_evidence_are_told_from_those_of_which_no_log_tells() {
    let mut told = Told::default();
    told.session(0, "seen").session(100, "unseen").session(1500, "after");
    let mut facts = told.facts();
    let account = |account: &str, calls| SeenAccount {
        cluster: "eu-1".to_owned(),
        account: account.to_owned(),
        calls,
        first: BEGIN,
        last: BEGIN,
    };
    facts.seen = Some(SeenAccounts {
        accounts: vec![account("s-seen-1", 3), account("s-of-another-1", 7)],
        reach: [("eu-1".to_owned(), (BEGIN, BEGIN + 1000 * MINUTE))].into(),
        is_whole: true,
    });
    let view = view(facts);
    let seen: Vec<Option<u64>> = view.sessions.iter().rev().map(|one| one.seen).collect();
    assert_eq!(seen, [Some(3), Some(0), None]);
    let without: Vec<&str> =
        view.without_evidence.iter().map(|at| view.sessions[*at].account.as_deref().unwrap()).collect();
    assert_eq!(without, ["s-unseen-1"]);
    assert_eq!((view.others.len(), view.others[0].calls), (1, 7));
    assert!(
        view.not_known.iter().any(|one| one.starts_with("Of 1 session no API server's log")),
        "{:?}",
        view.not_known
    );
}

#[test]
fn sessions_of_others_that_the_page_does_not_list_are_told_of() {
    for (accounts, more) in
        [(200, None), (201, Some("And 1 more account;")), (450, Some("And 250 more accounts;"))]
    {
        let told = Told::default();
        let mut facts = told.facts();
        let account = |n: usize| SeenAccount {
            cluster: "eu-1".to_owned(),
            account: format!("s-other-{n}-1"),
            calls: 1,
            first: BEGIN,
            last: BEGIN,
        };
        facts.seen =
            Some(SeenAccounts { accounts: (0..accounts).map(account).collect(), ..SeenAccounts::default() });
        let view = view(facts);
        assert_eq!(view.others.len(), accounts, "whoever reads the JSON has all");
        let page = html::access(&view, (BEGIN, BEGIN + DAY));
        assert_eq!(page.matches("s-other-").count(), accounts.min(200));
        assert_eq!(page.contains("more account"), more.is_some());
        assert!(more.is_none_or(|more| page.contains(more)), "{accounts}");
    }
}

#[test]
fn calls_and_sessions_of_another_time_are_not_in_it() {
    let mut told = Told::default();
    told.session(10, "before").session(5000, "within");
    let mut facts = told.facts();
    facts.from = BEGIN + DAY;
    facts.to = BEGIN + 5 * DAY;
    let one = view(facts);
    assert_eq!((one.sessions.len(), one.clusters[0].calls), (1, 3));
    // One that reaches into it is, with the calls that were made within.
    let mut facts = told.facts();
    facts.from = BEGIN + 15 * MINUTE;
    let two = view(facts);
    assert_eq!((two.sessions.len(), two.sessions[0].calls), (1, 2));
}

fn kept(of: Reviewed, to: i64, note: &str) -> Review {
    let to = BEGIN + to * MINUTE;
    Review { of, from: None, to, ruling: Ruling::Kept, note: note.to_owned() }
}

#[test]
fn whose_access_was_reviewed_is_told_and_what_never_was() {
    let erin: UserName = "erin".parse().unwrap();
    let dana: UserName = "dana".parse().unwrap();
    let mut told = Told::default();
    told.session(10, "one");
    let person = || Reviewed::Person(dana.clone());
    told.add(60, kept(person(), 60, "").draft(&erin));
    let removed = Review { ruling: Ruling::ToBeRemoved, ..kept(person(), 100, "old-ops, by Friday") };
    told.add(100, removed.draft(&erin));
    told.session(200, "two");
    // Refused ones are none, and one after the reported time does not count either.
    told.add(
        300,
        kept(Reviewed::Cluster("eu-1".parse().unwrap()), 300, "").draft(&erin).outcome(Outcome::Refused),
    );
    told.add(10_000, kept(Reviewed::Cluster("eu-1".parse().unwrap()), 10_000, "").draft(&erin));
    let mut facts = told.facts();
    facts.readings = vec![reading("2026-11-02T00:00:00Z", VerdictView::Pass)];
    let told_of = view(facts);
    assert_eq!(told_of.reviews.len(), 2);
    assert_eq!(
        (told_of.reviews[0].ruling, told_of.reviews[0].note.as_deref()),
        ("to_be_removed", Some("old-ops, by Friday"))
    );
    let lines: Vec<_> = told_of
        .reviewed
        .iter()
        .map(|one| {
            (one.of, one.name.as_str(), one.last.as_ref().map(|last| last.by.as_str()), one.sessions_since)
        })
        .collect();
    assert_eq!(
        lines,
        [("person", "dana", Some("erin"), 1), ("cluster", "eu-1", None, 2), ("standing", "eu-1", None, 0)]
    );
    let page = html::access(&told_of, (BEGIN, BEGIN + 3 * DAY));
    assert!(page.contains("2</b> of 3 below were never reviewed."), "{page}");
    assert!(page.contains("old-ops, by Friday") && page.contains("to be removed"));
    // A review from before the reported time is the last one all the same, and not one of this time.
    let mut facts = told.facts();
    facts.from = BEGIN + 150 * MINUTE;
    let later = view(facts);
    assert!(later.reviews.is_empty());
    assert_eq!(later.reviewed[0].last.as_ref().map(|last| last.ruling), Some("to_be_removed"));
}

#[test]
fn who_reviews_their_own_access_is_told_so() {
    let dana: UserName = "dana".parse().unwrap();
    let mut told = Told::default();
    told.session(10, "one").add(60, kept(Reviewed::Person(dana.clone()), 60, "").draft(&dana));
    let view = view(told.facts());
    assert!(view.reviews[0].is_own);
    assert!(html::access(&view, (BEGIN, BEGIN + 3 * DAY)).contains("dana (their own)"));
}

fn reading(taken: &str, verdict: VerdictView) -> Reading {
    let who = Standing {
        who: "group devs".to_owned(),
        binding: "ClusterRoleBinding devs".to_owned(),
        role: "ClusterRole edit".to_owned(),
        namespace: None,
    };
    Reading {
        cluster: "eu-1".to_owned(),
        taken: taken.to_owned(),
        practices: vec![("TLS everywhere", verdict)],
        standing: vec![who],
        gaps: Vec::new(),
    }
}

#[test]
fn practices_are_told_over_time_and_standing_access_by_the_newest() {
    let told = Told::default();
    let mut facts = told.facts();
    let mut newest = reading("2026-11-20T00:00:00Z", VerdictView::Pass);
    newest.standing.clear();
    newest.gaps.push("bindings were not read".to_owned());
    facts.readings = vec![newest, reading("2026-11-10T00:00:00Z", VerdictView::Fail)];
    let view = view(facts);
    assert_eq!(view.practices[0].practices[0].verdicts, [VerdictView::Fail, VerdictView::Pass]);
    assert!(view.standing[0].standing.is_empty() && view.standing[0].gaps.len() == 1, "{:?}", view.standing);
    let page = html::access(&view, (BEGIN, BEGIN + 3 * DAY));
    assert!(
        page.contains("there may be others") && !page.contains("Nobody holds any"),
        "what was not read is no pass (P21)"
    );
}

/// P24: whatever stands in a name, a reason or an account, the page has no markup and no picture of it.
#[test]
fn p24_nothing_of_a_history_is_markup_on_the_page() {
    let evil = "</title><script>alert(1)</script><img src=x onerror=y>\"'&\u{202e}";
    let mut told = Told::default();
    let user: UserName = evil.replace('\u{202e}', "").parse().unwrap();
    let session = |action| {
        Draft::new(action)
            .session(&SessionId::new("s"))
            .request(&RequestUid::new(evil))
            .user(&user)
            .cluster(&"eu-1".parse().unwrap())
    };
    let mut ask = session(Action::Ask);
    for key in ["profile", "namespaces", "reason"] {
        ask = ask.detail(key, evil);
    }
    told.add(1, ask)
        .add(2, session(Action::Approved).detail("by", evil))
        .add(3, session(Action::Granted).detail("account", evil))
        .add(4, session(Action::SessionOpen))
        .add(5, session(Action::Call).detail("status", 200))
        .add(6, session(Action::SessionClosed).detail("reason", evil))
        .add(7, Draft::new(Action::Gap).detail("why", evil))
        .add(8, kept(Reviewed::Person(user.clone()), 8, evil).draft(&user));
    let mut facts = told.facts();
    facts.seen = Some(SeenAccounts {
        accounts: vec![SeenAccount {
            cluster: evil.to_owned(),
            account: evil.to_owned(),
            calls: 1,
            first: i64::MIN,
            last: i64::MAX,
        }],
        ..SeenAccounts::default()
    });
    let mut hostile = reading(evil, VerdictView::Fail);
    hostile.cluster = evil.to_owned();
    hostile.standing[0].who = evil.to_owned();
    hostile.gaps.push(evil.to_owned());
    facts.readings = vec![hostile];
    let page = html::access(&view(facts), (BEGIN, BEGIN + 3 * DAY));
    assert!(page.matches("onerror").count() > 10, "it stands there, as text");
    for markup in ["<script", "<img", "\u{202e}", "onerror=y>\"", "<a ", "javascript:", "url("] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(page.contains("default-src 'none'"));
    // Every tag is one that this program writes.
    let ours = [
        "!doctype", "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p",
        "main", "section", "ul", "li", "b", "figure", "svg", "line", "rect", "text", "div", "table", "thead",
        "tbody", "tr", "th", "td", "bdi", "br", "span", "footer",
    ];
    for tag in page.split('<').skip(1) {
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '!')
            .collect();
        assert!(ours.contains(&name.as_str()), "<{tag}");
    }
}

#[test]
fn a_page_of_nothing_and_one_of_any_moment_can_be_made() {
    let told = Told::default();
    let page = html::access(&view(told.facts()), (BEGIN, BEGIN + DAY));
    assert!(page.contains("None in this time") && page.contains("The history holds nothing"));
    let mut told = Told::default();
    told.session(0, "x");
    for (from, to) in [(i64::MIN, i64::MAX), (BEGIN, BEGIN + 1), (i64::MAX - 1, i64::MAX)] {
        let facts = Facts { from, to, ..told.facts() };
        let _ = html::access(&view(facts), (from, to));
    }
}

/// Class, width and height.
type Bar = (String, u64, u64);

/// The bars of each chart, in their order.
fn drawn(page: &str) -> Vec<(String, Vec<Bar>)> {
    let value = |rect: &str, key: &str| {
        let begin = rect.find(&format!(" {key}=\"")).unwrap() + key.len() + 3;
        rect[begin..].split('"').next().unwrap().to_owned()
    };
    let charts = page.split("<figure>").skip(1).map(|figure| {
        let figure = figure.split("</figure>").next().unwrap();
        let title = figure.split("<title>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        let bars = figure.split("<rect").skip(1).map(|rect| {
            let number = |key: &str| value(rect, key).parse::<u64>().unwrap();
            (value(rect, "class"), number("width"), number("height"))
        });
        (title, bars.collect())
    });
    charts.collect()
}

#[test]
fn the_charts_are_there_and_are_as_long_as_the_numbers() {
    let mut told = Told::default();
    // Two sessions on the first day, one on the second, none on the third; of three calls each one is refused.
    told.session(10, "one").session(100, "two").session(1500, "three");
    told.add(200, Draft::new(Action::Gap).detail("why", "the disk was full"));
    let page = html::access(&view(told.facts()), (BEGIN, BEGIN + 3 * DAY));
    let charts = drawn(&page);
    let titles: Vec<&str> = charts.iter().map(|(title, _)| title.as_str()).collect();
    assert_eq!(titles, ["Calls by day", "When access was open", "By person", "By cluster"]);
    let heights: Vec<(&str, u64)> =
        charts[0].1.iter().map(|(class, _, tall)| (class.as_str(), *tall)).collect();
    assert_eq!(heights, [("bar", 138), ("bar no", 46), ("bar", 69), ("bar no", 23)]);
    for words in ["2026-11-01: 6, of them 2 refused", "2026-11-02: 3, of them 1 refused"] {
        assert!(page.contains(words), "{words}");
    }
    let open: Vec<&str> = charts[1].1.iter().map(|(class, ..)| class.as_str()).collect();
    assert_eq!(open, ["gap", "bar", "bar", "bar"]);
    for chart in &charts[2..] {
        let widths: Vec<(&str, u64)> =
            chart.1.iter().map(|(class, wide, _)| (class.as_str(), *wide)).collect();
        assert_eq!(widths, [("bar", 630), ("bar no", 210)], "{}", chart.0);
    }
    assert!(page.matches("9 (3 refused)").count() >= 2, "the number stands beside its bar");
}
