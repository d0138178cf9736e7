//! Issues tokens and collects their uses.

use registrar_core::record_kind::RecordKind;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use diesel::QueryResult;

use super::requests::WriteResult;
use crate::clock::now;
use crate::connection::AnyConnection;
use crate::error::{CreateError, WriteError};
use crate::read::references::{RowLock, existing_ids};
use crate::tables::api_tokens::{NewToken, insert_token, may_issue};

/// Stores a token that is issued by another one and returns its id.
pub(super) fn issue(conn: &mut AnyConnection, token: &NewToken) -> QueryResult<WriteResult> {
    if let Some(user_id) = token.user_id
        && existing_ids(conn, RecordKind::User, &[user_id], RowLock::KeyShare)?.is_empty()
    {
        return Ok(Err(WriteError::NotFound));
    }
    if let Some(parent) = token.parent_id
        && !may_issue(conn, parent)?
    {
        return Ok(Err(CreateError::InvalidToken.into()));
    }
    Ok(insert_token(conn, token)?.ok_or(WriteError::Conflict))
}

/// Times of last use by token id, collected since they were last written.
#[derive(Debug, Default)]
pub(crate) struct TokenUses(Mutex<HashMap<i64, i64>>);

impl TokenUses {
    /// Records that a token is used now.
    pub(crate) fn record(&self, id: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, now());
    }

    /// Returns the recorded times and clears them.
    pub(crate) fn take(&self) -> HashMap<i64, i64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
