//! `classify` and `score`: what the keywords of labels and criteria say about a text.
//!
//! A keyword is a word or a phrase; it matches whole words, without regard to case.
//!
//! `classify`: parameters `labels` (label to keywords, or a list of labels that are their own keywords) and `default` (the
//! label when nothing matches). Answer: `{label, confidence, scores}`, where `scores` has each label's share of all matches.
//!
//! `score`: parameters `rubric` (criterion to keywords, or to `{keywords, weight, minimum}`: how much it counts, and how many
//! keywords suffice) and `threshold`. Answer: `{score, criteria}` and `passed` when there is a threshold; scores run from 0
//! to 1.

use super::super::{Parameters, invalid, texts, wrong};
use super::words;
use crate::domain::Failure;
use serde_json::{Map, Value, json};

const LABELS: &str = "an object of labels with their keywords, or a list of labels";
const RUBRIC: &str = "an object of criteria with their keywords";

/// The words of a text, ready to look for phrases.
struct Haystack {
    words: Vec<String>,
}

impl Haystack {
    fn new(text: &str) -> Self {
        Self { words: words(text) }
    }

    /// How often a phrase occurs.
    fn count(&self, phrase: &str) -> u32 {
        let phrase = words(phrase);
        if phrase.is_empty() {
            return 0;
        }
        let found = self.words.windows(phrase.len()).filter(|window| *window == phrase).count();
        u32::try_from(found).unwrap_or(u32::MAX)
    }
}

/// The best label as JSON text.
pub fn classify(text: &str, parameters: Parameters<'_>) -> Result<String, Failure> {
    let labels = labels(parameters)?;
    let haystack = Haystack::new(text);
    let counted: Vec<(&str, u32)> = labels
        .iter()
        .map(|(label, keywords)| (*label, keywords.iter().map(|keyword| haystack.count(keyword)).sum()))
        .collect();
    let total = f64::from(counted.iter().map(|(_, count)| count).sum::<u32>());
    let share = |count: u32| if total > 0.0 { rounded(f64::from(count) / total) } else { 0.0 };
    // Of equals the first wins: the order of the labels is the author's.
    let best = counted.iter().rev().max_by_key(|(_, count)| count).filter(|(_, count)| *count > 0);
    let label = match best {
        Some((label, _)) => Some(*label),
        None => parameters.text("default")?,
    };
    let scores: Map<_, _> =
        counted.iter().map(|(label, count)| ((*label).to_owned(), Value::from(share(*count)))).collect();
    let confidence = best.map_or(0.0, |(_, count)| share(*count));
    Ok(json!({ "label": label, "confidence": confidence, "scores": scores }).to_string())
}

fn labels(parameters: Parameters<'_>) -> Result<Vec<(&str, Vec<&str>)>, Failure> {
    let labels = match parameters.get("labels") {
        Some(Value::Object(labels)) => {
            labels.iter().map(|(label, keywords)| Some((label.as_str(), texts(keywords)?))).collect::<Option<Vec<_>>>()
        }
        Some(list @ Value::Array(_)) => {
            texts(list).map(|labels| labels.into_iter().map(|label| (label, vec![label])).collect())
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => None,
        None => return Err(invalid(format!("the skill `classify` needs the parameter `labels`: {LABELS}"))),
    };
    labels.filter(|labels| !labels.is_empty()).ok_or_else(|| wrong("labels", LABELS))
}

/// The judgment as JSON text.
pub fn score(text: &str, parameters: Parameters<'_>) -> Result<String, Failure> {
    let rubric = parameters.object("rubric")?.filter(|rubric| !rubric.is_empty());
    let rubric = rubric.ok_or_else(|| invalid(format!("the skill `score` needs the parameter `rubric`: {RUBRIC}")))?;
    let haystack = Haystack::new(text);
    let mut criteria = Map::new();
    let (mut sum, mut weights) = (0.0, 0.0);
    for (name, criterion) in rubric {
        let criterion = Criterion::read(criterion)?;
        let (matched, missing): (Vec<&str>, Vec<&str>) =
            criterion.keywords.iter().partition(|keyword| haystack.count(keyword) > 0);
        let found = u32::try_from(matched.len()).map_or(0.0, f64::from);
        let score = (found / criterion.minimum).min(1.0);
        sum += score * criterion.weight;
        weights += criterion.weight;
        criteria.insert(
            name.clone(),
            json!({ "score": rounded(score), "weight": criterion.weight, "matched": matched, "missing": missing }),
        );
    }
    let score = if weights > 0.0 { rounded(sum / weights) } else { 0.0 };
    let mut judgment = json!({ "score": score, "criteria": criteria });
    if let (Some(threshold), Value::Object(fields)) = (parameters.number("threshold")?, &mut judgment) {
        fields.insert("passed".to_owned(), Value::Bool(score >= threshold));
    }
    Ok(judgment.to_string())
}

struct Criterion<'a> {
    keywords: Vec<&'a str>,
    weight: f64,
    /// How many keywords make a full score.
    minimum: f64,
}

