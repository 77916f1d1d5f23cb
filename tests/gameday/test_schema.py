"""The JSON Schema that editors use: it takes what the loader takes, completes kinds, and marks plain mistakes."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from gameday.catalogue import Catalogue
from gameday.loading import loads
from gameday.playbook import SCENARIO_KEYS, Playbook
from gameday.schema import playbook_schema
from gameday.yaml_tree import Tree, parse


@pytest.fixture(scope="module")
def schema(catalogue: Catalogue) -> dict[str, Any]:
    return playbook_schema(catalogue)


@pytest.fixture(scope="module")
def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema)


def errors(validator: jsonschema.Draft202012Validator, text: str) -> list[str]:
    """Where the schema finds something wrong, also in alternatives that were not meant."""
    _, data = parse(text.encode(), Tree())
    found, paths = list(validator.iter_errors(data)), []
    while found:
        error = found.pop(0)
        paths.append(error.json_path.replace("['", ".").replace("']", ""))
        found += error.context or []
    return paths


def test_it_is_a_schema_of_draft_2020_12(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_good_playbooks_pass(good: str, small: str, validator: jsonschema.Draft202012Validator) -> None:
    assert errors(validator, good) == []
    assert errors(validator, small) == []


def test_variables_may_stand_for_any_value(small: str, catalogue: Catalogue, validator: jsonschema.Draft202012Validator) -> None:
    text = small.replace("{delay: 100ms}", "{delay: '${how_long}', loss_percent: '${loss}'}, for: '${how_long}', inject: '${kind}'", 1)
    text = text.replace("inject: network.latency, ", "", 1) + "sealed: '${sealed}'\n"
    text += "variables: {how_long: {default: 1s}, loss: {default: 2}, kind: {default: network.latency}, sealed: {default: true}}\n"
    assert errors(validator, text) == []
    assert loads(text.encode(), catalogue).playbook.scenarios[0].sealed is True


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("objective:", "objektive:", "$"),
        ("name: checkout-day-june", "name: Checkout day", "$.name"),
        ("'15:30'", "'25:30'", "$.times.latest_inject"),
        ("query:", "qery:", "$.probes.errors.prometheus"),
        ("{prometheus: {query", "{prometeus: {query", "$.probes.errors"),
        ("quantile: 0.99", "quantile: 99", "$.probes.latency_p99.openmetrics.quantile"),
        ("inject: process.pause", "inject: process.paus", "$.scenarios[0].faults[0].inject"),
        ("for: 10m", "for: 10", "$.scenarios[0].faults[0].for"),
        ("for: 10m", "with: {x: 1}", "$.scenarios[0].faults[0].with"),
        ("inject: process.pause", "inject: network.latency", "$.scenarios[0].faults[0]"),
        ("inject: process.pause", "inject: network.latency, with: {delay: 5}", "$.scenarios[0].faults[0].with.delay"),
        ("host: local", "hosts: {a: b}, host: local", "$.scenarios[0].faults[0].on"),
        ("until: mitigated", "until: fixed", "$.scenarios[0].faults[0].until"),
        ("{alertmanager: {url: 'http://127.0.0.1:9093'}}", "{}", "$.alerts.from"),
        ("- title: The ledger freezes", "- titel: The ledger freezes", "$.scenarios[0]"),
        ("scenarios:", "sealed: true\nscenarios:", "$"),
    ],
)
def test_plain_mistakes_are_marked_where_they_are(old: str, new: str, where: str, good: str, validator: jsonschema.Draft202012Validator) -> None:
    assert old in good
    assert where in errors(validator, good.replace(old, new, 1))


def test_a_day_needs_scenarios_or_the_keys_of_one(small: str, validator: jsonschema.Draft202012Validator) -> None:
    assert errors(validator, "name: x\nobjective: y\n") == ["$"]
    assert errors(validator, small.replace("faults:", "fault:", 1))


def test_every_key_says_what_it_means(schema: dict[str, Any]) -> None:
    assert set(schema["properties"]) == SCENARIO_KEYS | {field.alias or name for name, field in Playbook.model_fields.items()}
    silent = [
        f"{name}.{key}"
        for name, node in [("", schema), *schema["$defs"].items()]
        for key, value in node.get("properties", {}).items()
        if not value.get("description")
    ]
    of_the_language = [each for each in silent if not each.startswith(("inject.", "probe."))]
    assert of_the_language == []


def test_kinds_and_their_parameters_are_completed(schema: dict[str, Any], catalogue: Catalogue) -> None:
    assert list(schema["$defs"]["probe"]["properties"]) == list(catalogue.probes)
    assert schema["$defs"]["Fault"]["properties"]["inject"]["anyOf"][0] == {"enum": sorted(catalogue.injectors)}
    assert schema["$defs"]["inject.network.latency"]["properties"]["delay"]["description"] == "how much later each packet arrives"


def test_defaults_are_written_as_a_playbook_writes_them(schema: dict[str, Any]) -> None:
    assert schema["$defs"]["Fault"]["properties"]["for"]["default"] == "5m"
    assert schema["$defs"]["Sampling"]["properties"]["every"]["default"] == "1s"
    assert "default" not in schema["$defs"]["Fault"]["properties"]["on"]
