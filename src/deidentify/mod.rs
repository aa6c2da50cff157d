//! Findings to edits: drop, mask, generalise, pseudonym, token and back.
