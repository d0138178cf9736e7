//! The table of API tokens. The server generates, parses and validates them.

use std::collections::{BTreeSet, HashMap};

use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, Queryable, RunQueryDsl,
    Selectable, SelectableHelper, table,
};

use crate::clock::now;
use crate::connection::AnyConnection;
use crate::sql::types::{SqlJson, SqlTimestamp};
use crate::sql::{execute, load, statement};

table! {
    api_tokens (id) {
        id -> BigInt,
        name -> Text,
        token_hash -> Binary,
        scopes -> Nullable<crate::sql::types::SqlJson>,
        forms -> Nullable<crate::sql::types::SqlJson>,
        expires_at -> Nullable<crate::sql::types::SqlTimestamp>,
        revoked_at -> Nullable<crate::sql::types::SqlTimestamp>,
        created_at -> crate::sql::types::SqlTimestamp,
        user_id -> Nullable<BigInt>,
        contract -> Nullable<Text>,
        parent_id -> Nullable<BigInt>,
        attributes -> Nullable<crate::sql::types::SqlJson>,
        last_used_at -> Nullable<crate::sql::types::SqlTimestamp>,
    }
}

/// A stored token without its text. Times are in microseconds since 1970 UTC.
#[derive(Debug, Default, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
pub struct ApiToken {
    /// The id, from 1 on.
    pub id: i64,
    /// The unique name.
    pub name: String,
    /// The allowed scopes as JSON, or `None` for all.
    pub scopes: Option<String>,
    /// The allowed forms as JSON, or `None` for all.
    pub forms: Option<String>,
    /// Time of expiry. [`crate::Store::token`] returns the earliest of this token and its ancestors.
    pub expires_at: Option<i64>,
    /// Time of revocation. [`crate::Store::token`] returns that of this token or of an ancestor.
    pub revoked_at: Option<i64>,
    /// Time of creation.
    pub created_at: i64,
    /// Id of the user whose session the token belongs to.
    pub user_id: Option<i64>,
    /// The only contract that accepts the token, or `None` if it is not restricted to one.
    pub contract: Option<String>,
    /// Id of the token that issued it, with which it expires.
    pub parent_id: Option<i64>,
    /// Attributes set by the operator, a JSON object.
    pub attributes: Option<String>,
    /// Time of the last use, accurate to about a minute.
    pub last_used_at: Option<i64>,
}

/// A token and the root of its chain of parents, the token that an operator created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenWithRoot {
    /// The token. It counts as expired or revoked if an ancestor is.
    pub token: ApiToken,
    /// Id of the root token; the token's own id if an operator created it.
    pub root_id: i64,
}

/// Maximum number of ancestors of a token. Each use of a token reads all of them.
const MAX_ISSUING_DEPTH: usize = 2;

/// A token to store. Times are in microseconds since 1970 UTC.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// The unique name.
    pub name: String,
    /// SHA-256 of the token's text.
    pub hash: [u8; 32],
    /// Time of expiry.
    pub expires_at: Option<i64>,
    /// Id of the user whose session it belongs to, with which it is deleted.
    pub user_id: Option<i64>,
    /// The only contract that accepts it.
    pub contract: Option<String>,
    /// The allowed scopes as JSON, or `None` for all.
    pub scopes: Option<String>,
    /// The allowed forms as JSON, or `None` for all.
    pub forms: Option<String>,
    /// Id of the token that issues it, which must be valid.
    pub parent_id: Option<i64>,
    /// Attributes set by the operator, a JSON object.
    pub attributes: Option<String>,
    /// Id of the request that issues it.
    pub request_id: Option<String>,
}

