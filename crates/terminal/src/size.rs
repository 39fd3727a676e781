use portable_pty::PtySize;

/// Columns and rows of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

impl Default for Size {
    fn default() -> Self {
        Self { columns: 80, rows: 24 }
    }
}

impl From<Size> for PtySize {
    fn from(size: Size) -> Self {
        // Programs divide by these.
        let (rows, cols) = (size.rows.clamp(1, 2000), size.columns.clamp(1, 2000));
        Self { rows, cols, pixel_width: 0, pixel_height: 0 }
    }
}
