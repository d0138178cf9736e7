//! Fills the columns of `unique_claims` that migration 0008 adds.
//!
//! A claim that was stored before names its owner and, in its scope, the field, but not the record. That
//! is the one of the owner's records whose values match the claim.

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, QueryableByName, RunQueryDsl, sql_query};
use registrar_core::aggregate::Claim;
use registrar_core::record_kind::RecordKind;
use registrar_core::rules::claim_matches;
use registrar_core::value::Value;

use super::AnyConnection;

/// Maximum number of claims that are matched at once.
const PAGE_SIZE: i64 = 1000;

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    text: String,
}

/// A claim with a record of its owner, as JSON.
#[derive(QueryableByName)]
struct CandidateRow {
    #[diesel(sql_type = Text)]
    value_key: String,
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    record: String,
}

/// Runs a query on either database.
macro_rules! on_either {
    ($conn:ident, $query:expr => $run:ident) => {{
        let query = $query;
        match $conn {
            AnyConnection::Sqlite(conn) => query.$run(conn),
            AnyConnection::Postgres(conn) => query.$run(conn),
        }
    }};
}

/// Fills `record_kind` and `record_id` of all claims.
pub(crate) fn run(conn: &mut AnyConnection) -> QueryResult<()> {
    let scopes = sql_query("SELECT DISTINCT scope AS text FROM unique_claims");
    let scopes: Vec<TextRow> = on_either!(conn, scopes => load)?;
    let is_postgres = matches!(conn, AnyConnection::Postgres(_));
    for TextRow { text: scope } in scopes {
        let Some(field) = FieldAddress::parse(&scope) else { continue };
        let update = sql_query(match is_postgres {
            true => "UPDATE unique_claims SET record_kind = $1 WHERE scope = $2",
            false => "UPDATE unique_claims SET record_kind = ? WHERE scope = ?",
        });
        let update = update
            .bind::<Text, _>(field.kind.map_or("user", RecordKind::record_name))
            .bind::<Text, _>(&scope);
        on_either!(conn, update => execute)?;
        if let Some(kind) = field.kind.filter(|kind| *kind != RecordKind::Relationship) {
            find_records(conn, &scope, kind, &field)?;
        }
    }
    Ok(())
}

/// The address of a claimed field.
struct FieldAddress<'s> {
    /// Kind of its record, or `None` if it is a field of the user.
    kind: Option<RecordKind>,
    type_name: &'s str,
    /// Path within the record.
    path: &'s str,
    /// Path of the object with the field, from the user on.
    object: &'s str,
}

impl<'s> FieldAddress<'s> {
    /// Parses a scope such as `user.transactables.boat.properties.code+name~case`. Returns `None` for the
    /// digest of a long scope.
    fn parse(scope: &'s str) -> Option<Self> {
        let whole = scope.strip_prefix("user.")?.split(['+', '?', '~']).next()?;
        let object = whole.rsplit_once('.').map_or("", |(object, _)| object);
        let mut parts = whole.splitn(3, '.');
        let folder = parts.next()?;
        let kind = RecordKind::WITH_TYPES.into_iter().find(|kind| kind.list_name() == folder);
        Some(match (kind, parts.next(), parts.next()) {
            (Some(_), Some(type_name), Some(path)) => Self { kind, type_name, path, object },
            _ => Self { kind: None, type_name: "", path: whole, object },
        })
    }

    /// Returns the join of the address or file with the field, and its name, or `None` if the field is one
    /// of the record itself.
    fn attachment(&self) -> Option<(&'static str, &'s str)> {
        let mut parts = self.path.splitn(3, '.');
        let join = match parts.next()? {
            "custom_addresses" => "JOIN addresses a ON",
            "custom_images" => "JOIN files a ON a.is_image AND",
            "custom_attachments" => "JOIN files a ON NOT a.is_image AND",
            _ => return None,
        };
        Some((join, parts.next()?))
    }
}

/// Returns the join of an owner `u` with its records `t` of a kind, and the names and values of their
/// fields in SQL.
fn records(kind: RecordKind) -> (&'static str, &'static str) {
    match kind {
        RecordKind::Profile => ("user_profiles t ON t.user_id = u.id", "'enabled', t.enabled"),
        RecordKind::Transactable => (
            "transactables t ON t.user_id = u.id",
            "'creator_id', t.user_id, 'name', t.name, 'description', t.description, \
             'currency', t.currency, 'enabled', t.enabled",
        ),
        RecordKind::RelationshipUser => (
            "relationship_users t ON t.user_id = u.id \
             JOIN relationships r ON r.id = t.relationship_id",
            "'user_id', t.user_id, 'relationship_id', t.relationship_id, \
             'relationship_name', r.type_name, 'relationship_key', r.key",
        ),
        RecordKind::RelationshipTransactable => (
            "transactables x ON x.user_id = u.id \
             JOIN relationship_transactables t ON t.transactable_id = x.id",
            "'relationship_id', t.relationship_id, 'transactable_id', t.transactable_id",
        ),
        _ => ("customizations t ON t.user_id = u.id", "'custom_model_type_name', t.type_name"),
    }
}

const ADDRESS_FIELDS: &str = "'address', a.address, 'street', a.street, \
    'street_number', a.street_number, 'suburb', a.suburb, 'city', a.city, 'state', a.state, \
    'postcode', a.postcode, 'country', a.country, 'iso_country_code', a.iso_country_code, \
    'latitude', a.latitude, 'longitude', a.longitude";

