"""Days of a year out of an exported table: energies, percentiles, time-weighted means and demand, by DuckDB and fractions."""

import json
import sys
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import duckdb

ZONE = ZoneInfo("Europe/Brussels")
INTERVAL = 300
db = duckdb.connect()
db.execute(f"""
    CREATE TABLE t AS
    SELECT epoch_us(CAST(timestamp AS TIMESTAMPTZ)) // 1000000 AS at,
           CAST(round(CAST(energie_active_import AS DECIMAL(18, 3)) * 1000) AS BIGINT) AS import,
           CAST(round(CAST(energie_active_export AS DECIMAL(18, 3)) * 1000) AS BIGINT) AS export,
           CAST(puissance_active_totale AS BIGINT) AS power
    FROM read_csv('{sys.argv[1]}', all_varchar = true) ORDER BY at
""")

midnights = [datetime(2025, 1, 1) + timedelta(days=day) for day in range(366)]
bounds = [int(midnight.replace(tzinfo=ZONE).timestamp()) for midnight in midnights]
db.execute("CREATE TABLE days (name VARCHAR, start BIGINT, stop BIGINT)")
db.executemany(
    "INSERT INTO days VALUES (?, ?, ?)",
    [(f"{m:%Y-%m-%d}", a, b) for m, a, b in zip(midnights, bounds, bounds[1:])],
)


def marks(moments):
    """The counters at moments: as read, or divided by time between the readings on both sides, rounded half up."""
    return db.execute(
        f"""
        WITH m AS ({moments}),
        b AS (SELECT m.at, t.at AS t0, t.import AS i0, t.export AS e0 FROM m ASOF JOIN t ON m.at >= t.at),
        a AS (SELECT m.at, t.at AS t1, t.import AS i1, t.export AS e1 FROM m ASOF JOIN t ON m.at <= t.at)
        SELECT at, t1 - t0 AS gap,
            i0 + CASE WHEN t1 = t0 THEN 0 ELSE (2 * (i1 - i0) * (at - t0) + (t1 - t0)) // (2 * (t1 - t0)) END,
            e0 + CASE WHEN t1 = t0 THEN 0 ELSE (2 * (e1 - e0) * (at - t0) + (t1 - t0)) // (2 * (t1 - t0)) END
        FROM a JOIN b USING (at) ORDER BY at
        """
    ).fetchall()


at_midnight = {at: (imported, exported) for at, _, imported, exported in marks(
    "SELECT start AS at FROM days UNION SELECT stop FROM days")}
quarters = {at: (gap, imported) for at, gap, imported, _ in marks(
    f"SELECT unnest(generate_series({bounds[0]}, {bounds[-1]}, 900)) AS at")}
figures = {
    name: rest
    for name, *rest in db.execute(
        """
        SELECT name, count(*), min(power), max(power), quantile_disc(power, 0.5), quantile_disc(power, 0.95),
               quantile_disc(power, 0.99)
        FROM days JOIN t ON t.at >= start AND t.at < stop GROUP BY name
        """
    ).fetchall()
}

# Each value weighs as long as it stands: until the next, or one interval where that comes late.
readings = db.execute("SELECT at, power FROM t ORDER BY at").fetchall()
sums, weights, day = [0] * 365, [0] * 365, 0
for (at, power), (after, _) in zip(readings, readings[1:]):
    until = after if after - at <= 2 * INTERVAL else at + INTERVAL
    while at < until:
        while day < 365 and bounds[day + 1] <= at:
            day += 1
        if at < bounds[0]:
            at = min(until, bounds[0])
            continue
        if day == 365:
            break
        end = min(until, bounds[day + 1])
        sums[day] += power * (end - at)
        weights[day] += end - at
        at = end


def rounded(value):
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    # A tie is told exactly, not by the digits of a division.
    scaled = value * 10
    floor = scaled.numerator // scaled.denominator
    rest = scaled - floor
    up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and floor % 2 == 1)
    assert abs(exact * 10 - floor) <= 1
    return float(Decimal(floor + up).scaleb(-1).quantize(Decimal("0.1"), ROUND_HALF_EVEN))


answer = {}
for index, (start, stop) in enumerate(zip(bounds, bounds[1:])):
    name = f"{midnights[index]:%Y-%m-%d}"
    (i0, e0), (i1, e1) = at_midnight[start], at_midnight[stop]
    best = None
    for at in range(start, stop, 900):
        (gap, before), (gap_after, after) = quarters[at], quarters[at + 900]
        # Known well enough: read just then, or between readings that leave no hole.
        if max(gap, gap_after) <= min(900, 2 * INTERVAL) and (best is None or after - before > best[0]):
            best = (after - before, at)
    when = datetime.fromtimestamp(best[1], timezone.utc).astimezone(ZONE)
    answer[name] = [
        float(Decimal(i1 - i0).scaleb(-3)), float(Decimal(e1 - e0).scaleb(-3)), *figures[name],
        rounded(Fraction(sums[index], weights[index])), best[0] * 4, when.isoformat(),
    ]
print(json.dumps(answer))
