"""Loads a server until its standard input ends, then prints what came back as JSON.

    python client.py PORT

Each thread keeps one connection. A failure is any answer but a 200 with the counter in it, and any broken connection.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading

PATHS = ("/", "/slow")


class Load(threading.Thread):
    def __init__(self, port: int, path: str, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.port, self.path, self.over = port, path, over
        self.hits: list[int] = []
        self.failures: list[str] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.over.is_set():
            try:
                self.ask(connection)
            except Exception as error:
                self.failures.append(f"{self.path} {type(error).__name__}: {error}")
                connection.close()
                if len(self.failures) > 100:
                    return

    def ask(self, connection: http.client.HTTPConnection) -> None:
        connection.request("GET", self.path)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise ValueError(f"{answer.status} {body[:200]!r}")
        self.hits.append(json.loads(body)["hits"])


def main(port: int) -> None:
    over = threading.Event()
    threads = [Load(port, path, over) for path in PATHS]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join(60)
    hits = [hit for thread in threads for hit in thread.hits]
    failures = [failure for thread in threads for failure in thread.failures]
    rising = all(thread.hits == sorted(set(thread.hits)) for thread in threads)
    print(json.dumps({"requests": len(hits), "distinct": len(set(hits)), "rising": rising, "failures": failures}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
