//! `file_size`: the content of a file must not exceed a maximum size.

use super::file::FileSource;
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};
use crate::config::{Data, Node};
use crate::messages::{Message, Param, Params};

static FILE_SIZE: Message = Message::new("file_size", "is too big");

pub(super) static RULE: Rule = Rule {
    name: "file_size",
    aliases: &[],
    summary: "The decoded content of a `data:` URL must not exceed the maximum size. A file \
              without content passes: its size is unknown. For strings, images and attachments.",
    options: &[RuleOption::new(
        "maximum",
        "bytes, or a number with KB, MB, KiB or MiB",
        "Maximum size: `200000`, `200 KB`, `2 MiB`.",
    )],
    main_option: Some("maximum"),
    messages: &[&FILE_SIZE],
    applies_to: Applicability { nodes: true, ..Applicability::VALUES },
    accepts: &[
        ("3", "\"data:;base64,AAAA\""),
        ("1 KiB", "\"data:,hello\""),
        ("1", "\"https://example.com/large.zip\""),
    ],
    rejects: &[("2", "\"data:;base64,AAAA\"", "file_size"), ("4", "\"data:,hello\"", "file_size")],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let source = FileSource::of(compile)?;
    let node = compile.get("maximum");
    let Some(maximum) = node.and_then(size) else {
        let location = node.map_or(compile.location, |node| node.location);
        compile.bad(
            location,
            "`file_size` has no `maximum`",
            "bytes, or `200 KB`, `2 MB`, `2 MiB`",
        );
        return None;
    };
    Some(Box::new(Size { source, maximum }))
}

/// Parses a size such as `200000`, `200 KB` or `2MiB` and returns it in bytes.
fn size(node: &Node) -> Option<u64> {
    let (Data::Number(text) | Data::Text(text)) = &node.data else { return None };
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let unit: u64 = match text[digits.len()..].trim() {
        "" => 1,
        "KB" | "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

#[derive(Debug)]
struct Size {
    source: FileSource,
    maximum: u64,
}

impl Check for Size {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        let content = self.source.file(input).and_then(|file| file.content);
        if content.is_some_and(|content| content.size() > self.maximum) {
            let count = Param::Number(self.maximum.to_string());
            reporter.fail(&FILE_SIZE, Params::from([("count", count)]));
        }
    }
}
