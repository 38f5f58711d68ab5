"""The flags of the command line, and what they become: arguments of `create_pipeline` and `predict`."""

from __future__ import annotations

import argparse
import ast
import json
import logging
from collections.abc import Iterator, Sequence
from importlib import metadata
from itertools import pairwise
from typing import Any, NoReturn

from sealread.config import MODEL_FLAGS, PredictOptions, load_config, override, parse_device
from sealread.errors import InputError
from sealread.options import parse_switch, suggestion

#: Flags of the reference that say nothing here.
IGNORED_FLAGS = ("use_tensorrt", "enable_mkldnn", "mkldnn_cache_capacity", "enable_cinn")
_PRECISIONS = {"fp32": "f32", "f32": "f32", "bf16": "bf16", "fp16": "f16", "f16": "f16", "int8": "int8"}
_LOG = logging.getLogger(__name__)

_USAGE = """sealread INPUT [INPUT ...] [--save_path DIR] [flags]
       sealread --serve [--host HOST] [--port PORT] [--pipeline NAME]
       sealread --get_pipeline_config seal_recognition [--save_path DIR]
       sealread {check,download,evaluate,models,quantise,synth,train} --help"""
_EXAMPLES = """examples:
  sealread scan.pdf photo.jpg --save_path out     read pages, write JSON and pictures
  sealread seal.png --use_layout_detection False  the picture is one seal
  sealread folder --device cpu > readings.txt     read all files of a folder
  sealread check                                  show engines and networks, read a drawn seal
  sealread models                                 list the networks, and which are on this machine

Results go to standard output, all else to standard error. Exit status: 0, or that of the worst error:
2 input or flag, 3 network missing or damaged, 4 network failed while running."""


def version() -> str:
    """The version of the installed package."""
    try:
        return metadata.version("sealread")
    except metadata.PackageNotFoundError:
        return "(not installed)"


