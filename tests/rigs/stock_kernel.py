"""Debian's own kernel, to boot in an emulator: fetched once into the user's cache, with an initial file system made for each boot.

Debian: apt-get install --no-install-recommends qemu-system-x86 busybox-static cpio kmod e2fsprogs. The kernel itself is not installed here.
"""

from __future__ import annotations

import fcntl
import lzma
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rigs import first_process

PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "modprobe": "kmod",
    "depmod": "kmod",
    "mkfs.ext4": "e2fsprogs",
}
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
"""Where programs are looked for: those of the system too, whoever runs the tests."""
MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_console", "virtio_blk", "virtio_net")
"""What it boots with; everything else it finds for itself when it is needed."""
XZ = b"\xfd7zXZ\x00"
"""How what is packed in the image begins. Source: the .xz file format."""
LATE = 600_000
"""Hundredths of a second before the guest's kernel writes back what nobody synced: by then every test is over."""
INIT = f"""#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done </modules/order
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=500000,cache=loose host /lower
mount -t tmpfs upper /upper; mkdir /upper/changed /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/changed,workdir=/upper/work overlay /new
mount -t tmpfs run /new/run; mkdir -p /new/run/lock /new/run/tmp
mkdir -p /dev/pts /dev/shm /new/lib/modules
mount -t devpts pts /dev/pts; mount -t tmpfs shm /dev/shm; mount -t cgroup2 cgroup /sys/fs/cgroup
[ -e "/new/lib/modules/$(uname -r)" ] || ln -s "$gd_modules" "/new/lib/modules/$(uname -r)"
echo {LATE} >/proc/sys/vm/dirty_expire_centisecs; echo {LATE} >/proc/sys/vm/dirty_writeback_centisecs
hostname guest; ip link set lo up
for each in dev proc sys; do mount --move /$each /new/$each; done
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root USER=root LOGNAME=root LANG=C.UTF-8 TMPDIR=/run/tmp
exec switch_root /new "$gd_python" -s -S -P {Path(first_process.__file__).resolve()}
"""


@dataclass(frozen=True)
class StockKernel:
    """A kernel and its modules in the cache."""

    folder: Path

    @property
    def image(self) -> Path:
        """Unpacked, where it can be: an emulated machine would take seconds to do it at each boot."""
        return next(self.folder.glob("boot/vmlinux"), None) or next(self.folder.glob("boot/vmlinuz-*"))

    @property
    def modules(self) -> Path:
        return next(self.folder.glob("lib/modules/*"))

    def initrd(self, path: Path) -> None:
        """Writes the initial file system: it shows the host's own root, read only, under a layer in memory that takes the changes."""
        with tempfile.TemporaryDirectory(dir=path.parent) as made:
            root = Path(made)
            for name in ("bin", "modules", "proc", "sys", "dev", "lower", "upper", "new"):
                (root / name).mkdir()
            shutil.copy(_found("busybox"), root / "bin/busybox")
            order = self._needed()
            for module in order:
                shutil.copy(module, root / "modules")
            (root / "modules/order").write_text("".join(f"{module.name}\n" for module in order))
            (root / "init").write_text(INIT)
            (root / "init").chmod(0o755)
            names = "\n".join(str(each.relative_to(root)) for each in sorted(root.rglob("*")))
            with path.open("wb") as file:
                subprocess.run([_found("cpio"), "-o", "-H", "newc", "--quiet"], cwd=root, input=names.encode(), stdout=file, check=True)

    def _needed(self) -> list[Path]:
        """The modules to boot with, each after those that it needs."""
        found: dict[Path, None] = {}
        for name in MODULES:
            argv = [_found("modprobe"), "--show-depends", "--dirname", str(self.folder), "--set-version", self.modules.name, name]
            said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
            found |= dict.fromkeys(Path(line.split()[1]) for line in said.splitlines() if line.startswith("insmod "))
        return list(found)


def stock_kernel() -> StockKernel:
    """The kernel, out of the cache or fetched into it. Skips, with the reason, where it or an emulator for it cannot be had."""
    for program, package in PROGRAMS.items():
        if shutil.which(program, path=PATH) is None:
            pytest.skip(f"{program} is not installed (Debian: apt-get install --no-install-recommends {package})")
    if b"/ld-linux" in Path(_found("busybox")).read_bytes()[:4096]:  # the head names the loader that it wants
        pytest.skip("busybox needs libraries, which the initial file system has not (Debian: apt-get install busybox-static)")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "gameday-tests" / "stock-kernel"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (cache / "kernel").is_dir():
            _fetch(cache)
    return StockKernel(cache / "kernel")


def _fetch(cache: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache, ignore_cleanup_errors=True) as made:
        folder = Path(made)
        try:
            _download(folder)
        except (OSError, subprocess.CalledProcessError, StopIteration) as error:
            said = getattr(error, "stderr", "") or str(error)
            pytest.skip(f"Debian's package linux-image-amd64 cannot be downloaded (apt-get update, apt-get download): {said.strip()[-300:]}")
        package = next(folder.glob("*.deb"))
        subprocess.run(["dpkg-deb", "--extract", package, folder / "kernel"], check=True)
        release = next((folder / "kernel/lib/modules").iterdir()).name
        subprocess.run([_found("depmod"), "--basedir", folder / "kernel", release], check=True)
        packed = next((folder / "kernel/boot").glob("vmlinuz-*")).read_bytes()
        if XZ in packed:
            kernel = lzma.LZMADecompressor().decompress(packed[packed.index(XZ) :])
            (folder / "kernel/boot/vmlinux").write_bytes(kernel)
        (folder / "kernel").rename(cache / "kernel")


def _download(folder: Path) -> None:
    """The package that Debian's `linux-image-amd64` stands for. Its name is asked first: the lists of a fresh machine are fetched for that."""
    for last in (False, True):
        said = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], check=False, capture_output=True, text=True).stdout
        named = [line.split()[-1] for line in said.splitlines() if "Depends: linux-image-" in line]
        try:
            subprocess.run(["apt-get", "download", "-q", next(iter(named))], cwd=folder, check=True, capture_output=True, text=True)
        except (subprocess.CalledProcessError, StopIteration):
            if last or os.geteuid() != 0:
                raise
            subprocess.run(["apt-get", "update", "-qq"], check=True, capture_output=True, text=True)
        else:
            return


def _found(program: str) -> str:
    found = shutil.which(program, path=PATH)
    assert found is not None, f"{program} has gone since it was looked for"
    return found
