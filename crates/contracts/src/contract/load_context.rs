//! What a contract may refer to while it is loaded: forms and catalogues.

use std::collections::HashMap;
use std::sync::Arc;

use super::catalogue::Catalogue;
use registrar_core::config::{Node, ProblemCode, Reader};
use registrar_core::form::Form;

/// What a contract can refer to.
#[derive(Clone, Copy)]
pub(crate) struct LoadContext<'a> {
    pub(crate) forms: &'a Arc<HashMap<Arc<str>, Arc<Form>>>,
    /// The forms that a request can select: all except forms used as `new_caller`.
    pub(crate) served: &'a Arc<HashMap<Arc<str>, Arc<Form>>>,
    /// Whether a form of this name exists, valid or not.
    pub(crate) is_form: &'a dyn Fn(&str) -> bool,
    pub(crate) catalogues: &'a [Arc<Catalogue>],
    /// Whether all catalogues are valid. If not, an unknown name may be that of an invalid one.
    pub(crate) has_all_catalogues: bool,
}

impl LoadContext<'_> {
    /// Returns the form that a node names, or `None` if there is none. Reports forms used as
    /// `new_caller`: they create callers of a contract, so no route may run them.
    pub(crate) fn form(&self, reader: &mut Reader<'_>, node: &Node) -> Option<Arc<Form>> {
        let found = self.any_form(reader, node)?;
        if !self.served.contains_key(&found.name) {
            let what =
                format!("the form `{}` creates callers of a contract (`new_caller`)", found.name);
            let expected = "another form: anyone who may submit this one could become a caller";
            reader.problems.add(ProblemCode::Contradiction, node.location, what, expected, None);
        }
        Some(found)
    }

    /// Returns the form that a node names, including forms used as `new_caller`.
    pub(crate) fn any_form(&self, reader: &mut Reader<'_>, node: &Node) -> Option<Arc<Form>> {
        let name = reader.text(node, "form")?;
        let found = self.forms.get(name);
        // The problems of an invalid form have been reported already.
        if found.is_none() && !(self.is_form)(name) {
            let mut known: Vec<&str> = self.forms.keys().map(|name| &**name).collect();
            known.sort_unstable();
            let code = ProblemCode::UnknownForm;
            reader.unknown(code, "form", name, node.location, "the contract", &known);
        }
        found.cloned()
    }
}
