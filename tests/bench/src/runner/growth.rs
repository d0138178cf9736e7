//! Creates on a database that holds many users already, beside an empty one.

use std::time::Instant;

use super::database::{Database, Kind};
use super::measure::medians;
use super::table::{Table, ratio, shown};
use super::{Bench, Outcome, bodies, say};

const CONNECTIONS: u32 = 16;
/// Users that one transaction stores.
const CHUNK: u32 = 500_000;

pub(super) fn run(bench: &Bench) -> Outcome<String> {
    let head = [
        "database",
        "users before",
        "creates/s",
        "p50 ms",
        "p99 ms",
        "CPU µs each",
        "rate ÷ empty",
        "p99 ÷ empty",
    ];
    let title = format!("Growth: creates without a password, {CONNECTIONS} connections, Registrar");
    let mut table = Table::new(&title, &head);
    let template = bodies::valid();
    for kind in bench.kinds.iter().copied() {
        let begun = Instant::now();
        let large = bench.databases.fresh(kind)?;
        fill(&large, kind, bench.users)?;
        let seconds = begun.elapsed().as_secs();
        say(&format!("{}: {} users in {seconds} s", kind.name(), bench.users));
        let mut all = [const { Vec::new() }; 2];
        for _ in 0..bench.repeats {
            let empty = bench.databases.fresh(kind)?;
            for (database, figures) in [&empty, &large].into_iter().zip(&mut all) {
                database.settle()?;
                // Its token was made before, from the second time on: so it gets a new one.
                let token = bench.token(database)?;
                let server = bench.registrar(database, token, &bench.programs.forms)?;
                figures.push(bench.creates(&server, database, &template, CONNECTIONS)?);
                drop(server);
                database.execute("DELETE FROM api_tokens")?;
            }
        }
        let [empty, large] = all.map(|figures| medians(&figures));
        for (users, figures) in [(0, empty), (bench.users, large)] {
            table.row([
                kind.name().to_owned(),
                users.to_string(),
                shown(figures.rate),
                shown(figures.p50),
                shown(figures.p99),
                shown(figures.cpu),
                ratio(figures.rate, empty.rate),
                ratio(figures.p99, empty.p99),
            ]);
        }
    }
    Ok(table.to_string())
}

/// Stores users as Registrar does, with their profiles, listings and claims.
fn fill(database: &Database<'_>, kind: Kind, users: u32) -> Outcome<()> {
    let mut from = 1;
    while from <= users {
        let to = users.min(from.saturating_add(CHUNK - 1));
        database.execute(&match kind {
            Kind::Sqlite => sqlite(from, to),
            Kind::Postgres => postgres(from, to),
        })?;
        from = to + 1;
    }
    match kind {
        Kind::Sqlite => database.execute(&format!(
            "UPDATE counters SET users = {users}, user_profiles = {users}, \
             transactables = 2 * {users}; ANALYZE"
        )),
        Kind::Postgres => {
            database.execute(&format!(
                "SELECT setval('users_id_seq', {users}), setval('user_profiles_id_seq', {users}), \
                 setval('transactables_id_seq', 2 * {users}::bigint)"
            ))?;
            database.execute("VACUUM (ANALYZE)")
        }
    }
}

/// The rows of users, in terms of `n` (the user's number), `k` (its name, in no order), `u` (its
/// uuid) and the moment.
fn rows(source: &str, yes: &str, no: &str, now: &str) -> String {
    const PROFILE: &str =
        r#"'{"commission":12.5,"response_hours":12,"shop_name":"Shop ' || k || '"}'"#;
    const BOAT: &str = r#"'{"berths":4,"length_m":9.5,"price_per_day":120.5,"registration":"'"#;
    let json = if yes == "true" { "::jsonb" } else { "" };
    let boat = |position: u32| {
        format!(
            "INSERT INTO transactables (id, user_id, position, type_name, name, currency, enabled, \
             properties) SELECT 2 * n - 1 + {position}, n, {position}, 'boat', 'Skiff of Ann', \
             'EUR', {yes}, ({BOAT} || k || '-{position}\"}}'){json} FROM {source};\n"
        )
    };
    // A claim goes in in the order of its key, as it would be where it was not random.
    let claim = |scope: &str, key: &str| {
        format!(
            "INSERT INTO unique_claims (scope, value_key, owner) SELECT '{scope}', {key}, u \
             FROM {source} ORDER BY k;\n"
        )
    };
    [
        format!(
            "INSERT INTO users (id, uuid, email, email_key, first_name, last_name, featured, \
             public_profile, form_name, form_version, created_at, updated_at) SELECT n, u, \
             'ann.' || k || '@example.com', 'ann.' || k || '@example.com', 'Ann', 'Lee', {no}, \
             {yes}, 'marketplace_seller', 'loaded', {now}, {now} FROM {source};\n"
        ),
        format!(
            "INSERT INTO user_profiles (id, user_id, position, type_name, enabled, properties) \
             SELECT n, n, 0, 'seller', {yes}, ({PROFILE}){json} FROM {source};\n"
        ),
        boat(0),
        boat(1),
        claim("user.email", "'ann.' || k || '@example.com'"),
        claim("user.profiles.seller.properties.shop_name", "'Shop ' || k"),
        claim("user.transactables.boat.properties.registration", "upper(k) || '-1'"),
        claim("user.transactables.boat.properties.registration", "upper(k) || '-2'"),
    ]
    .concat()
}

fn sqlite(from: u32, to: u32) -> String {
    let rows = rows("bulk", "1", "0", "1767225600000000");
    format!(
        "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA temp_store = MEMORY; \
         BEGIN IMMEDIATE; \
         CREATE TEMP TABLE bulk AS WITH RECURSIVE numbers (n) AS \
         (SELECT {from} UNION ALL SELECT n + 1 FROM numbers WHERE n < {to}) \
         SELECT n, printf('%08x', (n * 2654435761) & 4294967295) || 'bulk' AS k, \
         randomblob(16) AS u FROM numbers;\n{rows}DROP TABLE bulk; COMMIT"
    )
}

fn postgres(from: u32, to: u32) -> String {
    let rows = rows("bulk", "true", "false", "now()");
    format!(
        "BEGIN; SET LOCAL synchronous_commit = off; \
         CREATE TEMP TABLE bulk ON COMMIT DROP AS SELECT n, \
         lpad(to_hex((n * 2654435761) & 4294967295), 8, '0') || 'bulk' AS k, \
         gen_random_uuid() AS u FROM generate_series({from}::bigint, {to}::bigint) AS n;\n\
         {rows}COMMIT"
    )
}
