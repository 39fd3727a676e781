//! Files as API servers write, rotate and pack them, and as people copy them: each event is kept once.

use flate2::Compression;
use flate2::write::GzEncoder;
use sallyport_archive::{Archive, Bounds, Column, Filter, Options, Source};
use sallyport_feeds::{FeedError, Imported, LogFile, Named, files, import};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

struct World {
    dir: tempfile::TempDir,
    archive: Archive,
    source: Source,
}

impl World {
    fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let archive = Archive::open(&dir.path().join("archive"), options).unwrap();
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

fn mkfifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
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
    mkfifo(&world.path("pipe"));
    let logs = world.dir.path().join("logs");
    let found = files(&logs).unwrap();
    let paths: Vec<_> = found.files.iter().map(|file| file.path.clone()).collect();
    assert_eq!(paths, [world.path("2026/11/x.log"), log.clone()]);
    assert!(found.files.iter().all(|file| file.is_found && file.open().is_ok()));
    let skipped: Vec<_> = found.skipped.iter().map(|skipped| (skipped.path.clone(), skipped.what)).collect();
    assert_eq!(skipped, [(world.path("etc"), "a link"), (world.path("pipe"), "a pipe")]);
    // One that somebody names may be a link, one that was found has become none.
    let found = found.files;
    fs::rename(&log, world.path("other")).unwrap();
    std::os::unix::fs::symlink(world.path("other"), &log).unwrap();
    assert!(matches!(found[1].open(), Err(FeedError::NoFile(_))));
    let named = files(&log).unwrap();
    assert_eq!(named.files, [Named { path: log.clone(), is_found: false }]);
    assert!(named.files[0].open().is_ok());
    // Nor does a pipe keep anybody waiting that has come since.
    fs::remove_file(&log).unwrap();
    mkfifo(&log);
    assert!(matches!(named.files[0].open(), Err(FeedError::NoFile(_))));
    assert!(matches!(found[1].open(), Err(FeedError::NoFile(_))));
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

#[test]
fn without_a_witness_no_event_is_passed_over() {
    let day = Duration::from_secs(86_400);
    let world = World::with(Options { keep: Some(day), ..Options::default() });
    let later = 1_796_000_000_000_000 + 30 * 86_400_000_000;
    let a = world.write("a.jsonl", lines([0, 1, 2, 3]));
    let b = world.write("b.jsonl", lines([0, 10, 11, 12, 13, 14]));
    assert_eq!(world.import(&a).events, 4);
    // What is kept of it is removed for its age: nothing tells that the other file is another one.
    world.archive.retain(later).unwrap();
    assert_eq!(world.archive.status().events, 0);
    assert_eq!(world.import(&b).events, 6);
    assert_eq!(world.import(&b).events, 0);
    append(&b, lines([15]));
    assert_eq!(world.import(&b).events, 1);
    // Nor that this is the one: it is read once more, and then no more, however often what is kept is removed.
    world.archive.retain(later).unwrap();
    assert_eq!(world.import(&a).events, 4);
    for _ in 0..3 {
        world.archive.retain(later).unwrap();
        assert_eq!(world.import(&a).events, 0);
    }
    append(&a, lines([4, 5]));
    assert_eq!(world.import(&a).events, 2);
}

#[test]
fn a_file_without_events_is_read_on_and_hides_none_that_begins_alike() {
    let world = World::new();
    let log = world.write("klog.txt", "I1129 started\nI1129 and so on\n");
    assert_eq!(world.import(&log).counts.foreign["text"], 2);
    for n in 0..70 {
        append(&log, format!("I1129 {n} and this is a line that is a little longer than others are\n"));
        let more = world.import(&log);
        assert_eq!((more.counts.lines, more.identity.len()), (1, 32), "{n}");
    }
    let text = format!("I1129 started\n{}", lines(0..20));
    assert!(text.len() as u64 > fs::metadata(&log).unwrap().len());
    let other = world.write("audit.log", text);
    assert_eq!(world.import(&other).events, 20);
    assert_eq!(world.import(&other).events, 0);
}

#[test]
fn an_id_that_a_client_chose_is_a_witness_too() {
    let world = World::new();
    let odd = |n: u64| line(n).replace(&format!("{n:08x}-0000"), &format!("\\u0041 \\\"{n}\\\" é")) + "\n";
    let log = world.write("audit.log", [0, 1, 2].map(odd).concat());
    let other = world.write("other.log", [0, 10, 11, 12].map(odd).concat());
    assert_eq!(world.import(&log).events, 3);
    assert_eq!(world.import(&other).events, 4);
    append(&log, odd(3));
    let more = world.import(&log);
    assert_eq!((more.events, more.identity.len()), (1, 32));
    assert_eq!((world.import(&log).events, world.import(&other).events), (0, 0));
}

#[test]
fn what_is_read_is_the_file_that_was_opened() {
    let world = World::new();
    let log = world.write("audit.log", lines(0..3) + &line(3)[..100]);
    // Other bytes under its name: rotated, and swapped for a pipe.
    let opened = LogFile::open(&log).unwrap();
    fs::rename(&log, world.path("rotated.log")).unwrap();
    mkfifo(&log);
    let imported = import(&world.archive, &world.source, &opened, false).unwrap();
    assert_eq!((imported.events, imported.unended, imported.broken), (3, 100, None));
    // A document as well.
    let list = format!("[\n{}]", lines([7]));
    let document = world.write("list.json", &list);
    let opened = LogFile::open(&document).unwrap();
    fs::write(&document, "[\n{}]").unwrap();
    assert_eq!(import(&world.archive, &world.source, &opened, false).unwrap().events, 1);
}

#[test]
fn a_file_that_gets_shorter_is_an_error_and_not_nothing_new() {
    let world = World::new();
    let log = world.write("audit.log", lines(0..10));
    assert_eq!(world.import(&log).events, 10);
    let opened = LogFile::open(&log).unwrap();
    let cut = OpenOptions::new().write(true).open(&log).unwrap();
    cut.set_len(lines(0..2).len() as u64).unwrap();
    let refused = import(&world.archive, &world.source, &opened, false).unwrap_err();
    assert!(
        matches!(refused, FeedError::Shorter { .. }) && refused.to_string().contains("ends at byte"),
        "{refused}"
    );
    // What comes first of another one is kept, and it is said that there was more.
    let other = world.write("other.log", lines(20..30));
    let opened = LogFile::open(&other).unwrap();
    OpenOptions::new().write(true).open(&other).unwrap().set_len(lines(20..22).len() as u64).unwrap();
    let imported = import(&world.archive, &world.source, &opened, false).unwrap();
    assert_eq!(imported.events, 2);
    assert!(imported.broken.unwrap().contains("truncates"));
}
