//! Runs the look-up of a contract for users.

use registrar_contracts::Lookup;
use registrar_store::{Pagination, ReadError, Store, StoredUser, UserFilter, UserPage};

/// Returns the first user in `scope` that matches all keys of a look-up. Returns `None` if the look-up is
/// empty.
pub(crate) fn find_user(
    store: &Store,
    lookup: &[Lookup],
    scope: UserFilter,
) -> Result<Option<StoredUser>, ReadError> {
    if lookup.is_empty() {
        return Ok(None);
    }
    Ok(find_users(store, lookup, scope, Pagination::FIRST)?.users.pop())
}

/// Returns a page of the users in `scope` that match all keys of a look-up.
pub(crate) fn find_users(
    store: &Store,
    lookup: &[Lookup],
    scope: UserFilter,
    window: Pagination,
) -> Result<UserPage, ReadError> {
    let mut filter = scope;
    // Unique keys must all match the same user.
    let mut unique: Option<Option<StoredUser>> = None;
    let mut narrow = |found: Option<StoredUser>| {
        unique = Some(match unique.take() {
            None => found,
            Some(user) => user
                .zip(found)
                .filter(|(user, found)| user.columns.id == found.columns.id)
                .map(|(user, _)| user),
        });
    };
    for key in lookup {
        match key {
            Lookup::Nobody | Lookup::Key(_) | Lookup::Owner(_) => narrow(None),
            Lookup::Id(id) => narrow(store.user(*id)?),
            Lookup::IdOrExternalId(id, external_id) => {
                let external_id = Some(external_id.clone());
                let by_external_id = UserFilter { external_id, ..UserFilter::default() };
                let found = store.list_users(&by_external_id, Pagination::FIRST)?.users.pop();
                narrow(match (found, id) {
                    (Some(user), _) => Some(user),
                    (None, Some(id)) => {
                        store.user(*id)?.filter(|user| user.columns.external_id.is_none())
                    }
                    (None, None) => None,
                });
            }
            Lookup::Claim(claim) => narrow(store.user_by_claim(&claim.scope, &claim.value_key)?),
            Lookup::Relationship(id) => filter.relationship_id = Some(*id),
            Lookup::EmailKey(key) => filter.email_key = Some(key.clone()),
            Lookup::ExternalId(id) => filter.external_id = Some(id.clone()),
            Lookup::Property(name, text) => filter.properties.push((name.clone(), text.clone())),
        }
    }
    let user = match unique {
        None => return store.list_users(&filter, window),
        Some(None) => return Ok(UserPage { users: Vec::new(), total: 0 }),
        Some(Some(user)) => user,
    };
    let UserFilter {
        email_key,
        external_id,
        properties,
        relationship_id,
        form_names: forms,
        restricted_to: only,
        ..
    } = &filter;
    let has_other_keys = email_key.is_some()
        || external_id.is_some()
        || !properties.is_empty()
        || relationship_id.is_some();
    if has_other_keys {
        filter.id = Some(user.columns.id);
        return store.list_users(&filter, window);
    }
    let is_in_scope = forms.as_ref().is_none_or(|forms| forms.contains(&user.columns.form_name))
        && only.is_none_or(|only| only == user.columns.id);
    let users: Vec<StoredUser> = Some(user).into_iter().filter(|_| is_in_scope).collect();
    let total = i64::try_from(users.len()).unwrap_or_default();
    Ok(UserPage { users: if window.offset == 0 { users } else { Vec::new() }, total })
}
