-- Why: what happened is kept beside what was measured; a part of the past may live in the archive alone; and what a person
-- said about segments is checked like everything else.

-- One row for each episode and phase. Times are in microseconds since 1970, UTC; `until` is NULL while it lasts, and for
-- what has no duration. `meter` is 0 for what concerns all meters, `phase` 0 for what concerns no single one. Numbers are
-- mantissa and exponent.
CREATE TABLE event (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    meter               INTEGER NOT NULL,
    at                  INTEGER NOT NULL,
    until               INTEGER,
    kind                TEXT NOT NULL,
    severity            INTEGER NOT NULL,
    origin              INTEGER NOT NULL,
    phase               INTEGER NOT NULL,
    value               INTEGER,
    value_exponent      INTEGER,
    threshold           INTEGER,
    threshold_exponent  INTEGER,
    unit                TEXT,
    code                TEXT,
    description         TEXT NOT NULL,
    checksum            INTEGER NOT NULL,
    UNIQUE (meter, at, kind, phase, origin)
) STRICT;
CREATE INDEX event_at ON event (at);

-- Words of the descriptions, without accents and case; the text itself stays in `event`.
CREATE VIRTUAL TABLE event_words USING fts5 (
    description, content = 'event', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER event_added AFTER INSERT ON event BEGIN
    INSERT INTO event_words (rowid, description) VALUES (new.id, new.description);
END;
CREATE TRIGGER event_gone AFTER DELETE ON event BEGIN
    INSERT INTO event_words (event_words, rowid, description) VALUES ('delete', old.id, old.description);
END;

-- Before this time the readings of a meter were given to the archive and taken out of the store.
CREATE TABLE pruned (
    meter     INTEGER PRIMARY KEY REFERENCES meter (id),
    until     INTEGER NOT NULL,
    checksum  INTEGER NOT NULL
) STRICT;

-- The program puts in the checksums of the rows that are there.
ALTER TABLE correction ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
