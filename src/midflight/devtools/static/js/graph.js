// Who imports whom, by package and by module; and what an edit would touch.

import { clock, h, icon, ms, plural } from "./dom.js";
import { arranged } from "./layers.js";

const OPEN_MOST = 45; // nodes that are shown before packages stay closed
const FOCUS_FROM = 60; // nodes from which on a choice shows only what it concerns
const FOCUS_MOST = 70;
const READABLE = 0.62; // the zoom at which names can be read
const WIDE = 7.2; // pixels of a letter

export class Graph {
  constructor(app) {
    this.app = app;
    this.open = null;
    this.canvas = h("div.canvas", { role: "img", "aria-label": "The graph of modules; search and the list beside it say the same in words" });
    this.names = h("datalist", { id: "graph-modules" });
    this.search = h("input", { type: "search", list: "graph-modules", placeholder: "Find a module", "aria-label": "Find a module",
      onchange: () => this.#find(), onkeydown: (event) => event.key === "Enter" && this.#find() });
    this.facts = h("p.quiet.graph-facts", {});
    this.card = h("aside.card-like.node", { "aria-live": "polite" });
    this.element = h("section.graph", {},
      h("header.page-head", {}, h("h1", {}, "Graph"), this.search, this.names,
        h("div.acts", {}, this.#button("Packages", () => this.#openTo(0)), this.#button("All modules", () => this.#openTo(Infinity)), this.#button("Fit", () => this.cy?.animate({ fit: { padding: 30 } }, { duration: 200 }))), this.facts),
      h("div.graph-body", {}, this.canvas, this.card));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.cy?.style(style(this.cy.edges().length)));
  }

  #button(text, act) {
    return h("button.button", { type: "button", onclick: act }, text);
  }

  async enter(chosen) {
    this.chosen = chosen || null;
    try {
      await this.#load();
    } catch (error) {
      return this.card.replaceChildren(h("p.message", {}, error.what ?? String(error)));
    }
    this.#pick(this.chosen);
  }

  report({ report, live }) {
    this.last = report.outcome === "unchanged" ? this.last : report;
    if (live && this.app.place === this && report.outcome !== "unchanged") this.#refresh();
  }

  #refresh() {
    clearTimeout(this.soon);
    this.soon = setTimeout(async () => {
      await this.#load();
      this.#draw();
      this.#choose(this.chosen);
    }, 200);
  }

  async #load() {
    this.modules = (await this.app.line.get("api/graph")).modules;
    this.children = new Map();
    for (const name of Object.keys(this.modules)) {
      const above = prefixes(name);
      above.forEach((prefix, at) => {
        const parent = at ? above[at - 1] : "";
        this.children.set(parent, (this.children.get(parent) ?? new Set()).add(prefix));
      });
    }
    this.names.replaceChildren(...Object.keys(this.modules).slice(0, 3000).map((name) => h("option", { value: name })));
    this.open ??= this.#opened(OPEN_MOST);
  }

