"""Stages as forks of one Python that has imported what they need: TensorFlow alone takes 3 s.

A fork reads its own arguments and environment, imports the modules of its project, and is a process
like any other. Only what TensorFlow reads when it is imported and the seed of Python's hashes are
those of the first process. `serve` runs in that one; the program `python` in the directory of
`programs` asks it for a fork wherever DVC would start `python -m stages.NAME`. A fork ends as a
process does up to where Python would take its modules apart: that of TensorFlow alone takes 2 s.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import selectors
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[1]
IMPORTED = ("keras", "tensorflow", "sklearn.metrics", "pandas", "pyarrow.parquet", "onnx", "tqdm")
IMPORTED += ("jieba", "openpyxl", "pathspec", "pooch", "pydantic.main", "ruamel.yaml")
STATUS = struct.Struct("i")
# Without site-packages it starts in 20 ms.
PYTHON = """#!{python} -IS
import os, sys
if sys.argv[1:2] != ["-m"] or sys.argv[2].partition(".")[0] not in ("keras_repro", "stages"):
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
sys.path.insert(0, {here!r})
import forks
sys.exit(forks.ask({address!r}, os.getcwd(), sys.argv[2:], dict(os.environ), (0, 1, 2)))
"""


@functools.cache
def programs() -> Path:
    """Return a directory with `python`, whose process serves until this one ends."""
    from keras_repro.core import kernels  # which the stub does without

    directory = Path(tempfile.mkdtemp(prefix="forks-"))
    address = str(directory / "socket")
    serving = subprocess.Popen(
        [sys.executable, __file__, address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # As a stage has them before it imports NumPy.
        env=os.environ | kernels.NUMPY | kernels.ONEDNN,
    )
    atexit.register(serving.stdin.close)  # which ends it
    serving.stdout.readline()  # it has imported all
    program = directory / "python"
    here = str(Path(__file__).parent)
    program.write_text(PYTHON.format(python=sys.executable, here=here, address=address))
    program.chmod(0o755)
    return directory


def ask(
    address: str,
    directory: str,
    command: list[str],
    environment: dict[str, str],
    streams: tuple[int, int, int],
) -> int:
    """Return the exit status of `python -m COMMAND`, run in a fork."""
    request = json.dumps([directory, command, environment]).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, [struct.pack("Q", len(request))], streams)
        connection.sendall(request)
        status: int = STATUS.unpack(connection.recv(STATUS.size, socket.MSG_WAITALL))[0]
    return status


class Ending:
    """What a process does last; made before all imports, whose own endings so come first."""

    def __init__(self) -> None:
        self.status: str | int | None = 0
        atexit.register(self._leave)

    def _leave(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        if isinstance(self.status, str):  # a message, which Python has shown by now
            self.status = 1
        os._exit(self.status or 0)


def serve(address: str) -> NoReturn:
    """Answer each request with a fork, until standard input ends."""
    ending = Ending()
    for name in IMPORTED:
        importlib.import_module(name)
    # What is imported later may lie in a test's project; of the packages there is bytecode already.
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(Path(address).parent)
    # Or each fork would look at all of TensorFlow for garbage, and copy the memory it looks at.
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as server, selectors.DefaultSelector() as waiting:
        server.bind(address)
        server.listen()
        waiting.register(server, selectors.EVENT_READ)
        waiting.register(sys.stdin, selectors.EVENT_READ)
        sys.stdout.write("\n")
        sys.stdout.flush()
        children = set()
        while not any(key.fileobj is sys.stdin for key, _ in waiting.select()):
            connection, _ = server.accept()
            if not (child := os.fork()):
                _answer(connection, ending)
            connection.close()
            children = {each for each in children | {child} if not os.waitpid(each, os.WNOHANG)[0]}
    sys.exit()


def _answer(connection: socket.socket, ending: Ending) -> NoReturn:
    """Start a stage, wait for it and tell its exit status."""
    length, streams, _, _ = socket.recv_fds(connection, 8, 3)
    size = struct.unpack("Q", length)[0]
    request = connection.makefile("rb").read(size)
    if not (child := os.fork()):
        connection.close()
        _run(*json.loads(request), streams, ending)
    _, status = os.waitpid(child, 0)
    connection.sendall(STATUS.pack(os.waitstatus_to_exitcode(status)))
    os._exit(0)


def _run(
    directory: str,
    command: list[str],
    environment: dict[str, str],
    streams: list[int],
    ending: Ending,
) -> NoReturn:
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
    module, *arguments = command
    sys.argv = [module, *arguments]
    sys.path[0] = directory  # as `python -m` has it, where the tests' own stood
    if _code(Path(directory)) == _code(ROOT):
        sys.path.insert(0, str(ROOT))  # of which there is bytecode by now
    ending.status = 1  # of an exception that nobody catches
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        sys.exit()
    except SystemExit as end:
        ending.status = end.code
        raise


def _code(root: Path) -> dict[Path, bytes]:
    found = [*root.glob("keras_repro/**/*.py"), *root.glob("stages/**/*.py")]
    return {path.relative_to(root): path.read_bytes() for path in found}


if __name__ == "__main__":
    serve(sys.argv[1])
