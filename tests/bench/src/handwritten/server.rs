//! Routes, flags, and the handler from a request to its answer.

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

/// Why the server does not start.
pub type ServeError = Box<dyn Error>;

/// The server written by hand.
#[derive(Debug, Clone, Parser)]
pub struct Flags {
    /// sqlite:PATH or postgres://…
    #[arg(long)]
    pub database_url: String,
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: String,
    /// The token that requests must bear.
    #[arg(long)]
    pub token: String,
    /// Who shares a transaction.
    #[arg(long, value_enum, default_value_t = Commit::Group)]
    pub commit: Commit,
    /// Writers of `--commit group` on PostgreSQL.
    #[arg(long, default_value_t = 2)]
    pub writers: u32,
    /// Connections of `--commit each`.
    #[arg(long, default_value_t = 4)]
    pub connections: u32,
}

/// Who shares a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Commit {
    /// All that waits.
    Group,
    /// Nobody.
    Each,
}

#[derive(Clone)]
enum Way {
    Group(Group, Passwords),
    Each(Each),
}

struct State {
    /// The whole header, to be compared with.
    authorization: String,
    way: Way,
}

/// A server that listens.
pub struct Yardstick {
    /// What to await, within an actix runtime.
    pub server: Server,
    /// The port it listens on.
    pub port: u16,
}

/// Serves until it is told to stop.
///
/// # Errors
/// Where the database cannot be opened, or the address is taken.
pub fn serve(flags: Flags) -> Result<(), ServeError> {
    actix_web::rt::System::new().block_on(async { Ok(Yardstick::build(&flags)?.server.await?) })
}

impl Yardstick {
    /// Opens the database and listens. Must be called within an actix runtime.
    ///
    /// # Errors
    /// As [`serve`].
    pub fn build(flags: &Flags) -> Result<Self, ServeError> {
        let url = &flags.database_url;
        registrar_store::migrate(url)?;
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let way = match flags.commit {
            Commit::Each => Way::Each(Each::start(url, flags.connections)?),
            Commit::Group => {
                let writers = if url.starts_with("sqlite:") { 1 } else { flags.writers };
                let connections: Result<Vec<Connection>, _> =
                    (0..writers).map(|_| Connection::open(url)).collect();
                Way::Group(Group::start(connections?)?, Passwords::start(cores)?)
            }
        };
        let authorization = format!("Bearer {}", flags.token);
        let state = web::Data::new(State { authorization, way });
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

/// `POST /api/users`
async fn create(request: HttpRequest, bytes: web::Bytes, state: web::Data<State>) -> HttpResponse {
    let given = request.headers().get(AUTHORIZATION);
    if given.is_none_or(|given| given.as_bytes() != state.authorization.as_bytes()) {
        return HttpResponse::Unauthorized().finish();
    }
    let mut body: Body<'_> = match serde_json::from_slice(&bytes) {
        Ok(body) => body,
        Err(error) => return unreadable(&error),
    };
    if body.form_configuration_name != "marketplace_seller" {
        return HttpResponse::NotAcceptable().finish();
    }
    let seller = match check(&body.form) {
        Ok(seller) => seller,
        Err(errors) => return refused(errors),
    };
    let password = body.form.password.take();
    match store(&state.way, seller, password).await {
        Some(Outcome::Stored(id)) => {
            HttpResponse::Created().json(Told { id: Some(id), errors: Fields(Errors::new()) })
        }
        Some(Outcome::Taken(claims)) => refused(taken(&claims)),
        Some(Outcome::PutOff | Outcome::Failed) => HttpResponse::InternalServerError().finish(),
        None => HttpResponse::ServiceUnavailable().finish(),
    }
}

async fn store(way: &Way, mut seller: Seller, password: Option<String>) -> Option<Outcome> {
    match way {
        Way::Each(each) => Some(each.create(seller, password).await),
        Way::Group(group, passwords) => {
            if let Some(password) = password {
                seller.phc = Some(passwords.hash(password).await?);
            }
            group.create(seller).await
        }
    }
}

/// `POST /bare`: parses the body and refuses it, whatever is in it.
async fn bare(bytes: web::Bytes) -> HttpResponse {
    match serde_json::from_slice::<Body<'_>>(&bytes) {
        Ok(_) => HttpResponse::UnprocessableEntity()
            .content_type("application/json")
            .body(r#"{"errors":{"email":["can't be blank"]}}"#),
        Err(error) => unreadable(&error),
    }
}

/// 400 for what is no JSON; 422 for what is of another shape.
fn unreadable(error: &serde_json::Error) -> HttpResponse {
    if error.is_data() {
        return refused(vec![("base".into(), "is of another shape")]);
    }
    HttpResponse::BadRequest().finish()
}

fn refused(errors: Errors) -> HttpResponse {
    HttpResponse::UnprocessableEntity().json(Told { id: None, errors: Fields(errors) })
}

#[derive(Serialize)]
struct Told {
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
