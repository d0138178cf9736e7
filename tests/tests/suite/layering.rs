//! Invariant 1: crates depend in the order cli, server, store, core, and the core performs no IO.

use std::collections::BTreeSet;
use std::process::Command;

#[test]
fn crates_depend_in_one_direction_and_core_has_no_io() {
    let core = dependencies_of("registrar-core");
    let store = dependencies_of("registrar-store");
    let server = dependencies_of("registrar-server");
    let cli = dependencies_of("registrar-cli");

    for crate_name in &core {
        let is_io = ["diesel", "actix", "tokio", "r2d2", "mio", "pq-sys", "libsqlite3", "clap"]
            .iter()
            .any(|io| crate_name.starts_with(io));
        assert!(!is_io, "the core reaches {crate_name}");
        assert!(!crate_name.starts_with("registrar"), "the core reaches {crate_name}");
    }
    for crate_name in &store {
        assert!(!crate_name.starts_with("actix"), "the store reaches {crate_name}");
        assert!(!["registrar-server", "registrar-cli"].contains(&crate_name.as_str()));
    }
    assert!(!server.contains("registrar-cli") && !server.contains("clap"));
    for (reached, names) in [
        (&core, ["serde_json", "idna"]),
        (&store, ["registrar-core", "diesel"]),
        (&server, ["registrar-store", "actix-web"]),
        (&cli, ["registrar-server", "clap"]),
    ] {
        assert!(names.iter().all(|name| reached.contains(*name)), "{names:?} in {reached:?}");
    }
    for shipped in [&core, &store, &server, &cli] {
        let of_the_tests = ["registrar-tests", "registrar-scratch-postgres", "proptest"];
        assert!(of_the_tests.iter().all(|name| !shipped.contains(*name)));
    }
}

/// Returns the names of all normal and build dependencies of a package.
fn dependencies_of(package: &str) -> BTreeSet<String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--offline", "--edges", "normal,build", "--prefix", "none"])
        .args(["--no-dedupe", "--package", package])
        .current_dir(registrar_tests::repository_path("."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let names = lines.lines().filter_map(|line| line.split(' ').next());
    names.filter(|name| *name != package).map(str::to_owned).collect()
}
