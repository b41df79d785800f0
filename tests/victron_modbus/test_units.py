"""Which unit holds what, and names that never move."""

from __future__ import annotations

from actors.devices.victron_modbus.units import ALL, USUAL, Units, in_words


def test_devices_are_named_in_the_order_in_which_they_were_found() -> None:
    units = Units({})
    for service, unit in [
        ("solarcharger", 239),
        ("vebus", 228),
        ("solarcharger", 226),
        ("battery", 225),
        ("battery", 247),
    ]:
        assert units.add(service, unit)
    assert list(units.known()) == [
        ("vebus", 228, "vebus"),
        ("battery", 225, "battery"),
        ("battery", 247, "battery2"),
        ("solarcharger", 239, "solar1"),
        ("solarcharger", 226, "solar2"),
    ]
    assert in_words(units.known()).startswith("vebus 228, battery 225, battery 247")


def test_names_survive_a_restart_and_a_find_in_between() -> None:
    first = Units({})
    first.add("solarcharger", 239)
    again = Units({}, first.remember())
    assert not again.add("solarcharger", 239)
    again.add("solarcharger", 226)
    assert [name for *_, name in again.known()] == ["solar1", "solar2"]
    assert again.of("solarcharger") == (239, 226)


def test_the_owners_word_counts_and_is_not_looked_for() -> None:
    units = Units({"grid": (30,), "vebus": ()}, {"grid": [31], "vebus": [227], "battery": [225]})
    assert units.of("grid") == (30,)
    assert units.of("vebus") == ()
    assert units.of("battery") == (225,)
    open_ = units.open_questions((31, 225))
    assert ("grid", 31) not in open_
    assert ("vebus", 225) not in open_
    assert ("battery", 225) not in open_
    assert ("battery", 31) in open_
    assert "grid" not in units.remember()


def test_what_was_remembered_badly_is_left_aside() -> None:
    units = Units({}, {"grid": "30", "battery": [225, "x", 100, 4000], "toaster": [1]})
    assert units.of("grid") == ()
    assert units.of("battery") == (225,)


def test_the_ids_that_are_asked() -> None:
    assert {225, 226, 227, 228, 242, 246, 247, 239, 238, 237, 236, 30, 40} <= set(USUAL)
    assert set(USUAL) < set(ALL)
    assert 100 not in ALL
    assert len(set(USUAL)) == len(USUAL)
