//! The addresses, files and customizations of records.

use std::collections::HashMap;
use std::hash::Hash;

use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::connection::AnyConnection;
use crate::sql::id_in;
use crate::tables::addresses::StoredAddress;
use crate::tables::customizations::{StoredAttached, StoredCustomization};
use crate::tables::files::StoredFile;
use crate::tables::schema::{addresses, customizations, files};

/// Kind and id of an owner.
type OwnerKey = (String, i64);

/// Addresses, files and customizations by their owner.
#[derive(Default, Clone)]
pub(super) struct Attachments {
    addresses: HashMap<OwnerKey, Vec<StoredAddress>>,
    files: HashMap<OwnerKey, Vec<StoredFile>>,
    /// Without their own attachments.
    customizations: HashMap<OwnerKey, Vec<StoredCustomization>>,
}

/// Groups rows by key, keeping their order.
pub(super) fn group_by_key<K: Hash + Eq, V>(
    rows: impl Iterator<Item = (K, V)>,
) -> HashMap<K, Vec<V>> {
    let mut groups = HashMap::new();
    for (key, row) in rows {
        groups.entry(key).or_insert_with(Vec::new).push(row);
    }
    groups
}

impl Attachments {
    /// Loads all attachments of these users and of their records.
    pub(super) fn of_users(conn: &mut AnyConnection, users: &[i64]) -> QueryResult<Self> {
        let mut loaded = Self::default();
        loaded.load(conn, users, None)?;
        Ok(loaded)
    }

    /// Loads the attachments of records of one kind, and those nested in them. `users` are the owners of
    /// the records.
    pub(super) fn of_records(
        conn: &mut AnyConnection,
        users: &[i64],
        kind: &str,
        ids: &[i64],
    ) -> QueryResult<Self> {
        let mut loaded = Self::default();
        let (mut kind, mut ids) = (kind, ids.to_vec());
        while !ids.is_empty() {
            ids = loaded.load(conn, users, Some((kind, &ids)))?;
            kind = "customization";
        }
        Ok(loaded)
    }

    /// Adds the attachments in the records of users, or of some of the records only. Returns the ids of
    /// the customizations.
    fn load(
        &mut self,
        conn: &mut AnyConnection,
        users: &[i64],
        owners: Option<(&str, &[i64])>,
    ) -> QueryResult<Vec<i64>> {
        macro_rules! rows {
            ($table:ident, $columns:expr) => {{
                let mut query = $table::table.filter(id_in($table::user_id, users)).into_boxed();
                if let Some((kind, ids)) = owners {
                    query = query
                        .filter($table::owner_kind.eq(kind))
                        .filter(id_in($table::owner_id, ids));
                }
                query
                    .order(($table::position, $table::id))
                    .select((($table::owner_kind, $table::owner_id), $columns))
                    .load(conn)?
            }};
        }
        let addresses: Vec<(OwnerKey, _)> = rows!(addresses, StoredAddress::COLUMNS);
        let files: Vec<(OwnerKey, _)> = rows!(files, StoredFile::COLUMNS);
        let customizations: Vec<(OwnerKey, (i64, _, _))> =
            rows!(customizations, StoredCustomization::COLUMNS);
        let ids = customizations.iter().map(|(_, columns)| columns.0).collect();
        let addresses = addresses.into_iter().map(|(key, it)| (key, StoredAddress::new(it)));
        self.addresses.extend(group_by_key(addresses));
        let files = files.into_iter().map(|(key, it)| (key, StoredFile::new(it)));
        self.files.extend(group_by_key(files));
        let customizations = customizations
            .into_iter()
            .map(|(key, it)| (key, StoredCustomization::new(it, StoredAttached::default())));
        self.customizations.extend(group_by_key(customizations));
        Ok(ids)
    }

    /// Removes and returns the attachments of an owner, with those of its customizations.
    pub(super) fn take(&mut self, kind: &str, id: i64) -> StoredAttached {
        let owner = (kind.to_owned(), id);
        let addresses = self.addresses.remove(&owner).unwrap_or_default();
        let files = self.files.remove(&owner).unwrap_or_default();
        let mut customizations = self.customizations.remove(&owner).unwrap_or_default();
        for customization in &mut customizations {
            customization.attached = self.take("customization", customization.id);
        }
        StoredAttached { addresses, files, customizations }
    }
}
