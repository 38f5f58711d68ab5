"""Arrays with shapes, and the frozen records that the stages hand to each other.

Frames: the *page* is the image as the caller gave it; the *upright* page is it after lossless quarter turns; the
*flat* page is the upright page after unwarping. A *crop* is a seal cut from the flat page. Points are float64 ``(n, 2)``
``(x, y)`` in pixels, y down; polygons run clockwise on screen, are not closed, and start at the top left of the
first character in reading direction. Scores lie in 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sealread.frames import Frame, Identity

#: ``(height, width, 3)`` uint8, blue green red.
Image = NDArray[np.uint8]
#: ``(n, 2)`` float64, ``(x, y)`` in pixels.
Points = NDArray[np.float64]
#: A tensor that enters or leaves a network.
Tensor = NDArray[Any]

Role = Literal["outer_arc", "inner_arc", "horizontal", "code", "other"]


@dataclass(frozen=True, slots=True)
class Page:
    """One image that the caller wants read.

    Attributes:
        image: ``(height, width, 3)`` uint8 BGR, upright by EXIF.
        source: the path or address as the caller gave it; None for arrays, bytes and PIL images.
        index: 0-based page or frame of a PDF or TIFF; None for single images.
        count: number of pages of the file, where known.
    """

    image: Image
    source: str | None = None
    index: int | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class FailedPage:
    """An input, or one page of it, that could not be loaded."""

    error: Exception
    source: str | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """A layout region of the flat page.

    Attributes:
        cls_id: class of the layout model's label list.
        label: its name; seals are labelled ``seal``.
        score: probability of the class.
        box: ``(x1, y1, x2, y2)`` in pixels of the flat page.
        legible_from: a seal is one only if a line of it of some length has at least this score; 0 where the layout is sure enough.
    """

    cls_id: int
    label: str
    score: float
    box: tuple[float, float, float, float]
    legible_from: float = 0.0


@dataclass(frozen=True, slots=True)
class Ribbon:
    """The band of one line of text: its two edges, sampled together in reading direction.

    With direction of travel ``(tx, ty)`` the top edge lies on the side of ``(ty, -tx)``.

    Attributes:
        top: ``(k, 2)`` points of the edge at the tops of the characters, k >= 2.
        bottom: ``(k, 2)`` points of the opposite edge.
        cells: 0 for ordinary lines; else the line is a column of that many upright characters stacked along the ribbon.
    """

    top: Points
    bottom: Points
    cells: int = 0

    @property
    def polygon(self) -> Points:
        """The outline ``(2k, 2)``: top edge forwards, bottom edge backwards."""
        return np.concatenate([self.top, self.bottom[::-1]])


@dataclass(frozen=True, slots=True)
class DetectedLine:
    """A line of text that the detector found on a crop.

    Attributes:
        polygon: ``(n, 2)`` outline in pixels of the crop.
        score: mean probability of text inside the outline.
        ribbon: the band, where the network tells it; None for networks that give an outline only.
        direction: how sure the reading direction of the ribbon is, 0 (unknown) to 1.
        upright: mean direction of the characters' feet-to-right axis, degrees clockwise from the x axis; None if unknown.
    """

    polygon: Points
    score: float
    ribbon: Ribbon | None = None
    direction: float = 0.0
    upright: float | None = None


@dataclass(frozen=True, slots=True)
class Recognition:
    """What the recogniser reads on one strip.

    Attributes:
        text: the characters, first to last; empty for nothing.
        score: mean of the kept characters' probabilities, or the calibrated probability that the line is right; 0 for nothing.
        char_scores: probability of each character.
        char_positions: centre of each character along the strip, 0 (left end) to 1 (right end).
        raw: what the network alone read, where `text` was corrected; else None.
    """

    text: str
    score: float
    char_scores: tuple[float, ...] = ()
    char_positions: tuple[float, ...] = ()
    raw: Recognition | None = None

    @property
    def as_read(self) -> Recognition:
        """What the network alone read."""
        return self if self.raw is None else self.raw


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of a seal, found and read.

    Attributes:
        polygon: ``(n, 2)`` outline in pixels of the crop (`SealReading.box` is its origin on the flat page).
        page_polygon: the same outline in pixels of the caller's page.
        char_points: ``(len(text), 2)`` centre of each character in pixels of the caller's page.
        kept: False if the score is below the threshold that the caller asked for.
        raw_text: what the network alone read, where `text` was corrected; else None.
    """

    text: str
    score: float
    role: Role
    polygon: Points
    page_polygon: Points
    detection_score: float
    char_scores: tuple[float, ...]
    char_points: Points
    kept: bool = True
    raw_text: str | None = None


@dataclass(frozen=True, slots=True)
class SealReading:
    """One seal.

    Attributes:
        region_id: 1-based, in the order of the page's regions.
        box: ``(x1, y1, x2, y2)`` integers: the crop's place on the flat page.
        crop: the image that was read, ``(height, width, 3)`` uint8 BGR.
        page_box: axis-aligned ``(x1, y1, x2, y2)`` in pixels of the caller's page.
        detection_score: score of the region; 1.0 where the whole input is the seal.
        rotation: degrees clockwise by which the seal is turned on the caller's page, -180..180; None where nothing tells it.
        lines: in reading order: outer arcs, inner arcs, horizontal lines top down, codes, others.
    """

    region_id: int
    box: tuple[int, int, int, int]
    crop: Image
    page_box: tuple[float, float, float, float]
    detection_score: float
    rotation: float | None
    lines: tuple[TextLine, ...]


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """The text detection parameters that were used, as the result reports them (`text_det_params`)."""

    limit_side_len: int
    limit_type: str
    thresh: float
    max_side_limit: int
    box_thresh: float
    unclip_ratio: float


@dataclass(frozen=True, slots=True)
class PageReading:
    """All that was read on one page.

    Attributes:
        page: the caller's image.
        use_doc_preprocessor: whether orientation or unwarping was asked for.
        use_doc_orientation_classify: whether the orientation classifier ran.
        use_doc_unwarping: whether a network flattened the page.
        use_layout_detection: whether seals were looked for (False: the whole input is one seal).
        angle: 0, 90, 180 or 270: the page was turned counter-clockwise by this; -1 when the classifier was off.
        upright: the page after turning.
        flat: the page after unwarping; regions lie on it.
        frame: maps points of the flat page to the caller's page.
        regions: all layout regions, seals among them; None when layout detection was off.
        seals: the seals, `region_id` ascending.
        detection: text detection parameters in force.
        rec_score_thresh: recognition threshold in force, as given.
        doubtful: places on the flat page that look like a seal and hold no legible text; `regions` leaves them out.
    """

    page: Page
    use_doc_preprocessor: bool
    use_doc_orientation_classify: bool
    use_doc_unwarping: bool
    use_layout_detection: bool
    angle: int
    upright: Image
    flat: Image
    regions: tuple[Region, ...] | None
    seals: tuple[SealReading, ...]
    detection: DetectionSettings
    rec_score_thresh: float
    frame: Frame = Identity()
    doubtful: tuple[Region, ...] = ()