statement! {
    RevokeToken<'a> -> BigInt:
    "UPDATE api_tokens SET revoked_at = " { at: &'a i64 as SqlTimestamp }
    " WHERE name = " { name: &'a str as Text }
    " AND revoked_at IS NULL RETURNING id"
}

/// Revokes a token by its name and returns its id, or `None` if there is none that is not revoked.
pub(crate) fn revoke_token(conn: &mut AnyConnection, name: &str) -> QueryResult<Option<i64>> {
    Ok(load!(conn, RevokeToken { at: &now(), name } => i64)?.into_iter().next())
}

statement! {
    EndSessions<'a>:
    "UPDATE api_tokens SET revoked_at = " { at: &'a i64 as SqlTimestamp }
    " WHERE user_id = " { user_id: &'a i64 as BigInt }
    " AND revoked_at IS NULL AND id <> " { kept: &'a i64 as BigInt }
    ""
}

/// Revokes all tokens of a user's sessions except `kept`.
pub(crate) fn end_sessions(
    conn: &mut AnyConnection,
    user_id: i64,
    kept: Option<i64>,
) -> QueryResult<()> {
    let end = EndSessions { at: &now(), user_id: &user_id, kept: &kept.unwrap_or_default() };
    execute!(conn, end).map(drop)
}

/// Time for which an expired or revoked issued token is kept: an hour, in microseconds.
const ENDED_TOKEN_TTL: i64 = 60 * 60 * 1_000_000;

/// Maximum number of tokens deleted at once: other writes wait for about a millisecond.
const MAX_PURGED_TOKENS: i64 = 500;

statement! {
    DeleteEnded<'a>:
    "DELETE FROM api_tokens WHERE id IN (SELECT id FROM api_tokens \
     WHERE (user_id IS NOT NULL OR parent_id IS NOT NULL) AND (expires_at < "
    { expired: &'a i64 as SqlTimestamp }
    " OR revoked_at < " { revoked: &'a i64 as SqlTimestamp }
    ") LIMIT " { max: &'a i64 as BigInt }
    ")"
}

/// Deletes some of the expired or revoked tokens that were issued by a contract's API, and returns
/// whether there may be more. Tokens that operators created are kept.
pub(crate) fn delete_ended(conn: &mut AnyConnection) -> QueryResult<bool> {
    let ended = now() - ENDED_TOKEN_TTL;
    let delete = DeleteEnded { expired: &ended, revoked: &ended, max: &MAX_PURGED_TOKENS };
    let deleted = execute!(conn, delete)?;
    Ok(i64::try_from(deleted).is_ok_and(|deleted| deleted >= MAX_PURGED_TOKENS))
}

statement! {
    UpdateLastUsed<'a>:
    "UPDATE api_tokens SET last_used_at = " { at: &'a i64 as SqlTimestamp }
    " WHERE id = " { id: &'a i64 as BigInt }
    ""
}

/// Updates `last_used_at` of tokens.
pub(crate) fn update_last_used(
    conn: &mut AnyConnection,
    uses: &HashMap<i64, i64>,
) -> QueryResult<()> {
    for (id, at) in uses {
        execute!(conn, UpdateLastUsed { at, id })?;
    }
    Ok(())
}

statement! {
    FindValid<'a> -> Nullable<BigInt>:
    "SELECT parent_id FROM api_tokens WHERE id = " { id: &'a i64 as BigInt }
    " AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > " { now: &'a i64 as SqlTimestamp }
    ")"
}

/// Returns those of the tokens that are neither revoked nor expired, nor their ancestors.
pub(crate) fn valid_tokens(
    conn: &mut AnyConnection,
    tokens: &BTreeSet<i64>,
) -> QueryResult<BTreeSet<i64>> {
    let now = &now();
    let mut valid = BTreeSet::new();
    for token in tokens {
        let mut id = *token;
        for _ in 0..=MAX_ISSUING_DEPTH {
            let find = FindValid { id: &id, now };
            match load!(conn, find => Option<i64>)?.first() {
                Some(Some(parent)) => id = *parent,
                Some(None) => {
                    valid.insert(*token);
                    break;
                }
                None => break,
            }
        }
    }
    Ok(valid)
}

/// Returns whether a token may issue others, that is, whether it has fewer than [`MAX_ISSUING_DEPTH`]
/// ancestors.
pub(crate) fn may_issue(conn: &mut AnyConnection, token: i64) -> QueryResult<bool> {
    let mut id = token;
    for _ in 0..MAX_ISSUING_DEPTH {
        let parent = api_tokens::table.filter(api_tokens::id.eq(id)).select(api_tokens::parent_id);
        match parent.first::<Option<i64>>(conn).optional()?.flatten() {
            Some(parent) => id = parent,
            None => return Ok(true),
        }
    }
    Ok(false)
}

statement! {
    InsertToken<'a> -> BigInt:
    "INSERT INTO api_tokens (name, token_hash, expires_at, created_at, user_id, contract, parent_id, \
     attributes, scopes, forms) VALUES (" { name: &'a str as Text }
    ", " { hash: &'a [u8] as Binary }
    ", " { expires_at: Option<i64> as Nullable<SqlTimestamp> }
    ", " { created_at: i64 as SqlTimestamp }
    ", " { user_id: Option<i64> as Nullable<BigInt> }
    ", " { contract: Option<&'a str> as Nullable<Text> }
    ", " { parent_id: Option<i64> as Nullable<BigInt> }
    ", " { attributes: Option<&'a str> as Nullable<SqlJson> }
    ", " { scopes: Option<&'a str> as Nullable<SqlJson> }
    ", " { forms: Option<&'a str> as Nullable<SqlJson> }
    ") ON CONFLICT DO NOTHING RETURNING id"
}

/// Inserts a token and returns its id, or `None` if its name or hash exists.
pub(crate) fn insert_token(conn: &mut AnyConnection, token: &NewToken) -> QueryResult<Option<i64>> {
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
    Ok(load!(conn, insert => i64)?.into_iter().next())
}

/// Returns all tokens, ordered by id.
pub(crate) fn list_tokens(conn: &mut AnyConnection) -> QueryResult<Vec<ApiToken>> {
    api_tokens::table.order(api_tokens::id).select(ApiToken::as_select()).load(conn)
}

/// Returns whether any token is stored.
pub(crate) fn has_tokens(conn: &mut AnyConnection) -> QueryResult<bool> {
    let first = api_tokens::table.select(api_tokens::id).first::<i64>(conn).optional()?;
    Ok(first.is_some())
}

/// Returns the token with a hash, with the revocation and expiry of its ancestors.
pub(crate) fn find_token(
    conn: &mut AnyConnection,
    hash: &[u8; 32],
) -> QueryResult<Option<TokenWithRoot>> {
    let found = api_tokens::table
        .filter(api_tokens::token_hash.eq(hash.as_slice()))
        .select(ApiToken::as_select())
        .first::<ApiToken>(conn)
        .optional()?;
    let Some(mut token) = found else { return Ok(None) };
    let (mut root_id, mut next, mut depth) = (token.id, token.parent_id, 0);
    while let Some(id) = next {
        depth += 1;
        if depth > MAX_ISSUING_DEPTH {
            return Ok(None);
        }
        let parent: ApiToken = api_tokens::table
            .filter(api_tokens::id.eq(id))
            .select(ApiToken::as_select())
            .first(conn)?;
        token.revoked_at = token.revoked_at.or(parent.revoked_at);
        token.expires_at = [token.expires_at, parent.expires_at].into_iter().flatten().min();
        (root_id, next) = (parent.id, parent.parent_id);
    }
    Ok(Some(TokenWithRoot { token, root_id }))
}
