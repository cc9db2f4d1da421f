// One page's line to the session: live over a WebSocket, else by asking every five seconds.
// Events: "now" (how things stand), "report", "event", "past event", "caught up", "restart", "line" ("live" | "polling" | "lost" | "locked").

const POLL_MS = 5000;
const RETRY_MS = [500, 1000, 2000, 5000];

export class Failure extends Error {
  constructor({ what, why, hint }, status) {
    super(what);
    Object.assign(this, { what, why, hint, status });
  }
}

export class Connection extends EventTarget {
  constructor(base) {
    super();
    this.base = base;
    this.line = "lost";
    this.now = null;
    this.session = null;
    this.reports = new Map();
    this.tries = 0;
    this.closed = false;
  }

  start() {
    this.#connect();
    this.#poll();
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && this.line !== "live") this.#connect();
    });
    return this;
  }

  async get(path) {
    return this.#answer(await fetch(new URL(path, this.base), { headers: { Accept: "application/json" } }));
  }

  async post(path, body = {}) {
    const headers = { "Content-Type": "application/json" };
    return this.#answer(await fetch(new URL(path, this.base), { method: "POST", headers, body: JSON.stringify(body) }));
  }

  async #answer(response) {
    const document = await response.json();
    if (response.status === 401) this.#become("locked");
    if (!response.ok) throw new Failure(document.error, response.status);
    return document;
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  #become(line) {
    if (line === this.line) return;
    this.line = line;
    this.#tell("line", line);
  }

  #stands(now) {
    if (this.session && now.session !== this.session) {
      this.reports.clear(); // the program was started anew
      this.#tell("restart", now);
    }
    this.session = now.session;
    this.now = now;
    this.#tell("now", now);
  }

  #took(report, live) {
    if (this.reports.has(report.id) || report.id === "r0") return;
    this.reports.set(report.id, report);
    this.#tell("report", { report, live });
  }

  #connect() {
    if (this.closed || this.socket) return;
    const address = new URL("api/events?batch=1", this.base);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(address));
    socket.onmessage = (message) => this.#hear(JSON.parse(message.data));
    socket.onclose = () => {
      this.socket = null;
      if (this.line === "live") this.#become("lost");
      setTimeout(() => this.#connect(), RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)]);
    };
  }

  async #hear(message) {
    if (message.hello) {
      this.tries = 0;
      this.#stands(message.hello);
      this.#become("live");
      await this.#catchUp();
      return;
    }
    for (const { report, event, now } of message) {
      if (report) this.#took(report, true);
      if (event) this.#tell("event", event);
      if (now) this.#stands(now);
    }
  }

  // What happened before we listened, or while we did not.
  async #catchUp() {
    const first = this.reports.size === 0;
    const { reports, events } = await this.get("api/history?limit=200");
    for (const report of reports.reverse()) this.#took(report, !first);
    for (const event of events.reverse()) this.#tell("past event", event);
    this.#tell("caught up");
  }

  async #poll() {
    if (this.line !== "live" && document.visibilityState === "visible") {
      try {
        this.#stands(await this.get("api/status"));
        await this.#catchUp();
        this.#become(this.line === "live" ? "live" : "polling");
      } catch (error) {
        if (error.status !== 401) this.#become("lost");
      }
    }
    if (!this.closed) setTimeout(() => this.#poll(), this.line === "lost" && !this.now ? 1000 : POLL_MS);
  }

  close() {
    this.closed = true;
    this.socket?.close();
  }
}
