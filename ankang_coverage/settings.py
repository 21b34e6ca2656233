"""Settings in TOML, YAML and JSON: read within limits, with mistakes explained in one line."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from yaml.constructor import ConstructorError

from ankang_coverage.errors import ArgumentTypeError, FileError, SettingsError
from ankang_coverage.inputs import printable, quoted, read_bytes, read_text, reading, said
from ankang_coverage.limits import limits, require_within

Number = Annotated[float, Field(strict=True)]
"""A number, but no text or truth value that could be converted to one."""
Whole = Annotated[int, Field(strict=True)]
"""A whole number, but nothing that could be converted to one."""

MOST_PROBLEMS = 10
"""Largest number of mistakes in one message."""

_PROBLEM_CHARACTERS = 500
_IN_FILES = {
    "tuple_type": "Input should be a list",
    "list_type": "Input should be a list",
    "dict_type": "Input should be a table",
    "model_type": "Input should be a table",
    "dataclass_type": "Input should be a table",
    "path_type": "Input should be a path",
}
"""Expected types, in words of files instead of Python's."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_KEY_PART = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


class _SettingsType(ModelMetaclass):
    """Explains mistakes in settings made in Python in one line."""

    if not TYPE_CHECKING:  # so that type checkers see the fields

        def __call__(cls, *positional: object, **given: object) -> object:  # noqa: N805
            """Make settings, and explain a mistake in one line."""
            if positional:
                raise ArgumentTypeError(
                    f"{cls.__name__} takes its settings by name: "
                    f"{cls.__name__}({next(iter(cls.model_fields))}=…)"
                )
            try:
                return super().__call__(**given)
            except ValidationError as error:
                raise SettingsError(explain(error, cls.__name__, given, cls)) from error


