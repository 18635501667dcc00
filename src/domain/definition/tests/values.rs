//! For each rule about values one that breaks it: references, durations, errors, expressions, schemas.
//!
//! Each problem is given with its code, its pointer and its place; the body starts on line 6.

use super::*;

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
