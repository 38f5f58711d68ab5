"""One set of the configured networks, run on one device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sealread import networks
from sealread.blocks import Module, PipelineConfig
from sealread.engines import Engine, EngineSettings
from sealread.networks import Finder, Lazy, Stage
from sealread.stages.detection import Detector
from sealread.stages.orientation import OrientationClassifier
from sealread.stages.recognition import Recogniser
from sealread.stages.unwarping import PageSampler, Unwarper
from sealread.zoo import Network

#: Strips of a batch where the configuration does not say.
_STRIPS = 8


@dataclass(frozen=True, slots=True)
class Instance:
    """The networks in the order in which a page passes them, each compiled when it is first needed; None: not configured.

    Attributes:
        config: the configuration, with what the networks' own files say where it says nothing.
    """

    config: PipelineConfig
    orientation: Lazy[OrientationClassifier] | None
    unwarping: Lazy[Unwarper | PageSampler] | None
    layout: Lazy[Finder] | None
    detection: Lazy[Detector]
    recognition: Lazy[Recogniser]

    @property
    def stages(self) -> list[Lazy[Any]]:
        """Those that are configured."""
        every: tuple[Lazy[Any] | None, ...] = (self.orientation, self.unwarping, self.layout, self.detection, self.recognition)
        return [stage for stage in every if stage is not None]

    def describe(self) -> list[dict[str, Any]]:
        """What each network is and where it comes from: task, name, family, engine, file, source, licence, sha256."""
        rows = []
        for stage in self.stages:
            network = stage.network
            if network.file is not None:
                stage.get()
            rows.append(
                {
                    "task": network.task,
                    "name": network.name,
                    "family": network.family,
                    "engine": None if network.file is None else stage.engine_name,
                    "file": None if network.file is None else network.file.name,
                    "source": network.source,
                    "licence": network.licence,
                    "sha256": network.sha256,
                }
            )
        return rows

    def warm_up(self) -> None:
        """Compile all networks, and run each once."""
        for stage in self.stages:
            stage.warm_up()

    def close(self) -> None:
        """Release the compiled networks; they are compiled anew when needed."""
        for stage in self.stages:
            stage.close()


def open_instance(config: PipelineConfig, run: Callable[..., EngineSettings], model_source: str | Sequence[str] | None) -> Instance:
    """The networks that a configuration names.

    Args:
        run: how the network of a block is run, given the blocks around it, the outermost first.
        model_source: the hubs or mirrors to ask first for networks that are not here.

    Raises:
        ModelError: a network cannot be found, or an engine or device is not there.
        InputError: settings of an engine are not understood.
    """

    def lazy(module: Module, task: str, make: Callable[[Network, Engine | None], Stage], *around: Any) -> Lazy[Stage]:
        return Lazy(networks.resolve(module, task, model_source), make, run(config, *around, module))

    preprocessor, ocr = config.sub_pipelines.doc_preprocessor, config.sub_pipelines.seal_ocr
    modules = preprocessor.sub_modules if preprocessor is not None else None
    turn = modules.doc_orientation_classify if modules is not None else None
    flatten = modules.doc_unwarping if modules is not None else None
    find, detect, read = config.sub_modules.layout_detection, ocr.sub_modules.text_detection, ocr.sub_modules.text_recognition
    orientation = lazy(turn, "doc_text_orientation", networks.orientation, preprocessor) if turn is not None else None
    unwarping = lazy(flatten, "image_unwarping", networks.unwarper, preprocessor) if flatten is not None else None
    layout, completed = None, config
    if find is not None:
        layout = lazy(find, "layout_detection", networks.finder)
        said = config.sub_modules.model_copy(update={"layout_detection": networks.completed(find, layout.network)})
        completed = config.model_copy(update={"sub_modules": said})
    reader = networks.recogniser(_STRIPS if read.batch_size is None else read.batch_size, correct_texts=read.correct_texts)
    return Instance(
        completed,
        orientation,
        unwarping,
        layout,
        lazy(detect, "seal_text_detection", networks.detector, ocr),
        lazy(read, "text_recognition", reader, ocr),
    )