class Settings(BaseModel, metaclass=_SettingsType):
    """Base of all settings: immutable, without unknown keys, NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


AnySettings = TypeVar("AnySettings", bound=BaseModel)


def with_paths_from(settings: AnySettings, folder: Path) -> AnySettings:
    """Return settings with relative paths resolved against a folder, in nested settings too.

    Parameters
    ----------
    settings : pydantic.BaseModel
        The settings.
    folder : Path
        The folder.

    Returns
    -------
    pydantic.BaseModel
        Settings of the same type.
    """

    def moved(value: object) -> object:
        if isinstance(value, Path):
            return folder / value
        if isinstance(value, BaseModel):
            return with_paths_from(value, folder)
        return tuple(map(moved, value)) if type(value) is tuple else value

    update = {key: moved(getattr(settings, key)) for key in type(settings).model_fields}
    return settings.model_copy(update=update)


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file.

    Parameters
    ----------
    path : str or Path
        The file, UTF-8.

    Returns
    -------
    dict
        Its tables.

    Raises
    ------
    FileError
        If the file is missing, not UTF-8, or not TOML; the message has the line where it is known.
    LimitError
        If it is larger, deeper or fuller than allowed.
    """
    try:
        text = read_bytes(path, "settings_bytes").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"{printable(str(path))} is not UTF-8 text: save it as UTF-8") from error
    _check_dotted_keys(path, text)
    with reading(path, "TOML", "correct it"):
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            raise
        except (ValueError, RecursionError) as error:  # errors without a line
            raise ValueError(f"{_toml_line(text)}{_told(error)}") from error
    _check_values(path, tables)
    return tables


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file of plain values: mappings, lists, texts, numbers, truth values, nothing.

    Parameters
    ----------
    path : str or Path
        The file, UTF-8 or GB18030. Aliases and merged mappings are followed; tags and dates are
        refused, because no setting uses them.

    Returns
    -------
    object
        Its only document; None where it is empty.

    Raises
    ------
    FileError
        If the file is missing or not such YAML, or a key occurs twice; the message has the line.
    LimitError
        If it is larger, deeper or fuller than allowed, aliases counted as often as they are used.
    """
    text = read_text(path, "settings_bytes")
    with reading(path, "YAML", "correct it"):
        try:
            _check_events(path, text)
            values = yaml.load(text, Loader=_Loader)  # noqa: S506  (a safe loader of our own)
        except yaml.MarkedYAMLError as error:
            line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
            message = " ".join(part for part in (error.context, error.problem) if part)
            raise ValueError(f"{line}{message}") from error
    _check_values(path, values)
    return values


def read_json(path: str | Path, limit: str = "settings_bytes") -> Any:
    """Read a JSON file.

    Parameters
    ----------
    path : str or Path
        The file, UTF-8.
    limit : str
        Name of the limit of its size, a field of `Limits`.

    Returns
    -------
    object
        Its value.

    Raises
    ------
    FileError
        If the file is missing or not JSON, or a key occurs twice; the message has the line where it
        is known.
    LimitError
        If it is larger, deeper or fuller than allowed.
    """
    text = read_text(path, limit)
    with reading(path, "JSON", "correct it, or make it again"):
        try:
            values = json.loads(text, object_pairs_hook=_once)
        except RecursionError as error:
            raise ValueError(_told(error)) from error
    _check_values(path, values)
    return values


# --- mistakes --------------------------------------------------------------------------------


def explain(
    error: ValidationError,
    place: str,
    table: object = None,
    model: type[BaseModel] | UnionType | None = None,
) -> str:
    """Explain a settings error in one line: place, expected value, given value.

    Parameters
    ----------
    error : pydantic.ValidationError
        The error.
    place : str
        File, and table in it.
    table : object, optional
        The given values: members of lists are named by their id where they have one, otherwise by
        their number from 1.
    model : type or union of types, optional
        The expected settings: the most similar of its keys is suggested for an unknown one.

    Returns
    -------
    str
        The first mistakes, and how many more there are.
    """
    problems = error.errors(include_url=False, include_context=False)
    messages = []
    for problem in problems[:MOST_PROBLEMS]:
        at = problem["loc"]
        if problem["type"] == "too_short" and _has_inside(problems, at):
            continue  # Members with mistakes were not counted.
        key = ".".join(_names(at, table))
        messages.append(f"{key}: {_said_of(problem, model)}".lstrip(": "))
    more = len(problems) - MOST_PROBLEMS
    rest = [f"and {more} more"] if more > 0 else []
    return f"{printable(place)}: {'; '.join(messages + rest)}"


def _has_inside(problems: Iterable[Any], at: Sequence[int | str]) -> bool:
    return any(problem["loc"][: len(at)] == at != problem["loc"] for problem in problems)


def _said_of(problem: Any, model: object) -> str:
    """Return what is expected of a value, and what it is instead."""
    at, kind, given = problem["loc"], problem["type"], problem["input"]
    if kind == "extra_forbidden":
        near = get_close_matches(str(at[-1])[:100], _known_keys(at, model), n=1)
        remedy = f"did you mean {near[0]}?" if near else "remove it or correct its spelling"
        return f"unknown key; {remedy}"
    says = _IN_FILES.get(kind, problem["msg"]).removeprefix("Value error, ")
    says = says.replace("Tuple should", "List should").replace(" after validation", "")
    if says.startswith("Input should") and isinstance(given, str | int | float):
        says += f", not {quoted(given) if isinstance(given, str) else _in_files(given)}"
    return printable(says, _PROBLEM_CHARACTERS)


def _in_files(number: float) -> str:
    """Return a number or truth value as files write it."""
    return str(number).lower() if isinstance(number, bool) else f"{number}"


def _names(at: Sequence[int | str], table: object) -> Iterator[str]:
    """Yield names for the parts of a place: keys, ids of list members, or their numbers from 1."""
    for part in at:
        try:
            table = table[part]  # type: ignore[index]
        except (TypeError, LookupError):
            table = None
        if isinstance(part, str):
            yield part if _NAME.fullmatch(part) and len(part) <= 60 else quoted(part)
        else:
            id_ = table.get("id") if isinstance(table, Mapping) else None
            is_name = isinstance(id_, str) and _NAME.fullmatch(id_) and len(id_) <= 60
            yield str(id_) if is_name else str(part + 1)


def _known_keys(at: Sequence[int | str], model: object) -> list[str]:
    """Return the known keys at the place of an unknown one."""
    models = _models_in(model)
    for part in at[:-1]:
        fields = [kind.model_fields[part] for kind in models if part in kind.model_fields]
        if fields:  # An index, or the key of a mapping, leads to the type inside its field.
            models = [kind for field in fields for kind in _models_in(field.annotation)]
    return [key for kind in models for key in kind.model_fields]


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        # Where several kinds of settings are possible, the keys of all are known.
        return [annotation, *(m for kind in annotation.__subclasses__() for m in _models_in(kind))]
    return [model for part in get_args(annotation) for model in _models_in(part)]


# --- limits ----------------------------------------------------------------------------------


def _check_values(path: str | Path, values: object) -> None:
    """Refuse too many, too deep or too long values, and texts that cannot be written."""
    name, bound = printable(str(path)), limits()
    count, level, depth = 0, [values], 0
    while level:
        require_within("settings_depth", depth, f"{name} is nested too deeply")
        inside: list[object] = []
        for value in level:
            count += 1
            if isinstance(value, Mapping):
                for key in value:
                    _check_text(name, key)
                inside += value.values()
            elif isinstance(value, list):
                inside += value
            elif isinstance(value, str):
                _check_text(name, value)
            elif isinstance(value, int) and value.bit_length() > 3.33 * bound.digits:
                raise FileError(f"{name} has a whole number of more than {bound.digits} digits")
            require_within("settings_values", count + len(inside), f"{name} has too many values")
        level, depth = inside, depth + 1


def _check_text(name: str, text: object) -> None:
    if not isinstance(text, str):
        return
    require_within("field_characters", len(text), f"{name} has a text of too many characters")
    try:
        text.encode()
    except UnicodeEncodeError as error:  # half of a pair, which JSON can write
        raise FileError(f"{name}: {quoted(text)} is no text: correct its escapes") from error


def _check_dotted_keys(path: str | Path, text: str) -> None:
    """Refuse keys such as a.a.a.… of more parts than values may be deep.

    The parser's time grows with the square of the number of parts, and it uses recursion.
    """
    deepest = limits().settings_depth
    dotted = re.compile(
        rf"(?<![A-Za-z0-9_-]){_KEY_PART}(?:[ \t]*+\.[ \t]*+{_KEY_PART}){{{deepest}}}"
    )
    if found := dotted.search(text):
        line = text.count("\n", 0, found.start()) + 1
        name = f"{printable(str(path))}, line {line}"
        require_within("settings_depth", deepest + 1, f"{name}: the key has too many parts")


def _told(error: Exception) -> str:
    return "values are nested too deeply" if isinstance(error, RecursionError) else said(error)


def _toml_line(text: str) -> str:
    """Return the line of a value that TOML's grammar allows but Python does not."""
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            tomllib.loads(line)
        except tomllib.TOMLDecodeError:
            continue  # Part of a longer value, or valid only in its context.
        except (ValueError, RecursionError):
            return f"line {number}: "
    return ""


