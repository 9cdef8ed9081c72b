"""Which communes and wards a point on the map may lie in: the likeliest of those whose middle is near (coordinates.yml).

Borders are not known here, only the middle and the size of each unit. Of 815 points whose unit is known the right one was the
likeliest in 86 of 100 cases and among the first three in 97, so the citizen is asked which it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from bot.directory.places import FOLDER
from bot.yaml_files import read_yaml

FILE = "coordinates.yml"
MOST = 3
# In radii of a unit as if it were round. All 815 points lay within 1.64 of some unit, and 25 of 3,053 middles elsewhere do.
FARTHEST = 1.7
KM_A_DEGREE = 111.2


@dataclass(frozen=True)
class Middle:
    """`radius_km` of a circle as large as the unit."""

    key: str
    latitude: float
    longitude: float
    radius_km: float

    def radii_from(self, latitude: float, longitude: float) -> float:
        """Flat is good enough: the provinces span two degrees."""
        north = (latitude - self.latitude) * KM_A_DEGREE
        east = (longitude - self.longitude) * KM_A_DEGREE * math.cos(math.radians(self.latitude))
        return math.hypot(north, east) / self.radius_km


class Nearby:
    """Build it once: loading reads the file."""

    def __init__(self, middles: list[Middle]) -> None:
        self._middles = middles

    @classmethod
    def load(cls, root: Path) -> Nearby:
        entries = read_yaml(root / FOLDER / FILE)["middles"]
        return cls([Middle(key, north, east, math.sqrt(km2 / math.pi)) for key, (north, east, km2) in entries.items()])

    def keys(self, point: str) -> list[str]:
        """The keys of the units that `12.667,108.038` may lie in, the likeliest first; none for a point elsewhere or no point."""
        latitude, longitude = coordinates(point) or (math.nan, math.nan)
        found = [(middle.radii_from(latitude, longitude), middle.key) for middle in self._middles]
        near = sorted(pair for pair in found if pair[0] <= FARTHEST * 2)[:MOST]
        return [key for _, key in near] if near and near[0][0] <= FARTHEST else []


def coordinates(point: str) -> tuple[float, float] | None:
    """Degrees north and east; None where that is no point on earth."""
    north, _, east = point.partition(",")
    try:
        latitude, longitude = float(north), float(east)
    except ValueError:
        return None
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None
