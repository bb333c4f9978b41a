// The page: which meter, what is there, and what comes.

import { ask, chooseMeter, chosenMeter, follow } from "./api.js";
import { Days } from "./days.js";
import { Energy } from "./energy.js";
import { Events } from "./events.js";
import { Explore } from "./explore.js";
import { before, connection, fresh, show } from "./now.js";
import { Voltage } from "./voltage.js";
import { translate, words } from "./words.js";

const byId = (id) => document.getElementById(id);
let explore = null, slow = [], source = null;

translate();

function build(first) {
  byId("empty").hidden = true;
  byId("content").hidden = false;
  explore = new Explore(byId("explore"), first);
  const days = (at) => { at.setHours(0, 0, 0, 0); at.setDate(at.getDate() - 30); return at; };
  const months = (at) => { at.setHours(0, 0, 0, 0); at.setDate(1); at.setMonth(at.getMonth() - 12); return at; };
  slow = [
    new Days(byId("days")),
    new Energy(byId("energy-day"), { id: "energy-day-title", title: words.energyDay, name: words.day, step: "jour", back: days, long: "date", short: "day" }),
    new Energy(byId("energy-month"), { id: "energy-month-title", title: words.energyMonth, name: words.month, step: "mois", back: months, long: "monthYear", short: "month" }),
    new Voltage(byId("voltage")),
    new Events(byId("events")),
  ];
  refresh();
}

/** What changes slowly. One part that fails does not stop the others. */
function refresh() {
  for (const part of slow) part.load().catch(() => {});
}

async function start() {
  const { compteurs } = await ask("/api/meters");
  const select = byId("meter");
  if (compteurs.length > 1) {
    select.replaceChildren(...compteurs.map(({ compteur, alias }) => new Option(alias ?? compteur, compteur)));
    const saved = localStorage.getItem("meter");
    if (!chosenMeter()) chooseMeter(compteurs.some(({ compteur }) => compteur === saved) ? saved : compteurs[0].compteur);
    select.value = chosenMeter();
    select.hidden = false;
    byId("meter-name").textContent = "";
  } else {
    byId("meter-name").textContent = compteurs[0] ? compteurs[0].alias ?? compteurs[0].compteur : "";
  }
  const own = compteurs.find(({ compteur }) => compteur === chosenMeter()) ?? compteurs[0];
  byId("empty").hidden = Boolean(own?.date_premiere);
  if (own?.date_premiere) {
    build(Date.parse(own.date_premiere));
    before().catch(() => {});
  }
  source?.close();
  source = follow({
    state: connection,
    event: () => { slow.at(-1)?.load().catch(() => {}); explore?.tick(); },
    reading: (reading) => {
      if (!explore) { start(); return; }
      show(reading);
      explore.tick();
    },
  });
}

byId("meter").addEventListener("change", (event) => {
  localStorage.setItem("meter", event.target.value);
  chooseMeter(event.target.value);
  location.reload();
});
setInterval(fresh, 1000);
setInterval(() => document.hidden || refresh(), 60e3);
start().catch((error) => { byId("fresh-text").textContent = error.message; connection(false); });
