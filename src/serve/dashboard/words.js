// Every word of the page, in the languages it is shown in.

const WORDS = {
  fr: {
    skip: "Aller au contenu", meter: "Compteur", now: "Maintenant", phases: "Phases", counters: "Compteur",
    emptyTitle: "Aucune mesure pour l’instant", emptyText: "Dès qu’un compteur est lu, ses valeurs apparaissent ici, sans recharger la page.",
    in: "prélèvement", out: "injection", drawing: "Prélevé sur le réseau", feeding: "Injecté dans le réseau", balanced: "En équilibre",
    live: "en direct", stale: "dernière mesure", lost: "connexion perdue", justNow: "à l’instant",
    imported: "Énergie prélevée", exported: "Énergie injectée", frequency: "Fréquence", factor: "Facteur de puissance",
    explore: "Historique", power: "Puissance", voltage: "Tension", current: "Courant", table: "Tableau", time: "Date et heure",
    min: "minimum", mean: "moyenne", max: "maximum", back: "Retour", all: "Tout", hour1: "1 h", hour24: "24 h", days7: "7 j", days30: "30 j", year1: "1 an",
    quantity: "Grandeur", period: "Période",
    exploreHint: "Glissez pour agrandir, double-cliquez pour revenir. Clavier : ← → déplacer, + − agrandir, Échap revenir.",
    step: "pas", noData: "Aucune mesure dans cette période", spark: "Les 15 dernières minutes",
    daysTitle: "Aujourd’hui, hier et il y a une semaine", today: "Aujourd’hui", yesterday: "Hier", lastWeek: "Il y a une semaine", untilNow: "à la même heure",
    energyDay: "Énergie par jour", energyMonth: "Énergie par mois", day: "Jour", month: "Mois", total: "total",
    voltageTitle: "Tension sur 7 jours", voltageHint: "Part des moyennes de 10 minutes dans chaque bande", phase: "Phase", within: "dans 207–253 V",
    eventsTitle: "Événements", search: "Chercher dans les événements", noEvents: "Aucun événement", docs: "API", lasted: "durée",
    info: "information", warning: "avertissement", error: "erreur", critical: "critique",
  },
  de: {
    skip: "Zum Inhalt", meter: "Zähler", now: "Jetzt", phases: "Phasen", counters: "Zähler",
    emptyTitle: "Noch keine Messung", emptyText: "Sobald ein Zähler gelesen wird, erscheinen seine Werte hier, ohne neu zu laden.",
    in: "Bezug", out: "Einspeisung", drawing: "Bezug aus dem Netz", feeding: "Einspeisung ins Netz", balanced: "Ausgeglichen",
    live: "live", stale: "letzte Messung", lost: "Verbindung verloren", justNow: "gerade eben",
    imported: "Bezogene Energie", exported: "Eingespeiste Energie", frequency: "Frequenz", factor: "Leistungsfaktor",
    explore: "Verlauf", power: "Leistung", voltage: "Spannung", current: "Strom", table: "Tabelle", time: "Zeit",
    min: "Minimum", mean: "Mittel", max: "Maximum", back: "Zurück", all: "Alles", hour1: "1 h", hour24: "24 h", days7: "7 T", days30: "30 T", year1: "1 J",
    quantity: "Größe", period: "Zeitraum",
    exploreHint: "Ziehen vergrößert, Doppelklick geht zurück. Tasten: ← → verschieben, + − vergrößern, Esc zurück.",
    step: "Schritt", noData: "Keine Messung in diesem Zeitraum", spark: "Die letzten 15 Minuten",
    daysTitle: "Heute, gestern und vor einer Woche", today: "Heute", yesterday: "Gestern", lastWeek: "Vor einer Woche", untilNow: "zur selben Zeit",
    energyDay: "Energie pro Tag", energyMonth: "Energie pro Monat", day: "Tag", month: "Monat", total: "gesamt",
    voltageTitle: "Spannung über 7 Tage", voltageHint: "Anteil der 10-Minuten-Mittel in jedem Band", phase: "Phase", within: "in 207–253 V",
    eventsTitle: "Ereignisse", search: "In den Ereignissen suchen", noEvents: "Keine Ereignisse", docs: "API", lasted: "Dauer",
    info: "Information", warning: "Warnung", error: "Fehler", critical: "kritisch",
  },
  en: {
    skip: "Skip to content", meter: "Meter", now: "Now", phases: "Phases", counters: "Meter",
    emptyTitle: "No reading yet", emptyText: "As soon as a meter is read its values appear here, without reloading the page.",
    in: "drawn", out: "fed in", drawing: "Drawn from the grid", feeding: "Fed into the grid", balanced: "In balance",
    live: "live", stale: "last reading", lost: "connection lost", justNow: "just now",
    imported: "Energy drawn", exported: "Energy fed in", frequency: "Frequency", factor: "Power factor",
    explore: "History", power: "Power", voltage: "Voltage", current: "Current", table: "Table", time: "Time",
    min: "lowest", mean: "mean", max: "highest", back: "Back", all: "All", hour1: "1 h", hour24: "24 h", days7: "7 d", days30: "30 d", year1: "1 y",
    quantity: "Quantity", period: "Period",
    exploreHint: "Drag to zoom, double-click to go back. Keys: ← → move, + − zoom, Esc back.",
    step: "step", noData: "No reading in this period", spark: "The last 15 minutes",
    daysTitle: "Today, yesterday and a week ago", today: "Today", yesterday: "Yesterday", lastWeek: "A week ago", untilNow: "by this time",
    energyDay: "Energy by day", energyMonth: "Energy by month", day: "Day", month: "Month", total: "total",
    voltageTitle: "Voltage over 7 days", voltageHint: "Share of the 10-minute means in each band", phase: "Phase", within: "within 207–253 V",
    eventsTitle: "Events", search: "Search the events", noEvents: "No events", docs: "API", lasted: "lasted",
    info: "information", warning: "warning", error: "error", critical: "critical",
  },
};

const wanted = navigator.languages ?? [navigator.language];
const known = wanted.find((tag) => WORDS[tag.slice(0, 2)]) ?? "en";

/** The language of the page, with its region where the browser says one. */
export const locale = known;
export const words = WORDS[known.slice(0, 2)];

/** Puts the words into the page's own elements. */
export function translate() {
  document.documentElement.lang = locale;
  for (const element of document.querySelectorAll("[data-word]")) {
    element.textContent = words[element.dataset.word];
  }
}
