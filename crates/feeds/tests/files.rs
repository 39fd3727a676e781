//! Files as API servers write, rotate and pack them, and as people copy them: each event is kept once.

use flate2::Compression;
use flate2::write::GzEncoder;
use sallyport_archive::{Archive, Bounds, Column, Filter, Options, Source};
use sallyport_feeds::{FeedError, Imported, LogFile, files, import};
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
        fs::create_dir(dir.path().join("logs")).unwrap();
        Self { dir, archive, source }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("logs").join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn import(&self, path: &Path) -> Imported {
        import(&self.archive, &self.source, &LogFile::open(path).unwrap(), false).unwrap()
    }

    fn ended(&self, path: &Path) -> Imported {
        import(&self.archive, &self.source, &LogFile::open(path).unwrap(), true).unwrap()
    }

    /// The names of the objects of all calls that are kept, sorted.
    fn kept(&self) -> Vec<u64> {
        let answer = self.archive.page(&Filter::default(), None, 1000, &Bounds::default()).unwrap();
        assert!(answer.is_whole && answer.damaged == 0 && answer.value.next.is_none(), "{answer:?}");
        let mut kept: Vec<u64> = answer
            .value
            .calls
            .iter()
            .map(|call| call.text(Column::Name).trim_start_matches("pod-").parse().unwrap())
            .collect();
        kept.sort_unstable();
        kept
    }
}

fn line(n: u64) -> String {
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{n:08x}-0000-4000-8000-000000000000","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/ci/pods/pod-{n}","verb":"get","user":{{"username":"dana"}},"sourceIPs":["10.0.0.1"],"objectRef":{{"resource":"pods","namespace":"ci","name":"pod-{n}","apiVersion":"v1"}},"responseStatus":{{"code":200}},"requestReceivedTimestamp":"2026-11-29T12:{:02}:{:02}.000000Z","stageTimestamp":"2026-11-29T12:{:02}:{:02}.001000Z"}}"#,
        n / 60 % 60,
        n % 60,
        n / 60 % 60,
        n % 60,
    )
}

fn lines(of: impl IntoIterator<Item = u64>) -> String {
    of.into_iter().map(|n| line(n) + "\n").collect()
}

fn packed(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

fn append(path: &Path, text: impl AsRef<[u8]>) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_ref()).unwrap();
}

#[test]
fn a_log_that_grows_is_renamed_and_packed_is_read_once() {
    let world = World::new();
    let log = world.write("audit.log", lines(0..10));
    assert_eq!((world.import(&log).events, world.import(&log).events), (10, 0));
    append(&log, lines(10..15));
    let more = world.import(&log);
    assert_eq!((more.events, more.from, more.to), (5, lines(0..10).len() as u64, lines(0..15).len() as u64));
    assert_eq!(more.counts.lines, 5, "what was kept is not read again");
    // Rotation renames it, and begins another.
    let rotated = world.path("audit-2026-11-29T12-00-00.000.log");
    fs::rename(&log, &rotated).unwrap();
    append(&rotated, lines(15..18));
    world.write("audit.log", lines(18..20));
    assert_eq!((world.import(&log).events, world.import(&rotated).events), (2, 3));
    // And packs the old one, in one piece or in several.
    let whole = lines(0..18);
    let (head, tail) = whole.split_at(3000);
    let gz = world.write("audit-2026-11-29T12-00-00.000.log.gz", [packed(head), packed(tail)].concat());
    let again = world.import(&gz);
    assert_eq!((again.events, again.from), (0, whole.len() as u64));
    assert_eq!(world.kept(), (0..20).collect::<Vec<_>>());
    assert_eq!(world.archive.status().tallies["eu-1"]["events"], 20);
}

#[test]
fn files_that_begin_alike_are_told_apart_by_what_they_hold() {
    let world = World::new();
    // Three exports with the same first call, and then other ones: none is taken for another.
    let a = world.write("a.jsonl", lines([0, 1, 2, 3]));
    let b = world.write("b.jsonl", lines([0, 10, 11, 12, 13, 14]));
    let short = world.write("short.jsonl", lines([0]));
    assert_eq!(world.import(&a).events, 4);
    let b_imported = world.import(&b);
    assert_eq!(b_imported.events, 6);
    assert!(b_imported.identity.ends_with("-1"), "{}", b_imported.identity);
    assert_eq!(world.import(&short).events, 1);
    assert_eq!(world.kept(), [0, 0, 0, 1, 2, 3, 10, 11, 12, 13, 14]);
    // Each is itself again, in whatever order they come.
    for path in [&short, &b, &a] {
        assert_eq!(world.import(path).events, 0, "{}", path.display());
    }
    append(&b, lines([15]));
    assert_eq!(world.import(&b).events, 1);
    // As long as the first, and like it up to the last call: it may be what `short` has grown to, so what that lacks is read.
    let c = world.write("c.jsonl", lines([0, 1, 2, 4]));
    assert_eq!(world.import(&c).events, 3);
    assert!(world.kept().contains(&4));
}

