"""What the front door itself refuses, or reports of a function."""

from shared.errors import Problem


class PayloadTooLarge(Problem):
    status, code, title = 413, "payload_too_large", "The request is too large for a function's payload"


class HeadersTooLarge(Problem):
    status, code, title = 431, "headers_too_large", "The request's headers are too large"


class FunctionFailed(Problem):
    status, code, title = 502, "function_failed", "The function failed"


class EnvironmentLost(Problem):
    status, code, title = 502, "environment_lost", "The function's environment ended before it answered"


class AnswerTooLarge(Problem):
    status, code, title = 502, "answer_too_large", "The function's answer is too large for its payload"


class FunctionTimedOut(Problem):
    status, code, title = 504, "function_timed_out", "The function took longer than it may"
