// Questions to the server.

let meter = null;

export const chooseMeter = (id) => { meter = id; };
export const chosenMeter = () => meter;

export async function ask(path, parameters = {}, signal) {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null) url.searchParams.set(name, value);
  }
  if (meter && path !== "/api/meters") url.searchParams.set("meter", meter);
  const response = await fetch(url, { signal });
  const body = await response.json();
  if (!response.ok) throw Object.assign(new Error(body.error), { status: response.status });
  return body;
}

const kept = new Map();

/** Series of a period, in milliseconds: by name the points [time, lowest, mean, highest]. Periods that are over are kept. */
export async function history(series, from, until, points, signal, step = "auto") {
  const iso = (at) => new Date(Math.round(at)).toISOString();
  const isOver = until < Date.now() - 3600e3;
  const key = JSON.stringify([meter, series, from, until, points, step]);
  if (isOver && kept.has(key)) return kept.get(key);
  const parameters = { series: series.join(","), debut: iso(from), fin: iso(until), points, pas: step };
  const answer = await ask("/api/data/history", parameters, signal);
  const found = { step: answer.pas, series: {} };
  for (const [name, { valeurs, unite }] of Object.entries(answer.series)) {
    found.series[name] = { unit: unite, points: valeurs.map(([at, ...values]) => [Date.parse(at), ...values]) };
  }
  if (isOver) {
    if (kept.size > 200) kept.clear();
    kept.set(key, found);
  }
  return found;
}

/** Readings and events as they come. */
export function follow({ reading, event, state }) {
  const source = new EventSource(meter ? `/api/live?meter=${encodeURIComponent(meter)}` : "/api/live");
  source.addEventListener("mesure", (message) => reading(JSON.parse(message.data)));
  source.addEventListener("evenement", (message) => event(JSON.parse(message.data)));
  source.addEventListener("open", () => state(true));
  source.addEventListener("error", () => state(false));
  return source;
}
