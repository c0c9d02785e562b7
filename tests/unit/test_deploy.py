"""deploy/ names only what there is: settings, commands, services, volumes, secrets; and says nothing twice."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from core.settings import Settings
from server.cli import app

DEPLOY = Path(__file__).parents[2] / "deploy"
BESIDES = {"AIRCOUNTER_SECRETS_FILE"}
"""Read without `Settings`, because they are needed before it."""

MADE_BY_THE_OPERATOR = {"./tls", "./keys"}
SETTINGS = {f"AIRCOUNTER_{name.upper()}" for name in Settings.model_fields} | BESIDES
COMMANDS = set(get_command(app).commands)  # type: ignore[attr-defined]


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text()))


def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))


def environment() -> dict[str, str]:
    lines = (DEPLOY / "example.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("path", sorted(DEPLOY.iterdir()), ids=lambda path: path.name)
def test_every_variable_is_a_setting(path: Path) -> None:
    text = path.read_text()
    assert sorted(set(re.findall(r"\bAIRCOUNTER_[A-Z0-9_]+", text)) - SETTINGS) == []


def test_the_values_given_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name: value for name, value in environment().items() if value}
    given["AIRCOUNTER_TURN_SECRET"] = "0123456789abcdef"
    for service in compose()["services"].values():
        given |= {name: str(value) for name, value in service.get("environment", {}).items()}
    for document in manifests():
        for container in _containers(document):
            given |= {each["name"]: each["value"] for each in container.get("env", []) if "value" in each}
    for name, value in given.items():
        if name.startswith("AIRCOUNTER_"):
            monkeypatch.setenv(name, re.sub(r"\$\{\w+\}|\$\(\w+\)", "10.0.0.1", value))
    Settings()


def test_what_the_compose_file_refers_to_is_there() -> None:
    house = compose()
    services = house["services"]
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)\}", (DEPLOY / "compose.yaml").read_text()))
    assert asked <= environment().keys(), "a variable of compose.yaml is not in example.env"
    ports: list[str] = []
    for name, service in services.items():
        depends = service.get("depends_on", [])
        assert set(depends) <= services.keys(), name
        assert name not in depends, f"{name} waits for itself"
        for other, told in depends.items() if isinstance(depends, dict) else ():
            if told["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for the health of {other}, which has no check"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith("./") or source in house["volumes"], volume
            if source.startswith("./") and source not in MADE_BY_THE_OPERATOR:
                assert (DEPLOY / source).exists(), volume
        if service.get("image") == "aircounter":
            assert set(service["command"]) <= COMMANDS, name
            if service.get("network_mode") == "host":
                ports += [
                    v for k, v in service["environment"].items() if k.endswith("_PORT") and not k.endswith("OPS_PORT")
                ]
                ports += [service["environment"].get("AIRCOUNTER_OPS_PORT", "9300")] if name != "migrate" else []
    assert len(ports) == len(set(ports)), f"two services of one host want the same port: {ports}"


def test_what_the_manifests_refer_to_is_there() -> None:
    documents = manifests()
    names = {(document["kind"], document["metadata"]["name"]) for document in documents}
    assert len(names) == len(documents)
    for document in documents:
        for container in _containers(document):
            assert set(container["args"]) <= COMMANDS
            volumes = {each["name"]: each for each in _pod(document).get("volumes", [])}
            assert {each["name"] for each in container.get("volumeMounts", [])} == volumes.keys()
            for volume in volumes.values():
                if "persistentVolumeClaim" in volume:
                    assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in names
            open_ports = {each["name"] for each in container.get("ports", [])}
            for probe in ("readinessProbe", "livenessProbe"):
                if probe in container:
                    assert container[probe]["httpGet"]["port"] in open_ports
        if document["kind"] in ("Deployment", "StatefulSet"):
            labels = document["spec"]["template"]["metadata"]["labels"]
            assert document["spec"]["selector"]["matchLabels"].items() <= labels.items()
        if document["kind"] == "StatefulSet":
            assert ("Service", document["spec"]["serviceName"]) in names, "a StatefulSet's Service must exist"


def test_the_image_holds_what_the_processes_import() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    copied = set(re.findall(r"^COPY (\w+)/ \1/$", text, re.MULTILINE))
    root = DEPLOY.parent
    packages = {path.parent.name for path in root.glob("*/__init__.py")} - {"tests", "bench"}
    assert packages | {"migrations"} <= copied


ROLES = ("edge", "media", "worker")
NEEDED = {"AIRCOUNTER_DATABASE_URL", "AIRCOUNTER_REDIS_URL", "AIRCOUNTER_STORE_URL", "AIRCOUNTER_SECRETS_FILE"}
"""What every process of an installation on many machines shares."""

ENDING_S = 20
"""Beyond the drain: connections closed, journals written out."""


def test_every_role_is_there_with_what_it_needs_and_time_to_end() -> None:
    services = compose()["services"]
    for role in ROLES:
        (service,) = [each for each in services.values() if each.get("command") == [role]]
        given = service["environment"].keys() | environment().keys()
        assert NEEDED | {"AIRCOUNTER_BANK_URL", "AIRCOUNTER_BANK_TOKEN"} <= given, role
        minutes = re.fullmatch(r"(\d+)m", service["stop_grace_period"])
        assert minutes
        assert int(minutes[1]) * 60 >= int(service["environment"]["AIRCOUNTER_DRAIN_S"]) + ENDING_S, role
    found = set()
    for document in manifests():
        for container in _containers(document):
            if (role := container["args"][0]) in ROLES:
                found.add(role)
                own = {each["name"]: each.get("value") for each in container["env"]}
                assert "AIRCOUNTER_SECRETS_FILE" in own, role
                assert {"secretRef": {"name": "aircounter-env"}} in container["envFrom"], role
                grace_s = _pod(document).get("terminationGracePeriodSeconds", 30)
                assert grace_s >= int(own.get("AIRCOUNTER_DRAIN_S") or 0) + ENDING_S, role
    assert found == set(ROLES)


def _pod(document: dict[str, Any]) -> dict[str, Any]:
    return dict(document.get("spec", {}).get("template", {}).get("spec", {}))


def _containers(document: dict[str, Any]) -> list[dict[str, Any]]:
    return list(_pod(document).get("containers", []))
