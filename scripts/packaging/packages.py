"""Puts the packages of a release together; called by scripts/package.

  usage: packages.py PROGRAMS OUT [--fast]
"""

from __future__ import annotations

import datetime
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import binaries
import parts

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSION = (ROOT / "VERSION").read_text().strip()
EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])
DAY = datetime.datetime.fromtimestamp(EPOCH, datetime.timezone.utc)
# Who publishes a package names themselves, as with Debian's own tools. An address below .invalid (RFC 2606) reaches nobody.
MAINTAINER = f"{os.environ.get('DEBFULLNAME', 'The BURN authors')} <{os.environ.get('DEBEMAIL', 'nobody@burn.invalid')}>"
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def run(*command, **more):
    return subprocess.run([str(part) for part in command], check=True, env=ENVIRONMENT, **more)


def manual(programs: pathlib.Path, folder: pathlib.Path) -> None:
    folder.mkdir(parents=True)
    run(programs / "generate-manual", programs / "burnd", "--multi-page", "--date", DAY.strftime("%Y-%m-%d"),
        "--output-directory", folder, stdout=subprocess.DEVNULL)


def completions(programs: pathlib.Path, share: pathlib.Path) -> None:
    for shell, path in (
            ("bash", "bash-completion/completions/burnd"), ("zsh", "zsh/vendor-completions/_burnd"),
            ("fish", "fish/vendor_completions.d/burnd.fish")):
        (share / path).parent.mkdir(parents=True)
        text = run(programs / "burnd", "--generate-completion-script", shell, stdout=subprocess.PIPE).stdout
        # It is read by a shell, not started.
        (share / path).write_bytes(text.partition(b"\n")[2] if text.startswith(b"#!") else text)


def documentation(folder: pathlib.Path) -> None:
    """The pages that an administrator reads, and every licence."""
    folder.mkdir(parents=True)
    for name in ["README.md", "SECURITY.md", *sorted(path.relative_to(ROOT) for path in (ROOT / "docs").glob("*.md"))]:
        shutil.copyfile(ROOT / name, folder / pathlib.Path(name).name)
    shutil.copyfile(ROOT / "config/nginx.conf", folder / "nginx.conf")
    parts.copy_licences(ROOT, folder / "licences")


