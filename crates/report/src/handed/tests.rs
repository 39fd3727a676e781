mod events;

use super::*;
use sallyport_audit::{
    Action, Chain, ChainKey, Checkpoint, Draft, Edge, Entry, PackHead, PackVerdict, SealKey, leaf,
};
use sallyport_model::{Digest, SessionId};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read as _};

const SESSION: &str = "5e55-1";

fn seal() -> SealKey {
    SealKey::new([5; 32])
}

/// What a segment shows.
fn cast(terminal: &str, number: u32) -> Vec<u8> {
    format!("{{\"version\":2,\"width\":80,\"height\":24}}\n[0.5,\"o\",\"{terminal} {number}\"]\n")
        .into_bytes()
}

/// Two terminals' segments on record, one of them of another session, between calls.
fn entries() -> Vec<Entry> {
    let chain = Chain::empty(Some(ChainKey::new([1; 32]))).sealed_with(seal().public().id());
    let mut drafts = vec![chain.beginning("first")];
    for (session, terminal, number) in [
        (SESSION, "t-1", 1),
        (SESSION, "t-1", 2),
        (SESSION, "t-2", 1),
        ("other-2", "t-9", 1),
        ("../x", "t", 1),
    ] {
        drafts.push(Draft::new(Action::Call).detail("n", number));
        let sha256 = Digest::of(&cast(terminal, number)).to_string();
        let draft =
            Draft::new(Action::Recorded).session(&SessionId::new(session)).detail("terminal", terminal);
        drafts.push(draft.detail("segment", number).detail("sha256", sha256));
    }
    (1..).zip(drafts).map(|(sequence, draft)| draft.place(sequence, 1_000 * sequence as i64)).collect()
}

/// A pack of all of them; `read` gives the recordings.
fn packed(sessions: &[&str], read: &mut dyn FnMut(&Segment) -> io::Result<Tape>) -> (Vec<u8>, Packed) {
    packed_of(entries(), sessions, read, None)
}

/// A pack of these entries, with clusters' events where there are some.
fn packed_of(
    entries: Vec<Entry>,
    sessions: &[&str],
    read: &mut dyn FnMut(&Segment) -> io::Result<Tape>,
    events: Option<(Events, &[u8])>,
) -> (Vec<u8>, Packed) {
    let mut edge = Edge::default();
    entries.iter().for_each(|entry| edge.push(leaf(entry)));
    let (origin, last) = (leaf(&entries[0]), entries.len() as u64);
    let checkpoint = Checkpoint::sign(&seal(), origin, (1, last), edge.root(), 9_000, None);
    let head = PackHead { version: 1, origin, made: 9, by: BY.into(), selection: "all".into() };
    let mut lines = Cursor::new(Vec::new());
    history(&mut lines, head, vec![checkpoint], &[], entries.into_iter(), |_| true).unwrap();
    let mut out: Vec<u8> = Vec::new();
    let sessions: BTreeSet<String> = sessions.iter().map(|&id| id.to_owned()).collect();
    let tapes = (!sessions.is_empty()).then_some(Tapes { sessions, read });
    let mut bytes = events.as_ref().map_or(&[][..], |(_, bytes)| bytes);
    let events = events.map(|(said, _)| (said, &mut bytes as &mut dyn io::Read));
    let packed = pack(&mut out, &mut lines, seal().public(), Along { tapes, events }).unwrap();
    (out, packed)
}

fn here(segment: &Segment) -> io::Result<Tape> {
    Ok(Tape::Here(cast(&segment.terminal, segment.number)))
}

fn checked(pack: &[u8]) -> Found {
    read(Cursor::new(pack), &[seal().public().fingerprint()], &[]).unwrap()
}

fn wrong(found: &Found) -> Vec<(&'static str, &str)> {
    let wrong = found.beside.iter().filter_map(|one| match one {
        Stated::Wrong(word, note) => Some((*word, note.as_str())),
        Stated::Doubt(_) | Stated::Note(_) => None,
    });
    wrong.collect()
}

