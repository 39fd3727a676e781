//! Against a real bus, and a service that speaks the specification.

use super::*;
use sallyport_testkit::bus::SessionBus;
use sallyport_testkit::notifications::{Manner, NotificationService, pretend_click};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const SOON: Duration = Duration::from_secs(60);

fn on(bus: &SessionBus) -> (Freedesktop, mpsc::UnboundedReceiver<Goal>) {
    let (clicked, clicks) = mpsc::unbounded_channel();
    let mut desktop = Freedesktop::new(move |goal| clicked.send(goal).expect("the test listens"));
    desktop.address = Some(bus.address());
    (desktop, clicks)
}

fn one(title: &str, id: &str) -> Notification {
    Notification {
        title: title.into(),
        body: "debug on <b>pay-eu</b> & more".into(),
        goal: Goal::Request { id: id.into() },
        replaces: false,
    }
}

async fn next(clicks: &mut mpsc::UnboundedReceiver<Goal>) -> Goal {
    tokio::time::timeout(SOON, clicks.recv()).await.expect("a click is heard").expect("it is told")
}

#[tokio::test]
async fn what_is_shown_can_be_clicked_and_the_click_leads_where_it_was_to_lead() {
    let bus = SessionBus::start().await.unwrap();
    let service = NotificationService::start(&bus.address(), Manner::default()).await.unwrap();
    let (desktop, mut clicks) = on(&bus);
    desktop.ready().await.unwrap();
    desktop.show(one("first", "r-1")).await.unwrap();
    desktop.show(one("second", "r-2")).await.unwrap();
    let told = service.told();
    assert_eq!(told.iter().map(|one| one.title.as_str()).collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!((told[0].app.as_str(), told[0].actions[0].as_str()), ("Sallyport", "default"));
    assert_eq!(told[0].body, "debug on &lt;b&gt;pay-eu&lt;/b&gt; &amp; more", "markup is read there");
    service.click(told[1].id).await.unwrap();
    assert_eq!(next(&mut clicks).await, Goal::Request { id: "r-2".into() });
    // One that was closed, one that was clicked already, and one that is not ours lead nowhere.
    service.close(told[0].id).await.unwrap();
    for id in [told[0].id, told[1].id, 4711] {
        service.click(id).await.unwrap();
    }
    desktop.show(one("third", "r-3")).await.unwrap();
    let third = service.until_told(SOON, |one| one.title == "third").await.unwrap();
    service.click(third.id).await.unwrap();
    assert_eq!(next(&mut clicks).await, Goal::Request { id: "r-3".into() });
}

#[tokio::test]
async fn where_no_markup_is_read_text_stays_as_it_is() {
    let bus = SessionBus::start().await.unwrap();
    let manner = Manner { capabilities: vec!["body"], ..Manner::default() };
    let service = NotificationService::start(&bus.address(), manner).await.unwrap();
    let (desktop, _clicks) = on(&bus);
    desktop.show(one("first", "r-1")).await.unwrap();
    assert_eq!(service.told()[0].body, "debug on <b>pay-eu</b> & more");
}

#[tokio::test]
async fn what_says_the_same_anew_takes_the_place_of_the_last_while_that_is_there() {
    let bus = SessionBus::start().await.unwrap();
    let service = NotificationService::start(&bus.address(), Manner::default()).await.unwrap();
    let (desktop, mut clicks) = on(&bus);
    let again = |title, id| Notification { replaces: true, ..one(title, id) };
    desktop.show(again("1 asks", "r-1")).await.unwrap();
    desktop.show(one("other", "r-0")).await.unwrap();
    desktop.show(again("2 ask", "r-2")).await.unwrap();
    let told = service.told();
    assert_eq!(told.iter().map(|one| one.replaces).collect::<Vec<_>>(), [0, 0, told[0].id]);
    service.click(told[0].id).await.unwrap();
    assert_eq!(next(&mut clicks).await, Goal::Request { id: "r-2".into() }, "where the last one leads");
    desktop.show(again("3 ask", "r-3")).await.unwrap();
    assert_eq!(service.told()[3].replaces, 0, "that one is gone");
}

#[tokio::test]
async fn a_click_that_somebody_else_pretends_is_none() {
    let bus = SessionBus::start().await.unwrap();
    let service = NotificationService::start(&bus.address(), Manner::default()).await.unwrap();
    let (desktop, mut clicks) = on(&bus);
    desktop.show(one("first", "r-1")).await.unwrap();
    let id = service.told()[0].id;
    let us =
        desktop.link().await.unwrap().service.connection().unique_name().expect("it has a name").to_string();
    pretend_click(&bus.address(), &us, id).await.unwrap();
    // What comes after it on the same connection is heard, and it was not.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(clicks.try_recv().is_err());
    service.click(id).await.unwrap();
    assert_eq!(next(&mut clicks).await, Goal::Request { id: "r-1".into() });
}

#[tokio::test]
async fn a_service_that_is_missing_is_said_and_used_when_it_comes_goes_and_comes_again() {
    let bus = SessionBus::start().await.unwrap();
    let (desktop, mut clicks) = on(&bus);
    let missing = "no notification service runs on this desktop";
    assert_eq!(desktop.ready().await.unwrap_err(), missing);
    assert_eq!(desktop.show(one("lost", "r-0")).await.unwrap_err(), missing);
    for round in ["r-1", "r-2"] {
        let service = NotificationService::start(&bus.address(), Manner::default()).await.unwrap();
        desktop.ready().await.unwrap();
        desktop.show(one("first", round)).await.unwrap();
        service.click(service.told()[0].id).await.unwrap();
        assert_eq!(next(&mut clicks).await, Goal::Request { id: round.into() });
        drop(service);
        let began = Instant::now();
        while desktop.ready().await.is_ok() {
            assert!(began.elapsed() < SOON, "the service is gone");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn a_bus_that_is_gone_is_said_and_another_one_is_taken() {
    let bus = SessionBus::start().await.unwrap();
    let service = NotificationService::start(&bus.address(), Manner::default()).await.unwrap();
    let (mut desktop, _clicks) = on(&bus);
    desktop.show(one("first", "r-1")).await.unwrap();
    drop(service);
    drop(bus);
    let began = Instant::now();
    loop {
        let why = desktop.show(one("lost", "r-2")).await.unwrap_err();
        if why.starts_with("the session bus can't be reached") {
            break;
        }
        assert!(began.elapsed() < SOON, "{why}");
    }
    let bus = SessionBus::start().await.unwrap();
    let service = NotificationService::start(&bus.address(), Manner::default()).await.unwrap();
    desktop.address = Some(bus.address());
    desktop.show(one("second", "r-3")).await.unwrap();
    assert_eq!(service.told().len(), 1);
}

#[tokio::test]
async fn a_service_or_bus_that_is_slow_can_be_given_up_and_works_afterwards() {
    let bus = SessionBus::start().await.unwrap();
    let manner = Manner { takes: Duration::from_secs(2), ..Manner::default() };
    let service = NotificationService::start(&bus.address(), manner).await.unwrap();
    let (desktop, mut clicks) = on(&bus);
    let given_up = async |what: &str| {
        let shown = tokio::time::timeout(Duration::from_millis(100), desktop.show(one(what, "r-0"))).await;
        assert!(shown.is_err(), "{what}");
    };
    given_up("a slow service").await;
    bus.pause().unwrap();
    given_up("a bus that hangs").await;
    bus.resume().unwrap();
    desktop.show(one("patient", "r-1")).await.unwrap();
    let told = service.until_told(SOON, |one| one.title == "patient").await.unwrap();
    service.click(told.id).await.unwrap();
    assert_eq!(next(&mut clicks).await, Goal::Request { id: "r-1".into() });
}
