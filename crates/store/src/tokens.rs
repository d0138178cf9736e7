//! API tokens: only what is stored of them. Making, spelling and judging them is the server's.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, Queryable, RunQueryDsl,
    Selectable, SelectableHelper,
};

use registrar_core::aggregate::ReferenceTarget;

use crate::audit::{self, Asker, Deed};
use crate::batch::now;
use crate::change::Outcome;
use crate::changed::execute;
use crate::connection::AnyConnection;
use crate::dialect::{self, Lock, insert, is_unique_violation, statement};
use crate::error::{ChangeError, CreateError, ReadError, TokenError};
use crate::rows::TokenRow;
use crate::schema::api_tokens;
use crate::store::Store;
use crate::types::{JsonDoc, Micros};

/// What is known of a token; the token itself is not. Times are microseconds since 1970 UTC.
#[derive(Debug, Default, Clone, PartialEq, Eq, Queryable, Selectable)]
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
    /// When it was last used, to about a minute.
    pub last_used_at: Option<i64>,
}

/// A token that was found, and the token that an operator made and it was issued by, directly or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenWithRoot {
    /// The token. It has ended where one that it was issued by has.
    pub token: ApiToken,
    /// The id of the operator's token; its own where an operator made it.
    pub root_id: i64,
}

/// How many times a token can be issued by another one in turn: an operator's token issues one, and
/// that one more. Each use of a token looks at all that it was issued by.
const MAX_ISSUING_DEPTH: usize = 2;

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
    /// The id of the request that it is issued for.
    pub request: Option<String>,
}

statement! {
    Revoke<'a> -> BigInt:
    "UPDATE api_tokens SET revoked_at = " { at: &'a i64 as Micros }
    " WHERE name = " { name: &'a str as Text }
    " AND revoked_at IS NULL RETURNING id"
}

/// Revokes a token by its name; gives its id.
pub(crate) fn revoke(conn: &mut AnyConnection, name: &str) -> QueryResult<Outcome> {
    let revoke = Revoke { at: &now(), name };
    let revoked: Vec<i64> = match conn {
        AnyConnection::Sqlite(conn) => revoke.load(conn)?,
        AnyConnection::Postgres(conn) => revoke.load(conn)?,
    };
    Ok(revoked.first().copied().ok_or(ChangeError::NotFound))
}

statement! {
    EndSessions<'a>:
    "UPDATE api_tokens SET revoked_at = " { at: &'a i64 as Micros }
    " WHERE user_id = " { user_id: &'a i64 as BigInt }
    " AND revoked_at IS NULL AND id <> " { kept: &'a i64 as BigInt }
    ""
}

/// Revokes all tokens that a user signed in for, but the one that asks for it.
pub(crate) fn end_sessions(
    conn: &mut AnyConnection,
    user_id: i64,
    kept: Option<i64>,
) -> QueryResult<()> {
    let end = EndSessions { at: &now(), user_id: &user_id, kept: &kept.unwrap_or_default() };
    execute!(conn, end).map(drop)
}

/// How long an ended token that a contract's API issued is kept: an hour, in microseconds.
const ENDED_KEPT: i64 = 60 * 60 * 1_000_000;

/// How many ended tokens are deleted at once: other writes wait for a millisecond at most.
const PURGED_AT_ONCE: i64 = 500;

statement! {
    PurgeEnded<'a>:
    "DELETE FROM api_tokens WHERE id IN (SELECT id FROM api_tokens \
     WHERE (user_id IS NOT NULL OR parent_id IS NOT NULL) AND (expires_at < "
    { expired: &'a i64 as Micros }
    " OR revoked_at < " { revoked: &'a i64 as Micros }
    ") LIMIT " { most: &'a i64 as BigInt }
    ")"
}

/// Deletes some of the ended tokens that a contract's API issued; gives whether there may be more.
/// Tokens that operators made stay in the list.
pub(crate) fn purge_ended(conn: &mut AnyConnection) -> QueryResult<bool> {
    let ended = now() - ENDED_KEPT;
    let purge = PurgeEnded { expired: &ended, revoked: &ended, most: &PURGED_AT_ONCE };
    let purged = execute!(conn, purge)?;
    Ok(i64::try_from(purged).is_ok_and(|purged| purged >= PURGED_AT_ONCE))
}

statement! {
    NoteUse<'a>:
    "UPDATE api_tokens SET last_used_at = " { at: &'a i64 as Micros }
    " WHERE id = " { id: &'a i64 as BigInt }
    ""
}

/// Writes when tokens were last used.
pub(crate) fn note_uses(conn: &mut AnyConnection, uses: &HashMap<i64, i64>) -> QueryResult<()> {
    for (id, at) in uses {
        execute!(conn, NoteUse { at, id })?;
    }
    Ok(())
}

/// When tokens were used since that was last written: times by ids.
#[derive(Debug, Default)]
pub(crate) struct TokenUses(Mutex<HashMap<i64, i64>>);

impl TokenUses {
    /// Notes that a token is used now.
    fn note(&self, id: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, now());
    }

    /// Takes what was noted.
    pub(crate) fn take(&self) -> HashMap<i64, i64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
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
        let mut id = *token;
        // The token, and those that it was issued by.
        for _ in 0..=MAX_ISSUING_DEPTH {
            let find = FindValid { id: &id, now };
            let found: Vec<Option<i64>> = match conn {
                AnyConnection::Sqlite(conn) => find.load(conn)?,
                AnyConnection::Postgres(conn) => find.load(conn)?,
            };
            match found.first() {
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

/// Returns whether one more token can be issued by this one: it is an operator's, or was issued by one.
fn may_issue(conn: &mut AnyConnection, token: i64) -> QueryResult<bool> {
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
    if let Some(parent) = token.parent_id
        && !may_issue(conn, parent)?
    {
        return Ok(Err(CreateError::TokenRefused.into()));
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

    /// Revokes a token at once and for good, as an operator; an audit row says so. Returns `false`
    /// where there is none of this name that is not revoked already.
    ///
    /// # Errors
    /// Those of the database.
    pub fn revoke_token(&self, name: &str) -> Result<bool, ReadError> {
        let revoke_and_note = |conn: &mut AnyConnection| {
            let Ok(id) = revoke(conn, name)? else { return Ok(false) };
            let deed = Deed { action: "delete", kind: "token", id, user: None };
            audit::note(conn, &Asker::default(), deed, now())?;
            Ok(true)
        };
        self.writing(revoke_and_note)?.map_err(|_| ReadError::Failed)
    }

    /// Notes that a token is used; that is written within a minute, with whatever else is.
    pub fn note_token_use(&self, id: i64) {
        self.token_uses().note(id);
    }

    /// Returns the token whose text has this SHA-256, revoked and expired ones too, or `None` where there
    /// is none. It ends as soon as one ends that it was issued by.
    ///
    /// # Errors
    /// Those of the database.
    pub fn token(&self, hash: &[u8; 32]) -> Result<Option<TokenWithRoot>, ReadError> {
        self.reading_tokens(|conn| {
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
                token.expires_at =
                    [token.expires_at, parent.expires_at].into_iter().flatten().min();
                (root_id, next) = (parent.id, parent.parent_id);
            }
            Ok(Some(TokenWithRoot { token, root_id }))
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
