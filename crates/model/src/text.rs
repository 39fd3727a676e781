/// Makes control, bidi and zero-width characters visible, for any string that came from a cluster, a request or
/// an identity provider and is shown to a person (promise P24).
///
/// Line breaks and tabs become `␊` and `␉`; every other such character becomes `⟨U+XXXX⟩`. Ordinary text of
/// any script passes unchanged.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push('␊'),
            '\t' => out.push('␉'),
            c if is_hidden(c) => out.push_str(&format!("⟨U+{:04X}⟩", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// Cuts `text` to at most `max` characters, the last being `…` when something was cut.
pub fn clip(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(max.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// Characters that can hide, reorder or fake other text: C0/C1 controls, zero-width and joiner characters, bidi
/// controls, line and paragraph separators, tags, variation selectors, fillers and the byte order mark.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c as u32,
            0x00AD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
            | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF
            | 0xFFA0 | 0xFFF0..=0xFFFB | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p24_hidden_characters_are_shown() {
        assert_eq!(visible("prod\u{202E}ged"), "prod⟨U+202E⟩ged");
        assert_eq!(visible("a\u{200B}b\u{1b}[31m"), "a⟨U+200B⟩b⟨U+001B⟩[31m");
        assert_eq!(visible("line\nnext\tcell"), "line␊next␉cell");
        assert_eq!(visible("Ünïcödé 漢字 ok"), "Ünïcödé 漢字 ok");
    }

    #[test]
    fn clip_counts_characters_and_marks_the_cut() {
        assert_eq!(clip("äöü", 3), "äöü");
        assert_eq!(clip("äöüß", 3), "äö…");
        assert_eq!(clip(&"x".repeat(10_000), 5), "xxxx…");
    }
}
