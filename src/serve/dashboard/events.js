// What happened, the newest first.

import { ask } from "./api.js";
import { make } from "./chart.js";
import { lasting, time } from "./format.js";
import { words } from "./words.js";

export class Events {
  constructor(section) {
    this.search = make("input", { type: "search", placeholder: words.search, "aria-label": words.search });
    this.search.addEventListener("input", () => { clearTimeout(this.wait); this.wait = setTimeout(() => this.load(), 200); });
    this.list = make("ul", { class: "list", tabindex: "0", "aria-label": words.eventsTitle });
    section.replaceChildren(make("div", { class: "head" }, make("h2", { id: "events-title" }, words.eventsTitle), make("div", { class: "tools" }, this.search)), this.list);
  }

  async load() {
    const { evenements } = await ask("/api/events", { limit: 40, q: this.search.value || undefined });
    this.list.replaceChildren(...(evenements.length ? evenements.map(entry) : [make("li", { class: "none" }, words.noEvents)]));
  }
}

function entry({ timestamp, type, severite, description, duree_s: seconds }) {
  const length = seconds ? ` · ${words.lasted} ${lasting(seconds)}` : "";
  return make("li", {}, make("span", { class: `mark ${severite}`, role: "img", "aria-label": words[severite], title: words[severite] }),
    make("span", {}, description), make("time", { datetime: timestamp }, time("full", Date.parse(timestamp))),
    make("small", {}, `${type.replaceAll("_", " ")} · ${words[severite]}${length}`));
}
