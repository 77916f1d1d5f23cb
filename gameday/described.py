"""What each field means, read from the docstring below it when somebody asks: reading it at every start would cost each command 40 ms."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import ModelSchema


class _Described(GenerateJsonSchema):
    """A JSON Schema whose properties say what their fields' docstrings say."""

    def model_schema(self, schema: ModelSchema) -> dict[str, Any]:
        node = super().model_schema(schema)
        for name, said in _docstrings(schema["cls"]).items():
            field = schema["cls"].model_fields[name]
            node["properties"][(self.by_alias and field.alias) or name]["description"] = said
        return node


def json_schema(model: type[BaseModel], template: str = "#/$defs/{model}") -> dict[str, Any]:
    """The model's JSON Schema (Draft 2020-12), with the fields' docstrings as descriptions and `template` for references."""
    return model.model_json_schema(by_alias=True, ref_template=template, schema_generator=_Described)


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """By field, also of the models that it extends."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if issubclass(cls, BaseModel) and cls.__module__.partition(".")[0] not in {"pydantic", "pydantic_settings"}:
            try:
                (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
            except OSError:  # made without a source, as a plug-in may
                continue
            assert isinstance(tree, ast.ClassDef)
            for field, below in pairwise(tree.body):
                match field, below:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))) if name in model.model_fields:
                        found[name] = inspect.cleandoc(said)
    return found
