//! The table of claims: values that only one record may hold.
//!
//! `owner` is the UUID of the user (or of the relationship, for its own claims), `record_kind` and
//! `record_id` the record that holds the value, `path` the field within it. `record_id` is null if the
//! record is the owner itself, `path` is empty if it is the one that the scope names: see
//! [`path_in_scope`].

use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl, table};
use registrar_core::aggregate::{Claim, ClaimHolder, NewClaim};
use registrar_core::record_kind::RecordKind;
use uuid::Uuid;

use crate::connection::AnyConnection;
use crate::sql::types::SqlUuid;
use crate::sql::{execute, load, statement};

/// A claim to insert.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClaimInsert<'a> {
    pub(crate) claim: &'a NewClaim,
    /// UUID of the owner.
    pub(crate) owner: Uuid,
    /// Id of the new record that holds the claim, if it is known already: see [`assign_records`].
    pub(crate) new_id: Option<i64>,
}

/// A stored claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredClaim {
    pub(crate) claim: Claim,
    pub(crate) holder: ClaimHolder,
    pub(crate) path: String,
}

table! {
    unique_claims (scope, value_key) {
        scope -> Text,
        value_key -> Text,
        owner -> crate::sql::types::SqlUuid,
        record_kind -> Text,
        record_id -> Nullable<BigInt>,
        path -> Text,
    }
}

/// Returns the path within its record of the field in a scope such as
/// `user.transactables.boat.properties.code+name~case`, or an empty string for the digest of a long scope.
pub(crate) fn path_in_scope(scope: &str) -> &str {
    let field = scope.strip_prefix("user.").and_then(|scope| scope.split(['+', '?', '~']).next());
    let Some(field) = field else { return "" };
    let Some((list, rest)) = field.split_once('.') else { return field };
    let is_of_record = RecordKind::WITH_TYPES.iter().any(|kind| kind.list_name() == list);
    match rest.split_once('.') {
        Some((_, path)) if is_of_record => path,
        _ => field,
    }
}

impl ClaimInsert<'_> {
    /// Returns the value of `path`.
    fn path(&self) -> &str {
        let NewClaim { claim, path, .. } = self.claim;
        if path_in_scope(&claim.scope) == &**path { "" } else { path }
    }

    /// Returns the values of `record_kind` and `record_id`.
    fn record(&self) -> (&'static str, Option<i64>) {
        match &self.claim.holder {
            ClaimHolder::User => ("user", None),
            ClaimHolder::Relationship => ("relationship", None),
            ClaimHolder::Stored { kind, id } => (kind.record_name(), Some(*id)),
            ClaimHolder::New(path) => {
                (path.last().map_or("user", |(kind, _)| kind.record_name()), self.new_id)
            }
        }
    }
}

statement! {
    InsertClaim<'a>:
    "INSERT INTO unique_claims (scope, value_key, owner, record_kind, record_id, path) VALUES ("
    { scope: &'a str as Text }
    ", " { value_key: &'a str as Text }
    ", " { owner: &'a Uuid as SqlUuid }
    ", " { record_kind: &'a str as Text }
    ", " { record_id: Option<i64> as Nullable<BigInt> }
    ", " { path: &'a str as Text }
    ") ON CONFLICT DO NOTHING"
}

statement! {
    // The rows are inserted in sorted order, so that two writers do not deadlock. Returns the positions
    // (from 1) of the claims that another record holds.
    InsertClaims<'a> -> BigInt:
    "WITH input AS (SELECT * FROM unnest(" { scopes: &'a [&'a str] as Array<Text> }
    ", " { value_keys: &'a [&'a str] as Array<Text> }
    ", " { owners: &'a [&'a Uuid] as Array<SqlUuid> }
    ", " { record_kinds: &'a [&'a str] as Array<Text> }
    ", " { record_ids: &'a [Option<i64>] as Array<Nullable<BigInt>> }
    ", " { paths: &'a [&'a str] as Array<Text> }
    ") WITH ORDINALITY AS t (scope, value_key, owner, record_kind, record_id, path, position)), \
     inserted AS (INSERT INTO unique_claims (scope, value_key, owner, record_kind, record_id, path) \
     SELECT scope, value_key, owner, record_kind, record_id, path FROM input \
     ON CONFLICT DO NOTHING RETURNING scope, value_key) \
     SELECT position FROM input LEFT JOIN inserted USING (scope, value_key) \
     WHERE inserted.scope IS NULL"
}

/// Inserts claims, which must be sorted and distinct. Returns the indices of those that another record
/// holds.
pub(crate) fn insert_claims(
    conn: &mut AnyConnection,
    claims: &[ClaimInsert<'_>],
) -> QueryResult<Vec<usize>> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    match conn {
        AnyConnection::Sqlite(conn) => {
            let mut conflicts = Vec::new();
            for (index, insert) in claims.iter().enumerate() {
                let ((record_kind, record_id), path) = (insert.record(), insert.path());
                let ClaimInsert { claim: NewClaim { claim, .. }, owner, .. } = insert;
                let Claim { scope, value_key } = claim;
                let insert = InsertClaim { scope, value_key, owner, record_kind, record_id, path };
                if insert.execute(conn)? == 0 {
                    conflicts.push(index);
                }
            }
            Ok(conflicts)
        }
        AnyConnection::Postgres(conn) => {
            let new = || claims.iter().map(|insert| insert.claim);
            let scopes: Vec<&str> = new().map(|new| &*new.claim.scope).collect();
            let value_keys: Vec<&str> = new().map(|new| &*new.claim.value_key).collect();
            let owners: Vec<&Uuid> = claims.iter().map(|insert| &insert.owner).collect();
            let (record_kinds, record_ids): (Vec<&str>, Vec<Option<i64>>) =
                claims.iter().map(ClaimInsert::record).unzip();
            let paths: Vec<&str> = claims.iter().map(ClaimInsert::path).collect();
            let insert = InsertClaims {
                scopes: &scopes,
                value_keys: &value_keys,
                owners: &owners,
                record_kinds: &record_kinds,
                record_ids: &record_ids,
                paths: &paths,
            };
            insert.load::<i64>(conn).map(to_indices)
        }
    }
}

statement! {
    SetRecordIds<'a>:
    "UPDATE unique_claims AS c SET record_id = t.record_id FROM unnest("
    { record_ids: &'a [i64] as Array<BigInt> }
    ", " { scopes: &'a [&'a str] as Array<Text> }
    ", " { value_keys: &'a [&'a str] as Array<Text> }
    ") AS t (record_id, scope, value_key) WHERE c.scope = t.scope AND c.value_key = t.value_key"
}

