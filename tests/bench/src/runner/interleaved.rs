//! Interleaved measurement of several servers: A B C A B C.

use super::database::Kind;
use super::measure::{Measurement, medians};
use super::server::ServerKind;
use super::table::format_number;
use super::{Bench, Outcome, print_progress};

impl Bench {
    /// Returns the medians of creates by server. Every run has a fresh database and a fresh server.
    pub(super) fn measure_interleaved(
        &self,
        kind: Kind,
        template: &str,
        connections: u32,
    ) -> Outcome<[Measurement; 3]> {
        let mut all = [const { Vec::new() }; 3];
        for _ in 0..self.repeats {
            for (who, figures) in ServerKind::ALL.into_iter().zip(&mut all) {
                let database = self.databases.fresh(kind)?;
                let server = self.start(who, &database)?;
                let measured = self
                    .creates(&server, &database, template, connections)
                    .map_err(|error| format!("{} on {}: {error}", who.name(), kind.name()))?;
                let rate = format_number(measured.rate);
                print_progress(&format!(
                    "{} × {connections}, {}: {rate}/s",
                    kind.name(),
                    who.name()
                ));
                figures.push(measured);
            }
        }
        Ok(all.map(|figures| medians(&figures)))
    }
}
