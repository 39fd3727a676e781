//! What was last seen of the hub's guardrails, and what it came to.

use crate::store::lock;
use sallyport_api::HubSet;
use std::{collections::BTreeSet, sync::Mutex, time::Duration};
use tokio::time::Instant;

/// Which set the hub has, or why it is none that counts, in words.
pub(crate) type Verdict = Result<HubSet, String>;

/// The verdict on what the watches have seen, until they see something else; the last look past them, since a watch may
/// have gone blind; and which policies let their last probe through.
#[derive(Default)]
pub(crate) struct HubSeen {
    watched: Mutex<Option<Verdict>>,
    listed: Mutex<Option<(Instant, Verdict)>>,
    let_through: Mutex<BTreeSet<&'static str>>,
}

impl HubSeen {
    /// What the watches see is to be judged anew.
    pub(crate) fn changed(&self) {
        *lock(&self.watched) = None;
    }

    /// What a look past the watches came to.
    pub(crate) fn listed(&self, verdict: Verdict) {
        *lock(&self.listed) = Some((Instant::now(), verdict));
    }

    /// What one probe came to. One that nobody answered says nothing, so that what was said before stands.
    pub(crate) fn probed(&self, policy: &'static str, refused: Option<bool>) {
        let mut through = lock(&self.let_through);
        match refused {
            Some(true) => drop(through.remove(policy)),
            Some(false) => drop(through.insert(policy)),
            None => {}
        }
    }

    /// Which set it is, or why it is none that counts: by the comparisons, by `judge` once for each change, and by the
    /// probes. A look past the watches counts for `lasts`.
    pub(crate) fn set(&self, lasts: Duration, judge: impl FnOnce() -> Verdict) -> Verdict {
        match &*lock(&self.listed) {
            None => return Err("the hub's admission policies have not been looked at yet".to_owned()),
            Some((at, _)) if at.elapsed() > lasts => {
                let minutes = at.elapsed().as_secs() / 60;
                return Err(format!("the hub's admission policies were last looked at {minutes} min ago"));
            }
            Some((_, Err(why))) => return Err(why.clone()),
            Some((_, Ok(_))) => {}
        }
        let set = lock(&self.watched).get_or_insert_with(judge).clone()?;
        match lock(&self.let_through).first() {
            Some(policy) => Err(format!(
                "the hub's {policy} let its probe through; nothing is granted until it was seen to refuse"
            )),
            None => Ok(set),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LASTS: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn p12_a_change_is_judged_once_and_what_is_not_looked_at_again_counts_no_more() {
        let seen = HubSeen::default();
        let own = || Ok(HubSet::Own);
        assert!(seen.set(LASTS, own).is_err_and(|why| why.contains("not been looked at yet")));
        seen.listed(own());
        assert_eq!(seen.set(LASTS, own), own());
        assert_eq!(seen.set(LASTS, || Err("asked again".into())), own(), "nothing has changed");
        seen.changed();
        assert_eq!(seen.set(LASTS, || Err("a differs".into())), Err("a differs".into()));
        // The watch sees nothing any more, and another look does.
        seen.changed();
        seen.listed(Err("b is missing".into()));
        assert_eq!(seen.set(LASTS, own), Err("b is missing".into()));
        seen.listed(own());
        assert_eq!(seen.set(LASTS, own), own());
        tokio::time::advance(LASTS * 2).await;
        assert!(seen.set(LASTS, own).is_err_and(|why| why.contains("2 min ago")));
    }

    #[tokio::test]
    async fn p12_a_probe_that_is_let_through_outweighs_comparisons_until_that_policy_refuses() {
        let seen = HubSeen::default();
        let own = || Ok(HubSet::Own);
        seen.listed(own());
        seen.probed("a", Some(false));
        seen.probed("b", Some(false));
        let why = || seen.set(LASTS, own).unwrap_err();
        assert!(why().contains("the hub's a let its probe through"));
        seen.probed("a", None);
        assert!(why().contains("the hub's a "), "no answer is no refusal");
        seen.probed("a", Some(true));
        assert!(why().contains("the hub's b "));
        seen.probed("b", Some(true));
        assert_eq!(seen.set(LASTS, own), own());
    }
}
