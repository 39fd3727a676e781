//! A recorder on a real disk: what is told is there, in order, through segments, full disks and processes that were killed.

use sallyport_recording::{
    About, Bounds, Key, Limits, Moment, MomentKind, Page, Recorder, Recordings, Screen, State, Told,
};
use sallyport_testkit::disk::SmallDisk;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;

fn about(terminal: &str) -> About {
    About {
        session: "s-1".to_owned(),
        terminal: terminal.to_owned(),
        cluster: "prod-eu-1".to_owned(),
        user: "oidc:ada@example.test".to_owned(),
        shell: "bash".to_owned(),
        input: true,
    }
}

/// All moments of a recording, with which of its segments could be read whole.
fn all(recordings: &Recordings, terminal: &str) -> (Vec<Moment>, Vec<bool>) {
    let index = recordings.index("s-1", terminal).unwrap().unwrap();
    let (mut moments, mut whole) = (Vec::new(), Vec::new());
    for number in 1.. {
        match recordings.page(&index, number).unwrap() {
            Page::Read { moments: more, whole: is_whole, .. } => {
                moments.extend(more);
                whole.push(is_whole);
            }
            Page::Unreadable => whole.push(false),
            Page::Missing => break,
        }
    }
    (moments, whole)
}

fn said(moments: &[Moment], kind: MomentKind) -> String {
    moments.iter().filter(|moment| moment.kind == kind).map(|moment| moment.data.as_str()).collect()
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn over(recorder: &Recorder, mut told: UnboundedReceiver<Told>) -> Vec<Told> {
    recorder.ended();
    let mut all = Vec::new();
    let hearing = async {
        while let Some(one) = told.recv().await {
            all.push(one);
        }
    };
    tokio::time::timeout(Duration::from_secs(60), hearing).await.expect("it ends");
    assert_eq!(recorder.state(), State::Over);
    all
}

#[tokio::test]
async fn what_is_told_is_kept_in_order_in_segments_whose_hashes_are_told() {
    let dir = tempfile::tempdir().unwrap();
    for key in [None, Some(Key::new([7; 32]))] {
        let home = dir.path().join(if key.is_some() { "sealed" } else { "open" });
        let bounds = Bounds { segment_bytes: 4096, ..Bounds::default() };
        let recordings = Recordings::new(home.clone(), key.clone(), bounds);
        let (recorder, told) = recordings.begin(about("t-1"), Screen::new(80, 24)).unwrap();
        let mut expected = String::new();
        for n in 0..2000 {
            let line = format!("line {n} \u{1b}[31mr\u{fc}t\u{1b}[0m \u{1f600}\r\n");
            // Characters are cut wherever a read of a terminal ends.
            for chunk in line.as_bytes().chunks(5) {
                recorder.output(chunk).await;
            }
            expected.push_str(&line);
            if n == 1000 {
                recorder.input(b"q").await;
                recorder.resized(Screen::new(100, 40));
            }
        }
        let told = over(&recorder, told).await;
        let (moments, whole) = all(&recordings, "t-1");
        assert_eq!(said(&moments, MomentKind::Output), expected);
        assert_eq!(said(&moments, MomentKind::Input), "q");
        assert_eq!(said(&moments, MomentKind::Resize), "100x40");
        let index = recordings.index("s-1", "t-1").unwrap().unwrap();
        assert!(index.parts.len() > 5 && whole.iter().all(|whole| *whole), "{}", index.parts.len());
        let closed: Vec<_> = index.parts.iter().cloned().map(Told::Closed).collect();
        assert_eq!(told, closed);
        assert_eq!((index.parts[0].columns, index.parts.last().unwrap().columns), (80, 100));
        assert!(index.ends_ms.is_some() && !index.cut_off);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = home.join("s-1/t-1");
        assert_eq!((mode(&folder), mode(&home)), (0o700, 0o700));
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            let text = fs::read(&path).unwrap();
            assert!(key.is_none() || !text.windows(5).any(|w| w == b"line "), "it is not sealed");
        }
    }
}

