//! `registrar backup`: a copy made under load, restored by serving it.

use std::thread;
use std::time::Duration;

use registrar_tests::{Database, Setup, samples};
use serde_json::json;

#[test]
fn backup_under_load_contains_all_acknowledged_users() {
    let setup = Setup::of(Database::Sqlite).unwrap();
    let server = setup.serve();
    let token = server.first_token();
    let client = server.client(&token);
    for number in 0..20 {
        client.submit("marketplace_seller", &samples::seller(&format!("before{number}"))).is(201);
    }
    let copy = setup.folder().join("copy.db");
    let reported = thread::scope(|scope| {
        let load = scope.spawn(|| {
            (0..400)
                .take_while(|number| {
                    let tag = format!("during{number}");
                    let seller = samples::seller(&tag);
                    // Accepted requests are not interrupted by the backup.
                    client.submit("marketplace_seller", &seller).is(201);
                    !copy.exists()
                })
                .count()
        });
        thread::sleep(Duration::from_millis(50));
        let reported = setup.run(&["backup", copy.to_str().unwrap()]).success();
        assert!(load.join().unwrap() > 0);
        reported
    });
    assert!(reported.stderr.contains("is a copy of the database"), "{reported:?}");

    let url = format!("sqlite:{}", copy.display());
    let restored = Setup::of(Database::Sqlite).unwrap().with(|it| it.database_url = url);
    assert_eq!(
        restored.database().count("pragma_integrity_check WHERE integrity_check <> 'ok'"),
        0
    );
    assert_eq!(restored.database().count("pragma_foreign_key_check"), 0);
    let before = "users WHERE email LIKE 'before%'";
    assert_eq!(restored.database().count(before), 20);
    let whole = "users u WHERE (SELECT count(*) FROM transactables t WHERE t.user_id = u.id) <> 2";
    assert_eq!(restored.database().count(whole), 0);
    // Tokens, claims and ids continue from the original.
    let again = restored.serve();
    let client = again.client(&token);
    client.submit("marketplace_seller", &samples::seller("before1")).is(422);
    let stored = client.count();
    let id =
        client.submit("marketplace_seller", &samples::seller("after")).is(201).json()["id"].clone();
    assert_eq!(id, json!(stored + 1));
}

#[test]
fn failed_backup_is_reported_and_leaves_no_partial_file() {
    let setup = Setup::of(Database::Sqlite).unwrap();
    let folder = setup.folder();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let none = setup.run(&["backup", &path("copy.db")]).failure(1);
    assert!(none.stderr.contains("there is no database"), "{none:?}");
    setup.run(&["migrate"]).success();
    std::fs::write(folder.join("copy.db"), "mine").unwrap();
    let taken = setup.run(&["backup", &path("copy.db")]).failure(1);
    assert!(taken.stderr.contains("choose another name"), "{taken:?}");
    assert_eq!(std::fs::read_to_string(folder.join("copy.db")).unwrap(), "mine");
    let nowhere = setup.run(&["backup", &path("nowhere/copy.db")]).failure(1);
    assert!(nowhere.stderr.contains("cannot write"), "{nowhere:?}");
    setup.run(&["backup", &path("good.db")]).success();
    let left = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_str().unwrap().contains(".part")));
    if let Some(postgres) = Setup::of(Database::Postgres) {
        postgres.run(&["migrate"]).success();
        let other = postgres.run(&["backup", &path("pg.db")]).failure(1);
        assert!(other.stderr.contains("pg_dump"), "{other:?}");
    }
}
