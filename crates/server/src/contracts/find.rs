//! Users are found, shown and listed.

use actix_web::HttpMessage;
use actix_web::http::StatusCode;
use registrar_core::contract::{Lookup, Outcome, PageRequest};
use registrar_core::form::Resource;
use registrar_core::value::Value;
use registrar_store::{Pagination, ReadError, Store, StoredUser, UserFilter, UserPage};

use super::Call;
use super::answer::{Done, Own, failed};
use crate::answer::Fault;
use crate::auth;
use crate::body_memory::{BodyMemory, Held};
use crate::shown::stored_user;

/// Room for what is read.
pub(super) struct Room {
    memory: BodyMemory,
    most: usize,
}

impl Room {
    /// Takes it for parts of so many bytes.
    pub(super) fn hold(&self, weights: impl Iterator<Item = usize>) -> Result<Option<Held>, Fault> {
        self.memory.hold_answer(weights.sum(), self.most)
    }
}

impl Call<'_> {
    /// Shows a user.
    pub(super) async fn show(&mut self) -> Result<Done, Done> {
        let user = self.find().await?;
        self.knows(stored_user(user));
        self.check()?;
        Ok(Done::Outcome(Outcome::Found, Own::new()))
    }

    /// Shows a page of users.
    pub(super) async fn list(&mut self) -> Result<Done, Done> {
        self.check()?;
        let (page, window) = self.page()?;
        let sought = self.contract.resolve_lookup(self.action, self.asked).map_err(failed)?;
        let scope = self.users_in_reach();
        let room = self.room();
        let found = self.load(move |store| {
            let UserPage { users, total } = users(store, &sought, scope, window)?;
            let held = room.hold(users.iter().map(StoredUser::estimated_size));
            Ok(held
                .map(|held| (held, users.into_iter().map(stored_user).collect::<Vec<_>>(), total)))
        });
        let (held, users, total) = found.await??;
        self.keep(held);
        Ok(self.listed(users.into_iter(), (page, total)))
    }

    /// The room that there is for what is read.
    pub(super) fn room(&self) -> Room {
        let memory = self.state.body_memory.clone();
        Room { memory, most: self.state.settings.answer_limit }
    }

    /// Keeps the room for what was read until it is answered.
    pub(super) fn keep(&self, held: Option<Held>) {
        if let Some(held) = held {
            self.request.extensions_mut().insert(held);
        }
    }

    /// The page that is asked for, and the part of the list that it is.
    pub(super) fn page(&self) -> Result<(PageAsked, Pagination), Done> {
        if let Some(objection) = self.action.objects_to(self.request.query_string()) {
            return Err(Fault::new(StatusCode::BAD_REQUEST, "bad_query", objection).into());
        }
        let paging = &self.action.paging;
        let page = paging.page_request(&self.asked.query);
        let page = page.ok_or_else(|| Done::Outcome(Outcome::NotFound, Own::new()))?;
        let window = Pagination {
            newest_first: paging.is_descending,
            offset: i64::try_from(page.offset).unwrap_or(i64::MAX),
            limit: page.size.into(),
        };
        Ok((page, window))
    }

    /// The outcome that shows a page of users or of records.
    pub(super) fn listed(
        &self,
        items: impl Iterator<Item = Value<'static>>,
        (page, total): (PageRequest, i64),
    ) -> Done {
        let is_user = self.action.resource == Resource::User;
        let (one, all) = if is_user { ("user", "users") } else { ("record", "records") };
        let items = items.map(|item| {
            let ids = self.contract.id_values(&item, is_user);
            let item = self.contract.representation(item);
            Value::Object(vec![(one.into(), item), ("ids".into(), ids)])
        });
        let items = Value::Array(items.collect());
        let address = format!("{}{}", super::base_url(self.request, self.path), self.path);
        let page = self.action.paging.page_value(page, total, &address, &self.asked.query);
        Done::Outcome(Outcome::Listed, vec![(all, items), ("page", page)])
    }

    /// Reads for whoever was let in. Of a token that was valid a moment ago, that is asked again in
    /// the same go where nothing else would ask.
    pub(super) async fn load<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, Fault> {
        let hash = self.who.hash;
        let read = auth::load(self.state, move |store| match hash {
            Some(hash) if auth::valid_token(store, &hash)?.is_none() => Ok(None),
            _ => work(store).map(Some),
        });
        read.await?.ok_or_else(auth::invalid)
    }

    /// The user who is meant.
    pub(super) async fn find(&self) -> Result<StoredUser, Done> {
        let found = self.find_any().await?;
        found.ok_or_else(|| Done::Outcome(Outcome::NotFound, Own::new()))
    }

    /// The user who is meant, if there is one.
    pub(super) async fn find_any(&self) -> Result<Option<StoredUser>, Done> {
        let sought = self.contract.resolve_lookup(self.action, self.asked).map_err(failed)?;
        self.user(sought).await
    }

    /// Returns the first user that matches all of `sought`, or `None` where there is none whom the
    /// caller reaches.
    pub(super) async fn user(&self, sought: Vec<Lookup>) -> Result<Option<StoredUser>, Done> {
        let scope = self.users_in_reach();
        let room = self.room();
        let found = self.load(move |store| {
            let user = one(store, &sought, scope)?;
            Ok(room.hold(user.iter().map(StoredUser::estimated_size)).map(|held| (held, user)))
        });
        let (held, user) = found.await??;
        self.keep(held);
        Ok(user)
    }

    /// Returns the filter that every look-up of users begins with: those of the contract whom the
    /// caller reaches.
    fn users_in_reach(&self) -> UserFilter {
        let mut filter =
            UserFilter { form_names: self.contract.own_forms(), ..UserFilter::default() };
        self.who.permissions.narrow_users(&mut filter);
        filter
    }
}

