//! The words of a notification. What others wrote is cut short, hidden characters are visible, and the reasons that people
//! gave are there only where the person wants them: a locked screen is read by whoever stands before it. Pure.

use super::news::{News, What};
use crate::approvals::Ask;
use crate::desk::Notification;
use sallyport_ipc::Goal;
use sallyport_model::{clip, visible};
use std::collections::{BTreeMap, BTreeSet};

/// The most characters of a name, of a reason, and of a list of names.
const NAME: usize = 60;
const REASON: usize = 160;
const NAMES: usize = 100;
/// How many of those who ask are named when several do.
const NAMED: usize = 3;

/// One notification of all who ask; none when nobody does.
pub(super) fn asks(asks: &[Ask], reasons: bool) -> Option<Notification> {
    let people: BTreeSet<&str> = asks.iter().map(|ask| ask.user.as_str()).collect();
    let (title, body, goal) = match asks {
        [] => return None,
        [ask] => (
            format!("{} asks you", name(&ask.user)),
            one(ask, reasons),
            Goal::Request { id: (&ask.id).into() },
        ),
        [ask, ..] => {
            let title = match people.len() {
                1 => format!("{} asks you {} times", name(&ask.user), asks.len()),
                people => format!("{people} people ask you"),
            };
            (title, several(asks), Goal::Requests)
        }
    };
    Some(Notification { title: title.into(), body: body.into(), goal, replaces: true })
}

fn one(ask: &Ask, reasons: bool) -> String {
    let environment = match ask.environment.as_str() {
        "" => String::new(),
        word => format!(" ({})", name(word)),
    };
    let namespaces = match ask.namespaces.join(", ") {
        all if all.is_empty() => "cluster-wide".to_owned(),
        all => format!("in {}", clip(&visible(&all), NAMES)),
    };
    let (profile, cluster, duration) = (name(&ask.profile), name(&ask.cluster), name(&ask.duration));
    let asked = format!("{profile} on {cluster}{environment}, {namespaces}, for {duration}");
    with_reason(asked, Some(&ask.reason), reasons)
}

fn several(asks: &[Ask]) -> String {
    let named = asks.iter().take(NAMED);
    let named: Vec<String> = named
        .map(|ask| format!("{}: {} on {}", name(&ask.user), name(&ask.profile), name(&ask.cluster)))
        .collect();
    let more = asks.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    format!("{}{more}", named.join("; "))
}

/// Notifications of what happened: one for each kind of it.
pub(super) fn news(all: Vec<News>, reasons: bool) -> Vec<Notification> {
    let mut kinds: BTreeMap<What, Vec<News>> = BTreeMap::new();
    all.into_iter().for_each(|news| kinds.entry(news.what).or_default().push(news));
    kinds.into_iter().filter_map(|(what, news)| of(what, &news, reasons)).collect()
}

fn of(what: What, all: &[News], reasons: bool) -> Option<Notification> {
    let (title, body, goal) = match all {
        [] => return None,
        [news] => {
            let title = format!("{}: {}", heading(what), name(&news.cluster));
            (title, sentence(news, reasons), Goal::Session { id: (&news.session).into() })
        }
        all => {
            let clusters: Vec<String> = all.iter().take(NAMED).map(|news| name(&news.cluster)).collect();
            let more = all.len().saturating_sub(NAMED);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            (
                format!("{}: {}", heading(what), all.len()),
                format!("{}{more}", clusters.join(", ")),
                Goal::Sessions,
            )
        }
    };
    Some(Notification { title: title.into(), body: body.into(), goal, replaces: false })
}

fn heading(what: What) -> &'static str {
    match what {
        What::Approved => "Approved",
        What::Denied => "Denied",
        What::Unanswered => "Not answered in time",
        What::FiveMinutes => "Five minutes left",
        What::Unvouched => "Closes soon",
        What::Revoked => "Revoked",
        What::Unproven => "Not all proven",
    }
}

fn sentence(news: &News, reasons: bool) -> String {
    let profile = name(&news.profile);
    let by = news.by.as_deref().map(|by| format!(" by {}", name(by))).unwrap_or_default();
    let said = match news.what {
        // It is in words already: "by oidc:lee, oidc:kim".
        What::Approved => {
            let by = news.by.as_deref().map(|by| format!(" {}", clip(by, NAMES))).unwrap_or_default();
            format!("Your request under {profile} was approved{by}; it opens now")
        }
        What::Denied => format!("Your request under {profile} was denied{by}"),
        What::Unanswered => format!("Nobody decided on your request under {profile}"),
        What::FiveMinutes => "Your session ends in five minutes".to_owned(),
        What::Unvouched => {
            "Your identity provider has not vouched for you again; the session says why and when it closes"
                .to_owned()
        }
        What::Revoked => format!("Your session under {profile} was ended{by}"),
        What::Unproven => {
            "Your session is closed; its closing report says what could not be shown".to_owned()
        }
    };
    with_reason(said, news.why.as_deref(), reasons)
}

