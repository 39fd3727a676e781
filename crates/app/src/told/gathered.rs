//! What is to be told, gathered so that many at once become one. Pure: what time it is, is said to it.

use super::news::News;
use super::words;
use crate::approvals::{Ask, Asks};
use crate::desk::Notification;
use crate::person::WorkspaceId;
use sallyport_ipc::Notifications;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long the first waits for others.
const TOGETHER: Duration = Duration::from_secs(2);
/// Between two notifications of those who ask: a flood of requests is told of at this pace, each time in the place of
/// the one before.
const APART: Duration = Duration::from_secs(10);

/// What waits to be told.
#[derive(Default)]
pub(super) struct Gathered {
    sign_in: Option<(WorkspaceId, u64)>,
    /// The requests that were gathered under this sign-in.
    known: BTreeSet<String>,
    /// Those that were not there when the person last looked, told or not, and still wait.
    unseen: Vec<Ask>,
    asks_due: Option<Instant>,
    asks_told: Option<Instant>,
    news: Vec<News>,
    news_due: Option<Instant>,
}

impl Gathered {
    /// Who asks now.
    pub(super) fn asks(&mut self, now: Instant, asks: Asks) {
        if self.sign_in != asks.sign_in {
            // Who asked somebody else is nobody's business.
            let news = std::mem::take(&mut self.news);
            *self = Self { sign_in: asks.sign_in, news, news_due: self.news_due, ..Self::default() };
        }
        let waiting: BTreeSet<&str> = asks.waiting.iter().map(|ask| ask.id.as_str()).collect();
        self.unseen.retain(|ask| waiting.contains(ask.id.as_str()));
        let before = self.unseen.len();
        for ask in asks.waiting {
            if self.known.insert(ask.id.clone()) {
                self.unseen.push(ask);
            }
        }
        if self.unseen.is_empty() {
            self.asks_due = None;
        } else if self.unseen.len() > before && self.asks_due.is_none() {
            let soon = now + TOGETHER;
            self.asks_due = Some(self.asks_told.map_or(soon, |told| soon.max(told + APART)));
        }
    }

    /// What has happened to the person's own.
    pub(super) fn news(&mut self, now: Instant, news: Vec<News>) {
        if !news.is_empty() {
            self.news_due.get_or_insert(now + TOGETHER);
            self.news.extend(news);
        }
    }

    /// When there is something to take.
    pub(super) fn due(&self) -> Option<Instant> {
        self.asks_due.into_iter().chain(self.news_due).min()
    }

