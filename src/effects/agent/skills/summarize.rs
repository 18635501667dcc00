//! `summarize`: the sentences of a text that hold most of its frequent words, in their original order.
//!
//! Parameters: `sentences`, how many (default 3, at most 50).

use super::super::{Parameters, invalid};
use super::words;
use crate::domain::Failure;
use std::collections::{HashMap, HashSet};

const DEFAULT_SENTENCES: u64 = 3;
const MOST_SENTENCES: u64 = 50;
/// A line this long that goes on in lower case is a wrapped line, not the end of a sentence.
const WRAPPED_LINE_CHARACTERS: usize = 50;
/// English words that say nothing about what a text is about.
const STOP_WORDS: &str = "a about after all also an and any are as at be because been before but by can could did do does \
for from had has have he her his how i if in into is it its just like more most my no not of on one only or other our out \
over she should so some such than that the their them then there these they this those to up was we were what when which \
who will with would you your";

/// The summary as text, one sentence after the other.
pub fn answer(text: &str, parameters: Parameters<'_>) -> Result<String, Failure> {
    let wanted = parameters.whole_number("sentences")?.unwrap_or(DEFAULT_SENTENCES);
    if !(1..=MOST_SENTENCES).contains(&wanted) {
        return Err(invalid(format!("the parameter `sentences` has to be from 1 to {MOST_SENTENCES}")));
    }
    let wanted = usize::try_from(wanted).unwrap_or(1);
    Ok(summarize(text, wanted))
}

fn summarize(text: &str, wanted: usize) -> String {
    let sentences = sentences(text);
    if sentences.len() <= wanted {
        return sentences.join(" ");
    }
    let stop_words: HashSet<&str> = STOP_WORDS.split_whitespace().collect();
    let tokens: Vec<Vec<String>> = sentences
        .iter()
        .map(|sentence| words(sentence).into_iter().filter(|word| !stop_words.contains(word.as_str())).collect())
        .collect();
    let mut frequency: HashMap<&str, u32> = HashMap::new();
    for word in tokens.iter().flatten() {
        *frequency.entry(word).or_default() += 1;
    }
    // The mean frequency of a sentence's distinct words, weighed so that neither one frequent word alone nor sheer length
    // wins: divided by the square root of their number and not by the number.
    let weight = |words: &Vec<String>| {
        let distinct: HashSet<&str> = words.iter().map(String::as_str).collect();
        let sum: f64 = distinct.iter().filter_map(|word| frequency.get(word)).copied().map(f64::from).sum();
        let count = u32::try_from(distinct.len()).map_or(f64::MAX, f64::from);
        if distinct.is_empty() { 0.0 } else { sum / count.sqrt() }
    };
    let mut ranked: Vec<(usize, f64)> = tokens.iter().map(weight).enumerate().collect();
    ranked.sort_by(|(at, weight), (other_at, other)| other.total_cmp(weight).then(at.cmp(other_at)));
    let chosen: HashSet<usize> = ranked.into_iter().take(wanted).map(|(at, _)| at).collect();
    let chosen = sentences.iter().enumerate().filter(|(at, _)| chosen.contains(at));
    chosen.map(|(_, sentence)| sentence.as_str()).collect::<Vec<_>>().join(" ")
}

/// The sentences of a text, white space normalized.
fn sentences(text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut sentence = String::new();
    let mut lines = text.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            sentence.push(character);
            let ends = match character {
                '.' | '!' | '?' => characters.peek().is_none_or(|next| next.is_whitespace()),
                '。' | '！' | '？' => true,
                _ => false,
            };
            if ends {
                finish(&mut sentence, &mut sentences);
            }
        }
        let goes_on = lines.peek().and_then(|next| next.chars().next()).is_some_and(char::is_lowercase);
        if goes_on && line.chars().count() >= WRAPPED_LINE_CHARACTERS {
            sentence.push(' ');
        } else {
            finish(&mut sentence, &mut sentences);
        }
    }
    finish(&mut sentence, &mut sentences);
    sentences
}

fn finish(sentence: &mut String, sentences: &mut Vec<String>) {
    let normalized = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    sentence.clear();
    if normalized.chars().any(char::is_alphanumeric) {
        sentences.push(normalized);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_about_the_subject_are_chosen_in_order() {
        let text = "The journal is the heart of the engine. Lunch was good. Every event of the engine goes to the journal. \
                    It rained. The engine replays the journal after a crash.";
        let summary = summarize(text, 2);
        assert_eq!(summary, "The journal is the heart of the engine. Every event of the engine goes to the journal.");
    }

    #[test]
    fn numbers_lists_and_wrapped_lines_are_not_cut_in_the_middle() {
        let text = "Version 1.0.3 is out!\n- first point\n- second point\n\nA long line of prose that was wrapped by an \
                    editor and\ngoes on here.";
        assert_eq!(
            sentences(text),
            [
                "Version 1.0.3 is out!",
                "- first point",
                "- second point",
                "A long line of prose that was wrapped by an editor and goes on here."
            ]
        );
    }

    #[test]
    fn a_short_text_is_its_own_summary() {
        assert_eq!(summarize("Only one.", 3), "Only one.");
        assert_eq!(summarize("", 3), "");
    }
}