#[test]
fn a_last_line_without_its_end_waits_for_it() {
    let world = World::new();
    let (whole, third) = (lines(0..2), line(2));
    let (head, tail) = third.split_at(120);
    let log = world.write("audit.log", format!("{whole}{head}"));
    let first = world.import(&log);
    assert_eq!((first.events, first.unended, first.to), (2, 120, whole.len() as u64));
    assert_eq!(first.counts.bytes, whole.len() as u64);
    append(&log, format!("{tail}\n"));
    let second = world.import(&log);
    assert_eq!((second.events, second.unended, second.counts.partial), (1, 0, 0));
    // One that says all it has to say needs no end.
    append(&log, line(3));
    assert_eq!((world.import(&log).events, world.import(&log).events), (1, 0));
    append(&log, format!("\n{}", &line(4)[..200]));
    assert_eq!(world.import(&log).unended, 200);
    // Nobody writes there any more: what there is of it is read, and marked as less.
    let last = world.ended(&log);
    assert_eq!((last.events, last.unended, last.counts.partial), (1, 0, 1));
    assert_eq!(world.archive.status().events, 5);
}

#[test]
fn a_file_without_a_whole_line_is_begun_once_there_is_one() {
    let world = World::new();
    let whole = line(7);
    let (head, tail) = whole.split_at(50);
    let log = world.write("audit.log", head);
    let first = world.import(&log);
    assert_eq!((first.events, first.to, first.unended), (0, 0, 50));
    append(&log, format!("{tail}\n"));
    assert_eq!(world.import(&log).events, 1);
    let empty = world.write("empty.log", "");
    assert_eq!((world.import(&empty).events, world.import(&empty).to), (0, 0));
    assert_eq!(world.kept(), [7]);
}

#[test]
fn a_document_over_many_lines_is_read_as_one() {
    let world = World::new();
    let list = |of: std::ops::Range<u64>| {
        let items: Vec<serde_json::Value> = of.map(|n| serde_json::from_str(&line(n)).unwrap()).collect();
        let list = serde_json::json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": items});
        serde_json::to_string_pretty(&list).unwrap()
    };
    let one = world.write("one.json", list(0..3));
    let two = world.write("two.json", list(5..7));
    assert_eq!((world.import(&one).events, world.import(&two).events), (3, 2));
    assert_eq!((world.import(&one).events, world.import(&two).events), (0, 0));
    let copy = world.write("copy.json.gz", packed(&list(0..3)));
    assert_eq!(world.import(&copy).events, 0);
    assert_eq!(world.kept(), [0, 1, 2, 5, 6]);
    let large = world
        .write("large.json", format!("{{\n\"items\": [\n{}]}}", format!("{},\n", line(0)).repeat(30_000)));
    assert!(matches!(LogFile::open(&large), Err(FeedError::Document(_))));
}

#[test]
fn a_packed_file_that_breaks_off_keeps_what_came_before() {
    let world = World::new();
    let whole = packed(&lines(0..2000));
    let cut = world.write("audit.log.gz", &whole[..whole.len() / 2]);
    let first = world.import(&cut);
    assert!(first.events > 100 && first.events < 2000, "{}", first.events);
    let why = first.broken.unwrap();
    assert!(why.contains("can't be unpacked after byte"), "{why}");
    // Copied once more, whole this time.
    fs::write(&cut, &whole).unwrap();
    let second = world.import(&cut);
    assert_eq!((first.events + second.events, second.broken), (2000, None));
    assert_eq!(world.archive.status().events, 2000);
    assert!(matches!(LogFile::open(&world.write("x.gz", [0x1f, 0x8b, 0xff])), Err(FeedError::Packed { .. })));
}

#[test]
fn what_is_no_file_is_refused_and_links_are_not_followed() {
    let world = World::new();
    let log = world.write("audit.log", lines(0..1));
    fs::create_dir_all(world.path("2026/11")).unwrap();
    world.write("2026/11/x.log", lines(1..2));
    std::os::unix::fs::symlink("/etc", world.path("etc")).unwrap();
    let found = files(&world.dir.path().join("logs")).unwrap();
    assert_eq!(found, [world.path("2026/11/x.log"), log.clone()]);
    assert_eq!(files(&log).unwrap(), [log]);
    assert!(matches!(LogFile::open(Path::new("/dev/null")), Err(FeedError::NoFile(_))));
    assert!(matches!(LogFile::open(&world.path("none")), Err(FeedError::Io { .. })));
}

#[test]
fn bad_lines_are_named_by_their_place_in_the_file_also_after_the_first_time() {
    let world = World::new();
    let log = world.write("audit.log", format!("{}{{broken\n{}", lines(0..2), lines(2..3)));
    let first = world.import(&log);
    assert_eq!((first.events, first.bad.len(), first.bad[0].position.line), (3, 1, 3));
    append(&log, format!("started\n{{\"auditID\":}}\n{}", lines(3..4)));
    let second = world.import(&log);
    assert_eq!((second.events, second.counts.foreign["text"]), (1, 1));
    assert_eq!(second.bad[0].position.line, 6);
    assert_eq!(world.archive.bad_lines().unwrap().len(), 2);
}
