-- Version 1 of the registry. Nothing here names a person: `digest` is keyed with a secret that is kept elsewhere.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE subjects (
    subject TEXT PRIMARY KEY,
    home TEXT,
    jurisdictions TEXT NOT NULL DEFAULT '[]',
    age_band TEXT NOT NULL DEFAULT 'unknown'
) STRICT, WITHOUT ROWID;

-- Erasing a person deletes these rows: the evidence stays, the person is gone. `key_id` leaves room for a second key while keys are rotated.
CREATE TABLE lookups (digest BLOB PRIMARY KEY, key_id INTEGER NOT NULL, subject TEXT NOT NULL REFERENCES subjects (subject)) STRICT, WITHOUT ROWID;
CREATE INDEX lookups_of_subject ON lookups (subject);

-- One id names one record whatever its kind, so the bases of a decision are unambiguous.
CREATE TABLE records (id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT, recipient TEXT, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX records_of_subject ON records (subject, kind) WHERE subject IS NOT NULL;
CREATE INDEX records_of_kind ON records (kind, id);

CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, change TEXT NOT NULL, id TEXT, subject TEXT, body TEXT NOT NULL) STRICT;
CREATE INDEX events_of_id ON events (id) WHERE id IS NOT NULL;
CREATE INDEX events_of_subject ON events (subject) WHERE subject IS NOT NULL;
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events BEGIN SELECT raise(ABORT, 'history is append-only'); END;
CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events BEGIN SELECT raise(ABORT, 'history is append-only'); END;
