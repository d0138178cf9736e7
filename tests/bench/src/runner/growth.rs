//! Benchmark of creates on a database with many users, against an empty one.

use std::time::Instant;

use super::database::{Database, Kind};
use super::measure::medians;
use super::table::{Table, format_number, ratio};
use super::{Bench, Outcome, bodies, print_progress};

const CONNECTIONS: u32 = 16;

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
        let mut databases = vec![(0, None)];
        for users in bench.users.iter().copied() {
            let started = Instant::now();
            let large = bench.databases.fresh(kind)?;
            fill(&large, kind, users)?;
            let seconds = started.elapsed().as_secs();
            print_progress(&format!("{}: {users} users in {seconds} s", kind.name()));
            databases.push((users, Some(large)));
        }
        let mut all = vec![Vec::new(); databases.len()];
        for _ in 0..bench.repeats {
            for ((_, large), figures) in databases.iter().zip(&mut all) {
                let empty = if large.is_none() { Some(bench.databases.fresh(kind)?) } else { None };
                let Some(database) = large.as_ref().or(empty.as_ref()) else { continue };
                database.checkpoint()?;
                // The first start created a token already, so each run needs a new one.
                let token = bench.token(database)?;
                let server = bench.registrar(database, token, &bench.programs.forms)?;
                figures.push(bench.creates(&server, database, &template, CONNECTIONS)?);
                drop(server);
                database.execute("DELETE FROM api_tokens")?;
            }
        }
        let empty = medians(&all[0]);
        for ((users, _), figures) in databases.iter().zip(&all) {
            let figures = medians(figures);
            table.row([
                kind.name().to_owned(),
                users.to_string(),
                format_number(figures.rate),
                format_number(figures.p50),
                format_number(figures.p99),
                format_number(figures.cpu),
                ratio(figures.rate, empty.rate),
                ratio(figures.p99, empty.p99),
            ]);
        }
    }
    Ok(table.to_string())
}

/// Inserts users with their profiles, transactables and claims, as Registrar stores them.
fn fill(database: &Database<'_>, kind: Kind, users: u32) -> Outcome<()> {
    let both = 2 * u64::from(users);
    match kind {
        Kind::Sqlite => {
            let rows = rows(&SQLITE, users);
            database.execute(&format!(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; \
                 PRAGMA temp_store = MEMORY; PRAGMA ignore_check_constraints = ON; \
                 BEGIN IMMEDIATE; {rows} UPDATE counters SET users = {users}, \
                 user_profiles = {users}, transactables = {both}; COMMIT; \
                 PRAGMA analysis_limit = 1000; ANALYZE; PRAGMA journal_mode = WAL"
            ))
        }
        Kind::Postgres => {
            let rows = rows(&POSTGRES, users);
            database.execute(&format!(
                "BEGIN; SET LOCAL session_replication_role = replica; \
                 SET LOCAL synchronous_commit = off; SET LOCAL work_mem = '1GB'; \
                 SET LOCAL maintenance_work_mem = '2GB'; {rows} \
                 SELECT setval('users_id_seq', {users}), setval('user_profiles_id_seq', {users}), \
                 setval('transactables_id_seq', {both}); COMMIT"
            ))?;
            database.execute("VACUUM (ANALYZE)")
        }
    }
}

/// SQL that differs between the databases.
struct SqlDialect {
    yes: &'static str,
    no: &'static str,
    json: &'static str,
    now: &'static str,
    /// Prefix and suffix of a row source for the numbers `n` from 1 to a limit.
    numbers: (&'static str, &'static str),
    /// A scattered number below 2^32 for user `n`.
    scattered: &'static str,
    /// Hexadecimal representation of such a number `h`.
    hex: &'static str,
    /// The uuid of user `n`, increasing with `n`.
    uuid: &'static str,
}

const SQLITE: SqlDialect = SqlDialect {
    yes: "1",
    no: "0",
    json: "",
    now: "1767225600000000",
    numbers: (
        "(WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ",
        ") SELECT n FROM numbers)",
    ),
    scattered: "(n * 2654435761) & 4294967295",
    hex: "printf('%08x', h)",
    uuid: "unhex(printf('%012x7%03x8%015x', 1767225600000 + n / 8, n % 8, n))",
};

