// <midflight-panel>: what the running program's reloads do, in a corner of its own page.
// Attributes: `closed` to begin collapsed, `overlay="off"` to show problems in the panel only.

import { Connection } from "./static/js/connection.js";
import { clock, h, icon, ms, subject, where } from "./static/js/dom.js";
import { Overlay } from "./static/js/overlay.js";
import { sheet, THEME, TONES } from "./static/js/theme.js";

const HOME = new URL("./", import.meta.url);
const LATEST = 5;
const MEMORY = "midflight-panel-open";

const STYLE = sheet(THEME, `
  :host { position: fixed; right: 16px; bottom: 16px; z-index: 2147483000; font: 13px/1.45 var(--sans); color: var(--ink);
    text-align: left; max-width: calc(100vw - 24px); }
  :host([hidden]) { display: none; }
  .pill, .card { background: var(--card); border: 1px solid var(--line); box-shadow: var(--shadow); }
  .pill { display: flex; align-items: center; gap: .55em; padding: .45em .8em .45em .65em; border-radius: 99px; max-width: 100%; }
  .pill:hover { border-color: var(--strong-line); }
  .pill .last { color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 16em; }
  .dot { width: 9px; height: 9px; border-radius: 50%; flex: none; background: var(--tone); box-shadow: 0 0 0 3px var(--tone-soft); }
  .flash .dot { animation: flash .7s ease-out; }
  @keyframes flash { 0% { box-shadow: 0 0 0 3px var(--tone-soft); } 30% { box-shadow: 0 0 0 9px var(--tone-soft); } }
  .card { width: 340px; max-width: 100%; border-radius: 14px; overflow: hidden; display: flex; flex-direction: column; max-height: min(34rem, calc(100vh - 32px)); }
  header { display: flex; align-items: center; gap: .6rem; padding: .6rem .5rem .6rem .9rem; border-bottom: 1px solid var(--line); }
  header b { font-weight: 650; } header .state { color: var(--soft); flex: 1; }
  dl { display: grid; grid-template-columns: 1fr 1.1fr 1fr 1.5fr; margin: 0; border-bottom: 1px solid var(--line); }
  dl > div { padding: .6rem .25rem .55rem; text-align: center; display: flex; flex-direction: column-reverse; }
  dl > div + div { border-left: 1px solid var(--line); }
  dt { color: var(--soft); font-size: 11px; } dd { margin: 0; font-size: 17px; font-weight: 650; font-variant-numeric: tabular-nums; }
  .some-failures dd { color: var(--bad); }
  .problem { margin: .6rem .6rem 0; padding: .6rem .7rem; border: 0; border-radius: 9px; background: var(--bad-soft); text-align: left; display: grid; gap: .1rem; }
  .problem code { font: 600 12px var(--mono); color: var(--bad); overflow-wrap: anywhere; }
  .problem span { overflow-wrap: anywhere; }
  ol { list-style: none; margin: 0; padding: .35rem 0; overflow-y: auto; min-height: 3rem; }
  li a { display: grid; grid-template-columns: auto 1fr auto; align-items: center; gap: .55rem; padding: .3rem .9rem; color: inherit; text-decoration: none; }
  li a:hover { background: var(--sunk); }
  li .what { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  li .badge { font-size: 12px; }
  li .took { color: var(--soft); font-variant-numeric: tabular-nums; font-size: 12px; }
  li.new a { animation: arrive 1.2s ease-out; }
  @keyframes arrive { from { background: var(--act-soft); } }
  .none { padding: .7rem .9rem; color: var(--soft); margin: 0; }
  footer { display: flex; gap: .5rem; padding: .6rem; border-top: 1px solid var(--line); }
  footer .button { flex: 1; }
  footer .button.wide { flex: 0 0 auto; }
  .said { padding: 0 .9rem .5rem; margin: 0; color: var(--bad); }
  @media (max-width: 480px) {
    :host { right: 8px; bottom: 8px; max-width: calc(100vw - 16px); }
    :host([open]) { left: 8px; }
    .card { width: 100%; max-height: 70vh; }
    .pill { padding: .6em; } .pill .last, .pill .name { display: none; }
    .button { min-height: 40px; }
  }
  @media print { :host { display: none; } }
`);

