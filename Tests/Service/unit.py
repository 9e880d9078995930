#!/usr/bin/env python3
"""config/burnd.service as systemd reads it: no complaint, and the exposure that systemd-analyze counts. Needs no
running systemd.

  usage: unit.py
"""

import pathlib
import re
import subprocess
import sys
import tempfile

from service import ROOT

# Of 10 (all doors open). What is left is what the service is for: the network, its control group, and machine code
# in workers.
MOST_EXPOSURE = 2.0


def main():
    text = (ROOT / "config/burnd.service").read_text()
    with tempfile.TemporaryDirectory() as folder:
        unit = pathlib.Path(folder, "burnd.service")
        # The program need not be installed to read the unit.
        unit.write_text(text.replace("/usr/bin/burnd", "/bin/true"))
        checked = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", unit], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        complaints = [line for line in checked.stdout.splitlines() if "burnd.service" in line]
        rated = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager", unit], stdout=subprocess.PIPE, text=True)
    found = re.search(r"Overall exposure level for burnd.service: ([0-9.]+)", rated.stdout)
    exposure = float(found.group(1)) if found else 10
    print("\n".join(complaints + [f"exposure {exposure} of 10, at most {MOST_EXPOSURE} is allowed"]))
    sys.exit(0 if not complaints and checked.returncode == 0 and exposure <= MOST_EXPOSURE else 1)


main()
