//! Problems and notices of a configuration.

use registrar_core::config::Problem;

/// Severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Information; the check does not fail.
    Note,
    /// A problem; the check fails.
    Error,
}

/// A problem or notice with its severity.
pub(crate) type Finding = (Severity, Problem);
