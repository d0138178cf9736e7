//! What happens when more is asked than can be done: some are told at once, nobody is lost.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use registrar_tests::{Answer, Setup, TestServer, cases, samples};
use serde_json::Value;

cases! {
    over_the_queue_clients_are_told_at_once_to_come_back with a_queue_of_two,
    over_the_hash_queue_too with a_hash_queue_of_one,
}

pub(super) const CLIENTS: usize = 24;

pub(super) fn a_queue_of_two(setup: Setup) -> Setup {
    setup.with(|settings| {
        settings.queue = 2;
        settings.writers = 1;
        settings.batch = 1;
    })
}

fn a_hash_queue_of_one(setup: Setup) -> Setup {
    setup.with(|settings| {
        settings.hash_threads = 1;
        settings.hash_queue = 1;
    })
}

/// Gives `run` a way to post as many as there are clients at once, and their answers as they come.
pub(super) fn with_clients(
    server: &TestServer,
    sample: fn(&str) -> Value,
    form: &str,
    run: impl FnOnce(&dyn Fn(), &mpsc::Receiver<Answer>),
) {
    thread::scope(|scope| {
        let (sender, answers) = mpsc::channel();
        let post = || {
            for client in 0..CLIENTS {
                let sender = sender.clone();
                let sample = sample(&format!("client{client}"));
                scope.spawn(move || sender.send(server.client().submit(form, &sample)).unwrap());
            }
        };
        run(&post, &answers);
    });
}

fn is_told_to_come_back(answer: &Answer) {
    answer.fault(503, "base", "busy");
    assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
}

fn over_the_queue_clients_are_told_at_once_to_come_back(server: &TestServer) {
    let direct = server.direct();
    let mut created = 0;
    with_clients(server, samples::client, "client_sign_up", |post, answers| {
        let next = || answers.recv_timeout(Duration::from_secs(4)).unwrap();
        direct.while_locked(|| {
            post();
            // The writer has one, two wait; everybody else is answered while nothing is written.
            (0..CLIENTS - 3).for_each(|_| is_told_to_come_back(&next()));
        });
        for answer in (0..3).map(|_| next()) {
            if answer.status == 201 { created += 1 } else { is_told_to_come_back(&answer) }
        }
    });
    // One fewer where all came before the writer took its first.
    assert!((2..=3).contains(&created), "{created}");
    assert_eq!(server.client().count(), created);
    server.client().submit("client_sign_up", &samples::client("later")).created();
}

fn over_the_hash_queue_too(server: &TestServer) {
    let mut created = 0;
    with_clients(server, samples::reference, "reference_rest_api_create_user", |post, answers| {
        post();
        for answer in answers.iter().take(CLIENTS) {
            if answer.status == 201 { created += 1 } else { is_told_to_come_back(&answer) }
        }
    });
    assert!((1..24).contains(&created), "{created}");
    assert_eq!(server.client().count(), created);
    server.client().submit("client_sign_up", &samples::client("later")).created();
}
