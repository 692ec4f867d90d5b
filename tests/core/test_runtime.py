"""How a command ends."""

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from conftest import ROOT, called

from keras_repro.core import runtime
from keras_repro.core.errors import ReproError


@pytest.mark.parametrize(
    ("fault", "status", "told"),
    [(ReproError("a fault"), 1, "error: a fault"), (KeyboardInterrupt(), 130, "")],
)
class TestExperiment:
    @staticmethod
    def stopped(fault: BaseException) -> None:
        raise fault

    def test_one_that_stops_says_what_it_leaves(
        self, fault: BaseException, status: int, told: str, tmp_path: Path
    ) -> None:
        main = partial(runtime.command, partial(self.stopped, fault))
        result = called(main, tmp_path, **{runtime.EXPERIMENT: "5a1e"})
        assert result.returncode == status
        assert result.stderr.startswith(f"{told}\nparams.yaml keeps what the experiment has set.")
        assert "git restore --staged --worktree params.yaml" in result.stderr

    def test_neither_a_queued_one_nor_a_run_leaves_anything(
        self, fault: BaseException, status: int, told: str, tmp_path: Path
    ) -> None:
        queued = tmp_path / ".dvc/tmp/exps/tmp1"
        queued.mkdir(parents=True)
        main = partial(runtime.command, partial(self.stopped, fault))
        for root, environment in ((queued, {runtime.EXPERIMENT: "5a1e"}), (tmp_path, {})):
            result = called(main, root, **environment)
            assert result.stderr.strip() == told


@pytest.fixture
def _interrupts() -> Iterator[None]:
    """Ctrl-C counts, which a shell has its background processes ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interrupts")
def test_an_interrupt_that_c_code_makes_another_error_of() -> None:
    def training() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise SystemError("bad argument to internal function") from None

    result = called(partial(runtime.run, training), ROOT)
    assert (result.returncode, result.stderr) == (130, "")


@pytest.mark.usefixtures("_interrupts")
def test_another_error_of_c_code_is_shown() -> None:
    def training() -> None:
        raise SystemError("bad argument to internal function")

    with pytest.raises(SystemError):
        called(partial(runtime.run, training), ROOT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
