//! Strict parser of `/metrics`: Prometheus' text format 0.0.4 and its naming conventions.

use std::collections::BTreeMap;

use crate::client::AnonymousClient;

/// Label values by label name.
type Labels = BTreeMap<String, String>;

/// All samples of one scrape.
#[derive(Debug)]
pub struct Metrics {
    /// The response body.
    pub text: String,
    samples: BTreeMap<(String, Labels), f64>,
}

impl Metrics {
    /// Scrapes a server.
    ///
    /// # Panics
    /// Panics if the response violates the format.
    #[must_use]
    #[track_caller]
    pub fn of(client: &AnonymousClient) -> Self {
        let response = client.get("/metrics");
        let label = "text/plain; version=0.0.4; charset=utf-8";
        assert_eq!(response.is(200).header("content-type"), Some(label));
        Self::read(&response.text)
    }

    /// Parses a scrape.
    ///
    /// # Panics
    /// Panics if the text violates the format.
    #[must_use]
    #[track_caller]
    pub fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line is not terminated");
        let (mut samples, mut kinds) = (BTreeMap::new(), BTreeMap::new());
        let (mut current, mut helped) = (String::new(), String::new());
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                helped = help.split_once(' ').unwrap().0.to_owned();
                continue;
            }
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!(helped, name, "HELP precedes TYPE");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                assert!(name.starts_with("registrar_"), "{line}");
                assert_eq!(
                    kinds.insert(name.to_owned(), kind.to_owned()),
                    None,
                    "{line}: duplicate"
                );
                name.clone_into(&mut current);
                continue;
            }
            let (name, labels, value) = sample(line);
            let ends: &[&str] = match kinds[&current].as_str() {
                "histogram" => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            let end = name.strip_prefix(current.as_str());
            assert!(
                end.is_some_and(|end| ends.contains(&end)),
                "{line} does not belong to {current}"
            );
            assert_eq!(end == Some("_bucket"), labels.contains_key("le"), "{line}");
            let value: f64 = value.parse().unwrap();
            assert!(value.is_finite() && value >= 0.0, "{line}");
            assert_eq!(samples.insert((name, labels), value), None, "{line}: duplicate");
        }
        let read = Self { text: text.to_owned(), samples };
        for (name, _) in kinds.iter().filter(|(_, kind)| *kind == "histogram") {
            read.check_histogram(name);
        }
        read
    }

    fn check_histogram(&self, name: &str) {
        let (mut of, bucket) =
            (BTreeMap::<Labels, Vec<(f64, f64)>>::new(), format!("{name}_bucket"));
        for ((_, labels), count) in self.samples.iter().filter(|((known, _), _)| *known == bucket) {
            let mut labels = labels.clone();
            let bound: f64 = labels.remove("le").unwrap().replace("+Inf", "inf").parse().unwrap();
            of.entry(labels).or_default().push((bound, *count));
        }
        for (labels, mut buckets) in of {
            buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
            assert!(buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{name}: {buckets:?}");
            let (bound, all) = buckets[buckets.len() - 1];
            assert!(bound.is_infinite(), "{name}: {buckets:?}");
            assert_eq!(
                self.samples[&(format!("{name}_count"), labels.clone())].to_bits(),
                all.to_bits()
            );
            assert!(self.samples.contains_key(&(format!("{name}_sum"), labels)), "{name}");
        }
    }

    /// Returns the sample with exactly these labels, or `None` if there is none.
    #[must_use]
    pub fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        self.samples.get(&(name.to_owned(), labels.collect())).copied()
    }

    /// Returns the sample with exactly these labels.
    ///
    /// # Panics
    /// Panics if there is none.
    #[must_use]
    #[track_caller]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let found = self.find(name, labels);
        found.unwrap_or_else(|| panic!("no sample {name} {labels:?}: {}", self.text))
    }

    /// Returns all samples of a metric, with label values in the order of label names.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<(Vec<&str>, f64)> {
        let of = self.samples.iter().filter(|((known, _), _)| known == name);
        of.map(|((_, labels), value)| (labels.values().map(String::as_str).collect(), *value))
            .collect()
    }
}

/// Parses `name{label="value",…} value`.
fn sample(line: &str) -> (String, Labels, &str) {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no sample: {line}"));
    let (name, mut rest) = line.split_at(end);
    assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, behind) = rest.split_once("=\"").unwrap();
            assert!(label.bytes().all(|byte| byte.is_ascii_lowercase()), "{line}");
            let (text, behind) = quoted(behind);
            assert_eq!(labels.insert(label.to_owned(), text), None, "{line}: duplicate label");
            match behind.strip_prefix(',') {
                Some(more) => rest = more,
                None => {
                    rest = behind.strip_prefix('}').unwrap();
                    break;
                }
            }
        }
    }
    (name.to_owned(), labels, rest.strip_prefix(' ').unwrap())
}

/// Returns the unescaped text up to the closing quote, and the rest of the line.
fn quoted(text: &str) -> (String, &str) {
    let (mut read, mut characters) = (String::new(), text.char_indices());
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (read, &text[at + 1..]),
            '\\' => read.push(match characters.next().unwrap().1 {
                'n' => '\n',
                other @ ('\\' | '"') => other,
                other => panic!("`\\{other}` in {text}"),
            }),
            character => read.push(character),
        }
    }
    panic!("no closing quote: {text}")
}
