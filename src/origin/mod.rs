//! Whose law: the caller, the jurisdictions of a record, where an address stands.
