// Every report and event, newest first, and one of them in full beside it.

import { clock, h, icon, ms, subject } from "./dom.js";
import { ReportView } from "./report.js";
import { TONES } from "./theme.js";

const STAGES = ["preflight", "apply", "validate", "commit", "roll back"];
const KINDS = { durable: null, stable: null, paused: "Paused", resumed: "Resumed", tests: "Tests", data: "Data", watcher: "Watcher" };
const SHOWN = 300;

export const stageClass = (stage) => `stage-${STAGES.includes(stage) ? stage.replace(" ", "-") : "other"}`;

export class Timeline {
  constructor(app) {
    this.app = app;
    this.rows = new Map();
    this.news = [];
    this.slowest = 1;
    this.list = h("ol.timeline", { "aria-label": "Reports and events, newest first" });
    this.none = h("div.empty", {}, h("h2", {}, "Nothing was reloaded yet"), h("p", {}, "Save a file of the program, and it shows here what that did."));
    this.detail = new ReportView(app);
    this.element = h("div.split", {}, h("section.side", { "aria-label": "Timeline" }, this.none, this.list), this.detail.element);
  }

  enter(id) {
    this.chosen = id;
    this.element.classList.toggle("chosen", Boolean(id));
    this.#mark();
    this.detail.show(id || this.news.find((one) => one.report)?.report.id);
  }

  report({ report }) {
    this.#add({ at: report.at, key: report.id, report });
  }

  event(event) {
    if (KINDS[event.kind] === null) return this.#becomes(event);
    if (event.kind === "tests" && event.detail.outcome === "superseded") return;
    this.#add({ at: event.at, key: `${event.kind} ${event.at} ${event.report_id}`, event });
    if (event.kind === "tests" && event.report_id === this.detail.id) this.detail.refresh();
  }

  // What is known of a report later than itself: a mark at its row.
  #becomes(event) {
    const row = this.rows.get(event.report_id);
    if (row && event.kind === "stable" && !row.querySelector(".tag")) row.querySelector(".what")?.append(h("span.tag", {}, "stable"));
  }

  caughtUp() {
    if (this.chosen) this.#mark();
    else this.enter("");
  }

  restart() {
    this.news = [];
    this.slowest = 1;
    this.rows.clear();
    this.list.replaceChildren();
  }

  #add(news) {
    if (this.rows.has(news.key)) return;
    const place = this.news.findIndex((one) => one.at <= news.at);
    this.news.splice(place < 0 ? this.news.length : place, 0, news);
    const row = news.report ? this.#reportRow(news.report) : this.#eventRow(news.event);
    this.rows.set(news.key, row);
    this.list.insertBefore(row, this.list.children[place < 0 ? this.list.children.length : place] ?? null);
    while (this.news.length > SHOWN) this.rows.delete(this.news.pop().key), this.list.lastChild.remove();
    this.none.hidden = true;
    if (news.report && !this.chosen && place <= 0) this.#follow();
  }

  // Nobody chose a report: the newest is shown. Once a frame, however fast they come.
  #follow() {
    this.soon ??= requestAnimationFrame(() => {
      this.soon = null;
      if (this.app.place === this && !this.chosen) this.enter("");
    });
  }

  #mark() {
    const id = this.chosen || this.news.find((one) => one.report)?.report.id;
    for (const link of this.list.querySelectorAll("[aria-current]")) link.removeAttribute("aria-current");
    const row = this.rows.get(id);
    row?.querySelector("a")?.setAttribute("aria-current", "true");
    if (row && this.chosen) row.scrollIntoView({ block: "nearest" });
  }

  #reportRow(report) {
    const total = report.timings_ms.total ?? 0;
    const tone = TONES[report.outcome];
    return h("li", {},
      h("a.row", { href: `#/timeline/${report.id}` },
        h("span.badge", { class: `tone-${tone}` }, icon(report.outcome, { label: report.outcome, size: 14 })),
        h("span.what", {}, h("b", {}, subject(report)), h("span.id", {}, report.id)),
        h("span.took", {}, report.outcome === "unchanged" ? "" : ms(total)),
        h("span.more", {}, summary(report, this.app.root)),
        h("time", { datetime: new Date(report.at * 1000).toISOString() }, clock(report.at)),
        report.outcome === "unchanged" ? null : stageBar(report.timings_ms, this.#share(total))));
  }

  // How much of the row its bar takes: by the root, so that one slow reload leaves the others visible.
  #share(total) {
    if (total > this.slowest) {
      const by = Math.sqrt(this.slowest / total);
      for (const bar of this.list.querySelectorAll(".stages")) bar.style.width = `${parseFloat(bar.style.width) * by}%`;
      this.slowest = total;
    }
    return Math.max(Math.sqrt(total / this.slowest), 0.06);
  }

  #eventRow(event) {
    const { tone, text, more, href } = told(event, this.app);
    const inner = [h("span.badge", { class: `tone-${tone}` }, icon(event.kind === "tests" ? "tests" : event.kind === "paused" ? "pause" : event.kind === "resumed" ? "play" : "event", { size: 14 })),
      h("span.what", {}, text), h("span.took"), h("span.more", {}, more), h("time", { datetime: new Date(event.at * 1000).toISOString() }, clock(event.at))];
    return h("li.event", {}, href ? h("a.row", { href }, inner) : h("div.row", {}, inner));
  }
}