  // Packages are opened level by level while no more than `most` nodes are seen.
  #opened(most) {
    const open = new Set();
    let level = [...(this.children.get("") ?? [])];
    let seen = level.length;
    while (level.length) {
      const closed = level.filter((name) => this.children.has(name));
      level = closed.flatMap((name) => [...this.children.get(name)]);
      seen += level.length - closed.filter((name) => !(name in this.modules)).length;
      if (seen > most) break;
      for (const name of closed) open.add(name);
    }
    return open;
  }

  #openTo(most) {
    this.open = most ? this.#opened(most) : new Set();
    this.#pick(null);
    this.#draw();
  }

  // The node that stands for a module: the first closed package above it, else itself.
  #shown(name) {
    return prefixes(name).find((prefix) => this.children.has(prefix) && !this.open.has(prefix)) ?? name;
  }

  #reveal(name) {
    for (const prefix of prefixes(name).slice(0, -1)) if (this.children.has(prefix)) this.open.add(prefix);
  }

  #inside(node) {
    return Object.keys(this.modules).filter((name) => this.#shown(name) === node);
  }

  // The modules that a choice concerns: those that an edit would touch, the nearest first, and what it imports.
  #concerned(name) {
    const near = [...this.#touched([name])].sort((a, b) => a[1] - b[1]).slice(0, FOCUS_MOST);
    return new Set([...near.map(([one]) => one), ...this.modules[name].imports.slice(0, 20)]);
  }

  #draw() {
    const only = this.focus ? this.#concerned(this.focus) : null;
    const shown = only ? (name) => (only.has(name) ? name : null) : (name) => this.#shown(name);
    const nodes = new Map();
    const edges = new Map();
    for (const [name, { imports }] of Object.entries(this.modules)) {
      const source = shown(name);
      if (source === null) continue;
      nodes.set(source, (nodes.get(source) ?? 0) + 1);
      for (const other of imports) {
        const target = shown(other);
        const key = `${source} ${target}`;
        if (target !== null && source !== target) edges.set(key, { source, target, weight: (edges.get(key)?.weight ?? 0) + 1 });
      }
    }
    const hues = this.#hues();
    const shaped = [...nodes].map(([id, count]) => {
      const closed = !only && this.#isClosed(id);
      const label = closed && count > 1 ? `${id}  ${count}` : id;
      return { id, label, closed, width: Math.max(label.length * WIDE + 22, 44), height: 30, hue: hues.get(prefixes(id)[0]) ?? null };
    });
    const start = performance.now();
    const { at, blocks } = arranged(shaped, [...edges.values()], this.canvas.clientWidth / (this.canvas.clientHeight || 1));
    this.cy?.destroy();
    this.cy = window.cytoscape({
      container: this.canvas,
      elements: [
        ...blocks.map(({ name, size }) => ({ data: { id: `block ${name}`, label: name, size, hue: hues.get(name) ?? null }, classes: "block", selectable: false })),
        ...shaped.map((node) => ({ data: blocks.length ? { ...node, parent: `block ${prefixes(node.id)[0]}` } : node, position: at[node.id], classes: node.closed ? "package" : "module" })),
        ...[...edges.values()].map((edge) => ({ data: { id: `${edge.source} ${edge.target}`, ...edge } })),
      ],
      layout: { name: "preset", padding: 30 },
      style: style(edges.size),
      minZoom: 0.05, maxZoom: 2.5, autoungrabify: true, boxSelectionEnabled: false,
      hideEdgesOnViewport: edges.size > 1500, textureOnViewport: edges.size > 1500,
    });
    if (this.cy.zoom() > 1.25) this.cy.zoom(1.25), this.cy.center();
    if (this.focus && this.cy.zoom() < READABLE) this.cy.zoom(READABLE), this.cy.center(this.#node(this.focus));
    this.drawn_ms = performance.now() - start;
    this.cy.on("tap", "node.package, node.module", ({ target }) => this.#pick(target.id()));
    this.cy.on("dbltap", "node.package", ({ target }) => this.#openOne(target.id()));
    this.cy.on("tap", (event) => event.target === this.cy && this.#pick(null));
    const what = this.focus ? `around ${this.focus} ` : "";
    this.facts.textContent = `${plural(Object.keys(this.modules).length, "module")}, ${plural(nodes.size, "node")} and ${plural(edges.size, "edge")} ${what}shown. An arrow goes from who imports to what is imported.`;
    this.#markLast();
  }

  // A colour for each top-level package, as far from one another as there are packages; none where there is only one.
  #hues() {
    const names = [...(this.children.get("") ?? [])].filter((name) => this.children.has(name)).sort();
    return new Map(names.length > 1 ? names.map((name, at) => [name, Math.round((at * 360) / names.length + 215) % 360]) : []);
  }

  #node(name) {
    return this.cy.getElementById(this.focus ? name : this.#shown(name));
  }

  #markLast() {
    for (const name of Object.keys(this.last?.modules ?? {})) {
      if (name in this.modules) this.#node(name).addClass(this.last.outcome === "committed" ? "fresh" : "failed");
    }
  }

  #openOne(name) {
    this.open.add(name);
    this.#draw();
    this.#choose(null);
  }

  #find() {
    const wanted = this.search.value.trim();
    const name = wanted in this.modules ? wanted : Object.keys(this.modules).find((one) => one.includes(wanted));
    if (wanted && name) this.#pick(name);
  }

  #pick(name) {
    history.replaceState(null, "", `#/graph${name ? `/${encodeURIComponent(name)}` : ""}`);
    this.chosen = name;
    const isModule = name && name in this.modules && !(this.#isClosed(name) && !this.focus);
    const many = this.focus || (this.cy?.nodes().length ?? 0) > FOCUS_FROM || Object.keys(this.modules).length > 4 * FOCUS_FROM;
    const focus = isModule && many ? name : null;
    const redraw = !this.cy || focus !== this.focus || (isModule && !focus && this.#shown(name) !== name);
    this.focus = focus;
    if (isModule && !focus) this.#reveal(name);
    if (redraw) this.#draw();
    this.#choose(name);
  }

  // All that reach `names` by imports, with the number of steps that takes.
  #touched(names) {
    const found = new Map(names.map((name) => [name, 0]));
    const waiting = [...names];
    while (waiting.length) {
      const name = waiting.shift();
      for (const other of this.modules[name]?.dependents ?? []) {
        if (!found.has(other)) found.set(other, found.get(name) + 1), waiting.push(other);
      }
    }
    return found;
  }

  #choose(name) {
    this.cy.elements().removeClass("chosen near far faded");
    if (!name) return this.card.replaceChildren(this.#hint());
    const single = this.focus || (name in this.modules && this.#shown(name) === name && !this.#isClosed(name));
    const inside = single ? [name] : this.#inside(name);
    const touched = this.#touched(inside);
    this.cy.batch(() => {
      this.cy.elements().not(".block").addClass("faded");
      if (this.focus) this.cy.nodes().removeClass("faded"); // what it imports is concerned too
      for (const [one, steps] of touched) {
        const node = this.#node(one);
        node.removeClass("faded");
        if (!node.hasClass("chosen")) node.addClass(steps === 0 ? "chosen" : steps === 1 ? "near" : "far");
      }
      this.cy.edges().filter((edge) => !edge.source().hasClass("faded") && !edge.target().hasClass("faded")).removeClass("faded").addClass("near");
    });
    this.card.replaceChildren(...this.#told(name, inside, touched));
  }

  #isClosed(name) {
    return this.children.has(name) && !this.open.has(name);
  }

  #hint() {
    return h("div", {}, h("h2", {}, "What would an edit touch?"), h("p.quiet", {}, "Choose a module: all that depend on it stay lit. A package with a number is closed; a double click opens it."),
      h("ul.keys", {}, ["chosen", "near", "far", "fresh", "failed"].map((key, at) => h("li", {}, h("i", { class: `key-${key}` }), ["the module that is edited", "imports it", "reaches it through others", "touched by the last reload", "the last reload failed here"][at]))));
  }

  #told(name, inside, touched) {
    const module = this.modules[name];
    const others = [...touched].filter(([, steps]) => steps > 0).sort((a, b) => a[1] - b[1] || a[0].localeCompare(b[0]));
    const single = module && inside.length === 1;
    const list = (names) => h("ul.plain.short", {}, names.slice(0, 60).map((one) => h("li", {}, h("button.link", { type: "button", onclick: () => this.#pick(one) }, one))), names.length > 60 ? h("li.quiet", {}, `and ${names.length - 60} more`) : null);
    return [
      h("h2", {}, name), h("p.path", {}, module ? this.app.path(module.path) : plural(inside.length, "module")),
      h("p.touch", {}, others.length ? ["An edit here may touch ", h("b", {}, plural(others.length, "module")), "."] : "Nobody imports it: an edit stays here."),
      this.focus ? h("button.button.whole", { type: "button", onclick: () => this.#pick(null) }, icon("back", { size: 14 }), "The whole graph") : null,
      !this.focus && this.#isClosed(name) ? h("button.button", { type: "button", onclick: () => this.#openOne(name) }, "Open the package") : null,
      single ? h("div.acts", {}, h("button.button", { type: "button", onclick: () => this.#plan(module) }, "What would a reload do?"), h("button.button", { type: "button", onclick: () => this.app.act("api/reload", { paths: [module.path] }) }, icon("reload", { size: 14 }), "Reload it")) : null,
      others.length ? h("h3", {}, "Would be touched") : null, others.length ? list(others.map(([one]) => one)) : null,
      single && module.imports.length ? h("h3", {}, "Imports") : null, single && module.imports.length ? list(module.imports) : null,
      single ? this.#reports(name) : null,
    ].filter(Boolean);
  }

  #reports(name) {
    const found = [...this.app.line.reports.values()].filter((one) => name in one.modules).slice(-5).reverse();
    if (!found.length) return null;
    return h("div", {}, h("h3", {}, "Last reports"), h("ul.plain.short", {}, found.map((one) => h("li", {}, h("a", { href: `#/timeline/${one.id}` }, `${one.id} ${one.outcome}`), h("span.quiet", {}, ` ${clock(one.at)}, ${ms(one.timings_ms.total)}`)))));
  }

  async #plan(module) {
    const { planned } = await import("./rollback.js");
    const plan = await this.app.act("api/plan", { paths: [module.path] });
    if (!plan) return;
    const same = !plan.steps.length && !plan.problems.length;
    const dialog = h("dialog", { "aria-label": "Plan" }, h("h2", {}, "What a reload would do"), h("div.body", {}, same ? [h("p", {}, "Nothing: the file is what runs.")] : planned(plan)), h("footer", {}, h("button.button.main", { type: "button", onclick: () => dialog.close() }, "Close")));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }
}

function prefixes(name) {
  const parts = name.split(".");
  return parts.map((_, at) => parts.slice(0, at + 1).join("."));
}

const SHADES = { // saturation and lightness: in light, in dark
  fill: ["70%, 95%", "32%, 19%"], edge: ["38%, 70%", "30%, 42%"], ground: ["60%, 97%", "28%, 11%"], text: ["45%, 34%", "45%, 76%"],
};

function colour(hue, part, dark) {
  return `hsl(${hue}, ${SHADES[part][dark ? 1 : 0]})`;
}

function style(edges) {
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const tint = (part, plain) => (node) => (node.data("hue") === null ? css(plain) : colour(node.data("hue"), part, dark));
  return [
    { selector: "node", style: { shape: "round-rectangle", width: "data(width)", height: "data(height)", label: "data(label)", "text-valign": "center", "text-halign": "center", "font-family": css("--sans"), "font-size": 12, color: css("--ink"), "background-color": tint("fill", "--card"), "border-width": 1.2, "border-color": tint("edge", "--strong-line"), "min-zoomed-font-size": 6 } },
    { selector: "node.block", style: { "background-color": tint("ground", "--sunk"), "border-width": 0, padding: 16, "font-size": "data(size)", "font-weight": 700, color: tint("text", "--ink"), "text-valign": "top", "text-margin-y": -6, "min-zoomed-font-size": 4, events: "no" } },
    { selector: "node.package", style: { "background-color": tint("fill", "--sunk"), "border-style": "double", "border-width": 3, "font-weight": 600 } },
    { selector: "edge", style: { width: "mapData(weight, 1, 20, 1, 4)", "line-color": css("--strong-line"), "target-arrow-color": css("--strong-line"), "target-arrow-shape": "triangle", "arrow-scale": 0.8, "curve-style": edges > 600 ? "haystack" : "bezier" } },
    { selector: "node.fresh", style: { "border-color": css("--good"), "border-width": 2.5 } },
    { selector: "node.failed", style: { "border-color": css("--bad"), "border-width": 2.5 } },
    { selector: "node.near", style: { "background-color": css("--warn-soft"), "border-color": css("--warn"), "border-width": 2 } },
    { selector: "node.far", style: { "background-color": css("--info-soft"), "border-color": css("--info"), "border-width": 1.6 } },
    { selector: "node.chosen", style: { "background-color": css("--act"), "border-color": css("--act"), color: css("--act-ink"), "font-weight": 700 } },
    { selector: "edge.near", style: { "line-color": css("--warn"), "target-arrow-color": css("--warn") } },
    { selector: ".faded", style: { opacity: 0.28 } },
  ];
}