/// Returns the first user in `scope` that matches all of `sought`; nobody where nothing is sought.
pub(super) fn one(
    store: &Store,
    sought: &[Lookup],
    scope: UserFilter,
) -> Result<Option<StoredUser>, ReadError> {
    if sought.is_empty() {
        return Ok(None);
    }
    Ok(users(store, sought, scope, Pagination::FIRST)?.users.pop())
}

/// Returns the users in `scope` that match all of `sought`.
fn users(
    store: &Store,
    sought: &[Lookup],
    scope: UserFilter,
    window: Pagination,
) -> Result<UserPage, ReadError> {
    let mut filter = scope;
    // Whoever is said to be one user at most, is the same each time it is said.
    let mut only: Option<Option<StoredUser>> = None;
    let mut narrow = |found: Option<StoredUser>| {
        only = Some(match only.take() {
            None => found,
            Some(known) => known
                .zip(found)
                .filter(|(known, found)| known.columns.id == found.columns.id)
                .map(|(known, _)| known),
        });
    };
    for said in sought {
        match said {
            Lookup::Nobody | Lookup::Key(_) | Lookup::Owner(_) => narrow(None),
            Lookup::Id(id) => narrow(store.user(*id)?),
            Lookup::IdOrOwn(id, own) => {
                let of_own = UserFilter { external_id: Some(own.clone()), ..UserFilter::default() };
                let found = store.list_users(&of_own, Pagination::FIRST)?.users.pop();
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
    let user = match only {
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
    let is_all_said = email_key.is_none()
        && external_id.is_none()
        && properties.is_empty()
        && relationship_id.is_none();
    if !is_all_said {
        filter.id = Some(user.columns.id);
        return store.list_users(&filter, window);
    }
    let holds = forms.as_ref().is_none_or(|forms| forms.contains(&user.columns.form_name))
        && only.is_none_or(|only| only == user.columns.id);
    let users: Vec<StoredUser> = Some(user).into_iter().filter(|_| holds).collect();
    let total = i64::try_from(users.len()).unwrap_or_default();
    Ok(UserPage { users: if window.offset == 0 { users } else { Vec::new() }, total })
}
