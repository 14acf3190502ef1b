//! The engine with a toy recipe on a machine that only records. Needs no rights.

mod asking;
mod bench;
mod caching;
mod failing;
mod journals;
mod rooms;
mod toy;
