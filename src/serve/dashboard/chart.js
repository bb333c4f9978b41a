// Charts on a canvas: lines with a band over time, and bars. No library.

import { number, time } from "./format.js";
import { words } from "./words.js";

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const HOUR = 3600e3, DAY = 24 * HOUR;

/** An element with attributes and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A row of buttons of which one is pressed. */
export function choice(label, options, chosen, onChoose) {
  const group = make("div", { class: "seg", role: "group", "aria-label": label });
  const show = (value) => {
    for (const button of group.children) button.setAttribute("aria-pressed", String(button.dataset.value === value));
  };
  for (const [value, text] of options) {
    const button = make("button", { type: "button", "data-value": value }, text);
    button.addEventListener("click", () => { show(value); onChoose(value); });
    group.append(button);
  }
  show(chosen);
  return Object.assign(group, { show });
}

/** What a chart shows, as a table. */
export function tableOf(caption) {
  const head = make("thead"), body = make("tbody");
  const table = make("table", {}, make("caption", { class: "sr" }, caption), head, body);
  const wide = make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": `${caption}: ${words.table}` }, table);
  const details = make("details", {}, make("summary", {}, words.table), wide);
  let fill = () => {};
  const write = () => {
    const [names, rows] = fill();
    head.replaceChildren(make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name))));
    body.replaceChildren(...rows.map(([first, ...rest]) =>
      make("tr", {}, make("th", { scope: "row" }, first), ...rest.map((cell) => make("td", {}, cell)))));
  };
  details.addEventListener("toggle", () => details.open && write());
  return { details, set(next) { fill = next; if (details.open) write(); } };
}

export function legend(entries) {
  return make("ul", { class: "legend" }, ...entries.map(({ color, text, value, name }) => {
    const mark = make("i", { class: name ?? false });
    if (color) mark.style.background = `var(${color})`;
    return make("li", {}, mark, text, ...(value ? [" ", make("b", {}, value)] : []));
  }));
}

