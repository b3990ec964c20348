"""The exceptions that end a command with one sentence for the person at the terminal."""


class CommandError(Exception):
    """`str()` is one clear sentence on one line; `status` is the exit status of the command."""

    status: int

    def __init__(self, sentence: str) -> None:
        super().__init__(" ".join(sentence.split()))


class InputError(CommandError):
    """What was given can't be used: an argument, a setting, a file."""

    status = 2


class OperationError(CommandError):
    """What was given may be right, but it can't be done now: the store does not answer, say."""

    status = 1
