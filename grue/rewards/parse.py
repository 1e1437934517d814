"""Formulas of rewards, such as ``0.5*meteor + 0.5*clip(rouge_combined, 0, 1)``, read into rewards.

The text is parsed by Python's own grammar and never run: names of rewards, numbers, ``+ - * /`` and the functions
of ``FUNCTIONS`` are all there is. What a reward's ``formula()`` prints is read back to an equal reward.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

from grue.core.errors import GrueError, MetricUnavailableError, UsageError
from grue.core.judging import Judging
from grue.core.reward import Reward
from grue.core.task import RewardSpec, Setting
from grue.core.text import nearest
from grue.metrics.settings import SettingTable
from grue.rewards.build import build, is_known, names
from grue.rewards.combine import Term, weighted_sum
from grue.rewards.formula_functions import FUNCTIONS, Arguments, CallError
from grue.rewards.named import LOAD, read
from grue.rewards.plugins import path_reward

MAX_LETTERS = 1_000_000
MAX_DEPTH = 200
_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_EXAMPLE = "For example: 0.5*meteor + 0.5*clip(rouge_combined, 0, 1)"

Value = Reward | float


def parse(text: str, settings: SettingTable | None = None, judging: Judging | None = None) -> Reward:
    """Read a formula.

    >>> parse("0.25*(meteor + chrf)").formula()
    '0.25*meteor + 0.25*chrf'

    Args:
        text: The formula.
        settings: Settings of the rewards in it, name -> key -> value; those inside the formula win.
        judging: Where judges run.

    Raises:
        UsageError: where the text is no formula; it names the place and, for a name, the nearest known one.
        MetricUnavailableError: where a reward in it cannot be computed here.
    """
    if len(text) > MAX_LETTERS:
        raise UsageError(f"The formula has {len(text)} letters; at most {MAX_LETTERS} are read.", "Name a file in it.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        place = f" at character {error.offset}" if error.offset else " to its end"
        raise UsageError(f"Formula {_short(text)!r} cannot be read{place}: {error.msg}.", _EXAMPLE) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UsageError(
            f"Formula {_short(text)!r} cannot be read: {error or type(error).__name__}.", _EXAMPLE
        ) from error
    reader = _Reader(text.strip(), settings or {}, judging)
    value = reader.value(tree)
    if isinstance(value, float):
        raise UsageError(f"Formula {_short(text)!r} is a number and holds no reward.", _EXAMPLE)
    return value


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:97]}…"


class _Reader:
    """Walks one formula's tree."""

    def __init__(self, text: str, settings: SettingTable, judging: Judging | None) -> None:
        self._text = text
        self._settings = settings
        self._judging = judging
        self._depth = 0

    def value(self, node: ast.expr) -> Value:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._fault(node, f"the formula is nested more than {MAX_DEPTH} deep")
        try:
            return self._value(node)
        finally:
            self._depth -= 1

    def _value(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Constant):
            if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
                return self._float(node, node.value)
            raise self._fault(node, f"{ast.unparse(node)} is neither a number nor a reward")
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            inner = self.value(node.operand)
            if isinstance(node.op, ast.UAdd):
                return inner
            return -inner if isinstance(inner, float) else weighted_sum([(-1.0, inner)])
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            return self._sum(node) if isinstance(node.op, (ast.Add, ast.Sub)) else self._product(node)
        if isinstance(node, ast.Name):
            return self._reward(node, node.id, {})
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._call(node, node.func.id)
        raise self._fault(node, f"{_short(ast.unparse(node))} is no part of a formula")

    def _sum(self, node: ast.BinOp) -> Value:
        # A long sum nests to the left; it is walked in a loop, so that its length is not its depth.
        pieces: list[tuple[int, ast.expr]] = []
        rest: ast.expr = node
        while isinstance(rest, ast.BinOp) and isinstance(rest.op, (ast.Add, ast.Sub)):
            pieces.append((1 if isinstance(rest.op, ast.Add) else -1, rest.right))
            rest = rest.left
        pieces.append((1, rest))
        terms: list[Term] = []
        constant = 0.0
        for sign, piece in reversed(pieces):
            value = self.value(piece)
            if isinstance(value, float):
                constant += sign * value
            else:
                terms.append((float(sign), value))
        return self._guard(node, lambda: weighted_sum(terms, constant)) if terms else self._float(node, constant)

    def _product(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        apply = _ARITHMETIC[type(node.op)]
        if isinstance(left, float) and isinstance(right, float):
            try:
                return self._float(node, apply(left, right))
            except (ZeroDivisionError, OverflowError) as error:
                raise self._fault(node, str(error)) from error
        if isinstance(node.op, ast.Div):
            if isinstance(left, float) or not isinstance(right, float):
                raise self._fault(node, "nothing can be divided by a reward")
            if right == 0:
                raise self._fault(node, "division by zero")
            return self._guard(node, lambda: weighted_sum([(1 / right, left)]))
        if isinstance(left, float) and not isinstance(right, float):
            return self._guard(node, lambda: weighted_sum([(left, right)]))
        if isinstance(right, float) and not isinstance(left, float):
            return self._guard(node, lambda: weighted_sum([(right, left)]))
        raise self._fault(node, "a reward can be multiplied by a number only")

    def _call(self, node: ast.Call, name: str) -> Reward:
        keywords: dict[str, ast.expr] = {}
        for given in node.keywords:
            if given.arg is None:
                raise self._fault(node, "'**' is no part of a formula")
            keywords[read(given.arg)] = given.value
        if name == LOAD:
            if len(node.args) != 1:
                raise self._fault(node, "load takes the text 'PATH.py:NAME' and settings")
            path = self._setting(node.args[0])
            settings = {key: self._setting(value) for key, value in keywords.items()}
            return self._guard(node, lambda: path_reward(str(path), settings))
        if name not in FUNCTIONS:
            self._check_name(node, name)
            if node.args:
                raise self._fault(node.args[0], f"{name!r} takes settings by name only, as in rouge(type='rougeL')")
            return self._reward(node, name, {key: self._setting(value) for key, value in keywords.items()})
        known = FUNCTIONS[name]
        if len(node.args) > len(known.parameters):
            raise self._fault(node, f"{name} takes {', '.join(known.parameters)}")
        given_nodes = dict(zip(known.parameters, node.args, strict=False))
        for key, value in keywords.items():
            if key not in known.parameters or key in given_nodes:
                raise self._fault(node, f"{name} does not take {key!r} here.{nearest(key, known.parameters)}")
            given_nodes[key] = value
        missing = [key for key in known.required if key not in given_nodes]
        if missing:
            raise self._fault(node, f"{name} needs {', '.join(missing)}")
        arguments = Arguments({key: self._argument(key, value) for key, value in given_nodes.items()}, self._judging)
        return self._guard(node, lambda: known.make(arguments))

    def _argument(self, key: str, node: ast.expr) -> object:
        if key == "reward":
            value = self.value(node)
            if isinstance(value, float):
                raise self._fault(node, "a reward is expected here, not a number")
            return value
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, MemoryError, RecursionError):
            pass
        value = self.value(node)
        if not isinstance(value, float):
            raise self._fault(node, "a number, a text or a list of numbers is expected here")
        return value

    def _setting(self, node: ast.expr) -> Setting:
        try:
            value = ast.literal_eval(node)
        except (ValueError, TypeError, MemoryError, RecursionError):
            value = None
        if not isinstance(value, (bool, int, float, str)):
            raise self._fault(node, "a setting is a number, a text in quotes, True or False")
        return value

    def _reward(self, node: ast.expr, name: str, own: Mapping[str, Setting]) -> Reward:
        self._check_name(node, name)
        table = {name: {**self._settings.get(name, {}), **own}}
        return self._guard(node, lambda: build(RewardSpec(name), table, self._judging), name)

    def _check_name(self, node: ast.expr, name: str) -> None:
        if not is_known(name):
            hint = nearest(name, (*names(), *FUNCTIONS, LOAD))
            raise self._fault(node, f"unknown reward {name!r}.{hint}", "Run 'grue rewards list' to see all.")

    def _guard(self, node: ast.expr, make: Callable[[], Reward], name: str = "") -> Reward:
        """Make a reward, and put the place before what it says."""
        try:
            return make()
        except MetricUnavailableError as error:
            raise MetricUnavailableError(f"{name}: {error.cause}" if name else error.cause) from error
        except GrueError as error:
            raise self._fault(node, error.cause, error.fix) from error
        except CallError as error:
            raise self._fault(node, str(error)) from error

    def _float(self, node: ast.expr, value: float) -> float:
        try:
            return float(value)
        except OverflowError as error:
            raise self._fault(node, "the number is too large") from error

    def _fault(self, node: ast.expr, cause: str, fix: str = _EXAMPLE) -> UsageError:
        # Columns of the tree count UTF-8 bytes.
        line = self._text.splitlines()[node.lineno - 1]
        column = len(line.encode()[: node.col_offset].decode(errors="ignore")) + 1
        place = f"line {node.lineno}, character {column}" if node.lineno > 1 else f"character {column}"
        said = cause if cause.endswith(("?", ".")) else f"{cause}."
        return UsageError(f"Formula {_short(self._text)!r}, {place}: {said}", fix)
