//! Everything one message reads: one immutable value, swapped whole on reload.
