//! The report of everything that is kept, as one HTML file.

use super::Scans;
use crate::desk::AppError;
use sallyport_ipc::Shown;

impl Scans {
    pub(crate) async fn report(&self, place: String) -> Result<Shown, AppError> {
        let _ = place;
        Err(AppError::failed("not built"))
    }
}
