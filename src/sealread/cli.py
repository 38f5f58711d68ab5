"""The command line: results on standard output, everything else on standard error.

Thin: it turns words into the arguments of `create_pipeline` and `predict`, and outcomes into an exit status. The flags of
`predict()` come from `PredictOptions`. Heavy modules are imported where they are needed, so that ``--help`` is quick.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from sealread.errors import InputError, ModelError, SealreadError
from sealread.flags import MODEL_SOURCE_HELP, Parser, engine_arguments, engine_flags, predict_options, read_parser, version
from sealread.options import suggestion

INTERRUPTED = 130
BROKEN_PIPE = 141

_LOG = logging.getLogger("sealread.cli")


class Result(Protocol):
    """What is used of a result."""

    @property
    def ok(self) -> bool:
        """Whether the page was read."""
        ...

    @property
    def error(self) -> Exception | None:
        """Why it was not."""
        ...

    @property
    def reading(self) -> Any:
        """The `PageReading`."""
        ...

    def print(self) -> None:
        """Write JSON to standard output."""
        ...

    def save_all(self, save_path: str) -> Any:
        """Write JSON and pictures into a folder."""
        ...


class Pipeline(Protocol):
    """What is used of a pipeline."""

    def predict(self, input: Any, *, errors: Literal["raise", "return"], **options: Any) -> Iterator[Result]:
        """Read pages, lazily."""
        ...

    def describe(self) -> list[dict[str, Any]]:
        """Say of each network what it is and where it comes from."""
        ...


MakePipeline = Callable[..., Pipeline]


def main(argv: Sequence[str] | None = None, *, create: MakePipeline | None = None) -> int:
    """Run one command line and give its exit status.

    Args:
        argv: the words after the program's name; None: those of this process.
        create: makes the pipeline, `sealread.create_pipeline` where None.

    Returns:
        0; 2, 3 or 4 for the worst error met (see `sealread.errors`); 130 after Ctrl-C; 141 when nobody reads the output.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    make = _create_pipeline if create is None else create
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that lacks a character is no reason to stop
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with _logs_on_stderr():
            status = _run(words, make)
            sys.stdout.flush()
            return status
    except SystemExit as stop:  # argparse: help, version or a bad flag
        return stop.code if isinstance(stop.code, int) else 0
    except SealreadError as error:
        print(f"sealread: {error}", file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that Python does not complain at its end
        return BROKEN_PIPE
    except KeyboardInterrupt:
        print("sealread: interrupted", file=sys.stderr)
        return INTERRUPTED


def _run(words: list[str], make: MakePipeline) -> int:
    commands = {
        "check": _check,
        "download": _download,
        "evaluate": _evaluate,
        "models": _models,
        "quantise": _quantise,
        "seal_recognition": _read,
        "synth": _synth,
        "train": _train,
    }
    if words and words[0] in commands and not Path(words[0]).is_file():
        return commands[words[0]](words[1:], make)
    return _read(words, make)


def _create_pipeline(**arguments: Any) -> Pipeline:
    from sealread import create_pipeline

    return create_pipeline(**arguments)


@contextmanager
def _logs_on_stderr() -> Iterator[None]:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("sealread: %(message)s"))
    logger = logging.getLogger("sealread")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def _read(words: list[str], make: MakePipeline) -> int:
    parser = read_parser()
    if not words:
        parser.print_help(sys.stderr)
        return InputError.exit_status
    args, rest = parser.parse(words)
    if args.quiet:
        logging.getLogger("sealread").setLevel(logging.ERROR)
    if args.get_pipeline_config is not None:
        return _write_config(args.get_pipeline_config, args.save_path, replace=args.force)
    inputs = [*args.words, *rest, *args.input]
    if args.serve:
        return _serve(inputs, engine_arguments(args), args.host, args.port)
    if not inputs:
        raise InputError("no input: name a file, a folder or an address, as in: sealread scan.pdf", parameter="input")
    options = predict_options(args)
    arguments = engine_arguments(args)
    if args.save_path is not None:
        _check_folder(args.save_path)
    if args.resume and args.save_path is None:
        raise InputError("--resume goes on with what an earlier run has saved: name its folder with --save_path", parameter="save_path")
    if args.resume:
        options["resume_from"] = args.save_path
    return _read_pages(make(**arguments), inputs, options, args.save_path, show_progress=sys.stderr.isatty() and not args.quiet)


