"""The page at `/docs`: the OpenAPI document for people, as plain HTML without scripts or anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

STYLE_PATH = "/docs/style.css"
STYLE = """body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; } td, th { border-bottom: 1px solid #ccc; padding: .3rem .6rem; text-align: left;
vertical-align: top; } code { background: #f3f3f3; } h2 { margin-top: 2.5rem; }
"""


def docs_page(document: Mapping[str, Any]) -> str:
    """The page for an OpenAPI document."""
    title = escape(document["info"]["title"])
    head = f'<meta charset="utf-8"><title>{title}</title><link rel="stylesheet" href="{STYLE_PATH}">'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{title}</h1>{"".join(_operations(document))}</body></html>'


def _operations(document: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation.get('summary', ''))}</p>"
            yield f"<p>{escape(operation.get('description', ''))}</p>"
            rows = [*_parameters(operation), *_members(operation)]
            if rows:
                yield f"<table><tr><th>name</th><th>type</th><th>meaning</th></tr>{''.join(rows)}</table>"
            answers = ", ".join(f"{status} {escape(answer['description'])}" for status, answer in operation["responses"].items())
            yield f"<p>Answers: {answers}</p>"


def _parameters(operation: Mapping[str, Any]) -> Iterator[str]:
    for each in operation.get("parameters", ()):
        yield _row(each["name"], each["schema"], f"in the {each['in']}")


def _members(operation: Mapping[str, Any]) -> Iterator[str]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for name, schema in content["schema"].get("properties", {}).items():
            yield _row(name, schema, schema.get("description", ""))


def _row(name: str, schema: Mapping[str, Any], meaning: str) -> str:
    return f"<tr><td><code>{escape(name)}</code></td><td>{escape(_kind(schema))}</td><td>{escape(meaning)}</td></tr>"


def _kind(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    return str(schema.get("type", "any"))
