//! Native routes: health, metrics, forms and the OpenAPI document.

pub(crate) mod forms;
pub(crate) mod health;
pub(crate) mod metrics;
mod metrics_text;
pub(crate) mod openapi;
