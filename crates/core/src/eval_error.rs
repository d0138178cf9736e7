//! The error of expressions.

use minijinja::{Error, ErrorKind};

/// Why an expression could not be evaluated. It contains no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// The expression failed on these values.
    #[error("{0}")]
    Failed(ErrorKind),
    /// The result is larger than the limit in bytes.
    #[error("the result is larger than {0} bytes")]
    ResultTooLarge(usize),
    /// The values computed for one submission exceed the limit in bytes.
    #[error("computed values have more than {0} bytes together")]
    ComputedTooLarge(usize),
}

impl From<Error> for EvalError {
    fn from(error: Error) -> Self {
        Self::Failed(error.kind())
    }
}
