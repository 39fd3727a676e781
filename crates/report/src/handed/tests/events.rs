//! Clusters' events in a pack: what leaves of them, and that nothing done to them goes unseen.

use super::*;
use sallyport_audit::Outcome;

const RAW: &str = r#"{"kind":"Event","auditID":"a-1","verb":"patch","user":{"username":"oidc:lee"},
    "requestURI":"/api?x=%74oken%3Dhunter2hunter","userAgent":"curl --header=Bearer_Zm9vYmFyYmF6Zm9vMTIzNDU2",
    "objectRef":{"resource":"deployments","namespace":"pay","name":"0123456789abcdef0123456789abcdef"},
    "user.extra":["X509SHA256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"],
    "annotations":{"reason":"allowed by \"viewers\" to oidc:lee","n":7}}"#;

fn told<'t>(cluster: &'t str, id: &'t str) -> ToldCall<'t> {
    ToldCall {
        cluster,
        audit_id: id,
        name: "0123456789abcdef0123456789abcdef",
        credential: "X509SHA256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        raw: Some(RAW),
        ..call()
    }
}

fn gathered(lacks: Lacks) -> (Events, Vec<u8>) {
    let mut telling = Telling::new(Vec::new());
    for (cluster, id) in [("us-1", "a-3"), ("eu-1", "a-2"), ("eu-1", "a-1")] {
        assert!(telling.take(&told(cluster, id)).unwrap());
    }
    assert!(telling.take(&ToldCall { raw: Some("{\"kind\":\"Ev"), ..told("eu-1", "a-0") }).unwrap());
    telling.end(lacks)
}

/// What was handed on before, and what is now: the entry that is sealed before the pack is made.
fn vouched(sha256: &[&str]) -> Vec<Entry> {
    let mut all = entries();
    for sha256 in sha256 {
        let draft = Draft::new(Action::Exported).outcome(Outcome::Unknown).detail(EVENTS_SHA256, *sha256);
        let sequence = all.len() as u64 + 1;
        all.push(draft.place(sequence, 1_000 * sequence as i64));
    }
    all
}

fn with_events(sessions: &[&str]) -> (Vec<u8>, Packed, Events) {
    let (said, bytes) = gathered(Lacks { of: 9, damaged: 2, unread_files: 1, is_cut: false });
    let entries = vouched(&[&"ab".repeat(32), &said.sha256]);
    let (pack, packed) = packed_of(entries, sessions, &mut here, Some((said.clone(), &bytes)));
    (pack, packed, said)
}

#[test]
fn p20_an_event_leaves_with_its_names_and_without_what_looks_like_a_secret() {
    let (said, bytes) = gathered(Lacks::default());
    let text = String::from_utf8(bytes).unwrap();
    for secret in ["hunter2", "Zm9vYmFy", "%74oken"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    let event = &lines[0]["event"];
    assert_eq!((&lines[0]["cluster"], &event["auditID"]), (&json!("us-1"), &json!("a-1")));
    // What would be taken for drawn by lot stays where it is a name that the call is found by.
    assert_eq!(event["objectRef"]["name"], told("", "").name);
    assert_eq!(event["user.extra"][0], told("", "").credential);
    assert_eq!((&event["user"]["username"], &event["annotations"]["n"]), (&json!("oidc:lee"), &json!(7)));
    assert!(said.redactions >= 6, "two in each of three: {}", said.redactions);
    // One that breaks off is told by what is kept to find it.
    assert_eq!((lines[3].get("event"), &lines[3]["columns"]["verb"]), (None, &json!("patch")));
    assert_eq!((said.events, said.in_part, said.left_out), (4, 1, 0));
    assert_eq!(said.by_cluster(), "eu-1 3, us-1 1");
    assert_eq!((said.bytes, said.sha256), (text.len() as u64, Digest::of(text.as_bytes()).to_string()));
}

#[test]
fn an_event_that_is_too_long_or_grows_by_what_is_taken_out_is_told_in_part() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20));
    let grows = format!("{{\"a\":[{}\"\"]}}", "\"%70w=1\",".repeat(100_000));
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    for raw in [long.as_str(), grows.as_str(), deep.as_str(), "[1]", "7", ""] {
        let mut telling = Telling::new(Vec::new());
        assert!(telling.take(&ToldCall { raw: Some(raw), ..told("eu-1", "a-1") }).unwrap());
        let (said, bytes) = telling.end(Lacks::default());
        assert_eq!(said.in_part, 1, "{} bytes", raw.len());
        assert!(bytes.len() < 4 << 20);
    }
}