/// Sets the record ids of claims on PostgreSQL, where they are not known when claims are inserted.
pub(crate) fn assign_records(
    conn: &mut AnyConnection,
    claims: &[(&Claim, i64)],
) -> QueryResult<()> {
    let AnyConnection::Postgres(conn) = conn else { return Ok(()) };
    if claims.is_empty() {
        return Ok(());
    }
    let record_ids: Vec<i64> = claims.iter().map(|(_, id)| *id).collect();
    let scopes: Vec<&str> = claims.iter().map(|(claim, _)| &*claim.scope).collect();
    let value_keys: Vec<&str> = claims.iter().map(|(claim, _)| &*claim.value_key).collect();
    let (record_ids, scopes, value_keys) = (&record_ids, &scopes, &value_keys);
    SetRecordIds { record_ids, scopes, value_keys }.execute(conn).map(drop)
}

statement! {
    FindClaim<'a> -> BigInt:
    "SELECT 1 FROM unique_claims WHERE scope = " { scope: &'a str as Text }
    " AND value_key = " { value_key: &'a str as Text }
    ""
}

statement! {
    FindClaims<'a> -> BigInt:
    "SELECT position FROM unnest(" { scopes: &'a [&'a str] as Array<Text> }
    ", " { value_keys: &'a [&'a str] as Array<Text> }
    ") WITH ORDINALITY AS input (scope, value_key, position) \
     JOIN unique_claims USING (scope, value_key)"
}

/// Returns the indices of the claims that a record holds.
pub(crate) fn existing_claims(
    conn: &mut AnyConnection,
    claims: &[&Claim],
) -> QueryResult<Vec<usize>> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    match conn {
        AnyConnection::Sqlite(conn) => {
            let mut found = Vec::new();
            for (index, Claim { scope, value_key }) in claims.iter().enumerate() {
                let find = FindClaim { scope, value_key };
                if !find.load::<i64>(conn)?.is_empty() {
                    found.push(index);
                }
            }
            Ok(found)
        }
        AnyConnection::Postgres(conn) => {
            let scopes: Vec<&str> = claims.iter().map(|claim| &*claim.scope).collect();
            let value_keys: Vec<&str> = claims.iter().map(|claim| &*claim.value_key).collect();
            let find = FindClaims { scopes: &scopes, value_keys: &value_keys };
            find.load::<i64>(conn).map(to_indices)
        }
    }
}

/// Converts PostgreSQL's positions, which count from 1.
fn to_indices(positions: Vec<i64>) -> Vec<usize> {
    positions.into_iter().filter_map(|position| usize::try_from(position - 1).ok()).collect()
}

type ClaimColumns = (String, String, String, Option<i64>, String);

