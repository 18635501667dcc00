//! For each rule about the shape of a definition one that breaks it: properties, lists, names, directives.
//!
//! Each problem is given with its code, its pointer and its place; the body starts on line 6.

use super::*;

#[test]
fn unknown_properties_are_refused_where_the_dsl_refuses_them() {
    hold(&[
        ("do: []\nextra: 1\n", &["warning unknown_property /extra 7:1"]),
        ("do: []\nuse: { secret: [] }\n", &["error unknown_property /use/secret 7:8"]),
        ("do: []\ninput: { form: . }\n", &["error unknown_property /input/form 7:10"]),
        ("do: []\noutput: { from: . }\n", &["error unknown_property /output/from 7:11"]),
        ("do: []\ntimeout: { after: PT1S, then: end }\n", &["error unknown_property /timeout/then 7:25"]),
        ("do: []\nevaluate: { lang: jq }\n", &["error unknown_property /evaluate/lang 7:13"]),
        ("do:\n  - a: { set: { x: 1 }, iff: . }\n", &["error unknown_property /do/0/a/iff 7:25"]),
        ("do:\n  - a: { set: { x: 1 }, with: . }\n", &["error unknown_property /do/0/a/with 7:25"]),
        ("do:\n  - a: { do: [], while: . }\n", &["error unknown_property /do/0/a/while 7:18"]),
        ("do:\n  - a: { do: [], catch: {} }\n", &["error unknown_property /do/0/a/catch 7:18"]),
        ("do:\n  - a: { wait: PT1S, foreach: {} }\n", &["error unknown_property /do/0/a/foreach 7:22"]),
        ("do:\n  - a: { for: { in: ., of: 1 }, do: [] }\n", &["error unknown_property /do/0/a/for/of 7:24"]),
        (
            "do:\n  - a: { switch: [ { c: { then: end, do: [] } } ] }\n",
            &["error unknown_property /do/0/a/switch/0/c/do 7:38"],
        ),
        ("do:\n  - a: { fork: { branches: [], all: true } }\n", &["error unknown_property /do/0/a/fork/all 7:32"]),
        ("do:\n  - a: { try: [], catch: { error: {} } }\n", &["error unknown_property /do/0/a/catch/error 7:28"]),
        (
            "do:\n  - a: { try: [], catch: { errors: { type: x } } }\n",
            &["error unknown_property /do/0/a/catch/errors/type 7:38"],
        ),
        (
            "do:\n  - a: { try: [], catch: { errors: { with: { code: 5 } } } }\n",
            &["error unknown_property /do/0/a/catch/errors/with/code 7:46"],
        ),
        (
            "do:\n  - a: { try: [], catch: { retry: { count: 5 } } }\n",
            &["error unknown_property /do/0/a/catch/retry/count 7:37"],
        ),
        (
            "do:\n  - a: { try: [], catch: { retry: { backoff: { exponential: { factor: 2 } } } } }\n",
            &["error unknown_property /do/0/a/catch/retry/backoff/exponential/factor 7:63"],
        ),
        (
            "do:\n  - a: { raise: { error: { type: 'x:y', status: 500, details: x } } }\n",
            &["error unknown_property /do/0/a/raise/error/details 7:54"],
        ),
        (
            "do:\n  - a: { run: { shell: { command: x, code: y } } }\n",
            &["error unknown_property /do/0/a/run/shell/code 7:38"],
        ),
        (
            "do:\n  - a: { run: { shell: { command: x } }, return: code }\n",
            &["error unknown_property /do/0/a/return 7:42"],
        ),
        (
            "do:\n  - a: { call: http, with: { method: get, endpoint: 'http://h', url: x } }\n",
            &["error unknown_property /do/0/a/with/url 7:65"],
        ),
        (
            "do:\n  - a: { call: agent, with: { agent: x, promt: y } }\n",
            &["error unknown_property /do/0/a/with/promt 7:41"],
        ),
        ("do:\n  - a: { wait: { second: 1 } }\n", &["error unknown_property /do/0/a/wait/second 7:18"]),
    ]);
}

