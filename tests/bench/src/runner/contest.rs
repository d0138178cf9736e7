//! Measures several servers in turn, several times: A B C A B C.

use super::database::Kind;
use super::measure::{Figures, medians};
use super::server::Who;
use super::table::shown;
use super::{Bench, Outcome, say};

impl Bench {
    /// The medians of creates by each server, each time on a fresh database and a fresh server.
    pub(super) fn contest(
        &self,
        kind: Kind,
        template: &str,
        connections: u32,
    ) -> Outcome<[Figures; 3]> {
        let mut all = [const { Vec::new() }; 3];
        for _ in 0..self.repeats {
            for (who, figures) in Who::ALL.into_iter().zip(&mut all) {
                let database = self.databases.fresh(kind)?;
                let server = self.start(who, &database)?;
                let measured = self
                    .creates(&server, &database, template, connections)
                    .map_err(|error| format!("{} on {}: {error}", who.name(), kind.name()))?;
                let rate = shown(measured.rate);
                say(&format!("{} × {connections}, {}: {rate}/s", kind.name(), who.name()));
                figures.push(measured);
            }
        }
        Ok(all.map(|figures| medians(&figures)))
    }
}
