"""The one error of this project."""


class ReproError(Exception):
    """Something that the user can mend.

    Its message is all that the user sees: it names the file, the key or the row, what was found
    there and what was expected.
    """
