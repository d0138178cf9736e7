//! Prometheus' text format, version 0.0.4.
//! Source: prometheus.io/docs/instrumenting/exposition_formats.

use std::fmt::{Display, Write as _};

use registrar_store::HistogramSnapshot;

/// A page in the text format. Writing to a `String` cannot fail.
#[derive(Debug, Default)]
pub(crate) struct MetricsPage(String);

/// Names and values of the labels of a sample.
pub(crate) type Labels<'l> = &'l [(&'static str, &'l str)];

/// Unit of the values of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Microseconds, written as seconds.
    Seconds,
    /// Plain numbers.
    One,
}

impl MetricsPage {
    /// Starts a metric of type `counter`, `gauge` or `histogram`. Its samples follow.
    pub(crate) fn metric(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Adds a sample.
    pub(crate) fn sample(&mut self, name: &str, labels: Labels<'_>, value: impl Display) {
        self.0.push_str(name);
        self.labels(labels, None);
        let _ = writeln!(self.0, " {value}");
    }

    /// Adds a metric with one sample without labels.
    pub(crate) fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.metric(name, kind, help);
        self.sample(name, &[], value);
    }

    /// Adds the samples of a histogram.
    pub(crate) fn histogram(
        &mut self,
        name: &str,
        labels: Labels<'_>,
        counted: &HistogramSnapshot,
        unit: Unit,
    ) {
        let mut cumulative = 0;
        let bounds = counted.bounds.iter().map(|bound| in_unit(*bound, unit));
        for (count, bound) in counted.counts.iter().zip(bounds.chain(["+Inf".to_owned()])) {
            cumulative += count;
            let _ = write!(self.0, "{name}_bucket");
            self.labels(labels, Some(&bound));
            let _ = writeln!(self.0, " {cumulative}");
        }
        self.sample(&format!("{name}_sum"), labels, in_unit(counted.sum, unit));
        self.sample(&format!("{name}_count"), labels, cumulative);
    }

    fn labels(&mut self, labels: Labels<'_>, bound: Option<&str>) {
        let bound = bound.map(|bound| ("le", bound));
        let mut all = labels.iter().copied().chain(bound).peekable();
        if all.peek().is_none() {
            return;
        }
        let mut before = '{';
        for (name, value) in all {
            let _ = write!(self.0, "{before}{name}=\"");
            for char in value.chars() {
                match char {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    char => self.0.push(char),
                }
            }
            self.0.push('"');
            before = ',';
        }
        self.0.push('}');
    }

    /// Returns the page.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// Formats a number, or microseconds as seconds without trailing zeros.
fn in_unit(value: u64, unit: Unit) -> String {
    if unit == Unit::One {
        return value.to_string();
    }
    let text = format!("{}.{:06}", value / 1_000_000, value % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_values_are_escaped() {
        let mut page = MetricsPage::default();
        page.sample("m", &[("form", "a\"b\\c\nd"), ("code", "")], 1);
        assert_eq!(page.into_text(), "m{form=\"a\\\"b\\\\c\\nd\",code=\"\"} 1\n");
    }

    #[test]
    fn histogram_is_cumulative_and_in_seconds() {
        let counted =
            HistogramSnapshot { bounds: &[250, 2_500_000], counts: vec![1, 0, 2], sum: 12_000_050 };
        let mut page = MetricsPage::default();
        page.histogram("t_seconds", &[("route", "/")], &counted, Unit::Seconds);
        page.histogram("n", &[], &HistogramSnapshot { sum: 10, ..counted }, Unit::One);
        assert_eq!(
            page.into_text(),
            "t_seconds_bucket{route=\"/\",le=\"0.00025\"} 1\n\
             t_seconds_bucket{route=\"/\",le=\"2.5\"} 1\n\
             t_seconds_bucket{route=\"/\",le=\"+Inf\"} 3\n\
             t_seconds_sum{route=\"/\"} 12.00005\nt_seconds_count{route=\"/\"} 3\n\
             n_bucket{le=\"250\"} 1\nn_bucket{le=\"2500000\"} 1\nn_bucket{le=\"+Inf\"} 3\n\
             n_sum 10\nn_count 3\n"
        );
    }
}
