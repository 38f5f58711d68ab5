"""The one place that wires the stages: a page in, a reading out."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sealread import sources
from sealread.blocks import PipelineConfig
from sealread.config import load_config
from sealread.engine_config import EngineArguments, check_device
from sealread.engines.devices import CPU
from sealread.errors import EngineError, InputError
from sealread.frames import Chain, Frame, Identity
from sealread.instance import open_instance
from sealread.networks import Lazy
from sealread.options import PredictOptions
from sealread.outputs import OutputNames
from sealread.reader import Found, find_lines, read_seals
from sealread.regions import confirmed, is_seal, search, with_legible
from sealread.results import SealRecognitionResult
from sealread.settings import PageSettings, keys_without_effect, page_settings
from sealread.stages.layout import LayoutSettings, filtered
from sealread.stages.orientation import turned
from sealread.types import DetectedLine, DetectionSettings, FailedPage, Image, Page, PageReading, Region, SealReading
from sealread.workers import in_order

_log = logging.getLogger("sealread")

#: InputError, EngineError, and what a damaged page makes of the arithmetic.
_PAGE_ERRORS = (ValueError, RuntimeError)
#: Pages so many times longer than wide are not turned.
_STRIP_ASPECT = 20


_Outcome = PageReading | Exception


@dataclass
class _Searched:
    """A page whose places of seals are known.

    Attributes:
        regions: all regions; None where the page is one seal as a whole.
        places: those of seals.
        doubtful: places that their text must confirm.
        lines: of each place, then of each doubtful one, when they have been looked for.
    """

    page: Page
    settings: PageSettings
    angle: int
    upright: Image
    flat: Image
    frame: Frame
    flattened: bool
    regions: list[Region] | None
    doubtful: list[Region]
    lines: list[list[DetectedLine]] = field(default_factory=list)

    @property
    def places(self) -> list[Region]:
        if self.regions is not None:
            return [region for region in self.regions if is_seal(region)]
        height, width = self.flat.shape[:2]
        return [Region(0, "seal", 1.0, (0.0, 0.0, float(width), float(height)))]

    def reading(self, added: Sequence[tuple[Region, list[DetectedLine]]], read: Sequence[SealReading]) -> PageReading:
        """The reading, without places that must be legible and are not; those that the layout shows are doubtful."""
        confirmed_places = [region for region, _ in added]
        seals, illegible, parts = with_legible([*self.places, *confirmed_places], read)
        left_out = [*illegible, *parts]
        settings = self.settings
        return PageReading(
            page=self.page,
            use_doc_preprocessor=settings.use_doc_orientation_classify or self.flattened,
            use_doc_orientation_classify=settings.use_doc_orientation_classify,
            use_doc_unwarping=self.flattened,
            use_layout_detection=settings.use_layout_detection,
            angle=self.angle,
            upright=self.upright,
            flat=self.flat,
            frame=self.frame,
            regions=None if self.regions is None else tuple(r for r in (*self.regions, *confirmed_places) if r not in left_out),
            seals=tuple(seals),
            detection=settings.detection,
            rec_score_thresh=settings.rec_score_thresh,
            doubtful=tuple(place for place in self.places if place in illegible),
        )


class SealPipeline:
    """Reads the seals of pages.

    Threads may share one pipeline, and several `predict` generators may be open at once.

    Attributes:
        config: the whole configuration.
        device: where this instance runs.

    Args:
        config: the whole configuration.
        arguments: what the caller said about engines and the device; each card of it gets an instance of its own.
        model_source: the hubs or mirrors to ask first for models that are not here.

    Raises:
        ModelError: a network that is switched on cannot be found, or an engine or device is not there.
        InputError: settings of an engine are not understood.
    """

    def __init__(self, config: PipelineConfig, arguments: EngineArguments, model_source: str | Sequence[str] | None = None) -> None:
        first, *rest = arguments.each()
        self.device = first.device
        self._own = open_instance(config, first.settings, model_source)
        self.config = self._own.config
        self._others = [SealPipeline(config, each, model_source) for each in rest]

    def predict(
        self,
        input: Any,
        use_doc_orientation_classify: bool | None = None,
        use_doc_unwarping: bool | None = None,
        use_layout_detection: bool | None = None,
        layout_det_res: Any = None,
        layout_threshold: Any = None,
        layout_nms: bool | None = None,
        layout_unclip_ratio: Any = None,
        layout_merge_bboxes_mode: Any = None,
        seal_det_limit_side_len: int | None = None,
        seal_det_limit_type: str | None = None,
        seal_det_thresh: float | None = None,
        seal_det_box_thresh: float | None = None,
        seal_det_unclip_ratio: float | None = None,
        seal_rec_score_thresh: float | None = None,
        *,
        errors: Literal["raise", "return"] = "raise",
        resume_from: str | Path | None = None,
        **unknown: Any,
    ) -> Iterator[SealRecognitionResult]:
        """Read pages, lazily: one result per page, in the order of the input.

        Args:
            input: an image array (BGR, grey or BGRA), a path, address, PDF, TIFF, bytes, PIL image, folder, or a list or
                iterator of these.
            use_doc_orientation_classify: turn pages upright first.
            use_doc_unwarping: flatten pages first.
            use_layout_detection: look for seals; False takes each page as one seal.
            layout_det_res: regions found elsewhere, one result per page, used instead of layout detection.
            layout_threshold: least score of a region, or one for each class.
            layout_nms: drop regions that repeat a better one.
            layout_unclip_ratio: grow regions by this factor.
            layout_merge_bboxes_mode: of nested regions keep ``large``, ``small`` or all (``union``).
            seal_det_limit_side_len: side length in pixels for text detection.
            seal_det_limit_type: which side that is: ``min``, ``max`` or ``resize_long``.
            seal_det_thresh: least probability of a text pixel.
            seal_det_box_thresh: least mean probability of a line.
            seal_det_unclip_ratio: how far lines are widened.
            seal_rec_score_thresh: least score of a text that is kept.
            errors: ``raise`` stops at a page that fails; ``return`` gives a result that carries the error and goes on.
            resume_from: folder in which `save_all` of an earlier run over the same inputs has left results: pages that are there already,
                and whose file has not changed since, are left out.

        Raises:
            TypeError: an unknown keyword; the nearest one is named.
            InputError: a bad value, at once; a bad input, when its turn comes.
        """
        named = {name: value for name, value in locals().items() if name in PredictOptions.model_fields}
        options = PredictOptions.parse({**named, **unknown})
        if errors not in ("raise", "return"):
            raise InputError(f"errors must be 'raise' or 'return', not {errors!r}", parameter="errors")
        if resume_from is not None and options.layout_det_res is not None:
            raise InputError(
                "layout_det_res tells the regions of each page, so no page can be left out: leave resume_from out", parameter="resume_from"
            )
        settings = page_settings(self.config, options)
        names = OutputNames()
        pages = sources.pages(input, errors=errors)
        if not self._others and sources.is_settled(input) and not isinstance(input, np.ndarray):
            pages = sources.loaded_ahead(pages)
        wanted = pages if resume_from is None else _not_yet_saved(pages, names, Path(resume_from))
        return self._results(wanted, settings, errors, names)

    __call__ = predict

    def _results(
        self, pages: Iterator[Page | FailedPage], settings: PageSettings, errors: str, names: OutputNames
    ) -> Iterator[SealRecognitionResult]:
        for page, outcome in self._readings(pages, settings):
            if isinstance(outcome, PageReading):
                try:
                    result = SealRecognitionResult(outcome, names)
                except EngineError as error:
                    outcome = error
                else:
                    yield result
                    continue
            if errors == "raise" or not isinstance(outcome, _PAGE_ERRORS):
                raise outcome
            yield SealRecognitionResult.failed(FailedPage(outcome, page.source, page.index), names)

    def _readings(self, pages: Iterator[Page | FailedPage], settings: PageSettings) -> Iterator[tuple[Page | FailedPage, _Outcome]]:
        """Each page with its reading, or with why there is none."""
        if self._others:
            workers = [_Worker(each, settings) for each in (self, *self._others)]
            with closing(in_order(enumerate(pages), workers)) as done:
                yield from ((page, outcome) for (_, page), outcome in done)
            return
        for number, page in enumerate(pages):
            try:
                outcome: _Outcome = page.error if isinstance(page, FailedPage) else self.read(page, settings, number)
            except _PAGE_ERRORS as error:
                outcome = error
            yield page, outcome

    def read(self, page: Page, settings: PageSettings, number: int = 0) -> PageReading:
        """Read one page, the `number`-th of its call."""
        return self.read_together([(page, settings, number)])[0]

    def read_together(self, asked: Sequence[tuple[Page, PageSettings, int]]) -> list[PageReading]:
        """Read pages of any calls, each with its own settings and its number in its call; their seals and lines share runs."""
        searched = [self._searched(*each) for each in asked]
        self._detect(searched)
        added = [confirmed(page.doubtful, page.lines[len(page.places) :]) for page in searched]
        found = [
            Found(
                page.flat,
                [*zip(page.places, page.lines[: len(page.places)], strict=True), *more],
                page.frame,
                page.settings.rec_score_thresh,
            )
            for page, more in zip(searched, added, strict=True)
        ]
        seals = read_seals(found, self._own.recognition.get()) if any(page.places for page in found) else [[] for _ in found]
        return [page.reading(more, read) for page, more, read in zip(searched, added, seals, strict=True)]

    def _searched(self, page: Page, settings: PageSettings, number: int) -> _Searched:
        angle, upright, frame = self._upright(page.image, settings)
        flat, frame, flattened = self._flat(upright, frame, settings)
        found, doubtful = self._places(flat, settings, number)
        return _Searched(page, settings, angle, upright, flat, frame, flattened, found, doubtful)

    def _detect(self, searched: Sequence[_Searched]) -> None:
        """Find the lines at all places of all pages; those of pages with like settings share runs."""
        alike: defaultdict[DetectionSettings, list[tuple[_Searched, Region]]] = defaultdict(list)
        for page in searched:
            alike[page.settings.detection].extend((page, region) for region in (*page.places, *page.doubtful))
        for settings, places in alike.items():
            if places:
                lines = find_lines([(page.flat, region) for page, region in places], self._own.detection.get(), settings)
                for (page, _), found in zip(places, lines, strict=True):
                    page.lines.append(found)

    def _upright(self, image: Image, settings: PageSettings) -> tuple[int, Image, Frame]:
        if not settings.use_doc_orientation_classify or self._own.orientation is None:
            return -1, image, Identity()
        # The classifier sees a square; a strip, enlarged until its short side fills that, would fill the memory first.
        is_strip = max(image.shape[:2]) > _STRIP_ASPECT * min(image.shape[:2])
        angle = 0 if is_strip else self._own.orientation.get().angle(image)
        upright, frame = turned(image, angle)
        return angle, upright, frame

    def _flat(self, upright: Image, frame: Frame, settings: PageSettings) -> tuple[Image, Frame, bool]:
        """The flat page, the way back, and whether a network flattened it: without one the page stays as it is."""
        if not settings.use_doc_unwarping or self._own.unwarping is None:
            return upright, frame, False
        flat, grid = self._own.unwarping.get().flatten(upright)
        return flat, Chain((frame, grid)), True

    def _places(self, flat: Image, settings: PageSettings, number: int) -> tuple[list[Region] | None, list[Region]]:
        """Regions of the flat page, None where it is one seal as a whole; and doubtful places."""
        height, width = flat.shape[:2]
        external = settings.external_regions(number)
        if external is not None:
            return filtered(external, LayoutSettings(threshold=-1.0, nms=False, merge_mode="union"), width, height), []
        if not settings.use_layout_detection or self._own.layout is None:
            return None, []
        return search(self._own.layout.get(), flat, settings.layout)

    def stages(self) -> list[Lazy[Any]]:
        """The networks of this instance, in the order in which a page passes them."""
        return self._own.stages

    def describe(self) -> list[dict[str, Any]]:
        """What each network is and where it comes from: task, name, family, engine, file, source, licence, sha256."""
        return self._own.describe()

    def close(self) -> None:
        """Release the compiled networks; the pipeline may be used again, they are then compiled anew."""
        for each in (self, *self._others):
            each.release()

    def release(self) -> None:
        """Release the compiled networks of this instance alone."""
        self._own.close()

    def warm_up(self) -> None:
        """Compile all networks now, on every instance, and run each once: the first page is then as quick as the others."""
        for each in (self, *self._others):
            each._own.warm_up()

    def __enter__(self) -> SealPipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _not_yet_saved(pages: Iterator[Page | FailedPage], names: OutputNames, folder: Path) -> Iterator[Page | FailedPage]:
    """The pages that an earlier run has not saved in the folder."""
    saved = 0
    for page in pages:
        if isinstance(page, Page) and names.is_saved(folder, page.source, page.index):
            saved += 1
        else:
            yield page
    if saved:
        _log.info("left out what is in %s already: %d of the pages", folder, saved)


class _Worker:
    """A pipeline as one of several workers on a stream of numbered pages."""

    def __init__(self, pipeline: SealPipeline, settings: PageSettings) -> None:
        self.name = str(pipeline.device)
        self._pipeline = pipeline
        self._settings = settings

    def work(self, job: tuple[int, Page | FailedPage]) -> _Outcome:
        number, page = job
        return page.error if isinstance(page, FailedPage) else self._pipeline.read(page, self._settings, number)

    def restart(self) -> None:
        self._pipeline.release()


def create_pipeline(
    pipeline: str | Path | None = None,
    *,
    config: Mapping[str, Any] | None = None,
    device: str | None = None,
    engine: str | None = None,
    engine_config: Mapping[str, Any] | None = None,
    pp_option: Any = None,
    use_hpip: bool | None = None,
    hpi_config: Mapping[str, Any] | None = None,
    model_source: str | Sequence[str] | None = None,
) -> SealPipeline:
    """A pipeline that reads seals.

    Args:
        pipeline: ``seal_recognition`` (default), or a configuration file.
        config: a configuration as a mapping; it wins over `pipeline`.
        device: ``cpu``, ``gpu``, ``gpu:0`` and so on; None is the CPU.
        engine: ``openvino``, ``onnxruntime``, ``tensorrt``, ``paddle``, or None for the fastest known on the device.
        engine_config: ``precision`` (``f32``, ``bf16``, ``f16``, ``int8``), ``cpu_threads``, ``cache`` (False: keep no compiled networks
            on disk), ``device_fallback`` (True: the CPU may take the place of a device that is not there), ``dynamic_shapes``,
            ``provider_options``.
        pp_option: accepted for compatibility; options of another framework have no meaning here.
        use_hpip: try the engines on each network and keep the fastest, unless `hpi_config` names one.
        hpi_config: ``backend``, ``backend_config``, ``auto_config``, ``auto_paddle2onnx``.
        model_source: hubs (``huggingface``, ``aistudio``, ``modelscope``, ``bos``) or addresses of mirrors to ask first for models that
            are not on this machine; None: as ``SEALREAD_MODEL_SOURCE`` says.

    Raises:
        InputError: a bad configuration or value; it names the key and the line.
        ModelError: a network is missing.
    """
    loaded = load_config("seal_recognition" if pipeline is None and config is None else pipeline, config)
    place = CPU if device is None else check_device(device)
    if pp_option is not None:
        _log.warning("pp_option belongs to another framework and is ignored; use engine_config")
    for path in keys_without_effect(loaded):
        _log.warning("%s has no effect in this version", path)
    return SealPipeline(loaded, EngineArguments(engine, engine_config, use_hpip, hpi_config, place), model_source)
