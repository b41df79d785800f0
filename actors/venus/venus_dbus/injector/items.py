"""The paths of one service and the answers to every call on them. No I/O.

Leaves and inner nodes answer GetValue, GetText and SetValue, `/` answers GetItems too, with an
interface in the call or without. Every call gets an answer: dbus-fast 2.22 cannot answer a call
without an interface by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from dbus_fast import Message, MessageFlag, MessageType, Variant

from .values import asked, fit, plain, text, variant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .values import Spec, Value

    Write = Callable[[str, Value], int]

BUS_ITEM = "com.victronenergy.BusItem"
_INTROSPECT = "org.freedesktop.DBus.Introspectable"
_PEER = "org.freedesktop.DBus.Peer"
_UNKNOWN = "org.freedesktop.DBus.Error.UnknownMethod"
_WRONG = "org.freedesktop.DBus.Error.InvalidArgs"
ACCEPTED, NOT_WRITABLE, REFUSED = 0, 1, 2
_INTERFACE = f"""\
 <interface name="{BUS_ITEM}">
  <method name="GetValue"><arg direction="out" type="v"/></method>
  <method name="GetText"><arg direction="out" type="{{text}}"/></method>
  <method name="SetValue"><arg direction="in" type="v"/><arg direction="out" type="i"/></method>
{{more}} </interface>
"""
_ROOT = """\
  <method name="GetItems"><arg direction="out" type="a{sa{sv}}"/></method>
  <signal name="ItemsChanged"><arg type="a{sa{sv}}"/></signal>
"""


class Items:
    """Values by path. `write` is asked before a path takes what somebody wrote."""

    def __init__(self, specs: Mapping[str, Spec], write: Write) -> None:
        self.specs = dict(specs)
        self.values: dict[str, Value] = dict.fromkeys(specs)
        self._write = write

    def put(self, values: Mapping[str, Any]) -> set[str]:
        """Take values over; the paths that have changed. Paths that are not there are left out."""
        changed = set()
        for path, value in values.items():
            spec = self.specs.get(path)
            if spec is None:
                continue
            fitted = fit(spec, value)
            if fitted != self.values[path]:
                self.values[path] = fitted
                changed.add(path)
        return changed

    def unknown(self) -> set[str]:
        """Make all that is measured unknown; the paths that have changed."""
        return self.put({path: None for path, spec in self.specs.items() if spec.measured})

    def shown(self, paths: set[str] | None = None) -> dict[str, dict[str, Variant]]:
        """What GetItems answers and ItemsChanged carries; `paths` None: all."""
        return {
            path: {
                "Value": variant(self.specs[path], self.values[path]),
                "Text": Variant("s", text(self.specs[path], self.values[path])),
            }
            for path in (self.specs if paths is None else sorted(paths))
        }

    # ---------------------------------------------------------------- calls

    def answer(self, call: Message) -> Message | None:
        """The answer to a call; None where the library answers by itself (Peer)."""
        path = str(call.path)
        if call.interface == _PEER:
            return None
        if call.member == "Introspect" and call.interface in {None, _INTROSPECT}:
            return Message.new_method_return(call, "s", [self._introspection(path)])
        if call.interface not in {None, BUS_ITEM}:
            return _error(call, _UNKNOWN, f"there is no interface {call.interface}")
        return self._leaf(call, path) if path in self.specs else self._inner(call, path)

    def _inner(self, call: Message, path: str) -> Message:
        inner = self._below(path)
        if call.member == "GetItems" and path == "/":
            signature, body = "a{sa{sv}}", _body(self.shown())
        elif call.member == "GetValue" and inner:
            values = {rest: variant(self.specs[each], self.values[each]) for rest, each in inner}
            signature, body = "v", _body(Variant("a{sv}", values))
        elif call.member == "GetText" and inner:
            texts = {rest: text(self.specs[each], self.values[each]) for rest, each in inner}
            signature, body = "v", _body(Variant("a{ss}", texts))
        elif call.member == "SetValue" and inner:
            signature, body = "i", _body(NOT_WRITABLE)
        else:
            return _error(call, _UNKNOWN, f"there is no {call.member} at {path}")
        return Message.new_method_return(call, signature, body)

    def _leaf(self, call: Message, path: str) -> Message:
        spec, value = self.specs[path], self.values[path]
        if call.member == "GetValue":
            return Message.new_method_return(call, "v", [variant(spec, value)])
        if call.member == "GetText":
            return Message.new_method_return(call, "s", [text(spec, value)])
        if call.member == "GetDescription":
            return Message.new_method_return(call, "s", [""])
        if call.member != "SetValue":
            return _error(call, _UNKNOWN, f"{path} has no method {call.member}")
        if call.signature != "v":
            return _error(call, _WRONG, "SetValue takes one variant")
        return Message.new_method_return(call, "i", [self._set_value(path, call.body[0])])

    def _set_value(self, path: str, value: Any) -> int:
        spec = self.specs[path]
        if not spec.writable:
            return NOT_WRITABLE
        if plain(value) is None:
            return REFUSED
        try:
            wanted = asked(spec, value)
        except (ValueError, OverflowError):
            return REFUSED
        return self._write(path, wanted)

    # ---------------------------------------------------------------- the tree

    def _below(self, path: str) -> list[tuple[str, str]]:
        """(relative path, path) of all leaves below an inner node."""
        prefix = "/" if path == "/" else f"{path}/"
        return [(each[len(prefix) :], each) for each in self.specs if each.startswith(prefix)]

    def _introspection(self, path: str) -> str:
        inner = [rest for rest, _ in self._below(path)]
        parts = ["<node>\n"]
        if inner or path in self.specs:
            leaf = path in self.specs
            more = _ROOT if path == "/" else ""
            parts.append(_INTERFACE.format(text="s" if leaf else "v", more=more))
        children = sorted({rest.partition("/")[0] for rest in inner})
        parts += [f" <node name={quoteattr(name)}/>\n" for name in children]
        return "".join([*parts, "</node>\n"])


def changes(items: dict[str, dict[str, Variant]]) -> Message:
    """The signal that tells of changed paths; nobody is to answer it."""
    return Message(
        message_type=MessageType.SIGNAL,
        flags=MessageFlag.NO_REPLY_EXPECTED,
        path="/",
        interface=BUS_ITEM,
        member="ItemsChanged",
        signature="a{sa{sv}}",
        body=[items],
    )


def _error(call: Message, name: str, sentence: str) -> Message:
    return Message.new_error(call, name, sentence)


def _body(value: Any) -> list[Any]:
    return [value]
