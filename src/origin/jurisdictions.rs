//! Whose law: the jurisdictions of a record, from the strongest evidence there is. Weaker evidence may make the set stricter, never looser.

use crate::model::{Direction, Jurisdiction};
use std::collections::BTreeSet;

/// What the registry says about the subject of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// A row, from the store or from the index under a valid lease.
    Row(BTreeSet<Jurisdiction>),
    /// No row, or nobody to look up.
    Unknown,
    /// It could not be asked. That is not the same as unknown.
    Unavailable,
}

/// All that speaks for a jurisdiction of one record.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    pub direction: Direction,
    /// The row of the record's subject.
    pub registered: Registered,
    /// Verified claims, or a trusted hop's word, about the record's subject.
    pub claimed: Option<Jurisdiction>,
    /// States that issued identifiers in the record.
    pub issued: BTreeSet<Jurisdiction>,
    /// Weak evidence in the record, such as a phone's country code.
    pub hints: BTreeSet<Jurisdiction>,
    /// Where the client's address is registered.
    pub located: Option<Jurisdiction>,
    /// Jurisdictions of the keys that made tokens of ours in the record.
    pub tokens: BTreeSet<Jurisdiction>,
    /// Where the backend that answered stands.
    pub backend: Option<Jurisdiction>,
    /// The record, or all of the message, could not be read.
    pub opaque: bool,
    /// The API's `speaks_of: caller`: its records speak of the caller.
    pub speaks_of_caller: bool,
    /// Whether it is verified who calls.
    pub caller_known: bool,
    /// The API's `people_of`, resolved.
    pub people_of: &'a BTreeSet<Jurisdiction>,
}

/// The set of a record; empty only if `people_of` is.
pub fn jurisdictions(evidence: &Evidence<'_>) -> BTreeSet<Jurisdiction> {
    let of_known_caller = evidence.speaks_of_caller && evidence.caller_known;
    if evidence.opaque && !of_known_caller {
        return evidence.people_of.clone();
    }
    let mut set = authoritative(evidence);
    let unavailable = set.is_empty() && evidence.registered == Registered::Unavailable;
    if unavailable {
        set.extend(evidence.people_of);
    }
    if !of_known_caller {
        set.extend(&evidence.issued);
    }
    let request = evidence.direction == Direction::Request;
    if request && unavailable {
        set.extend(evidence.hints.iter().chain(&evidence.located));
    }
    if !request {
        set.extend(&evidence.tokens);
    }
    if set.is_empty() && !evidence.opaque {
        set = if request { weak(evidence) } else { evidence.backend.into_iter().collect() };
    }
    // Nothing speaks: that is no reason to be lenient.
    if set.is_empty() { evidence.people_of.clone() } else { set }
}

/// The registry's row and verified claims unite.
fn authoritative(evidence: &Evidence<'_>) -> BTreeSet<Jurisdiction> {
    let mut set = match &evidence.registered {
        Registered::Row(row) => row.clone(),
        Registered::Unknown | Registered::Unavailable => BTreeSet::new(),
    };
    set.extend(evidence.claimed);
    set
}

