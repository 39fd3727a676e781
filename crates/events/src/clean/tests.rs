use super::*;

#[test]
fn a_command_keeps_its_two_ends() {
    let command: Vec<String> = (0..1000).map(|n| format!("word-{n}")).collect();
    let kept = bounded(command);
    assert_eq!(kept.len(), WORDS_MOST);
    assert_eq!((kept[0].as_str(), kept[WORDS_MOST - 1].as_str()), ("word-0", "word-999"));
    assert!(kept[WORDS_MOST / 2].contains("953 words left out"), "{kept:?}");
    let long = bounded(vec![format!("begin {} end", "x".repeat(9000))]);
    assert!(long[0].starts_with("begin") && long[0].ends_with("end") && long[0].chars().count() == WORD_MOST);
}

#[test]
fn p20_an_address_says_how_to_list_or_is_looked_through() {
    let kept = |uri: &str| {
        let mut done = Done::default();
        let (text, changed, _) = done.uri(uri.to_owned().into(), true);
        (text.into_owned(), changed, done.redactions)
    };
    let plain = "/api/v1/pods?allowWatchBookmarks=true&resourceVersion=1&timeoutSeconds=5&watch=true";
    assert_eq!(kept(plain), (plain.to_owned(), false, 0));
    for secret in [
        "/api/v1/x?watch=true&token=hunter2",
        "/api/v1/x?container=db&command=mysql&command=-phunter2",
        "/x?%63ommand=mysql&%63ommand=-phunter2",
        "/x?fieldManager=password%3Dhunter2",
        "/x?labelSelector=token%20hunter2,token=hunter2",
    ] {
        let (text, changed, redactions) = kept(secret);
        assert!(changed && redactions > 0 && !text.contains("hunter2,token=hunter2"), "{secret} → {text}");
    }
}
