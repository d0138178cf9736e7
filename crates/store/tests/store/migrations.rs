//! Opening databases: migrations, and what is wrong with a URL.

use std::thread;

use registrar_store::{OpenError, Store, StoreSettings, migrate, pending};

use crate::scratch::{Scratch, create, on_both, user};

on_both!(
    servers_that_start_at_once_migrate_once,
    what_is_pending_is_named,
    a_newer_schema_is_refused,
    a_failed_open_says_what_to_do,
);

fn servers_that_start_at_once_migrate_once(scratch: &Scratch) {
    let stores: Vec<Store> = thread::scope(|scope| {
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(|| scratch.open())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (store, id) in stores.iter().zip(1..) {
        assert_eq!(create(store, user("ann", &[])).unwrap().id, id);
    }
}

fn what_is_pending_is_named(scratch: &Scratch) {
    let all = pending(&scratch.url).unwrap();
    assert_eq!(all.first().map(String::as_str), Some("0001_create_tables"));
    let told_not_to = StoreSettings { migrate: false, ..StoreSettings::new(&scratch.url) };
    let Err(OpenError::Pending { names }) = Store::open(&told_not_to) else { panic!("opened") };
    assert_eq!(names, all);
    assert_eq!(migrate(&scratch.url).unwrap(), all);
    assert_eq!(migrate(&scratch.url).unwrap(), Vec::<String>::new());
    assert_eq!(pending(&scratch.url).unwrap(), Vec::<String>::new());
    Store::open(&told_not_to).unwrap();
}

fn a_newer_schema_is_refused(scratch: &Scratch) {
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

fn a_failed_open_says_what_to_do(scratch: &Scratch) {
    let says = |url: &str| Store::open(&StoreSettings::new(url)).err().unwrap().to_string();
    assert!(says("mysql://ann:secret@host/db").contains("`postgres://"));
    assert!(says("sqlite:").contains("sqlite:data/registrar.db"));
    let refused = if scratch.is_sqlite() {
        says("sqlite:/proc/nothing/registrar.db")
    } else {
        says("postgres://ann:secret@%2Fnowhere/db")
    };
    assert!(refused.starts_with("cannot "), "{refused}");
    assert!(!refused.contains("secret"), "{refused}");
}
