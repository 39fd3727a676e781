//! What is handed on takes from the evidence and from the recordings.

use super::Parts;
use crate::desk::AppError;
use crate::evidence::Beside;
use sallyport_ipc::{ExportForm, ExportInput, ExportLook, ExportView, TimelineFilter};

/// Sessions with recordings that are named.
const SESSIONS: usize = 200;

impl Parts {
    pub(crate) async fn export_look(&self, filter: TimelineFilter) -> Result<ExportLook, AppError> {
        let mut look = self.evidence.export_look(&filter).await?;
        for one in self.recordings.sessions().await? {
            if !self.evidence.selects_of(&filter, &one.session).await? {
                continue;
            }
            if look.recorded.len() == SESSIONS {
                look.has_more = true;
                break;
            }
            look.recorded.push(one);
        }
        Ok(look)
    }

    pub(crate) async fn export_audit(&self, export: ExportInput) -> Result<ExportView, AppError> {
        let signed = self.person.is_signed_in();
        let who = signed.as_ref().map(|signed| &signed.who.user);
        let readings = match export.form {
            ExportForm::Report => self.scans.access_readings().await?,
            _ => Vec::new(),
        };
        self.evidence.export(who, export, Beside { tapes: self.recordings.tapes(), readings }).await
    }
}
