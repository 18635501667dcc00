//! What the `builtin` adapter can do with a text.

pub mod extract;
pub mod keywords;
pub mod summarize;

/// The words of a text in lower case. Scripts without spaces between words count every character as one.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        let stands_alone = is_ideograph(character);
        if stands_alone || !(character.is_alphanumeric() || character == '\'') {
            flush(&mut word, &mut words);
        }
        if stands_alone {
            words.push(character.to_string());
        } else if character.is_alphanumeric() || (character == '\'' && !word.is_empty()) {
            word.extend(character.to_lowercase());
        }
    }
    flush(&mut word, &mut words);
    words
}

fn flush(word: &mut String, words: &mut Vec<String>) {
    word.truncate(word.trim_end_matches('\'').len());
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

/// Chinese characters, kana and the like.
fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_lower_case_and_keep_their_apostrophes() {
        assert_eq!(words("Don't PANIC: it's 'fine' (42×)."), ["don't", "panic", "it's", "fine", "42"]);
        assert_eq!(words("工作流 ok"), ["工", "作", "流", "ok"]);
    }
}
