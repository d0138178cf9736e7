//! A budget for every request: what it may take of memory and time while it arrives, while it is
//! judged, stored and answered. `generated.rs` measures everything there is against it; the others
//! keep single attacks.

mod arriving;
mod generated;
mod inputs;
mod judged;
mod stored;
