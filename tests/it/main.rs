//! The running program, seen from outside: real processes, real sockets, backends that keep every byte.

#[path = "../accuracy/mod.rs"]
mod accuracy;
#[path = "../support/mod.rs"]
mod support;

mod admin;
mod demo;
mod http_rules;
mod stage;
mod tidy;
mod upstreams;
