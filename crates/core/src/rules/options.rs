//! The options of one rule in one form, while it is compiled.

use crate::config::{Data, Location, Node, ProblemCode, Reader};
use crate::decimal::Decimal;
use crate::evaluate::SiblingRef;
use crate::expression::Conditions;
use crate::fields::FieldType;
use crate::form::Group;

/// What a rule's compile function works with.
#[derive(Debug)]
pub(crate) struct CompileContext<'c, 'p> {
    pub(crate) reader: &'c mut Reader<'p>,
    /// The rule's name, as the form spells it.
    pub(crate) rule: &'c str,
    /// Where the rule stands.
    pub(crate) place: Location,
    /// The options under their canonical names.
    pub(crate) options: Vec<(&'static str, &'c Node)>,
    pub(crate) field: FieldInfo<'c>,
    /// When the rule judges; a rule may add to it.
    pub(crate) conditions: Conditions,
}

/// What a rule may know of the field it is attached to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldInfo<'c> {
    pub(crate) name: &'c str,
    /// Nothing for nested forms.
    pub(crate) field_type: Option<FieldType>,
    /// Whether it is a list of nested forms.
    pub(crate) is_list: bool,
    /// Names a field of all users, whatever form it is in: `profiles.developer.properties.handle`.
    pub(crate) global_path: &'c str,
    /// Where the form lists it.
    pub(crate) place: Location,
    /// The fields of a nested form.
    pub(crate) inner: Option<&'c Group>,
    /// The fields of the same object.
    pub(crate) names: &'c SiblingNames<'c>,
}

/// The names of the fields of one object, in slot order, and of the object around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SiblingNames<'c> {
    pub(crate) own: &'c [&'c str],
    pub(crate) around: Option<&'c SiblingNames<'c>>,
}

impl<'c> SiblingNames<'c> {
    /// Where a field of the same object is.
    pub(crate) fn find(&self, name: &str) -> Option<SiblingRef> {
        let mut names = self;
        let mut outwards = 0;
        loop {
            if let Some(index) = names.own.iter().position(|own| *own == name) {
                return Some(SiblingRef { outwards, index });
            }
            names = names.around?;
            outwards += 1;
        }
    }

    /// All names, nearest first.
    pub(crate) fn all(&self) -> Vec<&'c str> {
        let mut all = self.own.to_vec();
        if let Some(around) = self.around {
            all.extend(around.all());
        }
        all
    }
}

impl<'c> CompileContext<'c, '_> {
    /// The node of an option.
    pub(crate) fn get(&self, name: &str) -> Option<&'c Node> {
        self.options.iter().find(|(known, _)| *known == name).map(|(_, node)| *node)
    }

    /// Whether an option is given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A flag; `default` where it is not given.
    pub(crate) fn boolean(&mut self, name: &'static str, default: bool) -> bool {
        match self.get(name) {
            Some(node) => self.reader.boolean(node, name).unwrap_or(default),
            None => default,
        }
    }

    /// A count: a whole number from zero.
    pub(crate) fn count(&mut self, name: &'static str) -> Option<u64> {
        let node = self.get(name)?;
        let count = match &node.data {
            Data::Number(text) => text.parse().ok(),
            _ => None,
        };
        if count.is_none() {
            self.bad(node.place, format!("`{name}` is {}", node.describe()), "a whole number");
        }
        count
    }

    /// A number.
    pub(crate) fn number(&mut self, node: &Node, name: &str) -> Option<Decimal> {
        let number = match &node.data {
            Data::Number(text) => Decimal::parse(text),
            _ => None,
        };
        if number.is_none() {
            self.bad(node.place, format!("`{name}` is {}", node.describe()), "a number");
        }
        number
    }

    /// Another field of the same object.
    pub(crate) fn sibling(&mut self, name: &str, place: Location) -> Option<SiblingRef> {
        let found = self.field.names.find(name);
        if found.is_none() {
            let known = self.field.names.all();
            let within = format!("the rule `{}`", self.rule);
            self.reader.unknown(ProblemCode::UnknownField, "field", name, place, &within, &known);
        }
        found
    }

    /// The same, where the text that is told shows that field's value.
    pub(crate) fn visible_sibling(&mut self, name: &str, place: Location) -> Option<SiblingRef> {
        let found = self.sibling(name, place)?;
        if matches!(name, "password" | "password_confirmation") {
            let what = format!("a text of the rule `{}` would show `{name}`", self.rule);
            self.bad(place, what, "a field that is no secret");
            return None;
        }
        Some(found)
    }

    /// The items of a list, or the one node that stands where a list could.
    pub(crate) fn one_or_list(&self, node: &'c Node) -> &'c [Node] {
        match &node.data {
            Data::List(items) => items,
            _ => std::slice::from_ref(node),
        }
    }

    /// Texts: one or a list of them.
    pub(crate) fn texts(&mut self, name: &'static str) -> Option<Vec<&'c str>> {
        let node = self.get(name)?;
        let nodes = self.one_or_list(node);
        Some(nodes.iter().filter_map(|node| self.reader.text(node, name)).collect())
    }

    /// Notes an option that cannot be used.
    pub(crate) fn bad(&mut self, place: Location, what: impl Into<String>, expected: &str) {
        self.reader.problems.add(ProblemCode::BadOption, place, what, expected, None);
    }

    /// Notes options that contradict each other.
    pub(crate) fn contradiction(
        &mut self,
        place: Location,
        what: impl Into<String>,
        expected: &str,
    ) {
        self.reader.problems.add(ProblemCode::Contradiction, place, what, expected, None);
    }
}
