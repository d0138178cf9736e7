//! Contracts: YAML files that make Registrar serve another vendor's API for creating users, such as
//! `contracts/garmat.yml`.
//! A contract defines routes, authentication, body decoding, field names, validation messages and
//! answers; validation is done by the form it names.
//! Contracts are compiled at load, without IO. The server does the look-ups and writes.

pub(crate) mod action;
mod authentication;
mod body_template;
mod catalogue;
mod contracts;
pub(crate) mod decoding;
mod error;
mod error_response;
mod expressions;
pub(crate) mod field_mapping;
mod id_field;
mod input;
pub(crate) mod input_mapping;
mod issue_token;
mod json_style;
mod load_context;
mod loader;
mod lookup;
mod lookup_key;
pub(crate) mod model;
mod mount;
pub(crate) mod operation;
pub(crate) mod outcome;
mod paging;
mod query;
mod request;
pub(crate) mod request_context;
pub(crate) mod response;
mod responses;
pub(crate) mod route;
pub(crate) mod scope;
mod summary;

pub use action::Action;
pub(crate) use authentication::new_caller;
pub use authentication::{Authentication, Credential, Scheme};
pub(crate) use catalogue::Catalogue;
pub use contracts::Contracts;
pub(crate) use contracts::clash;
pub use decoding::BodyError;
pub use error::ContractError;
pub use error_response::ErrorResponse;
pub use input::{ContractInput, Rejection};
pub use input_mapping::InvalidParameter;
pub use issue_token::IssueToken;
pub(crate) use load_context::LoadContext;
pub(crate) use loader::read;
pub use lookup::Lookup;
pub use model::Contract;
pub use operation::Operation;
pub use outcome::Outcome;
pub use paging::{PageRequest, Paging};
pub use registrar_core::id_format::CodeFormat;
pub use request_context::RequestContext;
pub use response::RenderedResponse;
pub use route::RouteMatch;
pub use summary::RouteSummary;
