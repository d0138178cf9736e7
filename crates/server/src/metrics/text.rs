//! Prometheus' text format, version 0.0.4.
//! Source: prometheus.io/docs/instrumenting/exposition_formats.

use std::fmt::{Display, Write as _};

use registrar_store::HistogramSnapshot;

/// A page of metrics, being written. Writing to a `String` cannot fail.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

/// What names one sample of a metric.
pub(crate) type Labels<'l> = &'l [(&'static str, &'l str)];

/// What the values of a histogram are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Microseconds, to be told in seconds.
    Seconds,
    /// Just numbers.
    One,
}

impl Page {
    /// Begins a metric: `counter`, `gauge` or `histogram`. Its samples follow.
    pub(crate) fn metric(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A sample.
    pub(crate) fn sample(&mut self, name: &str, labels: Labels<'_>, value: impl Display) {
        self.0.push_str(name);
        self.labels(labels, None);
        let _ = writeln!(self.0, " {value}");
    }

    /// A metric with a single sample and no labels.
    pub(crate) fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.metric(name, kind, help);
        self.sample(name, &[], value);
    }

    /// The samples of a histogram.
    pub(crate) fn histogram(
        &mut self,
        name: &str,
        labels: Labels<'_>,
        of: &HistogramSnapshot,
        unit: Unit,
    ) {
        let mut so_far = 0;
        let bounds = of.bounds.iter().map(|bound| in_unit(*bound, unit));
        for (count, bound) in of.counts.iter().zip(bounds.chain(["+Inf".to_owned()])) {
            so_far += count;
            let _ = write!(self.0, "{name}_bucket");
            self.labels(labels, Some(&bound));
            let _ = writeln!(self.0, " {so_far}");
        }
        self.sample(&format!("{name}_sum"), labels, in_unit(of.sum, unit));
        self.sample(&format!("{name}_count"), labels, so_far);
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
            for letter in value.chars() {
                match letter {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    letter => self.0.push(letter),
                }
            }
            self.0.push('"');
            before = ',';
        }
        self.0.push('}');
    }

    /// The whole page.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// A number, or microseconds as seconds with no more digits than they need.
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
    fn what_is_in_a_label_stays_in_it() {
        let mut page = Page::default();
        page.sample("m", &[("form", "a\"b\\c\nd"), ("code", "")], 1);
        assert_eq!(page.into_text(), "m{form=\"a\\\"b\\\\c\\nd\",code=\"\"} 1\n");
    }

    #[test]
    fn a_histogram_is_told_from_below_and_in_seconds() {
        let counted =
            HistogramSnapshot { bounds: &[250, 2_500_000], counts: vec![1, 0, 2], sum: 12_000_050 };
        let mut page = Page::default();
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