#[tokio::test]
async fn a_damaged_or_missing_segment_is_said_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    for key in [None, Some(Key::new([8; 32]))] {
        let home = dir.path().join(if key.is_some() { "sealed" } else { "open" });
        let bounds = Bounds { segment_bytes: 2048, ..Bounds::default() };
        let recordings = Recordings::new(home.clone(), key.clone(), bounds);
        let (recorder, told) = recordings.begin(about("t-1"), Screen::new(80, 24)).unwrap();
        for n in 0..40 {
            recorder.output(format!("{n:0500}").as_bytes()).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        over(&recorder, told).await;
        let index = recordings.index("s-1", "t-1").unwrap().unwrap();
        assert!(!index.parts.is_empty());
        let name = |number: u32| format!("{number:05}.{}", if key.is_some() { "sealed" } else { "cast" });
        let first = home.join("s-1/t-1").join(name(1));
        let mut text = fs::read(&first).unwrap();
        let at = text.len() / 2;
        text[at] ^= 1;
        fs::write(&first, &text).unwrap();
        match recordings.page(&index, 1).unwrap() {
            Page::Read { whole, .. } => assert!(!whole),
            Page::Unreadable => {}
            Page::Missing => panic!("it is there"),
        }
        fs::remove_file(&first).unwrap();
        assert_eq!(recordings.page(&index, 1).unwrap(), Page::Missing);
        fs::write(home.join("s-1/t-1/index.json"), "{}").unwrap();
        assert!(recordings.index("s-1", "t-1").is_err());
        assert!(recordings.of("s-1").unwrap()[0].1.is_err());
    }
}

#[tokio::test]
async fn ids_from_outside_lead_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let recordings = Recordings::new(dir.path().join("recordings"), None, Bounds::default());
    fs::create_dir_all(dir.path().join("x")).unwrap();
    for id in ["..", ".", "", "a/b", "../x", "\0", "a b", &"a".repeat(65)] {
        assert!(recordings.index(id, "t").unwrap().is_none() && recordings.index("s", id).unwrap().is_none());
        assert_eq!(recordings.remove(id, "t").unwrap(), None);
        assert_eq!(recordings.remove("..", id).unwrap(), None);
        assert!(recordings.of(id).unwrap().is_empty());
        let bad = About { session: id.to_owned(), ..about("t-1") };
        assert!(recordings.begin(bad, Screen::new(80, 24)).is_err());
    }
    assert!(dir.path().join("x").is_dir());
}

#[tokio::test]
async fn p19_a_full_disk_stops_it_and_nothing_that_was_told_meanwhile_is_missing() {
    let Some(disk) = SmallDisk::mount("900k").unwrap() else { return };
    let recordings = Recordings::new(disk.path().join("r"), Some(Key::new([9; 32])), Bounds::default());
    let (recorder, mut told) = recordings.begin(about("t-1"), Screen::new(80, 24)).unwrap();
    recorder.output(b"before ").await;
    until("it is written", || !all(&recordings, "t-1").0.is_empty()).await;
    disk.fill().unwrap();
    // More than what is left of the page that it is in.
    let while_full = "while full ".repeat(2000);
    recorder.output(while_full.as_bytes()).await;
    until("it stops", || matches!(recorder.state(), State::Stopped { .. })).await;
    let Some(Told::Stopped { why, .. }) = told.recv().await else { panic!("it says so") };
    assert!(why.contains("No space left"), "{why}");
    recorder.output(b"and later ").await;
    disk.free().unwrap();
    until("it goes on", || recorder.state() == State::Recording).await;
    assert!(matches!(told.recv().await, Some(Told::GoesOn { .. })));
    recorder.output(b"after").await;
    let told = over(&recorder, told).await;
    assert!(matches!(&told[..], [Told::Closed(_)]), "{told:?}");
    let (moments, whole) = all(&recordings, "t-1");
    assert_eq!(said(&moments, MomentKind::Output), format!("before {while_full}and later after"));
    assert_eq!(whole, [true]);
    // Where not even a beginning can be written, none is made.
    disk.fill().unwrap();
    assert!(recordings.begin(about("t-2"), Screen::new(80, 24)).is_err());
    assert!(!disk.path().join("r/s-1/t-2").exists(), "nothing is left of it");
    disk.free().unwrap();
    let again = recordings.begin(about("t-1"), Screen::new(80, 24));
    assert!(again.is_err() && all(&recordings, "t-1").1 == [true], "another recording has that place");
}

