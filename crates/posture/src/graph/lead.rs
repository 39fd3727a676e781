//! Where a way leads.

use super::Node;

/// Where a way leads.
pub(super) struct Lead {
    pub(super) to: Node,
    /// Whether roles and bindings alone decide it.
    pub(super) certain: bool,
    /// A binding it needs beside those that give the way.
    pub(super) needs: Option<usize>,
}
