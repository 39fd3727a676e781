use super::*;
use std::os::unix::fs::PermissionsExt as _;

fn all(spool: &Spool) -> Vec<String> {
    let (mut at, mut all) = (spool.taken(), Vec::new());
    while let Some(waiting) = spool.next(at, 2, 1000).unwrap() {
        all.extend(waiting.lines.into_iter().map(|line| String::from_utf8(line).unwrap()));
        at = waiting.to;
    }
    all
}

#[test]
fn what_was_kept_is_there_after_a_start_and_gone_when_it_was_taken() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("spool");
    let spool = Spool::open(&dir, 1000).unwrap();
    spool.append(b"a\nb\n").unwrap();
    spool.append(b"c\n").unwrap();
    assert!(matches!(Spool::open(&dir, 1000), Err(SpoolError::Locked(_))));
    drop(spool);

    let spool = Spool::open(&dir, 1000).unwrap();
    spool.append(b"d\n").unwrap();
    assert_eq!(all(&spool), ["a\n", "b\n", "c\n", "d\n"]);
    let first = spool.next(spool.taken(), 2, 1000).unwrap().unwrap();
    spool.take_to(first.to).unwrap();
    drop(spool);

    let spool = Spool::open(&dir, 1000).unwrap();
    assert_eq!(all(&spool), ["c\n", "d\n"], "on from what was taken");
    assert_eq!(spool.held(), 4);
    let (mut at, mut last) = (spool.taken(), spool.taken());
    while let Some(waiting) = spool.next(at, 100, 1000).unwrap() {
        (at, last) = (waiting.to, waiting.to);
    }
    spool.take_to(last).unwrap();
    assert_eq!((all(&spool).len(), spool.held()), (0, 0));
    let left: Vec<_> =
        fs::read_dir(&dir).unwrap().filter_map(|entry| number(&entry.unwrap().path())).collect();
    assert_eq!(left, Vec::<u64>::new(), "what was taken is deleted");
    spool.append(b"e\n").unwrap();
    assert_eq!(all(&spool), ["e\n"], "and what comes next is not taken for it");
}

#[test]
fn half_a_line_of_a_killed_process_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(dir.path(), 1 << 20).unwrap();
    spool.append(b"a\nb\n").unwrap();
    let path = spool.path(1);
    drop(spool);
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&vec![b'x'; 200_000]).unwrap();
    let spool = Spool::open(dir.path(), 1 << 20).unwrap();
    spool.append(b"c\n").unwrap();
    assert_eq!(all(&spool), ["a\n", "b\n", "c\n"]);
}

#[test]
fn no_more_waits_than_may_and_nobody_else_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(&dir.path().join("spool"), 6).unwrap();
    spool.append(b"abc\n").unwrap();
    assert!(matches!(spool.append(b"def\n"), Err(SpoolError::Full { held: 4, most: 6 })));
    assert_eq!(all(&spool), ["abc\n"], "nothing of it is kept");
    let next = spool.next(spool.taken(), 9, 9).unwrap().unwrap();
    spool.take_to(next.to).unwrap();
    spool.append(b"def\n").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir.path().join("spool")), 0o700);
    for entry in fs::read_dir(dir.path().join("spool")).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[test]
fn a_place_that_can_not_be_read_leads_back_and_never_on() {
    let dir = tempfile::tempdir().unwrap();
    for noise in ["", "{", "{\"file\":1,\"byte\":99}", "[]"] {
        let spool = Spool::open(dir.path(), 1 << 20).unwrap();
        spool.append(b"a\n").unwrap();
        drop(spool);
        fs::write(dir.path().join(TAKEN), noise).unwrap();
        let spool = Spool::open(dir.path(), 1 << 20).unwrap();
        assert!(all(&spool).contains(&"a\n".to_owned()), "{noise}");
    }
}

#[test]
fn what_is_refused_again_is_put_aside_once_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let spool = Spool::open(dir.path(), 1 << 20).unwrap();
        spool.refuse(&[b"a\n", b"b\n", b"a\n"]).unwrap();
        spool.refuse(&[b"b\n"]).unwrap();
        assert_eq!(spool.held(), 4);
    }
    assert_eq!(fs::read(dir.path().join(REFUSED)).unwrap(), b"a\nb\n");
}

