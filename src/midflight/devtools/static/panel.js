// <midflight-panel>: what the running program's reloads do, in a corner of its own page.
// Attributes: `closed` to begin collapsed, `overlay="off"` to show problems in the panel only.

import { Connection } from "./static/js/connection.js";
import { clock, h, icon, ms, subject, where } from "./static/js/dom.js";
import { Overlay } from "./static/js/overlay.js";
import { sheet, THEME, TONES } from "./static/js/theme.js";

const HOME = new URL("./", import.meta.url);
const LATEST = 5;
const MEMORY = "midflight-panel-open";
const NUMBERS = [["reloads", "Reloads"], ["successes", "Successes"], ["failures", "Failures"], ["cached_modules", "Cached modules"]];

const STYLE = sheet(THEME, `
  :host { position: fixed; right: 16px; bottom: 16px; z-index: 2147483000; font: 13px/1.45 var(--sans); color: var(--ink);
    text-align: left; max-width: calc(100vw - 24px); }
  :host([hidden]), [hidden] { display: none !important; }
  .pill, .card { background: var(--card); border: 1px solid var(--line); box-shadow: var(--shadow); }
  .pill { display: flex; align-items: center; gap: .55em; padding: .45em .8em .45em .65em; border-radius: 99px; max-width: 100%; }
  .pill:hover { border-color: var(--strong-line); }
  .pill .last { color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 16em; }
  .dot { width: 9px; height: 9px; border-radius: 50%; flex: none; background: var(--tone); box-shadow: 0 0 0 3px var(--tone-soft); }
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
  .said { padding: 0 .9rem .5rem; margin: 0; color: var(--bad); } .said:empty { display: none; }
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

// Built once and then only changed: what is drawn anew under a finger or a mouse loses its click.
class Panel extends HTMLElement {
  #reports = [];

  connectedCallback() {
    if (this.shadowRoot) return;
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [STYLE];
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "midflight: hot reload");
    this.line = new Connection(HOME);
    this.#build();
    this.open = remembered() ?? (!this.hasAttribute("closed") && !matchMedia("(max-width: 480px)").matches);
    this.#listen();
    this.#draw();
  }

  disconnectedCallback() {
    this.line?.close();
  }

  #listen() {
    const { line } = this;
    line.addEventListener("report", ({ detail }) => this.#took(detail));
    line.addEventListener("restart", () => (this.#reports = []));
    for (const kind of ["now", "line", "caught up"]) line.addEventListener(kind, () => this.#drawSoon());
    line.addEventListener("event", ({ detail }) => this.dispatchEvent(new CustomEvent("midflight-event", { detail })));
    this.shadowRoot.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.open) this.#toggle(false);
    });
    line.start();
  }

  #build() {
    const button = (name, act, ...inner) => h(`button.button.${name}`, { type: "button", onclick: act }, ...inner);
    this.label = h("span.last");
    this.pill = h("button.pill", { type: "button", "aria-expanded": "false", onclick: () => this.#toggle(true) }, h("span.dot"), h("b.name", {}, "midflight"), this.label);
    this.state = h("span.state");
    this.collapse = button("bare.collapse", () => this.#toggle(false), icon("down"));
    this.collapse.setAttribute("aria-label", "Collapse the panel");
    this.collapse.setAttribute("aria-expanded", "true");
    this.header = h("header", {}, h("span.dot"), h("b", {}, "midflight"), this.state, this.collapse);
    this.numbers = Object.fromEntries(NUMBERS.map(([key, name]) => [key, h("dd", {}, "0")]));
    this.problem = h("button.problem", { type: "button", hidden: true, onclick: () => this.#showProblems() }, h("code"), h("span"));
    this.none = h("p.none", {}, "Nothing was reloaded yet. Save a file of the program.");
    this.list = h("ol", { "aria-label": "Last reports" });
    this.said = h("p.said", { role: "alert" });
    this.reload = button("main.reload", () => this.#ask("api/reload"), icon("reload"), h("span", {}, "Reload"));
    this.pause = button("pause", () => this.#ask(this.line.now?.status === "paused" ? "api/resume" : "api/pause"));
    const devtools = h("a.button.wide", { href: HOME.href, target: "midflight-devtools", "aria-label": "Open the DevTools", title: "Open the DevTools" }, icon("open"));
    this.card = h("div.card", {}, this.header,
      h("dl", {}, NUMBERS.map(([key, name]) => h("div", {}, h("dt", {}, name), this.numbers[key]))),
      this.problem, this.none, this.list, this.said, h("footer", {}, this.reload, this.pause, devtools));
    this.spoken = h("div.hidden", { "aria-live": "polite", role: "status" });
    this.shadowRoot.append(this.pill, this.card, this.spoken);
  }

  #took({ report, live }) {
    this.#reports = [report, ...this.#reports].slice(0, LATEST);
    if (live) {
      this.#say(`${subject(report)}: ${report.outcome}`);
      this.dispatchEvent(new CustomEvent("midflight-report", { detail: report, bubbles: true, composed: true }));
    }
    this.fresh = live;
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
    (open ? this.collapse : this.pill).focus();
  }

  #draw() {
    const { now, line } = this.line;
    const [tone, text] = STATES[this.#state];
    const [last] = this.#reports;
    const label = this.#state === "running" && last ? `${subject(last)} ${last.outcome}, ${ms(last.timings_ms.total)}` : text;
    this.dataset.state = this.#state;
    this.toggleAttribute("open", this.open);
    this.pill.hidden = this.open;
    this.card.hidden = !this.open;
    this.pill.className = `pill tone-${tone}`;
    this.header.className = `tone-${tone}`;
    this.pill.setAttribute("aria-label", `midflight: ${label}. Open the panel`);
    this.label.textContent = label;
    this.state.textContent = text;
    for (const [key] of NUMBERS) this.numbers[key].textContent = now?.counts[key] ?? 0;
    this.numbers.failures.parentElement.classList.toggle("some-failures", Boolean(now?.counts.failures));
    this.#drawProblem(now?.problems ?? []);
    this.#drawList();
    this.#drawButtons(now, !now || line === "lost" || line === "locked");
    if (this.fresh) this.#flash();
    this.#drawOverlay();
  }

  #flash() {
    this.fresh = false;
    const dot = (this.open ? this.header : this.pill).querySelector(".dot");
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) dot.animate([{}, { boxShadow: "0 0 0 9px var(--tone-soft)", offset: 0.3 }, {}], 700);
  }

  #drawProblem([first, ...others]) {
    this.problem.hidden = !first;
    if (!first) return;
    const [code, span] = this.problem.children;
    code.textContent = where(first, this.line.now.root);
    span.textContent = first.message + (others.length ? ` (and ${others.length} more)` : "");
  }

  #drawList() {
    this.none.hidden = this.#reports.length > 0;
    this.list.hidden = !this.#reports.length;
    const known = new Map([...this.list.children].map((item) => [item.dataset.report, item]));
    const items = this.#reports.map((report) => known.get(report.id) ?? entry(report));
    for (const item of known.values()) if (!items.includes(item)) item.remove();
    items.forEach((item, at) => this.list.children[at] === item || this.list.insertBefore(item, this.list.children[at] ?? null));
  }

  #drawButtons(now, off) {
    const paused = now?.status === "paused";
    this.reload.disabled = off || Boolean(this.busy);
    this.reload.lastChild.textContent = this.busy ? "Reloading…" : "Reload";
    this.pause.disabled = off;
    if (this.pause.getAttribute("aria-pressed") === String(paused)) return;
    this.pause.setAttribute("aria-pressed", String(paused));
    this.pause.replaceChildren(icon(paused ? "play" : "pause"), paused ? "Resume" : "Pause");
  }

  async #ask(path) {
    this.busy = path === "api/reload";
    this.said.textContent = "";
    this.#draw();
    try {
      const answer = await this.line.post(path);
      if (answer.outcome === "unchanged") this.#say("nothing changed");
    } catch (error) {
      this.said.textContent = error.message;
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

function entry(report) {
  return h("li.new", { "data-report": report.id },
    h("a", { href: new URL(`#/timeline/${report.id}`, HOME).href, target: "midflight-devtools", title: `${report.id} at ${clock(report.at)}` },
      h("span.badge", { class: `tone-${TONES[report.outcome]}` }, icon(report.outcome, { size: 13, label: report.outcome })),
      h("span.what", {}, subject(report)),
      h("span.took", {}, report.outcome === "unchanged" ? "" : ms(report.timings_ms.total))));
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
