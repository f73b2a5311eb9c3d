"""Quantiles of the beta distribution, against scipy."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import special

from analyzers import beta

sides = st.floats(-1.7, 5.3).map(lambda power: 10**power)
shares = st.sampled_from([0.001, 0.025, 0.5, 0.975, 0.999])


@given(sides, sides, shares)
@example(180_000.5, 20_000.5, 0.975)
@example(1.0, 1.0, 0.025)
@example(0.02, 150_000.0, 0.5)
def test_quantiles_and_shares_are_those_of_scipy(a: float, b: float, share: float) -> None:
    expected = float(special.betaincinv(a, b, share))
    assert beta.quantile(share, a, b) == pytest.approx(expected, abs=1e-9, rel=1e-9)
    for x in (expected, expected * 0.9, (1 + 9 * expected) / 10):
        assert beta.cumulative(x, a, b) == pytest.approx(float(special.betainc(a, b, x)), abs=1e-9)


def test_what_is_no_law_is_refused() -> None:
    assert (beta.cumulative(0.0, 2, 3), beta.cumulative(1.0, 2, 3)) == (0.0, 1.0)
    for x, a, b in ((0.5, 0, 1), (0.5, 1, -1), (1.5, 1, 1)):
        with pytest.raises(ValueError, match="no Beta"):
            beta.cumulative(x, a, b)
    for share in (0.0, 1.0):
        with pytest.raises(ValueError, match="no quantile"):
            beta.quantile(share, 2, 2)


def test_pages_of_satisfaction_load_neither_scipy_nor_plotly() -> None:
    """What they rank and draw; each would cost the first page of a process half a second."""
    program = (
        "import sys\n"
        "from analyzers import figures, shrinkage\n"
        "shrinkage.rank({'a': (8, 10), 'b': (3, 10), 'c': (7, 9)})\n"
        "figures.drawing.trace('Scatter', {'mode': 'lines'}, x=[1], y=[2])\n"
        "print(sorted({'scipy', 'plotly', 'pandas'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
