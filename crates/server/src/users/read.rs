//! `GET /api/users/{id}` and `GET /api/users`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use registrar_core::decode::brackets;
use registrar_core::keys::email_key;
use registrar_core::value::Value;
use registrar_store::UserFilter;
use serde::Serialize;

use super::id_of;
use super::render::stored_user;
use super::update::no_such_user;
use crate::answer::{Answer, Failure, Fault, MEDIA_TYPE, json};
use crate::app::AppState;
use crate::auth;

const DEFAULT_PER_PAGE: u32 = 20;
const MOST_PER_PAGE: u32 = 100;

/// 200 with the user, 404.
pub(crate) async fn show(
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Answer {
    Answer(show_one(&request, &id, &state).await)
}

async fn show_one(
    request: &HttpRequest,
    id: &str,
    state: &AppState,
) -> Result<HttpResponse, Failure> {
    let id = id_of(id);
    let found = auth::read(request, state, move |store| id.map_or(Ok(None), |id| store.user(id)));
    let user = found.await?.ok_or_else(no_such_user)?;
    Ok(json(StatusCode::OK, MEDIA_TYPE, &stored_user(user)))
}

/// 200 with a page of users, in the order of their ids.
pub(crate) async fn list(request: HttpRequest, state: web::Data<AppState>) -> Answer {
    Answer(list_page(&request, &state).await)
}

async fn list_page(request: &HttpRequest, state: &AppState) -> Result<HttpResponse, Failure> {
    let query = Query::parse(request.query_string());
    let (page, per_page) = query.as_ref().map_or((1, 1), |query| (query.page, query.per_page));
    // A stranger is told nothing of the query, so it is judged after the token.
    let found = auth::read(request, state, move |store| match query {
        Ok(query) => store.users(&query.filter, query.page, query.per_page).map(Ok),
        Err(fault) => Ok(Err(fault)),
    });
    let found = found.await??;
    let results: Vec<Value<'_>> = found.users.into_iter().map(stored_user).collect();
    let total_pages = found.total.max(0).unsigned_abs().div_ceil(u64::from(per_page));
    let body = Page { results, page, per_page, total: found.total, total_pages };
    Ok(json(StatusCode::OK, MEDIA_TYPE, &body))
}

/// A page of users.
#[derive(Serialize)]
struct Page<'v> {
    results: Vec<Value<'v>>,
    page: u32,
    per_page: u32,
    total: i64,
    total_pages: u64,
}

/// What a page is asked for by.
#[derive(Debug)]
struct Query {
    filter: UserFilter,
    page: u32,
    per_page: u32,
}

impl Query {
    fn parse(text: &str) -> Result<Self, Fault> {
        let bad = |message: String| Fault::new(StatusCode::BAD_REQUEST, "bad_query", message);
        let mut query = Self { filter: UserFilter::default(), page: 1, per_page: DEFAULT_PER_PAGE };
        let decoded = brackets::parse_urlencoded(text.as_bytes())
            .map_err(|error| bad(format!("the query cannot be read: {error}")))?;
        let Value::Object(entries) = decoded else { return Ok(query) };
        for (key, value) in entries {
            let Value::String(value) = value else {
                return Err(bad("the query holds a list or an object: expected texts".to_owned()));
            };
            let number = |name: &str, most: u32| {
                let number = value.parse().ok().filter(|number| (1..=most).contains(number));
                number.ok_or_else(|| bad(format!("`{name}` is not a number from 1 to {most}")))
            };
            match &*key {
                "page" => query.page = number("page", u32::MAX)?,
                "per_page" => query.per_page = number("per_page", MOST_PER_PAGE)?,
                "email" => query.filter.email_key = Some(email_key(&value)),
                "external_id" => query.filter.external_id = Some(value.into_owned()),
                _ => {
                    let expected = "`email`, `external_id`, `page` or `per_page`";
                    return Err(bad(format!("the query has an unknown key: expected {expected}")));
                }
            }
        }
        Ok(query)
    }
}