#[test]
fn free_objects_may_hold_anything() {
    hold(&[("do:\n  - a: { set: { if: 1, x/y: 2 }, metadata: { any: { thing: . } } }\n", &[])]);
    let text = "document: { dsl: '1.0.3', namespace: n, name: a, version: '1.0.0', tags: {a: b}, metadata: {c: [d]} }\ndo: []\n";
    assert_eq!(problems_of(text), [""; 0]);
}

#[test]
fn the_document_says_what_it_is() {
    let cases: &[(&str, &[&str])] = &[
        ("do: []\n", &["error missing_property  1:1"]),
        (
            "document: {}\n",
            &[
                "error missing_property  1:1",
                "error missing_property /document 1:11",
                "error missing_property /document 1:11",
                "error missing_property /document 1:11",
                "error missing_property /document 1:11",
            ],
        ),
        (
            "document: { dsl: 1.0, namespace: n, name: a, version: 1.0 }\ndo: []\n",
            &["error wrong_type /document/dsl 1:18", "error wrong_type /document/version 1:55"],
        ),
        (
            "document: { dsl: '2.0.0', namespace: n, name: a, version: '1.0' }\ndo: []\n",
            &["error unsupported_dsl /document/dsl 1:18", "error invalid_version /document/version 1:59"],
        ),
        (
            "document: { dsl: '1.1.0', namespace: -n, name: a_b, version: '1.0.0-rc.1+5' }\ndo: []\n",
            &[
                "error unsupported_dsl /document/dsl 1:18",
                "error invalid_name /document/namespace 1:38",
                "error invalid_name /document/name 1:48",
            ],
        ),
        (
            "document: { dsl: '1.0.0-alpha5', namespace: N0, name: A-b, version: '1.0.0', titel: x }\ndo: []\n",
            &["error unknown_property /document/titel 1:78"],
        ),
        ("[]\n", &["error wrong_type  1:1"]),
        ("just text\n", &["error wrong_type  1:1"]),
    ];
    for (text, wanted) in cases {
        assert_eq!(problems_of(text), *wanted, "{text}");
    }
    let named = |length| {
        let name = "n".repeat(length);
        format!("document: {{ dsl: '1.0.3', namespace: {name}, name: a, version: '1.0.0' }}\ndo: []\n")
    };
    assert_eq!(problems_of(&named(63)), [""; 0]);
    assert_eq!(problems_of(&named(64)), ["error invalid_name /document/namespace 1:38"]);
}

#[test]
fn the_text_must_be_one_sound_document() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["error empty  -"]),
        ("a: [1,\n", &["error syntax  1:4"]),
        ("a: b: c\n", &["error syntax  1:5"]),
        ("a: 1\n---\nb: 2\n", &["error several_documents  2:1"]),
        ("? [a]\n: 1\n", &["error invalid_key  1:3"]),
        ("a: &x { b: 1 }\n<<: *x\n", &["error merge_key  2:1"]),
        ("a: .inf\n", &["error not_finite  1:4"]),
        ("a: !custom x\n", &["error unknown_tag  1:12"]),
        ("a: *nowhere\n", &["error syntax  1:4"]),
        ("a: &x [ *x ]\n", &["error syntax  1:9"]),
    ];
    for (text, wanted) in cases {
        let found = problems_of(text);
        assert_eq!(found.first().map(String::as_str), wanted.first().copied(), "{text}: {found:?}");
    }
    let twice = around("do: []\ndo: []\n");
    assert_eq!(problems_of(&twice), ["error duplicate_key  7:1"]);
}

#[test]
fn a_document_is_bounded() {
    let deep = format!("a: {}{}", "[".repeat(MAX_DEPTH + 5), "]".repeat(MAX_DEPTH + 5));
    let laughs = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                  d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e]\n";
    let long = format!("a: {}", "x".repeat(MAX_TEXT_BYTES));
    // Every anchor would keep a copy of all that is inside.
    let open: String = (0..100).map(|level| format!("&a{level} [")).collect();
    let anchors = format!("a: {open}{}{}", "x,".repeat(5_000), "]".repeat(100));
    for (text, code) in [
        (deep.as_str(), "too_deep"),
        (laughs, "too_large"),
        (long.as_str(), "too_large"),
        (anchors.as_str(), "too_large"),
    ] {
        let review = review(text, &Unchecked);
        assert_eq!(review.problems.first().map(|problem| problem.code), Some(code));
    }
    let nested_aliases = (1..=8).fold("a0: &a0 x\n".to_owned(), |text, level| {
        let opened = "[".repeat(40);
        let closed = "]".repeat(40);
        format!("{text}a{level}: &a{level} {opened} *a{} {closed}\n", level - 1)
    });
    assert_eq!(review(&nested_aliases, &Unchecked).problems.first().map(|problem| problem.code), Some("too_deep"));
}

