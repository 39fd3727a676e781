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
        for lines in [&[&b"a\n"[..]][..], &[b"b\n", b"a\n", b"b\n"]] {
            spool.refuse(lines).unwrap();
        }
        assert_eq!(spool.held(), 4);
    }
    assert_eq!(fs::read(dir.path().join(REFUSED)).unwrap(), b"a\nb\n");
}

/// A disk that is full takes no new file, and what is deleted makes room.
#[test]
fn what_was_taken_is_deleted_where_nothing_can_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(dir.path(), 1 << 20).unwrap();
    spool.append(b"a\n").unwrap();
    fs::create_dir(dir.path().join("taken.new")).unwrap();
    let first = spool.next(spool.taken(), 10, 1000).unwrap().unwrap();
    assert!(matches!(spool.take_to(first.to), Err(SpoolError::Io { .. })));
    assert_eq!((spool.held(), spool.taken()), (0, first.to));
    assert!(!spool.path(1).exists(), "room was made first");
    spool.append(b"b\n").unwrap();
    assert_eq!(all(&spool), ["b\n"], "and it goes on");
    drop(spool);
    let spool = Spool::open(dir.path(), 1 << 20).unwrap();
    assert_eq!(all(&spool), ["b\n"]);
    spool.append(b"c\n").unwrap();
    assert_eq!(spool.newest(1).unwrap(), [b"c\n"]);
    spool.append(b"d\n").unwrap();
    assert_eq!(spool.newest(9).unwrap(), [b"c\n", b"d\n"], "of the last file");
}

#[test]
fn a_name_that_is_there_keeps_nothing_out() {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::open(dir.path(), 1 << 20).unwrap();
    fs::create_dir(spool.path(1)).unwrap();
    assert!(matches!(spool.append(b"a\n"), Err(SpoolError::Io { .. })));
    spool.append(b"b\n").unwrap();
    assert_eq!(all(&spool), ["b\n"]);
}
