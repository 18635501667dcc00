//! The text around a definition: YAML and JSON are the same thing, whatever is thrown at the reader it answers.

use super::super::model::{TaskKind, Transform};
use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A definition that uses most of the DSL; what mutations start from.
const CORPUS: &str = "document: { dsl: '1.0.3', namespace: test, name: corpus, version: '1.0.0' }
use:
  errors: { gone: { type: 'https://example.com/gone', status: 410, detail: '${ .d }' } }
  retries: { often: { delay: PT1S, backoff: { exponential: {} }, limit: { attempt: { count: 3 } } } }
  timeouts: { short: { after: { seconds: 5 } } }
  secrets: [ key ]
  authentications: { me: { bearer: { token: '${ $secrets.key }' } } }
  functions: { double: { set: '${ . * 2 }' } }
input: { schema: { document: { type: object } }, from: '${ . + {a: 1} }' }
do:
  - first: &first { set: { a: '${ .b }', lit: b }, then: last }
  - loop:
      for: { each: n, in: .items }
      while: $n < 3
      do: [ { twice: { call: double, with: { n: '${ $n }' } } } ]
  - guarded:
      try: [ { get: { call: http, with: { method: get, endpoint: { uri: 'https://example.com/{id}', authentication: { use: me } } } } } ]
      catch: { errors: { with: { status: 503 } }, as: why, retry: often, do: [ { oops: { raise: { error: gone } } } ] }
  - pick: { switch: [ { big: { when: .a > 1, then: exit } }, { other: { then: continue } } ] }
  - both: { fork: { compete: true, branches: [ { x: { wait: PT1S } }, { y: { set: . } } ] } }
  - shell: { run: { shell: { command: 'echo $1', arguments: [ '${ .a }', 2 ] }, return: code } }
  - child: { run: { workflow: { namespace: n, name: w, input: { x: 1 } }, await: false } }
  - ask: { call: agent, with: { agent: builtin, prompt: hello, output: json } }
  - last: { do: [], if: .a, timeout: short, export: { as: '$context + .' } }
output: { as: .a }
";

#[test]
fn yaml_and_json_give_the_same_definition() {
    let from_yaml = review(CORPUS, &Compiler);
    assert_eq!(from_yaml.problems, []);
    let from_yaml = from_yaml.definition.expect("the corpus is sound");
    let pretty = serde_json::to_string_pretty(&*from_yaml.source).unwrap().replace("  ", "\t");
    for json in [from_yaml.source.to_string(), pretty, format!("\u{feff}{}", from_yaml.source)] {
        assert_eq!(parse(&json), Ok(from_yaml.clone()), "{json}");
    }
    assert_eq!(parse(&CORPUS.replace('\n', "\r\n")), Ok(from_yaml.clone()));
    assert_eq!(parse_value(&from_yaml.source), Ok(from_yaml));
}

#[test]
fn the_digest_is_that_of_the_content_not_of_its_spelling() {
    let digest = |text: &str| parse(text).unwrap().digest;
    let plain = digest("document: {dsl: 1.0.3, namespace: a, name: b, version: 1.0.0}\ndo: []\n");
    let other = "{\"do\":[],\"document\":{\"version\":\"1.0.0\",\"name\":\"b\",\"dsl\":\"1.0.3\",\"namespace\":\"a\"}}";
    assert_eq!(plain, digest(other));
    assert_ne!(plain, digest(&other.replace("\"b\"", "\"c\"")));
}

#[test]
fn problems_of_a_value_have_a_pointer_but_no_line() {
    let review = review_value(&json!({"do": [{"a": {"set": 5}}], "document": 1}), &Unchecked);
    let lines: Vec<String> = review.problems.iter().map(line).collect();
    assert_eq!(lines, ["error wrong_type /document -", "error wrong_type /do/0/a/set -"]);
}

