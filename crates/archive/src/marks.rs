//! What an event says of itself, beside its texts: kept as one word of its segment, since few of them occur.

use sallyport_events::{Event, Flaws, Level, Provenance, Shape, Stages};
use std::fmt::Write as _;

/// Who wrote a line, what was told of the call, what is wrong with it and where each field came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Who wrote the line, by its shape.
    pub shape: Shape,
    /// How much the cluster's policy wanted to be told.
    pub level: Option<Level>,
    /// The moments that were told.
    pub stages: Stages,
    /// What is wrong with the line.
    pub flaws: Flaws,
    /// Where each field came from.
    pub provenance: Provenance,
}

impl Marks {
    /// Whether it tells no more than that the call began: that it arrived, or that its answer did. Of a call that is
    /// over another event tells.
    pub fn begins(&self) -> bool {
        self.stages != Stages::default() && !self.stages.ended()
    }

    pub(crate) fn of(event: &Event<'_>) -> Self {
        Self {
            shape: event.shape,
            level: event.level,
            stages: event.stages,
            flaws: event.flaws,
            provenance: event.provenance,
        }
    }

    pub(crate) fn write(&self, out: &mut String) {
        let level = self.level.map_or(0, |level| level as u8 + 1);
        let (stages, flaws, provenance) = (self.stages.bits(), self.flaws.bits(), self.provenance.bits());
        // Writing to a String never fails.
        let _ = write!(out, "{}.{level}.{stages:x}.{flaws:x}.{provenance:x}", self.shape as u8);
    }

    /// What [`crate::Column::Marks`] says; nothing of what can't be read.
    pub fn read(text: &str) -> Self {
        let mut parts = text.split('.').map(|part| u64::from_str_radix(part, 16).unwrap_or_default());
        let mut next = || parts.next().unwrap_or_default();
        let shape = match next() {
            1 => Shape::Eks,
            2 => Shape::Gke,
            3 => Shape::Aks,
            _ => Shape::Kubernetes,
        };
        let level = match next() {
            1 => Some(Level::None),
            2 => Some(Level::Metadata),
            3 => Some(Level::Request),
            4 => Some(Level::RequestResponse),
            _ => None,
        };
        Self {
            shape,
            level,
            stages: Stages::from_bits(next() as u8),
            flaws: Flaws::from_bits(next() as u16),
            provenance: Provenance::from_bits(next()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sallyport_events::{Came, Field, Flaw, Stage};

    #[test]
    fn marks_come_back() {
        let mut marks = Marks { shape: Shape::Aks, level: Some(Level::Request), ..Marks::default() };
        marks.stages = Stages::one(Stage::ResponseStarted).with(Stages::one(Stage::Panic));
        marks.flaws.note(Flaw::OldShape);
        marks.provenance.note(Field::CompletedAt, Came::Inferred);
        for marks in [marks, Marks::default()] {
            let mut text = String::new();
            marks.write(&mut text);
            assert_eq!(Marks::read(&text), marks, "{text}");
        }
        for hostile in ["", "9.9.9", "....", "x.y", "ffffffffffffffffffff.1"] {
            let _ = Marks::read(hostile);
        }
    }
}
