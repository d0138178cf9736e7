//! Builds the tree of a YAML file from the events of the YAML library's parser.
//!
//! Without limits, a few lines of aliases exhaust memory, and a few thousand brackets the stack.

use std::collections::{HashMap, HashSet};

use serde_yaml::granit_parser::{self, Event, Marker, ScalarStyle, StrInput, Tag};

use super::node::{Data, Entry, FileId, Location, Node};
use super::problem::{ProblemCode, Problems};
use super::scalar;

/// Maximum number of values in a file, with aliases expanded.
const MAX_VALUES: usize = 100_000;
/// Maximum size of the keys and strings of a file in bytes, with aliases expanded.
const MAX_FILE_BYTES: usize = 4 << 20;
/// Maximum nesting depth of lists and mappings. Trees are read recursively, and the thread that
/// reloads forms has 2 MiB of stack.
const MAX_DEPTH: usize = 32;
/// Maximum number of aliases in a file; beyond the first 100, ten for each anchor.
const MAX_ALIASES: usize = 1_000;

/// Builds one tree. Methods return `None` after adding the problem that ended parsing.
pub(super) struct Parser<'t, 'p> {
    event_source: granit_parser::Parser<'t, StrInput<'t>>,
    problems: &'p mut Problems,
    /// The events so far; an alias reads those of its anchor again.
    events: Vec<(Event<'t>, Location)>,
    /// Index of the next event.
    next: usize,
    /// Indexes of the first events of complete nodes, by the IDs of their anchors.
    anchors: HashMap<usize, usize>,
    /// All aliases outside of others.
    aliases: Vec<Location>,
    /// The alias that is being expanded.
    alias: Option<Location>,
    values: usize,
    bytes: usize,
    depth: usize,
}

impl<'t, 'p> Parser<'t, 'p> {
    pub(super) fn new(text: &'t str, problems: &'p mut Problems) -> Self {
        let options = granit_parser::options! { emit_comments: false };
        let event_source = granit_parser::Parser::new_from_str_with_options(text, options);
        let (anchors, aliases, alias) = (HashMap::new(), Vec::new(), None);
        let (events, next, values, bytes, depth) = (Vec::new(), 0, 0, 0, 0);
        Self { event_source, problems, events, next, anchors, aliases, alias, values, bytes, depth }
    }

    /// Returns the tree of the only document.
    pub(super) fn document(mut self) -> Option<Node> {
        let tree = self.node(false)?;
        if !matches!(self.events.last(), Some((Event::StreamEnd, _))) {
            self.peek()?;
        }
        let limit = (10 * self.anchors.len()).clamp(100, MAX_ALIASES);
        if let Some(&location) = self.aliases.get(limit) {
            let limits = format!("{MAX_ALIASES} aliases, or more than ten for each anchor");
            let what = format!("the file has more than {limits}");
            return self.refuse(location, what, "fewer aliases");
        }
        Some(tree)
    }

    fn refuse<T>(&mut self, location: Location, what: String, expected: &str) -> Option<T> {
        self.problems.add(ProblemCode::Syntax, location, what, expected, None);
        None
    }

    fn refuse_syntax<T>(&mut self, location: Location, message: &str) -> Option<T> {
        let what = format!("invalid YAML: {message}");
        self.refuse(location, what, "a YAML 1.2 mapping")
    }

