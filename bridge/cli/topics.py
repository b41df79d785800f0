"""`heliograph topics`: the contract as table, page, JSON, AsyncAPI document or broker ACL."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from bridge.contract import Contract
    from bridge.contract.docs import Table

FORMATS = ("table", "markdown", "json", "asyncapi", "acl")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "topics",
        help="show every topic, quantity, control and request field",
        description="The contract: a table for people, a Markdown page, JSON, an AsyncAPI 3"
        " document, or access rules for mosquitto. Exit code 1 when --check finds a difference.",
    )
    parser.add_argument("--format", choices=FORMATS, default="table")
    parser.add_argument("--base", metavar="TOPIC", help="another base topic than heliograph")
    parser.add_argument(
        "--prefix", metavar="TOPIC", default="homeassistant", help="discovery prefix (--format acl)"
    )
    parser.add_argument(
        "--es-ess", action="store_true", help="access rules for the es-ESS tree too (--format acl)"
    )
    write = parser.add_mutually_exclusive_group()
    write.add_argument("--check", action="store_true", help="is docs/topics.md up to date?")
    write.add_argument("--write", action="store_true", help="write docs/topics.md")


def run(args: argparse.Namespace) -> int:
    """Show, check or write."""
    from bridge.contract import load_contract

    contract = load_contract()
    if args.check or args.write:
        return _page(contract, write=args.write)
    base = args.base or contract.base
    if args.format == "table":
        _show(contract, base)
        return 0
    if args.format == "acl":
        from bridge.contract.acl import acl

        sys.stdout.write(acl(contract, base=base, prefix=args.prefix, es_ess=args.es_ess))
    else:
        sys.stdout.write(render(contract, args.format, base))
    return 0


def render(contract: Contract, form: str, base: str) -> str:
    """The contract as markdown, json or asyncapi."""
    if form == "markdown":
        from bridge.contract.docs import markdown

        return markdown(contract)
    if form == "asyncapi":
        from bridge.contract.asyncapi import asyncapi

        return _pretty(asyncapi(contract, base=base))
    return _pretty(as_json(contract, base))


def as_json(contract: Contract, base: str) -> dict[str, Any]:
    """Every table of the contract as plain data, families under their template."""
    import msgspec

    tables = {
        "base": base,
        "families": contract.families,
        "limits": contract.limits,
        "topics": contract.topics,
        "values": contract.values,
        "quantities": contract.quantities,
        "controls": contract.controls,
        "fields": contract.fields,
        "shapes": contract.shapes,
    }
    found: dict[str, Any] = msgspec.to_builtins(tables)
    return found


def _pretty(value: Any) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def page_file() -> Path | None:
    """docs/topics.md of the checkout; None in an installation."""
    from bridge.contract import contract_file

    folder = contract_file().parent / "docs"
    return folder / "topics.md" if folder.is_dir() else None


def _page(contract: Contract, *, write: bool) -> int:
    from bridge.contract.docs import markdown

    file, text = page_file(), markdown(contract)
    if file is None:
        print("there is no docs folder here: this is for a checkout", file=sys.stderr)
        return 1
    if write:
        file.write_text(text, encoding="utf-8")
        return 0
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return 0
    print("docs/topics.md is not what topics.yaml says: run `make docs`", file=sys.stderr)
    return 1


def _show(contract: Contract, base: str) -> None:
    from bridge.contract.docs import tables

    print(f"Every topic lies below {base}/.")
    for table in tables(contract):
        print()
        if sys.stdout.isatty():
            _show_rich(table)
        else:
            _show_plain(table)


def _show_plain(table: Table) -> None:
    rows = [table.heads, *table.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print(table.title)
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def _show_rich(table: Table) -> None:
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(*table.heads, title=table.title, title_justify="left", box=None)
    for row in table.rows:
        shown.add_row(*map(Text, row))
    Console().print(shown)
