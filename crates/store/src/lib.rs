//! The database of Registrar.