const FILE_FIELDS: &str = "'direct_url', a.direct_url, 'file_name', a.file_name, \
    'content_type', a.content_type, 'caption', a.caption";

/// Returns the query for claims of a scope after a key, with the records that they may belong to. Its
/// parameters are the scope, the key, the page size, the type name and the name of an attachment.
fn candidates(is_postgres: bool, kind: RecordKind, field: &FieldAddress<'_>) -> String {
    let (source, fields) = records(kind);
    let (attachment, fields) = match field.attachment() {
        Some((join, _)) => {
            let join = format!(
                "{join} a.user_id = u.id AND a.owner_kind = '{}' AND a.owner_id = t.id AND a.name = ?",
                kind.record_name()
            );
            (
                join,
                if field.path.starts_with("custom_addresses") {
                    ADDRESS_FIELDS
                } else {
                    FILE_FIELDS
                },
            )
        }
        // The last parameter is used in any case.
        None => (String::from("JOIN (SELECT ? AS unused) a ON true"), fields),
    };
    let record = match is_postgres {
        true => format!("jsonb_build_object({fields}, 'properties', t.properties)::text"),
        false => {
            let flag = "json(iif(t.enabled, 'true', 'false'))";
            let fields = fields.replace("t.enabled", flag);
            format!("json_object({fields}, 'properties', json(t.properties))")
        }
    };
    let sql = format!(
        "SELECT c.value_key AS value_key, t.id AS id, {record} AS record \
         FROM (SELECT value_key, owner FROM unique_claims WHERE scope = ? AND value_key > ? \
         ORDER BY value_key LIMIT ?) c \
         JOIN users u ON u.uuid = c.owner JOIN {source} AND t.type_name = ? {attachment} \
         ORDER BY value_key, id"
    );
    if !is_postgres {
        return sql;
    }
    let mut parts = sql.split('?');
    let mut numbered = parts.next().unwrap_or_default().to_owned();
    for (part, number) in parts.zip(1..) {
        let cast = if number == 3 { "" } else { "::text" };
        numbered.push_str(&format!("${number}{cast}{part}"));
    }
    numbered
}

/// Sets `record_id` of the claims of a scope. A claim that no record matches keeps none, as it could not
/// be released before either.
fn find_records(
    conn: &mut AnyConnection,
    scope: &str,
    kind: RecordKind,
    field: &FieldAddress<'_>,
) -> QueryResult<()> {
    let is_postgres = matches!(conn, AnyConnection::Postgres(_));
    let sql = candidates(is_postgres, kind, field);
    let name = field.attachment().map_or("", |(_, name)| name);
    let mut last_key = String::new();
    loop {
        let keys = sql_query(match is_postgres {
            true => {
                "SELECT value_key AS text FROM unique_claims WHERE scope = $1 AND value_key > $2 \
                 ORDER BY value_key LIMIT $3"
            }
            false => {
                "SELECT value_key AS text FROM unique_claims WHERE scope = ? AND value_key > ? \
                 ORDER BY value_key LIMIT ?"
            }
        });
        let keys =
            keys.bind::<Text, _>(scope).bind::<Text, _>(&last_key).bind::<BigInt, _>(PAGE_SIZE);
        let keys: Vec<TextRow> = on_either!(conn, keys => load)?;
        let rows = sql_query(&sql)
            .bind::<Text, _>(scope)
            .bind::<Text, _>(&last_key)
            .bind::<BigInt, _>(PAGE_SIZE)
            .bind::<Text, _>(field.type_name)
            .bind::<Text, _>(name);
        let rows: Vec<CandidateRow> = on_either!(conn, rows => load)?;
        let mut last_match = None;
        for CandidateRow { value_key, id, record } in rows {
            let claim = Claim { scope: scope.into(), value_key };
            if last_match.as_ref() == Some(&claim) || !matches(&claim, field, &record) {
                continue;
            }
            let update = sql_query(match is_postgres {
                true => {
                    "UPDATE unique_claims SET record_id = $1 WHERE scope = $2 AND value_key = $3"
                }
                false => "UPDATE unique_claims SET record_id = ? WHERE scope = ? AND value_key = ?",
            });
            let update = update
                .bind::<BigInt, _>(id)
                .bind::<Text, _>(scope)
                .bind::<Text, _>(&claim.value_key);
            on_either!(conn, update => execute)?;
            last_match = Some(claim);
        }
        match keys.into_iter().last() {
            Some(key) => last_key = key.text,
            None => return Ok(()),
        }
    }
}

fn matches(claim: &Claim, field: &FieldAddress<'_>, record: &str) -> bool {
    let record = serde_json::from_str::<serde_json::Value>(record);
    let Ok(Value::Object(mut entries)) = record.map(Value::from) else { return false };
    for (name, value) in &mut entries {
        if let ("latitude" | "longitude", Value::String(degrees)) = (&**name, &value) {
            *value = Value::Number(degrees.clone());
        }
    }
    let record = Value::Object(entries);
    match (field.object.ends_with(".properties"), record.get("properties")) {
        (true, Some(properties)) => claim_matches(claim, field.object, properties, Some(&record)),
        _ => claim_matches(claim, field.object, &record, None),
    }
}