# --- YAML ------------------------------------------------------------------------------------


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Makes only plain values, and gives the line of others in its errors."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            raise ConstructorError(None, None, said(error), node.start_mark) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and keys[key.value] > 1:
                message = f"the key {quoted(key.value)} occurs twice"
                raise ConstructorError(None, None, message, node.start_mark)
        return super().construct_mapping(node, deep)

    def refuse_date(self, node: yaml.ScalarNode) -> NoReturn:
        message = f"{quoted(node.value)} is a date: put it in quotation marks"
        raise ConstructorError(None, None, message, node.start_mark)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.refuse_date)


class _Open:
    """A list or mapping whose end has not come yet: how many values it has, and how deep."""

    def __init__(self, anchor: str | None) -> None:
        self.anchor, self.count, self.height = anchor, 1, 1

    def add(self, count: int, height: int) -> None:
        self.count += count
        self.height = max(self.height, height + 1)


def _check_events(path: str | Path, text: str) -> None:
    """Count values and depth as aliases repeat them, before any value is made."""
    name, bound = printable(str(path)), limits()
    within = [_Open(None)]
    known: dict[str | None, tuple[int, int]] = {}
    for event in yaml.parse(text, Loader=_Loader):
        assert event.start_mark is not None
        where = f"{name}, line {event.start_mark.line + 1}"
        _check_event(event, where, is_second=within[0].count > 1)
        if isinstance(event, yaml.CollectionStartEvent):
            within.append(_Open(event.anchor))
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = within.pop()
            known[ended.anchor] = ended.count, ended.height
            within[-1].add(ended.count, ended.height)
        elif isinstance(event, yaml.AliasEvent):
            if any(outer.anchor == event.anchor for outer in within):
                fault = f"the alias {quoted(str(event.anchor))} is inside what it repeats"
                raise FileError(f"{where}: {fault}: correct it")
            within[-1].add(*known.get(event.anchor, (1, 0)))
        elif isinstance(event, yaml.ScalarEvent):
            known[event.anchor] = 1, 0
            within[-1].add(1, 0)
        depth = len(within) + within[-1].height - 2
        if depth > bound.settings_depth:
            require_within("settings_depth", depth, f"{where}: values are nested too deeply")
        count = sum(outer.count for outer in within)
        if count > bound.settings_values:
            require_within("settings_values", count, f"{where}: there are too many values")


def _check_event(event: yaml.Event, where: str, *, is_second: bool) -> None:
    """Refuse a tag, a text that is too long, and what follows the first document."""
    if isinstance(event, yaml.DocumentStartEvent) and is_second:
        raise FileError(f"{where}: a second document begins: keep one in a file")
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise FileError(f"{where}: the tag {quoted(tag)} is not allowed: leave it out")
    if isinstance(event, yaml.ScalarEvent):
        longest = f"{where}: a text has too many characters"
        require_within("field_characters", len(event.value), longest)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of a JSON object, none of which occurs twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
        raise ValueError(f"the key {quoted(twice)} occurs twice")
    return members
