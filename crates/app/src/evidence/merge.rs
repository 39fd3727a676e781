//! Pages of several sides as one, and where each goes on. Pure.

use sallyport_archive::Cursor as CallCursor;
use sallyport_ipc::{Shown, TimelineRow};
use sallyport_store::Cursor as OwnCursor;
use std::iter::Peekable;
use std::vec::IntoIter;

/// The longest id of a store, in bytes.
const ID_MOST: usize = 100;

/// Where a page of the timeline ended, on each side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) own: Side<OwnCursor>,
    pub(super) calls: Side<CallCursor>,
    /// Log stores by their id. One that is not here is not on older pages.
    pub(super) stores: Vec<(String, Side<StoreCursor>)>,
}

/// Where one side goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Side<C> {
    /// From its newest on.
    #[default]
    Begin,
    /// Behind that.
    After(C),
    /// Nothing older is left.
    End,
}

/// A place in what was seen of a log store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StoreCursor {
    /// In which of the looks that were made.
    pub(super) look: u64,
    /// Where in it.
    pub(super) call: CallCursor,
}

impl Cursor {
    /// As the window sends it back: `1700000000000000.12,1700000000000000.34`, `-` for a side that is at its end and `*`
    /// for one that was not begun; behind that each store, `;logs-1=7/1700000000000000.56`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';');
        let (own, calls) = parts.next()?.split_once(',')?;
        let own = side(own, |text| moment(text).map(|(at, sequence)| OwnCursor { at, sequence }))?;
        let calls = side(calls, |text| moment(text).map(|(at, id)| CallCursor { at, id }))?;
        let stores = parts.map(|part| {
            let (id, place) = part.split_once('=')?;
            let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
            let place = side(place, |text| {
                let (look, call) = text.split_once('/')?;
                let (at, id) = moment(call)?;
                Some(StoreCursor { look: look.parse().ok()?, call: CallCursor { at, id } })
            })?;
            (id.len() <= ID_MOST && id.chars().all(is_id)).then(|| (id.to_owned(), place))
        });
        Some(Self { own, calls, stores: stores.collect::<Option<_>>()? })
    }

    pub(super) fn shown(&self) -> Shown {
        let own = written(self.own, |c| format!("{}.{}", c.at, c.sequence));
        let calls = written(self.calls, |c| format!("{}.{}", c.at, c.id));
        let stores = self.stores.iter().map(|(id, place)| {
            let place = written(*place, |c| format!("{}/{}.{}", c.look, c.call.at, c.call.id));
            format!(";{id}={place}")
        });
        Shown::from(format!("{own},{calls}{}", stores.collect::<String>()))
    }

    /// Nothing older is left on any side.
    pub(super) fn is_over(&self) -> bool {
        self.own == Side::End
            && self.calls == Side::End
            && self.stores.iter().all(|(_, place)| *place == Side::End)
    }
}

fn moment(text: &str) -> Option<(i64, u64)> {
    let (at, id) = text.split_once('.')?;
    Some((at.parse().ok()?, id.parse().ok()?))
}

fn side<C>(text: &str, of: impl Fn(&str) -> Option<C>) -> Option<Side<C>> {
    match text {
        "*" => Some(Side::Begin),
        "-" => Some(Side::End),
        _ => of(text).map(Side::After),
    }
}

fn written<C>(side: Side<C>, of: impl Fn(C) -> String) -> String {
    match side {
        Side::Begin => "*".to_owned(),
        Side::End => "-".to_owned(),
        Side::After(cursor) => of(cursor),
    }
}

/// Rows of one side, newest first, and where it goes on.
#[derive(Debug)]
pub(super) struct Looked<C> {
    /// Each with its moment and where the side goes on behind it.
    pub(super) rows: Vec<(i64, C, TimelineRow)>,
    /// Where what was not looked at begins; none when nothing older is left.
    pub(super) next: Option<(i64, C)>,
    /// Where it began, for a page on which none of its rows fit.
    pub(super) from: Side<C>,
}

/// The newest of all sides, at most `limit`, and where each goes on. A row is never shown before an older page could
/// hold a newer one.
pub(super) fn merged(
    own: Looked<OwnCursor>,
    calls: Looked<CallCursor>,
    stores: Vec<(String, Looked<StoreCursor>)>,
    limit: usize,
) -> (Vec<TimelineRow>, Cursor) {
    let (mut own, mut calls) = (Heap::of(own), Heap::of(calls));
    let mut stores: Vec<(String, Heap<StoreCursor>)> =
        stores.into_iter().map(|(id, looked)| (id, Heap::of(looked))).collect();
    let mut rows = Vec::new();
    {
        let mut sides: Vec<&mut dyn Newest> = vec![&mut own, &mut calls];
        sides.extend(stores.iter_mut().map(|(_, heap)| heap as &mut dyn Newest));
        // What lies at or below where a side was not looked at may have neighbours there.
        let horizon = sides.iter().map(|side| side.horizon()).max().unwrap_or(i64::MIN);
        while rows.len() < limit {
            let mut newest: Option<(i64, usize)> = None;
            for (place, side) in sides.iter_mut().enumerate() {
                if let Some(at) = side.newest()
                    && newest.is_none_or(|(other, _)| at > other)
                {
                    newest = Some((at, place));
                }
            }
            let Some((_, place)) = newest.filter(|(at, _)| *at >= horizon) else { break };
            rows.extend(sides[place].take());
        }
    }
    let cursor = Cursor {
        own: own.end(),
        calls: calls.end(),
        stores: stores.into_iter().map(|(id, heap)| (id, heap.end())).collect(),
    };
    (rows, cursor)
}

/// Rows of one side that are not on the page yet.
struct Heap<C> {
    rows: Peekable<IntoIter<(i64, C, TimelineRow)>>,
    at: Side<C>,
    next: Option<(i64, C)>,
}

trait Newest {
    /// The moment of its newest row.
    fn newest(&mut self) -> Option<i64>;
    fn take(&mut self) -> Option<TimelineRow>;
    /// Where it was not looked.
    fn horizon(&self) -> i64;
}

impl<C> Heap<C> {
    fn of(looked: Looked<C>) -> Self {
        Self { rows: looked.rows.into_iter().peekable(), at: looked.from, next: looked.next }
    }

    /// Where the side goes on: behind its last row on the page while there are more of those, else where it was not looked.
    fn end(mut self) -> Side<C> {
        match (self.rows.peek().is_some(), self.next) {
            (true, _) => self.at,
            (false, Some((_, next))) => Side::After(next),
            (false, None) => Side::End,
        }
    }
}

impl<C> Newest for Heap<C> {
    fn newest(&mut self) -> Option<i64> {
        self.rows.peek().map(|(at, ..)| *at)
    }

    fn take(&mut self) -> Option<TimelineRow> {
        let (_, cursor, row) = self.rows.next()?;
        self.at = Side::After(cursor);
        Some(row)
    }

    fn horizon(&self) -> i64 {
        self.next.as_ref().map_or(i64::MIN, |(at, _)| *at)
    }
}
