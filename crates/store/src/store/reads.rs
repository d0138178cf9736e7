//! Reads, and the operator's commands on tokens.
//!
//! Reads have their own connections, see one snapshot of the database, and never wait for the writers.

use registrar_core::aggregate::{Claim, Reference};
use registrar_core::record_kind::RecordKind;

use super::Store;
use crate::clock::now;
use crate::error::{ReadError, Refusal, TokenError};
use crate::read::filter::{Pagination, RecordFilter, UserFilter};
use crate::read::records::{RecordPage, StoredRecord, list_records, load_record};
use crate::read::references::preview_refusals;
use crate::read::users::{
    StoredUser, UserPage, list_users, load_user, password_hash, user_by_claim,
};
use crate::tables::api_tokens::{self, ApiToken, NewToken, TokenWithRoot};
use crate::tables::idempotency_records::{StoredResponse, find_response};
use crate::write::audit::{Actor, AuditAction, insert_event};

impl Store {
    /// Returns the user with an id, or `None` if there is none.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn user(&self, id: i64) -> Result<Option<StoredUser>, ReadError> {
        self.reading(|conn| load_user(conn, id))
    }

    /// Returns a page of the users that match a filter, by ascending id. The first page is 1.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn users(
        &self,
        filter: &UserFilter,
        page: u32,
        per_page: u32,
    ) -> Result<UserPage, ReadError> {
        let offset = i64::from(page.saturating_sub(1)) * i64::from(per_page);
        self.list_users(filter, Pagination { newest_first: false, offset, limit: per_page.into() })
    }

    /// Returns the users that match a filter.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn list_users(
        &self,
        filter: &UserFilter,
        pagination: Pagination,
    ) -> Result<UserPage, ReadError> {
        self.reading(|conn| list_users(conn, filter, pagination))
    }

    /// Returns the user that holds a claim, or `None` if there is none.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn user_by_claim(
        &self,
        scope: &str,
        value_key: &str,
    ) -> Result<Option<StoredUser>, ReadError> {
        self.reading(|conn| user_by_claim(conn, scope, value_key))
    }

    /// Returns the hash of a user's password in PHC string format, or `None` if it has no password.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn credentials(&self, user_id: i64) -> Result<Option<String>, ReadError> {
        self.reading(|conn| password_hash(conn, user_id))
    }

    /// Returns the record of a kind with an id, or `None` if there is none.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn record(&self, kind: RecordKind, id: i64) -> Result<Option<StoredRecord>, ReadError> {
        self.reading(|conn| load_record(conn, kind, id))
    }

    /// Returns the records that match a filter.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn records(
        &self,
        kind: RecordKind,
        filter: &RecordFilter,
        pagination: Pagination,
    ) -> Result<RecordPage, ReadError> {
        self.reading(|conn| list_records(conn, kind, filter, pagination))
    }

    /// Returns the relationship with a type and a key, as [`registrar_core::canonical::canonical_text`] returns it, or
    /// `None` if there is none.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn relationship_by_key(
        &self,
        type_name: &str,
        key: &str,
    ) -> Result<Option<StoredRecord>, ReadError> {
        let filter = RecordFilter {
            type_name: Some(type_name.to_owned()),
            key: Some(key.to_owned()),
            ..RecordFilter::default()
        };
        Ok(self.records(RecordKind::Relationship, &filter, Pagination::FIRST)?.records.pop())
    }

    /// Returns the reasons for which claims and references would be rejected now, without writing
    /// anything.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn refusals(
        &self,
        claims: &[Claim],
        references: &[Reference],
    ) -> Result<Vec<Refusal>, ReadError> {
        self.reading(|conn| preview_refusals(conn, claims, references))
    }

    /// Returns the SHA-256 of the request and the response that were stored under a key
    /// ([`crate::IdempotencyKey::hash`]), or `None` if there is none or it has expired.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn stored_response(
        &self,
        hash: &[u8; 32],
    ) -> Result<Option<(Vec<u8>, StoredResponse)>, ReadError> {
        self.reading(|conn| find_response(conn, hash))
    }

    /// Returns the token whose text has this SHA-256, even if it is revoked or expired, or `None` if there
    /// is none.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn token(&self, hash: &[u8; 32]) -> Result<Option<TokenWithRoot>, ReadError> {
        self.reading_tokens(|conn| api_tokens::find_token(conn, hash))
    }

    /// Returns whether any token is stored, including revoked and expired ones.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn has_tokens(&self) -> Result<bool, ReadError> {
        self.reading_tokens(api_tokens::has_tokens)
    }

    /// Returns all tokens, including revoked and expired ones, ordered by id.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn list_tokens(&self) -> Result<Vec<ApiToken>, ReadError> {
        self.reading(api_tokens::list_tokens)
    }

    /// Records the use of a token. It is written to the database about once a minute.
    pub fn record_token_use(&self, id: i64) {
        self.inner.token_uses.record(id);
    }

    /// Stores a token of an operator; `hash` is the SHA-256 of its text, `scopes` and `forms` are JSON.
    ///
    /// # Errors
    /// Returns [`TokenError::NameTaken`] if the name exists, or an error of the database.
    pub fn create_token(
        &self,
        name: &str,
        hash: &[u8; 32],
        scopes: Option<&str>,
        forms: Option<&str>,
        expires_at: Option<i64>,
    ) -> Result<(), TokenError> {
        let token = NewToken {
            name: name.to_owned(),
            hash: *hash,
            scopes: scopes.map(str::to_owned),
            forms: forms.map(str::to_owned),
            expires_at,
            ..NewToken::default()
        };
        let id = self.writing(|conn| api_tokens::insert_token(conn, &token))?;
        id.map(drop).ok_or(TokenError::NameTaken)
    }

    /// Revokes a token by its name, as an operator, and records it in the audit log. Returns `false` if
    /// there is no such token or it is already revoked.
    ///
    /// # Errors
    /// Returns an error if the database cannot be written.
    pub fn revoke_token(&self, name: &str) -> Result<bool, ReadError> {
        self.writing(|conn| {
            let Some(id) = api_tokens::revoke_token(conn, name)? else { return Ok(false) };
            let action = AuditAction { action: "delete", kind: "token", id, user: None };
            insert_event(conn, &Actor::default(), action, now())?;
            Ok(true)
        })
    }
}
