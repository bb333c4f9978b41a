"""A plain Flask endpoint of the old application's form over its own table: what `cargo bench --bench serve` compares with."""

import sqlite3
import sys
from datetime import datetime, timedelta, timezone

from flask import Flask, jsonify, request

app = Flask(__name__)
COLUMNS = ("timestamp, puissance_active_totale, tension_l1, tension_l2, tension_l3, courant_l1, courant_l2, courant_l3, "
           "frequence, facteur_puissance")


@app.get("/api/data")
def data():
    hours = request.args.get("hours", 24, type=int)
    limit = request.args.get("limit", 100, type=int)
    until = datetime.now(timezone.utc).replace(tzinfo=None)
    since = until - timedelta(hours=hours)
    connection = sqlite3.connect(sys.argv[1])
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM mesures_energie WHERE timestamp >= ? ORDER BY timestamp LIMIT ?", (str(since), limit)
    ).fetchall()
    connection.close()
    readings = [
        {
            "timestamp": datetime.fromisoformat(at).isoformat() + "Z",
            "puissance_active": power,
            "tensions": {"l1": u1, "l2": u2, "l3": u3},
            "courants": {"l1": i1, "l2": i2, "l3": i3},
            "frequence": frequency,
            "facteur_puissance": factor,
        }
        for at, power, u1, u2, u3, i1, i2, i3, frequency, factor in rows
    ]
    period = {"debut": since.isoformat() + "Z", "fin": until.isoformat() + "Z", "heures": hours}
    return jsonify(periode=period, nb_mesures=len(readings), mesures=readings)


if __name__ == "__main__":
    from werkzeug.serving import make_server

    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    from werkzeug.serving import WSGIRequestHandler

    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    server = make_server("127.0.0.1", 0, app, threaded=True)
    print(f"http://127.0.0.1:{server.server_port}/", file=sys.stderr, flush=True)
    server.serve_forever()
