//! The table of answers, held against the real `jq`, and what differs from it on purpose.

use super::*;
use serde_json::json;
use std::io::Write;
use std::process::{Command, Stdio};

fn run(text: &str, input: &Value) -> Result<Value, String> {
    Expression::compile(text, &[])?.evaluate(input, &[], Timestamp::from_micros(1_700_000_000_000_000))
}

/// Expression, input, outputs; no outputs stand for an error. Where jq 1.6 answers otherwise than jq 1.7 it says so.
const TABLE: &[(&str, &str, &str)] = &[
    // Paths.
    (".", r#"{"a":1}"#, r#"[{"a":1}]"#),
    (".a.b", r#"{"a":{"b":2}}"#, "[2]"),
    (".a.b.c", r#"{"a":null}"#, "[null]"),
    (".a", "[1]", ""),
    (".[0]", r#"{"a":1}"#, ""),
    (".[1.0]", "[1,2]", "[2]"),
    (".[-1]", "[1,2]", "[2]"),
    (".[9]", "[1,2]", "[null]"),
    (".[1:]", "null", "[null]"),
    (".[1:3]", "[1,2,3,4]", "[[2,3]]"),
    (".[-2:]", "[1,2,3,4]", "[[3,4]]"),
    (".[1.2:2.5]", "[1,2,3,4]", "[[2,3]]"),
    (".[1:2]", r#""aüc""#, r#"["ü"]"#),
    (".[]", r#"{"b":1,"a":2}"#, "[1,2]"),
    (".[]", "5", ""),
    (".[]?", "5", "[]"),
    ("..", r#"[[1]]"#, "[[[1]],[1],1]"),
    (".a?", "[1]", "[]"),
    (r#".["a","b"]"#, r#"{"a":1,"b":2}"#, "[1,2]"),
    (r#".[[2,3]]"#, "[1,2,3,2,3]", "[[1,3]]"),
    ("first, last", "[1,2,3]", "[1,3]"),
    ("try error(\"x\") catch .", "null", r#"["x"]"#),
    (".a // \"d\"", r#"{"a":false}"#, r#"["d"]"#),
    ("(.a, .b) // 9", r#"{"a":null,"b":false}"#, "[9]"),
    // Arithmetic.
    ("1 / 0", "null", ""),
    ("1 % 0", "null", ""),
    ("5 % -2, -5 % 2, 5.9 % 2.1", "null", "[1,-1,1]"),
    ("1 / 2, 4 / 2", "null", "[0.5,2]"),
    ("0.1 + 0.2", "null", "[0.30000000000000004]"),
    ("null + 1, 1 + null", "null", "[1,1]"),
    ("{} + 1", "null", ""),
    (r#"{"a":1} + {"b":2} + {"a":3}"#, "null", r#"[{"a":3,"b":2}]"#),
    (r#"{"a":{"x":1}} * {"a":{"y":2}}"#, "null", r#"[{"a":{"x":1,"y":2}}]"#),
    ("[1,2,3,1] - [1]", "null", "[[2,3]]"),
    (r#""a,b,c" / ",""#, "null", r#"[["a","b","c"]]"#),
    (r#""ab" * 3"#, "null", r#"["ababab"]"#),
    (r#""ab" * 0"#, "null", "[null]"),
    ("-(1), -(0.5)", "null", "[-1,-0.5]"),
    ("-\"a\"", "null", ""),
    ("[(1,2) + (10,20)]", "null", "[[11,12,21,22]]"),
    ("[(1,2) == (1,2)]", "null", "[[true,false,false,true]]"),
    ("1e1000 | . > 1", "null", "[true]"),
    ("[.[] | floor, sqrt]", "[4.5, 9]", "[[4,2.1213203435596424,9,3]]"),
    ("pow(2; 10), log10", "1000", "[1024,3]"),
    ("[nan] | sort | length", "null", "[1]"),
    ("nan < nan, nan == nan", "null", "[true,false]"),
    ("infinite | . == (. + 1)", "null", "[true]"),
    // Comparisons.
    ("sort", r#"[{"b":1},[2],"a",3,true,false,null,{"a":9}]"#, r#"[[null,false,true,3,"a",[2],{"a":9},{"b":1}]]"#),
    (r#"{"a":1} < {"a":2}, [] < {}, "a" < "b""#, "null", "[true,true,true]"),
    ("1 == 1.0", "null", "[true]"),
    ("if . then 1 else 2 end", "0", "[1]"),
    ("[.[] | not]", "[null,false,0,\"\"]", "[[true,true,false,false]]"),
    ("(true, false) and (true, false)", "null", "[true,false,false]"),
    ("(true, false) or (true, false)", "null", "[true,true,false]"),
    // Collections.
    ("length", r#""aü""#, "[2]"),
    ("map(length)", r#"[null,-3,[1],{"a":1},""]"#, "[[0,3,1,1,0]]"),
    ("length", "true", ""),
    ("keys, keys_unsorted", r#"{"b":1,"a":2}"#, r#"[["a","b"],["b","a"]]"#),
    ("keys", "[5,6]", "[[0,1]]"),
    ("add", "[1,null,2]", "[3]"),
    ("add", "[]", "[null]"),
    ("any, all", "[true,false]", "[true,false]"),
    ("any, all", "[]", "[false,true]"),
    ("flatten", "[1,[2,[3]],[]]", "[[1,2,3]]"),
    ("flatten(1)", "[1,[2,[3]]]", "[[1,2,[3]]]"),
    ("flatten(-1)", "[1]", ""),
    ("reverse", "[1,2]", "[[2,1]]"),
    ("unique, unique_by(. % 2)", "[3,1,2,1]", "[[1,2,3],[2,3]]"),
    ("group_by(.a) | map(length)", r#"[{"a":2},{"a":1},{"a":2}]"#, "[[1,2]]"),
    ("min, max, min_by(-.), max_by(-.)", "[2,1,3]", "[1,3,3,1]"),
    ("min", "[]", "[null]"),
    ("sort_by(.a, -.b) | map(.b)", r#"[{"a":1,"b":1},{"a":1,"b":2},{"a":0,"b":0}]"#, "[[0,2,1]]"),
    ("to_entries", r#"{"a":1}"#, r#"[[{"key":"a","value":1}]]"#),
    ("with_entries(.value += 1)", r#"{"a":1}"#, r#"[{"a":2}]"#),
    ("has(\"a\"), has(\"z\")", r#"{"a":null}"#, "[true,false]"),
    ("has(1), has(-1), has(5)", "[1,2]", "[true,false,false]"),
    ("has(0)", "{}", ""),
    ("map(in([5,6]))", "[0,7]", "[[true,false]]"),
    ("contains(\"b\"), inside(\"abc\")", r#""b""#, "[true,true]"),
    (r#"contains({a:["x"]})"#, r#"{"a":["xy"],"b":1}"#, "[true]"),
    ("contains(1)", "\"a\"", ""),
    ("index(\",\"), rindex(\",\"), indices(\",\")", r#""a,b,c""#, "[1,3,[1,3]]"),
    ("indices(1), indices([1,2])", "[1,2,1,2]", "[[0,2],[0,2]]"),
    ("index(\"x\")", r#""abc""#, "[null]"),
    ("transpose", "[[1],[2,3]]", "[[[1,2],[null,3]]]"),
    ("[combinations]", "[[1,2],[3,4]]", "[[[1,3],[1,4],[2,3],[2,4]]]"),
    ("[range(3)], [range(1;4)], [range(0;10;3)]", "null", "[[0,1,2],[1,2,3],[0,3,6,9]]"),
    ("[limit(2; .[])], [first(.[])], [.[:1][]]", "[1,2,3]", "[[1,2],[1],[1]]"),
    ("nth(1), nth(1; .[])", "[5,6,7]", "[6,6]"),
    ("until(. > 100; . * 2)", "1", "[128]"),
    ("[while(. < 10; . * 2)]", "1", "[[1,2,4,8]]"),
    ("[repeat(. * 2; 3)]?", "1", ""),
    ("[limit(3; repeat(. * 2))]", "1", "[[2,2,2]]"),
    ("[recurse(if . < 2 then . + 1 else empty end)]", "0", "[[0,1,2]]"),
    ("[.[] as [$a, {b: $b}] | $a + $b]", r#"[[1,{"b":2}]]"#, "[[3]]"),
    ("reduce .[] as $x (0; . + $x)", "[1,2,3]", "[6]"),
    ("[foreach .[] as $x (0; . + $x; [$x, .])]", "[1,2]", "[[[1,1],[2,3]]]"),
    ("isempty(empty), isempty(1)", "null", "[true,false]"),
    ("[splits(\", *\")]", r#""a, b,c""#, r#"[["a","b","c"]]"#),
    ("walk(if type == \"number\" then . + 1 else . end)", r#"[1,{"a":2}]"#, r#"[[2,{"a":3}]]"#),
    ("tostream", r#"{"a":[1]}"#, r#"[[["a",0],1],[["a",0]],[["a"]]]"#),
    ("fromstream(tostream)", r#"{"a":[1,{"b":2}]}"#, r#"[{"a":[1,{"b":2}]}]"#),
    ("[paths], [leaf_paths]", r#"{"a":[1]}"#, r#"[[["a"],["a",0]],[["a",0]]]"#),
    ("getpath([\"a\",\"b\"])", "null", "[null]"),
    ("INDEX(.id)", r#"[{"id":1},{"id":2}]"#, r#"[{"1":{"id":1},"2":{"id":2}}]"#),
    ("[.[] | IN(2, 3)]", "[1,2]", "[[false,true]]"),
    // Updates.
    (".a = 1 | .b.c = 2", "null", r#"[{"a":1,"b":{"c":2}}]"#),
    (".[2] = 1", "null", "[[null,null,1]]"),
    (".[-1] = 9", "[1,2]", "[[1,9]]"),
    (".[-1] = 9", "[]", ""),
    (".a += 1", r#"{"a":1}"#, r#"[{"a":2}]"#),
    (".[] |= . + 1", "[1,2]", "[[2,3]]"),
    (".a //= 5", r#"{"a":null}"#, r#"[{"a":5}]"#),
    ("del(.[0,2])", "[1,2,3]", "[[2]]"),
    ("del(.a, .b.c)", r#"{"a":1,"b":{"c":2,"d":3}}"#, r#"[{"b":{"d":3}}]"#),
    ("del(.[1:3])", "[1,2,3,4]", "[[1,4]]"),
    ("del(.x.y)", "{}", "[{}]"),
    ("delpaths([[\"a\"],[\"b\",0]])", r#"{"a":1,"b":[2,3]}"#, r#"[{"b":[3]}]"#),
    ("setpath([\"a\",0]; 1)", "null", r#"[{"a":[1]}]"#),
    (".[1:2] = [8,9]", "[1,2,3]", "[[1,8,9,3]]"),
    ("map_values(. + 1)", r#"{"a":1}"#, r#"[{"a":2}]"#),
    ("path(.a[0].b)", "null", r#"[["a",0,"b"]]"#),
    // Text.
    ("tostring, tojson", r#""a""#, r#"["a","\"a\""]"#),
    ("tostring", "[1,\"x\",null]", r#"["[1,\"x\",null]"]"#),
    ("tonumber", r#""1.5""#, "[1.5]"),
    ("tonumber", r#""x""#, ""),
    ("fromjson", r#""{\"a\":1}""#, r#"[{"a":1}]"#),
    ("fromjson", r#""{""#, ""),
    (r#""a\(1 + 1)b""#, "null", r#"["a2b"]"#),
    ("join(\"-\")", "[\"a\",1,null,true]", r#"["a-1--true"]"#),
    ("join(\",\")", "[]", r#"[""]"#),
    ("ascii_downcase, ascii_upcase", r#""aBü""#, r#"["abü","ABü"]"#),
    ("ltrimstr(\"a\"), rtrimstr(\"c\"), startswith(\"a\"), endswith(\"c\")", r#""abc""#, r#"["bc","ab",true,true]"#),
    ("ltrimstr(\"a\")", "5", "[5]"),
    ("startswith(\"a\")", "5", ""),
    ("explode | implode", r#""aü""#, r#"["aü"]"#),
    ("split(\", \")", r#""a, b""#, r#"[["a","b"]]"#),
    ("split(\"\")", r#""ab""#, r#"[["a","b"]]"#),
    ("split(\"a+\"; null)", r#""xaay""#, r#"[["x","y"]]"#),
    ("test(\"B\"; \"i\"), test([\"B\",\"i\"]), test(\"B\")", r#""abc""#, "[true,true,false]"),
    (
        "match(\"(?<x>b)(c)?\") | [.offset, .length, .string, (.captures | map(.name))]",
        r#""abc""#,
        r#"[[1,2,"bc",["x",null]]]"#,
    ),
    ("capture(\"(?<y>[0-9]+)-(?<m>[0-9]+)\")", r#""2024-05""#, r#"[{"y":"2024","m":"05"}]"#),
    ("[scan(\"[0-9]\")], [scan(\"(a)([0-9])\")]", r#""a1a2""#, r#"[["1","2"],[["a","1"],["a","2"]]]"#),
    (
        "sub(\"(?<x>b)\"; \"[\\(.x)]\"), gsub(\"a\"; \"b\"), gsub(\"A\"; \"c\"; \"i\")",
        r#""aab""#,
        r#"["aa[b]","bbb","ccb"]"#,
    ),
    ("@base64, (@base64 | @base64d), @uri", r#""a b/ü""#, r#"["YSBiL8O8","a b/ü","a%20b%2F%C3%BC"]"#),
    ("@sh", r#""a 'b'""#, r#"["'a '\\''b'\\'''"]"#),
    ("@csv, @tsv", r#"[1,"a\"b",null,true]"#, r#"["1,\"a\"\"b\",,true","1\ta\"b\t\ttrue"]"#),
    ("@json, @text", "[1]", r#"["[1]","[1]"]"#),
    ("@uri \"x=\\(.)\"", r#""a b""#, r#"["x=a%20b"]"#),
    ("utf8bytelength", r#""ü""#, "[2]"),
    ("type", "[]", r#"["array"]"#),
    (
        "[.[] | numbers, strings, nulls, booleans, arrays, objects]",
        r#"[1,"a",null,true,[],{}]"#,
        r#"[[1,"a",null,true,[],{}]]"#,
    ),
    ("[.[] | scalars], [.[] | iterables]", "[1,[],{}]", "[[1],[[],{}]]"),
    // Dates.
    ("todate, (todate | fromdate)", "1700000000", r#"["2023-11-14T22:13:20Z",1700000000]"#),
    ("strftime(\"%Y/%m/%d\")", "1700000000", r#"["2023/11/14"]"#),
    ("strptime(\"%Y-%m-%dT%H:%M:%SZ\") | mktime", r#""2023-11-14T22:13:20Z""#, "[1700000000]"),
    ("gmtime | mktime", "1700000000", "[1700000000]"),
    // Definitions.
    ("def f(x): x + 1; f(.a)", r#"{"a":1}"#, "[2]"),
    ("def fac: if . <= 1 then 1 else . * (. - 1 | fac) end; fac", "10", "[3628800]"),
    ("def f($a; $b): $a - $b; f(5; 3)", "null", "[2]"),
    ("[label $out | 1, break $out, 2]", "null", "[[1]]"),
    ("{a: 1, \"b\": 2, (\"c\" + \"d\"): 3, @base64 \"x\": 4}", "null", r#"[{"a":1,"b":2,"cd":3,"x":4}]"#),
    ("{a, b: .c}", r#"{"a":1,"c":2}"#, r#"[{"a":1,"b":2}]"#),
    ("{(1): 2}", "null", ""),
    ("error(\"x\")", "null", ""),
];

/// jq 1.7 and later only; not compared with an older jq.
const NEWER: &[(&str, &str, &str)] = &[
    (".[1.7]", "[1,2]", "[2]"),
    ("[limit(0; 1, 2)]", "null", "[[]]"),
    ("error", "null", ""),
    ("from_entries", r#"[{"key":"a","value":1},{"name":"b","value":2},{"k":"c","v":3}]"#, r#"[{"a":1,"b":2,"c":3}]"#),
    ("@html, @sh", r#""<a & 'b'>""#, r#"["&lt;a &amp; &#39;b&#39;&gt;","'<a & '\\''b'\\''>'"]"#),
    ("JOIN({\"1\": 5}; .id | tostring)", r#"[{"id":1}]"#, r#"[[[{"id":1},5]]]"#),
    ("pick(.a.b)", r#"{"a":{"b":1,"c":2},"d":3}"#, r#"[{"a":{"b":1}}]"#),
    ("pick(.[1])", "[5,6,7]", "[[null,6]]"),
    ("if . then 1 end", "false", "[false]"),
    ("abs, toarray", "-5", "[5,[-5]]"),
    (".[] |= empty", "[1,2,3]", "[[]]"),
    ("trim, ltrim, rtrim", r#"" a ""#, r#"["a","a "," a"]"#),
    ("index(\"b\")", r#""üb""#, "[1]"),
    ("[splits(\"a\"; \"g\")]", r#""xay""#, r#"[["x","y"]]"#),
    ("implode", "[65]", r#"["A"]"#),
    ("@base64d", r#""YQ==""#, r#"["a"]"#),
    ("limit(1; error)?", "null", "[]"),
    ("getpath([\"a\",0,\"b\"])", "null", "[null]"),
    ("have_decnum", "null", "[false]"),
];

/// All outputs of an expression as one array; `None` for an error.
fn outputs(expression: &str, input: &str) -> Option<Value> {
    let input = serde_json::from_str(input).unwrap();
    run(&format!("[{expression}]"), &input).ok()
}

/// The same from the `jq` of this machine.
fn of_jq(expression: &str, input: &str) -> Option<Value> {
    let mut jq = Command::new("jq")
        .arg("-c")
        .arg(format!("[{expression}]"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the tests need the program jq");
    // A jq that refuses the expression ends without reading.
    jq.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    let output = jq.wait_with_output().unwrap();
    output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
}

/// Numbers compare by value: 2.0 is 2.
fn same(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::Number(left)), Some(Value::Number(right))) => left.as_f64() == right.as_f64(),
        (Some(Value::Array(left)), Some(Value::Array(right))) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(Some(left), Some(right)))
        }
        (Some(Value::Object(left)), Some(Value::Object(right))) => {
            left.len() == right.len() && left.iter().all(|(key, value)| same(Some(value), right.get(key)))
        }
        (left, right) => left == right,
    }
}

fn expected(outputs: &str) -> Option<Value> {
    (!outputs.is_empty()).then(|| serde_json::from_str(outputs).unwrap())
}

#[test]
fn the_table_holds() {
    let wrong: Vec<String> = TABLE
        .iter()
        .chain(NEWER)
        .filter_map(|(expression, input, wanted)| {
            let (wanted, got) = (expected(wanted), outputs(expression, input));
            (!same(wanted.as_ref(), got.as_ref())).then(|| {
                format!(
                    "{input} | {expression}: wanted {wanted:?}, got {got:?} ({:?})",
                    run(expression, &serde_json::from_str(input).unwrap())
                )
            })
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_table_is_that_of_jq() {
    let wrong: Vec<String> = TABLE
        .iter()
        .filter_map(|(expression, input, wanted)| {
            let (wanted, got) = (expected(wanted), of_jq(expression, input));
            (!same(wanted.as_ref(), got.as_ref()))
                .then(|| format!("{input} | {expression}: wanted {wanted:?}, jq says {got:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn results_have_the_shape_of_the_language() {
    assert_eq!(run("empty", &json!(1)), Ok(json!(null)));
    assert_eq!(run("1, 2", &json!(1)), Ok(json!([1, 2])));
    assert_eq!(run("[1]", &json!(1)), Ok(json!([1])));
    assert_eq!(run("[nan, infinite, -infinite]", &json!(1)), Ok(json!([null, null, null])));
    assert_eq!(run(".id", &json!({"id": u64::MAX})), Ok(json!(u64::MAX)));
    assert_eq!(run("9007199254740993 + 0", &json!(1)), Ok(json!(9_007_199_254_740_993_i64)));
}

#[test]
fn an_expression_reaches_nothing_outside() {
    for text in [
        "halt",
        "halt_error",
        "halt(1)",
        "env",
        "env.HOME",
        "input",
        "[inputs]",
        "debug",
        "debug(\"x\")",
        "stderr",
        "localtime",
        "strflocaltime(\"%H\")",
    ] {
        let error = run(text, &json!(0)).unwrap_err();
        assert!(error.contains("is not available"), "{text}: {error}");
        assert!(run(&format!("try {text} catch 1"), &json!(0)).is_ok(), "{text}");
    }
    assert_eq!(run("now", &json!(0)), Ok(json!(1_700_000_000)));
    for text in ["$ENV", "$__prog_args", "import \"a\" as a; 1", "include \"a\"; 1", "input_filename"] {
        assert!(run(text, &json!(0)).is_err(), "{text}");
    }
}

#[test]
fn an_expression_without_end_ends() {
    for text in [
        "[repeat(1)]",
        "last(repeat(1))",
        "until(false; . + 1)",
        "until(false; .)",
        "[range(1e18)] | length",
        "last(range(1e18))",
        "def f: f; f",
        "def f: 1 + f; f",
        "def f: [f]; f",
        "[limit(1e12; repeat(\"x\"))]",
        "reduce range(1e9) as $i (\"x\"; . + .)",
        "reduce range(1e9) as $i (0; [.])",
        "[recurse([.])] | length",
        "\"x\" * 1e12",
        "try repeat(1) catch 2",
        "[.[] as $a | .[] as $b | .[] as $c | .[] as $d | 1] | length",
        ".[1e15] = 1",
    ] {
        let input = Value::Array((0..1_000).map(Value::from).collect());
        let expression = Expression::compile(text, &[]).unwrap();
        assert!(expression.evaluate_within(100_000, &input, &[], Timestamp::default()).is_err(), "{text}");
    }
}

#[test]
fn time_is_bounded_by_the_input_unless_there_is_a_loop() {
    let is_bounded = |text: &str| Expression::compile(text, &["item".into()]).unwrap().is_bounded();
    for text in [
        ".",
        ".a[0].b",
        "map(.x + 1) | add",
        "[.[] | select(.n > 3)] | length",
        "$item.id",
        "\"a\\(.b)\"",
        "..",
        "sort_by(.x) | first",
        "if .a then 1 else 2 end",
    ] {
        assert!(is_bounded(text), "{text}");
    }
    for text in [
        "range(5)",
        "[repeat(1)]",
        "reduce .[] as $x (0; . + $x)",
        "def f: f; f",
        "until(. > 1; . + 1)",
        "limit(3; .[])",
        "[.[] | recurse(.[]?)]",
    ] {
        assert!(!is_bounded(text), "{text}");
    }
}

#[test]
fn what_cannot_be_compiled_is_refused_with_a_reason() {
    let reason = |text: &str| Expression::compile(text, &["item".into()]).unwrap_err();
    assert!(reason(".a.b |").contains("expected term"), "{}", reason(".a.b |"));
    assert!(reason("nope(1)").contains("no function nope/1"));
    assert!(reason("$nope").contains("no variable $nope"));
    assert!(reason(".a } ${ .b").contains("syntax error"), "E7");
    assert!(reason("").contains("expected term"));
    assert!(reason("[1, 2").contains("no end of '['"));
    assert!(Expression::compile("$item + $input", &["item".into()]).is_ok());
    assert!(reason("import \"a\" as a; .").contains("modules"));
}

#[test]
fn no_text_overflows_the_stack_of_the_compiler() {
    for part in [
        "(",
        "[",
        "{a:",
        "-",
        ".|",
        ".,",
        "try ",
        "if . then ",
        ".a.b.c.d[0]",
        "1+",
        "def f: ",
        "\"\\(",
        "reduce ",
        ". as $x | ",
        "label $x | ",
        "not ",
        ".a=",
        "[.[]|",
    ] {
        for count in [100, 1_500, 9_000] {
            // Only that it returns.
            drop(Expression::compile(&part.repeat(count), &[]));
            drop(Expression::compile(&format!("{}1", part.repeat(count)), &[]));
        }
    }
    let pipes = format!(".{}", "|.+1".repeat(120));
    assert_eq!(run(&pipes, &json!(0)), Ok(json!(120)));
}

#[test]
fn secrets_are_seen_in_the_text() {
    let of = |text: &str| {
        let expression = Expression::compile(text, &[]).unwrap();
        (expression.secrets().iter().map(ToString::to_string).collect::<Vec<_>>(), expression.reads_all_secrets())
    };
    assert_eq!(of("$secrets.key"), (vec!["key".to_owned()], false));
    assert_eq!(of("\"x\\($secret[\"my key\"].part)\""), (vec!["my key".to_owned()], false));
    assert_eq!(of("$secrets[.name]"), (vec![], true));
    assert_eq!(of("$secrets | keys"), (vec![], true));
    assert_eq!(of("\"$secrets.key\""), (vec![], false));
}
