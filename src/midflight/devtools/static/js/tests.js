// How the tests that each edit reached ended.

import { clock, h } from "./dom.js";
import { testRun } from "./report.js";

export class Tests {
  constructor(app) {
    this.app = app;
    this.body = h("div", {});
    this.element = h("section.page", {}, h("header.page-head", {}, h("h1", {}, "Tests")), this.body);
  }

  enter() {
    this.#load();
  }

  event(event) {
    if (event.kind === "tests" && this.app.place === this) this.#load();
  }

  async #load() {
    try {
      const { setting, runs } = await this.app.line.get("api/tests");
      this.body.replaceChildren(...(runs.length ? runs.map((run) => this.#run(run)) : [none(setting)]));
    } catch (error) {
      this.body.replaceChildren(h("div.empty", {}, h("h2", {}, error.what ?? "No answer")));
    }
  }

  #run(run) {
    return h("section.part.card-like", {}, h("h2", {}, h("a", { href: `#/timeline/${run.report}` }, run.report), h("span.quiet", {}, ` ${clock(run.at)}`)), testRun(run, this.app));
  }
}

function none(setting) {
  const off = setting === "off";
  return h("div.empty", {}, h("h2", {}, off ? "Tests are off" : "No test ran yet"),
    h("p", {}, off ? "With tests = \"subprocess\" in [tool.midflight], the tests that an edit reaches run after each reload." : "Save a file that a test reaches."));
}