/// The members of an archive, in their order.
fn members(pack: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(pack);
    let members = archive.entries().unwrap().map(|member| {
        let mut member = member.unwrap();
        let name = String::from_utf8(member.path_bytes().into_owned()).unwrap();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        (name, bytes)
    });
    members.collect()
}

fn archived(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o600);
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

fn at<'m>(members: &'m mut [(String, Vec<u8>)], ending: &str) -> &'m mut (String, Vec<u8>) {
    members.iter_mut().find(|(name, _)| name.ends_with(ending)).unwrap()
}

#[test]
fn a_pack_without_recordings_has_three_members_and_says_that_some_are_on_record() {
    let (pack, told) = packed(&[], &mut here);
    assert_eq!(members(&pack).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), [LINES, KEY, PAGE]);
    assert_eq!((told.recordings, told.missing), (0, 0));
    let found = checked(&pack);
    assert!(matches!(found.verdict, PackVerdict::Sealed(_)) && found.recordings.is_none());
    // One of them names no folder of ours, and is no segment.
    let note = "4 segments of recordings are on record in it and do not go with it".to_owned();
    assert_eq!(found.beside, [Stated::Note(note)]);
}

#[test]
fn recordings_of_the_sessions_that_were_chosen_are_vouched_for_by_sealed_entries() {
    let (pack, told) = packed(&[SESSION], &mut here);
    assert_eq!((told.recordings, told.missing), (3, 0));
    let members = members(&pack);
    let names: Vec<_> =
        members.iter().map(|(name, _)| name.strip_prefix("sallyport-history/").unwrap()).collect();
    assert_eq!(
        names[3..],
        [
            "recordings/5e55-1/t-1-00001.cast",
            "recordings/5e55-1/t-1-00002.cast",
            "recordings/5e55-1/t-2-00001.cast",
            "manifest.json"
        ]
    );
    assert_eq!(members[3].1, cast("t-1", 1), "as any player of asciicast reads it");
    let found = checked(&pack);
    assert!(matches!(found.verdict, PackVerdict::Sealed(_)));
    assert_eq!((found.recordings, wrong(&found)), (Some(3), Vec::new()));
    let note = "1 segments of recordings are on record in it and do not go with it".to_owned();
    assert_eq!(found.beside, [Stated::Note(note)], "the other session's");
}

#[test]
fn a_recording_that_is_gone_or_is_another_is_named_as_missing_and_is_not_in_it() {
    let mut read = |segment: &Segment| match (segment.terminal.as_str(), segment.number) {
        ("t-1", 2) => Ok(Tape::Here(b"changed\n".to_vec())),
        ("t-2", _) => Ok(Tape::Missing("it is not kept any more".to_owned())),
        _ => here(segment),
    };
    let (pack, told) = packed(&[SESSION], &mut read);
    assert_eq!((told.recordings, told.missing), (1, 2));
    assert!(!pack.windows(8).any(|at| at == b"changed\n"));
    let found = checked(&pack);
    assert_eq!((found.recordings, wrong(&found)), (Some(1), Vec::new()));
    let notes = format!("{:?}", found.beside);
    assert!(
        notes.contains("it is not what was recorded") && notes.contains("it is not kept any more"),
        "{notes}"
    );
}

