"""The files that other tools read (pre-commit, CI, issue forms) run and ask for what exists."""

import os
import re
from typing import Any

import yaml

from tests.support.repository import REPOSITORY


def read(path: str) -> Any:
    return yaml.safe_load((REPOSITORY / path).read_text(encoding="utf-8"))


def test_pre_commit_runs_the_tools_of_make_lint() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    lint = makefile[makefile.index("\nlint:") :].partition("\n\n")[0]
    linters = set(re.findall(r"\$\(BIN\)/(ruff \w+|[\w-]+)", lint))
    (local,) = read(".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"
    entries = [hook["entry"].removeprefix(".venv/bin/") for hook in local["hooks"]]
    assert {re.sub(r" --.*", "", entry) for entry in entries} == linters
    assert len(linters) == 4


def test_continuous_integration_calls_the_script_that_is_called_by_hand() -> None:
    steps = [step for job in read(".github/workflows/ci.yml")["jobs"].values() for step in job["steps"]]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run", "make test-lowest"]
    assert os.access(REPOSITORY / ".ci" / "run", os.X_OK)


def test_a_report_of_a_bug_must_hold_the_output_of_doctor() -> None:
    fields = {field["id"]: field for field in read(".github/ISSUE_TEMPLATE/bug.yml")["body"]}
    assert "`tui doctor --json`" in fields["doctor"]["attributes"]["label"]
    assert fields["doctor"]["validations"]["required"]


def test_the_security_policy_points_to_the_tests_of_its_promises() -> None:
    policy = (REPOSITORY / "SECURITY.md").read_text(encoding="utf-8")
    assert '[docs/reliability.md](docs/reliability.md), under "Malicious files"' in policy
    assert "\n## Malicious files\n" in (REPOSITORY / "docs" / "reliability.md").read_text(encoding="utf-8")
