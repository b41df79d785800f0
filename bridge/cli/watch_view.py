"""How `watch` looks: rich tables made from the model. The only file here that imports rich."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bridge.cli.table import foremost

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bridge.cli.watch_model import Model

_SITE = (
    ("GridPower", "grid"),
    ("PvPower", "sun"),
    ("BatteryPower", "battery"),
    ("BatterySoc", "charge"),
    ("LoadPower", "house"),
    ("Surplus", "surplus"),
    ("Reservation", "reserved"),
    ("Available", "available"),
    ("Assigned", "assigned"),
    ("Remaining", "left"),
)
_COLOURS = {"online": "green", "stale": "yellow", "offline": "red"}


def picture(model: Model, url: str, now: float) -> RenderableType:
    """The whole screen: a head line, the site, the consumers, the devices, the actors."""
    head, site, consumers = _head(model, url), _site(model), _consumers(model)
    return Group(head, site, consumers, _devices(model, now), _actors(model))


def _head(model: Model, url: str) -> Text:
    head = Text("Heliograph ", style="bold")
    head.append(model.bridge, style=_COLOURS.get(model.bridge, "dim"))
    head.append(f"  {url}", style="dim")
    if model.paused:
        head.append("  paused by the owner", style="bold yellow")
    return head


def _site(model: Model) -> Table:
    table = Table(title=None, expand=False, header_style="dim")
    for _, title in _SITE:
        table.add_column(title, justify="right")
    table.add_row(
        *(_number(model.site.get(name), "%" if name == "BatterySoc" else "W") for name, _ in _SITE)
    )
    return table


def _consumers(model: Model) -> Table:
    table = Table(header_style="dim")
    for title in ("consumer", "prio"):
        table.add_column(title)
    for title in ("request", "allowance", "draws"):
        table.add_column(title, justify="right")
    table.add_column("reason", overflow="fold", ratio=1)
    order = sorted(model.consumers.items(), key=lambda item: (_priority(item[1]), item[0]))
    for name, entry in order:
        reason = escape(str(entry.get("Reason", "")))
        if entry.get("Error"):
            reason += f" [red]{escape(str(entry['Error']))}[/red]"
        table.add_row(
            escape(str(entry.get("CustomName") or name)),
            f"{_priority(entry):g}",
            _number(entry.get("Request"), "W"),
            f"[bold]{_number(entry.get('Allowance'), 'W')}[/bold]",
            _number(entry.get("Consumption"), "W"),
            reason,
        )
    if not order:
        table.add_row("[dim]nobody asks[/dim]", "", "", "", "", "")
    return table


def _devices(model: Model, now: float) -> Table:
    table = Table(header_style="dim")
    table.add_column("device")
    table.add_column("status")
    table.add_column("age", justify="right")
    table.add_column("values", overflow="fold", ratio=1)
    for name in model.all_devices:
        values = model.devices.get(name, {})
        status = model.device_status.get(name, "unknown")
        at = model.device_at.get(name)
        known = {key: value for key, value in values.items() if key != "at"}
        first = foremost(known, 8)
        shown = ", ".join(f"{key} {_plain(value)}" for key, value in first.items())
        table.add_row(
            escape(name),
            f"[{_COLOURS.get(status, 'dim')}]{escape(status)}[/]",
            "?" if at is None else f"{now - at:.0f} s",
            escape(shown) or "[dim]no values[/dim]",
        )
    return table


def _actors(model: Model) -> Table:
    table = Table(header_style="dim")
    for title in ("actor", "kind", "status"):
        table.add_column(title)
    table.add_column("says", overflow="fold", ratio=1)
    for name in model.everybody:
        status = model.actors.get(name, "not running")
        text, wrong = model.says(name) or ("", False)
        table.add_row(
            escape(name),
            escape(model.configured.get(name, "")),
            f"[{_COLOURS.get(status, 'dim')}]{escape(status)}[/]",
            f"[{'yellow' if wrong else 'dim'}]{escape(text)}[/]" if text else "",
        )
    return table


def _priority(entry: dict[str, Any]) -> float:
    try:
        return float(entry.get("Priority", 100))
    except (TypeError, ValueError):
        return 100.0


def _number(value: object, unit: str) -> str:
    try:
        return f"{float(str(value)):,.0f} {unit}".replace(",", "\u202f")
    except ValueError:
        return "[dim]-[/dim]"


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
