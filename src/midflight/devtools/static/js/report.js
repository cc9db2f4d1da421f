// One report in full: what changed, what that did to the running program, what stood in the way.

import { diff, excerpt } from "./code.js";
import { clock, day, h, icon, ms, plural, where } from "./dom.js";
import { goBack } from "./rollback.js";
import { TONES } from "./theme.js";

const DID = {
  ran: ["Ran", "These statements ran again: they were edited, or what they read changed."],
  grafted: ["Grafted", "These got new code in place. Whoever holds them has it."],
  rebound: ["Rebound", "These names were brought up to date with a value that changed elsewhere."],
  kept: ["Kept", "State that the program built up. It was made from something that changed, and stays as it is."],
  removed: ["Removed", "These names are gone."],
};
const SAID = {
  committed: "The program took the new code.",
  unchanged: "Nothing had changed for the running program.",
  refused: "Nothing was touched. The program runs on with its old code.",
  "rolled back": "The new code failed and was taken back. The program is as it was before.",
};
const STAGES = ["preflight", "apply", "validate", "commit", "roll back"];

export class ReportView {
  constructor(app) {
    this.app = app;
    this.element = h("article.detail", { "aria-label": "Report", tabindex: -1 });
  }

  async show(id) {
    if (!id || id === this.id) return;
    this.id = id;
    await this.refresh();
  }

  async refresh() {
    const { id } = this;
    try {
      const report = await this.app.line.get(`api/reports/${encodeURIComponent(id)}`);
      if (id === this.id) this.element.replaceChildren(...this.#drawn(report).filter(Boolean));
    } catch (error) {
      this.element.replaceChildren(h("div.empty", {}, h("h2", {}, error.what ?? "No answer"), h("p", {}, error.why ?? "")));
    }
  }

  #drawn(report) {
    const { view } = report;
    return [
      this.#head(report),
      report.problems.length ? section("Problems", report.problems.map((one, at) => this.#problem(one, view.problems[at]))) : null,
      timings(report),
      ...Object.entries(report.modules).map(([name, module]) => this.#module(name, module, view.diffs[name], report)),
      view.notes.length ? section("Worth knowing", h("ul.notes", {}, view.notes.map(note))) : null,
      report.old_frames.length ? this.#oldFrames(report) : null,
      ...view.tests.map((run) => section("Tests", testRun(run, this.app))),
    ];
  }

  #head(report) {
    const tone = TONES[report.outcome];
    const can = report.outcome === "committed";
    return h("header.head", {},
      h("a.button.bare.back", { href: "#/timeline", "aria-label": "Back to the timeline" }, icon("back")),
      h("span.badge.big", { class: `tone-${tone}` }, icon(report.outcome, { size: 18 })),
      h("div.title", {},
        h("h1", {}, h("span.outcome", { class: `tone-${tone}` }, report.outcome), " ", h("span.id", {}, report.id)),
        h("p", {}, SAID[report.outcome]),
        h("p.quiet", {}, `${day(report.at)}${clock(report.at)} · asked for by ${report.cause}`)),
      can ? h("button.button.go-back", { type: "button", onclick: () => goBack(this.app, { version: report.id }, `the whole program as of ${report.id}`) }, icon("rolled back"), "Go back to here…") : null);
  }

  #problem(problem, view = {}) {
    return h("div.problem", {},
      h("p.place", {}, where(problem, this.app.root), h("span.tag.tone-bad", {}, problem.code)),
      h("p.message", {}, problem.message),
      excerpt(view.excerpt ?? [], problem.line),
      view.explanation ? h("p.why", {}, view.explanation) : null,
      problem.hint ? h("p.hint", {}, h("b", {}, "What to do: "), problem.hint) : null);
  }

  #module(name, module, rows, report) {
    const did = Object.entries(DID).filter(([key]) => module[key].length);
    const open = Object.keys(report.modules).length <= 4 || did.length;
    return h("details.module", { open: Boolean(open) },
      h("summary", {}, h("h2", {}, name), h("span.path", {}, this.app.path(module.path)), h("span.versions", {}, short(module.before, "new"), h("span.arrow", {}, "→"), short(module.after, "gone"))),
      did.length ? h("dl.did", {}, did.map(([key, [label, title]]) => [
        h("dt", { title }, h("span.kind", { class: `kind-${key}` }, label)),
        h("dd", {}, module[key].map((one) => h("code.name", {}, one)), h("span.hint", {}, title))])) : null,
      rows?.length === 0 ? null : diff(rows ?? null));
  }

  #oldFrames(report) {
    return section("Still on old code", h("p.quiet", {}, "What was running finishes with the old code; the next call is new."),
      h("ul.plain", {}, report.old_frames.map((frame) => h("li", {}, h("code.name", {}, frame.name), h("span.quiet", {}, ` ${frame.kind}, ${this.app.path(frame.path)}:${frame.line}${frame.thread ? `, thread ${frame.thread}` : ""}`)))));
  }
}

export function section(title, ...children) {
  return h("section.part", {}, h("h2", {}, title), ...children);
}

function short(version, otherwise) {
  return h("code", { title: version ? `SHA-256 ${version}` : "" }, version ? version.slice(0, 7) : otherwise);
}

function timings(report) {
  const parts = STAGES.filter((stage) => report.timings_ms[stage] !== undefined);
  if (!parts.length) return null;
  const total = report.timings_ms.total || 1;
  const share = (stage) => Math.max(report.timings_ms[stage] / total, 0.004);
  return h("section.part.timings", { "aria-label": "Timings" },
    h("div.stages.wide", { "aria-hidden": "true" }, parts.map((stage) => h("i", { class: `stage-${stage.replace(" ", "-")}`, style: { "flex-grow": share(stage) } }))),
    h("dl.legend", {}, parts.map((stage) => h("div", {}, h("dt", { class: `stage-${stage.replace(" ", "-")}` }, h("span", {}, stage)), h("dd", {}, ms(report.timings_ms[stage])))),
      h("div", {}, h("dt.total", {}, "total"), h("dd", {}, ms(report.timings_ms.total)))));
}

function note({ text, explanation }) {
  return h("li", {}, h("span", {}, text), explanation ? h("p.why", {}, explanation) : null);
}

export function testRun(run, app) {
  const tone = { passed: "good", superseded: "calm" }[run.outcome] ?? "bad";
  const numbers = [run.passed && `${run.passed} passed`, run.failed && `${run.failed} failed`, run.skipped && `${run.skipped} skipped`].filter(Boolean).join(", ");
  return h("div.test-run", {},
    h("p", {}, h("span.tag", { class: `tone-${tone}` }, run.outcome), " ", numbers || run.message || "no test was reached", run.ms ? h("span.quiet", {}, ` in ${ms(run.ms)}`) : null),
    run.files?.length ? h("p.quiet", {}, `${plural(run.files.length, "file")}: ${run.files.join(", ")}`) : null,
    (run.failures ?? []).map((one) => h("div.problem", {}, h("p.place", {}, `${app.path(one.path)}${one.line ? `:${one.line}` : ""}`, h("span.tag.tone-bad", {}, one.name)), h("p.message", {}, one.message))));
}
