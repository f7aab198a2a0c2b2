//! Text of others for our messages: short, on one line, and without secrets.

use std::collections::BTreeSet;

use crate::secret::Secret;

const REDACTED: &str = "[redacted]";

/// From so many characters on, what looks like a token is taken for one.
const TOKEN: usize = 32;

/// The first `longest` characters of `text`, without control characters, without what looks like a token, and without
/// `secrets`, in whatever way they are written.
pub fn redact(text: &str, secrets: &[&Secret], longest: usize) -> String {
    let (mut shown, mut length, mut rest) = (String::new(), 0, text);
    while let Some(character) = rest.chars().next().filter(|_| length < longest) {
        let secret = secrets.iter().filter_map(|secret| written(rest, secret.expose())).max();
        let run = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')).count();
        let hidden = secret.max(Some(run).filter(|run| *run >= TOKEN));
        rest = rest.get(hidden.unwrap_or(character.len_utf8())..).unwrap_or_default();
        match hidden {
            Some(_) => shown.push_str(REDACTED),
            None => shown.push(if shows_badly(character) { ' ' } else { character }),
        }
        length += hidden.map_or(1, |_| REDACTED.len());
    }
    shown
}

/// Control characters, and those that break a line or turn its direction.
fn shows_badly(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// How many bytes `secret` takes at the beginning of `text`, if it is there.
fn written(text: &str, secret: &str) -> Option<usize> {
    // All that it may take: a backslash can be a character of its own or the beginning of another's form.
    let mut lengths = BTreeSet::from([0]);
    for character in secret.chars() {
        let after =
            |length: usize| forms(text.get(length..).unwrap_or_default(), character).map(move |form| length + form);
        lengths = lengths.into_iter().flat_map(after).collect();
    }
    lengths.last().copied().filter(|length| *length > 0)
}

/// How many bytes `character` can take at the beginning of `text`: as itself, or as JSON, a URL, a form or HTML writes it.
fn forms(text: &str, character: char) -> impl Iterator<Item = usize> {
    let (mut utf8, mut utf16) = ([0; 4], [0; 2]);
    let utf8 = character.encode_utf8(&mut utf8);
    let named = match character {
        ' ' => "+",
        '"' => "&quot;",
        '\'' => "&apos;",
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        _ => utf8,
    };
    let forms = [
        utf8.to_owned(),
        named.to_owned(),
        format!("\\{character}"),
        utf8.bytes().map(|byte| format!("%{byte:02x}")).collect(),
        character.encode_utf16(&mut utf16).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
        format!("&#{};", character as u32),
        format!("&#x{:x};", character as u32),
    ];
    let stands = move |form: &String| text.get(..form.len()).is_some_and(|start| start.eq_ignore_ascii_case(form));
    forms.into_iter().filter(stands).map(|form| form.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_secret_is_found_however_it_is_written() {
        let secret = Secret::new("p\"<a& sé%+'".to_owned());
        for written in [
            "p\"<a& sé%+'",
            "P\"<A& Sé%+'",
            r#"p\"<a& s\u00e9%+'"#,
            "p%22%3ca%26%20s%c3%a9%25%2b%27",
            "p%22%3Ca%26+s%C3%A9%25%2B%27",
            "p&quot;&lt;a&amp; s&#233;%+&#x27;",
        ] {
            assert_eq!(redact(&format!("a {written} b"), &[&secret], 200), "a [redacted] b", "{written}");
        }
    }

    #[test]
    fn what_looks_like_a_token_is_one() {
        let text = format!("a {} b {}", "0123456789abcdef".repeat(4), "x".repeat(31));
        assert_eq!(redact(&text, &[], 200), format!("a [redacted] b {}", "x".repeat(31)));
    }

    proptest! {
        #[test]
        fn it_is_short_clean_and_without_secrets(before in ".{0,300}", after in ".{0,300}", secret in "[^\\[\\]rdacte\\p{C}\\p{Z}]{1,40}") {
            let secret = Secret::new(secret);
            let text = format!("{before}{}{after}", secret.expose());
            let shown = redact(&text, &[&secret], 200);
            prop_assert!(!shown.contains(secret.expose()));
            prop_assert!(shown.chars().count() < 200 + REDACTED.len() && !shown.contains(shows_badly));
        }
    }
}
