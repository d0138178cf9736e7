//! The error of a contract's expressions and responses.

use registrar_core::eval_error::EvalError;

/// Why a request could not be mapped to a form, or a response not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// An expression of the contract failed.
    #[error(transparent)]
    Expression(#[from] EvalError),
    /// A value cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The contract has no answer for an outcome of this name.
    #[error("the contract has no answer `{0}`")]
    MissingAnswer(&'static str),
}
