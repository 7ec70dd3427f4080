"""Small helpers that scripts import: paths, YAML, dictionaries, selections in tables."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from geminga.errors import InputError, NameLookupError
from geminga.utils.files import make_path
from geminga.utils.names import make_name
from geminga.utils.yaml import from_yaml, read_yaml, to_yaml, write_yaml

__all__ = [
    "from_yaml",
    "get_images_paths",
    "logic_parser",
    "make_name",
    "make_path",
    "read_yaml",
    "recursive_merge_dicts",
    "to_yaml",
    "write_yaml",
]

_DOCS = Path(__file__).resolve().parents[3] / "docs"
_COMPARISONS: dict[type, Any] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.In: np.isin,
    ast.NotIn: lambda values, known: ~np.isin(values, known),
}


def get_images_paths(folder: str | Path = _DOCS) -> Iterator[Path]:
    """Full paths of the images below a folder."""
    for path in sorted(Path(folder).rglob("images/*")):
        if path.is_file() and ".ipynb_checkpoints" not in path.parts:
            yield path.resolve()


def recursive_merge_dicts(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """Merge two dictionaries; where both have a value, that of `b` wins.

    Examples
    --------
    >>> from geminga.utils.scripts import recursive_merge_dicts
    >>> recursive_merge_dicts({"a": {"b": 1}}, {"a": {"c": 2}})
    {'a': {'b': 1, 'c': 2}}
    """
    merged = dict(a)
    for key, value in b.items():
        old = merged.get(key)
        merged[key] = recursive_merge_dicts(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def logic_parser(table: Any, expression: str) -> Any:
    """Rows of a table for which an expression is true.

    Parameters
    ----------
    table : `~astropy.table.Table`
        Table.
    expression : str
        Comparisons of columns with numbers or strings, joined by ``and``, ``or``, ``not``, ``&``, ``|`` and brackets, such as
        ``"(OBS_ID > 10) and (TARGET in ['Crab', 'Vela'])"``.

    Raises
    ------
    InputError
        If the expression cannot be read.
    NameLookupError
        If it names an unknown column.
    """
    if not isinstance(expression, str):
        msg = f"logic_parser: expression got {expression!r}; expected a string such as \"(OBS_ID > 10) and (OBJECT == 'Crab')\"."
        raise InputError(msg)
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except SyntaxError as error:
        msg = f"logic_parser: cannot read {expression!r}: {error.msg}."
        raise InputError(msg) from error
    mask = np.broadcast_to(np.asarray(_evaluate(tree, table), dtype=bool), len(table))
    return table[mask]


def _evaluate(node: ast.AST, table: Any) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return _column(node.id, table)
        case ast.List() | ast.Tuple():
            return [_evaluate(element, table) for element in node.elts]
        case ast.UnaryOp(op=ast.Not() | ast.Invert()):
            return ~np.asarray(_evaluate(node.operand, table), dtype=bool)
        case ast.UnaryOp(op=ast.USub()):
            return -_evaluate(node.operand, table)
        case ast.BoolOp():
            combine = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return combine.reduce([_evaluate(value, table) for value in node.values])
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
            combine = np.logical_and if isinstance(node.op, ast.BitAnd) else np.logical_or
            return combine(_evaluate(node.left, table), _evaluate(node.right, table))
        case ast.Compare():
            return _compare(node, table)
    msg = f"logic_parser: {ast.unparse(node)!r} is not offered; use comparisons joined by and, or, not."
    raise InputError(msg)


def _column(name: str, table: Any) -> Any:
    if name not in table.colnames:
        msg = f"logic_parser: no column {name!r}; known columns: {', '.join(table.colnames)}."
        raise NameLookupError(msg)
    return np.asarray(table[name])


def _compare(node: ast.Compare, table: Any) -> Any:
    terms = [_evaluate(term, table) for term in (node.left, *node.comparators)]
    result: Any = True
    for operator, left, right in zip(node.ops, terms[:-1], terms[1:], strict=True):
        function = _COMPARISONS.get(type(operator))
        if function is None:
            msg = f"logic_parser: {ast.unparse(node)!r} is not offered; use <, <=, >, >=, ==, !=, in, not in."
            raise InputError(msg)
        result = np.logical_and(result, function(left, right))
    return result