#[test]
fn lists_hold_one_named_thing_per_item() {
    hold(&[
        ("do:\n  - a: { set: { x: 1 } }\n    b: { set: { x: 1 } }\n", &["error single_key /do/0 7:5"]),
        ("do:\n  - a:\n    set: { x: 1 }\n  - b: { wait: PT0S, then: a }\n", &["error single_key /do/0 7:5"]),
        (
            "do:\n  - a: { wait: 1 }\n    b: { wait: 2, then: c }\n",
            &[
                "error single_key /do/0 7:5",
                "error wrong_type /do/0/a/wait 7:16",
                "error wrong_type /do/0/b/wait 8:16",
                "error unknown_target /do/0/b/then 8:25",
            ],
        ),
        ("do:\n  - {}\n", &["error single_key /do/0 7:5"]),
        ("do:\n  - text\n", &["error wrong_type /do/0 7:5"]),
        ("do:\n  a: { set: { x: 1 } }\n", &["error wrong_type /do 7:3"]),
        ("do:\n", &["error wrong_type /do 6:1"]),
        ("do:\n  - a:\n", &["error wrong_type /do/0/a 7:5"]),
        ("do:\n  - a: { switch: { c: { then: end } } }\n", &["error wrong_type /do/0/a/switch 7:18"]),
        (
            "do:\n  - a: { switch: [ { c: { then: end }, d: { when: .x, thn: end } } ] }\n",
            &[
                "error single_key /do/0/a/switch/0 7:20",
                "error missing_property /do/0/a/switch/0/d 7:43",
                "error unknown_property /do/0/a/switch/0/d/thn 7:55",
            ],
        ),
        ("do:\n  - a: { switch: [] }\n", &["error empty /do/0/a/switch 7:18"]),
        ("do:\n  - a: { set: {} }\n", &["error empty /do/0/a/set 7:15"]),
    ]);
}

#[test]
fn task_names_are_unique_in_their_list_and_no_directives() {
    hold(&[
        ("do:\n  - a: { set: { x: 1 } }\n  - a: { set: { x: 2 } }\n", &["error duplicate_task /do/1/a 8:5"]),
        ("do:\n  - a: { do: [ { a: { set: { x: 2 } } } ] }\n", &[]),
        ("do:\n  - end: { set: { x: 1 } }\n", &["error reserved_task_name /do/0/end 7:5"]),
        (
            "do:\n  - exit: { do: [ { continue: { set: { x: 1 } } } ] }\n",
            &["error reserved_task_name /do/0/exit 7:5", "error reserved_task_name /do/0/exit/do/0/continue 7:21"],
        ),
        ("do:\n  - '': { set: { x: 1 } }\n", &["error invalid_name /do/0/ 7:5"]),
        ("do:\n  - a/b~c: { set: 5 }\n", &["error wrong_type /do/0/a~1b~0c/set 7:19"]),
    ]);
}

