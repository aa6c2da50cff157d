//! What people chose and signed: subjects, homes, consents, instruments, assessments, exemptions.
