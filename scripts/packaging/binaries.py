"""The programs and the libraries that they need: which are the release's own, which the system's."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess

PROGRAMS = ["burnd", "burn-worker", "burn-client"]
# The C library is every system's own, and may not be brought along.
C_LIBRARY = re.compile(r"^(ld-linux-x86-64|libc|libm|libdl|libpthread|librt|libresolv|libutil|libnss_\w+|libanl)\.so\b")


def output(*command) -> str:
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def is_program_code(path: pathlib.Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def needed(program: pathlib.Path) -> dict[str, pathlib.Path]:
    """Every shared library that the loader takes for the program, by its name."""
    found = {}
    for line in output("ldd", program).splitlines():
        name, _, rest = line.strip().partition(" => ")
        if "not found" in rest:
            raise SystemExit(f"{program} needs {name}, which is not here")
        if rest:
            found[name] = pathlib.Path(rest.split(" (")[0])
    return found


def is_systems(path: pathlib.Path) -> bool:
    """Whether Debian has it."""
    return path.parts[1] in ("lib", "usr")


def strip(path: pathlib.Path) -> None:
    subprocess.run(
        ["strip", "--strip-unneeded", "--remove-section=.comment", "--remove-section=.gnu.build.attributes", path],
        check=True)


def search_path(path: pathlib.Path) -> str:
    found = re.search(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", output("readelf", "-d", path))
    return found.group(1) if found else ""


def place(programs: pathlib.Path, target: pathlib.Path) -> dict[str, pathlib.Path]:
    """Programs and their own libraries, stripped, each looking beside itself alone. Returns the system's libraries."""
    target.mkdir(parents=True)
    systems: dict[str, pathlib.Path] = {}
    own: dict[str, pathlib.Path] = {name: programs / name for name in PROGRAMS}
    for name in PROGRAMS:
        for library, path in needed(programs / name).items():
            (systems if is_systems(path) else own)[library] = path
    for name, path in own.items():
        shutil.copyfile(path, target / name)
        (target / name).chmod(0o755 if name in PROGRAMS else 0o644)
        strip(target / name)
        if name in PROGRAMS:
            # RPATH, which holds for the libraries of libraries too.
            subprocess.run(["patchelf", "--force-rpath", "--set-rpath", "$ORIGIN", target / name], check=True)
        elif search_path(target / name) not in ("", "$ORIGIN"):
            subprocess.run(["patchelf", "--set-rpath", "$ORIGIN", target / name], check=True)
    return systems


def place_systems(systems: dict[str, pathlib.Path], target: pathlib.Path) -> list[tuple[str, str]]:
    """The system's libraries, but for the C library's, for where they are not installed. Returns their packages."""
    packages = {}
    for name, path in sorted(systems.items()):
        if C_LIBRARY.match(name):
            continue
        real = path.resolve()
        shutil.copyfile(real, target / name)
        (target / name).chmod(0o644)
        # Each is found by itself, not through the program that loads it.
        subprocess.run(["patchelf", "--set-rpath", "$ORIGIN", target / name], check=True)
        packages.setdefault(owner(real), []).append(name)
    return sorted((package, version(package)) for package in packages)


def owner(path: pathlib.Path) -> str:
    # dpkg knows some by the folder's name before /usr was merged.
    for candidate in (path, pathlib.Path(str(path).removeprefix("/usr"))):
        found = subprocess.run(["dpkg-query", "--search", candidate], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.split(": ")[0].split(",")[0]
    raise SystemExit(f"no package owns {path}")


def version(package: str) -> str:
    return output("dpkg-query", "--show", "--showformat=${Version}", package)


def newest_symbols(folder: pathlib.Path) -> dict[str, str]:
    """The newest symbol version of each kind that the files ask for, such as GLIBC: 2.34."""
    newest: dict[str, tuple[int, ...]] = {}
    for path in filter(is_program_code, folder.rglob("*")):
        for kind, text in re.findall(r"Name: (GLIBC|GLIBCXX|CXXABI|GCC)_([0-9.]+)", output("readelf", "-VW", path)):
            newest[kind] = max(newest.get(kind, ()), tuple(map(int, text.split("."))))
    return {kind: ".".join(map(str, value)) for kind, value in sorted(newest.items())}
