//! The nouns of the domain: parse, print, compare. No IO, no clock, no rule of law.

pub mod basis;
pub mod data;
pub mod decision;
pub mod evidence;
pub mod facts;
pub mod name;
pub mod place;

pub use basis::{Assessment, Bases, Consent, Exemption, Instrument};
pub use data::{AgeBand, Category, Form, OpaqueReason};
pub use decision::{Action, Decision, Missing, Outcome, Technique};
pub use evidence::Head;
pub use facts::{Direction, Facts, RecordFacts};
pub use name::{ApiId, BasisId, DecisionId, EntryId, Namespace, NodeId, PolicyId, Purpose, RecipientId, RegimeId, RuleId, SubjectRef};
pub use place::{Jurisdiction, Places, Region, Regions};
