"""What the check stands on: its tools, processes that end with it, HTTP.

Invariant: what is started listens on 127.0.0.1 and is gone when the check is, however that ends.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "target/check"
# From PyPI, one virtual environment each: they share nothing, and a tool's dependencies are no business of the other's.
TOOLS = {
    "cargo-lambda": ["cargo-lambda==1.9.2", "ziglang==0.17.1"],
    "openapi-python-client": ["openapi-python-client==0.29.0", "ruff==0.17.6"],
    "openapi-spec-validator": ["openapi-spec-validator==0.9.0"],
    "sam": ["aws-sam-cli==1.170.0"],
    "schemathesis": ["schemathesis==4.32.5"],
}
# A cold start may have to compile.
START_LIMIT_S = 1200


class Failed(Exception):
    """The check found something; the message says what."""


def say(text):
    print(f"check: {text}", flush=True)


def run(command, timeout=None, **options):
    """Runs a command from the root; its output, both streams. Fails with the output if the command does."""
    options = {"cwd": ROOT, "text": True, "stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT, **options}
    words = [str(part) for part in command]
    with subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True, **options) as process:
        try:
            output, _ = process.communicate(timeout=timeout)
        except BaseException as ending:
            # With what it started itself: a build is many processes.
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(ending, subprocess.TimeoutExpired):
                raise Failed(f"{' '.join(words)} took more than {timeout} s") from ending
            raise
    if process.returncode != 0:
        raise Failed(f"{' '.join(words)} ended with {process.returncode}:\n{output}")
    return output


def tool(name):
    """A tool's folder, installed anew unless exactly these versions are there."""
    packages, folder = TOOLS[name], WORK / "tools" / name
    mark = folder / "installed"
    if not mark.is_file() or mark.read_text().split() != packages:
        say(f"installing {', '.join(packages)}")
        shutil.rmtree(folder, ignore_errors=True)
        run([sys.executable, "-m", "venv", folder])
        run([folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check", *packages])
        mark.write_text("\n".join(packages))
    return folder


def environment(tools, **more):
    """This process's environment, with the tools in front and nothing sent home."""
    # SAM's folder stays off the path: its Python has no zig.
    path = f"{tools['cargo-lambda'] / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "SAM_CLI_TELEMETRY": "0", **more}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def started(command, log, **options):
    """A process with a log of its own; it and what it started are gone when the block ends."""
    with open(log, "wb") as file:
        options = {"cwd": ROOT, "stdin": subprocess.DEVNULL, "stdout": file, "stderr": file, **options}
        process = subprocess.Popen([str(part) for part in command], start_new_session=True, **options)
        try:
            yield process
        finally:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)


def wait_until_it_listens(port, process, log):
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise Failed(f"nothing listens on port {port}:\n{Path(log).read_text(errors='replace')}")


def http(method, url, body=None, **headers):
    """Status and text of an answer, whatever the status."""
    data = body.encode() if body is not None else None
    headers = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = urllib.request.Request(url, data, headers, method=method)
    # No proxy: everything is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=START_LIMIT_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()
