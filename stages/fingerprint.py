"""Print what this machine computes and with what: `python -m stages.fingerprint`."""

import json

from stages import params, runtime


def main() -> None:
    """Print the fingerprint as JSON."""
    settings = params.load().runtime
    runtime.configure(settings)

    # It imports TensorFlow, which must not happen before it is configured.
    from stages.reproducibility import fingerprint

    print(json.dumps(fingerprint.measure(settings), indent=2))  # noqa: T201 - what it is for


if __name__ == "__main__":
    runtime.run(main)
