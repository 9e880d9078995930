"""What the documentation says is what is."""

import subprocess
import sys

from conftest import ROOT


def test_the_rest_reference_is_current():
    result = subprocess.run(
        [sys.executable, ROOT / "scripts/rest-reference", "--check"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
