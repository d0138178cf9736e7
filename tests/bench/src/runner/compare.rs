//! Creates without a password: Registrar beside the server written by hand.

use super::server::Who;
use super::table::{Table, ratio, shown};
use super::{Bench, Outcome, bodies};

pub(super) fn run(bench: &Bench) -> Outcome<String> {
    let head = [
        "database",
        "connections",
        "server",
        "creates/s",
        "p50 ms",
        "p99 ms",
        "CPU µs each",
        "of the database",
        "peak RSS MiB",
        "rate ÷ group",
        "p50 ÷ group",
        "CPU ÷ group",
        "rate ÷ each",
    ];
    let mut table = Table::new("Creates without a password", &head);
    let template = bodies::valid();
    for kind in bench.kinds.iter().copied() {
        for connections in bench.connections.iter().copied() {
            let measured = bench.contest(kind, &template, connections)?;
            let [_, group, each] = measured;
            for (who, figures) in Who::ALL.into_iter().zip(measured) {
                table.row([
                    kind.name().to_owned(),
                    connections.to_string(),
                    who.name().to_owned(),
                    shown(figures.rate),
                    shown(figures.p50),
                    shown(figures.p99),
                    shown(figures.cpu),
                    shown(figures.cpu_of_database),
                    shown(figures.peak),
                    ratio(figures.rate, group.rate),
                    ratio(figures.p50, group.p50),
                    ratio(figures.cpu, group.cpu),
                    ratio(figures.rate, each.rate),
                ]);
            }
        }
    }
    Ok(table.to_string())
}
