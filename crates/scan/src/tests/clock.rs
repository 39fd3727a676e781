use super::api::{answer, read, says};
use serde_json::json;

/// What an API server says whose clock is so many seconds ahead of this machine's.
async fn told(ahead: i64) -> crate::Reading {
    read(move |asked| {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(ahead);
        let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let mut said = match asked {
            "/version" => says(&json!({"major": "1", "minor": "37", "gitVersion": "v1.37.0"})),
            _ => answer(404, "{}"),
        };
        said.headers_mut().insert(http::header::DATE, date.parse().unwrap());
        Some(said)
    })
    .await
}

#[tokio::test]
async fn what_ends_is_judged_by_the_servers_clock_where_the_two_are_apart() {
    for ahead in [7200, -7200] {
        let reading = told(ahead).await;
        let apart = reading.clock_ahead.unwrap();
        assert!((apart + ahead).abs() <= 2, "{apart}");
        let snapshot = reading.snapshot();
        let here = reading.taken.as_deref().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
        assert!((snapshot.taken.unwrap() - here - ahead).abs() <= 2, "{:?} {here}", snapshot.taken);
        assert_eq!(snapshot.clock_ahead, Some(apart));
        // It is kept with the reading, and a file before knows of none.
        let json = reading.to_json().unwrap();
        assert_eq!(crate::Reading::from_json(&json).unwrap().clock_ahead, Some(apart));
        let mut before: serde_json::Value = serde_json::from_str(&json).unwrap();
        before.as_object_mut().unwrap().remove("clockAhead").unwrap();
        assert_eq!(crate::Reading::from_json(&before.to_string()).unwrap().clock_ahead, None);
    }
    // Within a minute it is this machine's, and nothing is said.
    let near = told(40).await.snapshot();
    assert_eq!(near.clock_ahead, None);
    assert_eq!(read(|_| None).await.clock_ahead, None, "one that tells no time");
}

#[tokio::test]
async fn a_date_that_is_none_says_nothing_and_one_that_is_absurd_overflows_nothing() {
    for date in ["", "soon", "Sun, 29 Nov 99999 22:00:00 GMT", "Fri, 01 Jan 9999 00:00:00 GMT"] {
        let reading = read(move |asked| {
            (asked == "/version").then(|| {
                let mut said = says(&json!({"major": "1", "minor": "37", "gitVersion": "v1.37.0"}));
                said.headers_mut().insert(http::header::DATE, date.parse().unwrap());
                said
            })
        });
        let snapshot = reading.await.snapshot();
        assert_eq!(snapshot.clock_ahead.is_some(), date.contains(" 9999 "), "{date}");
        let _ = sallyport_posture::Ground::new(&snapshot).report();
    }
    let mut far = crate::Reading { taken: Some("2026-11-30T00:00:00Z".to_owned()), ..Default::default() };
    for ahead in [i64::MIN, i64::MAX] {
        far.clock_ahead = Some(ahead);
        assert!(far.snapshot().clock_ahead.is_some_and(|far| far.unsigned_abs() < 1 << 32));
        let _ = sallyport_posture::Ground::new(&far.snapshot()).report();
    }
}