impl<'a> Criterion<'a> {
    fn read(value: &'a Value) -> Result<Self, Failure> {
        let keywords = texts(value.get("keywords").unwrap_or(value)).filter(|keywords| !keywords.is_empty());
        let keywords = keywords.ok_or_else(|| wrong("rubric", RUBRIC))?;
        let all = u32::try_from(keywords.len()).map_or(1.0, f64::from);
        let number = |name: &str, default: f64| match value.get(name) {
            None => Ok(default),
            Some(given) => given
                .as_f64()
                .filter(|number| *number >= 0.0)
                .ok_or_else(|| invalid(format!("`{name}` of a criterion of the rubric has to be a number from 0 on"))),
        };
        Ok(Self { weight: number("weight", 1.0)?, minimum: number("minimum", all)?.clamp(1.0, all), keywords })
    }
}

/// Three decimal places are plenty.
fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(
        skill: fn(&str, Parameters<'_>) -> Result<String, Failure>,
        text: &str,
        parameters: &Value,
    ) -> Result<Value, Failure> {
        let own = Map::new();
        let answer = skill(text, Parameters { own: &own, laid_over: parameters.as_object().unwrap() })?;
        Ok(serde_json::from_str(&answer).unwrap())
    }

    #[test]
    fn the_label_with_most_matches_wins_and_whole_words_count() {
        let labels = json!({"labels": {"bug": ["crash", "stack trace"], "billing": ["invoice", "refund"]}});
        let text = "After the CRASH I saw a stack  trace. The invoiced amount is fine, but send an invoice.";
        let answer = run(classify, text, &labels).unwrap();
        assert_eq!(answer, json!({"label": "bug", "confidence": 0.667, "scores": {"bug": 0.667, "billing": 0.333}}));
    }

    #[test]
    fn ties_go_to_the_first_label_and_nothing_to_the_default() {
        let labels = json!({"labels": ["zebra", "ape"], "default": "other"});
        assert_eq!(run(classify, "an ape, a zebra", &labels).unwrap()["label"], "zebra");
        assert_eq!(
            run(classify, "a dog", &labels).unwrap(),
            json!({"label": "other", "confidence": 0.0, "scores": {"zebra": 0.0, "ape": 0.0}})
        );
    }

    #[test]
    fn a_rubric_is_weighed() {
        let rubric = json!({
            "rubric": {
                "tests": {"keywords": ["unit test", "integration test"], "weight": 3, "minimum": 1},
                "docs": ["readme", "changelog"],
            },
            "threshold": 0.8,
        });
        let answer = run(score, "Has a unit test and a README.", &rubric).unwrap();
        assert_eq!(answer["score"], 0.875);
        assert_eq!(answer["passed"], true);
        assert_eq!(answer["criteria"]["docs"]["missing"], json!(["changelog"]));
    }

    #[test]
    fn missing_and_malformed_parameters_are_named() {
        let missing = run(classify, "x", &json!({})).unwrap_err();
        assert!(missing.detail.unwrap().contains("`labels`"));
        let malformed = run(score, "x", &json!({"rubric": {"a": 7}})).unwrap_err();
        assert!(malformed.detail.unwrap().contains("`rubric`"));
    }
}
