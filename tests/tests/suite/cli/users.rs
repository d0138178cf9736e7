//! `registrar user get`.

use registrar_tests::{Database, Setup, samples};
use serde_json::Value;

use super::error_line;

#[test]
fn user_get_prints_the_api_representation() {
    for database in Database::ALL {
        let Some(setup) = Setup::of(database) else { continue };
        let server = setup.serve();
        let client = server.client(&server.first_token());
        let id = client.submit("marketplace_seller", &samples::seller("siri")).created();
        let printed = setup.run(&["user", "get", &id.to_string()]).success();
        assert_eq!(printed.stderr, "");
        assert_eq!(serde_json::from_str::<Value>(&printed.stdout).unwrap(), client.user(id));
        let missing = error_line(&mut setup.command(&["user", "get", "99"]));
        assert_eq!(missing, "registrar: there is no user 99");
    }
}
