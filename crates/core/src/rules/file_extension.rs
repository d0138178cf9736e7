//! `file_extension`: a file must have an allowed extension.

use super::file::FileSource;
use super::file_content_type::FILE_TYPE;
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};
use crate::messages::Params;

pub(super) static RULE: Rule = Rule {
    name: "file_extension",
    aliases: &[],
    summary: "The file name must have an allowed extension, regardless of case. The type of a \
              `data:` URL is detected from its content and must have an allowed extension. For \
              strings, images and attachments.",
    options: &[RuleOption::new(
        "allow",
        "an extension or a list",
        "The allowed extensions: `png`, `.png`.",
    )],
    main_option: Some("allow"),
    messages: &[&FILE_TYPE],
    applies_to: Applicability { nodes: true, ..Applicability::VALUES },
    accepts: &[
        ("[png, jpg]", "\"me.PNG\""),
        ("pdf", "\"https://example.com/a/contract.pdf#page=2\""),
        ("[jpeg]", "\"data:;base64,/9j/4AAQSkZJRgABAQAAAQABAAA=\""),
    ],
    rejects: &[
        ("[png, jpg]", "\"me.png.exe\"", "file_type"),
        ("png", "\"png\"", "file_type"),
        ("png", "\"data:image/png;base64,R0lGODlhAQABAAAAACw=\"", "file_type"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let source = FileSource::of(compile)?;
    let Some(allowed) = compile.texts("allow").filter(|allowed| !allowed.is_empty()) else {
        compile.bad(compile.location, "`file_extension` allows nothing", "`allow: [png]`");
        return None;
    };
    let allowed = allowed
        .iter()
        .map(|allowed| allowed.trim_start_matches('.').to_ascii_lowercase())
        .collect();
    Some(Box::new(Extension { source, allowed }))
}

#[derive(Debug)]
struct Extension {
    source: FileSource,
    allowed: Vec<String>,
}

impl Check for Extension {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        let allows = |found: &str| self.allowed.iter().any(|allowed| allowed == found);
        if self.source.file(input).is_some_and(|file| !file.has_extension(allows)) {
            reporter.fail(&FILE_TYPE, Params::new());
        }
    }
}
