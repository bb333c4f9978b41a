-- Why: a year of readings in a few megabytes. The readings of the current days are rows ("hot"); those of past days are
-- sealed: one span for the times of a stretch of days, and one block for each series in it. docs/STORE.md describes the
-- bytes. The rows of the first store are moved over by the program, in the same transaction.
ALTER TABLE reading RENAME TO old_reading;
ALTER TABLE register RENAME TO old_register;
ALTER TABLE value RENAME TO old_value;
ALTER TABLE meter RENAME TO old_meter;

-- `spans` and `sealed` count what must be in the tables below, so that a lost row is noticed.
-- Every `checksum` is the CRC-32C of the row's other columns: SQLite does not see a bit that flips in a value.
CREATE TABLE meter (
    id          INTEGER PRIMARY KEY,
    identifier  TEXT NOT NULL UNIQUE,
    alias       TEXT UNIQUE,
    spans       INTEGER NOT NULL,
    sealed      INTEGER NOT NULL,
    checksum    INTEGER NOT NULL
) STRICT;

-- A register of a meter. `unit` is the DLMS number (255: none) and `prefix` its power of ten; `nth` tells apart registers
-- that a telegram lists twice.
CREATE TABLE series (
    id        INTEGER PRIMARY KEY,
    meter     INTEGER NOT NULL REFERENCES meter (id),
    code      TEXT NOT NULL,
    unit      INTEGER NOT NULL,
    prefix    INTEGER NOT NULL,
    nth       INTEGER NOT NULL,
    checksum  INTEGER NOT NULL,
    UNIQUE (meter, code, unit, prefix, nth)
) STRICT;

-- What readings consist of, for the hot rows; the content ends in its checksum.
CREATE TABLE skeleton (
    id       INTEGER PRIMARY KEY,
    content  BLOB NOT NULL UNIQUE
) STRICT;

-- `at` is in microseconds since 1970, UTC; `nth` tells apart readings of one instant.
CREATE TABLE hot (
    meter  INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    nth    INTEGER NOT NULL,
    data   BLOB NOT NULL,
    PRIMARY KEY (meter, at, nth)
) STRICT, WITHOUT ROWID;

-- A span reaches from `start` to before `until`, whether or not there are readings at its ends. Spans do not overlap.
CREATE TABLE span (
    id        INTEGER PRIMARY KEY,
    meter     INTEGER NOT NULL REFERENCES meter (id),
    start     INTEGER NOT NULL,
    until     INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    data      BLOB NOT NULL,
    UNIQUE (meter, start)
) STRICT;

-- The id is span * 2^20 + series: no second index, and blocks of one span stand side by side. The numbers are mantissas
-- at `exponent`, all NULL where the block holds none or they have no common scale; `falls` counts the steps of a counter
-- that go back or rise faster than any meter.
CREATE TABLE block (
    id        INTEGER PRIMARY KEY,
    exponent  INTEGER,
    count     INTEGER,
    first     INTEGER,
    last      INTEGER,
    min       INTEGER,
    max       INTEGER,
    sum       INTEGER,
    falls     INTEGER,
    checksum  INTEGER NOT NULL,
    data      BLOB NOT NULL
) STRICT;

-- What a person said about the segments of a meter's counters: `split` begins one at a time, `merge` denies one there.
CREATE TABLE correction (
    meter  INTEGER NOT NULL REFERENCES meter (id),
    at     INTEGER NOT NULL,
    kind   TEXT NOT NULL CHECK (kind IN ('split', 'merge')),
    PRIMARY KEY (meter, at)
) STRICT, WITHOUT ROWID;

-- Bytes as they came, deflated: `stream` numbers one connection or capture, whose pieces follow one another by id.
CREATE TABLE raw (
    id        INTEGER PRIMARY KEY,
    stream    INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    live      INTEGER NOT NULL,
    meter     TEXT,
    length    INTEGER NOT NULL,
    data      BLOB NOT NULL
) STRICT;
CREATE INDEX raw_at ON raw (at);
CREATE INDEX raw_stream ON raw (stream);
