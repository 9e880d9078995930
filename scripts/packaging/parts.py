"""What a release consists of besides its own code: names, versions, licences; as CycloneDX, and for debian/copyright."""

from __future__ import annotations

import datetime
import json
import pathlib
import shutil
import subprocess
import uuid

from cyclonedx.model import HashAlgorithm, HashType  # noqa: F401
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

# The licence of each Swift package that the programs are linked with, as its LICENSE file says. A new one is named here.
SWIFT_LICENCES = {
    "GRDB.swift": "MIT", "Yams": "MIT", "swift-argument-parser": "Apache-2.0 WITH Swift-exception",
    "swift-async-algorithms": "Apache-2.0 WITH Swift-exception", "swift-collections": "Apache-2.0 WITH Swift-exception",
    "swift-http-types": "Apache-2.0", "swift-log": "Apache-2.0", "swift-metrics": "Apache-2.0",
    "swift-protobuf": "Apache-2.0 WITH Swift-exception", "swift-service-lifecycle": "Apache-2.0",
}
SITE = pathlib.Path(".venv/lib")


def wheel(root: pathlib.Path, name: str) -> tuple[str, pathlib.Path]:
    """Version and metadata folder of a wheel that libraries are taken from."""
    link = root / ".torch" / name
    folder = next(link.resolve().parent.glob(f"{name}-*.dist-info"))
    return folder.name.removesuffix(".dist-info").split("-", 1)[1], folder


def swift_packages(root: pathlib.Path) -> list[tuple[str, str, pathlib.Path, str]]:
    """Name, version, licence file and address of each."""
    found = []
    for pin in json.loads((root / "Package.resolved").read_text())["pins"]:
        address = pin["location"].removesuffix(".git")
        name = address.rsplit("/", 1)[1]
        folder = root / ".build/checkouts" / name
        licence = next(path for path in sorted(folder.iterdir()) if path.name.upper().startswith("LICENSE"))
        found.append((name, pin["state"]["version"], licence, address))
    return sorted(found)


def swift_root() -> pathlib.Path:
    program = pathlib.Path(shutil.which("swift") or "").resolve()
    return program.parents[1]


def swift_version() -> str:
    text = subprocess.run(["swift", "--version"], check=True, capture_output=True, text=True).stdout
    return text.split("Swift version ")[1].split()[0]


def copy_licences(root: pathlib.Path, target: pathlib.Path) -> None:
    target.mkdir(parents=True)
    for name, _, licence, _ in swift_packages(root):
        shutil.copyfile(licence, target / f"{name}.txt")
    shutil.copyfile(swift_root() / "share/swift/LICENSE.txt", target / "swift.txt")
    for name in ("torch", "pyarrow"):
        folder = wheel(root, name)[1] / "licenses"
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                kept = target / name / path.relative_to(folder)
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, kept)


def components(root: pathlib.Path) -> list[tuple[str, str, str, PackageURL]]:
    torch, arrow, swift = wheel(root, "torch")[0], wheel(root, "pyarrow")[0], swift_version()
    found = [
        ("libtorch", torch, "BSD-3-Clause", PackageURL("pypi", name="torch", version=torch)),
        ("Apache Arrow and Parquet C++", arrow, "Apache-2.0", PackageURL("pypi", name="pyarrow", version=arrow)),
        ("Swift run time and Foundation", swift, "Apache-2.0 WITH Swift-exception",
         PackageURL("github", "swiftlang", "swift", version=f"swift-{swift}-RELEASE")),
        ("libgomp", f"of torch {torch}", "GPL-3.0-or-later WITH GCC-exception-3.1", PackageURL("generic", name="libgomp"))]
    for name, version, _, address in swift_packages(root):
        owner = address.rsplit("/", 2)[1]
        found.append((name, version, SWIFT_LICENCES[name], PackageURL("github", owner, name, version)))
    return found


def write_bill(root, version: str, epoch: int, packages: list[tuple[str, str]], target: pathlib.Path) -> None:
    """A bill of materials. The same parts give the same file.

    packages: Debian's, whose libraries are in it as well.
    """
    bill = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"burn/{version}/{len(packages)}"))
    bill.metadata.timestamp = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc)
    burn = Component(
        name="burn", version=version, type=ComponentType.APPLICATION, bom_ref="burn", licenses=[LicenseExpression("MIT")])
    bill.metadata.component = burn
    listed = []
    for name, found, licence, url in components(root):
        listed.append(Component(
            name=name, version=found, type=ComponentType.LIBRARY, bom_ref=str(url), purl=url,
            licenses=[LicenseExpression(licence)]))
    for name, found in packages:
        url = PackageURL("deb", "debian", name.split(":")[0], found, {"arch": "amd64", "distro": "debian-12"})
        listed.append(Component(
            name=name.split(":")[0], version=found, type=ComponentType.LIBRARY, bom_ref=str(url), purl=url))
    for part in listed:
        bill.components.add(part)
    bill.register_dependency(burn, listed)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(make_outputter(bill, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2) + "\n")


def copyright_file(root: pathlib.Path) -> str:
    """debian/copyright, machine-readable; the licences' own words are in the folder beside it."""
    licence = (root / "LICENSE").read_text()
    body = "".join(f" {line.strip() or '.'}\n" for line in licence.splitlines()[4:])
    text = (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: burn\n\n"
        "Files: *\nCopyright: 2026 The BURN authors\nLicense: MIT\n\n")
    names = sorted({licence for _, _, licence, _ in components(root)} - {"MIT"})
    for name, version, licence, _ in components(root):
        text += (
            f"Files: usr/lib/burn/*\nCopyright: the authors of {name} {version}, as in /usr/share/doc/burn/licences\n"
            f"License: {licence.replace(' WITH ', ' with ').replace('-exception', ' exception')}\n\n")
    text += f"License: MIT\n{body}"
    for name in names:
        short = name.replace(" WITH ", " with ").replace("-exception", " exception")
        text += f"\nLicense: {short}\n Its text is in /usr/share/doc/burn/licences.\n"
        if "Apache" in name:
            text += " On Debian systems the Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0.\n"
        if "GPL" in name:
            text += " On Debian systems the GNU General Public License is in /usr/share/common-licenses/GPL-3.\n"
    return text
