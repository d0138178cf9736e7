//! Network faults between Registrar and PostgreSQL: cut, delayed and stalled connections, and cuts
//! at a commit. Ten times as often at full length.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use registrar_tests::{
    Database, NetworkCondition, Proxy, Random, Setup, TestServer, eventually, iterations, samples,
};

use super::load::under_load;
use super::{RECOVERY_TIMEOUT, post, retry_until_created, sign_up};

/// Request time-out, in seconds.
const REQUEST_TIMEOUT_SECONDS: u64 = 1;
/// Maximum time to a response on a busy machine.
const MAX_RESPONSE_TIME: Duration = Duration::from_secs(REQUEST_TIMEOUT_SECONDS + 2);

/// Starts a server that connects to PostgreSQL through a proxy.
fn behind_a_proxy() -> Option<(TestServer, Proxy)> {
    let (setup, proxy) = Setup::of(Database::Postgres)?.through_proxy();
    let setup = setup.with(|settings| settings.request_seconds = REQUEST_TIMEOUT_SECONDS);
    Some((TestServer::start(setup), proxy))
}

#[test]
fn network_faults_lose_no_user_and_respond_in_time() {
    let Some((server, proxy)) = behind_a_proxy() else { return };
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    println!("seed {seed}");
    let mut random = Random::new(seed);
    let conditions = [
        NetworkCondition::Down,
        NetworkCondition::BlackHole,
        NetworkCondition::CutBeforeCommit,
        NetworkCondition::CutAfterCommit,
        NetworkCondition::Latency(Duration::from_millis(20)),
    ];
    let (rounds, mut slowest) = (iterations(10, 100), Duration::ZERO);
    let outcome = under_load(&server, MAX_RESPONSE_TIME, |outcome| {
        for round in 0..rounds {
            let condition = conditions[round % conditions.len()];
            let before = outcome.count();
            eventually("a user is created", Duration::from_secs(10), || {
                (outcome.count() > before).then_some(())
            });
            proxy.set(condition);
            thread::sleep(Duration::from_millis(200 + random.below(1_500) as u64));
            proxy.set(NetworkCondition::Healthy);
            if random.below(2) == 0 {
                proxy.cut();
            }
            let tag = format!("after{round}");
            let sample = samples::seller(&tag);
            let (_, took) =
                retry_until_created(|| Some(server.client().submit("marketplace_seller", &sample)));
            assert!(took < RECOVERY_TIMEOUT, "{condition:?}: {took:?}");
            slowest = slowest.max(took);
        }
    });
    outcome.assert_consistent(&server.database());
    let (created, refused) = (outcome.count(), outcome.refused());
    println!("{rounds} times: {created} created, {refused} refused, back within {slowest:?}");
    assert!(refused > 0 && proxy.cuts() > 0, "no fault had an effect: {refused}, {}", proxy.cuts());
}

#[test]
fn readiness_fails_in_time_if_postgres_is_silent() {
    let Some((server, proxy)) = behind_a_proxy() else { return };
    server.client().submit("marketplace_seller", &samples::seller("before")).created();
    server.anonymous().get("/health/ready").is(200);
    proxy.set(NetworkCondition::BlackHole);
    let started = std::time::Instant::now();
    let body = server.anonymous().get("/health/ready").is(503).json();
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(body["reasons"][0], "the database does not answer reads");
    server.anonymous().get("/health/live").is(200);
    proxy.set(NetworkCondition::Healthy);
    eventually("the server is ready again", RECOVERY_TIMEOUT, || {
        (server.anonymous().get("/health/ready").status == 200).then_some(())
    });
}

#[test]
fn connection_cut_at_commit_with_idempotency_key_runs_once() {
    let Some((server, proxy)) = behind_a_proxy() else { return };
    for nth in 1..=iterations(10, 100) {
        let (key, body) = (format!("key-{nth}"), sign_up(&format!("s{nth}")));
        let (condition, is_done) = match nth % 2 {
            0 => (NetworkCondition::CutAfterCommit, true),
            _ => (NetworkCondition::CutBeforeCommit, false),
        };
        proxy.set(condition);
        let broken = post(&server.client(), &key, &body).unwrap();
        broken.rejected(503, "base", "unavailable");
        let expected = i64::try_from(nth).unwrap();
        assert_eq!(
            server.database().count("users"),
            expected - i64::from(!is_done),
            "{condition:?}"
        );
        proxy.set(NetworkCondition::Healthy);
        let (again, took) = retry_until_created(|| post(&server.client(), &key, &body));
        assert!(took < RECOVERY_TIMEOUT, "{condition:?}: {took:?}");
        assert_eq!(again.header("idempotent-replayed").is_some(), is_done, "{condition:?}");
        assert_eq!(server.database().count("users"), expected, "{condition:?}: done once");
    }
    assert!(proxy.cuts() >= iterations(10, 100), "{}", proxy.cuts());
}
