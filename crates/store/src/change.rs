//! Changes of stored users and their records: several in one transaction, each a part of its own
//! that can be taken back without the others.
//!
//! A user's row comes first: who writes it has the user to himself until the commit.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use diesel::dsl::max;
use diesel::sql_types::{BigInt, Text};
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};
use registrar_core::aggregate::{Claim, NewUser};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::audit::{self, Asker, Deed};
use crate::batch::{self, Done, Failure, now};
use crate::changed::{execute, update_password, update_user};
use crate::claims::{Contender, missing_references};
use crate::connection::{AnyConnection, WriterConnection};
use crate::dialect::{self, Claiming, statement};
use crate::error::{ChangeError, CreateError, Refusal};
use crate::keyed;
use crate::once;
use crate::plan::{Counts, Ids, PerTable, Plan};
use crate::record::UpdateRecord;
use crate::records::{self, NewRecordOf, RecordKind, UpdateRecordOf};
use crate::tokens::{self, NewToken};
use crate::types::Uid;

/// What is to be done with a stored user.
#[derive(Debug)]
pub(crate) enum Change {
    Update(Box<UpdateRecord>),
    Delete {
        id: i64,
        by: Asker,
    },
    CreateRecord(Box<NewRecordOf>),
    UpdateRecord(Box<UpdateRecordOf>),
    DeleteRecord {
        kind: RecordKind,
        id: i64,
        by: Asker,
    },
    Mint(Box<NewToken>),
    /// All tokens of a user end.
    EndSessions {
        user_id: i64,
        by: Asker,
    },
    /// A token ends, by its name.
    Revoke {
        name: String,
        by: Asker,
    },
    /// The same password has a new hash, in place of this one.
    Rehash {
        user_id: i64,
        old: String,
        new: String,
    },
    /// A sign-in of this user failed.
    FailedSignIn {
        user_id: i64,
        by: Asker,
    },
}

/// A change that waits, and where its answer goes.
#[derive(Debug)]
pub(crate) struct ChangeJob {
    pub(crate) change: Change,
    pub(crate) answer: oneshot::Sender<Outcome>,
}

impl ChangeJob {
    pub(crate) fn answer(self, outcome: Outcome) {
        // Nobody listens any more when the client hung up. What is stored stays stored.
        let _ = self.answer.send(outcome);
    }
}

impl Change {
    /// The user whose row is written first; of relationships nobody's.
    fn user(&self, conn: &mut AnyConnection) -> QueryResult<i64> {
        Ok(match self {
            Self::Update(record) => record.id,
            Self::Delete { id, .. } => *id,
            Self::CreateRecord(record) => records::owner_of_new(conn, record)?.unwrap_or_default(),
            Self::UpdateRecord(record) => {
                records::owner_of(conn, record.kind, record.id)?.unwrap_or_default()
            }
            Self::DeleteRecord { kind, id, .. } => {
                records::owner_of(conn, *kind, *id)?.unwrap_or_default()
            }
            Self::EndSessions { user_id, .. }
            | Self::Rehash { user_id, .. }
            | Self::FailedSignIn { user_id, .. } => *user_id,
            Self::Mint(_) | Self::Revoke { .. } => 0,
        })
    }

    /// Returns the user who owns what is written, or `None` where nobody does. A relationship is owned
    /// by the user who created it.
    fn owner(&self, conn: &mut AnyConnection) -> QueryResult<Option<i64>> {
        let relationship = match self {
            Self::CreateRecord(record) if record.kind() == RecordKind::Relationship => {
                return Ok(record.bag.owner.or(record.owner));
            }
            Self::UpdateRecord(record) if record.kind == RecordKind::Relationship => record.id,
            Self::DeleteRecord { kind: RecordKind::Relationship, id, .. } => *id,
            Self::Mint(token) => return Ok(token.user_id),
            // Named by the server: the token that the caller shows.
            Self::Revoke { by, .. } => return Ok(by.owner),
            _ => return Ok(Some(self.user(conn)?)),
        };
        records::creator_of(conn, relationship)
    }

    /// Returns whether the caller may write it: one that acts for a user writes what that user owns.
    fn is_allowed(&self, conn: &mut AnyConnection) -> QueryResult<bool> {
        match self.by().owner {
            Some(owner) => Ok(self.owner(conn)? == Some(owner)),
            None => Ok(true),
        }
    }

