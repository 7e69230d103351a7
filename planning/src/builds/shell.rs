//! Words of the commands in generated files: names of packages are data there, whatever they look like.

use std::borrow::Cow;

/// Words after a command and its options, with a blank before each: none of them is taken for an option or means
/// anything to the shell.
pub(super) fn arguments(words: &[String]) -> String {
    // opam knows `--` as everybody does; where no word looks like an option it is left out, so that steps that were
    // built before stay the same.
    let separator = if words.iter().any(|word| word.starts_with('-')) { " --" } else { "" };
    let words: Vec<Cow<'_, str>> = words.iter().map(|text| word(text)).collect();
    format!("{separator} {}", words.join(" "))
}

/// A word: in quotes if something in it would mean anything to the shell.
pub(super) fn word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-+./:=@%,".contains(c);
    let is_plain_later = |(place, c): (usize, char)| is_plain(c) || c == '~' && place > 0;
    if !text.is_empty() && text.chars().enumerate().all(is_plain_later) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', "'\\''")))
}

#[cfg(test)]
mod tests {
    use super::{arguments, word};

    #[test]
    fn words_mean_nothing_to_the_shell() {
        for (text, written) in [
            ("ocaml.5.4.0~rc1+x", "ocaml.5.4.0~rc1+x"),
            ("~root", "'~root'"),
            ("$(id)", "'$(id)'"),
            ("a'b c", "'a'\\''b c'"),
            ("", "''"),
        ] {
            assert_eq!(word(text), written);
        }
    }

    #[test]
    fn no_word_is_an_option() {
        let words = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(arguments(&words(&["a.1", "b.2"])), " a.1 b.2");
        assert_eq!(arguments(&words(&["a.1", "--help.2"])), " -- a.1 --help.2");
    }
}
