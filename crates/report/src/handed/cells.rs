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

/// What a spreadsheet takes for the begin of a formula; Japanese ones the wide forms too.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// One cell. Names may be anybody's: hidden characters are made visible, and what a spreadsheet would take for a formula
/// is kept from being one.
fn quoted(cell: &str) -> String {
    let cell = guarded(&visible(cell));
    if !cell.contains([',', ';', '"', '\'', '\r', '\n']) {
        return cell;
    }
    format!("\"{}\"", cell.replace('"', "\"\""))
}

/// Where a comma is for decimals, a spreadsheet begins a new cell at each semicolon, quoted or not.
fn guarded(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len());
    let mut begins = true;
    for c in cell.chars() {
        if begins && FORMULA.contains(&c) {
            out.push('\'');
        }
        begins = c == ';' || (begins && (c == ' ' || c == '"'));
        out.push(c);
    }
    out
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
        assert_eq!(quoted("＝x"), "\"'＝x\"");
        // A semicolon begins a cell in half of Europe.
        assert_eq!(quoted("a;=1+1"), "\"a;'=1+1\"");
        assert_eq!(quoted("a; \"@x"), "\"a; \"\"'@x\"");
        assert_eq!(quoted("a;b-c=d"), "\"a;b-c=d\"");
        assert_eq!(quoted("a\r\nb\u{202e}"), "a⟨U+000D⟩␊b⟨U+202E⟩");
    }
}
