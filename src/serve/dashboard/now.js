// Now: power and its direction, the phases, the counters, and how fresh all that is.

import { history } from "./api.js";
import { make, spark } from "./chart.js";
import { number, power, since } from "./format.js";
import { words } from "./words.js";

const SPAN = 15 * 60e3;
const byId = (id) => document.getElementById(id);
let recent = [], newest = null, connected = false, most = 3000;

export function connection(is) { connected = is; fresh(); }

/** How old the newest reading is. */
export function fresh() {
  const box = byId("fresh"), text = byId("fresh-text");
  if (!newest) { box.className = "fresh"; text.textContent = connected ? words.live : ""; return; }
  const age = Date.now() - newest;
  box.className = `fresh ${!connected || age > 5 * 60e3 ? "old" : "live"}`;
  const state = !connected ? words.lost : age > 5 * 60e3 ? words.stale : words.live;
  // What is read aloud changes with the state alone, not each second.
  const spoken = byId("fresh-state");
  if (spoken.textContent !== state) spoken.textContent = state;
  const said = `${state} · ${since(age)}`;
  if (text.textContent !== said) text.textContent = said;
}

/** The last quarter of an hour, before live readings take over. */
export async function before() {
  recent = [];
  const now = Date.now();
  const found = await history(["puissance_active"], now - SPAN, now + 1000, 180);
  recent = (found.series.puissance_active?.points ?? []).map(([at, , mean]) => [at, mean]);
  draw();
}

function draw() {
  spark(byId("spark"), recent, SPAN);
  byId("spark-text").textContent = recent.length > 1 ? words.spark : "";
}

export function show(reading) {
  const at = Date.parse(reading.timestamp);
  if (newest && at < newest) return;
  newest = at;
  const watts = reading.puissance_active;
  const [value, unit] = power(watts === null ? null : Math.abs(watts));
  byId("power").textContent = value;
  byId("power-unit").textContent = unit;
  byId("direction").textContent = watts === null ? "" : watts > 0 ? words.drawing : watts < 0 ? words.feeding : words.balanced;
  document.querySelector(".hero").classList.toggle("out", watts < 0);
  most = Math.max(most, Math.abs(watts ?? 0));
  const bar = document.querySelector("#flow .bar"), share = Math.min(50, Math.abs(watts ?? 0) / most * 50);
  bar.style.left = `${watts < 0 ? 50 - share : 50}%`;
  bar.style.width = `${share}%`;
  if (watts !== null) {
    recent = recent.filter(([then]) => then > at - SPAN && then < at);
    recent.push([at, watts]);
    draw();
  }
  phases(reading);
  facts(reading);
  fresh();
}

function phases({ tensions, courants }) {
  const rows = [0, 1, 2].filter((n) => tensions[n] !== null || courants[n] !== null).map((n) => {
    const gauge = make("span", { class: "gauge", "aria-hidden": "true" });
    if (tensions[n] !== null) {
      const needle = make("i");
      // 200 to 260 V over the width; beyond 207 and 253 V it is out of bounds.
      needle.style.left = `${Math.min(100, Math.max(0, (tensions[n] - 202) / 56 * 100))}%`;
      gauge.append(needle);
    }
    return make("div", { class: `phase l${n + 1}` }, make("b", {}, `L${n + 1}`),
      make("span", { class: "volts" }, `${number(tensions[n], 1)} V`),
      make("span", { class: "amps" }, courants[n] === null ? "" : `${number(courants[n], 2)} A`), ...(tensions[n] === null ? [] : [gauge]));
  });
  byId("phases").replaceChildren(...rows);
}

function facts({ energies, frequence, facteur_puissance: factor }) {
  const all = [[words.imported, energies.active_import, 1, "kWh"], [words.exported, energies.active_export, 1, "kWh"],
    [words.frequency, frequence, 2, "Hz"], [words.factor, factor, 3, ""]];
  byId("facts").replaceChildren(...all.filter(([, value]) => value !== null && value !== undefined).map(([name, value, digits, unit]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, number(value, digits), " ", make("small", {}, unit)))));
}

addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
