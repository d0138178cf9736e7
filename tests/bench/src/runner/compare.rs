//! Benchmark of creates without a password: Registrar against the handwritten server.

use super::server::ServerKind;
use super::table::{Table, format_number, ratio};
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
            let measured = bench.measure_interleaved(kind, &template, connections)?;
            let [_, group, each] = measured;
            for (who, figures) in ServerKind::ALL.into_iter().zip(measured) {
                table.row([
                    kind.name().to_owned(),
                    connections.to_string(),
                    who.name().to_owned(),
                    format_number(figures.rate),
                    format_number(figures.p50),
                    format_number(figures.p99),
                    format_number(figures.cpu),
                    format_number(figures.cpu_of_database),
                    format_number(figures.peak),
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
