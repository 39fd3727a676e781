//! What holds of every source, whatever stands in it. The fuzz target `read` asks the same.

use sallyport_events::{Counts, Event, Found, LINE_MOST, Reader, What};

/// The longest text that is kept of an event, and what its redaction may add.
const RAW_MOST: usize = 512 * 1024;

/// Panics where something does not hold.
pub(crate) fn hold(bytes: &[u8]) {
    let (whole, counts) = read(&[bytes]);
    let events = whole.iter().filter(|found| matches!(found.what, What::Event(_))).count() as u64;
    let bad: u64 = counts.bad.values().sum();
    let foreign: u64 = counts.foreign.values().sum();
    assert_eq!(counts.events, events, "each event is counted");
    assert_eq!(
        counts.events + bad + foreign,
        whole.len() as u64,
        "whatever was found is counted, by what it is"
    );
    assert_eq!(counts.bytes, bytes.len() as u64);
    assert!(
        whole
            .iter()
            .all(|found| found.position.offset < bytes.len().max(1) as u64 && found.position.line >= 1)
    );
    assert!(
        whole.windows(2).all(|two| two[0].position < two[1].position),
        "in their order, each in a place of its own"
    );
    // However the bytes arrive.
    let (begin, end) = bytes.split_at(bytes.len() / 3);
    let (parts, in_parts) = read(&[begin, &end[..end.len() / 2], &end[end.len() / 2..]]);
    assert_eq!((parts, in_parts), (whole.clone(), counts));
    for found in &whole {
        if let What::Event(event) = &found.what {
            of_event(event);
        }
    }
}

fn of_event(event: &Event<'_>) {
    assert!(event.raw.len() <= RAW_MOST, "{} bytes", event.raw.len());
    assert!(event.raw.len() <= LINE_MOST);
    assert!(event.command.len() <= 48, "{}", event.command.len());
    let _ = (event.path(), event.at(), event.took(), event.jti(), event.is_denied());
    // What was taken out once is out: reading what is kept takes out nothing more of a text.
    if !event.is_partial() {
        assert!(
            serde_json::from_str::<serde_json::Value>(&event.raw).is_ok() || event.raw.contains("left out"),
            "{}",
            event.raw
        );
    }
}

fn read(parts: &[&[u8]]) -> (Vec<Found<'static>>, Counts) {
    let (mut reader, mut all) = (Reader::new(), Vec::new());
    let mut each = |found: Found<'_>| {
        let what = match found.what {
            What::Event(event) => What::Event(Box::new(event.into_owned())),
            What::Foreign(foreign) => What::Foreign(foreign),
            What::Bad(bad) => What::Bad(bad),
        };
        all.push(Found { position: found.position, what });
    };
    for part in parts {
        reader.push(part, &mut each);
    }
    reader.finish(&mut each);
    (all, reader.counts().clone())
}
