//! `registrar serve`, `registrar migrate` and `registrar backup`.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;

use registrar_server::app::{Application, open_existing_store, open_store};
use registrar_server::settings::{LogFormat, Settings};
use registrar_store::redact;

use crate::first_token::print_first_token;
use crate::flags::ServeFlags;
use crate::summary::Summary;
use crate::{CommandResult, built_in_forms_notice, open_files, print_message};

/// Prints or logs what a server does.
#[derive(Debug, Clone, Copy)]
struct Announcer {
    is_quiet: bool,
    is_json: bool,
}

impl Announcer {
    fn say(self, text: &str) {
        match self {
            Self { is_quiet: true, .. } => {}
            Self { is_json: true, .. } => {
                log::info!(target: "registrar", "{}", text.trim_start_matches("registrar: "));
            }
            _ => print_message(text),
        }
    }
}

/// Serves until shutdown.
pub(crate) fn serve(settings: Settings, flags: &ServeFlags) -> CommandResult {
    let announcer =
        Announcer { is_quiet: flags.quiet, is_json: settings.log_format == LogFormat::Json };
    let shown_database = redact(&settings.database_url);
    if let Some(warning) = open_files::raise(&settings) {
        announcer.say(&warning);
    }
    actix_web::rt::System::new().block_on(async {
        let host = client_host(&settings.listen).to_owned();
        let (database_url, folders) = (settings.database_url.clone(), settings.forms.clone());
        let notice = built_in_forms_notice(&settings);
        let application = Application::build(settings)?;
        let url = format!("http://{host}:{}", application.port());
        announcer.say(&format!("registrar: serving {url} with {shown_database}"));
        if let Some(notice) = notice {
            announcer.say(notice);
        }
        if let Some(port) = application.admin_port() {
            announcer.say(&format!("registrar: health and metrics on port {port} only"));
        }
        if application.store().is_new() {
            announcer.say(&format!(
                "registrar: {shown_database} was empty or missing: a NEW database was created; \
                 `create_database: false` prevents this"
            ));
        }
        let registry = application.config().current();
        if registry.served().is_empty() {
            let folders: Vec<String> =
                folders.iter().map(|folder| folder.display().to_string()).collect();
            announcer.say(&format!(
                "registrar: warning: no form is served, since there is none in {}: \
                 `registrar new form sign_up` writes one",
                folders.join(", ")
            ));
        }
        if !announcer.is_quiet && !announcer.is_json && std::io::stderr().is_terminal() {
            let summary = Summary::new(&registry, &url, &shown_database);
            summary.print();
        }
        drop(registry);
        print_first_token(&application, &database_url, &url)?;
        application.run().await?;
        announcer.say("registrar: stopped; all accepted submissions are stored");
        Ok(ExitCode::SUCCESS)
    })
}

/// Returns the host that clients on this machine connect to. They cannot connect to the address that
/// stands for all addresses.
fn client_host(listen: &str) -> &str {
    match listen.rsplit_once(':').map_or("127.0.0.1", |(host, _)| host) {
        "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        host => host,
    }
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

#[test]
fn printed_address_can_be_connected_to() {
    assert_eq!(client_host("0.0.0.0:80"), "127.0.0.1");
    assert_eq!(client_host("[::]:80"), "[::1]");
    assert_eq!(client_host("10.0.0.1:80"), "10.0.0.1");
}
