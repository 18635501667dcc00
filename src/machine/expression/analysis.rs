//! What can be seen from the text of an expression without running it: which functions and variables it uses, which secrets it
//! reads, whether its time is bounded by its input. And one rewriting: operators run their right side first, as in jq.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::path::{Opt, Part, Path};

/// Functions whose work is not bounded by the size of their input, by name.
const UNBOUNDED: [&str; 12] = [
    "range",
    "repeat",
    "recurse",
    "while",
    "until",
    "combinations",
    "limit",
    "fromstream",
    "truncate_stream",
    "skip",
    "nth",
    "walk",
];

/// What an expression uses.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Called functions with their number of arguments.
    pub(super) calls: Vec<(String, usize)>,
    /// Variables with `$`, those that the expression binds itself included.
    pub(super) variables: Vec<String>,
    /// Names of secrets that are read one by one.
    pub(super) secrets: Vec<String>,
    /// `$secrets` is used otherwise than to read one named secret.
    pub(super) reads_all_secrets: bool,
    pub(super) has_loops: bool,
}

/// The functions a term calls.
pub(super) fn calls(term: &Term<&str>) -> Vec<(String, usize)> {
    let mut uses = Uses::default();
    uses.look_at(term);
    uses.calls
}

impl Uses {
    pub(super) fn of(term: &Term<&str>) -> Self {
        let mut uses = Self::default();
        uses.look_at(term);
        uses
    }

    fn look_at(&mut self, term: &Term<&str>) {
        match term {
            Term::Call(name, arguments) => {
                self.calls.push(((*name).to_owned(), arguments.len()));
                self.has_loops |= UNBOUNDED.contains(name) && !(*name == "recurse" && arguments.is_empty());
            }
            Term::Str(Some(format), _) => self.calls.push(((*format).to_owned(), 0)),
            Term::Var(name) => self.see_variable(name),
            Term::Fold(..) | Term::Def(..) => self.has_loops = true,
            Term::Path(root, path) => {
                if let (Term::Var(name @ ("$secrets" | "$secret")), Some(secret)) = (&**root, first_key(path)) {
                    self.variables.push((*name).to_owned());
                    self.secrets.push(secret);
                    for term in path_terms(path) {
                        self.look_at(term);
                    }
                    return;
                }
            }
            Term::Id
            | Term::Recurse
            | Term::Num(_)
            | Term::Str(None, _)
            | Term::Arr(_)
            | Term::Obj(_)
            | Term::Neg(_)
            | Term::BinOp(..)
            | Term::Label(..)
            | Term::Break(_)
            | Term::TryCatch(..)
            | Term::IfThenElse(..) => {}
        }
        for child in children(term) {
            self.look_at(child);
        }
    }

    fn see_variable(&mut self, name: &str) {
        self.reads_all_secrets |= matches!(name, "$secrets" | "$secret");
        self.variables.push(name.to_owned());
    }
}

/// The text of a string without interpolation.
pub(super) fn literal(term: &Term<&str>) -> Option<String> {
    let Term::Str(None, parts) = term else { return None };
    let mut text = String::new();
    for part in parts {
        match part {
            StrPart::Str(part) => text.push_str(part),
            StrPart::Char(character) => text.push(*character),
            StrPart::Term(_) => return None,
        }
    }
    Some(text)
}

fn first_key(path: &Path<Term<&str>>) -> Option<String> {
    match path.0.first()? {
        (Part::Index(key), Opt::Essential | Opt::Optional) => literal(key),
        (Part::Range(..), _) => None,
    }
}

fn path_terms<'t, 's>(path: &'t Path<Term<&'s str>>) -> Vec<&'t Term<&'s str>> {
    let terms = path.0.iter().flat_map(|(part, _)| match part {
        Part::Index(term) => [Some(term), None],
        Part::Range(start, end) => [start.as_ref(), end.as_ref()],
    });
    terms.flatten().collect()
}

