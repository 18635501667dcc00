//! For each rule a definition that breaks it, with the code, the pointer and the place of the problem.
//!
//! The body starts on line 6.

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
    for (text, code) in [(deep.as_str(), "syntax"), (laughs, "too_large"), (long.as_str(), "too_large")] {
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

#[test]
fn references_lead_to_what_use_declares() {
    hold(&[
        (
            "do:\n  - a: { wait: PT0S, timeout: shrt }\nuse: { timeouts: { short: { after: PT1S } } }\n",
            &["error unknown_reference /do/0/a/timeout 7:31"],
        ),
        ("do: []\ntimeout: PT5S\n", &["error unknown_reference /timeout 7:10"]),
        ("do:\n  - a: { try: [], catch: { retry: often } }\n", &["error unknown_reference /do/0/a/catch/retry 7:35"]),
        ("do:\n  - a: { raise: { error: gone } }\n", &["error unknown_reference /do/0/a/raise/error 7:26"]),
        ("do:\n  - a: { raise: { error: '${ $error }' } }\n", &["error unknown_reference /do/0/a/raise/error 7:26"]),
        (
            "do:\n  - a: { call: cheer }\nuse: { functions: { cheers: { wait: PT0S } } }\n",
            &["error unknown_function /do/0/a/call 7:16"],
        ),
        (
            "do:\n  - a: { call: http, with: { method: get, endpoint: { uri: 'http://h', authentication: { use: me } } } }\n",
            &["error unknown_reference /do/0/a/with/endpoint/authentication/use 7:95"],
        ),
        (
            "do:\n  - a: { call: http, with: { method: get, endpoint: { uri: 'http://h', authentication: me } } }\n",
            &["error unknown_reference /do/0/a/with/endpoint/authentication 7:88"],
        ),
        (
            "do: []\nuse: { authentications: { me: { basic: { use: key } } } }\n",
            &["error unknown_reference /use/authentications/me/basic/use 7:47"],
        ),
        (
            "do: []\nuse: { authentications: { me: { use: other } } }\n",
            &[
                "error invalid_authentication /use/authentications/me 7:31",
                "error unknown_property /use/authentications/me/use 7:33",
            ],
        ),
    ]);
}

#[test]
fn variables_are_identifiers_of_their_own() {
    hold(&[
        ("do:\n  - a: { for: { each: 1x, in: . }, do: [] }\n", &["error invalid_variable /do/0/a/for/each 7:23"]),
        ("do:\n  - a: { for: { at: input, in: . }, do: [] }\n", &["error reserved_variable /do/0/a/for/at 7:21"]),
        ("do:\n  - a: { for: { each: $x, at: x, in: . }, do: [] }\n", &["error duplicate_variable /do/0/a/for 7:15"]),
        ("do:\n  - a: { try: [], catch: { as: secrets } }\n", &["error reserved_variable /do/0/a/catch/as 7:32"]),
        ("do:\n  - a: { try: [], catch: { as: a-b } }\n", &["error invalid_variable /do/0/a/catch/as 7:32"]),
        ("do:\n  - a: { for: { each: $x, in: . }, do: [ { b: { set: $x } } ] }\n", &[]),
    ]);
}

#[test]
fn durations_are_durations() {
    hold(&[
        ("do:\n  - a: { wait: PT250MS }\n", &["error invalid_duration /do/0/a/wait 7:16"]),
        ("do:\n  - a: { wait: 5 }\n", &["error wrong_type /do/0/a/wait 7:16"]),
        ("do:\n  - a: { wait: {} }\n", &["error invalid_duration /do/0/a/wait 7:16"]),
        ("do:\n  - a: { wait: { Seconds: 5, minutes: 1 } }\n", &["error unknown_property /do/0/a/wait/Seconds 7:18"]),
        ("do:\n  - a: { wait: { seconds: -1 } }\n", &["error invalid_duration /do/0/a/wait 7:16"]),
        ("do:\n  - a: { wait: { seconds: '${ .s }' } }\n", &["error invalid_duration /do/0/a/wait 7:16"]),
        ("do: []\ntimeout: { after: 1 hour }\n", &["error invalid_duration /timeout/after 7:19"]),
        ("do: []\nuse: { timeouts: { t: {} } }\n", &["error missing_property /use/timeouts/t 7:23"]),
        (
            "do:\n  - a: { wait: '${ .delay }', timeout: { after: '${ .x | }' } }\n",
            &["error invalid_expression /do/0/a/timeout/after 7:49"],
        ),
    ]);
}

#[test]
fn retry_policies_are_sane() {
    hold(&[
        (
            "do:\n  - a: { try: [], catch: { retry: { jitter: { from: PT2S, to: PT1S } } } }\n",
            &["error invalid_range /do/0/a/catch/retry/jitter 7:45"],
        ),
        (
            "do:\n  - a: { try: [], catch: { retry: { jitter: { from: PT2S } } } }\n",
            &["error missing_property /do/0/a/catch/retry/jitter 7:45"],
        ),
        (
            "do:\n  - a: { try: [], catch: { retry: { backoff: {} } } }\n",
            &["error invalid_value /do/0/a/catch/retry/backoff 7:46"],
        ),
        (
            "do:\n  - a: { try: [], catch: { retry: { backoff: { linear: {}, constant: {} } } } }\n",
            &["error invalid_value /do/0/a/catch/retry/backoff 7:46"],
        ),
        (
            "do:\n  - a: { try: [], catch: { retry: { backoff: { exponential: } } } }\n",
            &["error wrong_type /do/0/a/catch/retry/backoff/exponential 7:48"],
        ),
        (
            "do:\n  - a: { try: [], catch: { retry: { limit: { attempt: { count: -1 } } } } }\n",
            &["error invalid_value /do/0/a/catch/retry/limit/attempt/count 7:64"],
        ),
        (
            "do:\n  - a: { try: [], catch: { retry: { limit: { attempt: { count: '3' } } } } }\n",
            &["error wrong_type /do/0/a/catch/retry/limit/attempt/count 7:64"],
        ),
        (
            "do:\n  - a: { try: [], catch: { as: why, retry: r } }\nuse: { retries: { r: { when: $error.status } } }\n",
            &["error invalid_expression /use/retries/r/when 8:30"],
        ),
        (
            "do:\n  - a: { try: [], catch: { as: why, retry: r } }\nuse: { retries: { r: { when: $why.status } } }\n",
            &[],
        ),
        ("do: []\nuse: { retries: { r: { when: $error.status } } }\n", &[]),
    ]);
}

#[test]
fn errors_have_a_type_and_a_status() {
    hold(&[
        (
            "do:\n  - a: { raise: { error: {} } }\n",
            &["error missing_property /do/0/a/raise/error 7:26", "error missing_property /do/0/a/raise/error 7:26"],
        ),
        (
            "do:\n  - a: { raise: { error: { type: 'x:y', status: '500' } } }\n",
            &["error wrong_type /do/0/a/raise/error/status 7:49"],
        ),
        ("do:\n  - a: { raise: { error: { type: 'x:y', status: '${ .s }' } } }\n", &[]),
        (
            "do:\n  - a: { raise: { error: { type: gone, status: 5.5 } } }\n",
            &[
                "warning relative_type /do/0/a/raise/error/type 7:34",
                "error invalid_value /do/0/a/raise/error/status 7:48",
            ],
        ),
        ("do:\n  - a: { try: [], catch: { errors: { with: {} } } }\n", &["error empty /do/0/a/catch/errors/with 7:44"]),
        ("do:\n  - a: { try: [], catch: { errors: {} } }\n", &[]),
        (
            "do:\n  - a: { try: [], catch: { errors: { with: { status: '503', details: x, type: '${ .t }' } } } }\n",
            &[
                "error wrong_type /do/0/a/catch/errors/with/status 7:54",
                "warning literal_expression /do/0/a/catch/errors/with/type 7:79",
            ],
        ),
    ]);
}

#[test]
fn expressions_compile_with_the_variables_they_can_see() {
    hold(&[
        ("do:\n  - a: { if: '.a |', set: { x: 1 } }\n", &["error invalid_expression /do/0/a/if 7:14"]),
        ("do:\n  - a: { if: true, set: { x: 1 } }\n", &["error wrong_type /do/0/a/if 7:14"]),
        ("do:\n  - a: { set: { x: [ '${ .no. }' ] } }\n", &["error invalid_expression /do/0/a/set/x/0 7:22"]),
        ("do:\n  - a: { set: { x: '${ .a } and ${ .b }' } }\n", &["error invalid_expression /do/0/a/set/x 7:20"]),
        ("do:\n  - a: { set: '${ }' }\n", &["error invalid_expression /do/0/a/set 7:15"]),
        ("do:\n  - a: { set: '${}' }\n", &["error invalid_expression /do/0/a/set 7:15"]),
        ("do:\n  - a: { input: { from: 5 }, set: . }\n", &["error wrong_type /do/0/a/input/from 7:25"]),
        (
            "do:\n  - a: { for: { in: .x, each: n }, do: [ { b: { set: $n + $index } } ], output: { as: $n } }\n",
            &["error invalid_expression /do/0/a/output/as 7:87"],
        ),
        ("do:\n  - a: { for: { in: $item }, do: [] }\n", &["error invalid_expression /do/0/a/for/in 7:21"]),
        (
            "do:\n  - a: { try: [ { b: { set: $error } } ], catch: { when: $error.status > 1, do: [ { c: { set: $error } } ] } }\n",
            &["error invalid_expression /do/0/a/try/0/b/set 7:29"],
        ),
        (
            "do:\n  - a: { for: { in: ., each: x }, do: [ { b: { call: f } } ] }\nuse: { functions: { f: { set: $x } } }\n",
            &["error invalid_expression /use/functions/f/set 8:31"],
        ),
        ("do:\n  - a: { for: { in: [ 1, '${ .x }' ] }, do: [] }\n", &["error invalid_value /do/0/a/for/in 7:21"]),
        ("do:\n  - a: { for: { in: [ { x: 1 }, 2 ] }, do: [] }\n", &[]),
        ("evaluate: { mode: loose }\ndo:\n  - a: { set: { x: '${ .no. }', y: .b, z: 'a ${ b }' } }\n", &[]),
        (
            "evaluate: { mode: loose }\ndo:\n  - a: { if: '${ .no. }', set: { x: 1 } }\n",
            &["error invalid_expression /do/0/a/if 8:14"],
        ),
        (
            "evaluate: { mode: lose, language: js }\ndo: []\n",
            &["error invalid_value /evaluate/mode 6:19", "error unsupported /evaluate/language 6:35"],
        ),
    ]);
}

#[test]
fn texts_that_were_meant_as_expressions_get_a_warning() {
    hold(&[
        (
            "do:\n  - a: { set: { x: .b, y: [ $context.c ] } }\n",
            &["warning bare_expression /do/0/a/set/x 7:20", "warning bare_expression /do/0/a/set/y/0 7:29"],
        ),
        ("do:\n  - a: { set: { x: 'Hello ${ .name }' } }\n", &["warning embedded_expression /do/0/a/set/x 7:20"]),
        (
            "do:\n  - a: { call: http, with: { method: get, endpoint: 'http://h/${ .id }' } }\n",
            &["warning embedded_expression /do/0/a/with/endpoint 7:53"],
        ),
        (
            "do:\n  - a: { run: { shell: { command: 'echo ${ .name }' } } }\n",
            &["warning embedded_expression /do/0/a/run/shell/command 7:35"],
        ),
        (
            "do:\n  - a: { run: { shell: { command: './x ${HOME} $1', stdin: '`${ a }`', arguments: [ $HOME, .x ] } } }\n",
            &["warning bare_expression /do/0/a/run/shell/arguments/1 7:92"],
        ),
    ]);
}

#[test]
fn variables_without_a_value_and_unlisted_secrets_get_a_warning() {
    hold(&[
        (
            "input: { from: $context }\ndo: []\noutput: { as: $input }\n",
            &["warning unavailable_variable /input/from 6:16", "warning unavailable_variable /output/as 8:15"],
        ),
        (
            "do:\n  - a: { if: $input, input: { from: $output }, set: $output, output: { as: $output }, export: { as: $output } }\n",
            &[
                "warning unavailable_variable /do/0/a/if 7:14",
                "warning unavailable_variable /do/0/a/input/from 7:37",
                "warning unavailable_variable /do/0/a/set 7:53",
                "warning unavailable_variable /do/0/a/output/as 7:76",
            ],
        ),
        ("do:\n  - a: { set: { x: '${ . as $output | $output }' } }\n", &[]),
        (
            "do:\n  - a: { set: { x: '${ $secrets.key + $secret.other }' } }\nuse: { secrets: [ key ] }\n",
            &["warning unlisted_secret /do/0/a/set/x 7:20"],
        ),
    ]);
}

#[test]
fn schemas_compile() {
    hold(&[
        (
            "do: []\ninput: { schema: { document: { properties: { a: { type: strng } } } } }\n",
            &["error invalid_schema /input/schema/document/properties/a/type 7:57"],
        ),
        ("do: []\ninput: { schema: {} }\n", &["error missing_property /input/schema 7:18"]),
        ("do: []\ninput: { schema: { document: text } }\n", &["error wrong_type /input/schema/document 7:30"]),
        (
            "do: []\ninput: { schema: { format: avro, document: {} } }\n",
            &["error unsupported /input/schema/format 7:28"],
        ),
        ("do: []\ninput: { schema: { format: json, document: { type: object } } }\n", &[]),
    ]);
}

#[test]
fn what_this_version_does_not_have_is_refused_by_name() {
    hold(&[
        ("do:\n  - a: { emit: { event: { with: { type: x } } } }\n", &["error unsupported /do/0/a/emit 7:16"]),
        ("do:\n  - a: { listen: { to: { any: [] } }, foreach: {} }\n", &["error unsupported /do/0/a/listen 7:18"]),
        ("do:\n  - a: { call: openapi, with: {} }\n", &["error unsupported /do/0/a/call 7:16"]),
        ("do:\n  - a: { call: grpc, with: {} }\n", &["error unsupported /do/0/a/call 7:16"]),
        ("do:\n  - a: { call: asyncapi, with: {} }\n", &["error unsupported /do/0/a/call 7:16"]),
        ("do:\n  - a: { call: a2a, with: {} }\n", &["error unsupported /do/0/a/call 7:16"]),
        ("do:\n  - a: { call: mcp, with: {} }\n", &["error unsupported /do/0/a/call 7:16"]),
        ("do:\n  - a: { call: 'https://example.com/f@v1' }\n", &["error unsupported /do/0/a/call 7:16"]),
        ("do:\n  - a: { call: 'log:1.0.0@default' }\n", &["error unsupported /do/0/a/call 7:16"]),
        ("do:\n  - a: { run: { container: { image: x } } }\n", &["error unsupported /do/0/a/run/container 7:28"]),
        (
            "do:\n  - a: { run: { script: { language: js, code: x } } }\n",
            &["error unsupported /do/0/a/run/script 7:25"],
        ),
        (
            "do: []\nuse: { extensions: [ { e: { extend: all } } ], catalogs: { c: { endpoint: 'http://h' } } }\n",
            &["error unsupported /use/extensions 7:20", "error unsupported /use/catalogs 7:58"],
        ),
        ("do: []\nuse: { extensions: [], catalogs: {} }\n", &[]),
        ("do: []\nschedule: { every: PT1H }\n", &["error unsupported /schedule 7:11"]),
        (
            "do: []\ninput: { schema: { resource: { endpoint: 'http://h' } } }\n",
            &["error unsupported /input/schema/resource 7:30"],
        ),
        (
            "do: []\nuse: { authentications: { me: { certificate: {} } } }\n",
            &["error unsupported /use/authentications/me/certificate 7:46"],
        ),
    ]);
}

#[test]
fn a_run_has_exactly_one_process() {
    hold(&[
        ("do:\n  - a: { run: {} }\n", &["error invalid_run /do/0/a/run 7:15"]),
        ("do:\n  - a: { run: { shell: { command: x }, workflow: {} } }\n", &["error invalid_run /do/0/a/run 7:15"]),
        ("do:\n  - a: { run: { shell: {} } }\n", &["error missing_property /do/0/a/run/shell 7:24"]),
        (
            "do:\n  - a: { run: { shell: { command: x, arguments: { a: b } }, return: out } }\n",
            &["error wrong_type /do/0/a/run/shell/arguments 7:49", "error invalid_value /do/0/a/run/return 7:69"],
        ),
        (
            "do:\n  - a: { run: { shell: { command: x, environment: { A: [1], 'B=': x } }, await: 'true' } }\n",
            &[
                "error wrong_type /do/0/a/run/shell/environment/A 7:56",
                "error invalid_name /do/0/a/run/shell/environment/B= 7:61",
                "error wrong_type /do/0/a/run/await 7:81",
            ],
        ),
        (
            "do:\n  - a: { run: { shell: { command: x } }, metadata: { on_unknown_outcome: retry } }\n",
            &["error invalid_value /do/0/a/metadata/on_unknown_outcome 7:74"],
        ),
        (
            "do:\n  - a: { run: { workflow: { namespace: n_, version: newest } } }\n",
            &[
                "error missing_property /do/0/a/run/workflow 7:27",
                "error invalid_name /do/0/a/run/workflow/namespace 7:40",
                "error invalid_version /do/0/a/run/workflow/version 7:53",
            ],
        ),
        ("do:\n  - a: { run: { workflow: { namespace: '${ .n }', name: w, version: '${ .v }' } } }\n", &[]),
    ]);
}

#[test]
fn calls_say_whom_to_call_and_how() {
    hold(&[
        (
            "do:\n  - a: { call: http, with: { method: 'get it', endpoint: h } }\n",
            &["error invalid_value /do/0/a/with/method 7:38", "error invalid_uri /do/0/a/with/endpoint 7:58"],
        ),
        (
            "do:\n  - a: { call: http, with: { endpoint: 'ftp://h' } }\n",
            &["error missing_property /do/0/a/with 7:28", "error invalid_uri /do/0/a/with/endpoint 7:40"],
        ),
        (
            "do:\n  - a: { call: http, with: { method: GET, endpoint: 'http://h/{a' } }\n",
            &["error invalid_uri /do/0/a/with/endpoint 7:53"],
        ),
        ("do:\n  - a: { call: http, with: { method: GET, endpoint: '{scheme}://h/{a}?b={c}' } }\n", &[]),
        (
            "do:\n  - a: { call: http, with: { method: GET, endpoint: 'http://h', headers: [], query: { a: { b: c } }, redirect: no } }\n",
            &[
                "error wrong_type /do/0/a/with/headers 7:74",
                "error wrong_type /do/0/a/with/query/a 7:90",
                "error wrong_type /do/0/a/with/redirect 7:112",
            ],
        ),
        (
            "do:\n  - a: { call: http, with: { method: GET, endpoint: 'http://h', headers: '${ .h }', query: { a: [ 1, b ] }, output: json } }\n",
            &["error invalid_value /do/0/a/with/output 7:117"],
        ),
        (
            "do:\n  - a: { call: agent, with: { prompt: 5, input: 6 } }\n",
            &[
                "error missing_property /do/0/a/with 7:29",
                "error wrong_type /do/0/a/with/prompt 7:39",
                "error invalid_value /do/0/a/with/input 7:49",
            ],
        ),
        (
            "do:\n  - a: { call: agent, with: { agent: x, parameters: [], output: yaml } }\n",
            &["error wrong_type /do/0/a/with/parameters 7:53", "error invalid_value /do/0/a/with/output 7:65"],
        ),
        ("do:\n  - a: { call: agent, with: { anything: 1 } }\nuse: { functions: { agent: { set: . } } }\n", &[]),
        (
            "do:\n  - a: { call: f, with: [] }\nuse: { functions: { f: { set: . } } }\n",
            &["error wrong_type /do/0/a/with 7:25"],
        ),
        ("do: []\nuse: { functions: { http: { set: . } } }\n", &["warning shadowed_function /use/functions/http 7:27"]),
    ]);
}

#[test]
fn headers_and_uri_variables_have_plain_names() {
    hold(&[
        (
            "do:\n  - a: { call: http, with: { method: get, endpoint: 'http://h', headers: { 'a b': c } } }\n",
            &["error invalid_name /do/0/a/with/headers/a b 7:76"],
        ),
        (
            "do:\n  - a: { call: http, with: { method: get, endpoint: 'http://h/{x}{?q}' } }\n",
            &["warning template_operator /do/0/a/with/endpoint 7:53"],
        ),
    ]);
}

#[test]
fn authentication_policies_are_complete() {
    hold(&[
        (
            "do: []\nuse: { authentications: { a: {} , b: { basic: { username: u }, bearer: { token: t } } } }\n",
            &[
                "error invalid_authentication /use/authentications/a 7:30",
                "error invalid_authentication /use/authentications/b 7:38",
            ],
        ),
        (
            "do: []\nuse: { authentications: { a: { basic: { username: u } }, b: { digest: { password: 5, username: u } } } }\n",
            &[
                "error missing_property /use/authentications/a/basic 7:39",
                "error wrong_type /use/authentications/b/digest/password 7:83",
            ],
        ),
        (
            "do: []\nuse: { authentications: { a: { oauth2: {} } } }\n",
            &[
                "error missing_property /use/authentications/a/oauth2 7:40",
                "error missing_property /use/authentications/a/oauth2 7:40",
            ],
        ),
        (
            "do: []\nuse: { authentications: { a: { oidc: { authority: 'http://h', grant: password, endpoints: {} } } } }\n",
            &[
                "error missing_property /use/authentications/a/oidc 7:38",
                "error missing_property /use/authentications/a/oidc 7:38",
                "error unknown_property /use/authentications/a/oidc/endpoints 7:80",
            ],
        ),
        (
            "do: []\nuse: { authentications: { a: { oauth2: { authority: 'http://h', grant: implicit, client: { secret: s }, scopes: s } } } }\n",
            &[
                "error invalid_value /use/authentications/a/oauth2/grant 7:72",
                "error missing_property /use/authentications/a/oauth2/client 7:90",
                "error wrong_type /use/authentications/a/oauth2/scopes 7:113",
            ],
        ),
        (
            "do: []\nuse: { authentications: { a: { oauth2: { authority: 'http://h', grant: client-credentials, client: { id: i, authentication: private_key_jwt }, request: { encoding: xml } } } } }\n",
            &[
                "error missing_property /use/authentications/a/oauth2/client 7:100",
                "error invalid_value /use/authentications/a/oauth2/request/encoding 7:165",
            ],
        ),
        (
            "do: []\nuse: { secrets: [ s ], authentications: { a: { bearer: '${ $secrets.s }' }, b: { basic: { use: s } } } }\n",
            &[],
        ),
    ]);
}
