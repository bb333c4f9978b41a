// Energy by day and by month: what the counters went on by.

import { ask } from "./api.js";
import { BarChart, legend, make, tableOf } from "./chart.js";
import { number, time } from "./format.js";
import { words } from "./words.js";

const SERIES = ["energie_active_import", "energie_active_export"];

export class Energy {
  constructor(section, { id, title, name, step, back, long, short }) {
    Object.assign(this, { step, back, long, short, name });
    this.chart = new BarChart({
      label: title,
      format: (bar) => [bar.label, `${words.in} ${number(bar.up, 2)} kWh`, ...(bar.down ? [`${words.out} ${number(bar.down, 2)} kWh`] : [])],
    });
    this.legend = make("div");
    this.table = tableOf(title);
    section.replaceChildren(make("div", { class: "head" }, make("h2", { id }, title)), make("figure", {}, this.chart.element, this.legend, this.table.details));
  }

  async load() {
    const from = this.back(new Date());
    const answer = await ask("/api/data/history", { series: SERIES.join(","), pas: this.step, debut: from.toISOString(), fin: new Date(Date.now() + 1000).toISOString() });
    const bars = new Map();
    SERIES.forEach((name, n) => (answer.series[name]?.valeurs ?? []).forEach(([at, start, end]) => {
      // Noon of the server's day is the same date nearly everywhere.
      const key = Date.parse(at) + 12 * 3600e3;
      if (!bars.has(key)) bars.set(key, { label: time(this.long, key), short: time(this.short, key), up: null, down: null });
      // A counter that was replaced does not count backwards.
      if (end >= start) bars.get(key)[n ? "down" : "up"] = end - start;
    }));
    const all = [...bars].sort((a, b) => a[0] - b[0]).map(([, bar]) => bar);
    this.chart.set(all);
    const sum = (key) => all.reduce((sum, bar) => sum + (bar[key] ?? 0), 0);
    this.legend.replaceChildren(legend([{ color: "--in", text: words.in, value: `${number(sum("up"), 1)} kWh` },
      ...(sum("down") > 0 ? [{ color: "--out", text: words.out, value: `${number(sum("down"), 1)} kWh` }] : [])]));
    this.table.set(() => [[this.name, `${words.in} (kWh)`, `${words.out} (kWh)`],
      all.slice().reverse().map((bar) => [bar.label, number(bar.up, 3), number(bar.down, 3)])]);
  }
}