#[tokio::test]
async fn while_nothing_can_be_written_whoever_says_too_much_waits_and_what_is_lost_in_the_end_is_counted() {
    let Some(disk) = SmallDisk::mount("900k").unwrap() else { return };
    let bounds = Bounds { held_bytes: 64 << 10, ..Bounds::default() };
    let recordings = Recordings::new(disk.path().join("r"), None, bounds);
    let (recorder, told) = recordings.begin(about("t-1"), Screen::new(80, 24)).unwrap();
    disk.fill().unwrap();
    let flood = async {
        for n in 0u64.. {
            recorder.output(&[b'x'; 16 << 10]).await;
            assert!(n < 1000, "nothing holds it back");
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(3), flood).await.is_err(), "it waits");
    let hearing = async {
        let mut told = told;
        let mut all = Vec::new();
        while let Some(one) = told.recv().await {
            all.push(one);
        }
        all
    };
    drop(recorder);
    let all = tokio::time::timeout(Duration::from_secs(60), hearing).await.unwrap();
    let lost =
        all.iter().find_map(|one| if let Told::Lost { bytes, .. } = one { Some(*bytes) } else { None });
    assert!(lost.unwrap() >= 1 << 20, "{all:?}");
}

#[tokio::test]
async fn p14_what_a_killed_process_left_is_closed_by_the_next_and_is_there_but_for_its_last_moment() {
    let dir = tempfile::tempdir().unwrap();
    let key = Key::new([10; 32]);
    let bounds = Bounds { segment_bytes: 2048, ..Bounds::default() };
    let home = dir.path().join("recordings");
    let recordings = Recordings::new(home.clone(), Some(key.clone()), bounds);
    let (recorder, _told) = recordings.begin(about("t-1"), Screen::new(80, 24)).unwrap();
    for n in 0..100 {
        recorder.output(format!("{n:0100}\r\n").as_bytes()).await;
    }
    let is_there = |what: &str| said(&all(&recordings, "t-1").0, MomentKind::Output).contains(what);
    until("it is on the disk within a second", || is_there(&format!("{:0100}\r\n", 99))).await;
    // In a segment that stays open.
    recorder.output(b"the last word").await;
    until("it too", || is_there("the last word")).await;
    // As a kill leaves it: the files at this moment, with half a frame at the end.
    let left = dir.path().join("left/s-1/t-1");
    fs::create_dir_all(&left).unwrap();
    for entry in fs::read_dir(home.join("s-1/t-1")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        fs::copy(entry.path(), left.join(entry.file_name())).unwrap();
    }
    let last = fs::read_dir(&left).unwrap().map(|e| e.unwrap().path());
    let last = last.filter(|path| path.extension().is_some_and(|e| e == "sealed")).max().unwrap();
    let mut text = fs::read(&last).unwrap();
    text.extend_from_slice(&[200, 0, 0, 0, 1, 2, 3]);
    fs::write(&last, text).unwrap();
    let next = Recordings::new(dir.path().join("left"), Some(key), bounds);
    let closed = next.close_left();
    assert_eq!((closed.len(), closed[0].damaged.as_deref()), (1, None));
    assert!(!closed[0].parts.is_empty());
    let index = next.index("s-1", "t-1").unwrap().unwrap();
    assert!(index.cut_off && index.ends_ms == Some(closed[0].ends_ms));
    let (moments, whole) = all(&next, "t-1");
    assert!(whole.iter().all(|whole| *whole), "{whole:?}");
    assert_eq!(said(&moments, MomentKind::Output).len(), 100 * 102 + 13);
    assert_eq!(next.close_left(), []);
}

