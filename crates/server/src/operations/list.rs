//! Operation `list`.

use actix_web::http::StatusCode;
use registrar_contracts::{Outcome, PageRequest};
use registrar_core::record_kind::RecordKind;
use registrar_core::value::Value;
use registrar_store::Pagination;

use super::contract_url;
use super::lookup::Query;
use super::reply::Reply;
use super::request_cx::RequestCx;
use crate::error::ApiError;
use crate::representation::StoredEntity;

impl RequestCx<'_> {
    /// Shows a page of users or records.
    pub(super) async fn list(&mut self) -> Result<Reply, ApiError> {
        let kind = self.kind();
        let is_user = kind == RecordKind::User;
        let parent = if is_user { None } else { self.find_parent().await? };
        self.check_preconditions()?;
        let (page, window) = self.page()?;
        let lookup = self.contract.resolve_lookup(self.action, self.context)?;
        let query = match is_user {
            true => Query::Users(lookup, self.user_scope()),
            false => Query::Records(kind, self.record_filter(&lookup, parent)),
        };
        let (items, total) = self.query(query, window, StoredEntity::into_value).await?;
        Ok(self.listed(items, is_user, (page, total)))
    }

    /// Returns the requested page and its window in the list.
    fn page(&self) -> Result<(PageRequest, Pagination), ApiError> {
        if let Some(reason) = self.action.invalid_parameter(self.request.query_string()) {
            let error = ApiError::new(StatusCode::BAD_REQUEST, "bad_query", reason);
            return Err(error.with_outcome(Outcome::BadQuery));
        }
        let paging = &self.action.paging;
        let page = paging.page_request(&self.context.query);
        let page = page.ok_or_else(|| ApiError::entity_not_found(self.action.resource))?;
        let window = Pagination {
            newest_first: paging.is_descending,
            offset: i64::try_from(page.offset).unwrap_or(i64::MAX),
            limit: page.size.into(),
        };
        Ok((page, window))
    }

    fn listed(
        &self,
        items: Vec<Value<'static>>,
        is_user: bool,
        (page, total): (PageRequest, i64),
    ) -> Reply {
        let (item_name, list_name) =
            if is_user { ("user", "users") } else { ("record", "records") };
        let items = items.into_iter().map(|item| {
            let ids = self.contract.id_values(&item, is_user);
            let item = self.contract.representation(item);
            Value::Object(vec![(item_name.into(), item), ("ids".into(), ids)])
        });
        let items = Value::Array(items.collect());
        let url = format!("{}{}", contract_url(self.request, self.path, self.state), self.path);
        let page = self.action.paging.page_value(page, total, &url, &self.context.query);
        Reply::Outcome(Outcome::Listed, vec![(list_name, items), ("page", page)])
    }
}
