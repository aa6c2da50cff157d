//! Why a decision is what it is, as a tree for people.