fn with_reason(said: String, reason: Option<&str>, reasons: bool) -> String {
    match reason.filter(|reason| reasons && !reason.trim().is_empty()) {
        Some(reason) => format!("{said}: “{}”", clip(&visible(reason), REASON)),
        None => format!("{said}."),
    }
}

fn name(text: &str) -> String {
    clip(&visible(text), NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(user: &str) -> Ask {
        Ask {
            id: format!("uid-of-{user}"),
            user: user.into(),
            cluster: "pay-eu".into(),
            environment: "prod".into(),
            profile: "operate".into(),
            namespaces: vec!["payments".into(), "cart".into()],
            duration: "1h".into(),
            reason: "the safe's code is 1234".into(),
        }
    }

    fn happened(what: What) -> News {
        News {
            what,
            session: "s1".into(),
            cluster: "pay-eu".into(),
            profile: "operate".into(),
            by: Some(if what == What::Approved { "by oidc:lee" } else { "oidc:lee" }.into()),
            why: Some("the safe's code is 1234".into()),
        }
    }

    const WHATS: [What; 7] = [
        What::Approved,
        What::Denied,
        What::Unanswered,
        What::FiveMinutes,
        What::Unvouched,
        What::Revoked,
        What::Unproven,
    ];

    #[test]
    fn one_who_asks_is_told_with_what_for_how_long_and_where_and_a_click_leads_there() {
        let told = asks(&[ask("oidc:dana")], false).unwrap();
        assert_eq!(told.title, "oidc:dana asks you");
        assert_eq!(told.body, "operate on pay-eu (prod), in payments, cart, for 1h.");
        assert_eq!(told.goal, Goal::Request { id: "uid-of-oidc:dana".into() });
        assert_eq!(asks(&[], true), None);
    }

    #[test]
    fn several_are_counted_by_who_they_are() {
        let twice = asks(&[ask("oidc:dana"), ask("oidc:dana")], false).unwrap();
        assert_eq!(twice.title, "oidc:dana asks you 2 times");
        let many: Vec<Ask> = (0..5).map(|n| ask(&format!("oidc:p{n}"))).collect();
        let told = asks(&many, true).unwrap();
        assert_eq!((told.title.as_str(), told.goal), ("5 people ask you", Goal::Requests));
        assert!(told.body.ends_with("oidc:p2: operate on pay-eu; and 2 more"), "{}", told.body);
    }

    #[test]
    fn no_reason_is_told_unless_it_is_wanted() {
        let mut told = vec![asks(&[ask("a")], false), asks(&[ask("a"), ask("b")], false)];
        told.extend(WHATS.map(|what| news(vec![happened(what)], false).pop()));
        for one in told.into_iter().flatten() {
            assert!(!one.title.contains("1234") && !one.body.contains("1234"), "{one:?}");
        }
        let told = asks(&[ask("a")], true).unwrap();
        assert!(told.body.ends_with("for 1h: “the safe's code is 1234”"), "{}", told.body);
        let told = news(vec![happened(What::Revoked)], true);
        assert_eq!(
            told[0].body,
            "Your session under operate was ended by oidc:lee: “the safe's code is 1234”"
        );
    }

    #[test]
    fn each_thing_that_happened_has_its_words_and_many_of_a_kind_are_one() {
        let all = WHATS.map(happened).to_vec();
        let told = news([all.clone(), all].concat(), false);
        assert_eq!(told.len(), WHATS.len());
        assert!(told.iter().all(|one| one.goal == Goal::Sessions && one.title.ends_with(": 2")), "{told:?}");
        let one = news(vec![happened(What::Approved)], false);
        assert_eq!(one[0].title, "Approved: pay-eu");
        assert_eq!(one[0].body, "Your request under operate was approved by oidc:lee; it opens now.");
        assert_eq!(one[0].goal, Goal::Session { id: "s1".into() });
    }

    #[test]
    fn p24_what_others_wrote_is_short_and_hides_nothing() {
        let odd = format!("{}\u{202e}\u{0}\n\u{200b}", "x".repeat(10_000));
        let mut hostile = ask("a\u{202e}b\u{7}\n");
        for text in
            [&mut hostile.cluster, &mut hostile.environment, &mut hostile.profile, &mut hostile.reason]
        {
            text.insert_str(0, &format!("\u{202e}{odd}"));
        }
        hostile.namespaces = vec![odd.clone(); 50];
        hostile.duration = odd.clone();
        let mut of_mine = happened(What::Denied);
        (of_mine.cluster, of_mine.by, of_mine.why) =
            (odd.as_str().into(), Some(odd.as_str().into()), Some(odd.into()));
        let several = asks(&vec![hostile.clone(); 9], true);
        for told in [asks(&[hostile], true), several, news(vec![of_mine], true).pop()].into_iter().flatten() {
            for text in [&told.title, &told.body] {
                assert!(
                    !text.chars().any(|c| c.is_control() || matches!(c, '\u{202e}' | '\u{200b}')),
                    "{text}"
                );
                assert!(text.chars().count() < 800, "{}", text.chars().count());
            }
        }
    }
}
