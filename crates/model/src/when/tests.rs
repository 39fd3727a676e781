use super::*;
use proptest::prelude::*;

fn when(zone: &str, days: Option<&[&str]>, hours: Option<&str>) -> When {
    let days = days.map(|days| Days::parse(days.iter().copied()).unwrap());
    When::new(zone, days, hours.map(|hours| hours.parse().unwrap())).unwrap()
}

/// Unix seconds of a time that is written with its offset.
fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

#[test]
fn the_wall_in_the_zone_decides_and_the_end_is_not_in_it() {
    let office = when("Europe/Berlin", Some(&["Mon", "Tue", "Wed", "Thu", "Fri"]), Some("09:00-18:00"));
    for (time, holds) in [
        ("2026-11-30T07:59:59Z", false),
        ("2026-11-30T08:00:00Z", true),
        ("2026-11-30T16:59:59Z", true),
        ("2026-11-30T17:00:00Z", false),
        ("2026-11-29T10:00:00Z", false),
        // In summer an hour earlier.
        ("2026-07-01T07:00:00Z", true),
        ("2026-07-01T16:00:00Z", false),
    ] {
        assert_eq!(office.holds(at(time)), holds, "{time}");
    }
    assert_eq!(office.to_string(), "Mon-Fri 09:00-18:00 in Europe/Berlin");
    assert_eq!(office.wall(at("2026-11-30T08:05:00Z")), "Mon 09:05");
    assert!(!office.holds(i64::MAX) && office.changes_after(i64::MAX).is_none());
}

#[test]
fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
    let night = when("Europe/Berlin", Some(&["Fri"]), Some("22:00-06:00"));
    for (time, holds) in [
        ("2026-11-27T20:59:59Z", false),
        ("2026-11-27T21:00:00Z", true),
        ("2026-11-28T04:59:59Z", true),
        ("2026-11-28T05:00:00Z", false),
        ("2026-11-28T21:30:00Z", false),
        // The small hours of Friday are Thursday's.
        ("2026-11-27T02:00:00Z", false),
    ] {
        assert_eq!(night.holds(at(time)), holds, "{time}");
    }
    assert_eq!(night.changes_after(at("2026-11-27T22:00:00Z")), Some(at("2026-11-28T05:00:00Z")));
    assert_eq!(night.changes_after(at("2026-11-28T06:00:00Z")), Some(at("2026-12-04T21:00:00Z")));
}

#[test]
fn an_hour_that_the_wall_shows_twice_is_in_it_twice_and_one_it_skips_is_not() {
    // Berlin, 25 October 2026: 03:00 becomes 02:00 at 01:00Z.
    let small = when("Europe/Berlin", None, Some("02:00-02:30"));
    let held = |from: &str, to: &str| (at(from)..at(to)).step_by(60).filter(|now| small.holds(*now)).count();
    assert_eq!(held("2026-10-24T20:00:00Z", "2026-10-25T12:00:00Z"), 60);
    assert_eq!(small.changes_after(at("2026-10-25T00:10:00Z")), Some(at("2026-10-25T00:30:00Z")));
    assert_eq!(small.changes_after(at("2026-10-25T00:40:00Z")), Some(at("2026-10-25T01:00:00Z")));
    // 29 March 2026: 02:00 becomes 03:00 at 01:00Z.
    assert_eq!(held("2026-03-28T20:00:00Z", "2026-03-29T12:00:00Z"), 0);
    // What ends in the gap ends where the wall jumps.
    let over = when("Europe/Berlin", None, Some("01:30-02:30"));
    assert_eq!(over.changes_after(at("2026-03-29T00:40:00Z")), Some(at("2026-03-29T01:00:00Z")));
    // Lord Howe moves by half an hour: 02:00 becomes 02:30 on 4 October 2026, and back to 01:30 on 5 April.
    let howe = when("Australia/Lord_Howe", None, Some("01:30-02:30"));
    let lasts = |from: &str| {
        let begins = howe.changes_after(at(from)).unwrap();
        (howe.changes_after(begins).unwrap() - begins) / 60
    };
    assert_eq!((lasts("2026-10-03T04:00:00Z"), lasts("2026-10-05T04:00:00Z")), (30, 60));
    assert_eq!(lasts("2026-04-04T04:00:00Z"), 90);
}

#[test]
fn what_can_never_change_is_said_not_to() {
    let always = when("UTC", Some(&NAMES), None);
    assert!(always.holds(0) && always.changes_after(0).is_none());
    let day = when("UTC", None, Some("00:00-24:00"));
    assert!(day.holds(0) && day.changes_after(0).is_none());
    assert_eq!(day.to_string(), "00:00-24:00 in UTC");
}

