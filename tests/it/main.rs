//! The running program, seen from outside: real processes, real sockets, backends that keep every byte.

#[path = "../support/mod.rs"]
mod support;
