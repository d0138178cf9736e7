//! Deletes a record of users with few and with many records, on SQLite.
//!
//! The cost must not depend on the number of records of the user.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::env;
use std::fs;
use std::process;

use divan::Bencher;
use registrar_core::aggregate::{
    Attachments, Claim, ClaimHolder, NewClaim, NewTransactable, NewUser,
};
use registrar_core::types::TypeKind;
use registrar_store::{CreateRecord, CreateUser, RecordKind, Store, StoreSettings};

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
            holder: ClaimHolder::New(vec![(TypeKind::Transactable, index)]),
            path: "properties.code".into(),
        });
    }
    user
}

#[divan::bench(args = [10, 1_000, 8_000], sample_count = 30, sample_size = 1)]
fn delete_one_of(bencher: Bencher<'_, '_>, transactables: usize) {
    let folder = env::temp_dir().join(format!("registrar-bench-{}", process::id()));
    let _ = fs::remove_dir_all(&folder);
    let url = format!("sqlite:{}", folder.join("registrar.db").display());
    let store = Store::open(&StoreSettings::new(url)).unwrap();
    let request = CreateUser {
        user: boats(0..transactables),
        password_hash: None,
        form_name: "sign_up".into(),
        form_version: "1".into(),
        actor: None.into(),
        idempotency_key: None,
        hides_conflicts: false,
    };
    let owner = Some(wait(store.create(request)).unwrap().id);
    let mut code = transactables;
    let create = || {
        code += 1;
        let (bag, actor) = (boats(code..code + 1), None.into());
        wait(store.create_record(CreateRecord { bag, owner, actor, idempotency_key: None }))
            .unwrap()
    };
    bencher.with_inputs(create).bench_local_values(|id| {
        wait(store.delete_record(RecordKind::Transactable, id, None.into())).unwrap();
    });
    store.shutdown();
    let _ = fs::remove_dir_all(&folder);
}
