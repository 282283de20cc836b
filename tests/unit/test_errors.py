"""Every refusal is in the README's table, with its status, and the table has no other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from infra.gateway import errors as of_the_front_door
from shared import errors
from shared.errors import Problem, Unauthorized
from tests.local.readme import Readme

ROW = re.compile(r"^\| (\d{3}) \| (.+) \|$", re.MULTILINE)
CODE = re.compile(r"`([a-z_]+)`")


def refusals() -> Iterator[type[Problem]]:
    for module in (errors, of_the_front_door):
        for each in vars(module).values():
            if isinstance(each, type) and issubclass(each, Problem) and each not in (Problem, Unauthorized):
                yield each


def test_readme_lists_each_code_with_its_status() -> None:
    _, _, section = Readme.read().text.partition("\n## Errors\n")
    table, _, _ = section.partition("\n## ")
    listed = [(int(status), code) for status, row in ROW.findall(table) for code in CODE.findall(row)]
    assert sorted(listed) == sorted({(each.status, each.code) for each in refusals()})


def test_no_two_refusals_share_a_code() -> None:
    codes = [each.code for each in set(refusals())]
    assert len(codes) == len(set(codes))
