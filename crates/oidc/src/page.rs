//! What the browser shows when it comes back: static, without scripts, and nothing of the answer in it but the
//! person's name or the error's sentence, escaped.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sallyport_model::visible;
use sha2::{Digest as _, Sha256};

const STYLE: &str = "\
:root{color-scheme:dark light;--ground:#14171a;--line:#2c3238;--text:#e6e9eb;--quiet:#98a2aa;--edge:#35b58f}\
@media(prefers-color-scheme:light){:root{--ground:#f3f5f6;--line:#d4dade;--text:#1a1f23;--quiet:#55606a;--edge:#0d7558}}\
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--ground);color:var(--text);\
font:16px/1.5 'IBM Plex Sans',system-ui,sans-serif}\
main{max-width:30rem;margin:1rem;padding:1.5rem 2rem;border:1px solid var(--line);border-left:3px solid var(--edge);\
border-radius:6px}main.bad{--edge:#ff8a80}h1{margin:0 0 .5rem;font-size:1.25rem}p{margin:.25rem 0}\
p.quiet{color:var(--quiet)}";

/// The pages' policy: this one stylesheet and nothing else.
pub(crate) fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

pub(crate) fn signed_in(name: &str) -> String {
    let said = format!("Signed in as {name}.");
    page("Signed in", "", &said, "You can close this window and go back to Sallyport.")
}

pub(crate) fn failed(why: &str) -> String {
    let mut sentence = why.to_owned();
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    page(
        "Not signed in",
        "bad",
        &format!("{sentence}."),
        "You can close this window and go back to Sallyport.",
    )
}

pub(crate) fn too_many_cookies() -> String {
    page(
        "Not signed in",
        "bad",
        "Your browser sent more than 1 MiB of cookies along, which other programs on this computer have set.",
        "Delete the cookies of 127.0.0.1 and localhost in your browser, then sign in again from Sallyport.",
    )
}

pub(crate) fn stranger() -> String {
    let said = "This address waits for the answer to one sign-in, and this is not it.";
    page("Nothing here", "bad", said, "You can close this window.")
}

fn page(title: &str, class: &str, said: &str, next: &str) -> String {
    let said = escape(&visible(said));
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · Sallyport</title><style>{STYLE}</style></head>\
         <body><main class=\"{class}\"><h1>{title}</h1><p>{said}</p><p class=\"quiet\">{next}</p></main></body></html>"
    )
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p24_names_are_text() {
        let page = signed_in("<script>alert('x')</script>\u{202E}");
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;⟨U+202E⟩"), "{page}");
        assert!(!page.contains("<script"));
    }
}
