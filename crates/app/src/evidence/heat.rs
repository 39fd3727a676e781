//! Calls of each cluster, day by day: which cluster was busy, and where much was denied.

use super::filter::bad;
use super::saved::unkept;
use super::{Evidence, lacks, number, or_lacks};
use crate::desk::AppError;
use sallyport_archive::{Heat, HeatCell};
use sallyport_ipc::{HeatDay, HeatRow, HeatView, LacksView, Shown};

/// Most days of a map.
const DAYS_MOST: u32 = 62;
/// Most clusters of a map.
const CLUSTERS_MOST: usize = 200;
const HOURS: u32 = 24;
/// What begins after it is no moment that anybody looks at: 9999-01-01T00:00:00Z, in microseconds.
const END: i64 = 253_370_764_800_000_000;

impl Evidence {
    pub(crate) async fn heat(&self, from_us: i64, days: u32) -> Result<HeatView, AppError> {
        if !(1..=DAYS_MOST).contains(&days) || !(0..END).contains(&from_us) {
            return Err(bad(format!("a map is of 1 to {DAYS_MOST} days, which begin after 1970")));
        }
        let asked = self.ask("heat", move |archive, bounds| archive.heat(from_us, HOURS, days, bounds));
        let (answer, why) = or_lacks(asked).await?;
        let stores = self.desk.prefs.audit_stores().await.map_err(unkept)?.len();
        let (heat, lacks) = match answer {
            Some(answer) => (answer.value.clone(), lacks(&answer)),
            None => (Heat::default(), why),
        };
        Ok(HeatView { stores: u32::try_from(stores).unwrap_or(u32::MAX), ..shown(heat, lacks) })
    }
}

/// A map for the window: of too many clusters those with the most calls, all by their names.
fn shown(heat: Heat, lacks: LacksView) -> HeatView {
    let all = heat.clusters.len();
    let calls = |cells: &[HeatCell]| cells.iter().fold(0_u64, |sum, cell| sum.saturating_add(cell.calls));
    let mut clusters: Vec<(String, Vec<HeatCell>)> = heat.clusters.into_iter().collect();
    clusters.sort_by(|a, b| calls(&b.1).cmp(&calls(&a.1)).then_with(|| a.0.cmp(&b.0)));
    clusters.truncate(CLUSTERS_MOST);
    clusters.sort_by(|a, b| a.0.cmp(&b.0));
    let more = all.saturating_sub(clusters.len());
    let row = |(cluster, cells): (String, Vec<HeatCell>)| HeatRow {
        cluster: Shown::from(cluster),
        days: cells.iter().map(day).collect(),
    };
    HeatView {
        from_us: heat.from,
        step_us: heat.step,
        clusters: clusters.into_iter().map(row).collect(),
        more: u32::try_from(more).unwrap_or(u32::MAX),
        stores: 0,
        lacks,
    }
}

fn day(cell: &HeatCell) -> HeatDay {
    HeatDay {
        calls: number(cell.calls),
        writes: number(cell.writes),
        failed: number(cell.failed),
        denied: number(cell.denied),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_clusters_the_busiest_are_shown_by_their_names_and_the_others_counted() {
        let mut heat = Heat { from: 7, step: 9, ..Heat::default() };
        for n in 0..250_u64 {
            let cells =
                vec![HeatCell { calls: n, writes: 1, failed: 2, denied: u64::MAX }, HeatCell::default()];
            heat.clusters.insert(format!("c-{:03}", 249 - n), cells);
        }
        let view = shown(heat, LacksView::default());
        assert_eq!((view.from_us, view.step_us, view.more), (7, 9, 50));
        assert_eq!(view.clusters.len(), CLUSTERS_MOST);
        assert!(view.clusters.is_sorted_by(|a, b| a.cluster.as_str() < b.cluster.as_str()));
        assert_eq!(view.clusters[0].cluster.as_str(), "c-000", "the busiest");
        assert_eq!(view.clusters.last().unwrap().cluster.as_str(), "c-199");
        let first = &view.clusters[0].days;
        assert_eq!(first[0], HeatDay { calls: 249, writes: 1, failed: 2, denied: i64::MAX });
        assert_eq!(first[1], HeatDay::default());
    }
}
