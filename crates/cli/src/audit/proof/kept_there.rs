//! What a log store has of how a history was, asked in place.

use super::anchors::Anchors;
use super::args::Verify;
use crate::audit::stop;
use crate::audit::times::told;
use crate::end::Stop;
use sallyport_audit::ANCHOR_KIND;
use sallyport_engine::{Ask, Engine, Kind, Target, Text, Wanted};
use sallyport_model::Digest;
use serde_json::Value;
use std::collections::BTreeSet;

/// Records of one answer.
const PAGE: usize = 1000;
/// Records in all: one for each five minutes of work, over years.
const MOST: usize = 50_000;

/// How much time one question is about, in nanoseconds: Loki refuses more than 30 days.
const WINDOW: i64 = 28 * 86_400_000_000_000;
/// How far ahead of ours somebody's clock may be.
const AHEAD: i64 = 86_400_000_000_000;

/// Asks for the anchors of these keys, the newest first. With none it asks for nothing: there is nothing to tell one
/// history's from another's.
pub(super) fn ask(
    anchors: &mut Anchors,
    target: &Target,
    args: &Verify,
    keys: &BTreeSet<Digest>,
) -> Result<(), Stop> {
    let filter = match target.kind() {
        Kind::VictoriaLogs => r#"source:="sallyport""#,
        Kind::Loki => r#"{source="sallyport"}"#,
        Kind::Otlp => {
            return Err(Stop::new(
                "--anchors-from: nothing can be asked of OTLP. Name the store behind the collector, or what it wrote with \
                 --anchors",
            ));
        }
    };
    if keys.is_empty() {
        return Ok(());
    }
    let engine = args.store.engine(target)?;
    let wanted = Wanted {
        filter: Some(filter.to_owned()),
        words: keys.iter().map(ToString::to_string).collect(),
        also: vec![vec![ANCHOR_KIND.to_owned()]],
        ..Wanted::default()
    };
    let now = jiff::Timestamp::now();
    let from = args.since.at(now).saturating_mul(1000).max(0);
    let now = now.as_microsecond().saturating_mul(1000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(stop)?;
    runtime.block_on(pages(anchors, &engine, &wanted, from, now))
}

async fn pages(
    anchors: &mut Anchors,
    engine: &Engine,
    wanted: &Wanted,
    from: i64,
    now: i64,
) -> Result<(), Stop> {
    let place = engine.target().to_string();
    // The clock of whoever made them may be ahead of ours.
    let (mut end, mut read) = (now.saturating_add(AHEAD), 0);
    while end > from {
        let begin = end.saturating_sub(WINDOW).max(from);
        let mut to = end;
        loop {
            let ask = Ask { from: begin, to, most: PAGE, newest: true, wanted };
            let page = engine.page(&ask).await.map_err(stop)?;
            read += page.len();
            for record in &page {
                match &record.text {
                    Text::Whole(line) => match serde_json::from_str::<Value>(line) {
                        Ok(value) => anchors.vouched(&value, &place),
                        Err(_) => anchors.other += 1,
                    },
                    Text::TooLong => anchors.other += 1,
                }
            }
            let Some(last) = page.last().filter(|_| page.len() == PAGE) else { break };
            if read >= MOST {
                return Err(Stop(format!(
                    "{place} has more than {MOST} anchors of these keys since then: those before {} were not looked at. \
                     Name a later --since",
                    told(last.at / 1000)
                )));
            }
            // Those of the same moment once more, unless a page has no others.
            to = if last.at + 1 < to { last.at + 1 } else { last.at };
        }
        end = begin;
    }
    Ok(())
}
