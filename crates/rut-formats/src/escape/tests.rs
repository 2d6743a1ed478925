//! Texts that move the cursor, hide or are long.

use super::*;

#[test]
fn nothing_that_a_terminal_obeys_is_left() {
    let hostile: String = ('\0'..='\u{ffff}')
        .chain('\u{e0000}'..='\u{e0fff}')
        .collect();
    let shown = escape(&hostile).whole().to_string();
    assert!(!shown.chars().any(is_hidden));
    for text in [
        "\u{9b}31m",
        "\u{85}",
        "\u{202e}gpj",
        "\u{2066}",
        "a\u{200b}b",
    ] {
        let shown = escape(text).to_string();
        assert!(shown.contains("\\u{"), "{shown}");
    }
    assert_eq!(escape("\r\n\t\u{7f}").to_string(), r"\r\n\t\u{7f}");
}

#[test]
fn texts_of_all_languages_stay() {
    for text in ["", "Ünï ☃ 中文 שלום 👩‍🔬 ّ", r"C:\new\table"] {
        assert_eq!(escape(text).to_string(), text);
    }
}

#[test]
fn long_texts_are_cut_and_counted_in_characters() {
    let exact = "é".repeat(200);
    assert_eq!(escape(&exact).to_string(), exact);
    let longer = "é".repeat(201);
    assert_eq!(
        escape(&longer).to_string(),
        format!("{exact}… (201 characters)")
    );
    assert_eq!(escape(&longer).whole().to_string(), longer);
    assert!(escape(&"\n".repeat(1 << 20)).to_string().len() < 500);
}

#[cfg(unix)]
#[test]
fn paths_that_are_no_text_are_shown() {
    use std::os::unix::ffi::OsStrExt as _;
    let path = std::path::Path::new(OsStr::from_bytes(b"a\xff\x1b"));
    assert_eq!(escape(path).to_string(), "a\u{fffd}\\u{1b}");
}

#[test]
fn lists_are_cut_after_ten() {
    assert_eq!(list(Vec::<String>::new()), "");
    assert_eq!(list(["a"; 10]), "a, a, a, a, a, a, a, a, a, a");
    assert!(list(vec!["a".repeat(1 << 10); 1000]).ends_with("and 990 more"));
    assert!(list(vec!["a".repeat(1 << 10); 1000]).len() < 3000);
}