#[test]
fn problems_of_json_text_have_lines_too() {
    let text = "{\n  \"document\": {\"dsl\": \"1.0.3\", \"namespace\": \"a\", \"name\": \"b\", \"version\": \"1.0.0\"},\n  \
                \"do\": [\n    {\"x\": {\"wait\": \"soon\"}}\n  ]\n}\n";
    assert_eq!(problems_of(text), ["error invalid_duration /do/0/x/wait 4:20"]);
}

#[test]
fn scalars_are_those_of_yaml_1_2() {
    let definition = accepted(
        "do:
  - a:
      set:
        on: yes
        off: no
        y: 1_000
        hex: 0x1F
        n: ~
        s: !!str 1.5
        t: |
          two
          lines
        5: five
        big: 12345678901234567890
",
    );
    let TaskKind::Set(Transform::Template(value)) = &definition.tasks[0].kind else { panic!("a set") };
    let wanted = json!({"on": "yes", "off": "no", "y": "1_000", "hex": 31, "n": null, "s": "1.5", "t": "two\nlines\n",
                        "5": "five", "big": 12_345_678_901_234_567_890_u64});
    assert_eq!(value, &wanted);
}

#[test]
fn aliases_stand_for_what_they_name() {
    let definition = accepted("do:\n  - a: &a { set: { x: [ 1, 2 ] } }\n  - b: *a\n");
    assert_eq!(definition.tasks[0].kind, definition.tasks[1].kind);
}

#[test]
fn long_texts_are_no_trouble() {
    let long = "x".repeat(5_000);
    let text = around(&format!("do: [{{\"a\": {{\"set\": {{\"{long}\": [\"{long}\", \"{long}\"]}}}}}}]\n"));
    assert!(parse(&text).is_err_and(|problems| problems[0].code == "syntax"), "a key of more than 1024 characters");
    let text = around(&format!("do: [{{\"a\": {{\"set\": {{\"k\": [\"{long}\", \"{long}\"]}}}}}}]\n"));
    assert!(parse(&text).is_ok());
}

/// Half of the stack that a thread of the service has must be enough for the deepest definition.
#[test]
fn the_deepest_definition_fits_on_the_stack() {
    let levels = (MAX_DEPTH - 3) / 3;
    let nested = |open: &str, inner: &str, close: &str| {
        around(&format!("do: [{{t: {}{inner}{}}}]\n", open.repeat(levels), close.repeat(levels)))
    };
    let texts = [
        nested("{do: [{t: ", "{set: {a: 1}}", "}]}"),
        nested("{try: [{t: ", "{set: {a: 1}}", "}], catch: {}}"),
        nested("{for: {in: .}, do: [{t: ", "{set: {a: 1}}", "}]}"),
        around(&format!("do: [{{t: {{set: {{a: {}{}}}}}}}]\n", "[".repeat(MAX_DEPTH - 6), "]".repeat(MAX_DEPTH - 6))),
    ];
    let reader = std::thread::Builder::new().stack_size(1024 * 1024).spawn(move || {
        for text in texts {
            let definition = parse(&text).expect("a deep definition");
            assert_eq!(parse(&definition.source.to_string()), Ok(definition));
        }
    });
    reader.unwrap().join().expect("no overflow and no panic");
}

/// A place in the corpus and what is done there.
#[derive(Clone, Debug)]
enum Mutation {
    Delete(usize, usize),
    Repeat(usize, usize),
    Insert(usize, String),
    Replace(usize, usize, String),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = 0..CORPUS.len();
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(": ".to_owned()),
        Just("- ".to_owned()),
        Just("\n".to_owned()),
        Just("${ ".to_owned()),
        Just("'".to_owned()),
        Just("\"".to_owned()),
        Just("*first".to_owned()),
        Just("~".to_owned()),
        Just("-1e400".to_owned()),
        Just("P1Y".to_owned()),
        Just("!!int ".to_owned()),
        "\\PC{0,8}",
    ];
    prop_oneof![
        (place.clone(), 0..60_usize).prop_map(|(at, length)| Mutation::Delete(at, length)),
        (place.clone(), 0..200_usize).prop_map(|(at, length)| Mutation::Repeat(at, length)),
        (place.clone(), piece.clone()).prop_map(|(at, text)| Mutation::Insert(at, text)),
        (place, 0..20_usize, piece).prop_map(|(at, length, text)| Mutation::Replace(at, length, text)),
    ]
}

