# Definitions of jq 1.7 that jaq lacks or answers differently. They take the place of definitions of the same name and arity.

def nan: number_nan;
def infinite: number_infinite;
def isnan: number_is_nan;
def isinfinite: type == "number" and (. == infinite or . == -infinite);
def isnormal: type == "number" and ((isnan or isinfinite or (. < 2.2250738585072014e-308 and . > -2.2250738585072014e-308)) | not);
def type: type_name;
def isvalid(f): try (f | true) catch false;
def gamma: lgamma;
def nearbyint: rint;
def abs: if type == "number" and . < 0 then -. else . end;
def toarray: if type == "array" then . else [.] end;
def have_literal_numbers: true;
def have_decnum: false;

def booleans: select(type == "boolean");
def numbers: select(type == "number");
def strings: select(type == "string");
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type | . == "array" or . == "object");
def scalars: select(type | . != "array" and . != "object");

def todate: strftime("%Y-%m-%dT%H:%M:%SZ");
def fromdateiso8601: strptime("%Y-%m-%dT%H:%M:%SZ") | mktime;
def todateiso8601: strftime("%Y-%m-%dT%H:%M:%SZ");
def fromdate: fromdateiso8601;
def date: todate;
def dateadd(u; n): . + n;
def datesub(u; n): . - n;

def add: reduce .[] as $x (null; . + $x);
def any: reduce .[] as $x (false; . or $x);
def all: reduce .[] as $x (true; . and $x);
def join($separator): reduce .[] as $x (null;
    (if . == null then "" else . + $separator end) +
    ($x | if . == null then "" elif type == "boolean" or type == "number" then tojson else . end)
  ) // "";
def flatten_to($depth): reduce .[] as $x ([];
    if ($x | type) == "array" and $depth != 0 then . + ($x | flatten_to($depth - 1)) else . + [$x] end
  );
def flatten: flatten_to(-1);
def flatten($depth): if $depth < 0 then error("flatten depth must not be negative") else flatten_to($depth) end;
def unique: [group_by(.)[] | .[0]];
def in(xs): . as $x | xs | has($x);
def inside(xs): . as $x | xs | contains($x);
def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $w | [$x] + $w end;
def combinations($n): . as $dot | [range($n)] | map($dot) | combinations;
def walk(f): def w: if type == "object" then map_values(w) elif type == "array" then map(w) else . end | f; w;
def transpose: if . == [] then [] else . as $in | (map(length) | max) as $max | [range(0; $max) as $j | [range(0; $in | length) as $i | $in[$i][$j]]] end;
def limit($n; f): if $n > 0 then label $out | foreach f as $item (0; . + 1; $item, if . >= $n then break $out else empty end) elif $n == 0 then empty else f end;
def first: .[0];
def last: .[-1];
def nth($n; f): if $n < 0 then error("Out of bounds negative array index") else first(skip($n; f)) end;
def index($i): indices($i) | .[0];
def rindex($i): indices($i) | .[-1:][0];
def ascii: [.] | implode;

def to_entries: [keys_unsorted[] as $k | {key: $k, value: .[$k]}];
def entry_key: if .key == null then .k // .name // .Name // .K // .Key else .key end | if type == "string" then . else tojson end;
def entry_value: if has("value") then .value elif has("v") then .v else .Value end;
def from_entries: reduce .[] as $x ({}; . + { ($x | entry_key): ($x | entry_value) });
def with_entries(f): to_entries | map(f) | from_entries;

def delpaths($paths): reduce ($paths | unique | reverse | .[]) as $path (.; delete_path($path));
def del(f): delpaths([path(f)]);
def leaf_paths: paths(scalars);
def pick(f): . as $top | reduce path(f) as $path (null; setpath($path; $top | getpath($path)));
def tostream: path(def r: (.[]? | r), .; r) as $p | getpath($p) | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
def fromstream(f): {x: null, e: false} as $init
  | foreach f as $i ($init;
      if .e then $init else . end
      | if $i | length == 2
        then setpath(["e"]; $i[0] | length == 0) | setpath(["x"] + $i[0]; $i[1])
        else setpath(["e"]; $i[0] | length == 1) end;
      if .e then .x else empty end);
def truncate_stream(stream): . as $n | null | stream | . as $input | if (.[0] | length) > $n then setpath([0]; .[0][$n:]) else empty end;
def JOIN($idx; idx_expr): [.[] | [., $idx[idx_expr]]];
def JOIN($idx; stream; idx_expr): stream | [., $idx[idx_expr]];
def JOIN($idx; stream; idx_expr; join_expr): stream | [., $idx[idx_expr]] | join_expr;
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row);
def INDEX(f): INDEX(.[]; f);
def splits($re): splits($re; null);
def splits($re; flags): split($re; flags) | .[];

def regex_flags: if . == null then "" else . end;
def match($re; $flags): matches($re; $flags | regex_flags)[] | .[0] + { captures: .[1:] | map({offset, length, string, name}) } | {offset, length, string, captures};
def match($val): if ($val | type) == "array" then match($val[0]; $val[1]) else match($val; null) end;
def test($re; $flags): matches($re; $flags | regex_flags) | any(.[]; true);
def test($val): if ($val | type) == "array" then test($val[0]; $val[1]) else test($val; null) end;
def capture($re; $flags): matches($re; $flags | regex_flags)[] | capture_of_match;
def capture($val): if ($val | type) == "array" then capture($val[0]; $val[1]) else capture($val; null) end;
def scan($re; $flags): match($re; "g" + ($flags | regex_flags)) | if (.captures | length) > 0 then [.captures[].string] else .string end;
def scan($re): scan($re; null);
def split($re; $flags): split_($re; "g" + ($flags | regex_flags));
# The n-th outputs of all replacements make the n-th output.
def sub($re; f; $flags): . as $whole | split_matches($re; $flags | regex_flags) as $parts
  | (reduce range(0; ($parts | length) - 1; 2) as $at ([]; . as $results
      | [$parts[$at + 1] | capture_of_match | f] as $replacements
      | reduce range(0; $replacements | length) as $n ($results; .[$n] += $parts[$at] + $replacements[$n]))
    | .[] + $parts[-1]) // $whole;
def sub($re; f): sub($re; f; "");
def gsub($re; f; $flags): sub($re; f; "g" + $flags);
def gsub($re; f): sub($re; f; "g");

def @csv: [.[] | if type == "number" then tojson elif type == "boolean" then tojson elif . == null then "" elif type == "string" then "\"" + (split("\"") | join("\"\"")) + "\"" else error("\(type) (\(tojson)) is not valid in a csv row") end] | join(",");
def @tsv: [.[] | if type == "number" then tojson elif type == "boolean" then tojson elif . == null then "" elif type == "string" then escape_tsv else error("\(type) (\(tojson)) cannot be tsv-formatted, only an array of scalars can be") end] | join("\t");
def @json: tojson;
def @html: tostring | escape_html_as_jq;
def error(f): f | error;
