//! API tokens: only what is stored of them. Making, spelling and judging them is the server's.

use std::collections::BTreeSet;

use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, Queryable, RunQueryDsl,
    Selectable, SelectableHelper,
};

use crate::batch::now;
use crate::connection::AnyConnection;
use crate::dialect::{insert, is_unique_violation, statement};
use crate::error::{ReadError, TokenError};
use crate::rows::TokenRow;
use crate::schema::api_tokens;
use crate::store::Store;
use crate::types::Micros;

/// What is known of a token; the token itself is not. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
pub struct ApiToken {
    /// The id, from 1 on.
    pub id: i64,
    /// The name its operator knows it by; unique.
    pub name: String,
    /// What it may do, as JSON; `None`: everything.
    pub scopes: Option<String>,
    /// The forms it may use, as JSON; `None`: all of them.
    pub forms: Option<String>,
    /// When it ends.
    pub expires_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// When it was made.
    pub created_at: i64,
}

statement! {
    Revoke<'a>:
    "UPDATE api_tokens SET revoked_at = " { at: &'a i64 as Micros }
    " WHERE name = " { name: &'a str as diesel::sql_types::Text }
    " AND revoked_at IS NULL"
}

statement! {
    FindValid<'a> -> diesel::sql_types::BigInt:
    "SELECT id FROM api_tokens WHERE id = " { id: &'a i64 as diesel::sql_types::BigInt }
    " AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > " { now: &'a i64 as Micros }
    ")"
}

/// Those of the tokens that still count, as the transaction sees it. A batch comes from few.
pub(crate) fn still_valid(
    conn: &mut AnyConnection,
    tokens: &BTreeSet<i64>,
) -> QueryResult<BTreeSet<i64>> {
    let now = &now();
    let mut valid = BTreeSet::new();
    for id in tokens {
        let find = FindValid { id, now };
        let found: Vec<i64> = match conn {
            AnyConnection::Sqlite(conn) => find.load(conn)?,
            AnyConnection::Postgres(conn) => find.load(conn)?,
        };
        valid.extend(found);
    }
    Ok(valid)
}

impl Store {
    /// Stores a new token by the SHA-256 of its text. `scopes` and `forms` are JSON texts.
    ///
    /// # Errors
    /// [`TokenError::NameTaken`], or those of the database.
    pub fn create_token(
        &self,
        name: &str,
        hash: &[u8; 32],
        scopes: Option<&str>,
        forms: Option<&str>,
        expires_at: Option<i64>,
    ) -> Result<(), TokenError> {
        let created_at = now();
        let row = TokenRow { name, token_hash: hash, scopes, forms, expires_at, created_at };
        self.writing(|conn| insert(conn, &[row]))?.map_err(|error| {
            debug_assert!(is_unique_violation(&error));
            TokenError::NameTaken
        })
    }

    /// All tokens, revoked and expired ones too, in the order they were made.
    ///
    /// # Errors
    /// Those of the database.
    pub fn list_tokens(&self) -> Result<Vec<ApiToken>, ReadError> {
        self.reading(|conn| {
            api_tokens::table.order(api_tokens::id).select(ApiToken::as_select()).load(conn)
        })
    }

    /// Revokes a token at once and for good. `false` when there is none of this name that is not
    /// revoked already.
    ///
    /// # Errors
    /// Those of the database.
    pub fn revoke_token(&self, name: &str) -> Result<bool, ReadError> {
        let revoke = Revoke { at: &now(), name };
        let revoked = |conn: &mut AnyConnection| match conn {
            AnyConnection::Sqlite(conn) => revoke.execute(conn),
            AnyConnection::Postgres(conn) => revoke.execute(conn),
        };
        let changed = self.writing(revoked)?.map_err(|_| ReadError::Failed)?;
        Ok(changed > 0)
    }

    /// The token whose text has this SHA-256, revoked and expired ones too: the caller judges.
    ///
    /// # Errors
    /// Those of the database.
    pub fn token(&self, hash: &[u8; 32]) -> Result<Option<ApiToken>, ReadError> {
        self.reading(|conn| {
            api_tokens::table
                .filter(api_tokens::token_hash.eq(hash.as_slice()))
                .select(ApiToken::as_select())
                .first(conn)
                .optional()
        })
    }

    /// Whether there ever was a token.
    ///
    /// # Errors
    /// Those of the database.
    pub fn has_tokens(&self) -> Result<bool, ReadError> {
        self.reading(|conn| -> QueryResult<bool> {
            let first = api_tokens::table.select(api_tokens::id).first::<i64>(conn).optional()?;
            Ok(first.is_some())
        })
    }
}
