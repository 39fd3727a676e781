//! What is kept of each call to find it again.

/// What stands in [`Column::Decision`] of a call that an authorizer forbade.
pub(crate) const FORBID: &str = "forbid";

/// A text of a call that is kept as a code: which word of its segment it is. Calls are found, counted and grouped by
/// these without anything else being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Column {
    /// The cluster, which the source's configuration says and no line.
    Cluster = 0,
    /// Who: `user.username`.
    User = 1,
    /// As whom, if they impersonated.
    Impersonated = 2,
    /// The verb as authorizers see it.
    Verb = 3,
    /// The resource as kubectl writes it: `pods`, `deployments.apps`; empty where the call is about no resource.
    Resource = 4,
    /// The subresource.
    Subresource = 5,
    /// The namespace.
    Namespace = 6,
    /// The name of the object.
    Name = 7,
    /// The HTTP status, in digits.
    Code = 8,
    /// `allow` or `forbid`.
    Decision = 9,
    /// Why, in the authorizer's words.
    Reason = 10,
    /// What the client called itself.
    UserAgent = 11,
    /// From where; several are separated by commas, and all but the last can be set by the client.
    Address = 12,
    /// What the call was made with: `JTI=…` or `X509SHA256=…`.
    Credential = 13,
    /// The session account that made it, if it is one of ours.
    Session = 14,
    /// The credential that the call itself issued.
    Issued = 15,
    /// What an exec starts.
    Command = 16,
    /// Where it was read: the source's id.
    Source = 17,
    /// Which file of the source.
    File = 18,
    /// Level, stages, flaws, shape and provenance, as [`crate::Marks`] writes them.
    Marks = 19,
}

impl Column {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 20] = [
        Self::Cluster,
        Self::User,
        Self::Impersonated,
        Self::Verb,
        Self::Resource,
        Self::Subresource,
        Self::Namespace,
        Self::Name,
        Self::Code,
        Self::Decision,
        Self::Reason,
        Self::UserAgent,
        Self::Address,
        Self::Credential,
        Self::Session,
        Self::Issued,
        Self::Command,
        Self::Source,
        Self::File,
        Self::Marks,
    ];

    /// Those whose words are noted for each block, so that a block without a wanted one is not read at all.
    pub(crate) const ZONED: [Self; 10] = [
        Self::Cluster,
        Self::User,
        Self::Impersonated,
        Self::Verb,
        Self::Resource,
        Self::Namespace,
        Self::Code,
        Self::Decision,
        Self::Credential,
        Self::Session,
    ];

    /// Those that free text looks at: what people would type, and nothing of where a line lay.
    pub(crate) const TEXT: [Self; 13] = [
        Self::Cluster,
        Self::User,
        Self::Impersonated,
        Self::Resource,
        Self::Subresource,
        Self::Namespace,
        Self::Name,
        Self::Reason,
        Self::UserAgent,
        Self::Address,
        Self::Credential,
        Self::Session,
        Self::Command,
    ];
}

/// The longest word that is kept for finding, in bytes; what is longer is cut, counted as `clipped`, and whole in the
/// raw event as far as that is.
pub(crate) const WORD_MOST: usize = 4096;

/// The same of a command, words joined: more than events keep of it (48 words of 512 characters), so that nobody hides
/// something behind something long.
pub(crate) const COMMAND_MOST: usize = 128 * 1024;

/// What a block stores for each of its calls beside the codes; numbered after the columns.
pub(crate) const AT: u8 = 32;
pub(crate) const TOOK: u8 = 33;
pub(crate) const OFFSET: u8 = 34;
pub(crate) const ITEM: u8 = 35;
pub(crate) const AUDIT_ID: u8 = 36;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_its_number_for_good() {
        for (number, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!(column as usize, number, "{column:?}: what is on disk is found by it");
        }
    }
}