    /// What is to be told now. Who looks at the window sees there who asks.
    pub(super) fn take(&mut self, now: Instant, looked_at: bool, chosen: Notifications) -> Vec<Notification> {
        let mut told = Vec::new();
        if self.asks_due.is_some_and(|due| due <= now) {
            self.asks_due = None;
            if looked_at || !chosen.asks {
                self.unseen.clear();
            }
            told.extend(words::asks(&self.unseen, chosen.reasons));
            self.asks_told = (!told.is_empty()).then_some(now).or(self.asks_told);
        }
        if self.news_due.is_some_and(|due| due <= now) {
            self.news_due = None;
            let wanted =
                |news: &News| if news.what.is_of_request() { chosen.requests } else { chosen.sessions };
            let news: Vec<News> = std::mem::take(&mut self.news).into_iter().filter(wanted).collect();
            told.extend(words::news(news, chosen.reasons));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::super::news::What;
    use super::*;
    use sallyport_ipc::Goal;

    const ALL: Notifications = Notifications { asks: true, requests: true, sessions: true, reasons: false };
    const SECOND: Duration = Duration::from_secs(1);

    fn ask(n: usize) -> Ask {
        Ask {
            id: format!("uid-{n}"),
            user: format!("oidc:person-{}", n % 7),
            cluster: "pay-eu".into(),
            environment: "prod".into(),
            profile: "debug".into(),
            namespaces: vec![],
            duration: "1h".into(),
            reason: "INC-1".into(),
        }
    }

    fn asks(sign_in: u64, who: impl IntoIterator<Item = usize>) -> Asks {
        let waiting = who.into_iter().map(ask).collect();
        Asks { sign_in: Some((WorkspaceId::of("https://hub"), sign_in)), waiting }
    }

    fn news(what: What) -> News {
        News { what, session: "s".into(), cluster: "c".into(), profile: "p".into(), by: None, why: None }
    }

    #[test]
    fn many_at_once_become_one_and_ten_thousand_too() {
        let (start, mut gathered) = (Instant::now(), Gathered::default());
        gathered.asks(start, asks(1, [0]));
        assert_eq!(gathered.due(), Some(start + TOGETHER));
        assert!(gathered.take(start + SECOND, false, ALL).is_empty(), "others may come");
        gathered.asks(start + SECOND, asks(1, 0..10_000));
        let told = gathered.take(start + TOGETHER, false, ALL);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].title.as_str(), &told[0].goal), ("7 people ask you", &Goal::Requests));
        assert_eq!(gathered.due(), None);
        // The same list again is nothing new.
        gathered.asks(start + SECOND * 5, asks(1, 0..10_000));
        assert_eq!(gathered.due(), None);
    }

    #[test]
    fn a_flood_is_told_at_its_pace_and_each_says_all_that_wait() {
        let (start, mut gathered) = (Instant::now(), Gathered::default());
        let mut told = Vec::new();
        for second in 0..60 {
            let now = start + SECOND * second;
            gathered.asks(now, asks(1, 0..=second as usize));
            told.extend(gathered.take(now, false, ALL));
        }
        assert!(told.len() <= 6, "{}", told.len());
        assert!(told.iter().all(|one| one.replaces), "each takes the place of the one before");
    }

    #[test]
    fn who_was_answered_meanwhile_is_not_told_of() {
        let (start, mut gathered) = (Instant::now(), Gathered::default());
        gathered.asks(start, asks(1, [1, 2]));
        gathered.asks(start + SECOND, asks(1, [2]));
        let told = gathered.take(start + TOGETHER, false, ALL);
        assert_eq!(told[0].goal, Goal::Request { id: "uid-2".into() });
        gathered.asks(start + SECOND * 3, asks(1, [2, 3]));
        gathered.asks(start + SECOND * 4, asks(1, []));
        assert_eq!(gathered.due(), None);
    }

    #[test]
    fn who_looks_at_the_window_or_wants_none_is_told_of_no_asks_and_not_later_either() {
        for (looked_at, chosen) in [(true, ALL), (false, Notifications { asks: false, ..ALL })] {
            let (start, mut gathered) = (Instant::now(), Gathered::default());
            gathered.asks(start, asks(1, [1]));
            assert!(gathered.take(start + TOGETHER, looked_at, chosen).is_empty());
            gathered.asks(start + TOGETHER, asks(1, [1, 2]));
            let told = gathered.take(start + TOGETHER * 2, false, ALL);
            assert_eq!(told[0].goal, Goal::Request { id: "uid-2".into() });
        }
    }

    #[test]
    fn another_person_is_not_told_who_asked_the_one_before() {
        let (start, mut gathered) = (Instant::now(), Gathered::default());
        gathered.asks(start, asks(1, [1]));
        gathered.news(start, vec![news(What::Unproven)]);
        gathered.asks(start, Asks::default());
        let told = gathered.take(start + TOGETHER, false, ALL);
        assert_eq!(told.len(), 1, "the session's end is still to be told: {told:?}");
    }

    #[test]
    fn each_group_is_told_or_not_as_chosen() {
        let whats = [
            What::Approved,
            What::Denied,
            What::Unanswered,
            What::FiveMinutes,
            What::Unvouched,
            What::Revoked,
            What::Unproven,
        ];
        for (requests, sessions, expected) in
            [(true, true, 7), (true, false, 3), (false, true, 4), (false, false, 0)]
        {
            let (start, mut gathered) = (Instant::now(), Gathered::default());
            gathered.news(start, whats.map(news).into());
            let chosen = Notifications { requests, sessions, ..ALL };
            // What happens to their own is told to who looks at the window too: it may show something else.
            assert_eq!(gathered.take(start + TOGETHER, true, chosen).len(), expected);
        }
    }
}
