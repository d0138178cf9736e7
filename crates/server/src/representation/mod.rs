//! JSON representation of stored users and records.

mod record;
mod user;

pub use record::{record_as_input, record_to_value};
pub(crate) use user::user_as_input;
pub use user::user_to_value;

use registrar_core::record_kind::RecordKind;
use registrar_core::value::Value;
use registrar_store::{Created, ReadError, Store, StoredRecord, StoredUser};

/// A stored user or record.
#[derive(Debug, Clone)]
pub(crate) enum StoredEntity {
    User(Box<StoredUser>),
    Record(Box<StoredRecord>),
}

impl StoredEntity {
    /// Returns the stored user or record of a kind with an id, or `None` if there is none.
    pub(crate) fn load(
        store: &Store,
        kind: RecordKind,
        id: i64,
    ) -> Result<Option<Self>, ReadError> {
        Ok(match kind {
            RecordKind::User => store.user(id)?.map(Self::from),
            _ => store.record(kind, id)?.map(Self::from),
        })
    }

    /// Returns the kind of the user or record.
    pub(crate) fn kind(&self) -> RecordKind {
        match self {
            Self::User(_) => RecordKind::User,
            Self::Record(record) => record.kind(),
        }
    }

    /// Returns the version that an update expects.
    pub(crate) fn lock_version(&self) -> i64 {
        match self {
            Self::User(user) => user.columns.updated_at,
            Self::Record(record) => record.lock_version,
        }
    }

    pub(crate) fn id(&self) -> i64 {
        match self {
            Self::User(user) => user.columns.id,
            Self::Record(record) => record.id(),
        }
    }

    /// Returns its approximate size in bytes.
    pub(crate) fn estimated_size(&self) -> usize {
        match self {
            Self::User(user) => user.estimated_size(),
            Self::Record(record) => record.estimated_size(),
        }
    }

    /// Returns the user, or `None` for a record.
    pub(crate) fn into_user(self) -> Option<StoredUser> {
        match self {
            Self::User(user) => Some(*user),
            Self::Record(_) => None,
        }
    }

    /// Returns it as JSON.
    pub(crate) fn into_value(self) -> Value<'static> {
        match self {
            Self::User(user) => user_to_value(*user),
            Self::Record(record) => record_to_value(*record),
        }
    }

    /// Returns it in the shape of a submission to its form.
    pub(crate) fn into_input(self) -> Value<'static> {
        match self {
            Self::User(user) => user_as_input(*user),
            Self::Record(record) => record_as_input(*record),
        }
    }
}

impl From<StoredUser> for StoredEntity {
    fn from(user: StoredUser) -> Self {
        Self::User(Box::new(user))
    }
}

impl From<StoredRecord> for StoredEntity {
    fn from(record: StoredRecord) -> Self {
        Self::Record(Box::new(record))
    }
}

/// Returns the properties of a new user that are known without reading it back.
pub(crate) fn user_stub(created: &Created, external_id: Option<String>) -> Value<'static> {
    let text = |text: String| Value::String(text.into());
    Value::Object(vec![
        ("id".into(), Value::Number(created.id.to_string().into())),
        ("uuid".into(), created.uuid.map(|uuid| text(uuid.to_string())).unwrap_or_default()),
        ("external_id".into(), external_id.map(text).unwrap_or_default()),
    ])
}

/// Returns a record that was deleted in the meantime.
pub(crate) fn id_only(id: i64) -> Value<'static> {
    Value::Object(vec![("id".into(), Value::Number(id.to_string().into()))])
}
