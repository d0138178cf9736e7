//! `registrar completions` and `registrar man`: files for shells and `man`, generated from the flags.

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::flags::Flags;
use crate::{CommandResult, print, print_message};

/// Prints the completion script of a shell.
pub(crate) fn completions(shell: Shell) -> CommandResult {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Flags::command(), "registrar", &mut script);
    print(String::from_utf8(script)?.trim_end());
    Ok(ExitCode::SUCCESS)
}

/// Writes a page for each command to a folder; without one, prints the main page.
pub(crate) fn man(folder: Option<&Path>) -> CommandResult {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        Man::new(Flags::command()).render(&mut page)?;
        print(String::from_utf8(page)?.trim_end());
        return Ok(ExitCode::SUCCESS);
    };
    let failed = |error| format!("cannot write pages to {}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(Flags::command(), folder).map_err(failed)?;
    print_message(&format!("registrar: the pages are in {}", folder.display()));
    Ok(ExitCode::SUCCESS)
}
