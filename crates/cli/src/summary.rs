//! The summary that `serve` prints on a terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use registrar_contracts::Configuration;

const NAME: Style = AnsiColor::Cyan.on_default();
const VALUE: Style = Style::new().bold();
/// Maximum number of forms that are named.
const MAX_NAMES: usize = 5;

/// What a server serves, by name.
#[derive(Debug)]
pub(crate) struct Summary(Vec<(&'static str, String)>);

impl Summary {
    /// Returns the summary of a configuration that is served at a URL.
    pub(crate) fn new(registry: &Configuration, url: &str, database: &str) -> Self {
        let forms = registry.served();
        let mut names: Vec<&str> = forms.iter().take(MAX_NAMES).map(AsRef::as_ref).collect();
        if forms.len() > MAX_NAMES {
            names.push("…");
        }
        let tags: Vec<&str> = registry.locales().all().iter().map(|locale| locale.tag()).collect();
        let contracts: Vec<&str> =
            registry.contracts().list().iter().map(|contract| &*contract.name).collect();
        Self(vec![
            ("address", url.to_owned()),
            ("database", database.to_owned()),
            ("forms", counted(forms.len(), &names)),
            ("contracts", counted(contracts.len(), &contracts)),
            ("languages", counted(tags.len(), &tags)),
        ])
    }

    /// Prints the summary to standard error, with colours unless `NO_COLOR` is set or it is no terminal.
    pub(crate) fn print(&self) {
        use std::io::Write as _;
        // The log is where an error would be reported.
        let _ = writeln!(anstream::stderr(), "\n{}", self.render());
    }

    fn render(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.0 {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "  {NAME}{name:9}{NAME:#}  {VALUE}{value}{VALUE:#}");
        }
        text
    }
}

fn counted(count: usize, names: &[&str]) -> String {
    match names {
        [] => count.to_string(),
        names => format!("{count} ({})", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_is_aligned_and_plain_without_colours() {
        let registry = Configuration::compile(&[]).unwrap();
        let summary = Summary::new(&registry, "http://127.0.0.1:1", "sqlite:a.db").render();
        let plain = anstream::adapter::strip_str(&summary).to_string();
        assert_ne!(plain, summary);
        assert_eq!(
            plain,
            "  address    http://127.0.0.1:1\n  database   sqlite:a.db\n  forms      0\n  \
             contracts  0\n  languages  2 (de, en)\n"
        );
    }
}
