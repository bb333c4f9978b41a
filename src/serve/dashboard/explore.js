// Any period, from all there is to a minute: drag, keys, or a button.

import { ask, history } from "./api.js";
import { TimeChart, choice, legend, make, tableOf } from "./chart.js";
import { number, time } from "./format.js";
import { words } from "./words.js";

const HOUR = 3600e3, DAY = 24 * HOUR, MINUTE = 60e3;
const QUANTITIES = {
  power: { unit: "W", digits: 0, zero: true, series: [["puissance_active", "--in"]] },
  voltage: { unit: "V", digits: 1, series: [["tension_l1", "--l1", "L1"], ["tension_l2", "--l2", "L2"], ["tension_l3", "--l3", "L3"]] },
  current: { unit: "A", digits: 2, zero: true, series: [["courant_l1", "--l1", "L1"], ["courant_l2", "--l2", "L2"], ["courant_l3", "--l3", "L3"]] },
  frequency: { unit: "Hz", digits: 2, series: [["frequence", "--in"]] },
};
const SPANS = { hour1: HOUR, hour24: DAY, days7: 7 * DAY, days30: 30 * DAY, year1: 365 * DAY, all: null };

export class Explore {
  constructor(section, first) {
    this.first = first;
    this.quantity = "power";
    this.span = "hour24";
    this.past = [];
    this.spans = choice(words.period, Object.keys(SPANS).map((name) => [name, words[name]]), this.span, (name) => this.go(name));
    this.back = make("button", { type: "button", disabled: true }, `← ${words.back}`);
    this.back.addEventListener("click", () => this.return());
    const select = make("select", { "aria-label": words.quantity });
    for (const name of Object.keys(QUANTITIES)) select.append(make("option", { value: name }, words[name]));
    select.addEventListener("change", () => { this.quantity = select.value; this.lines = null; this.load(); });
    this.chart = new TimeChart({
      height: 320, label: `${words.explore}. ${words.exploreHint}`,
      onRange: (range) => this.zoom(range), onBack: () => this.return(),
      format: (line, [, low, mean, high]) => {
        const { unit, digits } = QUANTITIES[this.quantity];
        const name = line.label ? `${line.label} ` : "";
        return low === high ? `${name}${number(mean, digits)} ${unit}` : `${name}${number(mean, digits)} ${unit}  (${number(low, digits)} … ${number(high, digits)})`;
      },
    });
    this.table = tableOf(words.explore);
    this.legend = make("div");
    this.caption = make("p", { class: "hint" });
    section.replaceChildren(
      make("div", { class: "head" }, make("h2", { id: "explore-title" }, words.explore), make("div", { class: "tools" }, this.back, select, this.spans), this.caption),
      make("figure", {}, this.chart.element, this.legend, make("p", { class: "hint" }, words.exploreHint), this.table.details));
    this.go(this.span);
  }

  go(name) {
    const until = Date.now();
    this.past = [];
    this.span = name;
    this.follows = true;
    const span = SPANS[name] ?? Math.max(HOUR, until - this.first);
    this.range = [until - span, until];
    this.load();
  }

  zoom([from, until]) {
    const most = Math.max(HOUR, Date.now() - this.first) * 1.1;
    const middle = (from + until) / 2, half = Math.min(most, Math.max(MINUTE, until - from)) / 2;
    this.past.push([this.range, this.span, this.follows]);
    if (this.past.length > 100) this.past.shift();
    this.range = [middle - half, middle + half];
    this.span = null;
    this.follows = false;
    // What is there is shown larger at once; the rest comes.
    this.chart.set(this.chart.lines, this.range, this.chart.marks);
    this.load();
  }

  return() {
    const before = this.past.pop();
    if (!before) return;
    [this.range, this.span, this.follows] = before;
    this.load();
  }

  /** A reading came: the period moves on with it, though not oftener than makes sense. */
  tick() {
    if (!this.follows || document.hidden) return;
    const span = this.range[1] - this.range[0];
    if (Date.now() - (this.loaded ?? 0) < Math.max(2000, span / 1500)) return;
    this.range = [Date.now() - span, Date.now()];
    this.load();
  }

  async load() {
    this.loaded = Date.now();
    this.spans.show(this.span);
    this.back.disabled = !this.past.length;
    this.request?.abort();
    const request = this.request = new AbortController();
    const [from, until] = this.range, quantity = QUANTITIES[this.quantity];
    const points = Math.max(200, Math.min(1200, Math.round(this.chart.element.clientWidth / 1.5)));
    const around = Math.max((until - from) * .1, Math.min(20 * MINUTE, (until - from) * 8));
    try {
      const [found, events] = await Promise.all([
        // A little more on both sides, so that lines come in from there.
        history(quantity.series.map(([name]) => name), from - around, until + around, Math.round(points * (1 + 2 * around / (until - from))), request.signal),
        ask("/api/events", { debut: new Date(from).toISOString(), fin: new Date(until).toISOString(), limit: 200 }, request.signal),
      ]);
      const lines = quantity.series
        .map(([name, color, label]) => ({ label, color, points: found.series[name]?.points ?? [], band: true }))
        .filter((line) => line.points.length);
      const marks = events.evenements.map((event) => ({
        at: Date.parse(event.timestamp), until: event.fin ? Date.parse(event.fin) : null,
        color: { info: "--info", warning: "--warn", error: "--error", critical: "--critical" }[event.severite], text: event.description,
      }));
      this.chart.fromZero = quantity.zero;
      this.chart.set(lines, this.range, marks);
      const fine = until - from < 2 * HOUR ? "fullSecond" : "full";
      this.caption.setAttribute("aria-live", this.follows ? "off" : "polite");
      this.caption.textContent = `${time(fine, from)} – ${time(fine, until)} · ${words.step} ${found.step}`;
      this.legend.replaceChildren(lines.length > 1 ? legend(lines.map(({ color, label }) => ({ color, text: label }))) : "");
      this.table.set(() => [
        [words.time, ...lines.flatMap(({ label = "" }) => [words.min, words.mean, words.max].map((name) => `${label} ${name} (${quantity.unit})`.trim()))],
        rows(lines.map((line) => ({ points: line.points.filter(([at]) => at >= from && at <= until) })), quantity.digits, fine),
      ]);
    } catch (error) {
      if (error.name !== "AbortError") this.caption.textContent = error.message;
    }
  }
}

/** At most a thousand rows, the newest first. */
function rows(lines, digits, form) {
  const byTime = new Map();
  lines.forEach(({ points }, n) => points.forEach(([at, ...values]) => {
    if (!byTime.has(at)) byTime.set(at, lines.map(() => [null, null, null]));
    byTime.get(at)[n] = values;
  }));
  return [...byTime].sort((a, b) => b[0] - a[0]).slice(0, 1000)
    .map(([at, values]) => [time(form, at), ...values.flat().map((value) => number(value, digits))]);
}
