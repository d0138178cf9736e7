//! Access to the options of a rule while it is compiled.

use std::fmt;

use crate::config::{Data, Location, Node, ProblemCode, Reader};
use crate::decimal::Decimal;
use crate::expression::Conditions;
use crate::fields::FieldType;
use crate::submission::SiblingRef;

/// The input of a rule's compile function: its options, its field and the problems found.
#[derive(Debug)]
pub(crate) struct CompileContext<'c, 'p> {
    pub(crate) reader: &'c mut Reader<'p>,
    /// Name of the rule as spelled in the form.
    pub(crate) rule: &'c str,
    /// Location of the rule's options.
    pub(crate) location: Location,
    /// Options by canonical name.
    pub(crate) options: Vec<(&'static str, &'c Node)>,
    pub(crate) field: FieldInfo<'c>,
    /// Conditions under which the rule is applied; the compile function may add to them.
    pub(crate) conditions: Conditions,
}

/// The field that a rule is attached to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldInfo<'c> {
    pub(crate) name: &'c str,
    /// Type of the field; `None` for nested forms.
    pub(crate) field_type: Option<FieldType>,
    /// Whether it is a list of nested forms.
    pub(crate) is_list: bool,
    /// Path of the field that is the same in every form: `profiles.developer.properties.handle`.
    pub(crate) global_path: &'c str,
    /// Location of the field in the form.
    pub(crate) location: Location,
    /// Fields of a nested form.
    pub(crate) inner: Option<&'c dyn GroupLayout>,
    /// Names of the fields of the same object.
    pub(crate) names: &'c SiblingNames<'c>,
}

/// The fields of a nested form, as its own rules see them.
pub(crate) trait GroupLayout: fmt::Debug {
    /// Returns whether the nested form is an image or an attachment.
    fn is_file(&self) -> bool;

    /// Returns the slot index of a field.
    fn field_index(&self, name: &str) -> Option<usize>;

    /// Returns the names of the fields.
    fn field_names(&self) -> Vec<&str>;

    /// Returns the fields of the object in a slot, or `None` if it holds a scalar or a list.
    fn object(&self, index: usize) -> Option<&dyn GroupLayout>;
}

/// The names of the fields of an object, in slot order, and those of the enclosing object if its
/// fields are visible too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SiblingNames<'c> {
    pub(crate) fields: &'c [&'c str],
    pub(crate) enclosing: Option<&'c SiblingNames<'c>>,
}

impl<'c> SiblingNames<'c> {
    /// Returns the position of a field, searched from the object outwards.
    pub(crate) fn find(&self, name: &str) -> Option<SiblingRef> {
        let mut names = self;
        let mut outwards = 0;
        loop {
            if let Some(index) = names.fields.iter().position(|field| *field == name) {
                return Some(SiblingRef { outwards, index });
            }
            names = names.enclosing?;
            outwards += 1;
        }
    }

    /// Returns all names, innermost object first.
    pub(crate) fn all(&self) -> Vec<&'c str> {
        let mut all = self.fields.to_vec();
        if let Some(enclosing) = self.enclosing {
            all.extend(enclosing.all());
        }
        all
    }
}

impl<'c> CompileContext<'c, '_> {
    /// Returns the value of an option.
    pub(crate) fn get(&self, name: &str) -> Option<&'c Node> {
        self.options.iter().find(|(known, _)| *known == name).map(|(_, node)| *node)
    }

    /// Returns whether an option is given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns a boolean option, or `default` if it is missing or invalid.
    pub(crate) fn boolean(&mut self, name: &'static str, default: bool) -> bool {
        match self.get(name) {
            Some(node) => self.reader.boolean(node, name).unwrap_or(default),
            None => default,
        }
    }

    /// Returns an option that is a non-negative integer. Reports any other value.
    pub(crate) fn count(&mut self, name: &'static str) -> Option<u64> {
        let node = self.get(name)?;
        let count = match &node.data {
            Data::Number(text) => text.parse().ok(),
            _ => None,
        };
        if count.is_none() {
            self.bad(node.location, format!("`{name}` is {}", node.describe()), "a whole number");
        }
        count
    }

    /// Parses a number. Reports any other value.
    pub(crate) fn number(&mut self, node: &Node, name: &str) -> Option<Decimal> {
        let number = match &node.data {
            Data::Number(text) => Decimal::parse(text),
            _ => None,
        };
        if number.is_none() {
            self.bad(node.location, format!("`{name}` is {}", node.describe()), "a number");
        }
        number
    }

    /// Returns the position of another field. Reports an unknown one.
    pub(crate) fn sibling(&mut self, name: &str, location: Location) -> Option<SiblingRef> {
        let found = self.field.names.find(name);
        if found.is_none() {
            let known = self.field.names.all();
            let within = format!("the rule `{}`", self.rule);
            self.reader.unknown(
                ProblemCode::UnknownField,
                "field",
                name,
                location,
                &within,
                &known,
            );
        }
        found
    }

    /// Returns the position of another field whose value is shown in messages. Reports an unknown
    /// one and a secret one.
    pub(crate) fn visible_sibling(&mut self, name: &str, location: Location) -> Option<SiblingRef> {
        let found = self.sibling(name, location)?;
        if matches!(name, "password" | "password_confirmation") {
            let what = format!("a message of the rule `{}` would show `{name}`", self.rule);
            self.bad(location, what, "a field that is not secret");
            return None;
        }
        Some(found)
    }

    /// Returns the items of a list, or the node itself as the only item.
    pub(crate) fn one_or_list(&self, node: &'c Node) -> &'c [Node] {
        match &node.data {
            Data::List(items) => items,
            _ => std::slice::from_ref(node),
        }
    }

    /// Returns an option that is a string or a list of strings. Reports other values.
    pub(crate) fn texts(&mut self, name: &'static str) -> Option<Vec<&'c str>> {
        let node = self.get(name)?;
        let nodes = self.one_or_list(node);
        Some(nodes.iter().filter_map(|node| self.reader.text(node, name)).collect())
    }

    /// Reports an invalid option.
    pub(crate) fn bad(&mut self, location: Location, what: impl Into<String>, expected: &str) {
        self.reader.problems.add(ProblemCode::BadOption, location, what, expected, None);
    }

    /// Reports contradictory options.
    pub(crate) fn contradiction(
        &mut self,
        location: Location,
        what: impl Into<String>,
        expected: &str,
    ) {
        self.reader.problems.add(ProblemCode::Contradiction, location, what, expected, None);
    }
}
