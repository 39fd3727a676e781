//! Log files that are followed as they grow: over rotations, and with what is said where something is lost.

use sallyport_archive::{Archive, Bounds, Column, Filter, Options, Source};
use sallyport_feeds::{FeedError, Follow, LogFile, Looked, Turn, import};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

struct World {
    dir: tempfile::TempDir,
    archive: Archive,
    source: Source,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let archive = Archive::open(&dir.path().join("archive"), Options::default()).unwrap();
        let source = Source { id: "eu-1".to_owned(), cluster: "eu-1".parse().unwrap() };
        Self { dir, archive, source }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn follow(&self) -> Follow {
        Follow::new(&self.path("audit.log"), &self.source)
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn look(&self, follow: &mut Follow) -> Looked {
        follow.look(&self.archive).unwrap()
    }

    /// Looks until it has been quiet for long enough.
    fn turns(&self, follow: &mut Follow) -> Vec<Turn> {
        (0..20).flat_map(|_| self.look(follow).turns).collect()
    }

    fn kept(&self) -> Vec<u64> {
        let calls =
            self.archive.page(&Filter::default(), None, 1000, &Bounds::default()).unwrap().value.calls;
        let number = |name: &str| name.trim_start_matches("pod-").parse().unwrap();
        let mut kept: Vec<u64> = calls.iter().map(|call| number(call.text(Column::Name))).collect();
        kept.sort_unstable();
        kept
    }
}

fn line(n: u64) -> String {
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{n:08x}-0000-4000-8000-000000000000","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/ci/pods/pod-{n}","verb":"get","user":{{"username":"dana"}},"objectRef":{{"resource":"pods","namespace":"ci","name":"pod-{n}","apiVersion":"v1"}},"responseStatus":{{"code":200}},"requestReceivedTimestamp":"2026-11-29T12:00:{:02}.000000Z","stageTimestamp":"2026-11-29T12:00:{:02}.001000Z"}}"#,
        n % 60,
        n % 60,
    ) + "\n"
}

fn lines(range: std::ops::Range<u64>) -> String {
    range.map(line).collect()
}

#[test]
fn a_file_is_followed_from_before_it_is_there_line_by_line() {
    let world = World::new();
    let mut follow = world.follow();
    assert_eq!(world.look(&mut follow), Looked::default());
    // The beginning of a first line says too little.
    let first = line(0);
    world.append("audit.log", &first[..100]);
    assert_eq!(world.look(&mut follow), Looked::default());
    world.append("audit.log", &first[100..]);
    let looked = world.look(&mut follow);
    assert_eq!((looked.events, looked.turns), (1, vec![Turn::Began { from: 0 }]));
    // Whatever its pieces.
    let mut events = 0;
    for piece in lines(1..40).as_bytes().chunks(97) {
        world.append("audit.log", std::str::from_utf8(piece).unwrap());
        events += world.look(&mut follow).events;
    }
    assert_eq!(events, 39);
    world.append("audit.log", "I1129 no event\n{oops\n");
    let looked = world.look(&mut follow);
    assert_eq!((looked.events, looked.bad.len()), (0, 1));
    assert_eq!(looked.bad[0].position.line, 42);
    // Whoever follows it anew, or imports it, goes on from there.
    world.append("audit.log", &line(40));
    let mut again = world.follow();
    let looked = world.look(&mut again);
    assert_eq!(looked.events, 1);
    assert!(matches!(looked.turns[..], [Turn::Began { from: 1.. }]), "{looked:?}");
    let imported =
        import(&world.archive, &world.source, &LogFile::open(&world.path("audit.log")).unwrap(), false);
    assert_eq!(imported.unwrap().events, 0);
    assert_eq!(world.kept(), (0..41).collect::<Vec<_>>());
}

#[test]
fn a_rotation_in_the_middle_of_a_line_loses_nothing_and_keeps_nothing_twice() {
    let world = World::new();
    let mut follow = world.follow();
    world.append("audit.log", &lines(0..10));
    world.look(&mut follow);
    let cut = line(10);
    world.append("audit.log", &cut[..50]);
    world.look(&mut follow);
    fs::rename(world.path("audit.log"), world.path("audit-1.log")).unwrap();
    world.append("audit.log", &lines(20..23));
    assert_eq!(world.look(&mut follow).turns, []);
    // Whoever writes had it open, and goes on for a while.
    world.append("audit-1.log", &cut[50..]);
    world.append("audit-1.log", &lines(11..20));
    let turns = world.turns(&mut follow);
    assert_eq!(turns, [Turn::Rotated { unended: 0 }, Turn::Began { from: 0 }]);
    assert_eq!(world.kept(), (0..23).collect::<Vec<_>>());
    // A last line that lacks no more than its end is one; one that breaks off is said.
    world.append("audit.log", line(23).trim_end());
    fs::rename(world.path("audit.log"), world.path("audit-2.log")).unwrap();
    assert_eq!(world.turns(&mut follow), [Turn::Rotated { unended: 0 }]);
    world.append("audit.log", &(line(24) + &line(25)[..70]));
    world.look(&mut follow);
    fs::remove_file(world.path("audit.log")).unwrap();
    assert_eq!(world.turns(&mut follow), [Turn::Rotated { unended: 70 }]);
    for name in ["audit-1.log", "audit-2.log"] {
        let file = LogFile::open(&world.path(name)).unwrap();
        assert_eq!(import(&world.archive, &world.source, &file, true).unwrap().events, 0, "{name}");
    }
    assert_eq!(world.kept(), (0..25).collect::<Vec<_>>());
}

#[test]
fn a_file_that_is_written_anew_is_said_whether_it_is_shorter_or_not() {
    let world = World::new();
    let mut follow = world.follow();
    world.append("audit.log", &lines(0..10));
    world.look(&mut follow);
    let read = lines(0..10).len() as u64;
    // copytruncate.
    fs::write(world.path("audit.log"), lines(30..32)).unwrap();
    assert_eq!(world.turns(&mut follow), [Turn::WrittenAnew { read }, Turn::Began { from: 0 }]);
    // The same, and it has grown past what was read by the next look.
    fs::write(world.path("audit.log"), lines(40..60)).unwrap();
    let turns = world.turns(&mut follow);
    assert!(matches!(turns[..], [Turn::WrittenAnew { .. }, Turn::Began { from: 0 }]), "{turns:?}");
    // Emptied, and not written to for a while.
    fs::write(world.path("audit.log"), "").unwrap();
    assert!(matches!(world.turns(&mut follow)[..], [Turn::WrittenAnew { .. }]));
    assert_eq!(world.kept(), (0..10).chain(30..32).chain(40..60).collect::<Vec<_>>());
}

#[test]
fn what_does_not_grow_line_by_line_is_an_error_that_says_so() {
    let world = World::new();
    let look = |name: &str| Follow::new(Path::new(&world.path(name)), &world.source).look(&world.archive);
    fs::write(world.path("packed.gz"), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        .unwrap();
    assert!(matches!(look("packed.gz"), Err(FeedError::NotFollowed(_))), "{:?}", look("packed.gz"));
    fs::write(world.path("list.json"), "{\n \"kind\": \"EventList\"\n}\n").unwrap();
    assert!(matches!(look("list.json"), Err(FeedError::NotFollowed(_))));
    assert!(look("").is_err(), "a folder");
}
