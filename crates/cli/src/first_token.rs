//! The token that the first start of a server creates.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use registrar_core::Timestamp;
use registrar_server::app::Application;
use registrar_server::auth::token;
use registrar_store::TokenError;

use crate::print;
use crate::sample_request::{create_command, list_command, quoted};

/// Name of the token created on the first start.
const FIRST_TOKEN: &str = "first";
/// File that the token is written to if standard output is not a terminal.
const FIRST_TOKEN_FILE: &str = "first-token";

/// Creates an unlimited token on the first start, and prints it with a sample request. If standard output
/// is not a terminal it usually ends up in a log, so the token is written to a file with mode 0600.
pub(crate) fn print_first_token(
    application: &Application,
    database_url: &str,
    url: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let store = application.store();
    if store.has_tokens()? {
        return Ok(());
    }
    let token = token::generate()?;
    let token = token.reveal();
    let file = match std::io::stdout().is_terminal() {
        true => None,
        false => Some(write_secret(&token_folder(database_url), token)?),
    };
    match store.create_token(FIRST_TOKEN, &token::hash(token), None, None, None) {
        // Another server that started at the same time created and printed it.
        Err(TokenError::NameTaken) => {
            return Ok(file.map_or(Ok(()), std::fs::remove_file)?);
        }
        made => made?,
    };
    let (notice, token_argument) = match &file {
        None => ("shown only once".to_owned(), token.to_owned()),
        Some(file) => {
            let file = file.display().to_string();
            let notice = format!(
                "in a file with mode 0600; store it elsewhere and delete the file:\n\n  {file}"
            );
            (notice, format!("$(cat {})", quoted(&file)))
        }
    };
    let token = if file.is_none() { format!(":\n\n  {token}") } else { String::new() };
    let registry = application.config().current();
    let create = create_command(&registry, url, &token_argument, Timestamp::now());
    let try_it = match create {
        Some(command) => format!("Try it:\n\n  {command}\n"),
        None => format!(
            "No served form creates users: `registrar new form sign_up` writes one, and `registrar init` \
             a project with one. The forms are listed by:\n\n  {}\n",
            list_command(url, &token_argument)
        ),
    };
    print(&format!(
        "This is the first start: an API token without limits was created, {notice}{token}\n\n{try_it}"
    ));
    Ok(())
}

/// Returns the folder of the database file, or the current folder if there is none.
fn token_folder(database_url: &str) -> PathBuf {
    let file = database_url.strip_prefix("sqlite:").map(|path| path.trim_start_matches("//"));
    let folder = file.and_then(|file| Path::new(file).parent()).unwrap_or(Path::new(""));
    folder.canonicalize().or_else(|_| std::env::current_dir()).unwrap_or_default()
}

/// Writes a secret to a new file that only its owner can read.
fn write_secret(folder: &Path, secret: &str) -> std::io::Result<PathBuf> {
    let file = folder.join(FIRST_TOKEN_FILE);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // An old file belongs to another database, and its mode may differ.
    if let Err(error) = std::fs::remove_file(&file)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error);
    }
    writeln!(options.open(&file)?, "{secret}")?;
    Ok(file)
}
