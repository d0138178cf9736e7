//! `file_content_type`: a file must be of an allowed media type.

use super::file::FileSource;
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};
use crate::messages::{Message, Params};

pub(super) static FILE_TYPE: Message = Message::new("file_type", "has a type that is not allowed");

pub(super) static RULE: Rule = Rule {
    name: "file_content_type",
    aliases: &[],
    summary: "The file must be of an allowed media type. The type of a `data:` URL is detected \
              from its content, and its declared type is ignored, except for text formats (CSV, \
              SVG, JSON, …), which cannot be detected. For a file without content, the extension \
              and the declared type are checked if given; at least one is required. For strings, \
              images and attachments.",
    options: &[RuleOption::new(
        "allow",
        "a media type or a list",
        "The allowed types: `image/png`, `image/*`.",
    )],
    main_option: Some("allow"),
    messages: &[&FILE_TYPE],
    applies_to: Applicability { nodes: true, ..Applicability::VALUES },
    accepts: &[
        ("image/*", "\"data:image/gif;base64,R0lGODlhAQABAAAAACw=\""),
        ("[image/png, image/jpeg]", "\"https://cdn.example.com/me.JPG?size=2\""),
        ("[text/csv]", "\"data:text/csv,a,b%0A1,2\""),
        ("image/png", "\"image/png\""),
    ],
    rejects: &[
        ("image/png", "\"data:image/png;base64,R0lGODlhAQABAAAAACw=\"", "file_type"),
        ("image/*", "\"data:image/png,not%20an%20image\"", "file_type"),
        ("image/*", "\"contract.pdf\"", "file_type"),
        ("image/*", "\"README\"", "file_type"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let source = FileSource::of(compile)?;
    let Some(allowed) = compile.texts("allow").filter(|allowed| !allowed.is_empty()) else {
        compile.bad(compile.location, "`file_content_type` allows nothing", "`allow: [image/png]`");
        return None;
    };
    if let Some(odd) = allowed.iter().find(|allowed| !allowed.contains('/')) {
        let what = format!("`{odd}` is not a media type");
        compile.bad(compile.location, what, "a type such as `image/png` or `image/*`");
    }
    let allowed = allowed.iter().map(|allowed| allowed.to_ascii_lowercase()).collect();
    Some(Box::new(ContentType { source, allowed }))
}

#[derive(Debug)]
struct ContentType {
    source: FileSource,
    allowed: Vec<String>,
}

impl ContentType {
    fn allows(&self, found: &str) -> bool {
        self.allowed.iter().any(|allowed| match allowed.strip_suffix('*') {
            Some(kind) => found.starts_with(kind),
            None => found == allowed,
        })
    }
}

impl Check for ContentType {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        if self.source.file(input).is_some_and(|file| !file.is_of(|found| self.allows(found))) {
            reporter.fail(&FILE_TYPE, Params::new());
        }
    }
}
