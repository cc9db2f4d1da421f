"""config --explain: every setting, its value and where it came from."""

from __future__ import annotations

import argparse

from midflight.cli import DONE
from midflight.cli.output import plain, print_json, table
from midflight.config import KINDS, SECRET, load


def config(options: argparse.Namespace) -> int:
    settings = load(".")
    values = {name: getattr(settings, name) for name in KINDS}
    values.update({name: "(set)" for name in SECRET if values[name]})
    if options.json:
        explained = {name: {"value": value, "origin": settings.origins[name]} for name, value in values.items()}
        print_json({"root": settings.root, "store_dir": settings.store_dir, "settings": explained})
        return DONE
    print(f"root   {settings.root}\nstore  {settings.store_dir}\n")
    if options.explain:
        rows = [(name, plain(value), settings.origins[name], KINDS[name].expects) for name, value in values.items()]
        table(("SETTING", "VALUE", "FROM", "TAKES"), rows)
    else:
        table(("SETTING", "VALUE"), [(name, plain(value)) for name, value in values.items()])
    return DONE
