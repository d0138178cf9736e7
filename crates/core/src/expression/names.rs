//! Checks the names of filters, tests and functions in an expression without evaluating it, so that
//! every branch is covered.

use super::language;
use super::tokens::{Token, tokens};
use crate::config::{Node, ProblemCode, Reader};

/// The name of a filter, test or function that does not exist.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnknownName {
    kind: &'static str,
    name: String,
    known: &'static [&'static str],
}

impl UnknownName {
    /// Reports the name as a problem at `node`.
    pub(crate) fn note(&self, reader: &mut Reader<'_>, node: &Node) {
        let code = ProblemCode::BadExpression;
        reader.unknown(code, self.kind, &self.name, node.location, "an expression", self.known);
    }
}

/// Returns the first operator `||`, `&&` or `!`, which are `or`, `and` and `not` here.
pub(super) fn foreign(text: &str) -> Option<&'static str> {
    let words = tokens(text);
    words.windows(2).find_map(|pair| match (pair[0], pair[1]) {
        (Token::Sign("|"), Token::Sign("|")) => Some("||"),
        (Token::Sign("&"), Token::Sign("&")) => Some("&&"),
        (Token::Sign("!"), Token::Word(_) | Token::Sign("(")) => Some("!"),
        _ => None,
    })
}

/// Checks each name after `|` (filter), after `is` (test) and before `(` (function).
///
/// # Errors
/// Returns the first unknown name.
pub(crate) fn check(text: &str) -> Result<(), UnknownName> {
    let words: Vec<Token<'_>> =
        tokens(text).into_iter().filter(|token| !matches!(token, Token::Space(_))).collect();
    for (at, token) in words.iter().enumerate() {
        let Token::Word(name) = *token else { continue };
        let before = |back: usize| at.checked_sub(back).and_then(|at| words.get(at)).copied();
        let is_after = |word: &str| before(1).is_some_and(|token| token.is_word(word));
        let (kind, known) = if before(1).is_some_and(|token| token.is_sign("|")) {
            ("filter", language::FILTERS)
        } else if (is_after("is") && name != "not")
            || (is_after("not") && before(2).is_some_and(|token| token.is_word("is")))
        {
            ("test", language::TESTS)
        } else if words.get(at + 1).is_some_and(|token| token.is_sign("("))
            && !["and", "or", "not", "in", "if", "else", "is"].contains(&name)
            && !before(1).is_some_and(|token| token.is_word("is"))
        {
            ("function", language::FUNCTIONS)
        } else {
            continue;
        };
        if !known.contains(&name) {
            return Err(UnknownName { kind, name: name.to_owned(), known });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn rejects_unknown_filters_tests_and_functions() {
        for text in
            ["form.a | lower", "form.a is blank", "form.a is not blank", "not (form.a)", "'x | y'"]
        {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for (text, kind, name) in [
            ("form.a | loud", "filter", "loud"),
            ("form.a is shiny", "test", "shiny"),
            ("form.a is not shiny", "test", "shiny"),
            ("true or open('x')", "function", "open"),
            ("form.a.call('x')", "function", "call"),
        ] {
            let unknown = check(text).unwrap_err();
            assert_eq!((unknown.kind, unknown.name.as_str()), (kind, name), "{text}");
        }
    }
}
