//! Routes, flags and request handlers.

use std::error::Error;
use std::num::NonZero;
use std::thread;

use actix_web::dev::Server;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use clap::{Parser, ValueEnum};
use serde::{Serialize, Serializer};

use super::body::Body;
use super::checks::{Errors, check, taken};
use super::connection::Connection;
use super::each::Each;
use super::group::Group;
use super::passwords::Passwords;
use super::seller::{Outcome, Seller};

/// Error that prevents the server from starting.
pub type ServeError = Box<dyn Error>;

/// The handwritten reference server.
#[derive(Debug, Clone, Parser)]
pub struct Flags {
    /// sqlite:PATH or postgres://…
    #[arg(long)]
    pub database_url: String,
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: String,
    /// Token that requests must send.
    #[arg(long)]
    pub token: String,
    /// How submissions share transactions.
    #[arg(long, value_enum, default_value_t = Commit::Group)]
    pub commit: Commit,
    /// Writers of `--commit group` on PostgreSQL.
    #[arg(long, default_value_t = 2)]
    pub writers: u32,
    /// Connections of `--commit each`.
    #[arg(long, default_value_t = 4)]
    pub connections: u32,
}

/// How submissions share transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Commit {
    /// All queued submissions share one.
    Group,
    /// Each submission has its own.
    Each,
}

#[derive(Clone)]
enum Committer {
    Group(Group, Passwords),
    Each(Each),
}

struct State {
    /// Expected value of the `Authorization` header.
    authorization: String,
    committer: Committer,
}

/// A bound server.
pub struct HandwrittenServer {
    /// Future to await within an actix runtime.
    pub server: Server,
    /// Port that the server listens on.
    pub port: u16,
}

/// Serves until the process is stopped.
///
/// # Errors
/// Returns an error if the database cannot be opened or the address cannot be bound.
pub fn serve(flags: Flags) -> Result<(), ServeError> {
    actix_web::rt::System::new()
        .block_on(async { Ok(HandwrittenServer::build(&flags)?.server.await?) })
}

impl HandwrittenServer {
    /// Opens the database and binds the address. Must be called within an actix runtime.
    ///
    /// # Errors
    /// Returns an error under the conditions of [`serve`].
    pub fn build(flags: &Flags) -> Result<Self, ServeError> {
        let url = &flags.database_url;
        registrar_store::migrate(url)?;
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let committer = match flags.commit {
            Commit::Each => Committer::Each(Each::start(url, flags.connections)?),
            Commit::Group => {
                let writers = if url.starts_with("sqlite:") { 1 } else { flags.writers };
                let connections: Result<Vec<Connection>, _> =
                    (0..writers).map(|_| Connection::open(url)).collect();
                Committer::Group(Group::start(connections?)?, Passwords::start(cores)?)
            }
        };
        let authorization = format!("Bearer {}", flags.token);
        let state = web::Data::new(State { authorization, committer });
        let app = move || {
            App::new()
                .app_data(state.clone())
                .app_data(web::PayloadConfig::new(1024 * 1024))
                .route("/api/users", web::post().to(create))
                .route("/bare", web::post().to(bare))
        };
        let server = HttpServer::new(app).workers(cores).bind(&flags.listen)?;
        let port = server.addrs().first().map_or(0, std::net::SocketAddr::port);
        Ok(Self { server: server.run(), port })
    }
}

/// `POST /api/users`.
async fn create(request: HttpRequest, bytes: web::Bytes, state: web::Data<State>) -> HttpResponse {
    let given = request.headers().get(AUTHORIZATION);
    if given.is_none_or(|given| given.as_bytes() != state.authorization.as_bytes()) {
        return HttpResponse::Unauthorized().finish();
    }
    let mut body: Body<'_> = match serde_json::from_slice(&bytes) {
        Ok(body) => body,
        Err(error) => return json_error(&error),
    };
    if body.form_configuration_name != "marketplace_seller" {
        return HttpResponse::NotAcceptable().finish();
    }
    let seller = match check(&body.form) {
        Ok(seller) => seller,
        Err(errors) => return refused(errors),
    };
    let password = body.form.password.take();
    match store(&state.committer, seller, password).await {
        Some(Outcome::Stored(id)) => HttpResponse::Created()
            .json(ResponseBody { id: Some(id), errors: Fields(Errors::new()) }),
        Some(Outcome::Taken(claims)) => refused(taken(&claims)),
        Some(Outcome::Deferred | Outcome::Failed) => HttpResponse::InternalServerError().finish(),
        None => HttpResponse::ServiceUnavailable().finish(),
    }
}

async fn store(
    committer: &Committer,
    mut seller: Seller,
    password: Option<String>,
) -> Option<Outcome> {
    match committer {
        Committer::Each(each) => Some(each.create(seller, password).await),
        Committer::Group(group, passwords) => {
            if let Some(password) = password {
                seller.phc = Some(passwords.hash(password).await?);
            }
            group.create(seller).await
        }
    }
}

/// `POST /bare`: parses the body and always responds with an error.
async fn bare(bytes: web::Bytes) -> HttpResponse {
    match serde_json::from_slice::<Body<'_>>(&bytes) {
        Ok(_) => HttpResponse::UnprocessableEntity()
            .content_type("application/json")
            .body(r#"{"errors":{"email":["can't be blank"]}}"#),
        Err(error) => json_error(&error),
    }
}

/// Responds with 400 to malformed JSON, and with 422 to JSON of another structure.
fn json_error(error: &serde_json::Error) -> HttpResponse {
    if error.is_data() {
        return refused(vec![("base".into(), "is of another shape")]);
    }
    HttpResponse::BadRequest().finish()
}

fn refused(errors: Errors) -> HttpResponse {
    HttpResponse::UnprocessableEntity().json(ResponseBody { id: None, errors: Fields(errors) })
}

#[derive(Serialize)]
struct ResponseBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    errors: Fields,
}

struct Fields(Errors);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(field, message)| (field, [message])))
    }
}
