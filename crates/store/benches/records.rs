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
    Attachments, Claim, ClaimHolder, NewClaim, NewTransactable, NewUser,
};
use registrar_core::record_kind::RecordKind;
use registrar_store::{CreateRecord, CreateUser, Store, StoreSettings};

fn main() {
    divan::main();
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn boats(codes: impl Iterator<Item = usize>) -> NewUser {
    let mut user = NewUser::default();
    for (index, code) in codes.enumerate() {
        user.transactables.push(NewTransactable {
            id: None,
            type_name: "boat".into(),
            name: Some(format!("boat {code}")),
            description: None,
            currency: "EUR".to_owned(),
            enabled: true,
            properties: format!(r#"{{"code":"{code}"}}"#),
            attached: Attachments::default(),
        });
        user.claims.push(NewClaim {
            claim: Claim {
                scope: "user.transactables.boat.properties.code".into(),
                value_key: code.to_string(),
            },
            holder: ClaimHolder::New(vec![(RecordKind::Transactable, index)]),
            path: "properties.code".into(),
        });
    }
    user
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

fn request(user: NewUser) -> CreateUser {
    CreateUser {
        user,
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
        let user = |nth: usize| request(boats(code + 2 * nth..code + 2 * nth + 2));
        let requests: Vec<CreateUser> = (0..USERS).map(user).collect();
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
    let owner = Some(wait(store.create(request(boats(0..transactables)))).unwrap().id);
    let mut code = transactables;
    let create = || {
        code += 1;
        let (bag, actor) = (boats(code..code + 1), None.into());
        wait(store.create_record(CreateRecord { bag, owner, actor, idempotency_key: None }))
            .unwrap()
    };
    bencher.with_inputs(create).bench_local_values(|id| {
        wait(store.delete(RecordKind::Transactable, id, None.into())).unwrap();
    });
}