fn pattern_terms<'t, 's>(pattern: &'t Pattern<&'s str>, terms: &mut Vec<&'t Term<&'s str>>) {
    match pattern {
        Pattern::Var(_) => {}
        Pattern::Arr(items) => items.iter().for_each(|item| pattern_terms(item, terms)),
        Pattern::Obj(entries) => {
            for (key, pattern) in entries {
                terms.push(key);
                pattern_terms(pattern, terms);
            }
        }
    }
}

/// The direct parts of a term.
fn children<'t, 's>(term: &'t Term<&'s str>) -> Vec<&'t Term<&'s str>> {
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) => Vec::new(),
        Term::Str(_, parts) => {
            let terms = parts.iter().map(|part| match part {
                StrPart::Term(term) => Some(term),
                StrPart::Str(_) | StrPart::Char(_) => None,
            });
            terms.flatten().collect()
        }
        Term::Arr(inner) => inner.iter().map(|inner| &**inner).collect(),
        Term::Obj(entries) => {
            entries.iter().flat_map(|(key, value)| std::iter::once(key).chain(value.as_ref())).collect()
        }
        Term::Neg(inner) | Term::Label(_, inner) => vec![inner],
        Term::BinOp(left, operator, right) => {
            let mut terms: Vec<&Term<&str>> = vec![left, right];
            if let BinaryOp::Pipe(Some(pattern)) = operator {
                pattern_terms(pattern, &mut terms);
            }
            terms
        }
        Term::Fold(_, source, pattern, arguments) => {
            let mut terms: Vec<&Term<&str>> = vec![source];
            pattern_terms(pattern, &mut terms);
            terms.extend(arguments);
            terms
        }
        Term::TryCatch(body, handler) => std::iter::once(body).chain(handler).map(|term| &**term).collect(),
        Term::IfThenElse(cases, otherwise) => {
            let cases = cases.iter().flat_map(|(condition, then)| [condition, then]);
            cases.chain(otherwise.iter().map(|term| &**term)).collect()
        }
        Term::Def(definitions, body) => {
            definitions.iter().map(|definition| &definition.body).chain(std::iter::once(&**body)).collect()
        }
        Term::Call(_, arguments) => arguments.iter().collect(),
        Term::Path(root, path) => std::iter::once(&**root).chain(path_terms(path)).collect(),
    }
}

/// The variable that holds the right side of an operator.
const RIGHT: &str = "$right_side";

/// The variables that hold the interpolations of a text.
const PARTS: [&str; 8] = ["$part_0", "$part_1", "$part_2", "$part_3", "$part_4", "$part_5", "$part_6", "$part_7"];

/// jq runs the right side of an operator first and the left side for each of its outputs; jaq the other way round. Where both
/// sides may have several outputs `l + r` becomes `r as $right_side | l + $right_side`. The interpolations of a text are run in
/// the same order: the last one is the outermost loop.
pub(super) fn in_the_order_of_jq<'s>(term: Term<&'s str>) -> Term<&'s str> {
    let each = |terms: Vec<Term<&'s str>>| terms.into_iter().map(in_the_order_of_jq).collect();
    let boxed = |term: Box<Term<&'s str>>| Box::new(in_the_order_of_jq(*term));
    match term {
        Term::BinOp(left, operator, right) => {
            let (left, right) = (boxed(left), boxed(right));
            if matches!(operator, BinaryOp::Math(_) | BinaryOp::Cmp(_)) && may_generate(&left) && may_generate(&right) {
                let applied = Term::BinOp(left, operator, Box::new(Term::Var(RIGHT)));
                return Term::BinOp(right, BinaryOp::Pipe(Some(Pattern::Var(RIGHT))), Box::new(applied));
            }
            Term::BinOp(left, operator, right)
        }
        Term::Arr(inner) => Term::Arr(inner.map(boxed)),
        Term::Obj(entries) => {
            let entries = entries.into_iter();
            Term::Obj(entries.map(|(key, value)| (in_the_order_of_jq(key), value.map(in_the_order_of_jq))).collect())
        }
        Term::Neg(inner) => Term::Neg(boxed(inner)),
        Term::Label(name, inner) => Term::Label(name, boxed(inner)),
        Term::Fold(kind, source, pattern, arguments) => {
            let mut arguments: Vec<Term<&str>> = each(arguments);
            if let ("reduce", [_, update]) = (kind, arguments.as_mut_slice())
                && may_generate(update)
            {
                *update = last_output(std::mem::replace(update, Term::Id));
            }
            Term::Fold(kind, boxed(source), pattern, arguments)
        }
        Term::TryCatch(body, handler) => Term::TryCatch(boxed(body), handler.map(boxed)),
        Term::IfThenElse(cases, otherwise) => {
            let cases =
                cases.into_iter().map(|(condition, then)| (in_the_order_of_jq(condition), in_the_order_of_jq(then)));
            Term::IfThenElse(cases.collect(), otherwise.map(boxed))
        }
        Term::Def(definitions, body) => {
            let definitions = definitions.into_iter().map(|definition| Def {
                name: definition.name,
                args: definition.args,
                body: in_the_order_of_jq(definition.body),
            });
            Term::Def(definitions.collect(), boxed(body))
        }
        Term::Call(name, arguments) => Term::Call(name, each(arguments)),
        Term::Path(root, path) => Term::Path(boxed(root), path),
        Term::Str(format, parts) => {
            let parts = parts.into_iter().map(|part| match part {
                StrPart::Term(term) => StrPart::Term(in_the_order_of_jq(term)),
                part @ (StrPart::Str(_) | StrPart::Char(_)) => part,
            });
            interpolated(format, parts.collect())
        }
        term @ (Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_)) => term,
    }
}