def _serve(inputs: list[str], arguments: Mapping[str, Any], host: str, port: int) -> int:
    if inputs:
        raise InputError(f"--serve reads what requests bring, not {inputs[0]!r}: leave inputs out", parameter="input")
    try:
        from sealread.server.run import serve
    except ModuleNotFoundError as error:
        raise _without_extra("--serve", error, "serve") from error
    return serve(arguments, host, port)


@dataclass
class _Tally:
    """What was read, and what failed."""

    pages: int = 0
    seals: int = 0
    failures: list[SealreadError] = field(default_factory=list)

    def fail(self, error: Exception) -> None:
        known = error if isinstance(error, SealreadError) else SealreadError(f"{type(error).__name__}: {error}")
        self.failures.append(known)
        _LOG.error("%s", _blame(known))

    def sentence(self) -> str:
        read = f"{_count(self.pages, 'page')} read, {_count(self.seals, 'seal')} found"
        if not self.failures:
            return read
        return f"{read}, {_count(len(self.failures), 'input')} failed: {'; '.join(map(_blame, self.failures))}"


def _blame(error: SealreadError) -> str:
    return str(error) if error.source is None or error.source in str(error) else f"{error.source}: {error}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _read_pages(pipeline: Pipeline, inputs: list[str], options: Mapping[str, Any], save_path: str | None, *, show_progress: bool) -> int:
    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    tally = _Tally()
    try:
        with ExitStack() as stack:
            bar = stack.enter_context(tqdm(unit=" pages", file=sys.stderr, disable=not show_progress, leave=False))
            if show_progress:
                stack.enter_context(logging_redirect_tqdm([logging.getLogger("sealread")]))
            for result in pipeline.predict(inputs, errors="return", **options):
                with bar.external_write_mode(file=sys.stdout):
                    _deliver(result, save_path, tally)
                bar.update()
    except SealreadError as error:  # not one page, but the run itself
        tally.fail(error)
    finally:
        _LOG.info("%s", tally.sentence())
    return max((error.exit_status for error in tally.failures), default=0)


def _deliver(result: Result, save_path: str | None, tally: _Tally) -> None:
    if result.error is not None:
        tally.fail(result.error)
        return
    tally.pages += 1
    tally.seals += len(result.reading.seals)
    result.print()
    sys.stdout.flush()
    if save_path is None:
        return
    try:
        result.save_all(save_path)
    except SealreadError as error:
        tally.fail(error)
    except OSError as error:
        source = result.reading.page.source
        tally.fail(InputError(f"the result cannot be saved in {save_path}: {error.strerror}", source=source, parameter="save_path"))


def _check_folder(save_path: str) -> None:
    """Make the folder for results and see that it can be written, before anything is read."""
    folder = Path(save_path)
    if folder.suffix.lower() in (".json", ".png", ".jpg", ".jpeg") and not folder.is_dir():
        message = f"--save_path {save_path} looks like a file: name a folder, each page gets files of its own"
        raise InputError(message, parameter="save_path")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        message = f"--save_path {save_path} cannot be written ({error.strerror}): name another folder"
        raise InputError(message, parameter="save_path") from error


def _write_config(name: str, save_path: str | None, *, replace: bool) -> int:
    from sealread.config import packaged_config_text

    text = packaged_config_text(name)
    target = Path("." if save_path is None else save_path)
    if target.suffix.lower() not in (".yml", ".yaml"):
        target /= f"{name}.yaml"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w" if replace else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise InputError(f"{target} exists: add --force to replace it, or name another --save_path", parameter="save_path") from error
    except OSError as error:
        raise InputError(f"{target} cannot be written ({error.strerror}): name another --save_path", parameter="save_path") from error
    print(target)
    return 0


def _evaluate(words: list[str], make: MakePipeline) -> int:
    from sealread import evaluate

    parser = Parser(prog="sealread evaluate", description="Measure how well a labelled set is read.")
    evaluate.add_arguments(parser)
    return evaluate.run_cli(parser.parse_args(words))


def _download(words: list[str], make: MakePipeline) -> int:
    from sealread.zoo import known_names
    from sealread.zoo.fetch import fetch_model

    parser = Parser(prog="sealread download", description="Bring models of the zoo onto this machine, and print where they lie.")
    parser.add_argument("names", nargs="+", metavar="NAME", help="names of models, as in: PP-OCRv4_server_rec")
    parser.add_argument("--model_source", metavar="SOURCE", help=MODEL_SOURCE_HELP)
    args = parser.parse_args(words)
    for name in args.names:
        if name not in known_names():
            raise InputError(f"there is no model {name!r}{suggestion(name, known_names())}", parameter="names")
    for name in args.names:
        print(fetch_model(name, args.model_source), flush=True)
    return 0


