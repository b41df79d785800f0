"""What every kind made of registers must keep to: its class, its tables and its README agree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from bridge.config.kinds import KindError, all_kinds
from bridge.contract import load_contract
from bridge.register_device import RegisterDevice
from bridge.registers import RegisterMap, load_map, maps_of
from bridge.registers.check_quantities import quantity
from tests.actors.kinds import COPY, INVERTER, NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.config.kinds import Kind

every_kind = pytest.mark.parametrize("kind", NAMES, indirect=True)
MADE = [name for name, kind in all_kinds().items() if maps_of(kind.folder)]
every_kind_of_registers = pytest.mark.parametrize("kind", [*MADE, INVERTER], indirect=True)
CONTRACT = load_contract()
_WORDS = ("skeleton", "imaginary", r"actors\._template", "_template_registers")
_LEFT_BEHIND = re.compile("|".join(_WORDS), re.IGNORECASE)


def tables(kind: Kind) -> list[RegisterMap]:
    return [load_map(path) for path in maps_of(kind.folder).values()]


def families(produced: tuple[str, ...]) -> Iterator[str]:
    """Names as a class declares them: the family where a quantity is numbered."""
    for name in produced:
        entry = quantity(CONTRACT, name)
        assert entry is not None
        yield entry.family or name


def own_code(actor: type[Any], *methods: str) -> bool:
    """True when the kind says itself what it offers, so that its tables do not tell."""
    return any(getattr(actor, name) is not getattr(RegisterDevice, name) for name in methods)


@every_kind_of_registers
def test_the_class_declares_exactly_what_its_tables_give(kind: Kind) -> None:
    actor: Any = kind.load()
    found = tables(kind)
    given = {name for table in found for name in families(table.produced)}
    settable = {name for table in found for name in table.controls}
    composed = own_code(actor, "identify", "devices")
    if composed or own_code(actor, "refine"):
        assert given <= set(actor.quantities)
    else:
        assert given == set(actor.quantities), "the class and the table must name the same"
    if composed:
        assert settable <= set(actor.controls)
    else:
        assert settable == set(actor.controls), "the class and the table must name the same"


@every_kind_of_registers
def test_its_settings_say_which_device_they_name(kind: Kind) -> None:
    settings: Any = kind.settings()
    one, other = (
        settings(host="Place", port=1502, unit=7),
        settings(host="place", port=1502, unit=8),
    )
    assert one.identity() == "place:1502, unit 7"
    assert other.identity() == "place:1502, unit 8"
    (usual,) = re.findall(r"^place:1502, unit (\d+)$", settings(host="place", port=1502).identity())
    assert int(usual) in {table.unit for table in tables(kind)} | {1}


def default_of(readme: str, setting: str) -> str | None:
    """The second column of a setting's line in the README's table."""
    found = re.search(rf"^\| *`{setting}` *\| *([^|]*?) *\|", readme, re.MULTILINE)
    return found[1] if found else None


@every_kind_of_registers
def test_the_readme_has_the_unit_of_the_tables(kind: Kind) -> None:
    readme = (kind.folder / "README.md").read_text(encoding="utf-8")
    told = default_of(readme, "unit")
    assert told is not None
    units = {table.unit for table in tables(kind)}
    if len(units) == 1 and not own_code(kind.load(), "identify", "devices"):
        assert told == str(units.pop())
    elif told.isdigit():
        assert int(told) in units


def left_behind(folder: Path) -> dict[str, str]:
    """Words in a folder's files that belong to the skeleton it was copied from."""
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in {".py", ".md", ".yaml"}]
    found = {path.name: _LEFT_BEHIND.search(path.read_text(encoding="utf-8")) for path in files}
    return {name: word[0] for name, word in found.items() if word}


@every_kind
def test_nothing_of_the_skeleton_is_left_in_a_real_kind(kind: Kind) -> None:
    if kind.name in {COPY, INVERTER}:
        assert left_behind(kind.folder), "what is only copied still says so"
    else:
        assert left_behind(kind.folder) == {}


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("quantity: PvPower", "quantity: PvPowre", "there is no quantity 'PvPowre' in topics.yaml"),
        (
            "type: u32",
            "tpye: u32",
            "row 2 (pv_power): there is no key 'tpye'; did you mean 'type'?",
        ),
    ],
)
def test_a_kind_with_a_broken_table_is_refused(
    inverter: Kind, right: str, wrong: str, sentence: str
) -> None:
    path = inverter.folder / "registers.yaml"
    text = path.read_text(encoding="utf-8")
    actor = inverter.load()
    load_map.cache_clear()
    try:
        path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
        with pytest.raises(KindError) as caught:
            inverter.load()
    finally:
        path.write_text(text, encoding="utf-8")
        load_map.cache_clear()
    start = f"kind '{INVERTER}' cannot be used: {INVERTER}/registers.yaml: row 2 (pv_power): "
    assert str(caught.value).startswith(start)
    assert sentence in str(caught.value)
    assert inverter.load() is actor