/// `reduce term as $last_output ([][0]; $last_output)`: of several outputs of an update jq keeps the last, of none `null`.
fn last_output(term: Term<&str>) -> Term<&str> {
    const LAST: &str = "$last_output";
    let first = Path(vec![(Part::Index(Term::Num("0")), Opt::Essential)]);
    let null = Term::Path(Box::new(Term::Arr(None)), first);
    Term::Fold("reduce", Box::new(term), Pattern::Var(LAST), vec![null, Term::Var(LAST)])
}

/// A text whose interpolations run from the last to the first, when several of them may have several outputs.
fn interpolated<'s>(format: Option<&'s str>, mut parts: Vec<StrPart<&'s str, Term<&'s str>>>) -> Term<&'s str> {
    let is_generator = |part: &StrPart<&str, Term<&str>>| matches!(part, StrPart::Term(term) if may_generate(term));
    let generators = parts.iter().filter(|part| is_generator(part)).count();
    if generators < 2 || generators > PARTS.len() {
        return Term::Str(format, parts);
    }
    let mut bound = Vec::new();
    for (part, name) in parts.iter_mut().filter(|part| is_generator(part)).zip(PARTS) {
        if let StrPart::Term(term) = std::mem::replace(part, StrPart::Term(Term::Var(name))) {
            bound.push((name, term));
        }
    }
    bound.into_iter().fold(Term::Str(format, parts), |text, (name, term)| {
        Term::BinOp(Box::new(term), BinaryOp::Pipe(Some(Pattern::Var(name))), Box::new(text))
    })
}

/// Whether a term may have more or less than one output. Too many terms say yes, which costs but does not matter.
fn may_generate(term: &Term<&str>) -> bool {
    match term {
        Term::Recurse | Term::Call(..) | Term::BinOp(_, BinaryOp::Comma, _) | Term::Fold(..) | Term::Def(..) => true,
        Term::Path(_, path) if path.0.iter().any(|(part, _)| matches!(part, Part::Range(None, None))) => true,
        // What is collected is one output, whatever is in there.
        Term::Arr(_) => false,
        Term::Id
        | Term::Num(_)
        | Term::Str(..)
        | Term::Obj(_)
        | Term::Neg(_)
        | Term::BinOp(..)
        | Term::Label(..)
        | Term::Break(_)
        | Term::TryCatch(..)
        | Term::IfThenElse(..)
        | Term::Var(_)
        | Term::Path(..) => children(term).into_iter().any(may_generate),
    }
}