class Parser(argparse.ArgumentParser):
    """A parser that takes dashes for underscores, names near flags, and complains in one line."""

    def __init__(self, **arguments: Any) -> None:
        """A parser that guesses no flag from its beginning; arguments as in argparse."""
        super().__init__(allow_abbrev=False, **arguments)

    def parse(self, words: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
        """The flags, and the words that belong to none, wherever they stand."""
        args, rest = self.parse_known_args(list(words))
        for word in rest:
            if word.startswith("-"):
                flag = word.partition("=")[0]
                near = suggestion("--" + flag.lstrip("-").replace("-", "_"), self._known().values())
                self.error(f"there is no flag {flag}{near}")
        return args, rest

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The flags; a word that belongs to none is an error."""
        found, rest = self.parse(args)
        if rest:
            self.error(f"{rest[0]!r} is one word too many")
        return found

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As in argparse, after flags were spelled as declared."""
        return super().parse_known_args(list(self._respelled(list(args))), namespace)

    def error(self, message: str) -> NoReturn:
        """Stop with exit status 2 and one line."""
        self.exit(InputError.exit_status, f"{self.prog}: {message} (flags: {self.prog} --help)\n")

    def _known(self) -> dict[str, str]:
        return {flag.replace("-", "_"): flag for flag in self._option_string_actions if flag.startswith("--")}

    def _respelled(self, words: list[str]) -> Iterator[str]:
        known = self._known()
        for word, after in pairwise([*words, ""]):
            flag, sign, value = word.partition("=")
            declared = known.get(flag.replace("-", "_"))
            if not flag.startswith("--") or declared is None:
                yield word
            elif not sign and self._option_string_actions[declared].nargs == "?" and not _is_switch(after):
                yield f"{declared}=True"
            else:
                yield f"{declared}{sign}{value}"


def _is_switch(word: str) -> bool:
    return isinstance(parse_switch(word), bool) or word.lower() == "none"


def _or_none(text: str) -> str | None:
    return None if text.strip().lower() in ("none", "null") else text


def _switch(text: str) -> bool | None:
    value = parse_switch(text)
    if not isinstance(value, bool) and _or_none(text) is not None:
        raise argparse.ArgumentTypeError(f"must be True or False, but is {text!r}")
    return value if isinstance(value, bool) else None


def _keys(text: str) -> dict[str, Any] | None:
    """A dict in Python's or JSON's spelling."""
    for read in (ast.literal_eval, json.loads):
        try:
            value = read(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        if value is None or isinstance(value, dict):
            return value
    raise argparse.ArgumentTypeError(f"must be a dict like {{'backend': 'openvino'}}, but is {text!r}")


def _precision(text: str) -> str:
    if text.lower() not in _PRECISIONS:
        raise argparse.ArgumentTypeError(f"must be one of {', '.join(_PRECISIONS)}, but is {text!r}")
    return _PRECISIONS[text.lower()]


def _threads(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, but is {text!r}")
    return int(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"must be a whole number up to 65535, but is {text!r}")
    return int(text)


def read_parser() -> Parser:
    """The parser of the command that reads pages."""
    parser = Parser(
        prog="sealread",
        usage=_USAGE,
        description="Find the seals (stamps, chops) on scans, photos and PDFs and read what they say.",
        epilog=_EXAMPLES,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=32, width=110),
        add_help=False,
    )
    general = parser.add_argument_group("input and output")
    general.add_argument("words", nargs="*", metavar="INPUT", help="images, PDFs, folders, web addresses")
    general.add_argument("-i", "--input", nargs="+", action="extend", metavar="INPUT", default=[], help="the same, as a flag")
    general.add_argument("--save_path", metavar="DIR", help="write JSON and pictures of each page there")
    general.add_argument("--resume", action="store_true", help="leave out pages that an earlier run has saved in --save_path")
    general.add_argument("--get_pipeline_config", metavar="NAME", help="write the packaged configuration to --save_path and stop")
    general.add_argument("-y", "--yes", "--force", dest="force", action="store_true", help="let it replace a file")
    general.add_argument("-q", "--quiet", action="store_true", help="no progress, notes and last line; only errors")
    general.add_argument("--version", action="version", version=f"sealread {version()}")
    general.add_argument("-h", "--help", action="help", help="show this")
    serving = parser.add_argument_group("serving")
    serving.add_argument("--serve", action="store_true", help="answer HTTP requests (needs the extra [serve])")
    serving.add_argument(
        "--host", default="127.0.0.1", metavar="HOST", help="address to listen on (default: %(default)s, this machine only)"
    )
    serving.add_argument("--port", type=_port, default=8080, metavar="PORT", help="port to listen on (default: %(default)s)")
    reading = parser.add_argument_group("reading", "without a flag the configuration decides; None means the same")
    for name, declared in PredictOptions.model_fields.items():
        if name != "layout_det_res":
            text = f"{declared.description} [{PredictOptions.allowed(name)}]"
            reading.add_argument(f"--{name}", type=_or_none, metavar="VALUE", help=text)
    engine_flags(parser)
    return parser


MODEL_SOURCE_HELP = "hubs or mirrors to ask first for models that are not here, parted by commas: huggingface, an address"


def engine_flags(parser: Parser) -> None:
    """Add the flags that decide what runs, and where."""
    engine = parser.add_argument_group("engine")
    engine.add_argument(
        "--pipeline",
        "--paddlex_config",
        default="seal_recognition",
        metavar="NAME",
        help="packaged name or .yaml file (default: %(default)s)",
    )
    engine.add_argument("--device", metavar="DEVICE", help="cpu, gpu, gpu:0, npu:0 and so on; gpu:0,1 or cpu:0,1: several instances")
    engine.add_argument("--engine", metavar="NAME", help="openvino, onnxruntime, tensorrt or paddle")
    engine.add_argument("--engine_config", type=_keys, metavar="DICT", help="settings of the engine, like \"{'precision': 'f32'}\"")
    engine.add_argument("--precision", type=_precision, metavar="NAME", help="fp32, bf16, fp16 or int8")
    engine.add_argument("--cpu_threads", type=_threads, metavar="N", help="threads on the CPU")
    engine.add_argument(
        "--use_hpip",
        "--enable_hpi",
        nargs="?",
        const="True",
        type=_switch,
        metavar="VALUE",
        help="high-performance inference: True or False",
    )
    engine.add_argument("--hpi_config", type=_keys, metavar="DICT", help="its settings, like \"{'backend': 'openvino'}\"")
    models = parser.add_argument_group("networks", "in place of those of the configuration")
    for flag in MODEL_FLAGS:
        kind = {"name": "NAME", "dir": "DIR"}.get(flag.rpartition("_")[2], "N")
        models.add_argument(f"--{flag}", type=_or_none, metavar=kind, help=_model_help(flag))
    models.add_argument("--model_source", type=_or_none, metavar="SOURCE", help=MODEL_SOURCE_HELP)
    ignored = parser.add_argument_group("without effect here", "accepted, so that command lines of the reference run")
    for flag in IGNORED_FLAGS:
        count = None if flag == "mkldnn_cache_capacity" else "?"
        ignored.add_argument(f"--{flag}", nargs=count, const=None if count is None else "True", metavar="VALUE")


def _model_help(flag: str) -> str:
    part, _, kind = flag.rpartition("_model_")
    if not part:
        return "strips that are read together"
    return {"name": f"network for {part}", "dir": "local folder with that network"}[kind].replace("_", " ")


def predict_options(args: argparse.Namespace) -> dict[str, Any]:
    """The keyword arguments of `predict()` that were given, checked.

    Raises:
        InputError: a value is refused; the message starts with the flag's name.
    """
    given = {name: getattr(args, name) for name in PredictOptions.model_fields if getattr(args, name, None) is not None}
    options = PredictOptions.parse(given)
    return {name: getattr(options, name) for name in given}


def engine_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """The keyword arguments of `create_pipeline`.

    Raises:
        InputError: the device is not understood, or the configuration is refused.
    """
    if args.device is not None:
        parse_device(args.device)
    ignored = [f"--{flag}" for flag in IGNORED_FLAGS if getattr(args, flag) is not None]
    if ignored:
        _LOG.warning("%s: no effect here", ", ".join(ignored))
    settings = {key: getattr(args, key) for key in ("precision", "cpu_threads") if getattr(args, key) is not None}
    models = {flag: getattr(args, flag) for flag in MODEL_FLAGS if getattr(args, flag) is not None}
    source = {"config": override(load_config(args.pipeline), models).to_mapping()} if models else {"pipeline": args.pipeline}
    engine_config = args.engine_config if not settings else {**({} if args.engine_config is None else args.engine_config), **settings}
    return {
        **source,
        "device": args.device,
        "use_hpip": args.use_hpip,
        "hpi_config": args.hpi_config,
        "engine": args.engine,
        "engine_config": engine_config,
        "model_source": args.model_source,
    }