/// A folder that says of itself that it was never sealed is anybody's, where recordings are.
#[tokio::test]
async fn p18_what_is_not_sealed_is_vouched_for_by_nobody_who_seals() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("recordings");
    let plain = Recordings::new(home.clone(), None, Bounds::default());
    let (recorder, _told) = plain.begin(about("t-1"), Screen::new(80, 24)).unwrap();
    recorder.output(b"nobody deleted anything").await;
    let part = home.join("s-1/t-1/00001.cast");
    until("it is there", || fs::read_to_string(&part).is_ok_and(|text| text.contains("nobody"))).await;
    let left = dir.path().join("left/s-1/t-1");
    fs::create_dir_all(&left).unwrap();
    for name in ["index.json", "00001.cast"] {
        fs::copy(part.with_file_name(name), left.join(name)).unwrap();
    }
    let next = Recordings::new(dir.path().join("left"), Some(Key::new([11; 32])), Bounds::default());
    let closed = next.close_left();
    assert_eq!((closed.len(), closed[0].parts.len()), (1, 0), "no hash of it goes into the history");
    assert!(closed[0].damaged.as_deref().is_some_and(|why| why.contains("not sealed")), "{closed:?}");
    assert_eq!(next.close_left(), [], "once");
}

#[tokio::test]
async fn a_recording_that_is_as_long_as_one_may_be_stops_as_with_a_full_disk() {
    let dir = tempfile::tempdir().unwrap();
    let bounds = Bounds { segment_bytes: 4096, total_bytes: 64 << 10, held_bytes: 4096, ..Bounds::default() };
    let recordings = Recordings::new(dir.path().join("r"), None, bounds);
    let (recorder, _told) = recordings.begin(about("t-1"), Screen::new(80, 24)).unwrap();
    let flood = async {
        loop {
            recorder.output(&[b'x'; 4096]).await;
        }
    };
    tokio::select! {
        () = flood => {}
        () = until("it stops", || matches!(recorder.state(), State::Stopped { .. })) => {}
    }
    let folder = dir.path().join("r/s-1/t-1");
    let size: u64 = fs::read_dir(folder).unwrap().map(|one| one.unwrap().metadata().unwrap().len()).sum();
    assert!((64 << 10..1 << 20).contains(&size), "{size}");
}

#[tokio::test]
async fn what_is_too_old_or_too_much_is_removed_the_oldest_first_and_never_what_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let recordings = Recordings::new(dir.path().join("r"), None, Bounds::default());
    for terminal in ["t-1", "t-2", "t-3"] {
        let (recorder, told) = recordings.begin(about(terminal), Screen::new(80, 24)).unwrap();
        recorder.output(&[b'x'; 10_000]).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        over(&recorder, told).await;
    }
    let (open, _told) = recordings.begin(about("t-4"), Screen::new(80, 24)).unwrap();
    assert_eq!(recordings.keep_within(Limits::default()), []);
    let names = |removed: Vec<sallyport_recording::Removed>| {
        removed.into_iter().map(|one| one.terminal).collect::<Vec<_>>()
    };
    assert_eq!(names(recordings.keep_within(Limits { bytes: 25_000, ..Limits::default() })), ["t-1"]);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(
        names(recordings.keep_within(Limits { age: Duration::from_millis(10), ..Limits::default() })),
        ["t-2", "t-3"]
    );
    assert!(recordings.index("s-1", "t-4").unwrap().is_some());
    drop(open);
}
