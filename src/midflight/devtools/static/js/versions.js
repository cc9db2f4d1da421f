// Every version that ran, and the way back to each.

import { clock, day, h, icon } from "./dom.js";
import { goBack } from "./rollback.js";

export class Versions {
  constructor(app) {
    this.app = app;
    this.body = h("div", {});
    this.filter = h("input", { type: "search", placeholder: "Filter by module", "aria-label": "Filter by module", oninput: () => this.#draw() });
    this.element = h("section.page", {},
      h("header.page-head", {}, h("h1", {}, "Versions"), this.filter,
        h("button.button", { type: "button", onclick: () => goBack(app, {}, "the last stable versions") }, icon("rolled back"), "To the last stable…")),
      this.body);
  }

  enter() {
    this.#load();
  }

  report({ live }) {
    if (live && this.app.place === this) this.#loadSoon();
  }

  event(event) {
    if (event.kind === "stable" && this.app.place === this) this.#loadSoon();
  }

  #loadSoon() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.#load(), 150);
  }

  async #load() {
    try {
      this.found = (await this.app.line.get("api/versions?limit=500")).versions;
    } catch (error) {
      return this.body.replaceChildren(h("div.empty", {}, h("h2", {}, error.what), h("p", {}, error.why)));
    }
    this.#draw();
  }

  #draw() {
    const wanted = this.filter.value.trim().toLowerCase();
    const groups = new Map();
    for (const one of this.found ?? []) {
      if (one.module.toLowerCase().includes(wanted)) groups.set(one.module, [...(groups.get(one.module) ?? []), one]);
    }
    if (!groups.size) {
      return this.body.replaceChildren(h("div.empty", {}, h("h2", {}, wanted ? "No module of that name" : "No version yet"), h("p", {}, "A module's versions are kept from its first edit on.")));
    }
    this.body.replaceChildren(...[...groups].map(([module, versions]) => this.#module(module, versions)));
  }

  #module(module, versions) {
    return h("section.part.card-like", {}, h("h2", {}, module),
      h("ol.versions-list", {}, versions.map((one, at) => h("li", {},
        h("code.hash", {}, one.id.split("@").pop()),
        h("span.when", {}, `${day(one.at)}${clock(one.at)}`),
        h("span.why", {}, one.reason, one.author ? h("span.quiet", {}, ` by ${one.author}`) : null),
        h("span.marks", {}, at === 0 ? h("span.tag.tone-info", {}, "newest") : null, one.stable ? h("span.tag.tone-good", {}, "stable") : null),
        h("button.button.small", { type: "button", "aria-label": `Go back to ${one.id}`, onclick: () => goBack(this.app, { version: one.id }, one.id) }, icon("rolled back", { size: 14 }), "Go back…")))));
  }
}
