//! Contracts: hosts and paths, duplicates, and the example of the documentation.

use super::{compile, source};

const PAGE: &str = include_str!("../../../../docs/contracts.md");
const FORM: &str = "resource: User\nfields: { email: , name: , properties: { city: { type: string }, gender: { type: string }, send_invite: { type: boolean } } }\n";

#[test]
fn documented_contract_is_served_on_its_hosts_and_mount() {
    let mut blocks =
        PAGE.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap());
    let (contract, catalogue) = (blocks.next().unwrap(), blocks.next().unwrap());
    let registry = compile(&[
        source("people.yml", FORM),
        source("contracts/people.yml", contract),
        source("contracts/catalogues/drf.yml", catalogue),
    ])
    .unwrap_or_else(|problems| panic!("{problems:#?}"));
    let contracts = registry.contracts();
    let of_host = |host: &str| !contracts.for_host(host).is_empty();
    for host in
        ["people.example.com", "PEOPLE.example.com:80", "a.people.example.com", "localhost:4000"]
    {
        assert!(of_host(host), "{host}");
    }
    for host in [
        "example.com",
        "xpeople.example.com",
        ".people.example.com",
        "localhost",
        "localhost:80",
        "",
    ] {
        assert!(!of_host(host), "{host}");
    }
    let rest =
        |path: &'static str| Some(contracts.for_path(path).1).filter(|rest| !rest.is_empty());
    assert_eq!(rest("/people/v1/users"), Some("/v1/users"));
    assert_eq!((rest("/people"), rest("/peoples/v1"), rest("/v1/users")), (None, None, None));
}

#[test]
fn duplicate_contract_names_mounts_and_hosts_are_reported() {
    let (contract, catalogue) = {
        let mut blocks = PAGE.split("```yaml\n").skip(1);
        let mut next = || blocks.next().unwrap().split("```").next().unwrap();
        (next(), next())
    };
    let problems = compile(&[
        source("people.yml", FORM),
        source("contracts/one.yml", contract),
        source("contracts/two.yml", contract),
        source("contracts/catalogues/drf.yml", catalogue),
    ])
    .unwrap_err();
    let reported: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(reported.len(), 5, "{reported:#?}");
    for part in ["[duplicate-name]", "mounted at `/people`", "host `localhost:4000`"] {
        assert!(reported.iter().any(|reported| reported.contains(part)), "{part}: {reported:#?}");
    }
}

#[test]
fn field_codes_must_match_inclusion_values() {
    let form = "resource: User\nfields: {email: , properties: {animal: {type: string, validation: {inclusion: [cow, horse]}}}}\n";
    let contract = "mount: /x\nform: animal\nauthentication: {schemes: [none]}\ncatalogue: words\nroutes: []\n\
        answers: {route_not_found: {status: 404}, method_not_allowed: {status: 405}, error: {}}\n\
        fields: {animal: {to: properties.animal, codes: {'1': cow, '2': zebra}}}\n";
    let problems = compile(&[
        source("animal.yml", form),
        source("contracts/x.yml", contract),
        source("contracts/catalogues/words.yml", "messages: {blank: is needed}\n"),
    ])
    .unwrap_err();
    let reported: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(reported.len(), 2, "{reported:#?}");
    assert!(
        reported[0].contains("x.yml:7:49: [contradiction] no code maps to \"horse\""),
        "{reported:#?}"
    );
    assert!(
        reported[1].contains("the code `2` maps to `zebra`, which the field rejects"),
        "{reported:#?}"
    );
}
