//! Recordings as the window shows them. Pure.

use sallyport_ipc::{
    MomentKind, RecordedMoment, RecordingPage, RecordingView, SegmentState, SegmentView, Shown, TerminalSize,
};
use sallyport_recording::{Index, IndexError, Moment, Page, Part, Screen};

/// The most of a page, bytes of what was shown.
const PAGE: usize = 128 * 1024;

fn size(screen: Screen) -> TerminalSize {
    TerminalSize { cols: screen.columns, rows: screen.rows }
}

/// A recording, as far as its index can be read.
pub(super) fn recording(session: &str, terminal: String, index: Result<Index, IndexError>) -> RecordingView {
    let segment = |part: &Part| SegmentView {
        number: part.number,
        began_at: part.begins_ms,
        ended_at: part.ends_ms,
        size: size(part.screen()),
    };
    match index {
        Ok(index) => RecordingView {
            session: session.to_owned(),
            terminal,
            cluster: Shown::from(&index.about.cluster),
            user: Shown::from(&index.about.user),
            shell: Shown::from(&index.about.shell),
            input: index.about.input,
            sealed: index.sealed,
            began_at: index.begins_ms,
            ended_at: index.ends_ms,
            cut_off: index.cut_off,
            segments: index.parts.iter().map(segment).collect(),
            problem: None,
        },
        Err(error) => RecordingView {
            session: session.to_owned(),
            terminal,
            cluster: Shown::default(),
            user: Shown::default(),
            shell: Shown::default(),
            input: false,
            sealed: false,
            began_at: 0,
            ended_at: Some(0),
            cut_off: false,
            segments: Vec::new(),
            problem: Some(Shown::of(&error)),
        },
    }
}

/// A page of a segment from its moment `from` on.
pub(super) fn page(index: &Index, segment: u32, page: Page, from: u32) -> RecordingPage {
    let part = index.parts.iter().find(|part| part.number == segment);
    let empty = |state| RecordingPage {
        state,
        began_at: part.map_or(index.begins_ms, |part| part.begins_ms),
        size: size(part.map_or(Screen::new(80, 24), Part::screen)),
        moments: Vec::new(),
        next: None,
    };
    match page {
        Page::Missing => empty(SegmentState::Missing),
        Page::Unreadable => empty(SegmentState::Damaged),
        Page::Read { screen, begins_ms, moments, whole } => {
            let state = match (whole, part) {
                (false, _) => SegmentState::Damaged,
                (true, Some(_)) => SegmentState::Whole,
                (true, None) => SegmentState::Open,
            };
            let (moments, next) = cut(moments, from);
            RecordingPage { began_at: begins_ms, size: size(screen), moments, next, ..empty(state) }
        }
    }
}

/// So many moments from one on as a page takes, and where the next begins.
fn cut(moments: Vec<Moment>, from: u32) -> (Vec<RecordedMoment>, Option<u32>) {
    let total = moments.len();
    let (mut taken, mut bytes) = (Vec::new(), 0);
    for moment in moments.into_iter().skip(from as usize) {
        if bytes >= PAGE {
            break;
        }
        bytes += moment.data.len() + 64;
        taken.push(RecordedMoment {
            after_ms: moment.at_us as f64 / 1000.0,
            kind: match moment.kind {
                sallyport_recording::MomentKind::Output => MomentKind::Output,
                sallyport_recording::MomentKind::Input => MomentKind::Input,
                sallyport_recording::MomentKind::Resize => MomentKind::Resize,
            },
            data: moment.data,
        });
    }
    let next = (from as usize).saturating_add(taken.len());
    (taken, u32::try_from(next).ok().filter(|_| next < total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_every_moment_once_and_end() {
        let moment = |n: u64| Moment {
            at_us: n,
            kind: sallyport_recording::MomentKind::Output,
            data: "x".repeat(10_000),
        };
        let all: Vec<_> = (0..50).map(moment).collect();
        let (mut from, mut seen, mut pages) = (0, 0, 0);
        loop {
            let (page, next) = cut(all.clone(), from);
            seen += page.len();
            pages += 1;
            let Some(next) = next else { break };
            assert!(next > from);
            from = next;
        }
        assert_eq!(seen, 50);
        assert!(pages > 3 && pages < 10, "{pages}");
        assert_eq!(cut(all, u32::MAX), (Vec::new(), None));
    }
}