statement! {
    ClaimsOfOwner<'a> -> (Text, Text, Text, Nullable<BigInt>, Text):
    "SELECT scope, value_key, record_kind, record_id, path FROM unique_claims WHERE owner = "
    { owner: &'a Uuid as SqlUuid }
    ""
}

statement! {
    ClaimsOfRecord<'a> -> (Text, Text, Text, Nullable<BigInt>, Text):
    "SELECT scope, value_key, record_kind, record_id, path FROM unique_claims WHERE owner = "
    { owner: &'a Uuid as SqlUuid }
    " AND record_kind = " { record_kind: &'a str as Text }
    " AND record_id = " { record_id: &'a i64 as BigInt }
    ""
}

/// Returns all claims of an owner.
pub(crate) fn claims_of_owner(
    conn: &mut AnyConnection,
    owner: &Uuid,
) -> QueryResult<Vec<StoredClaim>> {
    let rows = load!(conn, ClaimsOfOwner { owner } => ClaimColumns)?;
    Ok(rows.into_iter().map(stored_claim).collect())
}

/// Returns the claims of a record.
pub(crate) fn claims_of_record(
    conn: &mut AnyConnection,
    owner: &Uuid,
    kind: RecordKind,
    record_id: i64,
) -> QueryResult<Vec<StoredClaim>> {
    let find = ClaimsOfRecord { owner, record_kind: kind.record_name(), record_id: &record_id };
    let rows = load!(conn, find => ClaimColumns)?;
    Ok(rows.into_iter().map(stored_claim).collect())
}

fn stored_claim((scope, value_key, kind, id, path): ClaimColumns) -> StoredClaim {
    let known = RecordKind::WITH_TYPES.into_iter().find(|it| it.record_name() == kind);
    let holder = match (known, id) {
        (None, _) => ClaimHolder::User,
        (Some(RecordKind::Relationship), _) => ClaimHolder::Relationship,
        // Id 0 is that of no record: the migration did not find the record.
        (Some(kind), id) => ClaimHolder::Stored { kind, id: id.unwrap_or_default() },
    };
    let path = if path.is_empty() { path_in_scope(&scope).to_owned() } else { path };
    StoredClaim { claim: Claim { scope: scope.into(), value_key }, holder, path }
}

statement! {
    DeleteClaim<'a>:
    "DELETE FROM unique_claims WHERE scope = " { scope: &'a str as Text }
    " AND value_key = " { value_key: &'a str as Text }
    ""
}

statement! {
    DeleteClaimsOfOwner<'a>:
    "DELETE FROM unique_claims WHERE owner = " { owner: &'a Uuid as SqlUuid } ""
}

statement! {
    DeleteClaimsOfOwners<'a>:
    "DELETE FROM unique_claims WHERE owner = ANY(" { owners: &'a [Uuid] as Array<SqlUuid> } ")"
}

statement! {
    DeleteClaimsOfRecord<'a>:
    "DELETE FROM unique_claims WHERE owner = " { owner: &'a Uuid as SqlUuid }
    " AND record_kind = " { record_kind: &'a str as Text }
    " AND record_id = " { record_id: &'a i64 as BigInt }
    ""
}

/// Deletes a claim.
pub(crate) fn delete_claim(conn: &mut AnyConnection, claim: &Claim) -> QueryResult<()> {
    let Claim { scope, value_key } = claim;
    execute!(conn, DeleteClaim { scope, value_key }).map(drop)
}

/// Deletes all claims of owners.
pub(crate) fn delete_claims_of_owners(
    conn: &mut AnyConnection,
    owners: &[Uuid],
) -> QueryResult<()> {
    match conn {
        AnyConnection::Sqlite(conn) => {
            for owner in owners {
                DeleteClaimsOfOwner { owner }.execute(conn)?;
            }
        }
        AnyConnection::Postgres(conn) => {
            DeleteClaimsOfOwners { owners }.execute(conn)?;
        }
    }
    Ok(())
}

/// Deletes the claims of a record, without those of the records nested in it.
pub(crate) fn delete_claims_of_record(
    conn: &mut AnyConnection,
    owner: &Uuid,
    kind: RecordKind,
    record_id: i64,
) -> QueryResult<()> {
    let (record_kind, record_id) = (kind.record_name(), &record_id);
    execute!(conn, DeleteClaimsOfRecord { owner, record_kind, record_id }).map(drop)
}

#[test]
fn path_of_a_field_is_derived_from_its_scope() {
    for (scope, path) in [
        ("user.email", "email"),
        ("user.properties.code~case", "properties.code"),
        ("user.transactables.boat.properties.code+name", "properties.code"),
        (
            "user.profiles.seller.custom_addresses.home.city?enabled=true",
            "custom_addresses.home.city",
        ),
        ("#0a1b", ""),
    ] {
        assert_eq!(path_in_scope(scope), path);
    }
}
