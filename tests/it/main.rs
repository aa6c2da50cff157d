//! The running program, seen from outside: real processes, real sockets, backends that keep every byte.

#[path = "../accuracy/mod.rs"]
mod accuracy;
#[path = "../support/mod.rs"]
mod support;

mod admin;
mod bodies;
mod border;
mod crash;
mod demo;
mod faults;
mod http_rules;
mod leaks;
mod passage;
mod seeds;
mod stage;
mod tidy;
mod upstreams;
