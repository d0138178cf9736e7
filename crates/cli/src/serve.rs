//! `registrar serve` and `registrar migrate`.

use std::path::Path;
use std::process::ExitCode;

use registrar_server::app::{Application, open_existing_store, open_store};
use registrar_server::settings::Settings;
use registrar_server::token;
use registrar_store::{Store, TokenError, redact};

use crate::{Outcome, open_files, print, say};

/// Name of the token that the very first start makes.
const FIRST_TOKEN: &str = "first";

/// Serves until it is told to stop.
pub(crate) fn serve(settings: Settings) -> Outcome {
    let shown_database = redact(&settings.database_url);
    open_files::raise(&settings);
    actix_web::rt::System::new().block_on(async {
        let host =
            settings.listen.rsplit_once(':').map_or("127.0.0.1", |(host, _)| host).to_owned();
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
        greet(application.store(), &url)?;
        application.run().await?;
        say("registrar: stopped; everything accepted is stored");
        Ok(ExitCode::SUCCESS)
    })
}

/// On the very first start: a token, and a line to try it with.
fn greet(store: &Store, url: &str) -> Result<(), Box<dyn std::error::Error>> {
    if store.has_tokens()? {
        return Ok(());
    }
    let token = token::generate()?;
    let token = token.reveal();
    match store.create_token(FIRST_TOKEN, &token::hash(token), None, None, None) {
        // Another server that starts at this moment made it, and shows it.
        Err(TokenError::NameTaken) => return Ok(()),
        made => made?,
    };
    print(&format!(
        "This is the first start. Here is an API token, shown only now:\n\n  {token}\n\n\
         Try it:\n\n  \
         curl -i {url}/api/users \\\n    \
         -H 'Authorization: Token token={token}' \\\n    \
         -H 'Content-Type: application/json' \\\n    \
         -d '{{\"form_configuration_name\": \"reference_rest_api_create_user\", \"form\": \
         {{\"first_name\": \"Example\", \"email\": \"example1@example.com\", \"password\": \"somepassword\"}}}}'\n"
    ));
    Ok(())
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
