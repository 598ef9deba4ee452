"""The systems whose authors' weights can be read, by the names of the zoo."""

from collections.abc import Mapping

from mmer.training.foreign.cafes import CAFES
from mmer.training.foreign.system import ForeignSystem

SYSTEMS: Mapping[str, ForeignSystem] = {"cafes": CAFES}