const STATES = {
  running: ["good", "Active"],
  paused: ["warn", "Paused, changes wait"],
  stopped: ["calm", "Inactive"],
  lost: ["calm", "No connection"],
  locked: ["calm", "Not logged in"],
  failing: ["bad", "A save was not taken"],
};

class Panel extends HTMLElement {
  #reports = [];
  #fresh = "";

  connectedCallback() {
    if (this.shadowRoot) return;
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [STYLE];
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "midflight: hot reload");
    this.spoken = h("div.hidden", { "aria-live": "polite", role: "status" });
    this.place = h("div", {});
    this.shadowRoot.append(this.place, this.spoken);
    this.shadowRoot.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.open) this.#toggle(false);
    });
    this.open = remembered() ?? !this.hasAttribute("closed");
    if (remembered() === null && matchMedia("(max-width: 480px)").matches) this.open = false;
    this.#listen();
    this.#draw();
  }

  disconnectedCallback() {
    this.line?.close();
  }

  #listen() {
    const line = (this.line = new Connection(HOME));
    line.addEventListener("report", ({ detail }) => this.#took(detail));
    line.addEventListener("restart", () => (this.#reports = []));
    for (const kind of ["now", "line", "caught up"]) line.addEventListener(kind, () => this.#drawSoon());
    line.addEventListener("event", ({ detail }) => this.dispatchEvent(new CustomEvent("midflight-event", { detail })));
    line.start();
  }

  #took({ report, live }) {
    this.#reports = [report, ...this.#reports].slice(0, LATEST);
    if (live) {
      this.#fresh = report.id;
      this.#say(`${subject(report)}: ${report.outcome}`);
      this.dispatchEvent(new CustomEvent("midflight-report", { detail: report, bubbles: true, composed: true }));
    }
    this.#drawSoon();
  }

  // However fast reports come, the panel is drawn once a frame.
  #drawSoon() {
    this.soon ??= requestAnimationFrame(() => {
      this.soon = null;
      this.#draw();
    });
  }

  #say(text) {
    this.spoken.textContent = text;
  }

  get #state() {
    const { line, now } = this.line;
    if (line === "locked") return "locked";
    if (line === "lost" || !now) return "lost";
    return now.problems.length ? "failing" : now.status;
  }

  #toggle(open) {
    this.open = open;
    try {
      localStorage.setItem(MEMORY, open ? "1" : "0");
    } catch {
      // a page may forbid storage; then it is not remembered
    }
    this.#draw();
    this.shadowRoot.querySelector(open ? ".collapse" : ".pill").focus();
  }

  #draw() {
    const focused = this.shadowRoot.activeElement?.dataset.key;
    const [tone, text] = STATES[this.#state];
    this.dataset.state = this.#state;
    this.toggleAttribute("open", this.open);
    this.place.replaceChildren(this.open ? this.#card(tone, text) : this.#pill(tone, text));
    if (focused) this.shadowRoot.querySelector(`[data-key="${focused}"]`)?.focus();
    this.#drawOverlay();
  }

  #pill(tone, text) {
    const last = this.#reports[0];
    const label = this.#state === "running" && last ? `${subject(last)} ${last.outcome}, ${ms(last.timings_ms.total)}` : text;
    return h("button.pill", { type: "button", class: `tone-${tone}${this.#fresh ? " flash" : ""}`, "aria-expanded": "false", "data-key": "toggle",
      "aria-label": `midflight: ${label}. Open the panel`, onclick: () => this.#toggle(true) },
      h("span.dot"), h("b.name", {}, "midflight"), h("span.last", {}, label));
  }

  #card(tone, text) {
    const { now } = this.line;
    const counts = now?.counts ?? { reloads: 0, successes: 0, failures: 0, cached_modules: 0 };
    const number = (name, value) => h("div", { class: name === "Failures" && value ? "some-failures" : "" }, h("dt", {}, name), h("dd", {}, value));
    return h("div.card", { class: this.#fresh ? "flash" : "" },
      h("header", { class: `tone-${tone}` }, h("span.dot"), h("b", {}, "midflight"), h("span.state", {}, text),
        h("button.button.bare.collapse", { type: "button", "aria-label": "Collapse the panel", "aria-expanded": "true", "data-key": "toggle", onclick: () => this.#toggle(false) }, icon("down"))),
      h("dl", {}, number("Reloads", counts.reloads), number("Successes", counts.successes), number("Failures", counts.failures), number("Cached modules", counts.cached_modules)),
      now?.problems.length ? this.#problem(now.problems) : null,
      this.#list(),
      this.said ? h("p.said", { role: "alert" }, this.said) : null,
      this.#buttons(now));
  }

  #problem([first, ...others]) {
    return h("button.problem", { type: "button", "data-key": "problem", onclick: () => this.#showProblems() },
      h("code", {}, where(first, this.line.now.root)), h("span", {}, first.message, others.length ? ` (and ${others.length} more)` : ""));
  }

  #list() {
    if (!this.#reports.length) return h("p.none", {}, "Nothing was reloaded yet. Save a file of the program.");
    const fresh = this.#fresh;
    this.#fresh = "";
    return h("ol", { "aria-label": "Last reports" }, this.#reports.map((report) =>
      h("li", { class: report.id === fresh ? "new" : "" },
        h("a", { href: new URL(`#/timeline/${report.id}`, HOME).href, target: "midflight-devtools", "data-key": report.id, title: `${report.id} at ${clock(report.at)}` },
          h("span.badge", { class: `tone-${TONES[report.outcome]}` }, icon(report.outcome, { size: 13, label: report.outcome })),
          h("span.what", {}, subject(report)),
          h("span.took", {}, report.outcome === "unchanged" ? "" : ms(report.timings_ms.total))))));
  }

  #buttons(now) {
    const paused = now?.status === "paused";
    const off = !now || this.line.line === "lost" || this.line.line === "locked";
    return h("footer", {},
      h("button.button.main.reload", { type: "button", disabled: off || this.busy, "data-key": "reload", onclick: () => this.#ask("api/reload") }, icon("reload"), this.busy ? "Reloading…" : "Reload"),
      h("button.button.pause", { type: "button", disabled: off, "data-key": "pause", "aria-pressed": String(paused), onclick: () => this.#ask(paused ? "api/resume" : "api/pause") }, icon(paused ? "play" : "pause"), paused ? "Resume" : "Pause"),
      h("a.button.wide", { href: HOME.href, target: "midflight-devtools", "aria-label": "Open the DevTools", title: "Open the DevTools", "data-key": "open" }, icon("open")));
  }

  async #ask(path) {
    this.busy = path === "api/reload";
    this.said = "";
    this.#draw();
    try {
      const answer = await this.line.post(path);
      if (answer.outcome === "unchanged") this.#say("nothing changed");
    } catch (error) {
      this.said = error.message;
    }
    this.busy = false;
    this.#draw();
  }

  #drawOverlay() {
    if (this.getAttribute("overlay") === "off" || !this.line.now || this.line.line === "lost") return;
    this.overlay ??= document.body.appendChild(new Overlay());
    this.overlay.show(this.line.now.problems, this.line, this.line.now.root);
  }

  #showProblems() {
    this.overlay?.reopen();
    this.#drawOverlay();
  }
}

function remembered() {
  try {
    const found = localStorage.getItem(MEMORY);
    return found === null ? null : found === "1";
  } catch {
    return null;
  }
}

if (!customElements.get("midflight-panel")) customElements.define("midflight-panel", Panel);
if (!document.querySelector("midflight-panel")) document.body.append(document.createElement("midflight-panel"));
