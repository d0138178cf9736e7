//! Records through their forms: claims released by the core and stored by the store.

use registrar_contracts::Configuration;
use registrar_contracts::decode::json;
use registrar_core::EvalContext;
use registrar_core::record_kind::RecordKind;
use registrar_core::registry::SourceFile;
use registrar_core::value::Value;
use registrar_store::{CreateError, RecordBody, Refusal, Store};

use crate::records::make;
use crate::support::{Scratch, create, on_both, update, user, wait};

on_both!(
    updated_value_releases_its_claim,
    update_of_a_record_keeps_claims_of_other_records,
    scoped_claims_are_released_by_scope,
    updated_relationship_key_is_released,
);

const TYPES: [(&str, &str); 2] = [
    (
        "types/transactables/boat.yml",
        "properties: [{name: code}, {name: harbour}, {name: length, type: integer}]",
    ),
    ("types/relationships/company.yml", "properties: [{name: name}]\nkey: name"),
];

const FORMS: [(&str, &str); 4] = [
    (
        "boat.yml",
        "resource: Transactable\nprivileged: true\ntype: boat\nresource_owner: anyone\nfields: {creator_id: , \
         properties: {code: {validation: {unique: true}}, length: }}",
    ),
    (
        "any_boat.yml",
        "resource: Transactable\nprivileged: true\ntype: boat\nresource_owner: anyone\nfields: {creator_id: , \
         properties: {code: , harbour: , length: }}",
    ),
    (
        "moored.yml",
        "resource: Transactable\nprivileged: true\ntype: boat\nresource_owner: anyone\nfields: {creator_id: , \
         properties: {code: {validation: {unique: {scope: harbour, case_sensitive: false}}}, harbour: }}",
    ),
    (
        "company.yml",
        "resource: Relationship\nprivileged: true\ntype: company\nresource_owner: anyone\nfields: {properties: {name: }}",
    ),
];

/// A store, and a registry with the forms of its records.
struct FormStore {
    store: Store,
    registry: Configuration,
    owner: i64,
}

impl FormStore {
    fn new(scratch: &Scratch) -> Self {
        let store = scratch.open();
        let owner = create(&store, user("ann", &[])).unwrap().id;
        let source = |(name, text): &(&str, &str)| SourceFile {
            file: (*name).into(),
            within: (*name).to_owned(),
            text: (*text).to_owned(),
        };
        let sources: Vec<SourceFile> = TYPES.iter().chain(&FORMS).map(source).collect();
        Self { store, registry: Configuration::compile(&sources).unwrap(), owner }
    }

    fn make(&self, form: &str, sent: &str) -> Result<i64, CreateError> {
        let form = self.registry.form(form).unwrap();
        let sent = json::parse(sent.as_bytes()).unwrap();
        let aggregate = form.apply(sent, &EvalContext::default()).unwrap();
        make(&self.store, aggregate, Some(self.owner))
    }

    /// Updates a stored record through a form.
    fn change(&self, form: &str, id: i64, sent: &str) {
        let form = self.registry.form(form).unwrap();
        let kind = match form.record_type.as_deref() {
            Some("company") => RecordKind::Relationship,
            _ => RecordKind::Transactable,
        };
        let record = self.store.record(kind, id).unwrap().unwrap();
        let properties = match &record.body {
            RecordBody::Transactable(listing) => &listing.properties,
            RecordBody::Relationship(relationship) => &relationship.properties,
            other => panic!("{other:?}"),
        };
        let stored =
            format!(r#"{{"id":{id},"creator_id":{},"properties":{properties}}}"#, self.owner);
        let stored: Value<'_> = json::parse(stored.as_bytes()).unwrap();
        let sent = json::parse(sent.as_bytes()).unwrap();
        let changed = form.update(sent, &stored, &EvalContext::default()).unwrap();
        wait(self.store.update(update((id, record.lock_version), changed))).unwrap();
    }

    fn delete(&self, id: i64) {
        wait(self.store.delete(RecordKind::Transactable, id, None.into())).unwrap();
    }
}

const X: &str = r#"{"properties": {"code": "X"}}"#;
const Y: &str = r#"{"properties": {"code": "Y"}}"#;

fn taken() -> Result<i64, CreateError> {
    Err(CreateError::Refused(vec![Refusal::Taken { claim: 0 }]))
}

fn updated_value_releases_its_claim(scratch: &Scratch) {
    let case = FormStore::new(scratch);
    let first = case.make("boat", X).unwrap();
    assert_eq!(case.make("boat", X), taken());
    case.change("boat", first, r#"{"properties": {"length": 3}}"#);
    assert_eq!(case.make("boat", X), taken(), "the value was not submitted");
    // Also through a form without the `unique` rule.
    case.change("any_boat", first, Y);
    let second = case.make("boat", X).unwrap();
    assert_eq!(case.make("boat", Y).unwrap(), 3, "Y was not claimed");
    case.change("boat", second, r#"{"properties": {"code": "Z"}}"#);
    assert_eq!(case.make("boat", Y), taken());
    assert!(case.make("boat", X).is_ok());
}

fn update_of_a_record_keeps_claims_of_other_records(scratch: &Scratch) {
    let case = FormStore::new(scratch);
    let first = case.make("boat", X).unwrap();
    let same = case.make("any_boat", X).unwrap();
    case.change("any_boat", same, Y);
    assert_eq!(case.make("boat", X), taken(), "the first record keeps its claim");
    let again = case.make("any_boat", X).unwrap();
    case.delete(again);
    assert_eq!(case.make("boat", X), taken());
    case.delete(first);
    assert!(case.make("boat", X).is_ok());
}

fn scoped_claims_are_released_by_scope(scratch: &Scratch) {
    let case = FormStore::new(scratch);
    let at =
        |harbour: &str| format!(r#"{{"properties": {{"code": "x", "harbour": "{harbour}"}}}}"#);
    let bergen = case.make("moored", &at("Bergen")).unwrap();
    case.make("moored", &at("Oslo")).unwrap();
    assert_eq!(case.make("moored", &at("OSLO")), taken());
    case.delete(bergen);
    assert_eq!(case.make("moored", &at("Oslo")), taken());
    assert!(case.make("moored", &at("BERGEN")).is_ok());
}

fn updated_relationship_key_is_released(scratch: &Scratch) {
    let case = FormStore::new(scratch);
    let name = |name: &str| format!(r#"{{"properties": {{"name": "{name}"}}}}"#);
    let acme = case.make("company", &name("ACME")).unwrap();
    assert_eq!(case.make("company", &name(" ACME ")), taken());
    case.change("company", acme, &name("Ace"));
    assert!(case.store.relationship_by_key("company", "ACME").unwrap().is_none());
    assert_eq!(case.make("company", &name("Ace")), taken());
    assert!(case.make("company", &name("ACME")).is_ok());
    let gone = case.store.delete(RecordKind::Relationship, acme, None.into());
    assert_eq!(wait(gone), Ok(()));
    assert!(case.make("company", &name("Ace")).is_ok());
}