/** Round numbers between two others. */
export function ticks(low, high, count) {
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => span / n <= count) ?? 10 * power;
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) found.push(Math.abs(at) < step * 1e-9 ? 0 : at);
  return { found, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

const STEPS = [1e3, 5e3, 10e3, 30e3, 60e3, 5 * 60e3, 10 * 60e3, 15 * 60e3, 30 * 60e3, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR];

/** Times for an axis, at full local hours, days, months and years, with their names. */
export function timeTicks(from, until, count) {
  const span = until - from, least = span / count;
  const found = [];
  const small = STEPS.find((step) => step >= least);
  if (small) {
    const midnight = new Date(from); midnight.setHours(0, 0, 0, 0);
    for (let at = midnight.getTime(); at <= until; at += small) {
      if (at < from) continue;
      const date = new Date(at);
      const isDay = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
      found.push([at, time(isDay ? "day" : small < 60e3 ? "second" : "minute", date), isDay]);
    }
    return found;
  }
  const days = [1, 2, 5, 7, 14].find((n) => n * DAY >= least);
  const months = [1, 2, 3, 6, 12, 24, 60].find((n) => n * 30.4 * DAY >= least) ?? 120;
  const at = new Date(from); at.setHours(0, 0, 0, 0);
  if (days) {
    while (at.getTime() <= until) {
      if (at.getTime() >= from) found.push([at.getTime(), time("day", at), at.getDate() === 1]);
      at.setDate(at.getDate() + days);
    }
    return found;
  }
  at.setDate(1); at.setMonth(Math.floor(at.getMonth() / Math.min(months, 12)) * Math.min(months, 12));
  while (at.getTime() <= until) {
    const isYear = at.getMonth() === 0;
    if (at.getTime() >= from) found.push([at.getTime(), time(isYear ? "year" : "month", at), isYear]);
    at.setMonth(at.getMonth() + months);
  }
  return found;
}

/** A canvas of its element's size, drawn again when size, data or colours change. */
class Plot {
  constructor(height, label) {
    this.height = height;
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.tip = make("div", { class: "tip", hidden: true });
    this.element = make("div", { class: "plot", tabindex: "0", role: "group", "aria-label": label }, this.canvas, this.tip);
    this.due = false;
    new ResizeObserver(() => this.redraw()).observe(this.element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  redraw() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => { this.due = false; this.prepare(); });
  }

  prepare() {
    const width = this.element.clientWidth;
    if (!width) return;
    const scale = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(this.height * scale);
    this.canvas.style.height = `${this.height}px`;
    const pen = this.canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    this.box = { left: 46, right: width - 8, top: 10, bottom: this.height - 24 };
    this.draw(pen);
  }

  showTip(x, lines) {
    this.tip.hidden = false;
    this.tip.replaceChildren(...lines.flatMap((line, n) => (n ? [make("br"), line] : [line])));
    const half = this.tip.offsetWidth / 2;
    this.tip.style.left = `${Math.min(Math.max(x, half), this.element.clientWidth - half)}px`;
    this.tip.style.top = "2px";
  }

  /** The vertical axis, and the scale that goes with it. */
  vertical(pen, low, high) {
    const { left, right, top, bottom } = this.box;
    const { found, digits } = ticks(low, high, Math.max(3, Math.round(this.height / 44)));
    const y = (value) => bottom - (value - low) / (high - low || 1) * (bottom - top);
    pen.textAlign = "right"; pen.textBaseline = "middle";
    for (const value of found) {
      pen.strokeStyle = value === 0 && low < 0 ? style("--muted") : style("--faint");
      pen.lineWidth = 1;
      pen.beginPath(); pen.moveTo(left, Math.round(y(value)) + .5); pen.lineTo(right, Math.round(y(value)) + .5); pen.stroke();
      pen.fillStyle = style("--muted");
      pen.fillText(number(value, digits), left - 8, y(value));
    }
    return y;
  }
}

/** Lines over time. A line is {label, color, points: [[at, low, mean, high]], band, unit, digits}. */
export class TimeChart extends Plot {
  constructor({ height = 260, label, onRange, onBack, format }) {
    super(height, label);
    Object.assign(this, { lines: [], marks: [], range: [0, 1], format, empty: false });
    if (onRange) this.takeDrags(onRange, onBack);
    this.element.addEventListener("pointermove", (event) => this.hover(event));
    this.element.addEventListener("pointerleave", () => { this.at = null; this.tip.hidden = true; this.redraw(); });
  }

  set(lines, range, marks = []) {
    Object.assign(this, { lines, range, marks });
    this.redraw();
  }

  x(at) { return this.box.left + (at - this.range[0]) / (this.range[1] - this.range[0]) * (this.box.right - this.box.left); }
  time(x) { return this.range[0] + (x - this.box.left) / (this.box.right - this.box.left) * (this.range[1] - this.range[0]); }

  takeDrags(onRange, onBack) {
    const element = this.element;
    element.classList.add("drags");
    const place = (event) => Math.min(Math.max(event.clientX - element.getBoundingClientRect().left, this.box.left), this.box.right);
    element.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && this.box) { this.drag = [place(event), place(event)]; element.setPointerCapture(event.pointerId); }
    });
    element.addEventListener("pointermove", (event) => { if (this.drag) { this.drag[1] = place(event); this.redraw(); } });
    const end = () => {
      const drag = this.drag;
      this.drag = null;
      if (drag && Math.abs(drag[1] - drag[0]) > 6) onRange(drag.map((x) => this.time(x)).sort((a, b) => a - b));
      this.redraw();
    };
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", () => { this.drag = null; this.redraw(); });
    element.addEventListener("dblclick", onBack);
    element.addEventListener("keydown", (event) => {
      const [from, until] = this.range, span = until - from;
      const moves = { ArrowLeft: [-.25, -.25], ArrowRight: [.25, .25], "+": [.25, -.25], "=": [.25, -.25], "-": [-.5, .5], "−": [-.5, .5] };
      if (event.key === "Escape") onBack();
      else if (moves[event.key]) onRange([from + span * moves[event.key][0], until + span * moves[event.key][1]]);
      else return;
      event.preventDefault();
    });
  }

  hover(event) {
    if (!this.box || this.drag) return;
    const x = event.clientX - this.element.getBoundingClientRect().left;
    const at = this.time(Math.min(Math.max(x, this.box.left), this.box.right));
    let nearest = null;
    for (const { points } of this.lines) {
      const point = find(points, at);
      if (point && (nearest === null || Math.abs(point[0] - at) < Math.abs(nearest - at))) nearest = point[0];
    }
    this.at = nearest;
    this.redraw();
    if (nearest === null) { this.tip.hidden = true; return; }
    const lines = [this.label ? this.label(nearest) : time(this.range[1] - this.range[0] < 2 * HOUR ? "fullSecond" : "full", nearest)];
    for (const line of this.lines) {
      const point = find(line.points, nearest);
      if (point && Math.abs(point[0] - nearest) < (this.range[1] - this.range[0]) / 50) lines.push(this.format(line, point));
    }
    for (const mark of this.marks) if (Math.abs(this.x(mark.at) - x) < 6) lines.push(mark.text);
    this.showTip(Math.min(Math.max(this.x(nearest), this.box.left), this.box.right), lines);
  }

  draw(pen) {
    const { left, right, top, bottom } = this.box, [from, until] = this.range;
    let low = Infinity, high = -Infinity;
    for (const { points, band } of this.lines) for (const point of points) {
      if (point[0] < from || point[0] > until) continue;
      low = Math.min(low, band ? point[1] : point[2]); high = Math.max(high, band ? point[3] : point[2]);
    }
    // Between two readings there is the line from one to the other.
    if (low > high) for (const { points } of this.lines) {
      const after = points.findIndex(([at]) => at > until);
      for (const point of after > 0 ? [points[after - 1], points[after]] : []) { low = Math.min(low, point[2]); high = Math.max(high, point[2]); }
    }
    pen.textBaseline = "alphabetic";
    if (low > high) {
      pen.fillStyle = style("--muted"); pen.textAlign = "center";
      pen.fillText(words.noData, (left + right) / 2, (top + bottom) / 2);
      [low, high] = [0, 1];
    }
    if (this.fromZero) { low = Math.min(low, 0); high = Math.max(high, 0); }
    const room = (high - low || Math.abs(high) || 1) * .06;
    const y = this.vertical(pen, low - (low < 0 || !this.fromZero ? room : 0), high + room);
    pen.textBaseline = "top"; pen.textAlign = "center";
    const count = Math.max(2, Math.floor((right - left) / 84));
    for (const [at, text, isStrong] of (this.timeTicks ?? timeTicks)(from, until, count)) {
      const x = this.x(at);
      pen.strokeStyle = style(isStrong ? "--line" : "--faint");
      pen.beginPath(); pen.moveTo(Math.round(x) + .5, top); pen.lineTo(Math.round(x) + .5, bottom); pen.stroke();
      pen.fillStyle = style("--muted");
      if (x > left + 12 && x < right - 18) pen.fillText(text, x, bottom + 7);
    }
    pen.save();
    pen.beginPath(); pen.rect(left, top - 4, right - left, bottom - top + 8); pen.clip();
    for (const line of this.lines) this.drawLine(pen, line, y);
    for (const { at, color, until: end } of this.marks) {
      pen.fillStyle = style(color); pen.globalAlpha = .14;
      if (end) pen.fillRect(this.x(at), top, Math.max(1, this.x(end) - this.x(at)), bottom - top);
      pen.globalAlpha = 1;
      pen.beginPath(); pen.arc(this.x(at), bottom - 5, 4, 0, 7); pen.fill();
    }
    if (this.at) {
      pen.strokeStyle = style("--muted"); pen.lineWidth = 1;
      pen.beginPath(); pen.moveTo(this.x(this.at), top); pen.lineTo(this.x(this.at), bottom); pen.stroke();
      for (const line of this.lines) {
        const point = find(line.points, this.at);
        if (point && point[0] === this.at) { pen.fillStyle = style(line.color); pen.beginPath(); pen.arc(this.x(point[0]), y(point[2]), 3.5, 0, 7); pen.fill(); }
      }
    }
    if (this.drag) {
      pen.fillStyle = style("--in-soft");
      pen.fillRect(Math.min(...this.drag), top, Math.abs(this.drag[1] - this.drag[0]), bottom - top);
    }
    pen.restore();
  }

  drawLine(pen, { points, color, band, dash }, y) {
    const gap = usual(points) * 3.2;
    const runs = [];
    points.forEach((point, n) => {
      if (!n || point[0] - points[n - 1][0] > gap) runs.push([]);
      runs.at(-1).push(point);
    });
    pen.fillStyle = pen.strokeStyle = style(color);
    pen.lineJoin = "round"; pen.lineWidth = dash ? 1.4 : 1.8;
    pen.setLineDash(dash ?? []);
    for (const run of runs) {
      if (band) {
        pen.globalAlpha = .2;
        pen.beginPath();
        run.forEach(([at, , , most]) => pen.lineTo(this.x(at), y(most)));
        run.slice().reverse().forEach(([at, least]) => pen.lineTo(this.x(at), y(least)));
        pen.fill();
        pen.globalAlpha = 1;
      }
      pen.beginPath();
      if (run.length === 1) pen.arc(this.x(run[0][0]), y(run[0][2]), 1.6, 0, 7), pen.fill();
      run.forEach(([at, , mean]) => pen.lineTo(this.x(at), y(mean)));
      pen.stroke();
    }
    pen.setLineDash([]);
  }
}

