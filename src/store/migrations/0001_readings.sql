-- Why: the first store. One row for each reading and one for each of its registers, exactly as sent: an integer
-- mantissa, a power of ten and the unit's symbol. Times are microseconds since 1970, UTC.
CREATE TABLE meter (
    id          INTEGER PRIMARY KEY,
    identifier  TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE register (
    id     INTEGER PRIMARY KEY,
    meter  INTEGER NOT NULL REFERENCES meter (id),
    code   TEXT NOT NULL,
    unit   TEXT NOT NULL,
    UNIQUE (meter, code, unit)
) STRICT;

-- The digest tells readings of the same second apart and recognises one that is already here.
CREATE TABLE reading (
    id        INTEGER PRIMARY KEY,
    meter     INTEGER NOT NULL REFERENCES meter (id),
    at        INTEGER NOT NULL,
    protocol  TEXT NOT NULL,
    source    TEXT NOT NULL,
    quality   TEXT NOT NULL,
    digest    INTEGER NOT NULL,
    UNIQUE (meter, at, digest)
) STRICT;

CREATE TABLE value (
    reading   INTEGER NOT NULL REFERENCES reading (id),
    position  INTEGER NOT NULL,
    register  INTEGER NOT NULL REFERENCES register (id),
    mantissa  INTEGER,
    exponent  INTEGER,
    text      TEXT,
    octets    BLOB,
    status    INTEGER,
    PRIMARY KEY (reading, position)
) STRICT, WITHOUT ROWID;
