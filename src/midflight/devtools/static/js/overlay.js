// What keeps a save from being taken, over the page until it is mended. The program runs on with its old code.

import { excerpt } from "./code.js";
import { h, icon, where } from "./dom.js";
import { sheet, THEME } from "./theme.js";

const STYLE = sheet(THEME, `
  :host { position: fixed; inset: 0; z-index: 2147483001; font: 14px/1.55 var(--sans); color: var(--ink); text-align: left; }
  :host([hidden]) { display: none; }
  .back { position: absolute; inset: 0; background: rgb(10 13 18 / .5); backdrop-filter: blur(2px); }
  .card { position: absolute; inset: 0; margin: auto; width: min(52rem, calc(100% - 2rem)); height: fit-content; max-height: calc(100% - 2rem);
    display: flex; flex-direction: column; background: var(--card); border-radius: 12px; box-shadow: var(--shadow);
    border: 1px solid var(--line); overflow: hidden; animation: come .16s ease-out; }
  .card::before { content: ""; height: 4px; background: var(--bad); flex: none; }
  @keyframes come { from { transform: translateY(8px); opacity: 0; } }
  header { display: flex; align-items: center; gap: .75rem; padding: 1rem 1.25rem .25rem; }
  h2 { margin: 0; font-size: 1.05rem; flex: 1; }
  .body { padding: .25rem 1.25rem 1rem; overflow-y: auto; display: grid; gap: 1.25rem; }
  .still { margin: 0; color: var(--soft); }
  article { display: grid; gap: .5rem; min-width: 0; }
  h3 { margin: 0; font: 600 13px/1.4 var(--mono); color: var(--bad); overflow-wrap: anywhere; }
  .message { margin: 0; font-weight: 600; overflow-wrap: anywhere; white-space: pre-wrap; }
  .why, .hint { margin: 0; color: var(--soft); }
  .hint b { color: var(--ink); font-weight: 600; }
  .chip { font: 600 11px/1 var(--mono); padding: .3em .5em; border-radius: 5px; background: var(--bad-soft); color: var(--bad); margin-left: .6em; }
  .copy { float: right; border: 1px solid var(--line); border-radius: 6px; background: none; color: var(--soft); font: 500 12px/1 var(--sans); padding: .35em .6em; }
  .copy:hover { background: var(--sunk); color: var(--ink); }
  footer { display: flex; gap: .75rem; align-items: center; padding: .75rem 1.25rem; border-top: 1px solid var(--line); color: var(--soft); font-size: 13px; }
  footer span { flex: 1; }
  .card:focus { outline: none; }
  @media (hover: none) { kbd { display: none; } }
`);

export class Overlay extends HTMLElement {
  #dismissed = "";
  #shown = "";

  connectedCallback() {
    if (this.shadowRoot) return;
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [STYLE];
    this.hidden = true;
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.hidden) this.dismiss();
    });
  }

  // `problems` as in "now"; `line` asks for the report's excerpts.
  async show(problems, line, root) {
    const key = problems.map((one) => `${one.report} ${one.path} ${one.line} ${one.message}`).join("\n");
    if (key === this.#shown) return;
    this.#shown = key;
    if (!problems.length || key === this.#dismissed) return this.#hide();
    const view = await views(problems, line);
    if (key !== this.#shown) return;
    this.shadowRoot.replaceChildren(this.#drawn(problems, view, root));
    this.hidden = false;
    if (!typing()) this.shadowRoot.querySelector(".card").focus({ preventScroll: true });
  }

  dismiss() {
    this.#dismissed = this.#shown;
    this.#hide();
  }

  reopen() {
    this.#dismissed = this.#shown = "";
  }

  #hide() {
    this.hidden = true;
    this.shadowRoot.replaceChildren();
  }

  #drawn(problems, view, root) {
    const files = new Set(problems.map((one) => one.path)).size;
    const title = files > 1 ? `${files} files were not taken` : "This save was not taken";
    const close = h("button.button.bare.close", { type: "button", "aria-label": "Dismiss", onclick: () => this.dismiss() }, icon("close"));
    return h("div", {},
      h("div.back", { onclick: () => this.dismiss() }),
      h("section.card", { tabindex: -1, role: "alertdialog", "aria-labelledby": "title", "aria-describedby": "still" },
        h("header", {}, h("span.badge.tone-bad", {}, icon("refused")), h("h2", { id: "title" }, title), close),
        h("div.body", {},
          h("p.still", { id: "still" }, "The program runs on with its old code."),
          problems.map((one, at) => article(one, view[at] ?? {}, root))),
        h("footer", {}, h("span", {}, "It goes away as soon as the file is mended."), h("kbd", {}, "Esc"))));
  }
}

// What each problem's report shows of it, in the order of `problems`.
async function views(problems, line) {
  const ids = [...new Set(problems.map((one) => one.report))];
  const shown = await Promise.all(ids.map((id) => line.get(`api/reports/${id}`).then((report) => report.view.problems, () => [])));
  const left = new Map(ids.map((id, at) => [id, [...shown[at]]]));
  return problems.map((one) => left.get(one.report).shift());
}

// Whoever is writing something must not lose the keyboard to us.
const typing = () => document.activeElement?.matches("input, textarea, select, [contenteditable]");

function article(problem, view, root) {
  return h("article", {},
    h("h3", {}, where(problem, root), h("span.chip", {}, problem.code), copier(problem)),
    h("p.message", {}, problem.message),
    excerpt(view.excerpt ?? [], problem.line),
    view.explanation ? h("p.why", {}, view.explanation) : null,
    problem.hint ? h("p.hint", {}, h("b", {}, "What to do: "), problem.hint) : null);
}

// For the editor's "go to file".
function copier({ path, line }) {
  const button = h("button.copy", { type: "button", onclick: async () => {
    await navigator.clipboard.writeText(line ? `${path}:${line}` : path);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy path"), 1500);
  } }, "Copy path");
  return window.isSecureContext ? button : null;
}

if (!customElements.get("midflight-overlay")) customElements.define("midflight-overlay", Overlay);
