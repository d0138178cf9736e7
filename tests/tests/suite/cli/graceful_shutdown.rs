//! SIGTERM: accepted requests complete, new connections are refused, and the exit status is 0. Once
//! per database; 20 times at full length.

use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use registrar_tests::{Database, Setup, iterations, samples};

const THREADS: usize = 8;
const MIN_ACKNOWLEDGED: usize = 40;

#[test]
fn sigterm_under_load_completes_accepted_requests() {
    for database in Database::ALL.into_iter().flat_map(|database| vec![database; iterations(1, 20)])
    {
        let Some(setup) = Setup::of(database) else { continue };
        let server = setup.serve();
        let client = server.client(&server.first_token());
        let (acknowledge, responses) = channel();
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let (client, acknowledge) = (client.clone(), acknowledge.clone());
                thread::spawn(move || {
                    let (mut acknowledged, mut refused) = (0, Vec::new());
                    for count in 0.. {
                        let sample = samples::seller(&format!("t{number}-{count}"));
                        let Ok(response) = client.try_submit("marketplace_seller", &sample) else {
                            break;
                        };
                        if response.status == 201 {
                            acknowledged += 1;
                            // The receiver is gone after SIGTERM.
                            let _ = acknowledge.send(());
                        } else {
                            refused.push(response);
                        }
                    }
                    (acknowledged, refused)
                })
            })
            .collect();
        for _ in 0..MIN_ACKNOWLEDGED {
            responses.recv_timeout(Duration::from_secs(30)).unwrap();
        }
        let reported = Instant::now();
        server.send_sigterm();
        let port = server.port;
        let finished = server.wait_for_exit().success();
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "connections are still accepted");
        assert!(reported.elapsed() < Duration::from_secs(15), "{:?}", reported.elapsed());
        assert!(
            finished.stderr.contains("all accepted submissions are stored"),
            "{}",
            finished.stderr
        );
        let mut acknowledged = 0;
        for thread in threads {
            let (count, refused) = thread.join().unwrap();
            acknowledged += count;
            assert!(refused.iter().all(|response| response.status == 503), "{refused:?}");
        }
        assert!(acknowledged >= MIN_ACKNOWLEDGED as i64, "{acknowledged}");
        let stored = setup.database().count("users");
        assert_eq!(stored, acknowledged, "{database}: every stored user was acknowledged");
        assert_eq!(setup.database().count("transactables"), 2 * stored);
    }
}
