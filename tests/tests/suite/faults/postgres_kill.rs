//! PostgreSQL is killed with SIGKILL and restarted. Twice; 20 times at full length.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use registrar_tests::{Random, Setup, TestServer, eventually, iterations, samples, scratch};

use super::load::under_load;
use super::{RECOVERY_TIMEOUT, retry_until_created};

/// Hard limit for resuming operation. Before disconnected writers yielded the queue, it took 4.5
/// seconds once in some hundred kills.
const MAX_RECOVERY_TIME: Duration = Duration::from_secs(4);

#[test]
fn postgres_killed_under_load_loses_no_user_and_recovers() {
    let Some(cluster) = scratch() else { return };
    let setup = Setup::at(cluster.database()).with(|settings| settings.request_seconds = 5);
    let server = TestServer::start(setup);
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    println!("seed {seed}");
    let (mut random, kills) = (Random::new(seed), iterations(2, 20));
    let (mut slowest, mut late) = (Duration::ZERO, 0);
    let outcome = under_load(&server, Duration::from_secs(8), |outcome| {
        for kill in 0..kills {
            let before = outcome.count();
            eventually("users are created", Duration::from_secs(10), || {
                (outcome.count() > before + 20).then_some(())
            });
            thread::sleep(Duration::from_micros(random.below(20_000) as u64));
            cluster.kill();
            let unready = eventually("readiness fails", RECOVERY_TIMEOUT, || {
                Some(server.anonymous().get("/health/ready"))
                    .filter(|outcome| outcome.status == 503)
            });
            assert_eq!(unready.json()["status"], "not ready", "{unready:?}");
            server.anonymous().get("/health/live").is(200);
            cluster.restart();
            let sample = samples::seller(&format!("after{kill}"));
            let (_, took) =
                retry_until_created(|| Some(server.client().submit("marketplace_seller", &sample)));
            assert!(took < MAX_RECOVERY_TIME, "{took:?}");
            late += usize::from(took > RECOVERY_TIMEOUT);
            slowest = slowest.max(took);
            eventually("the server is ready again", RECOVERY_TIMEOUT, || {
                (server.anonymous().get("/health/ready").status == 200).then_some(())
            });
        }
    });
    outcome.assert_consistent(&server.database());
    let (created, refused) = (outcome.count(), outcome.refused());
    println!("{kills} kills: {created} created, {refused} refused, back within {slowest:?}");
    assert!(refused > 0, "no fault had an effect");
    assert!(late <= 1, "{late} recoveries took longer than {RECOVERY_TIMEOUT:?}");
}
