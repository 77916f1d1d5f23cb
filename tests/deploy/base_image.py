"""A base image for builds where none can be pulled: this machine's own Python with pip, a shell, and the libraries that these need.

It stands in for `python:…-slim`: the same commands, another libc perhaps. How pip reaches its index here goes with it.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pip

from tests.deploy.engine import Engine

_PROGRAMS = ("sh", "install", "mkdir", "cat", "ls", "id", "ldconfig")
_LEFT_OUT = {"test", "tests", "idlelib", "tkinter", "turtledemo", "site-packages", "dist-packages", "__pycache__", "lib2to3"}

_EXPECTED = [
    f"lib{name}.so.[0-9]*" for name in ("m", "dl", "rt", "pthread", "util", "resolv", "nss_dns", "nss_files", "gcc_s", "stdc++", "z", "expat")
]
_PIP_KEYS = {"cert", "index-url", "extra-index-url", "proxy", "trusted-host", "default-timeout"}


def ensure(engine: Engine) -> str:
    """The name of the base image, made unless this engine has it."""
    settings = _pip_settings()
    name = f"gameday-test-base:{_digest(settings)}"
    if engine.attempt("image", "inspect", name).returncode != 0:
        changes = [f"--change=ENV {key}={value}" for key, value in settings.items()]
        path = f"--change=ENV PATH={Path(sys.executable).resolve().parent}:/usr/sbin:/usr/bin:/sbin:/bin"
        where = ["--host", engine.host] if engine.host else []
        process = subprocess.Popen(["docker", *where, "import", path, *changes, "-", name], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert process.stdin is not None
        with process.stdin, tarfile.open(fileobj=process.stdin, mode="w|", dereference=True) as archive:
            _fill(archive, settings)
        assert process.wait() == 0, "docker import failed"
    return name


def _pip_settings() -> dict[str, str]:
    """How pip reaches its index on this machine, as variables of the environment."""
    said = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^(?:global|install|:env:)\.(\S+)='(.*)'$", said, re.MULTILINE)
    settings = {f"PIP_{key.upper().replace('-', '_')}": value for key, value in found if key in _PIP_KEYS}
    return settings | {key: os.environ[key] for key in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY") if key in os.environ}


def _digest(settings: dict[str, str]) -> str:
    """Changes with whatever the image is made of, short of the files' content."""
    parts = [sys.version, str(Path(sys.executable).resolve()), version("pip"), repr(sorted(settings.items())), Path(__file__).read_text()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _fill(archive: tarfile.TarFile, settings: dict[str, str]) -> None:
    for folder in ("/tmp", "/root", "/etc"):
        entry = tarfile.TarInfo(folder)
        entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "/tmp" else 0o755
        archive.addfile(entry)
    standard = [Path(sysconfig.get_path(name, vars={"base": sys.base_prefix, "platbase": sys.base_prefix})) for name in ("stdlib", "platstdlib")]
    python = Path(sys.executable).resolve()
    programs = [Path(found).resolve() for found in map(shutil.which, _PROGRAMS) if found]
    trees = {path: path for folder in dict.fromkeys(standard) for path in _files(folder)}
    # pip beside the standard library: there every environment of this Python finds it, as in the real image.
    package = Path(pip.__file__).parent
    trees |= {standard[0] / "pip" / path.relative_to(package): path for path in _files(package)}
    binaries = [python, *programs, *(path for path in trees if path.suffix == ".so")]
    libraries = {path: path for path in _libraries(binaries)}
    names = {Path("/bin") / name: Path(found).resolve() for name in _PROGRAMS if (found := shutil.which(name))}
    certificates = {Path(path): Path(path) for path in [*settings.values(), "/etc/ssl/certs/ca-certificates.crt"] if Path(path).is_file()}
    for place, source in (trees | libraries | names | certificates | {python: python, python.with_name("python3"): python}).items():
        archive.add(source, arcname=str(place), recursive=False, filter=_for_all)
    loader = tarfile.TarInfo("/etc/ld.so.conf")
    content = "\n".join(sorted({str(path.parent) for path in libraries})).encode() + b"\n"
    loader.size = len(content)
    archive.addfile(loader, io.BytesIO(content))
    cache = Path("/etc/ld.so.cache")
    if cache.is_file():
        archive.add(cache, arcname=str(cache), filter=_for_all)


def _for_all(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """The image's user may read what only root may here."""
    entry.mode |= 0o444 | ((entry.mode & 0o100) // 0o100 * 0o111)
    entry.uid = entry.gid = 0
    return entry


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if each not in _LEFT_OUT and not each.startswith("config-")]
        yield from (Path(place) / each for each in files)


def _libraries(binaries: list[Path]) -> Iterator[Path]:
    """What the loader would load for these, and what manylinux wheels expect of any machine. Source: PEP 600."""
    said = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True).stdout
    found = {Path(path) for path in re.findall(r"(/\S+) \(0x", said)}
    (libc,) = {path for path in found if path.name == "libc.so.6"}
    yield from sorted(found | {path for pattern in _EXPECTED for path in libc.parent.glob(pattern)})