/** The point nearest to a time; points are in order. */
function find(points, at) {
  let low = 0, high = points.length;
  while (low < high) { const middle = (low + high) >> 1; if (points[middle][0] < at) low = middle + 1; else high = middle; }
  const after = points[low], before = points[low - 1];
  if (!after || !before) return after ?? before ?? null;
  return after[0] - at < at - before[0] ? after : before;
}

/** The usual distance of points: the median of some. */
function usual(points) {
  const steps = [];
  for (let n = 1; n < points.length; n += Math.max(1, points.length >> 6)) steps.push(points[n][0] - points[n - 1][0]);
  steps.sort((a, b) => a - b);
  return Math.max(1000, steps[steps.length >> 1] ?? 1000);
}

/** Bars up and down. A bar is {label, short, up, down}. */
export class BarChart extends Plot {
  constructor({ height = 220, label, format }) {
    super(height, label);
    Object.assign(this, { bars: [], format });
    const leave = () => { this.active = null; this.tip.hidden = true; this.redraw(); };
    this.element.addEventListener("pointermove", (event) => {
      if (!this.box || !this.bars.length) return;
      const x = event.clientX - this.element.getBoundingClientRect().left;
      this.point(Math.floor((x - this.box.left) / this.width()));
    });
    this.element.addEventListener("pointerleave", leave);
    this.element.addEventListener("blur", leave);
    this.element.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      this.point((this.active ?? (step > 0 ? -1 : this.bars.length)) + step);
      event.preventDefault();
    });
  }

  width() { return (this.box.right - this.box.left) / this.bars.length; }

  point(index) {
    const bar = this.bars[index];
    if (!bar) return;
    this.active = index;
    this.redraw();
    this.showTip(this.box.left + (index + .5) * this.width(), this.format(bar));
  }

  set(bars) { this.bars = bars; this.redraw(); }

  draw(pen) {
    const { left, right, top, bottom } = this.box;
    const high = Math.max(0, ...this.bars.map((bar) => bar.up ?? 0)), low = -Math.max(0, ...this.bars.map((bar) => bar.down ?? 0));
    if (high - low === 0) {
      pen.fillStyle = style("--muted"); pen.textAlign = "center"; pen.textBaseline = "middle";
      pen.fillText(words.noData, (left + right) / 2, (top + bottom) / 2);
      return;
    }
    const y = this.vertical(pen, low * 1.06, high * 1.06);
    const width = this.width(), thick = Math.max(1, Math.min(34, width * .68));
    const every = Math.ceil(52 / width);
    pen.textAlign = "center"; pen.textBaseline = "top";
    this.bars.forEach((bar, n) => {
      const x = left + (n + .5) * width;
      pen.globalAlpha = this.active === undefined || this.active === null || this.active === n ? 1 : .45;
      const box = (from, until, color) => {
        const height = Math.abs(y(until) - y(from));
        if (height < .5) return;
        pen.fillStyle = style(color);
        pen.beginPath();
        pen.roundRect(x - thick / 2, Math.min(y(from), y(until)), thick, height, Math.min(3, thick / 3));
        pen.fill();
      };
      box(0, bar.up ?? 0, "--in");
      box(0, -(bar.down ?? 0), "--out");
      pen.globalAlpha = 1;
      pen.fillStyle = style("--muted");
      if ((this.bars.length - 1 - n) % every === 0) pen.fillText(bar.short, Math.min(Math.max(x, left + 12), right - 14), bottom + 7);
    });
  }
}

/** A line without axes. */
export function spark(canvas, points, span) {
  const width = canvas.clientWidth, height = canvas.clientHeight, scale = devicePixelRatio || 1;
  if (!width) return;
  canvas.width = width * scale; canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  if (points.length < 2) return;
  const last = Math.max(points.at(-1)[0], Date.now() - span), from = last - span;
  const values = points.map(([, value]) => value);
  const low = Math.min(0, ...values), high = Math.max(1, ...values);
  const x = (at) => (at - from) / span * (width - 4), y = (value) => height - 4 - (value - low) / (high - low) * (height - 8);
  pen.lineWidth = 1.8; pen.lineJoin = "round";
  pen.strokeStyle = style("--faint");
  pen.beginPath(); pen.moveTo(0, y(0)); pen.lineTo(width, y(0)); pen.stroke();
  pen.strokeStyle = style(values.at(-1) < 0 ? "--out" : "--in");
  pen.beginPath();
  points.forEach(([at, value]) => pen.lineTo(x(at), y(value)));
  pen.stroke();
  pen.fillStyle = pen.strokeStyle;
  pen.beginPath(); pen.arc(x(points.at(-1)[0]), y(values.at(-1)), 3, 0, 7); pen.fill();
}
