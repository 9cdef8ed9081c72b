from __future__ import annotations

import pytest

from tests.office import Office


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)
