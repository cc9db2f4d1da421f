// The page: its frame, its places, and what every place shows of how things stand.

import { Connection } from "./connection.js";
import { below, h, icon, plural } from "./dom.js";
import { Graph } from "./graph.js";
import { Overlay } from "./overlay.js";
import { Settings } from "./settings.js";
import { Speed } from "./speed.js";
import { Tests } from "./tests.js";
import { sheet, THEME } from "./theme.js";
import { Timeline } from "./timeline.js";
import { Versions } from "./versions.js";

document.adoptedStyleSheets = [sheet(THEME)];

const PLACES = [
  ["timeline", "Timeline", Timeline],
  ["graph", "Graph", Graph],
  ["versions", "Versions", Versions],
  ["speed", "Speed", Speed],
  ["tests", "Tests", Tests],
  ["settings", "Settings", Settings],
];

const STATES = { running: ["good", "Active"], paused: ["warn", "Paused"], stopped: ["calm", "Inactive"] };
const LINES = { lost: ["calm", "No connection"], locked: ["bad", "Logged out"] };

class App {
  constructor() {
    this.line = new Connection(new URL("./", document.baseURI));
    this.places = Object.fromEntries(PLACES.map(([key, , Place]) => [key, new Place(this)]));
    this.overlay = new Overlay();
    this.#frame();
    this.line.addEventListener("now", () => this.#stands());
    this.line.addEventListener("line", () => this.#stands());
    this.line.addEventListener("report", ({ detail }) => this.#each("report", detail));
    for (const kind of ["event", "past event"]) this.line.addEventListener(kind, ({ detail }) => this.#each("event", detail));
    this.line.addEventListener("caught up", () => this.#each("caughtUp"));
    this.line.addEventListener("restart", () => this.#each("restart"));
    addEventListener("hashchange", () => this.#go());
    this.line.start();
    this.#go();
  }

  get root() {
    return this.line.now?.root ?? "";
  }

  #each(what, detail) {
    for (const place of Object.values(this.places)) place[what]?.(detail);
  }

  #frame() {
    this.status = h("div.status", { role: "status" });
    this.reload = h("button.button.main", { type: "button", onclick: () => this.act("api/reload") }, icon("reload"), h("span", {}, "Reload"));
    this.pause = h("button.button.pause", { type: "button", onclick: () => this.act(this.line.now?.status === "paused" ? "api/resume" : "api/pause") });
    this.alarm = h("button.alarm", { type: "button", hidden: true, onclick: () => this.#showProblems() });
    this.main = h("main", { id: "main", tabindex: -1 });
    this.toast = h("div.toasts", { "aria-live": "polite" });
    this.links = PLACES.map(([key, label]) => h("a", { href: `#/${key}`, "data-place": key }, icon(key, { size: 18 }), h("span", {}, label)));
    document.body.append(
      h("a.skip", { href: "#main", onclick: (event) => (event.preventDefault(), this.main.focus()) }, "Skip to the content"),
      h("header.top", {}, h("a.brand", { href: "#/timeline", "aria-label": "midflight DevTools" }, brand(), h("b", {}, "midflight")), this.status, this.alarm, h("div.acts", {}, this.reload, this.pause)),
      h("nav.places", { "aria-label": "Places" }, this.links),
      this.main, this.overlay, this.toast);
    this.#stands();
  }

  #stands() {
    const { now, line } = this.line;
    const [tone, text] = LINES[line] ?? STATES[now?.status] ?? LINES.lost;
    const where = now ? [h("span.root", { title: now.root }, now.root.split("/").pop()), counts(now)] : [];
    this.status.replaceChildren(h("span.state", { class: `tone-${tone}` }, h("span.dot"), text), ...where);
    const off = !now || line in LINES;
    for (const button of [this.reload, this.pause]) button.disabled = off;
    const paused = now?.status === "paused";
    this.pause.replaceChildren(icon(paused ? "play" : "pause"), h("span", {}, paused ? "Resume" : "Pause"));
    this.pause.setAttribute("aria-pressed", String(Boolean(paused)));
    this.#problems(off ? [] : now.problems, off);
    document.title = `${now?.problems.length ? "✗ " : ""}${now ? now.root.split("/").pop() : "midflight"} · DevTools`;
  }

  #problems(problems, off) {
    this.alarm.hidden = !problems.length;
    this.alarm.replaceChildren(icon("refused"), h("span", {}, plural(problems.length, "problem")));
    if (!off) this.overlay.show(problems, this.line, this.root);
  }

  #showProblems() {
    this.overlay.reopen();
    this.#stands();
  }

  #go() {
    const [key, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
    const name = key in this.places ? key : "timeline";
    for (const link of this.links) link.toggleAttribute("aria-current", link.dataset.place === name);
    const place = this.places[name];
    if (this.place !== place) {
      this.place?.leave?.();
      this.place = place;
      this.main.replaceChildren(place.element);
      this.main.dataset.place = name;
    }
    place.enter(rest.join("/"));
  }

  async act(path, body, said) {
    try {
      const answer = await this.line.post(path, body);
      if (said) this.say(said(answer));
      else if (answer.outcome === "unchanged") this.say("Nothing had changed.");
      return answer;
    } catch (error) {
      this.say([error.what, error.why, error.hint].filter(Boolean).join(". "), "bad");
      return null;
    }
  }

  say(text, tone = "calm") {
    const toast = h("div.toast", { class: `tone-${tone}` }, text, h("button.button.bare", { type: "button", "aria-label": "Dismiss", onclick: () => toast.remove() }, icon("close", { size: 13 })));
    this.toast.append(toast);
    setTimeout(() => toast.remove(), tone === "bad" ? 12000 : 5000);
  }

  path(path) {
    return below(path, this.root);
  }
}

function counts({ counts }) {
  return h("span.counts", {}, h("span", {}, plural(counts.reloads, "reload")), counts.failures ? h("b.failures", {}, `${counts.failures} failed`) : null, h("span", {}, plural(counts.cached_modules, "module")));
}

function brand() {
  const mark = document.createElement("img");
  mark.src = new URL("../icon.svg", import.meta.url).href;
  mark.alt = "";
  mark.width = mark.height = 22;
  return mark;
}

customElements.whenDefined("midflight-overlay").then(() => (window.devtools = new App()));
