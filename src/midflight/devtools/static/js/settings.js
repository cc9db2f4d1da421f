// Every setting, its value, and where that came from.

import { h } from "./dom.js";

export class Settings {
  constructor(app) {
    this.app = app;
    this.body = h("div", {});
    this.filter = h("input", { type: "search", placeholder: "Filter", "aria-label": "Filter settings", oninput: () => this.#draw() });
    this.element = h("section.page", {}, h("header.page-head", {}, h("h1", {}, "Settings"), this.filter), this.body);
  }

  async enter() {
    try {
      this.found = await this.app.line.get("api/settings");
      this.#draw();
    } catch (error) {
      this.body.replaceChildren(h("div.empty", {}, h("h2", {}, error.what ?? "No answer")));
    }
  }

  #draw() {
    const { settings, root, store } = this.found;
    const wanted = this.filter.value.trim().toLowerCase();
    const rows = settings.filter((one) => `${one.name} ${one.origin}`.toLowerCase().includes(wanted));
    this.body.replaceChildren(
      h("dl.facts", {}, h("div", {}, h("dt", {}, "project"), h("dd", {}, root)), h("div", {}, h("dt", {}, "store"), h("dd", {}, store))),
      h("div.scroll.card-like", { tabindex: 0, role: "region", "aria-label": "Settings" }, h("table.grid.stack", {},
        h("thead", {}, h("tr", {}, h("th", {}, "Setting"), h("th", {}, "Value"), h("th", {}, "From"))),
        h("tbody", {}, rows.map((one) => h("tr", { class: one.origin === "default" ? "is-default" : "" },
          h("td", {}, h("code", {}, one.name)), h("td.value", {}, shown(one.value)), h("td.origin", {}, one.origin)))))));
  }
}

function shown(value) {
  if (value === null || value === "" || (Array.isArray(value) && !value.length)) return h("span.quiet", {}, "none");
  if (value === true) return "yes";
  if (value === false) return "no";
  return Array.isArray(value) ? value.join(", ") : String(value);
}