    /// Who asks for it; of tokens that are made, whom they are made by.
    fn by(&self) -> Cow<'_, Asker> {
        Cow::Borrowed(match self {
            Self::Update(record) => &record.by,
            Self::Delete { by, .. } | Self::DeleteRecord { by, .. } => by,
            Self::CreateRecord(record) => &record.by,
            Self::UpdateRecord(record) => &record.by,
            Self::EndSessions { by, .. }
            | Self::Revoke { by, .. }
            | Self::FailedSignIn { by, .. } => by,
            Self::Rehash { .. } => return Cow::Owned(Asker::default()),
            Self::Mint(token) => {
                let (user, request) = (token.user_id, token.request.clone());
                let token = token.parent_id;
                return Cow::Owned(Asker { token, user, request, ..Asker::default() });
            }
        })
    }

    /// What it comes to where it is done: to what has this id, and is this user's.
    fn deed(&self, id: i64, user: i64) -> Option<Deed> {
        let (action, kind) = match self {
            Self::EndSessions { .. } => ("delete", "session"),
            Self::Revoke { .. } => ("delete", "token"),
            Self::FailedSignIn { .. } => ("attempt", "session"),
            Self::Rehash { .. } => return None,
            Self::Update(_) => ("update", "user"),
            Self::Delete { .. } => ("delete", "user"),
            Self::CreateRecord(record) => ("create", record.kind().name()),
            Self::UpdateRecord(record) => ("update", record.kind.name()),
            Self::DeleteRecord { kind, .. } => ("delete", kind.name()),
            Self::Mint(_) => ("create", "token"),
        };
        Some(Deed { action, kind, id, user: Some(user).filter(|user| *user > 0) })
    }
}

/// The id of what was written, or why nothing was.
pub(crate) type Outcome = Result<i64, ChangeError>;

/// Makes changes in one transaction; what becomes of each, in their order.
pub(crate) fn write(
    writer: &mut WriterConnection,
    jobs: &[ChangeJob],
) -> Result<Done<Vec<Outcome>>, Failure> {
    let is_kept = |outcomes: &Vec<Outcome>| outcomes.iter().any(Result::is_ok);
    batch::transaction(writer, |conn| all(conn, jobs), is_kept)
}

fn all(conn: &mut AnyConnection, jobs: &[ChangeJob]) -> QueryResult<Vec<Outcome>> {
    let tokens: BTreeSet<i64> = jobs.iter().filter_map(|job| job.change.by().token).collect();
    let valid = tokens::still_valid(conn, &tokens)?;
    let may = |change: &Change| change.by().token.is_none_or(|token| valid.contains(&token));
    // In the order of the users, so that two writers do not wait for each other in a circle.
    let mut order: Vec<(i64, usize)> = Vec::with_capacity(jobs.len());
    for (place, job) in jobs.iter().enumerate() {
        order.push((job.change.user(conn)?, place));
    }
    order.sort_unstable();
    let mut outcomes: Vec<Outcome> = vec![Err(CreateError::TokenRefused.into()); jobs.len()];
    for (user, place) in order {
        let change = &jobs[place].change;
        if !may(change) {
            continue;
        }
        outcomes[place] = match change.is_allowed(conn)? {
            true => part(conn, change, user)?,
            false => Err(ChangeError::NotFound),
        };
    }
    Ok(outcomes)
}

/// Makes one change, or takes back what was done of it.
fn part(conn: &mut AnyConnection, change: &Change, user: i64) -> QueryResult<Outcome> {
    dialect::begin_part(conn)?;
    let outcome = done(conn, change).and_then(|outcome| {
        if let Ok(id) = outcome
            && let Some(deed) = change.deed(id, user)
        {
            audit::note(conn, &change.by(), deed, now())?;
        }
        Ok(outcome)
    });
    match &outcome {
        Ok(Ok(_)) => dialect::commit(conn)?,
        Ok(Err(_)) => dialect::rollback(conn)?,
        // The whole transaction is to end; if even this fails, so will that.
        Err(_) => drop(dialect::rollback(conn)),
    }
    outcome
}