#[test]
fn a_task_does_exactly_one_thing() {
    hold(&[
        ("do:\n  - a: { then: end }\n", &["error no_task_kind /do/0/a 7:8"]),
        ("do:\n  - a: { cal: http }\n", &["error no_task_kind /do/0/a 7:10"]),
        (
            "do:\n  - a: { cal: http, if: '|', then: b }\n",
            &[
                "error no_task_kind /do/0/a 7:10",
                "error invalid_expression /do/0/a/if 7:25",
                "error unknown_target /do/0/a/then 7:36",
            ],
        ),
        ("do:\n  - a: { set: { x: 1 }, wait: PT1S }\n", &["error several_task_kinds /do/0/a 7:8"]),
        ("do:\n  - a: { for: { in: . } }\n", &["error missing_property /do/0/a 7:8"]),
        ("do:\n  - a: { try: [] }\n", &["error missing_property /do/0/a 7:8"]),
        ("do:\n  - a: { try: [], catch: }\n", &["error wrong_type /do/0/a/catch 7:19"]),
        ("do:\n  - a: { fork: {} }\n", &["error missing_property /do/0/a/fork 7:16"]),
        ("do:\n  - a: { raise: {} }\n", &["error missing_property /do/0/a/raise 7:17"]),
        ("do:\n  - a: { call: http }\n", &["error missing_property /do/0/a 7:8"]),
        ("do:\n  - a: { switch: [ { c: { when: .x } } ] }\n", &["error missing_property /do/0/a/switch/0/c 7:25"]),
    ]);
}

#[test]
fn directives_lead_to_tasks_of_the_same_list() {
    hold(&[
        ("do:\n  - a: { set: { x: 1 }, then: b }\n", &["error unknown_target /do/0/a/then 7:31"]),
        (
            "do:\n  - a: { do: [ { b: { set: { x: 1 }, then: a } } ] }\n",
            &["error unknown_target /do/0/a/do/0/b/then 7:44"],
        ),
        ("do:\n  - a: { do: [ { b: { set: { x: 1 } } } ], then: b }\n", &["error unknown_target /do/0/a/then 7:50"]),
        ("do:\n  - a: { set: { x: 1 }, then: b }\n  - b: { set: { x: 1 }, then: a }\n", &[]),
        (
            "do:\n  - a: { switch: [ { c: { then: nowhere } } ] }\n",
            &["error unknown_target /do/0/a/switch/0/c/then 7:33"],
        ),
        (
            "do:\n  - a: { try: [ { b: { wait: PT0S } } ], catch: { then: b } }\n",
            &["error unknown_target /do/0/a/catch/then 7:57"],
        ),
        ("do:\n  - a: { try: [ { b: { wait: PT0S } } ], catch: { then: a } }\n", &[]),
        (
            "do:\n  - a: { try: [ { b: { wait: PT0S } } ], catch: { do: [ { c: { wait: PT0S, then: b } } ] } }\n",
            &["error unknown_target /do/0/a/catch/do/0/c/then 7:82"],
        ),
        (
            "do:\n  - a: { fork: { branches: [ { b: { wait: PT0S, then: c } }, { c: { wait: PT0S, then: exit } } ] } }\n",
            &["error unknown_target /do/0/a/fork/branches/0/b/then 7:55"],
        ),
        (
            "do:\n  - a: { fork: { branches: [ { b: { switch: [ { x: { then: b } } ] } } ] } }\n",
            &["error unknown_target /do/0/a/fork/branches/0/b/switch/0/x/then 7:60"],
        ),
        ("do:\n  - a: { wait: PT0S, then: true }\n", &["error wrong_type /do/0/a/then 7:28"]),
        (
            "do:\n  - a: { call: f }\nuse: { functions: { f: { wait: PT0S, then: a } } }\n",
            &["warning ignored_property /use/functions/f/then 8:44", "error unknown_target /use/functions/f/then 8:44"],
        ),
        (
            "do:\n  - a: { call: f }\nuse: { functions: { f: { wait: PT0S, then: end } } }\n",
            &["warning ignored_property /use/functions/f/then 8:44"],
        ),
        (
            "do:\n  - a: { call: f }\nuse: { functions: { f: { do: [ { x: { wait: PT0S, then: y } }, { y: { wait: PT0S } } ] } } }\n",
            &[],
        ),
    ]);
}

#[test]
fn a_switch_has_at_most_one_default() {
    hold(&[
        (
            "do:\n  - a: { switch: [ { c: { then: end } }, { d: { when: .x, then: exit } }, { e: { then: end } } ] }\n",
            &["error duplicate_default_case /do/0/a/switch/2/e 7:77"],
        ),
        (
            "do:\n  - a: { switch: [ { c: { when: true, then: end } } ] }\n",
            &["error wrong_type /do/0/a/switch/0/c/when 7:33"],
        ),
    ]);
}