const POSTGRES: SqlDialect = SqlDialect {
    yes: "true",
    no: "false",
    json: "::jsonb",
    now: "now()",
    numbers: ("generate_series(1::bigint, ", ") AS n"),
    scattered: "(n * 2654435761) & 4294967295",
    hex: "lpad(to_hex(h), 8, '0')",
    uuid: "(lpad(to_hex(1767225600000 + n / 8), 12, '0') || '700' || n % 8 || '8' || \
           lpad(to_hex(n), 15, '0'))::uuid",
};

/// Returns the statements that insert the rows of users, each table in its fastest order.
fn rows(spelling: &SqlDialect, users: u32) -> String {
    const PROFILE: &str =
        r#"'{"commission":12.5,"response_hours":12,"shop_name":"Shop ' || k || '"}'"#;
    const BOAT: &str = r#"'{"berths":4,"length_m":9.5,"price_per_day":120.5,"registration":"'"#;
    let SqlDialect { yes, no, json, now, numbers, scattered, hex, uuid } = spelling;
    let numbers = |to: u64| format!("{}{to}{}", numbers.0, numbers.1);
    let named = |from: &str| {
        let inner = format!("SELECT n, place, {scattered} AS h FROM {from}");
        format!("(SELECT n, place, {hex} || 'bulk' AS k FROM ({inner}) AS scattered) AS named")
    };
    let users = u64::from(users);
    let each = named(&format!("(SELECT n, 0 AS place FROM {}) AS each", numbers(users)));
    let boats = numbers(2 * users);
    let boats = format!("(SELECT (n + 1) / 2 AS n, (n + 1) % 2 AS place FROM {boats}) AS boats");
    // Inserting in two parts splits index pages, as random insertion order does.
    let claims = |part: &str| {
        let claim = |scope: &str, key: &str, which: &str| {
            format!(
                "INSERT INTO unique_claims (scope, value_key, owner) SELECT 'user.{scope}', {key}, \
                 {uuid} FROM (SELECT n, place, {hex} || 'bulk' AS k FROM keys WHERE {which} \
                 AND {part}) AS named;\n"
            )
        };
        [
            claim("email", "'ann.' || k || '@example.com'", "place = 0"),
            claim("profiles.seller.properties.shop_name", "'Shop ' || k", "place = 0"),
            claim(
                "transactables.boat.properties.registration",
                "upper(k) || '-' || (place + 1)",
                "true",
            ),
        ]
        .concat()
    };
    [
        format!(
            "INSERT INTO users (id, uuid, email, first_name, last_name, featured, public_profile, \
             form_name, form_version, created_at, updated_at) SELECT n, {uuid}, \
             'ann.' || k || '@example.com', 'Ann', 'Lee', {no}, {yes}, 'marketplace_seller', \
             'loaded', {now}, {now} FROM {each};\n\
             INSERT INTO user_profiles (id, user_id, position, type_name, enabled, properties) \
             SELECT n, n, 0, 'seller', {yes}, ({PROFILE}){json} FROM {each};\n\
             INSERT INTO transactables (id, user_id, position, type_name, name, currency, enabled, \
             properties) SELECT 2 * n - 1 + place, n, place, 'boat', 'Skiff of Ann', 'EUR', {yes}, \
             ({BOAT} || k || '-' || (place + 1) || '\"}}'){json} FROM {};\n\
             DROP INDEX unique_claims_owner;\n\
             CREATE TEMP TABLE keys AS SELECT n, place, {scattered} AS h FROM {boats} \
             ORDER BY h, place;\n",
            named(&boats)
        ),
        claims("n % 10 < 7"),
        claims("n % 10 >= 7"),
        "DROP TABLE keys; CREATE INDEX unique_claims_owner ON unique_claims (owner, record_kind, record_id);\n".to_owned(),
    ]
    .concat()
}