fn done(conn: &mut AnyConnection, change: &Change) -> QueryResult<Outcome> {
    match change {
        Change::Update(record) => update(conn, record),
        Change::Delete { id, .. } => delete(conn, *id),
        Change::CreateRecord(record) => create_record(conn, record),
        Change::UpdateRecord(record) => records::update(conn, record),
        Change::DeleteRecord { kind, id, .. } => records::delete(conn, *kind, *id),
        Change::Mint(token) => tokens::mint(conn, token),
        Change::EndSessions { user_id, by } => {
            tokens::end_sessions(conn, *user_id, by.token)?;
            Ok(Ok(*user_id))
        }
        Change::Revoke { name, .. } => tokens::revoke(conn, name),
        Change::Rehash { user_id, old, new } => rehash(conn, *user_id, old, new),
        Change::FailedSignIn { user_id, .. } => Ok(Ok(*user_id)),
    }
}

statement! {
    ReplaceHash<'a>:
    "UPDATE password_credentials SET phc = " { new: &'a str as Text }
    " WHERE user_id = " { user_id: &'a i64 as BigInt }
    " AND phc = " { old: &'a str as Text }
    ""
}

/// Replaces a hash, unless the password was changed meanwhile.
fn rehash(conn: &mut AnyConnection, user_id: i64, old: &str, new: &str) -> QueryResult<Outcome> {
    let replaced = execute!(conn, ReplaceHash { new, user_id: &user_id, old })?;
    Ok(if replaced == 0 { Err(ChangeError::Conflict) } else { Ok(user_id) })
}

fn create_record(conn: &mut AnyConnection, record: &NewRecordOf) -> QueryResult<Outcome> {
    let Some(once) = &record.once else { return records::create(conn, record) };
    if once::reserve(conn, &[Some(once)])? == [true] {
        return Ok(Err(CreateError::Repeated.into()));
    }
    let outcome = records::create(conn, record)?;
    if let Ok(id) = &outcome {
        once::keep_record(conn, once, record.kind(), *id)?;
    }
    Ok(outcome)
}

fn update(conn: &mut AnyConnection, record: &UpdateRecord) -> QueryResult<Outcome> {
    let UpdateRecord { id, uuid, loaded_at, changed, .. } = record;
    let user = &changed.user;
    // It grows even where the clock does not.
    let at = now().max(loaded_at.saturating_add(1));
    if !update_user(conn, user, *id, (*loaded_at, at))? {
        return Ok(Err(ChangeError::Conflict));
    }
    let giving = Giving { is_own: &|_| true, gives_up: &|claim| changed.released.releases(claim) };
    let refusals = refusals(conn, user, giving, uuid)?;
    if !refusals.is_empty() {
        return Ok(Err(CreateError::Refused(refusals).into()));
    }
    if let Some(phc) = &record.password_hash {
        update_password(conn, *id, phc, at)?;
        tokens::end_sessions(conn, *id, record.by.token)?;
    }
    let mut counts = Counts::default();
    counts.add_records(user);
    let has_new = counts.any();
    let mut ids = if has_new { dialect::reserve_ids(conn, &counts)? } else { Ids::default() };
    let first = if has_new { first_places(conn, *id, &counts)? } else { PerTable::default() };
    let mut plan = Plan::after(at, first);
    plan.keyed = keyed::find_or_make(conn, [user])?;
    plan.add_records(user, *id, &mut ids)?;
    plan.insert(conn)?;
    let was_there = plan.changed.write(conn)?;
    Ok(if was_there { Ok(*id) } else { Err(ChangeError::Conflict) })
}

statement! {
    ClaimsOf<'a> -> (Text, Text):
    "SELECT scope, value_key FROM unique_claims WHERE owner = " { owner: &'a Uuid as Uid } ""
}

statement! {
    DropClaim<'a>:
    "DELETE FROM unique_claims WHERE scope = " { scope: &'a str as Text }
    " AND value_key = " { value_key: &'a str as Text }
    " AND owner = " { owner: &'a Uuid as Uid }
    ""
}

/// Whose the claims are that an owner holds already.
#[derive(Clone, Copy)]
pub(crate) struct Giving<'g> {
    /// Whether one is of what is being written: then it is no clash.
    pub(crate) is_own: &'g dyn Fn(&Claim) -> bool,
    /// Whether one is given up.
    pub(crate) gives_up: &'g dyn Fn(&Claim) -> bool,
}

/// All claims of an owner.
pub(crate) fn claims_of(conn: &mut AnyConnection, owner: &Uuid) -> QueryResult<HashSet<Claim>> {
    let find = ClaimsOf { owner };
    let held: Vec<(String, String)> = match conn {
        AnyConnection::Sqlite(conn) => find.load(conn)?,
        AnyConnection::Postgres(conn) => find.load(conn)?,
    };
    let claim = |(scope, value_key): (String, _)| Claim { scope: scope.into(), value_key };
    Ok(held.into_iter().map(claim).collect())
}

/// Gives up a claim.
pub(crate) fn drop_claim(conn: &mut AnyConnection, claim: &Claim, owner: &Uuid) -> QueryResult<()> {
    let Claim { scope, value_key } = claim;
    execute!(conn, DropClaim { scope, value_key, owner }).map(drop)
}

/// Makes the claims that the owner does not hold yet and gives up those of what is gone. What the
/// database has against it: claims in their order, then references in theirs.
pub(crate) fn refusals(
    conn: &mut AnyConnection,
    user: &NewUser,
    giving: Giving<'_>,
    owner: &Uuid,
) -> QueryResult<Vec<Refusal>> {
    let held = claims_of(conn, owner)?;
    let is_others = |claim: &Claim| held.contains(claim) && !(giving.is_own)(claim);
    let claims = user.claims.iter().enumerate();
    let mut taken: Vec<usize> =
        claims.filter(|(_, claim)| is_others(claim)).map(|(place, _)| place).collect();
    let new = user.claims.iter().enumerate().filter(|(_, claim)| !held.contains(claim));
    let mut new: Vec<(usize, &Claim)> = new.collect();
    new.sort_by_key(|(_, claim)| *claim);
    let claims: Vec<Claiming<'_>> =
        new.iter().map(|(_, claim)| Claiming { claim, owner }).collect();
    let lost = if claims.is_empty() { Vec::new() } else { dialect::insert_claims(conn, &claims)? };
    taken.extend(lost.into_iter().map(|place| new[place].0));
    taken.sort_unstable();

    for claim in held.iter().filter(|claim| (giving.gives_up)(claim)) {
        drop_claim(conn, claim, owner)?;
    }

    let contender =
        Contender { uuid: *owner, claims: &[], references: &user.references, was_put_off: false };
    let mut missing = missing_references(conn, &[contender])?.pop().unwrap_or_default();
    let mut refusals: Vec<Refusal> =
        taken.into_iter().map(|claim| Refusal::Taken { claim }).collect();
    refusals.append(&mut missing);
    Ok(refusals)
}

/// The places after those of a user's rows, in the tables that get new ones.
pub(crate) fn first_places(
    conn: &mut AnyConnection,
    user_id: i64,
    counts: &Counts,
) -> QueryResult<PerTable<i32>> {
    use crate::schema::{
        addresses, customizations, files, relationship_users, transactables, user_profiles,
    };
    macro_rules! after {
        ($table:ident, $count:expr) => {
            if $count == 0 {
                0
            } else {
                let rows = $table::table.filter($table::user_id.eq(user_id));
                let last: Option<i32> = rows.select(max($table::position)).first(conn)?;
                last.map_or(0, |last| last.saturating_add(1))
            }
        };
    }
    Ok(PerTable {
        profiles: after!(user_profiles, counts.profiles),
        transactables: after!(transactables, counts.transactables),
        relationship_users: after!(relationship_users, counts.relationship_users),
        customizations: after!(customizations, counts.customizations),
        addresses: after!(addresses, counts.addresses),
        files: after!(files, counts.files),
        ..PerTable::default()
    })
}

statement! {
    DeleteUser<'a> -> Uid:
    "DELETE FROM users WHERE id = " { id: &'a i64 as BigInt } " RETURNING uuid"
}

/// Deletes a user; the foreign keys take what hangs on it along.
fn delete(conn: &mut AnyConnection, id: i64) -> QueryResult<Outcome> {
    let delete = DeleteUser { id: &id };
    let gone: Vec<Uuid> = match conn {
        AnyConnection::Sqlite(conn) => delete.load(conn)?,
        AnyConnection::Postgres(conn) => delete.load(conn)?,
    };
    if gone.is_empty() {
        return Ok(Err(ChangeError::NotFound));
    }
    dialect::drop_claims(conn, &gone)?;
    once::forget_user(conn, id)?;
    Ok(Ok(id))
}
