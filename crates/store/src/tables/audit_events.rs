//! The audit log.

use diesel::sql_types::{BigInt, Nullable, Text};

use crate::sql::row;
use crate::sql::types::SqlTimestamp;

row! {
    AuditRow<'a> in audit_events {
        created_at: i64 as SqlTimestamp,
        action: &'static str as Text,
        kind: &'static str as Text,
        record_id: i64 as BigInt,
        user_id: Option<i64> as Nullable<BigInt>,
        token_id: Option<i64> as Nullable<BigInt>,
        caller_id: Option<i64> as Nullable<BigInt>,
        form_name: Option<&'a str> as Nullable<Text>,
        form_version: Option<&'a str> as Nullable<Text>,
        request_id: Option<&'a str> as Nullable<Text>,
    }
}