#[test]
fn a_text_that_would_be_looked_through_for_hours_is_left_out() {
    let lines = |many: usize| format!("{{\"a\":\"{}\",\"b\":\"x\"}}", "abcdef\\n".repeat(many));
    for (many, is_out) in [(50, false), (8000, true)] {
        let mut telling = Telling::new(Vec::new());
        assert!(telling.take(&ToldCall { raw: Some(&lines(many)), ..told("eu-1", "a-1") }).unwrap());
        let (said, bytes) = telling.end(Lacks::default());
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!((said.in_part, text.contains("[left out: a text of 8001 lines]")), (0, is_out), "{many}");
        assert!(text.contains("\"b\":\"x\""));
    }
}

#[test]
fn what_a_pack_does_not_hold_is_counted_and_said() {
    for most in [(2, u64::MAX), (u64::MAX, 1400)] {
        let mut telling = Telling::up_to(Vec::new(), most);
        let mut taken = 0;
        while telling.take(&told("eu-1", "a-1")).unwrap() {
            taken += 1;
        }
        let (said, _) = telling.end(Lacks { of: 1000, is_cut: true, ..Lacks::default() });
        assert_eq!((said.events, said.left_out), (taken, 1000 - taken));
        assert!(taken > 0 && said.bytes <= 1400.max(taken * 1000), "{taken} {}", said.bytes);
        let lacks = said.lacks().join("; ");
        assert!(
            lacks.contains(&format!("{} events of clusters fit and are left out", 1000 - taken)),
            "{lacks}"
        );
        assert!(lacks.contains("not all of the archive was looked at"), "{lacks}");
    }
    assert_eq!(gathered(Lacks { of: 4, ..Lacks::default() }).0.lacks().len(), 1, "what is told in part");
}

#[test]
fn events_are_vouched_for_by_a_sealed_entry_or_by_nobody_and_the_page_names_them() {
    let (pack, packed, said) = with_events(&[SESSION]);
    let names: Vec<String> = members(&pack)
        .into_iter()
        .map(|(name, _)| name.trim_start_matches("sallyport-history/").to_owned())
        .collect();
    assert_eq!(names[3], "events.jsonl");
    assert_eq!((names.len(), names.last().unwrap().as_str()), (8, "manifest.json"));
    let found = checked(&pack);
    assert!(
        matches!(found.verdict, PackVerdict::Sealed(_)) && wrong(&found).is_empty(),
        "{:?}",
        found.beside
    );
    assert_eq!((found.recordings, packed.events_entry), (Some(3), Some(13)));
    let events = found.events.unwrap();
    assert_eq!((events.entry, events.said.clone()), (Some(13), said));
    let page = String::from_utf8(members(&pack)[2].1.clone()).unwrap();
    for words in [
        "What clusters tell",
        "<bdi>us-1</bdi></td><td>1",
        "<bdi>eu-1</bdi></td><td>3",
        "They are in no chain",
    ] {
        assert!(page.contains(words), "{words}");
    }
    for lack in [
        "5 events of clusters fit and are left out",
        "2 events of the archive are damaged",
        "1 files of the archive",
        "1 events of clusters are in it by what",
    ] {
        assert!(page.contains(lack), "{lack}");
    }

    // Without recordings, and without an entry that knows of them, as the command line makes it.
    let (said, bytes) = gathered(Lacks::default());
    let (pack, packed) = packed_of(vouched(&[&"ab".repeat(32)]), &[], &mut here, Some((said, &bytes)));
    let found = checked(&pack);
    assert_eq!((wrong(&found), found.recordings, packed.events_entry), (Vec::new(), None, None));
    assert_eq!(found.events.unwrap().entry, None, "another entry is of others");
    // None at all is told as well: something of the archive may be damaged.
    let (none, bytes) = Telling::new(Vec::new()).end(Lacks { damaged: 3, ..Lacks::default() });
    let (pack, _) = packed_of(entries(), &[], &mut here, Some((none, &bytes)));
    let found = checked(&pack);
    assert!(wrong(&found).is_empty() && found.events.unwrap().said.damaged == 3);
}

