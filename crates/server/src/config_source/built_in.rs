//! Configuration files that are compiled in.

use registrar_core::registry::SourceFile;

/// The native API as a contract, unless a folder has its own.
const NATIVE_CONTRACT: (&str, &str) =
    ("contracts/platformos.yml", include_str!("../../../../forms/contracts/platformos.yml"));
/// The form that is served if there are no forms folders: that of the template `minimal`.
const SIGN_UP: (&str, &str) =
    ("sign_up.yml", include_str!("../../../cli/templates/minimal/forms/sign_up.yml"));

/// Adds the native contract, unless a file replaces it.
pub(super) fn add_native_contract(sources: &mut Vec<SourceFile>) {
    let is_native = |source: &SourceFile| {
        matches!(&*source.within, "contracts/platformos.yml" | "contracts/platformos.yaml")
    };
    if !sources.iter().any(is_native) {
        sources.push(source(NATIVE_CONTRACT));
    }
}

/// Returns the files that are served if there are no forms folders.
pub(super) fn starter_forms() -> Vec<SourceFile> {
    vec![source(SIGN_UP)]
}

fn source((within, text): (&str, &str)) -> SourceFile {
    let file = format!("{within} (built in)").into();
    SourceFile { file, within: within.to_owned(), text: text.to_owned() }
}
