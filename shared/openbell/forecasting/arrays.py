"""Names for the arrays of this package."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Days = Ints  # since 1970-01-01
Index = tuple[Any, ...]  # of NumPy's advanced indexing, which has no type of its own