function summary(report, root) {
  if (report.problems.length) return report.problems[0].message;
  const did = ["ran", "grafted", "rebound", "kept", "removed"]
    .map((key) => [key, Object.values(report.modules).flatMap((module) => module[key])])
    .filter(([, names]) => names.length)
    .map(([key, names]) => `${key} ${names.slice(0, 3).join(", ")}${names.length > 3 ? ` +${names.length - 3}` : ""}`);
  return did.join(" · ") || (report.outcome === "unchanged" ? `asked for by ${report.cause}` : "only lines moved");
}

export function stageBar(timings, share = 1) {
  const total = timings.total || 1;
  const parts = STAGES.filter((stage) => timings[stage]);
  const text = parts.map((stage) => `${stage} ${ms(timings[stage])}`).join(", ");
  return h("span.stages", { role: "img", "aria-label": `Stages: ${text}`, title: text, style: { width: `${share * 100}%` } },
    parts.map((stage) => h("i", { class: stageClass(stage), style: { "flex-grow": Math.max(timings[stage] / total, 0.004) } })));
}

const capital = (word) => word[0].toUpperCase() + word.slice(1);

// An event that is not known here by name is told by what it carries.
function said(detail) {
  const parts = Object.entries(detail).filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && !value.length));
  return parts.map(([name, value]) => (typeof value === "string" ? value : `${name} ${JSON.stringify(value)}`)).join(", ");
}

function told(event, app) {
  const { detail } = event;
  if (event.kind === "data") {
    const who = detail.told ? `${detail.told} told` : "nobody asked for it";
    return { tone: "info", text: app.path(detail.path), more: `data file ${detail.kind}, ${who}` };
  }
  if (event.kind === "tests") {
    const tone = { passed: "good", superseded: "calm" }[detail.outcome] ?? "bad";
    const numbers = [detail.passed && `${detail.passed} passed`, detail.failed && `${detail.failed} failed`, detail.skipped && `${detail.skipped} skipped`].filter(Boolean);
    return { tone, text: `Tests of ${event.report_id}: ${detail.outcome}`, more: numbers.join(", ") || detail.message || "no test was reached", href: "#/tests" };
  }
  if (event.kind === "watcher") return { tone: "warn", text: "Watcher", more: detail.text };
  if (event.kind === "rejected") return { tone: "bad", text: `Rejected ${event.report_id}`, more: detail.why, href: `#/timeline/${event.report_id}` };
  if (event.kind === "paused") return { tone: "warn", text: "Paused", more: "changes wait until they are asked for" };
  const about = event.report_id ? ` ${event.report_id}` : "";
  const href = event.report_id ? `#/timeline/${event.report_id}` : undefined;
  return { tone: "calm", text: (KINDS[event.kind] ?? capital(event.kind)) + about, more: said(detail), href };
}