#[test]
fn what_the_store_has_makes_room_though_its_place_can_not_be_written_down() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(dir.path(), 4).unwrap();
    spool.append(b"a\nb\n").unwrap();
    let taken = spool.next(spool.taken(), 9, 9).unwrap().unwrap().to;
    // As a disk that is full: nothing can be written there.
    let in_the_way = dir.path().join("taken.new");
    fs::create_dir(&in_the_way).unwrap();
    assert!(matches!(spool.append(b"c\n"), Err(SpoolError::Full { .. })));
    assert!(matches!(spool.take_to(taken), Err(SpoolError::Io { doing: "written", .. })));
    assert!(!spool.path(1).exists() && spool.held() == 0, "what the store has is deleted first");
    spool.append(b"c\n").unwrap();
    assert_eq!(all(&spool), ["c\n"], "and is not sent again");
    fs::remove_dir(&in_the_way).unwrap();
    spool.take_to(taken).unwrap();
    assert!(dir.path().join(TAKEN).is_file(), "the place is written down as soon as it can be");
    drop(spool);
    assert_eq!(all(&Spool::open(dir.path(), 4).unwrap()), ["c\n"]);
}

#[test]
fn a_file_that_can_not_be_removed_is_counted_and_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(dir.path(), 100).unwrap();
    spool.append(b"a\n").unwrap();
    let taken = spool.next(spool.taken(), 9, 9).unwrap().unwrap().to;
    // A folder in its place can't be removed as a file is.
    fs::remove_file(spool.path(1)).unwrap();
    fs::create_dir(spool.path(1)).unwrap();
    assert!(matches!(spool.take_to(taken), Err(SpoolError::Io { doing: "removed", .. })));
    assert_eq!(all(&spool), Vec::<String>::new(), "it is somebody else's all the same");
    fs::remove_dir(spool.path(1)).unwrap();
    spool.take_to(taken).unwrap();
    assert_eq!(spool.held(), 0);
}

#[test]
fn what_is_put_aside_is_bounded_on_its_own_and_goes_on_where_it_was_moved_away() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(dir.path(), 16).unwrap();
    spool.refuse(&[b"a\n", b"b\n"]).unwrap();
    assert!(matches!(spool.refuse(&[b"c\n"]), Err(SpoolError::Aside { held: 4, most: 4, .. })));
    assert!(spool.append(b"12345678901\n").is_ok(), "the rest is for what comes");
    fs::rename(dir.path().join(REFUSED), dir.path().join("seen-to")).unwrap();
    spool.refuse(&[b"c\n", b"a\n"]).unwrap();
    assert_eq!(fs::read(dir.path().join(REFUSED)).unwrap(), b"c\na\n");
}

#[test]
fn the_newest_lines_are_read_from_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(dir.path(), 1 << 20).unwrap();
    spool.append(b"a\nb\n").unwrap();
    drop(spool);
    let spool = Spool::open(dir.path(), 1 << 20).unwrap();
    spool.append(b"cc\ndd\nee\n").unwrap();
    let newest = |from: Place, lines: usize, bytes: u64| -> Vec<String> {
        let found = spool.newest(from, lines, bytes).unwrap();
        found.into_iter().map(|line| String::from_utf8(line).unwrap()).collect()
    };
    assert_eq!(newest(Place::default(), 2, 99), ["ee\n", "dd\n"]);
    assert_eq!(newest(Place::default(), 9, 99), ["ee\n", "dd\n", "cc\n", "b\n", "a\n"], "over files");
    assert_eq!(newest(Place { file: 1, byte: 2 }, 9, 99), ["ee\n", "dd\n", "cc\n", "b\n"], "no further back");
    assert_eq!(newest(Place { file: 2, byte: 0 }, 9, 4), ["ee\n"], "no half line");
}

#[test]
fn a_name_that_is_taken_is_not_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(dir.path(), 1 << 20).unwrap();
    // As one that was made, and whose folder could not be synced.
    fs::write(spool.path(1), "").unwrap();
    assert!(matches!(spool.append(b"a\n"), Err(SpoolError::Io { doing: "made", .. })));
    spool.append(b"b\n").unwrap();
    assert_eq!((all(&spool), spool.held()), (vec!["b\n".to_owned()], 2));
}
