//! `registrar serve` and `registrar migrate`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use registrar_server::app::{Application, open_existing_store, open_store};
use registrar_server::forms;
use registrar_server::settings::Settings;
use registrar_server::token;
use registrar_store::{Store, TokenError, redact};

use crate::{Outcome, open_files, print, say};

/// Name of the token that the very first start makes.
const FIRST_TOKEN: &str = "first";
/// The file that it is written to where standard output is no terminal.
const FIRST_TOKEN_FILE: &str = "first-token";
/// The form of the line that is printed to try it with.
const SAMPLE_FORM: &str = "reference_rest_api_create_user";

/// Serves until it is told to stop.
pub(crate) fn serve(settings: Settings) -> Outcome {
    let shown_database = redact(&settings.database_url);
    open_files::raise(&settings);
    actix_web::rt::System::new().block_on(async {
        let host =
            settings.listen.rsplit_once(':').map_or("127.0.0.1", |(host, _)| host).to_owned();
        let first_start = settings.clone();
        let application = Application::build(settings)?;
        let url = format!("http://{host}:{}", application.port());
        say(&format!("registrar: serving {url} with {shown_database}"));
        if let Some(port) = application.admin_port() {
            say(&format!("registrar: health and metrics on port {port} alone"));
        }
        if application.store().is_new() {
            say(&format!(
                "registrar: {shown_database} was empty or not there: it is a NEW database; \
                 `create_database: false` refuses to make one"
            ));
        }
        greet(&first_start, application.store(), &url)?;
        application.run().await?;
        say("registrar: stopped; everything accepted is stored");
        Ok(ExitCode::SUCCESS)
    })
}

/// On the very first start: makes a token that may do everything, and prints a line to try it with.
/// The token is printed on a terminal; output that is no terminal ends in a log, so there it is written
/// to a file that only the owner can read.
fn greet(settings: &Settings, store: &Store, url: &str) -> Result<(), Box<dyn std::error::Error>> {
    if store.has_tokens()? {
        return Ok(());
    }
    let token = token::generate()?;
    let token = token.reveal();
    let file = match std::io::stdout().is_terminal() {
        true => None,
        false => Some(write_secret(&token_folder(settings), token)?),
    };
    match store.create_token(FIRST_TOKEN, &token::hash(token), None, None, None) {
        // Another server that starts at this moment made it, and shows it.
        Err(TokenError::NameTaken) => {
            return Ok(file.map_or(Ok(()), std::fs::remove_file)?);
        }
        made => made?,
    };
    let (told, shell) = match &file {
        None => ("shown only now".to_owned(), token.to_owned()),
        Some(file) => {
            let file = file.display();
            let told =
                format!("in a file of mode 0600 to be kept elsewhere and deleted:\n\n  {file}");
            (told, format!("$(cat '{file}')"))
        }
    };
    let token = if file.is_none() { format!(":\n\n  {token}") } else { String::new() };
    let registry = forms::load(&settings.forms, settings.policies)?;
    let line = if registry.served_form(SAMPLE_FORM).is_some() {
        format!(
            "curl -i {url}/api/users \\\n    -H \"Authorization: Token token={shell}\" \\\n    \
             -H 'Content-Type: application/json' \\\n    \
             -d '{{\"form_configuration_name\": \"{SAMPLE_FORM}\", \"form\": \
             {{\"first_name\": \"Example\", \"email\": \"example1@example.com\", \"password\": \"somepassword\"}}}}'"
        )
    } else {
        format!("curl -i {url}/api/form_configurations -H \"Authorization: Token token={shell}\"")
    };
    print(&format!(
        "This is the first start. Here is an API token that may do everything, {told}{token}\n\n\
         Try it:\n\n  {line}\n"
    ));
    Ok(())
}

/// Returns the folder of the database file, or the current one where there is none.
fn token_folder(settings: &Settings) -> PathBuf {
    let file =
        settings.database_url.strip_prefix("sqlite:").map(|path| path.trim_start_matches("//"));
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
    // One that is there already is of another database, and its mode may be another.
    if let Err(error) = std::fs::remove_file(&file)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error);
    }
    writeln!(options.open(&file)?, "{secret}")?;
    Ok(file)
}

/// Brings the database up to date.
pub(crate) fn migrate(settings: Settings) -> Outcome {
    let settings = Settings { migrate: true, ..settings };
    open_store(&settings)?;
    say(&format!("registrar: {} is up to date", redact(&settings.database_url)));
    Ok(ExitCode::SUCCESS)
}

/// Copies the database to a file, whole or not at all. A server on it goes on meanwhile.
pub(crate) fn back_up(settings: Settings, file: &Path) -> Outcome {
    let settings = Settings { migrate: false, ..settings };
    open_existing_store(&settings)?.back_up(file)?;
    say(&format!("registrar: {} is a copy of the database as it was just now", file.display()));
    Ok(ExitCode::SUCCESS)
}
