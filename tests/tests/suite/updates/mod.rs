//! PUT and DELETE: updates through forms, and deletion of users.

mod deletion;
mod nested_records;
mod responses_and_rules;
mod unique_claims;

use registrar_tests::{Setup, TestResponse, TestServer, samples};
use serde_json::{Value, json};

const CHANGE: &str = "\
resource: User
privileged: true
resource_owner: anyone
fields:
  email:
  external_id: { validation: { unique: { scope: language } } }
  password: { validation: { presence: true } }
  first_name: { validation: { presence: true } }
  last_name: { property_options: { default: Doe } }
  phone:
  language:
  mobile_number: { property_options: { readonly: true }, validation: { presence: true } }
  properties:
    invited_by: { type: integer, validation: { exists: User } }
  profiles:
    validation: { presence: true }
    seller:
      validation: { presence: true }
      enabled:
      properties: { shop_name: { validation: { presence: true } } }
  relationship_users:
    agency_member: { relationship_id: , relationship_name: , properties: { status: } }
  transactables:
    boat:
      validation: { length: { maximum: 4 } }
      name: { validation: { presence: true } }
      properties: { registration: { validation: { unique: true } }, length_m: }
      custom_addresses: { harbour: { city: { validation: { presence: true } }, street: } }
      custom_images: { photo: { direct_url: , caption: } }
";
const SEED: &str = "\
resource: User
privileged: true
fields: { email: , password: , first_name: , mobile_number: , external_id: , profiles: { seller: { properties: { shop_name: , commission: } } } }
";
const EMAIL: &str = "\
resource: User
privileged: true
resource_owner: anyone
fields: { email: { validation: { unique: false } }, external_id: { validation: { unique: false } } }
";

const BOAT: &str = "\
resource: Transactable
privileged: true
type: boat
resource_owner: anyone
fields: { creator_id: , name: }
";
const SIGN_IN: &str = "resource: Session\nfields: { email: , password: }\n";

const SELLER: &str = "\
resource: User
privileged: true
extends: marketplace_seller
fields: { mobile_number: }
";

/// Adds the forms of these tests to the shipped ones.
pub(crate) fn update_forms(setup: Setup) -> Setup {
    setup.more_forms(&[
        ("boat.yml", BOAT),
        ("sign_in.yml", SIGN_IN),
        ("change.yml", CHANGE),
        ("seed.yml", SEED),
        ("only_email.yml", EMAIL),
        ("seller.yml", SELLER),
    ])
}

fn put_change(server: &TestServer, id: i64, form: Value) -> TestResponse {
    server.client().update(id, "change", &form)
}

/// Creates a seller that satisfies the form `change`.
pub(crate) fn create_seller(server: &TestServer, tag: &str) -> i64 {
    let mut sample = samples::seller(tag);
    sample["mobile_number"] = json!("99");
    server.client().submit("seller", &sample).created()
}
