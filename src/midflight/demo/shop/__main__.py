"""Answers each line of standard input with one line of JSON."""

import json
import sys

from .worker import serve


def main() -> None:
    for _ in sys.stdin:
        print(json.dumps(serve()), flush=True)


if __name__ == "__main__":
    main()
