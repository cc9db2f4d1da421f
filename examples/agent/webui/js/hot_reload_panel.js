// The hot-reload panel in the bottom right corner: midflight's own element, fed by its WebSocket. Where it would lie over
// the chat it begins folded away.
const panel = document.createElement("midflight-panel");
panel.toggleAttribute("closed", matchMedia("(max-width: 68rem)").matches);
document.body.append(panel);

await import("/__midflight__/panel.js");
