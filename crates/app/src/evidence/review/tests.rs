use super::super::tests::bench;
use super::*;
use sallyport_audit::Outcome;

fn input(of: ReviewOf, name: &str) -> ReviewInput {
    ReviewInput {
        of,
        name: name.to_owned(),
        from_us: None,
        to_us: None,
        ruling: ReviewRuling::Kept,
        note: String::new(),
    }
}

fn of_person(name: &str) -> TimelineFilter {
    TimelineFilter { person: Some(name.to_owned()), ..TimelineFilter::default() }
}

fn of_cluster(name: &str) -> TimelineFilter {
    TimelineFilter { cluster: Some(name.to_owned()), ..TimelineFilter::default() }
}

#[tokio::test]
async fn a_review_is_an_entry_and_stands_on_the_page_of_what_it_was_about() {
    let bench = bench().await;
    let lee: UserName = "oidc:lee".parse().unwrap();
    assert_eq!(bench.evidence.about(of_person("oidc:dana")).await.unwrap().reviews, []);
    bench.evidence.review(&lee, input(ReviewOf::Person, "oidc:dana")).await.unwrap();
    let removed = ReviewInput {
        from_us: Some(1),
        ruling: ReviewRuling::ToBeRemoved,
        note: " the binding `old-ops`, by lee until Friday ".to_owned(),
        ..input(ReviewOf::Standing, "payments-eu-1")
    };
    bench.evidence.review(&lee, removed).await.unwrap();
    bench.evidence.review(&lee, input(ReviewOf::Cluster, "payments-eu-1")).await.unwrap();
    bench.evidence.review(&lee, input(ReviewOf::Person, "oidc:lee")).await.unwrap();

    let dana = bench.evidence.about(of_person("oidc:dana")).await.unwrap();
    assert_eq!(dana.reviews.len(), 1);
    let one = &dana.reviews[0];
    assert_eq!((one.by.to_string().as_str(), one.is_own, one.of), ("oidc:lee", false, ReviewOf::Person));
    assert!(one.to_us <= one.at_us && one.from_us.is_none());
    let own = bench.evidence.about(of_person("oidc:lee")).await.unwrap();
    assert!(own.reviews.len() == 1 && own.reviews[0].is_own);
    let cluster = bench.evidence.about(of_cluster("payments-eu-1")).await.unwrap();
    let said: Vec<_> = cluster.reviews.iter().map(|one| (one.of, one.ruling, one.note.to_string())).collect();
    let note = "the binding `old-ops`, by lee until Friday".to_owned();
    assert_eq!(
        said,
        [
            (ReviewOf::Cluster, ReviewRuling::Kept, String::new()),
            (ReviewOf::Standing, ReviewRuling::ToBeRemoved, note)
        ]
    );
    assert!(bench.evidence.about(of_cluster("payments-eu-2")).await.unwrap().reviews.is_empty());
    // In the timeline as a sentence, by whoever reviewed.
    let page = bench.page(of_person("oidc:lee")).await;
    let said: Vec<String> = page.rows.iter().map(|row| row.sentence.to_string()).collect();
    assert_eq!(
        said,
        [
            "Reviewed the access of oidc:lee: it is kept",
            "Reviewed the access to payments-eu-1: it is kept",
            "Reviewed standing access on payments-eu-1: something of it is to be removed, “the binding `old-ops`, by lee until Friday”",
            "Reviewed the access of oidc:dana: it is kept",
        ]
    );
}

#[tokio::test]
async fn what_is_no_review_is_refused_and_says_why() {
    let bench = bench().await;
    let lee: UserName = "oidc:lee".parse().unwrap();
    let kept = || input(ReviewOf::Person, "oidc:dana");
    let bad = [
        (input(ReviewOf::Person, ""), "this person"),
        (input(ReviewOf::Person, "dana\u{202e}"), "this person"),
        (input(ReviewOf::Cluster, "not a name/"), "this cluster"),
        (input(ReviewOf::Standing, &"x".repeat(5000)), "this cluster"),
        (ReviewInput { from_us: Some(9), to_us: Some(9), ..kept() }, "ends before it begins"),
        (ReviewInput { from_us: Some(i64::MAX), ..kept() }, "still to come"),
        (ReviewInput { to_us: Some(i64::MIN), from_us: Some(0), ..kept() }, "ends before it begins"),
        (ReviewInput { note: "x".repeat(NOTE_MOST + 1), ..kept() }, "too long"),
        (ReviewInput { ruling: ReviewRuling::ToBeRemoved, note: " \n ".to_owned(), ..kept() }, "is not said"),
    ];
    for (input, why) in bad {
        let error = bench.evidence.review(&lee, input.clone()).await.unwrap_err();
        assert!(error.message().contains(why) && error.code() == ErrorCode::BadInput, "{input:?}: {error:?}");
    }
    assert!(bench.evidence.about(of_person("oidc:dana")).await.unwrap().reviews.is_empty());
}

#[tokio::test]
async fn p24_a_note_is_shown_and_never_obeyed() {
    let bench = bench().await;
    let lee: UserName = "oidc:lee".parse().unwrap();
    let note = "\u{1b}[2Jgone \u{202e}txt.exe <script>alert(1)</script>\0";
    let said = ReviewInput { note: note.to_owned(), ..input(ReviewOf::Cluster, "payments-eu-1") };
    bench.evidence.review(&lee, said).await.unwrap();
    let about = bench.evidence.about(of_cluster("payments-eu-1")).await.unwrap();
    let shown = about.reviews[0].note.to_string();
    assert!(!shown.contains(['\u{1b}', '\u{202e}', '\0']), "{shown:?}");
    let page = bench.page(of_cluster("payments-eu-1")).await;
    assert!(!page.rows[0].sentence.to_string().contains(['\u{1b}', '\u{202e}', '\0']));
}

#[tokio::test]
async fn more_reviews_than_are_told_are_said_to_be_there_and_none_of_others_hides_one() {
    let bench = bench().await;
    let lee: UserName = "oidc:lee".parse().unwrap();
    bench.evidence.review(&lee, input(ReviewOf::Person, "oidc:first")).await.unwrap();
    let other = Review {
        of: Reviewed::Person("oidc:many".parse().unwrap()),
        from: None,
        to: 1,
        ruling: Ruling::Kept,
        note: String::new(),
    };
    for _ in 0..PAGE + 30 {
        bench.note(other.draft(&lee)).await;
    }
    // Refused ones are none.
    bench.note(other.draft(&lee).outcome(Outcome::Refused)).await;
    // This one is on the disk when it is answered, and so is what stands before it.
    bench.evidence.review(&lee, input(ReviewOf::Person, "oidc:last")).await.unwrap();
    let many = bench.evidence.about(of_person("oidc:many")).await.unwrap();
    assert!(many.reviews.len() == TOLD && many.has_more_reviews);
    let first = bench.evidence.about(of_person("oidc:first")).await.unwrap();
    assert!(first.reviews.len() == 1 && !first.has_more_reviews);
}
