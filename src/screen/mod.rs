//! The three pure steps of every message, either way: inspect, decide, apply; and the proofs that they were taken.
//!
//! ```text
//! bytes -> inspect -> Inspected -> facts -> Facts -> policy::decide -> Decision -> apply -> Cleared -> Sealed -> the wire
//! ```
//!
//! A [`Cleared`] can only be made here, a [`Sealed`] only from a `Cleared`: with a receipt of the ledger, or because its decision says that it stays.
//! The call that sends takes a `Sealed`, so a skipped step does not compile.

mod apply;
mod facts;
mod headers;
mod inspect;
mod message;

pub use apply::{Denied, Workshop, apply};
pub use facts::{Carried, OnRecord, People, Situation, facts, people, set_apart_echoes};
pub use inspect::{Inspected, Named, Reading, Record, inspect};
pub use message::{Line, Message};

use crate::ledger::Receipt;
use crate::model::{Category, Decision, Direction, EntryId, OpaqueReason, Technique};
use http::StatusCode;

/// A message that screening let through, edited as its decision says.
#[derive(Debug)]
pub struct Cleared {
    message: Message,
    decision: Decision,
    edits: Edits,
    edited_fields: Vec<(Category, Technique)>,
}

/// How many records and fields an edit touched; told to the caller of an edited request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Edits {
    pub records: usize,
    pub fields: usize,
    pub restored: usize,
}

/// A message that may be sent: durable in the ledger, or staying at home.
#[derive(Debug)]
pub struct Sealed {
    cleared: Cleared,
}

impl Cleared {
    /// What was decided.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// What the edits touched.
    pub fn edits(&self) -> Edits {
        self.edits
    }

    /// Which fields were edited, and how.
    pub fn edited_fields(&self) -> &[(Category, Technique)] {
        &self.edited_fields
    }

    /// Whether it needs no receipt: the decision says that it stays, or that nothing personal is in it; either way that it need not be recorded.
    pub fn needs_no_receipt(&self) -> bool {
        !self.decision.recorded && (self.decision.stays || !self.message.streams)
    }

    /// Without a receipt, if it needs none.
    pub fn at_home(self) -> Option<Sealed> {
        self.needs_no_receipt().then_some(Sealed { cleared: self })
    }

    /// With the proof that its ledger entry is durable. A message of which only the beginning was read never crosses.
    pub fn seal(self, receipt: &Receipt, entry: &EntryId) -> Option<Sealed> {
        let whole = !self.message.streams || self.decision.stays;
        (whole && receipt.id() == entry).then_some(Sealed { cleared: self })
    }
}

impl Sealed {
    /// What may be sent, and where.
    pub fn into_parts(self) -> (Message, Decision) {
        (self.cleared.message, self.cleared.decision)
    }
}

/// What the wire says when an opaque message may not pass: the table «why opaque» of the documentation.
/// None: it passes, marked as not inspected.
pub fn opaque_status(reason: OpaqueReason, direction: Direction, stays: bool) -> Option<StatusCode> {
    use OpaqueReason as R;
    let status = match (direction, stays, reason) {
        (Direction::Request, _, R::Framing | R::DuplicateName | R::Utf8 | R::Syntax) => StatusCode::BAD_REQUEST,
        (Direction::Request, _, R::Depth | R::Members | R::Ratio) => StatusCode::PAYLOAD_TOO_LARGE,
        (Direction::Request, false, R::Size) => StatusCode::PAYLOAD_TOO_LARGE,
        (Direction::Request, false, R::Type | R::Encoding | R::Charset | R::Encrypted) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        (Direction::Response, _, R::Framing) | (Direction::Response, false, R::DuplicateName | R::Utf8 | R::Syntax) => StatusCode::BAD_GATEWAY,
        (_, false, _) => StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS,
        (_, true, _) => return None,
    };
    Some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the documentation, row by row: request stays, request crosses, response stays, response crosses; 0 = forwarded, marked.
    #[test]
    fn the_table_of_opaque_messages_holds_row_by_row() {
        let rows: &[(&[OpaqueReason], [u16; 4])] = &[
            (&[OpaqueReason::Framing], [400, 400, 502, 502]),
            (&[OpaqueReason::DuplicateName, OpaqueReason::Utf8, OpaqueReason::Syntax], [400, 400, 0, 502]),
            (&[OpaqueReason::Depth, OpaqueReason::Members, OpaqueReason::Ratio], [413, 413, 0, 451]),
            (&[OpaqueReason::Size], [0, 413, 0, 451]),
            (&[OpaqueReason::Type, OpaqueReason::Encoding, OpaqueReason::Charset, OpaqueReason::Encrypted], [0, 415, 0, 451]),
            (&[OpaqueReason::Detector], [0, 451, 0, 451]),
        ];
        let mut seen = 0;
        for (reasons, expected) in rows {
            for reason in *reasons {
                seen += 1;
                let got = [(Direction::Request, true), (Direction::Request, false), (Direction::Response, true), (Direction::Response, false)]
                    .map(|(direction, stays)| opaque_status(*reason, direction, stays).map_or(0, |s| s.as_u16()));
                assert_eq!(got, *expected, "{reason}");
            }
        }
        assert_eq!(seen, OpaqueReason::ALL.len());
    }
}
