//! Merges configuration trees and edits their keys.

use crate::config::{Data, Entry, FileId, Node, ProblemCode, Reader};

/// Merges `overlay` into `base`: mappings merge key by key, everything else is replaced, `!remove`
/// deletes, and a key without a value keeps the value in `base`.
pub(crate) fn merge_over(base: &mut Node, overlay: Node, reader: &mut Reader<'_>) {
    let Node { location, data } = overlay;
    match (&mut base.data, data) {
        (_, Data::Null) => {}
        (Data::Map(below), Data::Map(entries)) => {
            for entry in entries {
                merge_entry(below, entry, reader);
            }
        }
        (base_data @ Data::Null, data @ Data::Map(_)) => {
            base.location = location;
            *base_data = data;
        }
        (base_data, data) => {
            base.location = location;
            *base_data = data;
        }
    }
}

fn merge_entry(below: &mut Vec<Entry>, entry: Entry, reader: &mut Reader<'_>) {
    let at = below.iter().position(|other| other.key == entry.key);
    match (at, &entry.value.data) {
        (Some(at), Data::Removed) => {
            below.remove(at);
        }
        (None, Data::Removed) => {
            let known: Vec<&str> = below.iter().map(|other| other.key.as_str()).collect();
            let (code, within) = (ProblemCode::UnknownKey, "the mapping that `!remove` applies to");
            reader.unknown(code, "key", &entry.key, entry.location, within, &known);
        }
        (Some(at), _) => {
            // The location is that of the overriding file, even if it only adds to a mapping.
            if !matches!(entry.value.data, Data::Null) {
                below[at].location = entry.location;
            }
            merge_over(&mut below[at].value, entry.value, reader);
        }
        (None, _) => below.push(entry),
    }
}

/// Removes keys from a mapping.
pub(super) fn remove_keys(tree: &mut Node, keys: &[&str]) {
    if let Data::Map(entries) = &mut tree.data {
        entries.retain(|entry| !keys.contains(&entry.key.as_str()));
    }
}

/// Removes a key from a mapping and returns its entry, or `None` if there is none.
pub(super) fn remove_key(tree: &mut Node, key: &str) -> Option<Entry> {
    let Data::Map(entries) = &mut tree.data else { return None };
    let at = entries.iter().position(|entry| entry.key == key)?;
    Some(entries.remove(at))
}

/// Renames a key, unless the new name exists.
pub(super) fn rename(tree: &mut Node, from: &str, to: &str) {
    if tree.get(to).is_none()
        && let Data::Map(entries) = &mut tree.data
        && let Some(entry) = entries.iter_mut().find(|entry| entry.key == from)
    {
        to.clone_into(&mut entry.key);
    }
}

/// Sets the file of all locations in a tree.
pub(super) fn set_file(node: &mut Node, file: FileId) {
    node.location.file = file;
    match &mut node.data {
        Data::List(items) => items.iter_mut().for_each(|item| set_file(item, file)),
        Data::Map(entries) => entries.iter_mut().for_each(|entry| {
            entry.location.file = file;
            set_file(&mut entry.value, file);
        }),
        _ => {}
    }
}

/// Reports and removes every remaining `!remove`, which has nothing to remove.
pub(crate) fn report_removals(node: &mut Node, reader: &mut Reader<'_>) {
    match &mut node.data {
        Data::List(items) => items.iter_mut().for_each(|item| report_removals(item, reader)),
        Data::Map(entries) => {
            // With `use:`, the definition may contain the key that is removed.
            let has_use = entries.iter().any(|entry| entry.key == "use");
            entries.retain_mut(|entry| {
                if matches!(entry.value.data, Data::Removed) && !has_use {
                    reader.problems.add(
                        ProblemCode::UnknownKey,
                        entry.location,
                        format!("`{}: !remove` removes nothing", entry.key),
                        "a key of the form that is extended, or of the definition that is used",
                        None,
                    );
                    return false;
                }
                report_removals(&mut entry.value, reader);
                true
            });
        }
        _ => {}
    }
}
