//! What a right means by the server's minor version. Where nobody knows the version, the older or wider reading counts, so
//! that nothing is missed.

/// Whether `get` on `pods/exec`, `pods/attach` and `pods/portforward` opens a stream: until 1.34 a WebSocket, which is a
/// GET, needs no `create` (feature gate `AuthorizePodWebsocketUpgradeCreatePermission`, on by default from 1.35). The
/// gate is not asked about `proxy`.
pub fn streams_by_get(server: Option<(u32, u32)>) -> bool {
    server.is_none_or(|minor| minor <= (1, 34))
}

/// Whether there is impersonation by mode (KEP-5284): alpha in 1.35, on by default from 1.36.
pub fn has_impersonation_modes(server: Option<(u32, u32)>) -> bool {
    server.is_none_or(|minor| minor >= (1, 35))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p22_what_a_verb_opens_depends_on_the_server() {
        assert!(streams_by_get(Some((1, 34))) && !streams_by_get(Some((1, 35))) && streams_by_get(None));
        assert!(!has_impersonation_modes(Some((1, 34))) && has_impersonation_modes(Some((1, 35))));
        assert!(has_impersonation_modes(None));
    }
}
