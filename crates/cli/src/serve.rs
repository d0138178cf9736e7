//! `registrar serve`, `registrar migrate` and `registrar backup`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use registrar_server::app::{Application, open_existing_store, open_store};
use registrar_server::auth::token;
use registrar_server::settings::Settings;
use registrar_store::{TokenError, redact};

use crate::{CommandResult, open_files, print, print_message};

/// Name of the token created on the first start.
const FIRST_TOKEN: &str = "first";
/// File that the token is written to if standard output is not a terminal.
const FIRST_TOKEN_FILE: &str = "first-token";
/// Form used by the printed sample request.
const SAMPLE_FORM: &str = "reference_rest_api_create_user";

/// Serves until shutdown.
pub(crate) fn serve(settings: Settings) -> CommandResult {
    let shown_database = redact(&settings.database_url);
    open_files::raise(&settings);
    actix_web::rt::System::new().block_on(async {
        let host =
            settings.listen.rsplit_once(':').map_or("127.0.0.1", |(host, _)| host).to_owned();
        let database_url = settings.database_url.clone();
        let application = Application::build(settings)?;
        let url = format!("http://{host}:{}", application.port());
        print_message(&format!("registrar: serving {url} with {shown_database}"));
        if let Some(port) = application.admin_port() {
            print_message(&format!("registrar: health and metrics on port {port} only"));
        }
        if application.store().is_new() {
            print_message(&format!(
                "registrar: {shown_database} was empty or missing: a NEW database was created; \
                 `create_database: false` prevents this"
            ));
        }
        print_first_token(&application, &database_url, &url)?;
        application.run().await?;
        print_message("registrar: stopped; everything accepted is stored");
        Ok(ExitCode::SUCCESS)
    })
}

/// Creates an unlimited token on the first start, and prints it with a sample request. If standard output
/// is not a terminal it usually ends up in a log, so the token is written to a file with mode 0600.
fn print_first_token(
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
            let file = file.display();
            let notice = format!(
                "in a file with mode 0600; store it elsewhere and delete the file:\n\n  {file}"
            );
            (notice, format!("$(cat '{file}')"))
        }
    };
    let token = if file.is_none() { format!(":\n\n  {token}") } else { String::new() };
    let registry = application.config().current();
    let line = if registry.served_form(SAMPLE_FORM).is_some() {
        format!(
            "curl -i {url}/api/users \\\n    -H \"Authorization: Token token={token_argument}\" \\\n    \
             -H 'Content-Type: application/json' \\\n    \
             -d '{{\"form_configuration_name\": \"{SAMPLE_FORM}\", \"form\": \
             {{\"first_name\": \"Example\", \"email\": \"example1@example.com\", \"password\": \"somepassword\"}}}}'"
        )
    } else {
        format!(
            "curl -i {url}/api/form_configurations -H \"Authorization: Token token={token_argument}\""
        )
    };
    print(&format!(
        "This is the first start: an API token without limits was created, {notice}{token}\n\n\
         Try it:\n\n  {line}\n"
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

/// Migrates the database to the current schema.
pub(crate) fn migrate(settings: Settings) -> CommandResult {
    let settings = Settings { migrate: true, ..settings };
    open_store(&settings)?;
    print_message(&format!("registrar: {} is up to date", redact(&settings.database_url)));
    Ok(ExitCode::SUCCESS)
}

/// Copies the database to a file. A server may be using it.
pub(crate) fn back_up(settings: Settings, file: &Path) -> CommandResult {
    let settings = Settings { migrate: false, ..settings };
    open_existing_store(&settings)?.back_up(file)?;
    print_message(&format!("registrar: {} is a copy of the database", file.display()));
    Ok(ExitCode::SUCCESS)
}
