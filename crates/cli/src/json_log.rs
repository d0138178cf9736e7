//! Log lines as JSON: one object per line with `time`, `level`, `target`, `message` and the fields of the
//! record, such as those of a request.

use std::io::{self, Write as _};

use env_logger::fmt::Formatter;
use log::Record;
use log::kv::{Error, Key, Value, VisitSource};
use serde::Serializer as _;
use serde::ser::SerializeMap;

/// Writes a record as a line.
pub(crate) fn write(output: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let time = output.timestamp_millis().to_string();
    let line = line(&time, record)?;
    output.write_all(&line)
}

fn line(time: &str, record: &Record<'_>) -> io::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::new(&mut line);
    let mut object = serializer.serialize_map(None)?;
    object.serialize_entry("time", time)?;
    object.serialize_entry("level", record.level().as_str())?;
    object.serialize_entry("target", record.target())?;
    object.serialize_entry("message", record.args())?;
    record.key_values().visit(&mut Fields(&mut object)).map_err(io::Error::other)?;
    object.end()?;
    line.push(b'\n');
    Ok(line)
}

/// Adds the fields of a record to an object.
struct Fields<'o, M>(&'o mut M);

impl<'r, M: SerializeMap> VisitSource<'r> for Fields<'_, M> {
    fn visit_pair(&mut self, key: Key<'r>, value: Value<'r>) -> Result<(), Error> {
        let (object, name) = (&mut self.0, key.as_str());
        let written = if let Some(number) = value.to_u64() {
            object.serialize_entry(name, &number)
        } else if let Some(number) = value.to_f64() {
            object.serialize_entry(name, &number)
        } else {
            object.serialize_entry(name, &format_args!("{value}"))
        };
        written.map_err(|_| Error::msg("the field cannot be written"))
    }
}

#[cfg(test)]
mod tests {
    use log::Level;

    use super::*;

    #[test]
    fn record_is_one_line_of_json_with_its_fields() {
        let fields = [("status", Value::from(201_u16)), ("route", Value::from("/a\"b"))];
        let record = Record::builder()
            .level(Level::Info)
            .target("registrar")
            .args(format_args!("two\nlines"))
            .key_values(&fields)
            .build();
        let line = String::from_utf8(line("2026-11-30T12:00:00.000Z", &record).unwrap()).unwrap();
        assert_eq!(
            line,
            "{\"time\":\"2026-11-30T12:00:00.000Z\",\"level\":\"INFO\",\"target\":\"registrar\",\
             \"message\":\"two\\nlines\",\"status\":201,\"route\":\"/a\\\"b\"}\n"
        );
    }
}
