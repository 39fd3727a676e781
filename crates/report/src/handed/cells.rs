//! Lines for a spreadsheet, RFC 4180.

use sallyport_model::visible;

/// One line of cells, RFC 4180.
pub fn line(text: &mut String, cells: &[String]) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&quoted(cell));
    }
    text.push_str("\r\n");
}

/// One cell. Names may be anybody's: hidden characters are made visible, and what a spreadsheet would take for a formula
/// is kept from being one.
fn quoted(cell: &str) -> String {
    let cell = visible(cell);
    let guard = if cell.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    if guard.is_empty() && !cell.contains([',', '"', '\r', '\n']) {
        return cell;
    }
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn p24_a_cell_is_no_formula_and_hides_nothing() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\"");
        assert_eq!(quoted("@x"), "\"'@x\"");
        assert_eq!(quoted("a\r\nb\u{202e}"), "a⟨U+000D⟩␊b⟨U+202E⟩");
    }
}