fn mutate(text: &str, mutation: &Mutation) -> String {
    let letters: Vec<char> = text.chars().collect();
    let cut = |at: usize, length: usize| {
        let at = at.min(letters.len());
        (at, (at + length).min(letters.len()))
    };
    let join = |from: usize, middle: &[char], to: usize| [&letters[..from], middle, &letters[to..]].concat();
    let result = match mutation {
        Mutation::Delete(at, length) => {
            let (from, to) = cut(*at, *length);
            join(from, &[], to)
        }
        Mutation::Repeat(at, length) => {
            let (from, to) = cut(*at, *length);
            join(to, &letters[from..to], to)
        }
        Mutation::Insert(at, text) => {
            let (from, _) = cut(*at, 0);
            join(from, &text.chars().collect::<Vec<_>>(), from)
        }
        Mutation::Replace(at, length, text) => {
            let (from, to) = cut(*at, *length);
            join(from, &text.chars().collect::<Vec<_>>(), to)
        }
    };
    result.into_iter().collect()
}

proptest! {
    #[test]
    fn a_mutated_document_is_answered_and_never_panics(mutations in prop::collection::vec(mutation(), 1..6)) {
        let text = mutations.iter().fold(CORPUS.to_owned(), |text, mutation| mutate(&text, mutation));
        let review = review(&text, &Unchecked);
        let lines = u32::try_from(text.lines().count()).unwrap() + 1;
        for problem in &review.problems {
            prop_assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "{problem:?}");
            prop_assert!(problem.pointer.is_empty() || problem.pointer.starts_with('/'), "{problem:?}");
            prop_assert!(!problem.message.is_empty());
        }
        let has_errors = review.problems.iter().any(|problem| problem.severity == Severity::Error);
        prop_assert_eq!(review.definition.is_none(), has_errors);
        if let Some(definition) = review.definition {
            prop_assert_eq!(parse(&definition.source.to_string()), Ok(definition));
        }
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        prop_assert!(parse(&text).is_err());
    }

    #[test]
    fn any_value_in_any_place_is_answered(value in value(), place in 0..PLACES.len()) {
        let mut document = parse(CORPUS).unwrap().source.as_ref().clone();
        *document.pointer_mut(PLACES[place]).expect("a place of the corpus") = value;
        let review = review_value(&document, &Unchecked);
        for problem in review.problems {
            // A missing property is reported at the object that lacks it, so every pointer leads somewhere.
            prop_assert!(document.pointer(&problem.pointer).is_some(), "{problem:?}");
        }
    }
}

const PLACES: [&str; 16] = [
    "/document",
    "/use",
    "/use/errors/gone",
    "/use/retries/often",
    "/use/retries/often/limit",
    "/use/authentications/me",
    "/use/functions/double",
    "/input",
    "/do",
    "/do/0/first",
    "/do/1/loop/for",
    "/do/2/guarded/catch",
    "/do/2/guarded/try/0/get/with",
    "/do/4/both/fork",
    "/do/5/shell/run",
    "/do/7/ask/with",
];

fn value() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("do"),
        Just("set"),
        Just("in"),
        Just("each"),
        Just("with"),
        Just("delay"),
        Just("limit"),
        Just("basic"),
        Just("shell"),
        Just("when"),
        Just("errors"),
        Just("retry"),
        Just("uri"),
        Just("from"),
        Just("a/b~c"),
        Just(""),
    ];
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|flag| json!(flag)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        Just(json!("PT1S")),
        Just(json!("${ .a }")),
        Just(json!(".a")),
        "\\PC{0,6}".prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((key.clone().prop_map(str::to_owned), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}
