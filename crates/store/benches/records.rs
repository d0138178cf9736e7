//! Creates users with unique values in nested records, and deletes a record of users with few and with
//! many records, on SQLite.
//!
//! The cost of a deletion must not depend on the number of records of the user.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process;

use divan::Bencher;
use registrar_core::aggregate::{
    Aggregate, Attachments, Claim, ClaimHolder, NewClaim, NewEntity, NewTransactable, NewUser,
};
use registrar_core::record_kind::RecordKind;
use registrar_store::{CreateRequest, Store, StoreSettings};

fn main() {
    divan::main();
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn boat(code: usize) -> NewTransactable {
    NewTransactable {
        id: None,
        type_name: "boat".into(),
        name: Some(format!("boat {code}")),
        description: None,
        currency: "EUR".to_owned(),
        enabled: true,
        properties: format!(r#"{{"code":"{code}"}}"#),
        attached: Attachments::default(),
    }
}

/// Returns the claim of the code of a new boat.
fn claim((index, code): (usize, usize)) -> NewClaim {
    NewClaim {
        claim: Claim {
            scope: "user.transactables.boat.properties.code".into(),
            value_key: code.to_string(),
        },
        holder: ClaimHolder::New(vec![(RecordKind::Transactable, index)]),
        path: "properties.code".into(),
    }
}

/// Returns a user with boats of these codes.
fn user_with_boats(codes: std::ops::Range<usize>) -> Aggregate {
    let transactables = codes.clone().map(boat).collect();
    Aggregate {
        entity: NewEntity::User(NewUser { transactables, ..NewUser::default() }),
        claims: codes.enumerate().map(claim).collect(),
        references: vec![],
    }
}

/// A store in a new directory, removed when this is dropped.
struct Scratch {
    store: Store,
    folder: PathBuf,
}

impl Scratch {
    fn new() -> Self {
        let folder = env::temp_dir().join(format!("registrar-bench-{}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        let url = format!("sqlite:{}", folder.join("registrar.db").display());
        Self { store: Store::open(&StoreSettings::new(url)).unwrap(), folder }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.store.shutdown();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn request(aggregate: Aggregate, default_owner: Option<i64>) -> CreateRequest {
    CreateRequest {
        aggregate,
        default_owner,
        password_hash: None,
        form_name: "sign_up".into(),
        form_version: "1".into(),
        actor: None.into(),
        idempotency_key: None,
        hides_conflicts: false,
    }
}

/// Users that are queued at once, so that the writer commits them in few batches.
const USERS: usize = 512;

#[divan::bench(sample_count = 20, sample_size = 1)]
fn create_users_with_two_transactables(bencher: Bencher<'_, '_>) {
    let scratch = Scratch::new();
    let mut code = 0;
    let requests = || {
        let user = |nth: usize| request(user_with_boats(code + 2 * nth..code + 2 * nth + 2), None);
        let requests: Vec<CreateRequest> = (0..USERS).map(user).collect();
        code += 2 * USERS;
        requests
    };
    bencher.with_inputs(requests).bench_local_values(|requests| {
        let created: Vec<_> = requests.into_iter().map(|it| scratch.store.create(it)).collect();
        for created in created {
            wait(created).unwrap();
        }
    });
}

#[divan::bench(args = [10, 1_000, 8_000], sample_count = 30, sample_size = 1)]
fn delete_transactable_of_user_with(bencher: Bencher<'_, '_>, transactables: usize) {
    let scratch = Scratch::new();
    let store = &scratch.store;
    let user = request(user_with_boats(0..transactables), None);
    let owner = wait(store.create(user)).unwrap().id;
    let mut code = transactables;
    let create = || {
        code += 1;
        let aggregate = Aggregate {
            entity: NewEntity::Transactable { owner: Some(owner), transactable: boat(code) },
            claims: vec![claim((0, code))],
            references: vec![],
        };
        wait(store.create(request(aggregate, None))).unwrap().id
    };
    bencher.with_inputs(create).bench_local_values(|id| {
        wait(store.delete(RecordKind::Transactable, id, None.into())).unwrap();
    });
}
