"""The exceptions that carry a sentence for the person at the terminal."""


class InputError(Exception):
    """What was given is wrong. `str()` is one clear sentence on one line; `status` is the exit status."""

    status = 2

    def __init__(self, sentence: str) -> None:
        super().__init__(" ".join(sentence.split()))


class OperationError(InputError):
    """What was given may be right, but it can't be done now: the store does not answer, say."""

    status = 1