type Members = Vec<(String, Vec<u8>)>;

fn manifest(members: &mut Members, change: &dyn Fn(&mut Value)) {
    let text = &mut at(members, "manifest.json").1;
    let mut value: Value = serde_json::from_slice(text).unwrap();
    change(&mut value);
    let parsed: manifest::Manifest = serde_json::from_value(value).unwrap();
    *text = parsed.text().into_bytes();
}

/// The file changed, and all that its manifest says of it with it.
fn forged(members: &mut Members, change: &dyn Fn(&mut Vec<u8>)) {
    let file = &mut at(members, "events.jsonl").1;
    change(file);
    let found = crate::handed::events::of(file.as_slice()).unwrap();
    manifest(members, &|value| {
        for (key, now) in serde_json::to_value(&found).unwrap().as_object().unwrap() {
            if !["redactions", "leftOut", "damaged", "unreadFiles", "isCut"].contains(&key.as_str()) {
                value["events"][key] = now.clone();
            }
        }
    });
}

fn without_a_line(file: &mut Vec<u8>) {
    let end = file.iter().position(|byte| *byte == b'\n').unwrap();
    file.drain(..=end);
}

#[test]
fn whatever_is_done_to_events_of_a_pack_is_seen() {
    let (pack, ..) = with_events(&[SESSION]);
    let whole = members(&pack);
    type Change<'c> = &'c dyn Fn(&mut Members);
    let file = |m: &mut Members, change: &dyn Fn(&mut Vec<u8>)| change(&mut at(m, "events.jsonl").1);
    let line = b"{\"cluster\":\"eu-1\",\"event\":{}}\n";
    let cases: &[(&str, &str, Change<'_>)] = &[
        ("a byte changed", "edited", &|m| file(m, &|file| file[40] ^= 1)),
        ("cut in a line", "edited", &|m| file(m, &|file| file.truncate(99))),
        ("cut at a line's end", "edited", &|m| file(m, &without_a_line)),
        ("emptied", "edited", &|m| file(m, &Vec::clear)),
        ("a line more", "edited", &|m| file(m, &|file| file.extend(line))),
        ("a line that is none", "edited", &|m| file(m, &|file| file.extend(b"{\"entry\":{}}\n"))),
        ("a line that is no text", "edited", &|m| file(m, &|file| file.extend(b"\xff\n"))),
        ("a line that nests", "edited", &|m| {
            file(m, &|file| file.extend("[".repeat(100_000).bytes().chain([b'\n'])))
        }),
        ("a line without an end", "edited", &|m| file(m, &|file| file.extend(vec![b'x'; 5 << 20]))),
        ("taken out", "deleted", &|m| m.retain(|(name, _)| !name.ends_with("events.jsonl"))),
        ("taken out, of the manifest too", "edited", &|m| {
            m.retain(|(name, _)| !name.ends_with("events.jsonl"));
            manifest(m, &|value| drop(value.as_object_mut().unwrap().remove("events")));
        }),
        ("not named", "inserted", &|m| {
            manifest(m, &|value| drop(value.as_object_mut().unwrap().remove("events")))
        }),
        ("others named", "edited", &|m| {
            manifest(m, &|value| value["events"]["sha256"] = "ab".repeat(32).into())
        }),
        ("another cluster named", "edited", &|m| {
            manifest(m, &|value| value["events"]["clusters"]["x\u{202e}"] = 1.into())
        }),
        ("more counted", "edited", &|m| manifest(m, &|value| value["events"]["events"] = u64::MAX.into())),
        ("less said to be left out", "edited", &|m| {
            manifest(m, &|value| value["events"]["leftOut"] = 0.into())
        }),
        ("nothing said to be damaged", "edited", &|m| {
            manifest(m, &|value| value["events"]["damaged"] = 0.into())
        }),
        ("changed, and the manifest with it", "edited", &|m| forged(m, &without_a_line)),
        ("twice", "inserted", &|m| m.insert(4, m[3].clone())),
        ("before the page", "inserted", &|m| m.swap(2, 3)),
        ("behind the manifest", "inserted", &|m| {
            let events = m.remove(3);
            m.push(events);
        }),
        ("under another name", "inserted", &|m| {
            at(m, "events.jsonl").0 = "sallyport-history/events.json".to_owned()
        }),
        ("the manifest taken out", "deleted", &|m| drop(m.pop())),
    ];
    for (what, word, change) in cases {
        let mut changed = whole.clone();
        change(&mut changed);
        let found = checked(&archived(&changed));
        assert!(matches!(found.verdict, PackVerdict::Sealed(_)), "{what}: its lines are as they were");
        let wrong = wrong(&found);
        assert!(wrong.iter().any(|(found, _)| found == word), "{what}: {wrong:?}");
        assert!(!wrong.iter().any(|(_, note)| note.contains('\u{202e}')), "{what}: {wrong:?}");
    }
    assert_eq!(wrong(&checked(&archived(&whole))), [], "nothing done is nothing found");
}

/// Whoever changes all that nobody signs, the page with it, can't have a sealed entry say so.
#[test]
fn events_that_were_changed_with_all_that_is_said_of_them_are_nobodys() {
    let (said, mut bytes) = gathered(Lacks::default());
    let entries = vouched(&[&said.sha256]);
    without_a_line(&mut bytes);
    let other = crate::handed::events::of(bytes.as_slice()).unwrap();
    let (pack, packed) = packed_of(entries, &[], &mut here, Some((other, &bytes)));
    let found = checked(&pack);
    assert_eq!((wrong(&found), packed.events_entry), (Vec::new(), None));
    assert_eq!(found.events.unwrap().entry, None);
}

#[test]
fn a_file_that_is_larger_than_any_is_not_read() {
    let (pack, ..) = with_events(&[]);
    let whole = members(&pack);
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in &whole[..3] {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    // A head that promises a terabyte, and nothing behind it.
    let mut header = tar::Header::new_ustar();
    header.set_size(1 << 40);
    tar.append_data(&mut header, &whole[3].0, &b""[..]).unwrap();
    let found = checked(&tar.into_inner().unwrap());
    assert!(!wrong(&found).is_empty() && found.events.is_none(), "{:?}", found.beside);
}

#[test]
fn every_byte_of_a_pack_with_events_that_is_changed_is_seen_or_breaks_it() {
    let (pack, ..) = with_events(&[]);
    let whole = members(&pack);
    let unsealed = pack.windows(11).position(|at| at == b"\"unsealed\":").unwrap() + 11;
    for place in (0..pack.len()).step_by(11).filter(|place| *place != unsealed) {
        let mut changed = pack.clone();
        changed[place] ^= 4;
        let found = checked(&changed);
        let is_told = found.beside.iter().any(|one| !matches!(one, Stated::Note(_)));
        let is_clean = matches!(found.verdict, PackVerdict::Sealed(_)) && !is_told;
        assert!(!is_clean || members(&changed) == whole, "byte {place}");
    }
}
