// Today against yesterday and the same day of last week.

import { history } from "./api.js";
import { TimeChart, legend, make, tableOf } from "./chart.js";
import { number, time } from "./format.js";
import { words } from "./words.js";

const DAY = 24 * 3600e3;

export class Days {
  constructor(section) {
    this.chart = new TimeChart({
      height: 230, label: words.daysTitle,
      format: (line, [, , mean]) => `${line.label}  ${number(mean)} W`,
    });
    this.chart.fromZero = true;
    this.chart.label = (at) => time("minute", at);
    this.legend = make("div");
    this.sums = make("div", { class: "sums" });
    this.table = tableOf(words.daysTitle);
    section.replaceChildren(make("div", { class: "head" }, make("h2", { id: "days-title" }, words.daysTitle)), this.sums,
      make("figure", {}, this.chart.element, this.legend, this.table.details));
  }

  async load() {
    const midnight = (back) => { const at = new Date(); at.setHours(0, 0, 0, 0); at.setDate(at.getDate() - back); return at.getTime(); };
    const today = midnight(0), passed = Date.now() - today;
    const days = [[0, words.today, "--in"], [1, words.yesterday, "--then", [5, 4]], [7, words.lastWeek, "--l1", [2, 3]]];
    const found = await Promise.all(days.map(async ([back, label, color, dash]) => {
      const start = midnight(back), end = midnight(back - 1);
      const { series } = await history(["puissance_active", "energie_active_import", "energie_active_export"], start, end, 96, undefined, "15m");
      // All three lie on today's clock.
      const points = (series.puissance_active?.points ?? []).map(([at, ...values]) => [at - start + today, ...values]);
      const energy = (name) => {
        const steps = (series[name]?.points ?? []).filter(([at]) => at - start < passed);
        return steps.length ? steps.at(-1)[2] - steps[0][1] : null;
      };
      return { label, color, dash, points, imported: energy("energie_active_import"), exported: energy("energie_active_export") };
    }));
    this.chart.set(found.slice().reverse(), [today, today + DAY]);
    this.legend.replaceChildren(legend(found.map(({ color, label }) => ({ color, text: label }))));
    this.sums.replaceChildren(...found.map((day, n) => ({ ...day, n })).filter(({ imported }) => imported !== null).map(({ label, imported, exported, n }) =>
      make("div", {}, make("span", {}, n ? `${label}, ${words.untilNow}` : label), make("b", {}, `${number(imported, 2)} kWh`),
        ...(exported > 0.005 ? [make("span", {}, `${words.out} ${number(exported, 2)} kWh`)] : []))));
    this.table.set(() => {
      const byTime = new Map();
      found.forEach(({ points }, n) => points.forEach(([at, , mean]) => {
        if (!byTime.has(at)) byTime.set(at, found.map(() => null));
        byTime.get(at)[n] = mean;
      }));
      return [[words.time, ...found.map(({ label }) => `${label} (W)`)],
        [...byTime].sort((a, b) => a[0] - b[0]).map(([at, values]) => [time("minute", at), ...values.map((value) => number(value))])];
    });
  }
}
