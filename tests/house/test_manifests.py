"""What stands in k8s/base is valid, hardened, and holds every door of its service."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deploy import docs
from deploy.processes import ROOT, read_doors

BASES = sorted(p for p in (ROOT / "k8s" / "base").iterdir() if p.is_dir())
SCHEMAS = ROOT.parent / "shared" / "schemas" / "crds"
STOP_WITHIN = 5
Manifest = dict[str, Any]


def manifests(base: Path) -> list[Manifest]:
    files = (p for p in sorted(base.glob("*.yaml")) if p.name != "kustomization.yaml")
    return [document for p in files for document in yaml.safe_load_all(p.read_text()) if document]


DEPLOYMENTS = [(base.name, m) for base in BASES for m in manifests(base) if m["kind"] == "Deployment"]
each_deployment = pytest.mark.parametrize(
    "service, deployment", DEPLOYMENTS, ids=lambda v: v if isinstance(v, str) else ""
)


def pod_of(deployment: Manifest) -> Manifest:
    return deployment["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def containers_of(deployment: Manifest) -> list[Manifest]:
    return pod_of(deployment).get("initContainers", []) + pod_of(deployment)["containers"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("base", BASES, ids=lambda p: p.name)
def test_every_door_of_a_service_has_a_deployment_that_starts_it(base: Path) -> None:
    started = {}
    for service, deployment in DEPLOYMENTS:
        if service == base.name:
            words = pod_of(deployment)["containers"][0]["args"]
            started[words[words.index(f"services.{service}") + 1]] = deployment["metadata"]["name"]
    doors = {door.name for door in read_doors() if door.service == base.name}
    assert started == {door: f"{base.name}-{door}" for door in doors}


@pytest.mark.parametrize("base", BASES, ids=lambda p: p.name)
def test_the_kustomization_lists_every_file(base: Path) -> None:
    listed = yaml.safe_load((base / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted(p.name for p in base.glob("*.yaml") if p.name != "kustomization.yaml")


@pytest.mark.parametrize("base", BASES, ids=lambda p: p.name)
@pytest.mark.parametrize("version", ["1.34", "1.35", "1.36"])
def test_kubernetes_knows_every_field(base: Path, version: str) -> None:
    own = [str(p) for p in sorted(base.glob("*.yaml")) if p.name not in ("kustomization.yaml", "metrics.yaml")]
    tool = Path(sys.executable).with_name("kubernetes-validate")
    checked = subprocess.run([str(tool), "--strict", "-k", version, *own], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "find schema" not in checked.stdout + checked.stderr


@pytest.mark.skipif(not SCHEMAS.exists(), reason="the schemas of custom resources stand beside the repository only")
@pytest.mark.parametrize("base", BASES, ids=lambda p: p.name)
def test_custom_resources_fit_their_schemas(base: Path) -> None:
    custom = [m for m in manifests(base) if "." in m["apiVersion"].split("/")[0] and "k8s.io" not in m["apiVersion"]]
    assert custom
    for manifest in custom:
        group, version = manifest["apiVersion"].split("/")
        schema = SCHEMAS / group / f"{manifest['kind'].lower()}_{version}.json"
        jsonschema.validate(manifest, json.loads(schema.read_text()))


@each_deployment
def test_pods_keep_to_the_restricted_standard(service: str, deployment: Manifest) -> None:
    pod = pod_of(deployment)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == service
    for container in containers_of(deployment):
        allowed = container["securityContext"]
        assert allowed["allowPrivilegeEscalation"] is False
        assert allowed["readOnlyRootFilesystem"] is True
        assert allowed["capabilities"] == {"drop": ["ALL"]}


@each_deployment
def test_every_container_asks_for_what_it_needs_and_has_a_memory_limit(service: str, deployment: Manifest) -> None:
    for container in containers_of(deployment):
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


@each_deployment
def test_a_door_is_watched_and_has_the_time_to_stop(service: str, deployment: Manifest) -> None:
    pod = pod_of(deployment)
    door = pod["containers"][0]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(door)
    asleep = door.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    if "httpGet" in door["readinessProbe"]:
        assert asleep >= 3, "endpoints must forget the pod before it stops listening"
        assert door["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert pod["terminationGracePeriodSeconds"] >= asleep + STOP_WITHIN


@each_deployment
def test_what_must_be_alone_is_alone_and_the_rest_rolls_without_a_gap(service: str, deployment: Manifest) -> None:
    spec, name = deployment["spec"], deployment["metadata"]["name"]
    if name.endswith(("-seal", "-relay")):
        assert spec["replicas"] == 1
        assert spec["strategy"] == {"type": "Recreate"}
        return
    assert spec["replicas"] >= 2
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    budgets = [m for m in manifests(ROOT / "k8s" / "base" / service) if m["kind"] == "PodDisruptionBudget"]
    assert name in {budget["metadata"]["name"] for budget in budgets}


@pytest.mark.parametrize("base", BASES, ids=lambda p: p.name)
def test_nothing_reaches_a_pod_but_what_a_policy_names(base: Path) -> None:
    policies = [m["spec"] for m in manifests(base) if m["kind"] == "NetworkPolicy"]
    everyone = {"matchLabels": {"app.kubernetes.io/name": base.name}}
    assert any(p["podSelector"] == everyone and set(p["policyTypes"]) == {"Ingress", "Egress"} for p in policies)
    for policy in policies:
        for rule in policy.get("ingress", []) + policy.get("egress", []):
            assert (rule.get("from") or rule.get("to")) and rule["ports"]


@pytest.mark.parametrize("base", BASES, ids=lambda p: p.name)
def test_every_setting_that_a_manifest_gives_exists(base: Path) -> None:
    known = set(re.findall(r"^\| `(PARVIS_\w+)`", docs.settings(), re.MULTILINE))
    given = {name for p in base.glob("*.yaml") for name in re.findall(r"\bPARVIS_\w+", p.read_text())}
    assert given - known == set()


@pytest.mark.parametrize("base", BASES, ids=lambda p: p.name)
def test_no_secret_stands_in_the_base(base: Path) -> None:
    assert [m["metadata"]["name"] for m in manifests(base) if m["kind"] == "Secret"] == []
