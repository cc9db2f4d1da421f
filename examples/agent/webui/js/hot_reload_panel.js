// The hot-reload panel in the bottom right corner: midflight's own element, fed by its WebSocket.
import "/__midflight__/panel.js";

const panel = document.createElement("midflight-panel");
document.body.append(panel);
