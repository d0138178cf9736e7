//! The HTTP face of Registrar.
