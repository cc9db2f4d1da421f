// Where the nodes of a graph stand: dagre for what it can do while one waits, plain layers for more.

const DAGRE_MOST = 250;
const GAP = { x: 26, y: 64 };
const ROW = 48; // nodes side by side before a layer goes on in another row

// `nodes` are {id, width, height}, `edges` {source, target}; gives {id: {x, y}}. An edge goes from importer to imported.
export function arranged(nodes, edges) {
  return nodes.length <= DAGRE_MOST && edges.length <= 4 * DAGRE_MOST ? byDagre(nodes, edges) : byLayers(nodes, edges);
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

function byLayers(nodes, edges) {
  const out = new Map(nodes.map(({ id }) => [id, []]));
  const into = new Map(nodes.map(({ id }) => [id, []]));
  for (const { source, target } of edges) out.get(source).push(target), into.get(target).push(source);
  const depth = depths(nodes, out);
  const layers = [];
  for (const node of nodes) (layers[depth.get(node.id)] ??= []).push(node);
  const place = new Map();
  layers.forEach((layer) => layer.forEach((node, at) => place.set(node.id, at / layer.length)));
  for (let round = 0; round < 4; round++) for (const layer of layers) settle(layer, round % 2 ? out : into, place);
  return positions(layers);
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

// Each node goes below the middle of its neighbours.
function settle(layer, neighbours, place) {
  const wanted = new Map(layer.map(({ id }) => {
    const near = neighbours.get(id);
    return [id, near.length ? near.reduce((sum, one) => sum + place.get(one), 0) / near.length : place.get(id)];
  }));
  layer.sort((a, b) => wanted.get(a.id) - wanted.get(b.id));
  layer.forEach((node, at) => place.set(node.id, (at + 0.5) / layer.length));
}

function positions(layers) {
  const found = {};
  let y = 0;
  for (const layer of layers) {
    for (let start = 0; start < layer.length; start += ROW) {
      const row = layer.slice(start, start + ROW);
      let x = -row.reduce((sum, node) => sum + node.width + GAP.x, 0) / 2;
      for (const node of row) {
        found[node.id] = { x: x + node.width / 2, y };
        x += node.width + GAP.x;
      }
      y += 44;
    }
    y += GAP.y;
  }
  return found;
}
