//! URL-encoded bodies in bracket notation, as sent by HTML forms and Rails clients.

use registrar_tests::{TestServer, cases};

cases! {
    bracket_names_build_nested_form,
    index_hash_becomes_ordered_list,
    attributes_suffix_is_stripped,
    last_value_of_checkbox_wins,
    violation_pointers_use_submitted_names,
    conflicting_or_malformed_fields_get_400,
}

const DEVELOPER: &str = "form_configuration_name=developer_sign_up&form[email]=ann%40example.com\
    &form[password]=secret+1&form[password_confirmation]=secret%201&form[first_name]=Ann";

const SELLER: &str = "form_configuration_name=marketplace_seller&form[email]=siri%40example.com\
    &form[first_name]=Siri&form[last_name]=Str%C3%B8m&form[profiles][seller][properties][shop_name]=Siri%27s";

fn bracket_names_build_nested_form(server: &TestServer) {
    let body = format!(
        "{DEVELOPER}&form[terms_of_service]=1&form[profiles][developer][properties][handle]=ann\
         &form[profiles][developer][properties][hourly_rate]=90.50\
         &form[profiles][developer][properties][skills][]=rust\
         &form[profiles][developer][properties][skills][]=sql"
    );
    let id = server.client().post_fields(&body).created();
    let profile = &server.client().user(id)["profiles"]["developer"];
    let stored = profile["properties"].to_string();
    assert_eq!(stored, r#"{"handle":"ann","hourly_rate":90.5,"skills":["rust","sql"]}"#);
}

fn index_hash_becomes_ordered_list(server: &TestServer) {
    let boat = |at: &str, name: &str| {
        let boat = format!("form[transactables][boat][{at}]");
        format!(
            "&{boat}[name]={name}&{boat}[properties][registration]={name}\
             &{boat}[properties][length_m]=9&{boat}[properties][price_per_day]=100"
        )
    };
    let body = format!("{SELLER}{}{}", boat("1700000000", "second-key"), boat("5", "first-key"));
    let id = server.client().post_fields(&body).created();
    let user = server.client().user(id);
    let boats = user["transactables"]["boat"].as_array().unwrap();
    let names: Vec<&str> = boats.iter().map(|boat| boat["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["second-key", "first-key"], "the order of the body is kept");
    assert_eq!(user["last_name"], "Strøm");
}

fn attributes_suffix_is_stripped(server: &TestServer) {
    let body = format!(
        "{DEVELOPER}&form[terms_of_service]=1\
         &form[profiles_attributes][developer_attributes][properties_attributes][handle]=ann\
         &form[profiles_attributes][developer_attributes][properties_attributes][hourly_rate]=9"
    );
    let id = server.client().post_fields(&body).created();
    let profile = &server.client().user(id)["profiles"]["developer"];
    assert_eq!(profile["properties"]["handle"], "ann");
}

fn last_value_of_checkbox_wins(server: &TestServer) {
    let profile = "&form[profiles][developer][properties][handle]=ann\
                   &form[profiles][developer][properties][hourly_rate]=9";
    let unchecked = format!("{DEVELOPER}{profile}&form[terms_of_service]=0");
    let response = server.client().post_fields(&unchecked);
    let codes = response.is(422).violations();
    assert!(codes.iter().all(|(field, _)| field == "terms_of_service"), "{codes:?}");
    server.client().post_fields(&format!("{unchecked}&form[terms_of_service]=1")).created();
}

fn violation_pointers_use_submitted_names(server: &TestServer) {
    let body = format!(
        "{SELLER}&form[transactables_attributes][boat][7][name]=A\
         &form[transactables_attributes][boat][7][properties][registration]=A\
         &form[transactables_attributes][boat][7][properties][length_m]=long\
         &form[transactables_attributes][boat][7][properties][price_per_day]=1"
    );
    let response = server.client().post_fields(&body);
    response.invalid(&[("transactables.boat[0].properties.length_m", "not_a_number")]);
    let pointer = &response.json()["details"][0]["pointer"];
    assert_eq!(pointer, "/form/transactables_attributes/boat/7/properties/length_m");
}

fn conflicting_or_malformed_fields_get_400(server: &TestServer) {
    for fields in [
        "form[email]=a&form[email][x]=b",
        "form[tags][]=a&form[tags][x]=b",
        "form[email",
        "=x",
        "form[email]=%ff",
        "form[email]=%00",
    ] {
        let body = format!("form_configuration_name=client_sign_up&{fields}");
        let message = server.client().post_fields(&body).rejected(400, "base", "malformed");
        assert!(message.starts_with("the body cannot be read: "), "{message}");
    }
    let many = "a[]=1&".repeat(10_001);
    let message = server.client().post_fields(&many).rejected(400, "base", "malformed");
    assert!(message.contains("too many form fields"), "{message}");
}
