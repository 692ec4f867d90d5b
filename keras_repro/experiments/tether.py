"""`python -m keras_repro.experiments.tether COMMAND` runs a command as long as its input is open.

The system closes it when who started this is killed, as a worker can be; what the command has
started then ends with it.
"""

import os
import signal
import subprocess
import sys
import threading


def main() -> None:
    """Run the command; exit as it does."""
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    status = process.wait()
    os._exit(status if status >= 0 else 128 - status)  # without the thread, which still reads


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
