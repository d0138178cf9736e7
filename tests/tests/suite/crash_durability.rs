//! Invariant 2: a 201 or 204 response means that the data is durable. The server is killed with
//! SIGKILL under load: no acknowledged user or update may be lost, and no user may be stored
//! partially. 20 times per database; at full length 200 times on SQLite and 100 times on
//! PostgreSQL.

use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use registrar_tests::{Database, Process, Random, Setup, TokenClient, iterations, samples};
use serde_json::json;

const KILLS: usize = 20;
const THREADS: usize = 8;
const TIMEOUT: Duration = Duration::from_secs(60);

/// Users with missing or duplicate rows. A single statement, so that it sees one snapshot.
pub(super) const PARTIAL_USERS: &str = "users u WHERE NOT (
    (SELECT count(*) FROM user_profiles x WHERE x.user_id = u.id) = 1
    AND (SELECT count(*) FROM transactables x WHERE x.user_id = u.id) = 2
    AND (SELECT count(*) FROM addresses x WHERE x.user_id = u.id) = 2
    AND (SELECT count(*) FROM relationship_users x WHERE x.user_id = u.id) = 1
    AND (SELECT count(*) FROM relationships x WHERE x.creator_id = u.id) = 1
    AND (SELECT count(*) FROM unique_claims x WHERE x.owner = u.uuid) = 4
    AND (SELECT count(*) FROM audit_events x WHERE x.record_id = u.id AND x.kind = 'user'
        AND x.action = 'create' AND x.form_name = u.form_name AND x.token_id IS NOT NULL) = 1
    AND (SELECT count(*) FROM password_credentials x WHERE x.user_id = u.id)
        = (CASE WHEN u.first_name = 'Pia' THEN 1 ELSE 0 END))";
pub(super) const ORPHANED_CLAIMS: &str =
    "unique_claims x WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.uuid = x.owner)";

const PHONE_FORM: &str = "resource: User\nresource_owner: anyone\nfields: { phone: }\n";

#[test]
fn acknowledged_writes_survive_sigkill_on_sqlite() {
    kill_repeatedly(Database::Sqlite, iterations(KILLS, 200));
}

#[test]
fn acknowledged_writes_survive_sigkill_on_postgres() {
    kill_repeatedly(Database::Postgres, iterations(KILLS, 100));
}

fn kill_repeatedly(database: Database, kills: usize) {
    let Some(setup) = Setup::of(database) else { return };
    let setup = setup.more_forms(&[("phone.yml", PHONE_FORM)]);
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    println!("seed {seed}");
    let (mut random, started) = (Random::new(seed), Instant::now());
    let mut server = setup.serve();
    let token = server.first_token();
    let mut acknowledged = 0;
    for kill in 0..kills {
        let (responses, threads) = load(&server, &token, kill);
        for _ in 0..=random.below(30) {
            responses.recv_timeout(TIMEOUT).unwrap();
        }
        // The kill must hit a random moment.
        thread::sleep(Duration::from_micros(random.below(15_000) as u64));
        server.kill();
        for thread in threads {
            acknowledged += thread.join().unwrap().check(&setup);
        }
        server = setup.serve();
        assert_eq!(setup.database().count(PARTIAL_USERS), 0, "after kill {kill}");
        assert_eq!(setup.database().count(ORPHANED_CLAIMS), 0, "after kill {kill}");
    }
    assert!(acknowledged >= kills as i64, "{acknowledged}");
    let stored = server.client(&token).count();
    assert!(stored >= acknowledged, "{stored} of {acknowledged}");
    read_back(&server.client(&token), stored);
    let took = started.elapsed();
    println!("{database}: {kills} kills, {acknowledged} acknowledged, {stored} stored, {took:?}");
    assert!(took < TIMEOUT * u32::try_from(kills / KILLS).unwrap(), "{took:?}");
}

/// Acknowledgements received by one thread.
#[derive(Default)]
struct Acknowledged {
    created: Vec<(i64, String)>,
    /// Ids and new phone numbers.
    changed: Vec<(i64, String)>,
}

impl Acknowledged {
    /// Asserts that everything acknowledged is stored, and returns the number of users.
    fn check(self, setup: &Setup) -> i64 {
        let reported = self.created.len() as i64;
        let rows = |pairs: &[(i64, String)], behind: &str| {
            let rows: Vec<String> =
                pairs.iter().map(|(id, text)| format!("({id}, '{text}{behind}')")).collect();
            rows.join(", ")
        };
        if reported > 0 {
            let rows = rows(&self.created, "@example.com");
            let kept = format!("users WHERE (id, email) IN (VALUES {rows})");
            assert_eq!(setup.database().count(&kept), reported, "acknowledged users are lost");
        }
        if !self.changed.is_empty() {
            let rows = rows(&self.changed, "");
            let kept = format!("users WHERE (id, phone) IN (VALUES {rows})");
            let changed = self.changed.len() as i64;
            assert_eq!(setup.database().count(&kept), changed, "acknowledged changes are lost");
        }
        reported
    }
}

/// Creates users in several threads until the server is gone; sends a message for each
/// acknowledgement.
fn load(
    server: &Process,
    token: &str,
    kill: usize,
) -> (Receiver<()>, Vec<JoinHandle<Acknowledged>>) {
    let (acknowledge, responses) = channel();
    let client = server.client(token);
    let threads = (0..THREADS).map(|number| {
        let (client, acknowledge) = (client.clone(), acknowledge.clone());
        thread::spawn(move || {
            let mut acknowledged = Acknowledged::default();
            for count in 0.. {
                let tag = format!("k{kill}-{number}-{count}");
                let mut sample = samples::seller(&tag);
                if count % 8 == 0 {
                    sample["first_name"] = json!("Pia");
                    sample["password"] = json!("brisk-harbour-42");
                }
                let Ok(response) = client.try_submit("marketplace_seller", &sample) else { break };
                if response.status != 503 {
                    let id = response.created();
                    acknowledged.created.push((id, tag.clone()));
                    if count % 4 == 1 {
                        let change = json!({ "phone": tag });
                        match client.try_update(id, "phone", &change) {
                            Ok(response) => {
                                response.is(204);
                                acknowledged.changed.push((id, tag));
                            }
                            Err(_) => break,
                        }
                    }
                    // The receiver is gone once the kill is decided.
                    let _ = acknowledge.send(());
                }
            }
            acknowledged
        })
    });
    let threads = threads.collect();
    (responses, threads)
}

/// Asserts that every stored user can be read and equals the submission.
fn read_back(client: &TokenClient, stored: i64) {
    let mut seen = 0;
    for page in 1..=(stored / 100 + 1) {
        let page = client.get(&format!("/api/users?per_page=100&page={page}")).is(200).json();
        for user in page["results"].as_array().unwrap() {
            let tag = user["email"].as_str().unwrap().trim_end_matches("@example.com");
            let boats = user["transactables"]["boat"].as_array().unwrap();
            let names: Vec<&str> =
                boats.iter().map(|boat| boat["name"].as_str().unwrap()).collect();
            assert_eq!(names, [format!("Boat {tag}-1"), format!("Boat {tag}-2")]);
            let shop = &user["profiles"]["seller"]["properties"]["shop_name"];
            assert_eq!(*shop, format!("shop {tag}"));
            seen += 1;
        }
    }
    assert_eq!(seen, stored);
}
