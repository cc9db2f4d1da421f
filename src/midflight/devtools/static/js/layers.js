// Where the nodes of a graph stand: dagre where its layers can be read, a grid in the order of the layers where not, and a
// map of the packages where there are too many for either.

const DAGRE_MOST = 160;
const GAP = { x: 26, y: 64 };

// `nodes` are {id, width, height}, `edges` {source, target}; gives `at`, {id: {x, y}}, and of a map the `blocks`,
// {name, size}: a package and the size of its title. An edge goes from importer to imported. `aspect` is how many times
// wider than high the place is.
export function arranged(nodes, edges, aspect = 1.2) {
  const dense = edges.length > 2.2 * nodes.length;
  if (nodes.length <= DAGRE_MOST && !dense) return { at: byDagre(nodes, edges), blocks: [] };
  const packages = Map.groupBy(nodes, ({ id }) => id.split(".")[0]);
  const many = nodes.length > DAGRE_MOST && packages.size > 1 && packages.size < nodes.length / 3;
  return many ? byPackage(nodes, edges, aspect, packages) : { at: byGrid(nodes, edges, aspect), blocks: [] };
}

function byDagre(nodes, edges) {
  const graph = new window.dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "TB", nodesep: GAP.x, ranksep: GAP.y, marginx: 20, marginy: 20 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of nodes) graph.setNode(id, { width, height });
  for (const { source, target } of edges) graph.setEdge(source, target);
  window.dagre.layout(graph);
  return Object.fromEntries(nodes.map(({ id }) => [id, { x: graph.node(id).x, y: graph.node(id).y }]));
}

// Importers above what they import, as far as rows allow: with many edges any drawing of them all is a thicket, and
// what counts is that names can be read and that a choice lights its own edges.
function byGrid(nodes, edges, aspect, tight = false) {
  const out = new Map(nodes.map(({ id }) => [id, []]));
  for (const { source, target } of edges) out.get(source).push(target);
  const depth = depths(nodes, out);
  const ordered = [...nodes].sort((a, b) => depth.get(a.id) - depth.get(b.id) || a.id.localeCompare(b.id));
  const width = Math.max(...nodes.map((node) => node.width)) + GAP.x;
  const height = tight || nodes.length > DAGRE_MOST ? 46 : 82;
  const columns = Math.max(1, Math.round(Math.sqrt((nodes.length * height * aspect) / width)));
  return Object.fromEntries(ordered.map(({ id }, at) => {
    const row = Math.floor(at / columns);
    const shift = height > 46 && row % 2 ? width / 4 : 0; // edges of a column do not hide one another
    return [id, { x: (at % columns) * width + shift, y: row * height }];
  }));
}

// Each package a block of its own, importers above what they import inside it; blocks in rows, those that import first.
function byPackage(nodes, edges, aspect, packages) {
  const home = ({ id }) => id.split(".")[0];
  const within = Map.groupBy(edges.filter(({ source, target }) => home({ id: source }) === home({ id: target })), ({ source }) => home({ id: source }));
  const above = new Map([...packages.keys()].map((name) => [name, []]));
  for (const { source, target } of edges) if (home({ id: source }) !== home({ id: target })) above.get(home({ id: source })).push(home({ id: target }));
  const depth = depths([...packages.keys()].map((id) => ({ id })), above);
  const blocks = [...packages].sort(([a], [b]) => depth.get(a) - depth.get(b) || a.localeCompare(b)).map(([name, inside]) => {
    const own = byGrid(inside, within.get(name) ?? [], 1.3, true);
    const right = Math.max(...inside.map((node) => own[node.id].x + node.width / 2));
    const left = Math.min(...inside.map((node) => own[node.id].x - node.width / 2));
    const high = Math.max(...inside.map((node) => own[node.id].y)) + 46;
    return { name, own, left, width: right - left, height: high, size: Math.min(Math.max(high / 9, 22), 96) };
  });
  const area = blocks.reduce((sum, one) => sum + (one.width + 90) * (one.height + one.size + 90), 0);
  const row = Math.max(1.2 * Math.sqrt(area * aspect), ...blocks.map((one) => one.width));
  const at = {};
  let [x, y, tallest] = [0, 0, 0];
  for (const { own, left, width, height, size } of blocks) {
    if (x && x + width > row) [x, y, tallest] = [0, y + tallest + 90, 0];
    for (const [id, place] of Object.entries(own)) at[id] = { x: place.x - left + x, y: place.y + y + size + 24 };
    x += width + 90;
    tallest = Math.max(tallest, height + size + 24);
  }
  return { at, blocks: blocks.map(({ name, size }) => ({ name, size })) };
}

// The longest way to each node from one that nobody imports; an edge that closes a cycle does not count.
function depths(nodes, out) {
  const depth = new Map();
  const order = [];
  const state = new Map();
  for (const { id: start } of nodes) {
    if (state.has(start)) continue;
    const stack = [[start, 0]];
    state.set(start, "open");
    while (stack.length) {
      const top = stack[stack.length - 1];
      const next = out.get(top[0])[top[1]++];
      if (next === undefined) {
        state.set(top[0], "done");
        order.push(top[0]);
        stack.pop();
      } else if (!state.has(next)) {
        state.set(next, "open");
        stack.push([next, 0]);
      }
    }
  }
  const rank = new Map(order.reverse().map((id, at) => [id, at]));
  for (const id of order) {
    depth.set(id, depth.get(id) ?? 0);
    for (const next of out.get(id)) if (rank.get(next) > rank.get(id)) depth.set(next, Math.max(depth.get(next) ?? 0, depth.get(id) + 1));
  }
  return depth;
}
