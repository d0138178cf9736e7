//! PostgreSQL with mandatory TLS: refused by a build without TLS, reached by one with it.

use std::fs;

use registrar_tests::{
    Process, REQUIRE_TLS, Setup, TlsCluster, registrar_binary_with_tls, run_command, samples,
};

#[test]
fn build_without_tls_reports_how_to_enable_it() {
    for parameters in ["sslmode=require", "sslmode=verify-full&sslrootcert=x", "sslrootcert=system"]
    {
        let setup = Setup::at(format!("postgres://ann:secret@127.0.0.1:1/x?{parameters}"));
        let output = setup.run(&["migrate"]).failure(1).stderr;
        let first = parameters.split('&').next_back().unwrap();
        assert!(output.contains("has no TLS") && output.contains("--features tls"), "{output}");
        assert!(output.contains(first.split('=').next().unwrap()), "{output}");
        assert!(!output.contains("secret"), "{output}");
    }
}

/// Requires a build with TLS, which takes minutes; therefore it runs only on request, as in CI.
#[test]
fn tls_connection_verifies_server_certificate() {
    if std::env::var(REQUIRE_TLS).is_ok_and(|value| value == "1") {
        let cluster = TlsCluster::start().expect("PostgreSQL and openssl are installed");
        let (authority, other) = cluster.authorities();
        let of = |parameters: String| Setup::at(cluster.url(&parameters));
        let program = registrar_binary_with_tls();
        let command = |setup: &Setup, arguments: &[&str]| {
            let plain = setup.command(arguments);
            let mut command = std::process::Command::new(&program);
            command.args(plain.get_args()).current_dir(setup.folder());
            command
        };
        let (authority, other) = (authority.display(), other.display());

        let setup = of(format!("sslmode=verify-full&sslrootcert={authority}"));
        let server = Process::start(&mut command(&setup, &["serve"]));
        let client = server.client(&server.first_token());
        client.submit("client_sign_up", &samples::client("ann")).created();
        client.get("/api/users").is(200);
        drop(server);

        for (parameters, why) in [
            (format!("sslmode=verify-full&sslrootcert={other}"), "certificate verify failed"),
            ("sslmode=disable".to_owned(), "no encryption"),
        ] {
            let output = run_command(&mut command(&of(parameters), &["migrate"])).failure(1).stderr;
            assert!(output.contains(why), "{output}");
        }
        let misnamed = cluster.url(&format!("sslmode=verify-full&sslrootcert={authority}"));
        let misnamed = Setup::at(misnamed.replace("db.example.test", "evil.example.test"));
        let output = run_command(&mut command(&misnamed, &["migrate"])).failure(1).stderr;
        assert!(output.contains("does not match host name"), "{output}");
        fs::remove_file(program).unwrap();
    } else {
        registrar_tests::print_notice(&format!(
            "TLS TO POSTGRESQL IS NOT TESTED: it needs a build with OpenSSL. {REQUIRE_TLS}=1 runs it."
        ));
    }
}
