//! At which step who dies, and how far into it.

use crate::dice::Dice;
use std::collections::BTreeMap;
use std::fmt;

/// The profile of a lap that opens at once, is extended and left.
pub(super) const PLAIN: &str = "restless";
/// Of one that waits for somebody's yes.
pub(super) const ASKED: &str = "operate";
/// Of one for which the provider has to vouch every few seconds.
pub(super) const VOUCHED: &str = "restless-vouched";
/// No lap: what the history says is told.
pub(super) const HISTORY: &str = "history";
/// Neither: the provider has vouched often enough in this one.
pub(super) const ENOUGH: &str = "enough";

/// A step in which somebody dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// From the click until its request is known on the hub.
    Asking,
    /// From an approver's yes until the hub has answered it.
    Approving,
    /// From then until the session is open.
    Opening,
    /// From the wish for more time until what was there before closes.
    Extending,
    /// From the question to the provider until the session knows that the hub has its word.
    Reaffirming,
    /// From leaving until every right is seen to be refused.
    Leaving,
}

impl Step {
    pub(super) const ALL: [Self; 6] =
        [Self::Asking, Self::Approving, Self::Opening, Self::Extending, Self::Reaffirming, Self::Leaving];

    /// What is said as it begins; of reaffirming, as the one before was done.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Asking => "asking",
            Self::Approving => "approving",
            Self::Opening => "opening",
            Self::Extending => "extending",
            Self::Reaffirming => "vouched",
            Self::Leaving => "leaving",
        }
    }

    /// Under which profile it comes.
    pub(super) fn profile(self) -> &'static str {
        match self {
            Self::Approving => ASKED,
            Self::Reaffirming => VOUCHED,
            _ => PLAIN,
        }
    }

    /// Who may die in it, the one first that no other step has.
    fn victims(self) -> &'static [Dies] {
        match self {
            Self::Approving => &[Dies::Approver, Dies::App, Dies::Broker, Dies::Both],
            _ => &[Dies::App, Dies::Broker, Dies::Both],
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reaffirming => "reaffirming",
            other => other.word(),
        })
    }
}

/// Who dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dies {
    /// The app of whoever asks.
    App,
    Broker,
    /// App and broker.
    Both,
    /// The app of whoever says yes.
    Approver,
}

impl Dies {
    pub(super) fn app(self) -> bool {
        matches!(self, Self::App | Self::Both)
    }

    pub(super) fn broker(self) -> bool {
        matches!(self, Self::Broker | Self::Both)
    }
}

impl fmt::Display for Dies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::App => "the app",
            Self::Broker => "the broker",
            Self::Both => "app and broker",
            Self::Approver => "the approver's app",
        })
    }
}

/// One death.
#[derive(Clone, Copy, Debug)]
pub(super) struct Death {
    pub(super) step: Step,
    pub(super) dies: Dies,
    /// How far into the step, in thousandths of what it takes.
    pub(super) thousandth: u64,
    /// Whether a lap is walked to its end before.
    pub(super) walks_before: bool,
}

/// So many deaths. Every six of them are one in each step, and in each step all who may die there take turns.
pub(super) fn deaths(dice: &mut Dice, count: usize) -> Vec<Death> {
    let mut deck: Vec<Step> = Vec::new();
    let mut turns: BTreeMap<Step, usize> = BTreeMap::new();
    for step in Step::ALL {
        // An approver dies in every run; where the others begin is thrown.
        let begins = if step == Step::Approving { 0 } else { dice.below(3) as usize };
        turns.insert(step, begins);
    }
    let mut throw = || {
        if deck.is_empty() {
            deck = Step::ALL.to_vec();
        }
        let step = deck.swap_remove(dice.below(deck.len() as u64) as usize);
        let turn = turns.entry(step).or_default();
        let dies = step.victims()[*turn % step.victims().len()];
        *turn += 1;
        Death {
            step,
            dies,
            thousandth: dice.below(1000),
            walks_before: dice.one_in(4) && step != Step::Reaffirming,
        }
    };
    (0..count).map(|_| throw()).collect()
}