/// What the content hints at; the client's address only where it hints at nothing.
fn weak(evidence: &Evidence<'_>) -> BTreeSet<Jurisdiction> {
    if evidence.hints.is_empty() { evidence.located.into_iter().collect() } else { evidence.hints.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(codes: &str) -> BTreeSet<Jurisdiction> {
        codes.split_whitespace().map(|code| code.parse().unwrap()).collect()
    }

    fn one(code: &str) -> Option<Jurisdiction> {
        code.parse().ok()
    }

    /// Nothing speaks; people of BR and IN.
    fn silent(direction: Direction, people_of: &BTreeSet<Jurisdiction>) -> Evidence<'_> {
        Evidence {
            direction,
            registered: Registered::Unknown,
            claimed: None,
            issued: BTreeSet::new(),
            hints: BTreeSet::new(),
            located: None,
            tokens: BTreeSet::new(),
            backend: None,
            opaque: false,
            speaks_of_caller: false,
            caller_known: false,
            people_of,
        }
    }

    fn check(direction: Direction, expected: &str, change: impl FnOnce(&mut Evidence<'_>)) {
        let people = set("BR IN");
        let mut evidence = silent(direction, &people);
        change(&mut evidence);
        assert_eq!(jurisdictions(&evidence), set(expected), "{evidence:?}");
    }

    use Direction::{Request, Response};

    #[test]
    fn the_registrys_row_and_verified_claims_unite_and_replace_weak_evidence() {
        check(Request, "CN DE", |e| {
            (e.registered, e.claimed) = (Registered::Row(set("CN")), one("DE"));
            (e.hints, e.located) = (set("US"), one("FR"));
        });
    }

    #[test]
    fn identifiers_that_a_state_issues_always_add_theirs() {
        check(Request, "CN DE", |e| (e.registered, e.issued) = (Registered::Row(set("DE")), set("CN")));
        check(Request, "CN", |e| (e.issued, e.hints, e.located) = (set("CN"), set("US"), one("FR")));
        check(Response, "CN", |e| (e.issued, e.backend) = (set("CN"), one("DE")));
    }

    #[test]
    fn identifiers_add_nothing_where_the_api_speaks_of_a_known_caller() {
        check(Request, "DE", |e| (e.claimed, e.issued, e.speaks_of_caller, e.caller_known) = (one("DE"), set("CN"), true, true));
        check(Request, "CN DE", |e| (e.claimed, e.issued, e.speaks_of_caller, e.caller_known) = (one("DE"), set("CN"), true, false));
        check(Request, "CN DE", |e| (e.claimed, e.issued, e.speaks_of_caller, e.caller_known) = (one("DE"), set("CN"), false, true));
    }

    #[test]
    fn weak_evidence_speaks_in_requests_where_nothing_above_does_and_the_address_last() {
        check(Request, "CN", |e| (e.hints, e.located) = (set("CN"), one("FR")));
        check(Request, "FR", |e| e.located = one("FR"));
    }

    #[test]
    fn in_a_response_neither_hints_nor_the_address_are_evidence() {
        check(Response, "DE", |e| (e.hints, e.located, e.backend) = (set("CN"), one("FR"), one("DE")));
        check(Response, "BR IN", |e| (e.hints, e.located) = (set("CN"), one("FR")));
    }

    #[test]
    fn the_backends_jurisdiction_joins_only_if_nothing_stronger_speaks() {
        check(Response, "DE", |e| e.backend = one("DE"));
        check(Response, "CN", |e| (e.registered, e.backend) = (Registered::Row(set("CN")), one("DE")));
        check(Response, "CN", |e| (e.claimed, e.backend) = (one("CN"), one("DE")));
        check(Response, "CN", |e| (e.tokens, e.backend) = (set("CN"), one("DE")));
    }

    #[test]
    fn an_opaque_body_takes_the_known_callers_set_or_that_of_all_people() {
        check(Request, "DE", |e| (e.opaque, e.claimed, e.speaks_of_caller, e.caller_known) = (true, one("DE"), true, true));
        check(Request, "BR IN", |e| (e.opaque, e.claimed, e.speaks_of_caller, e.caller_known) = (true, one("DE"), false, true));
        check(Request, "BR IN", |e| (e.opaque, e.located, e.hints) = (true, one("DE"), set("CN")));
        check(Request, "BR IN", |e| (e.opaque, e.located, e.speaks_of_caller, e.caller_known) = (true, one("DE"), true, true));
        check(Response, "BR IN", |e| (e.opaque, e.backend, e.speaks_of_caller, e.caller_known) = (true, one("DE"), true, true));
    }

    #[test]
    fn an_unavailable_registry_is_not_an_unknown_person() {
        check(Request, "DE", |e| (e.registered, e.claimed, e.hints) = (Registered::Unavailable, one("DE"), set("CN")));
        check(Request, "BR CN IN", |e| (e.registered, e.hints) = (Registered::Unavailable, set("CN")));
        check(Request, "BR FR IN", |e| (e.registered, e.located) = (Registered::Unavailable, one("FR")));
        check(Response, "BR IN", |e| (e.registered, e.hints, e.backend) = (Registered::Unavailable, set("CN"), one("DE")));
        check(Response, "BR IN US", |e| (e.registered, e.issued) = (Registered::Unavailable, set("US")));
    }

    #[test]
    fn where_nothing_speaks_all_people_are_meant() {
        check(Request, "BR IN", |_| {});
        check(Response, "BR IN", |_| {});
    }

    proptest! {
        /// Guesses never take a jurisdiction away that stronger evidence named, nor add to what it named while the registry answers.
        #[test]
        fn guesses_change_nothing_where_stronger_evidence_speaks(row in "[A-C]Z", hint in "[D-F]Z", at in "[G-I]Z", response: bool) {
            let people = set("BR");
            let mut evidence = silent(if response { Response } else { Request }, &people);
            evidence.registered = Registered::Row(set(&row));
            let before = jurisdictions(&evidence);
            (evidence.hints, evidence.located, evidence.backend) = (set(&hint), one(&at), one(&at));
            prop_assert_eq!(jurisdictions(&evidence), before);
        }
    }
}
