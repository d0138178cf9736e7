//! Opening databases: migrations and invalid URLs.

use registrar_core::record_kind::RecordKind;
use std::path::Path;
use std::process::Command;
use std::{fs, thread};

use registrar_store::{OpenError, RecordBody, Store, StoreSettings, migrate, pending};

use crate::support::{Scratch, create, on_both, user};

on_both!(
    concurrent_opens_migrate_once,
    pending_migrations_are_listed,
    newer_schema_is_rejected,
    open_errors_tell_what_to_do,
    data_of_the_first_migration_survives_later_ones,
);

fn concurrent_opens_migrate_once(scratch: &Scratch) {
    let stores: Vec<Store> = thread::scope(|scope| {
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(|| scratch.open())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (store, id) in stores.iter().zip(1..) {
        assert_eq!(create(store, user("ann", &[])).unwrap().id, id);
    }
}

fn pending_migrations_are_listed(scratch: &Scratch) {
    let all = pending(&scratch.url).unwrap();
    assert_eq!(all.first().map(String::as_str), Some("0001_create_tables"));
    let without_migration = StoreSettings { migrate: false, ..StoreSettings::new(&scratch.url) };
    let Err(OpenError::Pending { names }) = Store::open(&without_migration) else {
        panic!("opened")
    };
    assert_eq!(names, all);
    assert_eq!(migrate(&scratch.url).unwrap(), all);
    assert_eq!(migrate(&scratch.url).unwrap(), Vec::<String>::new());
    assert_eq!(pending(&scratch.url).unwrap(), Vec::<String>::new());
    Store::open(&without_migration).unwrap();
}

fn newer_schema_is_rejected(scratch: &Scratch) {
    drop(scratch.open());
    scratch.raw().run("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')");
    for migrate in [true, false] {
        let settings = StoreSettings { migrate, ..StoreSettings::new(&scratch.url) };
        let Err(OpenError::NewerSchema { versions }) = Store::open(&settings) else {
            panic!("opened")
        };
        assert_eq!(versions, ["9999"]);
    }
    assert!(pending(&scratch.url).is_err());
}

fn open_errors_tell_what_to_do(scratch: &Scratch) {
    let open_error = |url: &str| Store::open(&StoreSettings::new(url)).err().unwrap().to_string();
    assert!(open_error("mysql://ann:secret@host/db").contains("`postgres://"));
    assert!(open_error("sqlite:").contains("sqlite:data/registrar.db"));
    let refused = if scratch.is_sqlite() {
        open_error("sqlite:/proc/nothing/registrar.db")
    } else {
        open_error("postgres://ann:secret@%2Fnowhere/db")
    };
    assert!(refused.starts_with("cannot "), "{refused}");
    assert!(!refused.contains("secret"), "{refused}");
}

fn data_of_the_first_migration_survives_later_ones(scratch: &Scratch) {
    let first = if scratch.is_sqlite() {
        include_str!("../../../../migrations/sqlite/0001_create_tables/up.sql")
    } else {
        include_str!("../../../../migrations/postgres/0001_create_tables/up.sql")
    };
    if let Some(path) = scratch.url.strip_prefix("sqlite:") {
        fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
    }
    let (at, uuid, no) = if scratch.is_sqlite() {
        ("7", "x'000102030405060708090a0b0c0d0e0f'", "0")
    } else {
        ("'1970-01-01T00:00:00.000007Z'", "'00010203-0405-0607-0809-0a0b0c0d0e0f'", "false")
    };
    let mut raw = scratch.raw();
    raw.run(first);
    raw.run(
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
         run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP); \
         INSERT INTO __diesel_schema_migrations (version) VALUES ('0001')",
    );
    raw.run(&format!(
        "INSERT INTO users (id, uuid, name, featured, public_profile, form_name, form_version, \
         created_at, updated_at) VALUES (1, {uuid}, 'ann', {no}, {no}, 'f', 'v', {at}, {at}); \
         INSERT INTO relationships (id, type_name, creator_id, created_at) \
         VALUES (1, 'agency', 1, {at}), (2, 'agency', NULL, {at}); \
         INSERT INTO relationship_users (id, user_id, relationship_id, position, type_name, properties) \
         VALUES (1, 1, 2, 0, 'agent', '{{}}'); \
         INSERT INTO transactables (id, user_id, position, type_name, currency, enabled, properties) \
         VALUES (1, 1, 0, 'boat', 'EUR', {no}, '{{}}')"
    ));
    raw.run(if scratch.is_sqlite() {
        "UPDATE counters SET users = 1, relationships = 2, relationship_users = 1, transactables = 1; \
         INSERT INTO api_tokens (name, token_hash, created_at) VALUES ('web', zeroblob(32), 7)"
    } else {
        "SELECT setval('users_id_seq', 1); SELECT setval('relationships_id_seq', 2); \
         INSERT INTO api_tokens (name, token_hash, created_at) \
         VALUES ('web', decode(repeat('00', 32), 'hex'), now())"
    });
    drop(raw);
    let store = scratch.open();
    let stored = store.user(1).unwrap().unwrap();
    assert_eq!(stored.columns.name.as_deref(), Some("ann"));
    let joined = &stored.relationship_users[0].relationship;
    assert_eq!((joined.id, joined.type_name.as_str()), (2, "agency"));
    assert_eq!((&joined.key, joined.created_at, joined.updated_at), (&None, 7, 7));
    let founded = store.record(RecordKind::Relationship, 1).unwrap().unwrap();
    let RecordBody::Relationship(founded) = founded.body else { panic!("another kind") };
    assert_eq!((founded.creator_id, founded.properties.as_str()), (Some(1), "{}"));
    for relationship in [joined, &founded] {
        assert_eq!(relationship.uuid.get_version_num(), 4, "{}", relationship.uuid);
    }
    assert_ne!(joined.uuid, founded.uuid);
    assert_eq!(store.record(RecordKind::Transactable, 1).unwrap().unwrap().user_id, Some(1));
    let token = store.token(&[0; 32]).unwrap().unwrap().token;
    assert_eq!((token.name.as_str(), token.user_id, token.contract), ("web", None, None));
    assert_eq!(create(&store, user("bob", &[])).unwrap().id, 2);
}

/// `json_valid(NULL)` is 0 in SQLite 3.40: checks of nullable columns must allow null explicitly.
#[test]
fn sqlite_files_pass_the_integrity_check() {
    let scratch = Scratch::sqlite();
    let store = scratch.open();
    create(&store, user("ann", &[("email", "ann")])).unwrap();
    store.create_token("all", &[1; 32], None, None, None).unwrap();
    store.create_token("some", &[2; 32], Some("[]"), Some(r#"["a"]"#), None).unwrap();
    store.shutdown();
    let failures = "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'";
    assert_eq!(scratch.raw().number(failures), 0);
    let path = scratch.url.strip_prefix("sqlite:").unwrap();
    // The library of this build has been checked; Debian's program is another version.
    let program = Command::new("sqlite3").args([path, "PRAGMA integrity_check"]).output();
    if let Ok(output) = program {
        assert_eq!(String::from_utf8_lossy(&output.stdout), "ok\n", "{output:?}");
    }
}
