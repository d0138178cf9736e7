//! Parses the code blocks of a Markdown page.

/// A page of the documentation.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) steps: Vec<Step>,
    /// Whether it runs in a copy of the repository's forms and examples.
    pub(super) needs_repository: bool,
    /// Whether it runs with PostgreSQL.
    pub(super) needs_postgres: bool,
}

/// A code block, or one command of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A block with `title="path"`.
    File { path: String, text: String },
    /// A command of a `console` block, with its expected output.
    Command { line: usize, text: String, expected: Vec<String> },
}

impl Page {
    /// Parses a page. `console` blocks after `<!-- skip: reason -->` are left out.
    pub(super) fn parse(markdown: &str) -> Self {
        let mut page = Self::default();
        let mut is_skipped = false;
        let mut lines = markdown.lines().enumerate();
        while let Some((_, line)) = lines.next() {
            let line = line.trim_start();
            match line {
                "<!-- folder: repository -->" => page.needs_repository = true,
                "<!-- needs: postgres -->" => page.needs_postgres = true,
                _ => {}
            }
            let Some(info) = line.strip_prefix("```") else {
                is_skipped = line.starts_with("<!-- skip: ") || (is_skipped && line.is_empty());
                continue;
            };
            let block: Vec<(usize, &str)> =
                lines.by_ref().take_while(|(_, line)| line.trim() != "```").collect();
            if let Some(path) = title(info) {
                let text = block.iter().map(|(_, line)| format!("{line}\n")).collect();
                page.steps.push(Step::File { path: path.to_owned(), text });
            } else if info == "console" && !is_skipped {
                page.steps.extend(commands(&block));
            }
            is_skipped = false;
        }
        page
    }
}

/// Returns the file name in `yaml title="forms/sitter.yml"`.
fn title(info: &str) -> Option<&str> {
    info.split_once("title=\"")?.1.split_once('"').map(|(path, _)| path)
}

fn commands(block: &[(usize, &str)]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = block.iter().peekable();
    while let Some((index, line)) = rest.next() {
        let Some(first) = line.strip_prefix("$ ") else { continue };
        let mut text = first.to_owned();
        let here_document = first.split_once("<<").map(|(_, word)| {
            word.split_whitespace().next().unwrap_or_default().trim_matches(['\'', '"', '-'])
        });
        while let Some((_, line)) = rest.peek() {
            let ended = match here_document {
                Some(word) => text.lines().last() == Some(word),
                None => !text.ends_with('\\') && is_balanced(&text),
            };
            if ended {
                break;
            }
            text.push('\n');
            text.push_str(line);
            rest.next();
        }
        let mut expected = Vec::new();
        while let Some((_, line)) = rest.next_if(|(_, line)| !line.starts_with("$ ")) {
            expected.push((*line).to_owned());
        }
        while expected.last().is_some_and(String::is_empty) {
            expected.pop();
        }
        steps.push(Step::Command { line: index + 1, text, expected });
    }
    steps
}

/// Returns whether all single quotes are closed, so that the command is complete.
fn is_balanced(text: &str) -> bool {
    text.matches('\'').count().is_multiple_of(2)
}

#[test]
fn parses_commands_outputs_and_files() {
    let markdown = "```yaml title=\"forms/a.yml\"\nfields: {}\n```\n<!-- skip: docker -->\n\
                    ```console\n$ docker run\n```\n```console\n$ curl -d '{\n  \"a\": 1}' \\\n  url\n\
                    {\"id\":1}\n\n$ ls\n```\n";
    let page = Page::parse(markdown);
    let command = |line, text: &str, expected: &[&str]| Step::Command {
        line,
        text: text.to_owned(),
        expected: expected.iter().map(|&line| line.to_owned()).collect(),
    };
    let file = Step::File { path: "forms/a.yml".to_owned(), text: "fields: {}\n".to_owned() };
    let curl = command(9, "curl -d '{\n  \"a\": 1}' \\\n  url", &["{\"id\":1}"]);
    assert_eq!(page.steps, [file, curl, command(14, "ls", &[])]);
}
