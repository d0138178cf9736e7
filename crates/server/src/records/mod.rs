//! Records by themselves, for contracts: there is no native route to them.

pub(crate) mod render;
