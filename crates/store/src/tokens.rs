//! API tokens: only what is stored of them. Making, spelling and judging them is the server's.

use std::collections::BTreeSet;

use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, Queryable, RunQueryDsl,
    Selectable, SelectableHelper,
};

use registrar_core::aggregate::ReferenceTarget;

use crate::batch::now;
use crate::change::Outcome;
use crate::changed::execute;
use crate::connection::AnyConnection;
use crate::dialect::{self, Lock, insert, is_unique_violation, statement};
use crate::error::{ChangeError, ReadError, TokenError};
use crate::rows::TokenRow;
use crate::schema::api_tokens;
use crate::store::Store;
use crate::types::{JsonDoc, Micros};

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
    /// When it ends; read by its hash, when the first ends of it and those that it was made by.
    pub expires_at: Option<i64>,
    /// When it was revoked; read by its hash, when it or one that it was made by was.
    pub revoked_at: Option<i64>,
    /// When it was made.
    pub created_at: i64,
    /// Who signed in for it.
    pub user_id: Option<i64>,
    /// The contract that it is good for; `None`: everything else.
    pub contract: Option<String>,
    /// The token that it was made by: it dies with that.
    pub parent_id: Option<i64>,
    /// What its operator noted of it, a JSON object.
    pub attributes: Option<String>,
}

/// A token to be stored. Times are microseconds since 1970 UTC.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// The name its operator knows it by; unique.
    pub name: String,
    /// The SHA-256 of its text, which may be any.
    pub hash: [u8; 32],
    /// When it ends.
    pub expires_at: Option<i64>,
    /// Who signed in for it: it goes with that user.
    pub user_id: Option<i64>,
    /// The contract that it is good for.
    pub contract: Option<String>,
    /// What it may do, as JSON; `None`: everything.
    pub scopes: Option<String>,
    /// The forms it may use, as JSON; `None`: all of them.
    pub forms: Option<String>,
    /// The token that it is made by: it must count still.
    pub parent_id: Option<i64>,
    /// What its operator notes of it, a JSON object.
    pub attributes: Option<String>,
}

statement! {
    Revoke<'a>:
    "UPDATE api_tokens SET revoked_at = " { at: &'a i64 as Micros }
    " WHERE name = " { name: &'a str as Text }
    " AND revoked_at IS NULL"
}

statement! {
    FindValid<'a> -> Nullable<BigInt>:
    "SELECT parent_id FROM api_tokens WHERE id = " { id: &'a i64 as BigInt }
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
    for token in tokens {
        // Up the line of those that it was made by. It ends: each is older than the next.
        let mut next = Some(*token);
        while let Some(id) = &next {
            let find = FindValid { id, now };
            let found: Vec<Option<i64>> = match conn {
                AnyConnection::Sqlite(conn) => find.load(conn)?,
                AnyConnection::Postgres(conn) => find.load(conn)?,
            };
            match found.first() {
                Some(Some(parent)) => next = Some(*parent),
                Some(None) => {
                    valid.insert(*token);
                    next = None;
                }
                None => next = None,
            }
        }
    }
    Ok(valid)
}

statement! {
    InsertToken<'a>:
    "INSERT INTO api_tokens (name, token_hash, expires_at, created_at, user_id, contract, parent_id, attributes, \
     scopes, forms) \
     VALUES (" { name: &'a str as Text }
    ", " { hash: &'a [u8] as Binary }
    ", " { expires_at: Option<i64> as Nullable<Micros> }
    ", " { created_at: i64 as Micros }
    ", " { user_id: Option<i64> as Nullable<BigInt> }
    ", " { contract: Option<&'a str> as Nullable<Text> }
    ", " { parent_id: Option<i64> as Nullable<BigInt> }
    ", " { attributes: Option<&'a str> as Nullable<JsonDoc> }
    ", " { scopes: Option<&'a str> as Nullable<JsonDoc> }
    ", " { forms: Option<&'a str> as Nullable<JsonDoc> }
    ") ON CONFLICT DO NOTHING"
}

/// Stores a token; gives its id.
pub(crate) fn mint(conn: &mut AnyConnection, token: &NewToken) -> QueryResult<Outcome> {
    if let Some(user_id) = token.user_id
        && dialect::existing_ids(conn, ReferenceTarget::User, &[user_id], Lock::Kept)?.is_empty()
    {
        return Ok(Err(ChangeError::NotFound));
    }
    let insert = InsertToken {
        name: &token.name,
        hash: &token.hash,
        expires_at: token.expires_at,
        created_at: now(),
        user_id: token.user_id,
        contract: token.contract.as_deref(),
        parent_id: token.parent_id,
        attributes: token.attributes.as_deref(),
        scopes: token.scopes.as_deref(),
        forms: token.forms.as_deref(),
    };
    if execute!(conn, insert)? == 0 {
        return Ok(Err(ChangeError::Conflict));
    }
    let of_hash = api_tokens::table.filter(api_tokens::token_hash.eq(token.hash.as_slice()));
    Ok(Ok(of_hash.select(api_tokens::id).first(conn)?))
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

    /// The token whose text has this SHA-256, revoked and expired ones too: the caller judges. It
    /// ends as soon as one ends that it was made by.
    ///
    /// # Errors
    /// Those of the database.
    pub fn token(&self, hash: &[u8; 32]) -> Result<Option<ApiToken>, ReadError> {
        self.reading_tokens(|conn| {
            let found = api_tokens::table
                .filter(api_tokens::token_hash.eq(hash.as_slice()))
                .select(ApiToken::as_select())
                .first::<ApiToken>(conn)
                .optional()?;
            let Some(mut token) = found else { return Ok(None) };
            let mut next = token.parent_id;
            while let Some(id) = next {
                let parent: ApiToken = api_tokens::table
                    .filter(api_tokens::id.eq(id))
                    .select(ApiToken::as_select())
                    .first(conn)?;
                token.revoked_at = token.revoked_at.or(parent.revoked_at);
                token.expires_at =
                    [token.expires_at, parent.expires_at].into_iter().flatten().min();
                next = parent.parent_id;
            }
            Ok(Some(token))
        })
    }

    /// Whether there ever was a token.
    ///
    /// # Errors
    /// Those of the database.
    pub fn has_tokens(&self) -> Result<bool, ReadError> {
        self.reading_tokens(|conn| -> QueryResult<bool> {
            let first = api_tokens::table.select(api_tokens::id).first::<i64>(conn).optional()?;
            Ok(first.is_some())
        })
    }
}