#[test]
fn what_is_no_time_is_refused_by_name() {
    for bad in [
        "",
        "-",
        "9:00-18:00",
        "09:00",
        "09:00-18:60",
        "24:00-08:00",
        "09:00-09:00",
        "09:00-24:01",
        "09:00–18:00",
        "+9:00-18:00",
        "09:00-18:00 ",
        "08:00-00:00",
        "09:0٠-18:00",
        "99:99-99:99",
    ] {
        assert!(bad.parse::<Hours>().is_err(), "{bad}");
    }
    assert_eq!(Days::parse([]), Err(WhenError::NoDay));
    for bad in ["mon", "Monday", "", "Mon\u{202e}"] {
        assert!(matches!(Days::parse(["Mon", bad]), Err(WhenError::NotADay(_))), "{bad}");
    }
    let hours = Some("09:00-18:00".parse().unwrap());
    for bad in [
        "",
        "Europe/Atlantis",
        "Etc/Unknown",
        "../../etc/localtime",
        "Local",
        "CEST-2",
        "Europe/Berlin\u{0}",
        &"x".repeat(4096),
    ] {
        assert!(matches!(When::new(bad, None, hours), Err(WhenError::NoZone(_))), "{bad}");
    }
    assert_eq!(When::new("Europe/Berlin", None, None), Err(WhenError::Nothing));
}

#[test]
fn days_are_said_in_rows() {
    let said = |days: &[&str]| Days::parse(days.iter().copied()).unwrap().to_string();
    assert_eq!(said(&["Fri", "Mon", "Tue", "Wed"]), "Mon-Wed, Fri");
    assert_eq!(said(&["Sat", "Sun"]), "Sat, Sun");
}

const ZONES: [&str; 5] =
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago"];

fn any_when() -> impl Strategy<Value = When> {
    let hours = (0..MINUTES, 1..=MINUTES).prop_filter("a stretch", |(from, to)| from != to);
    let days = prop::array::uniform7(any::<bool>()).prop_filter("a day", |days| *days != [false; 7]);
    (prop::sample::select(&ZONES[..]), prop::option::of(days), hours).prop_map(|(zone, days, (from, to))| {
        When::new(zone, days.map(Days), Some(Hours { from, to })).unwrap()
    })
}

/// Hours around a clock change of one of the zones, and any other time.
fn any_time() -> impl Strategy<Value = i64> {
    let around = prop::sample::select(vec![
        "2026-03-29T01:00:00Z",
        "2026-10-25T01:00:00Z",
        "2026-03-08T07:00:00Z",
        "2026-11-01T06:00:00Z",
        "2026-04-04T15:00:00Z",
        "2026-10-03T15:30:00Z",
        "2026-09-06T04:00:00Z",
    ]);
    prop_oneof![
        (around, -100_000i64..100_000).prop_map(|(text, off)| at(text) + off),
        1_767_225_600i64..1_830_297_600,
    ]
}

proptest! {
    /// The slow way: every minute of a week is asked.
    #[test]
    fn the_next_change_is_what_asking_every_minute_finds(when in any_when(), now in any_time()) {
        let is = when.holds(now);
        let first = now - now.rem_euclid(60) + 60;
        let found = (first..=now + 7 * 24 * 3600).step_by(60).find(|minute| when.holds(*minute) != is);
        let told = when.changes_after(now).filter(|told| *told <= now + 7 * 24 * 3600);
        prop_assert_eq!(told, found);
    }

    /// Whatever the clocks do, the wall's minute and day decide: the same question asked of a reader of that wall.
    #[test]
    fn it_holds_by_what_the_wall_shows(when in any_when(), now in any_time()) {
        let shown = when.wall(now);
        let minute: u16 = shown[4..6].parse::<u16>().unwrap() * 60 + shown[7..9].parse::<u16>().unwrap();
        let day = NAMES.iter().position(|name| *name == &shown[..3]).unwrap();
        let hours = when.hours.unwrap();
        let on = |day: usize| when.days.is_none_or(|days| days.0[day]);
        let small = hours.from > hours.to && minute < hours.to;
        let inside = if hours.from < hours.to { (hours.from..hours.to).contains(&minute) } else { minute >= hours.from || small };
        let begun = if small { (day + 6) % 7 } else { day };
        // In the late part of a night that began yesterday as well, today's own begins.
        let late = hours.from > hours.to && minute >= hours.from && on(day);
        prop_assert_eq!(when.holds(now), late || (inside && on(begun)));
    }

    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = (text.parse::<Hours>(), Days::parse([text.as_str()]), When::new(&text, None, "09:00-10:00".parse().ok()));
    }
}
