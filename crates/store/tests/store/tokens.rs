//! Stored API tokens.

use registrar_core::record_kind::RecordKind;
use registrar_store::{CreateError, CreateRequest, NewToken, TokenError, WriteError};

use crate::support::{Scratch, create, on_both, record, user, wait};

on_both!(
    tokens_are_created_listed_and_revoked,
    tokens_are_created_while_the_writer_is_busy,
    revoked_or_expired_token_cannot_write,
    issued_token_expires_with_its_parent_and_user,
    ended_tokens_are_deleted_and_last_use_is_recorded,
);

fn tokens_are_created_listed_and_revoked(scratch: &Scratch) {
    let store = scratch.open();
    assert_eq!(store.has_tokens(), Ok(false));
    assert_eq!(store.token(&[1; 32]), Ok(None));
    let (scopes, forms) = (Some(r#"["users.create"]"#), Some(r#"["b","a"]"#));
    store.create_token("web", &[1; 32], scopes, forms, Some(4_102_444_800_000_001)).unwrap();
    store.create_token("cli", &[2; 32], None, None, None).unwrap();
    let again = store.create_token("web", &[3; 32], None, None, None);
    assert_eq!(again, Err(TokenError::NameTaken));
    assert_eq!(store.has_tokens(), Ok(true));

    let web = store.token(&[1; 32]).unwrap().unwrap().token;
    assert_eq!((web.id, web.name.as_str()), (1, "web"));
    assert_eq!((web.scopes.as_deref(), web.forms.as_deref()), (scopes, forms));
    assert_eq!((web.expires_at, web.revoked_at), (Some(4_102_444_800_000_001), None));
    let names = |store: &registrar_store::Store| -> Vec<String> {
        store.list_tokens().unwrap().into_iter().map(|token| token.name).collect()
    };
    assert_eq!(names(&store), ["web", "cli"]);

    assert_eq!(store.revoke_token("web"), Ok(true));
    let revoked = store.token(&[1; 32]).unwrap().unwrap().token;
    assert!(revoked.revoked_at >= Some(revoked.created_at));
    assert_eq!(store.revoke_token("web"), Ok(false));
    assert_eq!(store.revoke_token("none"), Ok(false));
    assert_eq!(store.token(&[1; 32]).unwrap().unwrap().token, revoked);
    assert_eq!(names(&store), ["web", "cli"]);
}

fn tokens_are_created_while_the_writer_is_busy(scratch: &Scratch) {
    let store = scratch.open();
    std::thread::scope(|scope| {
        let writes = scope.spawn(|| {
            for _ in 0..100 {
                create(&store, user("ann", &[])).unwrap();
            }
        });
        for n in 0..20 {
            store.create_token(&n.to_string(), &[n; 32], None, None, None).unwrap();
        }
        writes.join().unwrap();
    });
    assert_eq!(store.list_tokens().unwrap().len(), 20);
}

fn revoked_or_expired_token_cannot_write(scratch: &Scratch) {
    let store = scratch.open();
    store.create_token("good", &[1; 32], None, None, None).unwrap();
    store.create_token("old", &[2; 32], None, None, Some(1)).unwrap();
    let by = |token, name| {
        let user = user(name, &[("name", name)]);
        wait(store.create(CreateRequest { actor: Some(token).into(), ..record(user) }))
    };
    assert!(by(1, "ann").is_ok());
    assert_eq!(by(2, "bob").unwrap_err(), CreateError::InvalidToken);
    assert_eq!(by(3, "bob").unwrap_err(), CreateError::InvalidToken);
    store.revoke_token("good").unwrap();
    assert_eq!(by(1, "bob").unwrap_err(), CreateError::InvalidToken);
    // Its claims are free, and no id was used up.
    let bob = create(&store, user("bob", &[("name", "bob")])).unwrap();
    assert_eq!(bob.id, 2);
}

fn issued_token_expires_with_its_parent_and_user(scratch: &Scratch) {
    let store = scratch.open();
    let far = 4_102_444_800_000_000;
    store.create_token("app", &[1; 32], None, None, Some(far + 5)).unwrap();
    let ann = create(&store, user("ann", &[])).unwrap().id;
    let new = |n: u8, parent_id, user_id| NewToken {
        name: format!("session-{n}"),
        hash: [n; 32],
        expires_at: Some(far + i64::from(n)),
        user_id,
        contract: Some("shop".to_owned()),
        parent_id,
        attributes: None,
        scopes: None,
        forms: None,
        request_id: None,
    };
    assert_eq!(wait(store.issue_token(new(2, Some(1), Some(ann)))), Ok(2));
    assert_eq!(wait(store.issue_token(new(9, Some(2), None))), Ok(3));
    let third = wait(store.issue_token(new(10, Some(3), None)));
    assert_eq!(third, Err(CreateError::InvalidToken.into()), "chains have at most two tokens");
    let taken = wait(store.issue_token(new(2, Some(1), Some(ann))));
    assert_eq!(taken, Err(WriteError::Conflict));
    assert_eq!(wait(store.issue_token(new(4, None, Some(404)))), Err(WriteError::NotFound));
    let token = store.token(&[2; 32]).unwrap().unwrap().token;
    assert_eq!(
        (token.user_id, token.parent_id, token.expires_at),
        (Some(ann), Some(1), Some(far + 2))
    );
    assert_eq!(token.contract.as_deref(), Some("shop"));
    let child = store.token(&[9; 32]).unwrap().unwrap().token;
    assert_eq!(child.expires_at, Some(far + 2), "expires with its parent");
    assert_eq!(store.token(&[9; 32]).unwrap().unwrap().root_id, 1);

    let by = |token, name| {
        wait(store.create(CreateRequest { actor: Some(token).into(), ..record(user(name, &[])) }))
    };
    assert!(by(3, "bob").is_ok());
    store.revoke_token("app").unwrap();
    assert!(store.token(&[9; 32]).unwrap().unwrap().token.revoked_at.is_some());
    assert_eq!(by(3, "bob").unwrap_err(), CreateError::InvalidToken);
    let refused = wait(store.issue_token(new(5, Some(2), None)));
    assert_eq!(refused, Err(CreateError::InvalidToken.into()));
    // Deleting the user deletes its tokens and those issued with them.
    assert_eq!(wait(store.delete(RecordKind::User, ann, None.into())), Ok(()));
    let left: Vec<String> =
        store.list_tokens().unwrap().into_iter().map(|token| token.name).collect();
    assert_eq!(left, ["app"]);
}

fn ended_tokens_are_deleted_and_last_use_is_recorded(scratch: &Scratch) {
    let store = scratch.open();
    store.create_token("old", &[1; 32], None, None, Some(1)).unwrap();
    store.create_token("app", &[2; 32], None, None, None).unwrap();
    let issued = NewToken {
        name: "session".to_owned(),
        hash: [3; 32],
        expires_at: Some(1),
        parent_id: Some(2),
        ..NewToken::default()
    };
    assert_eq!(wait(store.issue_token(issued)), Ok(3));
    store.record_token_use(2);
    // The writer purges tokens after a batch, and writes uses before it stops.
    store.shutdown();
    let left = scratch.open().list_tokens().unwrap();
    let left: Vec<(&str, bool)> =
        left.iter().map(|token| (token.name.as_str(), token.last_used_at.is_some())).collect();
    assert_eq!(left, [("old", false), ("app", true)], "operator tokens are kept");
}
