// How long reloads take, stage by stage; which modules are slow; memory; who is still on old code.

import { clock, h, ms, size } from "./dom.js";

const STAGES = ["preflight", "apply", "validate", "commit", "roll back"];

export class Speed {
  constructor(app) {
    this.app = app;
    this.stages = h("div.chart", { role: "img" });
    this.memory = h("div.chart.low", { role: "img" });
    this.rest = h("div", {});
    this.numbers = h("dl.numbers", {});
    this.element = h("section.page", {}, h("header.page-head", {}, h("h1", {}, "Speed")), this.numbers,
      h("section.part.card-like", {}, h("h2", {}, "Latency by stage"), this.stages),
      h("section.part.card-like", {}, h("h2", {}, "Memory of the program"), this.memory), this.rest);
    new ResizeObserver(() => this.#fit()).observe(this.element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.found && this.#draw());
  }

  enter() {
    this.#load();
  }

  leave() {
    clearTimeout(this.soon);
  }

  report({ live }) {
    if (!live || this.app.place !== this) return;
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.#load(), 300);
  }

  async #load() {
    try {
      this.found = await this.app.line.get("api/profile");
      this.#draw();
    } catch (error) {
      this.rest.replaceChildren(h("div.empty", {}, h("h2", {}, error.what ?? "No answer")));
    }
  }

  #draw() {
    const { points, slowest, memory, old_code: old } = this.found;
    for (const chart of this.charts ?? []) chart.destroy();
    this.charts = [];
    const totals = points.map((one) => one.timings_ms.total ?? 0).sort((a, b) => a - b);
    const at = (share) => totals[Math.min(totals.length - 1, Math.floor(totals.length * share))];
    this.numbers.replaceChildren(...(totals.length ? [number("reloads", points.length), number("median", ms(at(0.5))), number("95th percentile", ms(at(0.95))), number("slowest", ms(totals.at(-1))), number("memory", memory.length ? size(memory.at(-1).rss) : "–")] : []));
    if (points.length > 1) this.#stagesChart(points);
    else this.stages.replaceChildren(h("p.quiet", {}, "Two reloads make a line."));
    if (memory.length > 1) this.#memoryChart(memory);
    else this.memory.replaceChildren(h("p.quiet", {}, "It is measured at each reload."));
    this.rest.replaceChildren(slowTable(slowest), oldTable(old, this.app));
  }

  #stagesChart(points) {
    const used = STAGES.filter((stage) => points.some((one) => one.timings_ms[stage]));
    // Stacked: each line is the sum of its stage and those before it, drawn from the top down.
    const sums = points.map((one) => {
      let sum = 0;
      return used.map((stage) => (sum += one.timings_ms[stage] ?? 0));
    });
    const series = used.map((stage, place) => ({ stage, values: sums.map((sum) => sum[place]), own: points.map((one) => one.timings_ms[stage] ?? 0) })).reverse();
    this.stages.replaceChildren();
    this.stages.setAttribute("aria-label", `Latency by stage of the last ${points.length} reloads; the numbers are above and in the table below`);
    this.charts.push(chart(this.stages, 260, {
      label: (_, at) => points[at] ? `${points[at].id} ${clock(points[at].at)}` : "",
      ticks: (places) => places.map((at) => points[at]?.id ?? ""),
      value: (value) => ms(value),
      data: [points.map((_, at) => at), ...series.map((one) => one.values)],
      bands: series.slice(1).map((_, at) => ({ series: [at + 1, at + 2] })),
      series: series.map((one) => ({ label: one.stage, colour: stageColour(one.stage), fill: "8c", value: (_, __, ___, at) => (at === null ? "–" : ms(one.own[at])) })),
    }));
  }

  #memoryChart(memory) {
    this.memory.replaceChildren();
    this.memory.setAttribute("aria-label", `Memory at the last ${memory.length} reloads, now ${size(memory.at(-1).rss)}`);
    this.charts.push(chart(this.memory, 150, {
      label: (_, at) => memory[at] ? clock(memory[at].at) : "",
      ticks: (places) => places.map((at) => (memory[at] ? clock(memory[at].at) : "")),
      value: size,
      data: [memory.map((_, at) => at), memory.map((one) => one.rss)],
      series: [{ label: "resident", colour: css("--act"), fill: "2e", value: (_, value) => (value === null ? "–" : size(value)) }],
    }));
  }

  #fit() {
    for (const chart of this.charts ?? []) chart.setSize({ width: chart.root.parentElement.clientWidth, height: chart.height });
  }
}

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const stageColour = (stage) => css(`--stage-${stage === "roll back" ? "undo" : stage}`);

function chart(place, height, { label, ticks, value, data, series, bands = [] }) {
  const axis = { stroke: css("--soft"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 }, font: `12px ${css("--sans")}` };
  return new window.uPlot({
    width: place.clientWidth || 600, height, padding: [10, 12, 0, 4],
    scales: { x: { time: false }, y: { range: (_, __, most) => [0, (most || 1) * 1.08] } },
    bands,
    cursor: { points: { size: 7 }, y: false },
    // With nobody pointing, the legend tells of the newest.
    hooks: { ready: [newest], setCursor: [(self) => self.cursor.idx == null && newest(self)] },
    axes: [{ ...axis, space: 90, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500], values: (_, places) => ticks(places) }, { ...axis, size: 66, values: (_, found) => found.map((one) => value(one)) }],
    series: [{ label: "report", value: (self, _, __, at) => (at === null ? "–" : label(self, at)) },
      ...series.map((one) => ({ label: one.label, stroke: one.colour, width: 1.5, fill: one.colour + one.fill, points: { show: data[0].length < 40, size: 5 }, value: one.value }))],
  }, data, place);
}

const newest = (self) => self.setLegend({ idx: self.data[0].length - 1 });

function number(name, value) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}

function slowTable(rows) {
  if (!rows.length) return h("div", {});
  const worst = Math.max(...rows.map((one) => one.worst_ms));
  return h("section.part.card-like", {}, h("h2", {}, "Slowest modules"), h("div.scroll", { tabindex: 0, role: "region", "aria-label": "Slowest modules" }, h("table.grid", {},
    h("thead", {}, h("tr", {}, h("th", {}, "Module"), h("th.right", {}, "Reloads"), h("th.right", {}, "Mean"), h("th.right", {}, "Worst"), h("th.wide", {}, h("span.hidden", {}, "Compared")))),
    h("tbody", {}, rows.slice(0, 15).map((one) => h("tr", {}, h("td", {}, h("code", {}, one.module)), h("td.right", {}, one.reloads), h("td.right", {}, ms(one.mean_ms)), h("td.right", {}, ms(one.worst_ms)),
      h("td.wide", {}, h("span.meter", {}, h("i", { style: { width: `${(one.worst_ms / worst) * 100}%` } }), h("b", { style: { width: `${(one.mean_ms / worst) * 100}%` } }))))))))) ;
}

function oldTable(rows, app) {
  const body = rows.length
    ? h("ul.plain", {}, rows.map((one) => h("li", {}, h("code.name", {}, one.name), h("span.quiet", {}, ` ${one.kind}${one.report ? `, seen by ${one.report}` : ", standing still in old code now"}, ${app.path(one.path)}:${one.line}`))))
    : h("p.quiet", {}, "Nobody: every frame that was looked at runs the newest code.");
  return h("section.part.card-like", {}, h("h2", {}, "Who is on old code"), body);
}
