//! "Did you mean": the nearest of the words that would have been right.

/// The candidate that was probably meant by `word`, if any is near enough: the same letters in another case or with
/// other separators, or an edit distance of at most a third of the word.
pub(super) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let folded = fold(word);
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&folded, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A sentence for [`super::Problem::suggestion`] that names the nearest candidate, or lists them all when none is near.
pub(super) fn did_you_mean(word: &str, candidates: &[&str]) -> Option<String> {
    if let Some(candidate) = nearest(word, candidates.iter().copied()) {
        return Some(format!("did you mean '{candidate}'?"));
    }
    (!candidates.is_empty()).then(|| format!("possible here: {}", listed(candidates)))
}

/// `'a', 'b', 'c'`, cut after a dozen.
pub(super) fn listed(words: &[&str]) -> String {
    const SHOWN: usize = 12;
    let quoted: Vec<String> = words.iter().take(SHOWN).map(|word| format!("'{word}'")).collect();
    let more = words.len().saturating_sub(SHOWN);
    if more > 0 { format!("{} and {more} more", quoted.join(", ")) } else { quoted.join(", ") }
}

fn fold(word: &str) -> String {
    word.chars().filter(|letter| !matches!(letter, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let words = ["catch", "try", "timeout", "metadata", "exceptWhen"];
        assert_eq!(nearest("cach", words), Some("catch"));
        assert_eq!(nearest("Catch", words), Some("catch"));
        assert_eq!(nearest("time-out", words), Some("timeout"));
        assert_eq!(nearest("except_when", words), Some("exceptWhen"));
        assert_eq!(nearest("tyr", words), Some("try"));
        assert_eq!(nearest("banana", words), None);
        assert_eq!(nearest("x", ["y"]), None);
    }

    #[test]
    fn without_a_near_word_the_possible_ones_are_listed() {
        assert_eq!(did_you_mean("zzz", &["do", "set"]).as_deref(), Some("possible here: 'do', 'set'"));
        assert_eq!(did_you_mean("zzz", &[]), None);
        assert_eq!(listed(&["a"; 14]), format!("{} and 2 more", ["'a'"; 12].join(", ")));
    }
}