def _quantise(words: list[str], make: MakePipeline) -> int:
    about = "Calibrate the networks of a configuration for 8-bit integers, on drawn seals; --precision int8 then runs them."
    parser = Parser(prog="sealread quantise", description=about)
    parser.add_argument("--pipeline", default="seal_recognition", metavar="NAME", help="packaged name or .yaml file (default: %(default)s)")
    parser.add_argument("--count", type=int, default=64, help="samples to draw (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    args = parser.parse_args(words)
    _require_above_zero(args, "count")
    try:
        from sealread.training import quantisation
    except ModuleNotFoundError as error:
        raise _without_extra("quantise", error, "quantise") from error
    from sealread import create_pipeline

    pipeline = create_pipeline(pipeline=args.pipeline, engine_config={"precision": "f32"})
    for name, path in quantisation.quantise(pipeline, args.count, args.seed, lambda said: _LOG.info("%s", said)).items():
        print(name, path, flush=True)
    return 0


def _synth(words: list[str], make: MakePipeline) -> int:
    parser = Parser(prog="sealread synth", description="Draw seals that nobody owns, with their labels. The same seed gives the same set.")
    parser.add_argument("out", metavar="OUT", help="folder to write")
    parser.add_argument("--count", type=int, default=100, help="number of images (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    parser.add_argument("--kind", choices=("crops", "pages"), default="crops", help="one seal each, or pages (default: %(default)s)")
    formats = ("realseals", "textdet", "textrec", "coco", "orientation")
    parser.add_argument("--format", choices=formats, default="realseals", help="how the labels are written (default: %(default)s)")
    parser.add_argument("--size", type=int, default=640, help="longer side of the images in pixels (default: %(default)s)")
    parser.add_argument("--validation", type=float, default=0.1, help="about this share is for validation (default: %(default)s)")
    args = parser.parse_args(words)
    _require_above_zero(args, "count", "size")
    try:
        from sealread.training.synth.formats import write_dataset
    except ModuleNotFoundError as error:
        raise _without_extra("synth", error) from error
    started = time.perf_counter()
    write_dataset(
        Path(args.out), count=args.count, seed=args.seed, kind=args.kind, form=args.format, size=args.size, validation=args.validation
    )
    print(f"{args.out}: {args.count} images, {args.count / (time.perf_counter() - started):.1f} a second")
    return 0


def _train(words: list[str], make: MakePipeline) -> int:
    try:
        from sealread.training.commands import add_train_arguments, run_train
    except ModuleNotFoundError as error:
        raise _without_extra("train", error) from error
    about = "Train a network on drawn seals or on a data set of your own. An interrupted run goes on where it stopped."
    parser = Parser(prog="sealread train", description=about)
    add_train_arguments(parser)
    args = parser.parse_args(words)
    _require_above_zero(args, "steps", "epochs", "count", "batch", "rate", "threads", "validate_every")
    if args.workers is not None and args.workers < 0:
        raise InputError(f"--workers must be 0 or more, but is {args.workers}", parameter="workers")
    return run_train(args)


def _require_above_zero(args: argparse.Namespace, *names: str) -> None:
    for name in names:
        value = getattr(args, name)
        if value is not None and value <= 0:
            raise InputError(f"--{name} must be above 0, but is {value}", parameter=name)


def _without_extra(command: str, error: ModuleNotFoundError, extra: str = "train") -> ModelError:
    return ModelError(f"sealread {command} needs {error.name}, which is not installed: run pip install 'sealread[{extra}]'")


def _models(words: list[str], make: MakePipeline) -> int:
    from sealread import catalogue

    parser = Parser(prog="sealread models", description="List the networks that can be named, and what is on this machine.")
    catalogue.add_arguments(parser)
    return catalogue.run_cli(parser.parse_args(words))


def _check(words: list[str], make: MakePipeline) -> int:
    from sealread.selfcheck import check

    parser = Parser(prog="sealread check", description="Print what is installed and used, and read a seal drawn for the purpose.")
    engine_flags(parser)
    args = parser.parse_args(words)
    print(f"sealread   {version()}")
    check(make(**engine_arguments(args)), "chosen by the engine" if args.device is None else args.device)
    return 0
