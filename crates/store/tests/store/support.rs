//! Test support: temporary databases, sample records, and blocking the writer.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs, process, thread};

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use registrar_core::aggregate::{Aggregate, Claim, ClaimHolder, NewClaim, NewEntity, NewUser};
use registrar_core::changes::{AggregateUpdate, ReleasedClaims};
use registrar_core::record_kind::RecordKind;
use registrar_store::{CreateError, CreateRequest, Created, Store, StoreSettings, UpdateRequest};

/// Generates a test of a case for each database.
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => { $(
        mod $case {
            #[test]
            fn sqlite() {
                super::$case(&crate::support::Scratch::sqlite());
            }

            #[test]
            fn postgres() {
                if let Some(scratch) = crate::support::Scratch::postgres() {
                    super::$case(&scratch);
                }
            }
        }
    )+ };
}
pub(crate) use on_both;

/// All tables with rows of users.
pub(crate) const TABLES: [&str; 10] = [
    "users",
    "password_credentials",
    "user_profiles",
    "transactables",
    "relationships",
    "relationship_users",
    "customizations",
    "addresses",
    "files",
    "unique_claims",
];

/// An empty database, removed on drop.
pub(crate) struct Scratch {
    pub(crate) url: String,
    folder: Option<PathBuf>,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// A connection of the test itself.
pub(crate) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Raw {
    pub(crate) fn run(&mut self, sql: &str) {
        match self {
            Self::Sqlite(conn) => conn.batch_execute(sql),
            Self::Postgres(conn) => conn.batch_execute(sql),
        }
        .unwrap();
    }

    pub(crate) fn number(&mut self, select: &str) -> i64 {
        let query = sql_query(format!("SELECT ({select}) AS number"));
        match self {
            Self::Sqlite(conn) => query.get_result::<Number>(conn),
            Self::Postgres(conn) => query.get_result::<Number>(conn),
        }
        .unwrap()
        .number
    }
}

impl Scratch {
    pub(crate) fn sqlite() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("registrar-store-{}-{nth}", process::id()));
        let url = format!("sqlite:{}", folder.join("made/registrar.db").display());
        Self { url, folder: Some(folder) }
    }

    pub(crate) fn postgres() -> Option<Self> {
        registrar_scratch_postgres::fresh_database().map(|url| Self { url, folder: None })
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.folder.is_some()
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(&StoreSettings::new(&self.url)).unwrap()
    }

    pub(crate) fn raw(&self) -> Raw {
        if let Some(path) = self.url.strip_prefix("sqlite:") {
            let mut conn = SqliteConnection::establish(path).unwrap();
            conn.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
            Raw::Sqlite(conn)
        } else {
            Raw::Postgres(PgConnection::establish(&self.url).unwrap())
        }
    }

    pub(crate) fn count(&self, table: &str) -> i64 {
        self.raw().number(&format!("SELECT count(*) FROM {table}"))
    }

    /// Returns true if no rows of users are stored.
    pub(crate) fn is_empty(&self) -> bool {
        TABLES.iter().all(|table| self.count(table) == 0)
    }

    /// Opens a transaction that blocks all writers of claims until it is dropped.
    pub(crate) fn lock_writer(&self) -> Raw {
        let mut raw = self.raw();
        raw.run(match raw {
            Raw::Sqlite(_) => "BEGIN IMMEDIATE; UPDATE counters SET users = users",
            Raw::Postgres(_) => "BEGIN; LOCK TABLE unique_claims IN EXCLUSIVE MODE",
        });
        raw
    }

    /// Creates users in one batch, by queueing all of them while the writer is blocked.
    pub(crate) fn create_together(
        &self,
        store: &Store,
        records: Vec<CreateRequest>,
    ) -> Vec<Result<Created, CreateError>> {
        let held = self.lock_writer();
        // The others queue while the writer is busy with this one.
        let plug = store.create(record(user("plug", &[("plug", "plug")])));
        thread::sleep(Duration::from_millis(100));
        let answers: Vec<_> = records.into_iter().map(|record| store.create(record)).collect();
        drop(held);
        // Remove the plug, so that the tables contain the other users only.
        wait(plug).unwrap();
        let outcomes = answers.into_iter().map(wait).collect();
        self.raw().run(
            "DELETE FROM users WHERE name = 'plug'; DELETE FROM unique_claims WHERE scope = 'plug'",
        );
        outcomes
    }
}

/// Runs a future to completion.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A user with claims.
pub(crate) fn user(name: &str, claims: &[(&str, &str)]) -> Aggregate {
    let claims = claims.iter().map(|(scope, key)| claim(scope, key)).collect();
    let new = NewUser { name: Some(name.to_owned()), ..NewUser::default() };
    Aggregate { claims, ..of(NewEntity::User(new)) }
}

/// An entity without claims and references.
pub(crate) fn of(entity: NewEntity) -> Aggregate {
    Aggregate { entity, claims: vec![], references: vec![] }
}

/// Changes the user of an aggregate.
pub(crate) fn with_user(mut aggregate: Aggregate, change: impl FnOnce(&mut NewUser)) -> Aggregate {
    let NewEntity::User(user) = &mut aggregate.entity else { panic!("not a user") };
    change(user);
    aggregate
}

/// A claim of a user.
pub(crate) fn claim(scope: &str, value_key: &str) -> NewClaim {
    let claim = Claim { scope: scope.into(), value_key: value_key.to_owned() };
    NewClaim { claim, holder: ClaimHolder::User, path: "".into() }
}

/// A claim of the first record of a kind in a submission; a stored one has an id.
pub(crate) fn record_claim(
    kind: RecordKind,
    id: Option<i64>,
    scope: &str,
    value_key: &str,
) -> NewClaim {
    let holder = match id {
        Some(id) => ClaimHolder::Stored { kind, id },
        None => ClaimHolder::New(vec![(kind, 0)]),
    };
    NewClaim { holder, ..claim(scope, value_key) }
}

pub(crate) fn record(aggregate: Aggregate) -> CreateRequest {
    CreateRequest {
        actor: None.into(),
        idempotency_key: None,
        hides_conflicts: false,
        aggregate,
        default_owner: None,
        password_hash: None,
        form_name: "sign_up".into(),
        form_version: "abc123".into(),
    }
}

pub(crate) fn create(store: &Store, aggregate: Aggregate) -> Result<Created, CreateError> {
    wait(store.create(record(aggregate)))
}

/// Returns the update of a user or record that was loaded with a lock version.
pub(crate) fn update((id, lock_version): (i64, i64), changed: AggregateUpdate) -> UpdateRequest {
    UpdateRequest { id, lock_version, changed, password_hash: None, actor: None.into() }
}

/// Returns a new state that releases no claims.
pub(crate) fn keeping_claims(aggregate: Aggregate) -> AggregateUpdate {
    AggregateUpdate { aggregate, released: ReleasedClaims::default() }
}
