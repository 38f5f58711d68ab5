"""What a caller may ask for: the kinds of values, and the parameters of `predict()`.

Every parameter is declared once, here; `predict()`, the command line and the HTTP schema derive from it. None means
"as configured"; any other value, 0 and False too, is taken as it is.
"""

from __future__ import annotations

import ast
import reprlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema

from sealread.errors import InputError

_SWITCH_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
#: Longer texts are no numbers, lists or dicts that anybody writes by hand; they are not parsed.
_LONGEST_LITERAL = 2000


def suggestion(word: object, known: Iterable[str]) -> str:
    """A half sentence that names the nearest of the known words, or nothing where none is near."""
    spellings = {name.lower(): name for name in known}
    near = get_close_matches(str(word).lower(), spellings, n=1)
    return f"; did you mean {spellings[near[0]]}?" if near else ""


def parse_switch(value: object) -> object:
    """True or False for the words true, false, yes, no, 1 and 0 in any case; everything else as it came.

    Only the words are turned: whoever calls checks for bool.
    """
    word = str(value).strip().lower() if isinstance(value, (str, int)) else ""
    return _SWITCH_WORDS.get(word, value)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Says in words what a value may be, and replaces the messages of the type that it stands behind.

    Texts that hold a Python literal (``"{16: 0.3}"``, ``"[1.2, 1.5]"``, ``"'large'"``) and NumPy values are read first.
    """

    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema of the type, wrapped."""
        return core_schema.no_info_wrap_validator_function(self._check, handler(source))

    def _check(self, value: object, inner: Callable[[object], object]) -> object:
        try:
            return inner(_plain(value))
        except ValidationError:
            raise ValueError(f"must be {self.words}") from None


def _plain(value: object) -> object:
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays
        return value.tolist()
    if isinstance(value, str) and value.lstrip()[:1] in tuple("{[('\"") and len(value) <= _LONGEST_LITERAL:
        try:
            return ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return value
    return value


def _not_a_switch(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("True and False are no numbers")
    return value


def _class_key(key: object) -> object:
    return int(key) if isinstance(key, str) and key.strip().isdecimal() else key


_Number = BeforeValidator(_not_a_switch)
_Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), _Number]
_AboveZero = Annotated[float, Field(gt=0, allow_inf_nan=False), _Number]
_Pair = tuple[_AboveZero, _AboveZero]
_Merge = Literal["large", "small", "union"]
#: A class of the layout model: its number, or its label.
ClassKey = Annotated[int | str, BeforeValidator(_class_key), _Number]

Switch = Annotated[bool, Field(strict=True), BeforeValidator(parse_switch), Allowed("True or False")]
Count = Annotated[int, Field(ge=1), _Number, Allowed("a whole number above 0")]
Probability = Annotated[_Unit, Allowed("a number from 0 to 1")]
#: Keeps 0 as the integer that was given, because the result repeats it.
ScoreThreshold = Annotated[int | float, Field(ge=0, le=1, allow_inf_nan=False), _Number, Allowed("a number from 0 to 1")]
Growth = Annotated[float, Field(ge=0, allow_inf_nan=False), _Number, Allowed("a number that is not negative")]
LimitType = Annotated[Literal["min", "max", "resize_long"], Allowed("min, max or resize_long")]
Thresholds = Annotated[
    _Unit | dict[ClassKey, _Unit], Allowed("a number from 0 to 1, or a dict of such numbers by class id or label, like {16: 0.3}")
]
UnclipRatio = Annotated[
    _AboveZero | _Pair | dict[ClassKey, _AboveZero | _Pair],
    Allowed("a number above 0, or two like [1.2, 1.5] for width and height, or a dict of these by class id or label"),
]
MergeMode = Annotated[_Merge | dict[ClassKey, _Merge], Allowed("large, small or union, or a dict of these by class id or label")]


class LayoutBox(BaseModel):
    """A region that the caller found, on the flat page: `coordinate` is ``(x1, y1, x2, y2)`` in its pixels."""

    model_config = ConfigDict(frozen=True)

    cls_id: int
    label: str
    score: _Unit
    coordinate: tuple[float, float, float, float]


class LayoutBoxes(BaseModel):
    """The regions of one page; other keys of a layout result are left aside."""

    model_config = ConfigDict(frozen=True)

    boxes: tuple[LayoutBox, ...]


def _one_page(value: object) -> object:
    return (value,) if isinstance(value, (Mapping, LayoutBoxes)) else value


_LayoutResults = Annotated[
    tuple[LayoutBoxes, ...],
    BeforeValidator(_one_page),
    Allowed("a layout result with its boxes (cls_id, label, score, coordinate), or a list of them, one for each page"),
]


class PredictOptions(BaseModel):
    """Every parameter of `predict()` beside the input; None stands for the configured value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use_doc_orientation_classify: Switch | None = Field(default=None, description="turn pages upright first")
    use_doc_unwarping: Switch | None = Field(default=None, description="flatten curved pages first")
    use_layout_detection: Switch | None = Field(default=None, description="look for seals; False: each input is one seal")
    layout_det_res: _LayoutResults | None = Field(default=None, description="regions found elsewhere, used instead of layout detection")
    layout_threshold: Thresholds | None = Field(default=None, description="lowest score of a region")
    layout_nms: Switch | None = Field(default=None, description="drop regions that repeat a better one")
    layout_unclip_ratio: UnclipRatio | None = Field(default=None, description="grow regions about their centre by this factor")
    layout_merge_bboxes_mode: MergeMode | None = Field(
        default=None, description="of regions inside one another keep the large, the small, or all (union)"
    )
    seal_det_limit_side_len: Count | None = Field(default=None, description="side length in pixels for text detection")
    seal_det_limit_type: LimitType | None = Field(
        default=None, description="which side that is: the shorter at least (min), the longer at most (max), the longer exactly"
    )
    seal_det_thresh: Probability | None = Field(default=None, description="lowest probability of a text pixel")
    seal_det_box_thresh: Probability | None = Field(default=None, description="lowest mean probability of a line")
    seal_det_unclip_ratio: Growth | None = Field(default=None, description="how far the outline of a line grows")
    seal_rec_score_thresh: ScoreThreshold | None = Field(default=None, description="lowest score of a text that is kept")

    @classmethod
    def allowed(cls, name: str) -> str:
        """What the values of a parameter may be, in words."""
        kind = get_args(cls.model_fields[name].annotation)[0]
        return next(mark.words for mark in get_args(kind) if isinstance(mark, Allowed))

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> PredictOptions:
        """The options in a mapping of keyword arguments.

        Raises:
            TypeError: a keyword is unknown; the nearest one is named.
            InputError: a value is of the wrong kind or out of range; `parameter` is its name.
        """
        for name in values:
            if name not in cls.model_fields:
                raise TypeError(f"predict() has no parameter {name!r}{suggestion(name, cls.model_fields)}")
        try:
            return cls.model_validate(dict(values))
        except ValidationError as refused:
            first = refused.errors()[0]
            name = str(first["loc"][0])
            raise InputError(f"{name} {complaint(first)}", parameter=name) from None


def complaint(error: Mapping[str, Any]) -> str:
    """What one pydantic error says about a value: what it must be and what it is."""
    cause = error.get("ctx", {}).get("error")
    return f"{error['msg'] if cause is None else cause}, but is {reprlib.repr(error['input'])}"


def given(value: Any, configured: Any) -> Any:
    """The caller's value, or the configured one where the caller gave None."""
    return configured if value is None else value
