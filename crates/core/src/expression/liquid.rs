//! Translation of Liquid syntax to Jinja, so that platformOS' forms load unchanged.
//! Source: shopify.github.io/liquid, "Basics" and "Operators".

use super::tokens::{TextBlock, Token, text_blocks, tokens};

/// Translates an expression: `a contains b`, `a == nil`, `a != blank`, `a <> b`, `a.size`,
/// `a | default: 'x'`.
pub(super) fn expression(text: &str) -> String {
    let words = tokens(text);
    let mut out = String::with_capacity(text.len() + 8);
    // Whether the parenthesis opened for a filter's arguments is still to be closed.
    let mut open = false;
    let mut at = 0;
    while at < words.len() {
        let token = words[at];
        let next = next_word(&words, at + 1);
        if (token.is_sign("==") || token.is_sign("!=") || token.is_sign("<>"))
            && let Some((index, name)) = next.filter(|(_, name)| is_nothing(name))
        {
            let name = if name == "null" { "nil" } else { name };
            out.push_str(if token.is_sign("==") { "is " } else { "is not " });
            out.push_str(name);
            at = index + 1;
            continue;
        }
        match token {
            Token::Sign("<>") => out.push_str("!="),
            Token::Word("contains") => out.push_str("is containing"),
            Token::Word("nil" | "null") if !after_is(&words, at) => out.push_str("none"),
            Token::Sign(".") if words.get(at + 1).is_some_and(|word| word.is_word("size")) => {
                out.push_str("|length");
                at += 1;
            }
            Token::Sign("|") => {
                close(&mut out, &mut open);
                out.push('|');
                if let Some((index, name)) = next
                    && let Some(colon) = sign_at(&words, index + 1, ":")
                {
                    out.push(' ');
                    out.push_str(name);
                    out.push('(');
                    open = true;
                    at = colon;
                }
            }
            token => out.push_str(token.text()),
        }
        at += 1;
    }
    close(&mut out, &mut open);
    out
}

fn close(out: &mut String, open: &mut bool) {
    if std::mem::take(open) {
        let length = out.trim_end().len();
        out.truncate(length);
        out.push_str(") ");
    }
}

fn is_nothing(name: &str) -> bool {
    matches!(name, "nil" | "null" | "blank" | "empty")
}

fn after_is(words: &[Token<'_>], at: usize) -> bool {
    let before = words[..at].iter().rev().find(|token| !matches!(token, Token::Space(_)));
    before.is_some_and(|token| token.is_word("is") || token.is_word("not"))
}

fn next_word<'t>(words: &[Token<'t>], from: usize) -> Option<(usize, &'t str)> {
    let at = (from..words.len()).find(|at| !matches!(words[*at], Token::Space(_)))?;
    match words[at] {
        Token::Word(name) => Some((at, name)),
        _ => None,
    }
}

fn sign_at(words: &[Token<'_>], from: usize, sign: &str) -> Option<usize> {
    let at = (from..words.len()).find(|at| !matches!(words[*at], Token::Space(_)))?;
    words[at].is_sign(sign).then_some(at)
}

/// Translates a template with blocks; returns `None` if a tag is not closed.
pub(super) fn template(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 16);
    for piece in text_blocks(text)? {
        match piece {
            TextBlock::Text(text) => out.push_str(text),
            TextBlock::Output(text) => {
                out.push_str("{{");
                out.push_str(&expression(text));
                out.push_str("}}");
            }
            TextBlock::Block(text) => {
                out.push_str("{% ");
                out.push_str(&block(text.trim()));
                out.push_str(" %}");
            }
        }
    }
    Some(out)
}

fn block(text: &str) -> String {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    match word {
        "elsif" => format!("elif {}", expression(rest)),
        "unless" => format!("if not ({})", expression(rest)),
        "endunless" => "endif".to_owned(),
        "assign" => format!("set {}", expression(rest)),
        _ => expression(text),
    }
}

/// Returns the condition of a template of the form `{% if CONDITION %}true{% endif %}`, and whether
/// it is negated (`unless`).
pub(super) fn lone_condition(text: &str) -> Option<(&str, bool)> {
    let parts = text_blocks(text.trim())?;
    let [TextBlock::Block(open), TextBlock::Text(body), TextBlock::Block(end)] = parts[..] else {
        return None;
    };
    let (word, condition) = open.trim().split_once(char::is_whitespace)?;
    let negated = match (word, end.trim()) {
        ("if", "endif") => false,
        ("unless", "endunless") => true,
        _ => return None,
    };
    (body.trim() == "true").then_some((condition.trim(), negated))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translates_liquid_to_jinja() {
        for (liquid, jinja) in [
            ("form.a == 'b'", "form.a == 'b'"),
            ("form.a contains 'b'", "form.a is containing 'b'"),
            ("form.a == nil", "form.a is nil"),
            ("form.a != blank and form.b", "form.a is not blank and form.b"),
            ("form.a <> 1", "form.a != 1"),
            ("form.tags.size > 2", "form.tags|length > 2"),
            ("form.a | default: 'x' | upcase", "form.a | default('x') | upcase"),
            ("form.a | replace: 'x', \"|\"", "form.a | replace( 'x', \"|\") "),
            ("form.a | default('x')", "form.a | default('x')"),
            ("'nil == nil'", "'nil == nil'"),
        ] {
            let plain = |text: &str| text.replace(' ', "");
            assert_eq!(plain(&expression(liquid)), plain(jinja), "{liquid}");
        }
    }

    #[test]
    fn extracts_condition_of_template_with_single_if() {
        assert_eq!(
            lone_condition("{% if form.a == 'x' %}true{% endif %}"),
            Some(("form.a == 'x'", false))
        );
        assert_eq!(
            lone_condition(" {%- unless form.a -%} true {%- endunless -%} "),
            Some(("form.a", true))
        );
        assert_eq!(lone_condition("{% if form.a %}yes{% endif %}"), None);
        assert_eq!(lone_condition("{% if a %}true{% else %}false{% endif %}"), None);
    }
}
