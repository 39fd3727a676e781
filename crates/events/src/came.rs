//! Where a field came from, and what was wrong with a line that is an event all the same.

/// A field of an event whose origin is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Field {
    /// The id of the call.
    AuditId,
    /// How much the policy wanted to be told.
    Level,
    /// The moments of the call that were told.
    Stage,
    /// What was done.
    Verb,
    /// Who.
    User,
    /// As whom.
    Impersonated,
    /// From where.
    SourceIps,
    /// With what program.
    UserAgent,
    /// About what.
    Object,
    /// The request's address.
    Uri,
    /// What an exec starts.
    Command,
    /// The HTTP status.
    Code,
    /// What the authorizer said.
    Decision,
    /// The credential that the call was made with.
    Credential,
    /// When the call arrived.
    ReceivedAt,
    /// When its answer began.
    StartedAt,
    /// When it was over.
    CompletedAt,
}

impl Field {
    /// All of them, in the order of their bits.
    pub const ALL: [Self; 17] = [
        Self::AuditId,
        Self::Level,
        Self::Stage,
        Self::Verb,
        Self::User,
        Self::Impersonated,
        Self::SourceIps,
        Self::UserAgent,
        Self::Object,
        Self::Uri,
        Self::Command,
        Self::Code,
        Self::Decision,
        Self::Credential,
        Self::ReceivedAt,
        Self::StartedAt,
        Self::CompletedAt,
    ];
}

/// Where what a field says came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Came {
    /// The line does not say it.
    Absent = 0,
    /// As the line says it.
    Raw = 1,
    /// The line says it in another form: a GKE method name taken apart, a time in another spelling, a cut text.
    Normalised = 2,
    /// The line does not say it; it follows from something else, and may be wrong.
    Inferred = 3,
}

/// Where each field came from, two bits a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Provenance(u64);

impl Provenance {
    /// As it was stored; bits that stand for nothing are dropped.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits & ((1 << (2 * Field::ALL.len())) - 1))
    }

    /// To store.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Where one field came from.
    pub fn of(self, field: Field) -> Came {
        match (self.0 >> (2 * field as u64)) & 3 {
            0 => Came::Absent,
            1 => Came::Raw,
            2 => Came::Normalised,
            _ => Came::Inferred,
        }
    }

    /// Notes where one came from.
    pub fn note(&mut self, field: Field, came: Came) {
        let at = 2 * field as u64;
        self.0 = (self.0 & !(3 << at)) | ((came as u64) << at);
    }
}

/// Something wrong with a line that is an event all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Flaw {
    /// It was cut or stops being JSON; what comes after that is missing.
    Partial = 0,
    /// A key stood in it twice; the last one counts, as in Go's decoder.
    DuplicateKey = 1,
    /// A field was of another type than it has to be, and was left out.
    WrongType = 2,
    /// It was not UTF-8 (or named half a character); what was not stands as U+FFFD.
    NotText = 3,
    /// Something in it was longer than is kept, and was cut in its middle.
    Clipped = 4,
    /// The API server itself left the bodies out (`audit.k8s.io/truncated`).
    Truncated = 5,
    /// It is in a shape that API servers do not write any more (v1beta1, v1alpha1).
    OldShape = 6,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flaws(u16);

impl Flaws {
    /// As it was stored.
    pub fn from_bits(bits: u16) -> Self {
        Self(bits & 0x7f)
    }

    /// To store.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// Whether one of them is there.
    pub fn has(self, flaw: Flaw) -> bool {
        self.0 & (1 << flaw as u16) != 0
    }

    /// Adds one.
    pub fn note(&mut self, flaw: Flaw) {
        self.0 |= 1 << flaw as u16;
    }

    /// Without one.
    pub fn without(self, flaw: Flaw) -> Self {
        Self(self.0 & !(1 << flaw as u16))
    }

    /// Adds those of another.
    pub fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_keeps_its_own_origin() {
        let mut provenance = Provenance::default();
        let all = [Came::Raw, Came::Normalised, Came::Inferred, Came::Absent];
        for (n, field) in Field::ALL.into_iter().enumerate() {
            assert_eq!(field as usize, n);
            provenance.note(field, Came::Inferred);
            provenance.note(field, all[n % 4]);
        }
        let stored = Provenance::from_bits(provenance.bits() | 1 << 60);
        for (n, field) in Field::ALL.into_iter().enumerate() {
            assert_eq!(stored.of(field), all[n % 4], "{field:?}");
        }
    }
}
