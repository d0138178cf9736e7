//! A tokenizer for expressions and templates, for translating Liquid and checking names.

/// A token of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// Whitespace.
    Space(&'t str),
    /// A string literal, with its quotes.
    Quoted(&'t str),
    /// A name or a number.
    Word(&'t str),
    /// Anything else: an operator of one or two characters.
    Sign(&'t str),
}

impl<'t> Token<'t> {
    pub(super) fn text(self) -> &'t str {
        match self {
            Self::Space(text) | Self::Quoted(text) | Self::Word(text) | Self::Sign(text) => text,
        }
    }

    pub(super) fn is_word(self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text == word)
    }

    pub(super) fn is_sign(self, sign: &str) -> bool {
        matches!(self, Self::Sign(text) if text == sign)
    }
}

/// Splits an expression into tokens; concatenated, they are the input.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run = |fits: fn(char) -> bool| rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
        let (token, length) = if first.is_whitespace() {
            let length = run(char::is_whitespace);
            (Token::Space(&rest[..length]), length)
        } else if first == '\'' || first == '"' {
            let length = quoted(rest, first);
            (Token::Quoted(&rest[..length]), length)
        } else if is_of_word(first) {
            let length = run(|c| c.is_alphanumeric() || c == '_');
            (Token::Word(&rest[..length]), length)
        } else {
            let pair = ["==", "!=", "<=", ">=", "<>", "//", "**"];
            let length =
                if pair.iter().any(|pair| rest.starts_with(pair)) { 2 } else { first.len_utf8() };
            (Token::Sign(&rest[..length]), length)
        };
        tokens.push(token);
        rest = &rest[length..];
    }
    tokens
}

/// Returns the number of words and signs; whitespace, string literals and commas do not count,
/// so that lists may be long.
pub(super) fn count_steps(text: &str) -> usize {
    let is_step = |token: &&Token<'_>| match token {
        Token::Space(_) | Token::Quoted(_) => false,
        Token::Word(_) => true,
        Token::Sign(sign) => *sign != ",",
    };
    tokens(text).iter().filter(is_step).count()
}

/// Returns the length in bytes of the string literal that `text` starts with, quotes included; all
/// of `text` if it is not closed.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            character if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextBlock<'t> {
    Text(&'t str),
    /// The content of `{{ }}`.
    Output(&'t str),
    /// The content of `{% %}`.
    Block(&'t str),
}

/// Splits a template into its parts; returns `None` if a `{{` or `{%` is not closed.
pub(super) fn text_blocks(text: &str) -> Option<Vec<TextBlock<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    // One search for either mark: two would each scan the rest of the template for every part.
    let is_mark = |rest: &str, at: usize| matches!(rest.as_bytes().get(at + 1), Some(b'{' | b'%'));
    while let Some((start, _)) = rest.match_indices('{').find(|(at, _)| is_mark(rest, *at)) {
        if start > 0 {
            pieces.push(TextBlock::Text(&rest[..start]));
        }
        let is_output = rest[start..].starts_with("{{");
        let inner = &rest[start + 2..];
        let end = end_of(inner, if is_output { "}}" } else { "%}" })?;
        let text = inner[..end].trim_start_matches('-').trim_end_matches('-');
        pieces.push(if is_output { TextBlock::Output(text) } else { TextBlock::Block(text) });
        rest = &inner[end + 2..];
    }
    if !rest.is_empty() {
        pieces.push(TextBlock::Text(rest));
    }
    Some(pieces)
}

/// Returns the position of a closing mark outside of string literals.
fn end_of(text: &str, mark: &str) -> Option<usize> {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(mark) {
            return Some(at);
        }
        let first = rest.chars().next()?;
        at += match first {
            '\'' | '"' => quoted(rest, first),
            first => first.len_utf8(),
        };
    }
    None
}
