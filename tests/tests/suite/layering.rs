//! Invariant 1: crates depend in the order cli, server, store, core; core and contracts perform no
//! IO; inside a crate the top-level modules form no import circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn crates_depend_in_one_direction_and_core_has_no_io() {
    let core = dependencies_of("registrar-core");
    let contracts = dependencies_of("registrar-contracts");
    let store = dependencies_of("registrar-store");
    let server = dependencies_of("registrar-server");
    let cli = dependencies_of("registrar-cli");

    for crate_name in core.iter().chain(&contracts) {
        let is_io = ["diesel", "actix", "tokio", "r2d2", "mio", "pq-sys", "libsqlite3", "clap"]
            .iter()
            .any(|io| crate_name.starts_with(io));
        assert!(!is_io, "the core reaches {crate_name}");
    }
    let own = |crates: &BTreeSet<String>| -> Vec<String> {
        crates.iter().filter(|name| name.starts_with("registrar")).cloned().collect()
    };
    assert!(own(&core).is_empty(), "{:?}", own(&core));
    assert_eq!(own(&contracts), ["registrar-core"]);
    assert_eq!(own(&store), ["registrar-core"]);
    assert!(!store.iter().any(|name| name.starts_with("actix")), "{store:?}");
    assert!(!server.contains("registrar-cli") && !server.contains("clap"));
    for (reached, names) in [
        (&core, ["serde_json", "idna"]),
        (&contracts, ["registrar-core", "serde_json"]),
        (&store, ["registrar-core", "diesel"]),
        (&server, ["registrar-store", "actix-web"]),
        (&cli, ["registrar-server", "clap"]),
    ] {
        assert!(names.iter().all(|name| reached.contains(*name)), "{names:?} in {reached:?}");
    }
    for shipped in [&core, &contracts, &store, &server, &cli] {
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

#[test]
fn top_level_modules_form_no_import_circle() {
    for name in ["core", "contracts", "store", "server", "cli"] {
        let source = registrar_tests::repository_path(&format!("crates/{name}/src"));
        let imports = imports_between_modules(&source);
        assert!(imports.len() > 3, "no modules found in {}", source.display());
        let circle = circle(&imports);
        assert!(circle.is_none(), "{name}: {}", circle.unwrap_or_default().join(" -> "));
    }
}

#[test]
fn import_circle_is_found() {
    let imports = |pairs: &[(&str, &str)]| {
        let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in pairs {
            imports.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        imports
    };
    assert_eq!(circle(&imports(&[("a", "b"), ("b", "c"), ("a", "c")])), None);
    let found = circle(&imports(&[("a", "b"), ("b", "c"), ("c", "b")])).unwrap();
    assert_eq!(found, ["b", "c", "b"]);
}

/// Returns the top-level modules that each top-level module of a crate names, by `crate::` and by
/// the re-exports of `lib.rs`.
fn imports_between_modules(source: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut files = Vec::new();
    rust_files(source, &mut files);
    let module = |file: &Path| {
        let first = file.strip_prefix(source).unwrap().components().next().unwrap();
        let first = first.as_os_str().to_string_lossy();
        first.strip_suffix(".rs").unwrap_or(&first).to_owned()
    };
    let modules: BTreeSet<String> = files.iter().map(|file| module(file)).collect();
    let root = ["lib.rs", "main.rs"].map(|name| std::fs::read_to_string(source.join(name)));
    let root = root.into_iter().find_map(Result::ok).unwrap();
    let reexport = regex::Regex::new(r"pub(?:\(crate\))? use (\w+)::\{?([^;]*)").unwrap();
    let mut exported = BTreeMap::new();
    for found in reexport.captures_iter(&root) {
        for name in found[2].split(|c: char| !c.is_alphanumeric() && c != '_') {
            exported.insert(name.to_owned(), found[1].to_owned());
        }
    }
    let path = regex::Regex::new(r"\bcrate::(?:\{([^}]*)\}|(\w+))").unwrap();
    let sibling = regex::Regex::new(r"\bsuper::(?:\{([^}]*)\}|(\w+))").unwrap();
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in &files {
        let from = module(file);
        if ["lib", "main"].contains(&from.as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(file).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let code: Vec<&str> =
            text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let code = code.join("\n");
        let is_top = file.parent() == Some(source);
        let siblings = sibling.captures_iter(&code).filter(|_| is_top);
        let to = imports.entry(from.clone()).or_default();
        for found in path.captures_iter(&code).chain(siblings) {
            let names = found.get(1).or_else(|| found.get(2)).unwrap().as_str();
            for name in names.split(',').map(|name| name.trim().split("::").next().unwrap()) {
                let name = exported.get(name).map_or(name, String::as_str);
                if name != from && modules.contains(name) {
                    to.insert(name.to_owned());
                }
            }
        }
    }
    imports
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Returns the modules of an import circle, the first one again at the end, or `None` if there is
/// none.
fn circle(imports: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn visit(
        module: &str,
        imports: &BTreeMap<String, BTreeSet<String>>,
        way: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> Option<Vec<String>> {
        if let Some(start) = way.iter().position(|seen| seen == module) {
            let mut circle = way[start..].to_vec();
            circle.push(module.to_owned());
            return Some(circle);
        }
        if !done.insert(module.to_owned()) {
            return None;
        }
        way.push(module.to_owned());
        let found = imports.get(module).into_iter().flatten();
        let found = found.into_iter().find_map(|next| visit(next, imports, way, done));
        way.pop();
        found
    }
    let mut done = BTreeSet::new();
    imports.keys().find_map(|module| visit(module, imports, &mut Vec::new(), &mut done))
}
