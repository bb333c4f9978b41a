// How the voltage keeps within its bounds: 230 V ± 10 %.

import { history } from "./api.js";
import { legend, make, tableOf } from "./chart.js";
import { number } from "./format.js";
import { words } from "./words.js";

const EDGES = [207, 218.5, 241.5, 253];
const [A, B, C, D] = EDGES.map((edge) => number(edge, edge % 1 ? 1 : 0));
const NAMES = [`< ${A} V`, `${A}–${B} V`, `${B}–${C} V`, `${C}–${D} V`, `> ${D} V`];

export class Voltage {
  constructor(section) {
    this.body = make("div");
    this.table = tableOf(words.voltageTitle);
    section.replaceChildren(
      make("div", { class: "head" }, make("h2", { id: "voltage-title" }, words.voltageTitle), make("p", { class: "hint" }, words.voltageHint)),
      this.body, legend(NAMES.map((text, n) => ({ text, name: `b${n}` }))), this.table.details);
  }

  async load() {
    const until = Date.now(), names = ["tension_l1", "tension_l2", "tension_l3"];
    const { series } = await history(names, until - 7 * 24 * 3600e3, until, 1100, undefined, "10m");
    const all = names.map((name, n) => {
      const counts = [0, 0, 0, 0, 0], points = series[name]?.points ?? [];
      for (const [, , mean] of points) counts[EDGES.filter((edge) => mean > edge).length] += 1;
      const low = Math.min(...points.map(([, least]) => least)), high = Math.max(...points.map(([, , , most]) => most));
      const mean = points.reduce((sum, [, , middle]) => sum + middle, 0) / (points.length || 1);
      return { phase: `L${n + 1}`, low, mean, high, shares: counts.map((count) => count / (points.length || 1)), count: points.length };
    }).filter(({ count }) => count);
    if (!all.length) { this.body.replaceChildren(make("p", { class: "none" }, words.noData)); return; }
    this.body.replaceChildren(...all.map(({ phase, shares, low, mean, high }) => {
      const within = number((1 - shares[0] - shares[4]) * 100, 1);
      const stack = make("div", { class: "stack", role: "img", "aria-label": `${phase}: ${within} % ${words.within}` },
        ...shares.map((share, n) => { const part = make("i", { class: `b${n}` }); part.style.width = `${share * 100}%`; return part; }));
      return make("div", { class: "band" }, make("b", { class: phase.toLowerCase() }, phase), stack, make("output", { title: words.within }, `${within} %`),
        make("small", {}, `${words.min} ${number(low, 1)} V · ${words.mean} ${number(mean, 1)} V · ${words.max} ${number(high, 1)} V`));
    }));
    this.table.set(() => [[words.phase, ...NAMES, `${words.min} (V)`, `${words.mean} (V)`, `${words.max} (V)`], all.map(({ phase, shares, low, mean, high }) =>
      [phase, ...shares.map((share) => `${number(share * 100, 1)} %`), ...[low, mean, high].map((value) => number(value, 1))])]);
  }
}
