// Where the nodes of a graph stand: dagre where its layers can be read, a grid in the order of the layers where not.

const DAGRE_MOST = 160;
const GAP = { x: 26, y: 64 };

// `nodes` are {id, width, height}, `edges` {source, target}; gives {id: {x, y}}. An edge goes from importer to imported.
// `aspect` is how many times wider than high the place is.
export function arranged(nodes, edges, aspect = 1.2) {
  const dense = edges.length > 2.2 * nodes.length;
  return nodes.length <= DAGRE_MOST && !dense ? byDagre(nodes, edges) : byGrid(nodes, edges, aspect);
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
function byGrid(nodes, edges, aspect) {
  const out = new Map(nodes.map(({ id }) => [id, []]));
  for (const { source, target } of edges) out.get(source).push(target);
  const depth = depths(nodes, out);
  const ordered = [...nodes].sort((a, b) => depth.get(a.id) - depth.get(b.id) || a.id.localeCompare(b.id));
  const width = Math.max(...nodes.map((node) => node.width)) + GAP.x;
  const height = nodes.length > DAGRE_MOST ? 46 : 82;
  const columns = Math.max(1, Math.round(Math.sqrt((nodes.length * height * aspect) / width)));
  return Object.fromEntries(ordered.map(({ id }, at) => {
    const row = Math.floor(at / columns);
    const shift = height > 46 && row % 2 ? width / 4 : 0; // edges of a column do not hide one another
    return [id, { x: (at % columns) * width + shift, y: row * height }];
  }));
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