    /// Returns the next event and its location, without moving on.
    fn peek(&mut self) -> Option<&(Event<'t>, Location)> {
        while self.next == self.events.len() {
            let (event, span) = match self.event_source.next()? {
                Ok(next) => next,
                Err(error) => {
                    return self.refuse_syntax(location_of(error.marker()), &error.info());
                }
            };
            // What is nothing but a tag is where the tag is.
            let is_empty = matches!(&event, Event::Scalar(text, ..) if text.is_empty());
            let start = span.tag_start().filter(|_| is_empty).unwrap_or(span.start);
            let location = location_of(&start);
            match event {
                Event::DocumentStart(..) if !self.events.is_empty() => {
                    let what = "a second document begins here".to_owned();
                    return self.refuse(location, what, "one YAML document in a file");
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                _ => self.events.push((event, location)),
            }
        }
        self.events.get(self.next)
    }

    /// Returns the next node; within an alias, with the location of the alias. The number or
    /// boolean of a key is text.
    fn node(&mut self, is_key: bool) -> Option<Node> {
        let first = self.next;
        let (event, location) = self.peek()?.clone();
        let location = self.alias.unwrap_or(location);
        self.next += 1;
        let (anchor, data) = match event {
            Event::Alias(anchor) => return self.expand(anchor, location, is_key),
            Event::Scalar(text, style, anchor, tag) => {
                self.count(location, text.len())?;
                match scalar::value(text, style, tag.as_deref(), is_key) {
                    Ok(data) => (anchor, data),
                    Err(message) => return self.refuse_syntax(location, &message),
                }
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(location, tag.as_deref(), "seq")?;
                let mut items = Vec::new();
                while !self.close()? {
                    items.push(self.node(false)?);
                }
                (anchor, Data::List(items))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.open(location, tag.as_deref(), "map")?;
                (anchor, Data::Map(self.entries()?))
            }
            // The file is empty.
            _ => (0, Data::Null),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, first);
        }
        Some(Node { location, data })
    }

    /// Returns the node of an anchor.
    fn expand(&mut self, anchor: usize, location: Location, is_key: bool) -> Option<Node> {
        if self.alias.is_none() {
            self.aliases.push(location);
        }
        let Some(&first) = self.anchors.get(&anchor) else {
            return self.refuse_syntax(location, "an alias within its own anchor");
        };
        let after = (self.next, self.alias);
        (self.next, self.alias) = (first, Some(location));
        let node = self.node(is_key)?;
        (self.next, self.alias) = after;
        Some(node)
    }

    /// Returns the entries of a mapping; those of merge keys (`<<`) follow its own, without keys
    /// that an earlier entry has.
    fn entries(&mut self) -> Option<Vec<Entry>> {
        let (mut entries, mut merged) = (Vec::new(), Vec::new());
        while !self.close()? {
            let is_merge = matches!(
                self.peek()?,
                (Event::Scalar(text, ScalarStyle::Plain, _, tag), _)
                    if text == "<<" && tag.as_ref().is_none_or(|tag| tag.suffix() == "merge")
            );
            let key = self.node(true)?;
            let Data::Text(text) = key.data else {
                let message = format!("a key is {}, not a string", key.describe());
                return self.refuse_syntax(key.location, &message);
            };
            let value = self.node(false)?;
            if is_merge {
                self.merge(value, &mut merged)?;
            } else {
                entries.push(Entry { key: text, location: key.location, value });
            }
        }
        if !merged.is_empty() {
            let mut keys: HashSet<_> = entries.iter().map(|entry| entry.key.clone()).collect();
            merged.retain(|entry| keys.insert(entry.key.clone()));
            entries.append(&mut merged);
        }
        Some(entries)
    }

    /// Adds the entries of a merge key's value.
    fn merge(&mut self, value: Node, merged: &mut Vec<Entry>) -> Option<()> {
        match value.data {
            Data::Null => {}
            Data::Map(mut entries) => merged.append(&mut entries),
            Data::List(items) => {
                items.into_iter().try_for_each(|item| self.merge(item, merged))?;
            }
            _ => {
                let message = "YAML merge value must be mapping or sequence of mappings";
                return self.refuse_syntax(value.location, message);
            }
        }
        Some(())
    }

    /// Begins a list or mapping.
    fn open(&mut self, location: Location, tag: Option<&Tag>, kind: &str) -> Option<()> {
        if let Some(tag) = tag.filter(|tag| !["", kind].contains(&scalar::tag_name(tag).as_str())) {
            return self.refuse_syntax(location, &scalar::unsupported(tag));
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let what = format!("lists and mappings are nested more than {MAX_DEPTH} deep");
            return self.refuse(location, what, "fewer levels");
        }
        self.count(location, 0)
    }

