//! Invariant 3: of concurrent requests for one e-mail address in different spellings, exactly one
//! succeeds. 10 rounds with 28 clients; 300 rounds with 64 at full length.

use std::sync::Barrier;
use std::thread;

use registrar_tests::{Setup, TestServer, cases, iterations};
use serde_json::json;

cases! {
    concurrent_spellings_of_one_email_have_one_winner with email_form,
    concurrent_creates_with_common_value_have_one_winner,
}

const ROUNDS: usize = 10;
const CLIENTS: usize = SPELLINGS.len();

/// `#` stands for the number of the round.
const SPELLINGS: [&str; 28] = [
    "josé#@exåmple.no",
    "JOSÉ#@EXÅMPLE.NO",
    "José#@Exåmple.No",
    "josÉ#@exåmple.NO",
    " josé#@exåmple.no",
    "josé#@exåmple.no ",
    "\tjosé#@exåmple.no\r\n",
    "\u{a0}josé#@exåmple.no\u{a0}",
    "\u{3000}josé#@exåmple.no",
    "jose\u{301}#@exåmple.no",
    "josé#@exa\u{30a}mple.no",
    "jose\u{301}#@exa\u{30a}mple.no",
    "JOSE\u{301}#@EXA\u{30a}MPLE.NO",
    "ｊｏｓé#@exåmple.no",
    "josé#@ｅｘåｍｐｌｅ.no",
    "josé#@exåmple.ｎｏ",
    "josé#＠exåmple.no",
    "josé#@exåmple。no",
    "josé#@exåmple．no",
    "josé#@exåmple.no.",
    "josé#@xn--exmple-jua.no",
    "JOSÉ#@XN--EXMPLE-JUA.NO",
    "josé#@Xn--Exmple-Jua.no.",
    "ＪＯＳÉ#＠ＥＸÅＭＰＬＥ．ＮＯ",
    "jose\u{301}#@xn--exmple-jua.NO",
    " JOSE\u{301}#@xn--exmple-jua.no ",
    "𝐣𝐨𝐬é#@exåmple.no",
    "josé#@ex\u{212b}mple.no",
];

fn email_form(setup: Setup) -> Setup {
    setup.form("email:").with(|settings| settings.workers = 2)
}

fn concurrent_spellings_of_one_email_have_one_winner(server: &TestServer) {
    for round in 0..iterations(ROUNDS, 300) {
        let spellings = SPELLINGS.iter().cycle().take(iterations(CLIENTS, 64));
        let emails: Vec<String> =
            spellings.map(|spelling| spelling.replace('#', &round.to_string())).collect();
        let won = count_concurrent_winners(&emails, |email| {
            let response = server.client().submit("form", &json!({ "email": email }));
            if response.status == 201 {
                return true;
            }
            response.invalid(&[("email", "taken")]);
            false
        });
        assert_eq!(won, 1, "round {round}");
        assert_eq!(server.client().count(), round as i64 + 1);
    }
}

fn concurrent_creates_with_common_value_have_one_winner(server: &TestServer) {
    use registrar_tests::samples::{boat, seller};
    let tags: Vec<String> = (0..24).map(|number| format!("s{number}")).collect();
    let submit = |tag: &String| {
        let mut sample = seller(tag);
        sample["transactables"]["boat"] = json!([boat(tag), boat("common")]);
        server.client().submit("marketplace_seller", &sample)
    };
    let won = count_concurrent_winners(&tags, |tag| {
        let response = submit(tag);
        if response.status == 201 {
            return true;
        }
        response.invalid(&[("transactables.boat[1].properties.registration", "taken")]);
        false
    });
    assert_eq!(won, 1);
    let losers_again = count_concurrent_winners(&tags, |tag| {
        server.client().submit("marketplace_seller", &seller(tag)).status == 201
    });
    assert_eq!(losers_again, tags.len() - 1, "other claims of rejected requests are released");
}

/// Runs `ask` concurrently and returns the number of `true` results.
fn count_concurrent_winners<T: Sync>(all: &[T], ask: impl Fn(&T) -> bool + Sync) -> usize {
    let (barrier, ask) = (Barrier::new(all.len()), &ask);
    thread::scope(|scope| {
        let threads: Vec<_> = all
            .iter()
            .map(|one| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    ask(one)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|won| *won).count()
    })
}