def digests(folder: pathlib.Path, target: pathlib.Path) -> None:
    """The SHA-256 of every file, as sha256sum -c reads it."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n"
        for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink() and path != target]
    target.write_text("".join(lines))


def debian(tree: pathlib.Path, man: pathlib.Path, scratch: pathlib.Path, out: pathlib.Path, fast: bool) -> pathlib.Path:
    source = scratch / "source"
    shutil.copytree(ROOT / "packaging/debian", source / "debian")
    shutil.copytree(tree, source / "tree", symlinks=True)
    shutil.copytree(man, source / "man")
    shutil.copyfile(ROOT / "config/burnd.service", source / "debian/burn.burnd.service")
    (source / "debian/changelog").write_text(
        f"burn ({VERSION}) unstable; urgency=medium\n\n  * See /usr/share/doc/burn/version-history.md for what is new.\n\n"
        f" -- {MAINTAINER}  {DAY.strftime('%a, %d %b %Y %H:%M:%S +0000')}\n")
    control = source / "debian/control"
    control.write_text(control.read_text().replace("@MAINTAINER@", MAINTAINER))
    (source / "debian/copyright").write_text(parts.copyright_file(ROOT))
    ENVIRONMENT["DEB_COMPRESSION"] = "-Zxz -z0" if fast else "-Zxz -z6 --threads-max=2"
    run("debian/rules", "binary", cwd=source, stdout=sys.stderr)
    built = next(scratch.glob("burn_*.deb"))
    return pathlib.Path(shutil.move(built, out / built.name))


def tarball(tree: pathlib.Path, man: pathlib.Path, systems, scratch: pathlib.Path, out: pathlib.Path) -> pathlib.Path:
    name = f"burn-{VERSION}-linux-x86_64"
    root = scratch / name
    shutil.copytree(tree / "usr", root, symlinks=True)
    shutil.copytree(man, root / "share/man/man1")
    for part in ("burnd.yaml", "burnd.service", "nginx.conf"):
        (root / "share/burn").mkdir(exist_ok=True)
        shutil.copyfile(ROOT / "config" / part, root / "share/burn" / part)
    packages = binaries.place_systems(systems, root / "lib/burn")
    for package, _ in packages:
        licence = pathlib.Path("/usr/share/doc", package.split(":")[0], "copyright")
        if licence.exists():
            shutil.copyfile(licence, root / "share/doc/burn/licences" / f"{package.split(':')[0]}.copyright")
    parts.write_bill(ROOT, VERSION, EPOCH, packages, root / "share/doc/burn/burn.cdx.json")
    symbols = binaries.newest_symbols(root)
    print("the tarball asks for", ", ".join(f"{kind} {value}" for kind, value in symbols.items()))
    (root / "share/doc/burn/MANIFEST.sha256").unlink(missing_ok=True)
    digests(root, root / "MANIFEST.sha256")
    target = out / f"{name}.tar.xz"
    with open(target, "wb") as file:
        packed = subprocess.Popen(archive_command(scratch, name), stdout=subprocess.PIPE)
        run("xz", "-6", "-T2", "--stdout", stdin=packed.stdout, stdout=file)
        if packed.wait() != 0:
            raise SystemExit("tar failed")
    return target


def python_package(out: pathlib.Path, scratch: pathlib.Path) -> list[pathlib.Path]:
    """Wheel and sdist, from a copy: setuptools leaves its own folders beside the sources."""
    source = scratch / "python"
    shutil.copytree(
        ROOT / "clients/python", source,
        ignore=shutil.ignore_patterns("__pycache__", ".*cache", "*.egg-info", "build", "tests"))
    shutil.copyfile(ROOT / "LICENSE", source / "LICENSE")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", scratch / "wheels", source, stdout=subprocess.DEVNULL)
    for sdist in (scratch / "wheels").glob("*.tar.gz"):
        # Again, with the commit's time for every file and for the archive.
        run("tar", "--extract", "--gzip", "--file", sdist, "--directory", scratch)
        with open(sdist, "wb") as file:
            packed = subprocess.Popen(archive_command(scratch, sdist.name.removesuffix(".tar.gz")), stdout=subprocess.PIPE)
            run("gzip", "-9", "--no-name", "--stdout", stdin=packed.stdout, stdout=file)
            if packed.wait() != 0:
                raise SystemExit("tar failed")
    return [
        pathlib.Path(shutil.move(path, out / path.name)) for path in sorted((scratch / "wheels").iterdir())]


def archive_command(folder: pathlib.Path, name: str) -> list[str]:
    """tar, on standard output; the same files give the same archive."""
    return [
        "tar", "--create", "--sort=name", f"--mtime=@{EPOCH}", "--owner=0", "--group=0", "--numeric-owner",
        "--mode=u+rw,go=rX", "--format=gnu", "--directory", str(folder), name]


def main():
    programs, out, fast = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), "--fast" in sys.argv
    out.mkdir(parents=True, exist_ok=True)
    for old in out.iterdir():
        if old.name.startswith(("burn_", "burn-")):
            old.unlink()
    with tempfile.TemporaryDirectory(prefix="burn-package-") as folder:
        scratch = pathlib.Path(folder)
        tree, man = scratch / "tree", scratch / "man"
        systems = binaries.place(programs, tree / "usr/lib/burn")
        (tree / "usr/bin").mkdir()
        (tree / "usr/bin/burnd").symlink_to("../lib/burn/burnd")
        manual(programs, man)
        completions(programs, tree / "usr/share")
        documentation(tree / "usr/share/doc/burn")
        shutil.copyfile(ROOT / "CHANGELOG.md", tree / "usr/share/doc/burn/version-history.md")
        (tree / "etc/burn").mkdir(parents=True)
        settings = (ROOT / "config/burnd.yaml").read_text()
        assert "\ndata: data\n" in settings
        (tree / "etc/burn/burnd.yaml").write_text(settings.replace("\ndata: data\n", "\ndata: /var/lib/burn\n"))
        parts.write_bill(ROOT, VERSION, EPOCH, [], tree / "usr/share/doc/burn/burn.cdx.json")
        digests(tree, tree / "usr/share/doc/burn/MANIFEST.sha256")
        made = [debian(tree, man, scratch, out, fast)]
        if not fast:
            made.append(tarball(tree, man, systems, scratch, out))
        made += python_package(out, scratch)
        shutil.copyfile(tree / "usr/share/doc/burn/burn.cdx.json", out / f"burn-{VERSION}.cdx.json")
        made.append(out / f"burn-{VERSION}.cdx.json")
    (out / f"burn-{VERSION}.sha256").write_text("".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made))
    for path in made:
        print(f"{path.stat().st_size / 1e6:8.1f} MB  {path}")


main()