    /// Returns whether the list or mapping ends here, and moves behind its end.
    fn close(&mut self) -> Option<bool> {
        let is_end = matches!(self.peek()?.0, Event::SequenceEnd | Event::MappingEnd);
        self.next += usize::from(is_end);
        self.depth -= usize::from(is_end);
        Some(is_end)
    }

    /// Counts a value with a text of so many bytes.
    fn count(&mut self, location: Location, bytes: usize) -> Option<()> {
        self.values += 1;
        self.bytes += bytes;
        if self.values > MAX_VALUES {
            let what = format!("the file has more than {MAX_VALUES} values");
            return self.refuse(
                location,
                what,
                "fewer values; each alias counts with its expansion",
            );
        }
        if self.bytes > MAX_FILE_BYTES {
            let what = format!("the strings of the file exceed {} MiB", MAX_FILE_BYTES >> 20);
            let expected = "shorter strings; each alias counts with its expansion";
            return self.refuse(location, what, expected);
        }
        Some(())
    }
}

fn location_of(marker: &Marker) -> Location {
    let (line, column) = (marker.line().max(1) as u64, marker.col() as u64 + 1);
    Location { line, column, file: FileId::MAIN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Problems, parse};

    /// Returns the only problem of a file.
    fn problem(text: &str) -> String {
        let mut problems = Problems::new("a.yml".into());
        let tree = parse(text, &mut problems);
        let problems = problems.into_vec();
        assert!(tree.is_none() && problems.len() == 1, "{problems:?}");
        problems[0].to_string()
    }

    fn is_read(text: &str) -> bool {
        let mut problems = Problems::new("a.yml".into());
        parse(text, &mut problems).is_some() && problems.is_empty()
    }

    fn aliases(count: usize) -> String {
        vec!["*a"; count].join(", ")
    }

    #[test]
    fn aliases_of_aliases_are_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let before = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{before}]\n"));
        }
        let problem = problem(&text);
        assert!(problem.starts_with("a.yml:5:"), "{problem}");
        assert!(problem.contains("[syntax] the file has more than 100000 values"), "{problem}");
    }

    #[test]
    fn aliases_of_something_large_are_refused() {
        let wide =
            |count| format!("a: &a [{}]\nb: [{}]\n", vec!["x"; 2_000].join(", "), aliases(count));
        assert!(is_read(&wide(40)));
        assert!(problem(&wide(50)).contains("more than 100000 values"));
        let long = |count| format!("a: &a '{}'\nb: [{}]\n", "x".repeat(100_000), aliases(count));
        assert!(is_read(&long(40)));
        let problem = problem(&long(41));
        assert!(problem.starts_with("a.yml:2:"), "{problem}");
        assert!(problem.contains("the strings of the file exceed 4 MiB"), "{problem}");
    }

    #[test]
    fn many_aliases_are_refused() {
        assert!(is_read(&format!("a: &a 1\nb: [{}]\n", aliases(99))));
        assert!(
            problem(&format!("a: &a 1\nb: [{}]\n", aliases(101))).contains("ten for each anchor")
        );
    }

    /// Runs within the default stack of a thread.
    #[test]
    fn nesting_is_bounded() {
        for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", "")] {
            let nest = |depth| format!("{}x{}", open.repeat(depth), close.repeat(depth));
            assert!(is_read(&nest(MAX_DEPTH)), "{open}");
            let problem = problem(&nest(MAX_DEPTH + 1));
            assert!(problem.contains("more than 32 deep"), "{problem}");
        }
    }

    #[test]
    fn many_values_and_documents_are_refused() {
        let lines = |count| (0..count).map(|line| format!("k{line}: 1\n")).collect::<String>();
        assert!(is_read(&lines(MAX_VALUES / 2 - 1)));
        assert!(problem(&lines(MAX_VALUES / 2)).starts_with("a.yml:50000:"));
        assert!(problem("a: 1\n---\nb: 1\n").contains("a second document"));
    }
}
