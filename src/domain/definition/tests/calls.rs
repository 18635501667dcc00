//! For each rule about calls and processes one that breaks it, and everything that is not supported.
//!
//! Each problem is given with its code, its pointer and its place; the body starts on line 6.

use super::*;

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