#[test]
fn whatever_is_done_to_recordings_of_a_pack_is_seen() {
    let (pack, _) = packed(&[SESSION], &mut here);
    let whole = members(&pack);
    let manifest = |members: &mut Vec<(String, Vec<u8>)>, change: &dyn Fn(&mut Value)| {
        let text = &mut at(members, "manifest.json").1;
        let mut value: Value = serde_json::from_slice(text).unwrap();
        change(&mut value);
        let parsed: manifest::Manifest = serde_json::from_value(value).unwrap();
        *text = parsed.text().into_bytes();
    };
    type Change<'c> = Box<dyn Fn(&mut Vec<(String, Vec<u8>)>) + 'c>;
    let mut cases: BTreeMap<&str, (&str, Change<'_>)> = BTreeMap::new();
    cases.insert(
        "a byte changed",
        ("edited", Box::new(|m| *at(m, "t-1-00002.cast").1.last_mut().unwrap() ^= 1)),
    );
    cases.insert("cut short", ("edited", Box::new(|m| at(m, "t-2-00001.cast").1.truncate(9))));
    cases.insert("emptied", ("edited", Box::new(|m| at(m, "t-2-00001.cast").1.clear())));
    cases.insert(
        "two in each other's place",
        (
            "edited",
            Box::new(|m| {
                let second = at(m, "t-1-00002.cast").1.clone();
                let first = std::mem::replace(&mut at(m, "t-1-00001.cast").1, second);
                at(m, "t-1-00002.cast").1 = first;
            }),
        ),
    );
    cases.insert(
        "one taken out",
        ("deleted", Box::new(|m| m.retain(|(name, _)| !name.ends_with("t-1-00002.cast")))),
    );
    cases.insert(
        "one taken out, of the manifest too",
        (
            "deleted",
            Box::new(|m| {
                m.retain(|(name, _)| !name.ends_with("t-1-00002.cast"));
                manifest(m, &|value| drop(value["recordings"].as_array_mut().unwrap().remove(1)));
            }),
        ),
    );
    cases.insert(
        "one said to be missing, and there",
        (
            "edited",
            Box::new(|m| {
                manifest(m, &|value| {
                    let one = value["recordings"][1].as_object_mut().unwrap();
                    one.remove("bytes");
                    one.insert("missing".into(), "gone".into());
                });
            }),
        ),
    );
    cases.insert(
        "changed, and the manifest with it",
        (
            "edited",
            Box::new(|m| {
                at(m, "t-2-00001.cast").1 = b"evil\n".to_vec();
                manifest(m, &|value| {
                    value["recordings"][2]["sha256"] = Digest::of(b"evil\n").to_string().into();
                    value["recordings"][2]["bytes"] = 5.into();
                });
            }),
        ),
    );
    cases.insert(
        "one of nobody's put in",
        (
            "inserted",
            Box::new(|m| {
                m.insert(4, (format!("{RECORDINGS}5e55-1/t-7-00001.cast"), cast("t-7", 1)));
            }),
        ),
    );
    cases.insert(
        "one of another session, that was not chosen",
        (
            "inserted",
            Box::new(|m| {
                m.insert(4, (format!("{RECORDINGS}other-2/t-9-00001.cast"), cast("t-9", 1)));
            }),
        ),
    );
    cases.insert(
        "one twice",
        (
            "inserted",
            Box::new(|m| {
                let one = m[3].clone();
                m.insert(4, one);
            }),
        ),
    );
    cases.insert(
        "a way out",
        (
            "inserted",
            Box::new(|m| {
                m.insert(4, (format!("{RECORDINGS}x/evil.cast"), b"x".to_vec()));
            }),
        ),
    );
    cases.insert("the manifest taken out", ("deleted", Box::new(|m| drop(m.pop()))));
    cases.insert(
        "the manifest written otherwise",
        ("edited", Box::new(|m| at(m, "manifest.json").1.push(b'\n'))),
    );
    cases
        .insert("something behind it", ("inserted", Box::new(|m| m.push((MANIFEST.to_owned(), Vec::new())))));
    cases.insert(
        "the manifest twice as deep",
        (
            "edited",
            Box::new(|m| {
                at(m, "manifest.json").1 = "[".repeat(200_000).into_bytes();
            }),
        ),
    );
    for (what, (word, change)) in cases {
        let mut changed = whole.clone();
        change(&mut changed);
        let found = checked(&archived(&changed));
        assert!(matches!(found.verdict, PackVerdict::Sealed(_)), "{what}: its lines are as they were");
        let wrong = wrong(&found);
        assert!(wrong.iter().any(|(found, _)| *found == word), "{what}: {wrong:?}");
    }
    assert_eq!(wrong(&checked(&archived(&whole))), [], "nothing done is nothing found");
}

#[test]
fn every_byte_of_a_pack_that_is_changed_is_seen_or_breaks_it() {
    let (pack, _) = packed(&[SESSION], &mut here);
    let content = |pack: &[u8]| members(pack);
    let whole = content(&pack);
    // How many entries came after the last checkpoint nobody signs.
    let unsealed = pack.windows(11).position(|at| at == b"\"unsealed\":").unwrap() + 11;
    for place in (0..pack.len()).step_by(7).filter(|place| *place != unsealed) {
        let mut changed = pack.clone();
        changed[place] ^= 4;
        let found = checked(&changed);
        // Who made it nobody signs: another name is a doubt.
        let is_told = found.beside.iter().any(|one| !matches!(one, Stated::Note(_)));
        let is_clean = matches!(found.verdict, PackVerdict::Sealed(_)) && !is_told;
        // What an archive does not say of its members changes none: padding, a mode, a time.
        assert!(!is_clean || content(&changed) == whole, "byte {place}");
    }
}

fn call<'t>() -> ToldCall<'t> {
    ToldCall {
        at: 1_500_000,
        audit_id: "a-1",
        cluster: "eu-1",
        user: "oidc:lee",
        impersonated: "oidc:\u{202e}dana",
        verb: "patch",
        resource: "deployments.apps",
        subresource: "scale",
        namespace: "pay",
        name: "=HYPERLINK(1)",
        code: Some(200),
        address: "10.0.0.9, 192.0.2.7",
        credential: "JTI=jti-1",
        raw: Some("{\"kind\":\"Event\",\n \"auditID\":\"a-1\"}"),
        ..ToldCall::default()
    }
}

#[test]
fn p24_a_clusters_call_is_a_line_of_each_form_and_no_formula() {
    let mut text = String::new();
    csv_head(&mut text);
    call().csv(&mut text);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[1].contains("\"'=HYPERLINK(1)\"") && lines[1].contains("oidc:lee as oidc:⟨U+202E⟩dana"),
        "{text}"
    );
    assert!(lines[1].contains(",cluster,patch,deployments.apps/scale,pay,"), "{text}");

    let mut text = String::new();
    call().json(&mut text);
    assert_eq!(text.matches('\n').count(), 1, "one line, whatever stands in it");
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&line["cluster"], &line["event"]["auditID"]), (&json!("eu-1"), &json!("a-1")));

    // An event that was cut, or whose text is gone, is told by what is kept to find it.
    for raw in [None, Some("{\"kind\":\"Ev")] {
        let mut text = String::new();
        ToldCall { raw, ..call() }.json(&mut text);
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["columns"]["verb"], line.get("event")), (&json!("patch"), None));
    }

    let mut text = String::new();
    call().ocsf(&mut text);
    let event: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&event["class_uid"], &event["type_uid"], &event["status_id"]),
        (&json!(6003), &json!(600_303), &json!(1))
    );
    assert_eq!(
        (&event["src_endpoint"]["ip"], &event["api"]["token"]["uid"]),
        (&json!("192.0.2.7"), &json!("jti-1"))
    );
    let mut text = String::new();
    ToldCall { code: Some(403), is_denied: true, ..call() }.ocsf(&mut text);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["status"], "Failure");
}

#[test]
fn entries_and_calls_have_as_many_cells_as_the_head() {
    let mut text = String::new();
    csv_head(&mut text);
    csv(&Draft::new(Action::SignIn).place(1, 0), &mut text);
    ToldCall::default().csv(&mut text);
    let commas: Vec<_> = text.lines().map(|line| line.matches(',').count()).collect();
    assert_eq!(commas, [19, 19, 19], "{text}");
}

#[test]
fn what_is_measured_is_what_was_written() {
    use std::io::Write as _;
    let mut out = Measured::new(Vec::new());
    out.write_all(b"abc").unwrap();
    assert_eq!((out.bytes(), out.sha256()), (3, Digest::of(b"abc").to_string()));
    assert_eq!(out.into_inner(), b"abc");
}
