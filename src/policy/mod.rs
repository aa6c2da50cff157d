//! Rules to verdicts: a decision is a pure function of facts and policy that explains itself.
