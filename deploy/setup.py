"""Prepares the folder: virtual environment, locked packages, front end. Needs only the standard library.

`python deploy/setup.py [run|test|drills]`: what is there already is left alone, so a second call costs 0.1 s.
Any Python 3 may start it; it looks for one that the platform supports and says so when there is none.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
NAMES = ("python3.13", "python3.12", "python3.11", "python3", "python")
SUPPORTED = ((3, 11), (3, 12), (3, 13))
LOCKS = {"run": ("run",), "test": ("run", "test"), "drills": ("run", "test", "oracles")}
NODE_MISSING = 2  # the code by which assets/build.py says that it found no Node


class Stop(Exception):
    """The sentence says what is missing and what to do."""


_said: list[str] = []


def say(text: str) -> None:
    _said.append(text)
    print(f"▸ {text}", flush=True)


def version_of(python: str) -> tuple[int, int] | None:
    """(3, 12), or None when it does not run: a name on the PATH may be an empty shell."""
    code = "import sys; print(sys.version_info[0], sys.version_info[1])"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=20, check=True)
        major, minor = done.stdout.split()
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return int(major), int(minor)


def find_python() -> str:
    """A Python of a supported version: the one running, or the newest on the PATH."""
    candidates = [sys.executable] if sys.prefix == sys.base_prefix else []
    candidates += [found for name in NAMES if (found := shutil.which(name)) and not found.startswith(str(VENV))]
    seen = []
    for candidate in candidates:
        version = version_of(candidate)
        if version in SUPPORTED:
            return candidate
        if version:
            seen.append(".".join(map(str, version)))
    found = f"trouvé seulement : {', '.join(sorted(set(seen)))}" if seen else "aucun Python trouvé"
    raise Stop(
        f"Parvis demande Python 3.11, 3.12 ou 3.13 ({found}). Installez l'un d'eux "
        "(sous Debian 12 : apt install python3 python3-venv), puis relancez la commande."
    )


def python_of_venv() -> Path:
    return VENV / "bin" / "python"


def ensure_venv() -> None:
    """A virtual environment of a supported version; made again when its Python is gone or unsupported."""
    stamp = VENV / "pyvenv.cfg"
    if stamp.exists() and python_of_venv().exists():
        text = stamp.read_text()
        if any(f"version = {a}.{b}." in text or f"version_info = {a}.{b}." in text for a, b in SUPPORTED):
            return
    python = find_python()
    say(f"Environnement Python ({python})")
    shutil.rmtree(VENV, ignore_errors=True)
    if subprocess.run([python, "-m", "venv", str(VENV)], capture_output=True).returncode == 0:
        return
    # Some systems ship Python without ensurepip; a pip outside can still fill an environment that has none.
    shutil.rmtree(VENV, ignore_errors=True)
    bare = subprocess.run([python, "-m", "venv", "--without-pip", str(VENV)], capture_output=True, text=True)
    has_pip = subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0
    if bare.returncode or not has_pip:
        shutil.rmtree(VENV, ignore_errors=True)
        raise Stop(
            f"{python} ne sait pas créer d'environnement : il lui manque le module venv ou pip. "
            "Sous Debian ou Ubuntu : apt install python3-venv, puis relancez la commande."
        )
    (VENV / "pip-from").write_text(python)


def pip(*arguments: str) -> None:
    outside = VENV / "pip-from"
    command = [str(python_of_venv()), "-m", "pip"]
    if outside.exists():
        command = [outside.read_text(), "-m", "pip", "--python", str(python_of_venv())]
    done = subprocess.run([*command, "--disable-pip-version-check", "--no-input", *arguments], cwd=ROOT)
    if done.returncode:
        raise Stop(
            "L'installation des paquets a échoué (voir ci-dessus). Vérifiez l'accès au dépôt de paquets Python "
            "et la place sur le disque, puis relancez la commande : elle reprend où elle s'est arrêtée."
        )


def ensure_packages(lock: str) -> None:
    """Exactly the locked versions, hashes checked; skipped while the lock is the one installed."""
    source = ROOT / "requirements" / f"{lock}.txt"
    stamp = VENV / f"parvis-{lock}.stamp"
    wanted = hashlib.sha256(source.read_bytes() + (VENV / "pyvenv.cfg").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"Paquets Python ({source.name})")
    pip("install", "-q", "--no-deps", "--require-hashes", "-r", str(source))
    stamp.write_text(wanted)


def ensure_front_end(with_tests: bool) -> None:
    """The pages' styles and scripts. Its own script knows what is built already; here it is only given a Node."""
    script = ROOT / "services" / "gateway" / "assets" / "build.py"
    command = [str(python_of_venv()), "-I", str(script), *(["--with-tests"] if with_tests else [])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode == NODE_MISSING:
        ensure_packages("node")
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise Stop(
            f"{done.stdout}{done.stderr}\nLa construction des pages a échoué (voir ci-dessus). "
            "Vérifiez l'accès au dépôt de paquets npm, puis relancez la commande."
        )


def main() -> int:
    began = time.monotonic()
    kind = next(iter(sys.argv[1:]), "run")
    with_tests = kind != "run"
    try:
        ensure_venv()
        for lock in LOCKS[kind]:
            ensure_packages(lock)
        ensure_front_end(with_tests)
    except Stop as stop:
        print(f"\n{stop}", file=sys.stderr)
        return 1
    except OSError as e:
        print(f"\nImpossible de préparer le dossier : {e.strerror or e} ({e.filename}).", file=sys.stderr)
        return 1
    if _said:  # something was done
        say(f"Prêt en {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
