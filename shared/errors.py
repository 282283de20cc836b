"""Every refusal, one class each: the status, the stable code and the title it is answered with (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class ConfigurationError(Exception):
    """Raised at the start when a setting is missing or unusable; its text is one line that names it."""


class ChoresFailed(Exception):
    """Raised when the janitor has been through all of its chores and some failed; its text names them."""


class Problem(Exception):
    """A refusal that the caller is told about in full.

    `limit` and `actual` say what was exceeded and by what; `errors` locates each fault of a request.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        detail: str,
        *,
        limit: int | None = None,
        actual: int | str | None = None,
        retry_after: int | None = None,
        errors: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.limit = limit
        self.actual = actual
        self.retry_after = retry_after
        self.errors = errors

    def as_json(self) -> dict[str, Any]:
        """Return what a job has of it: the members of RFC 9457 that need no request."""
        fields = {"code": self.code, "title": self.title, "status": self.status, "detail": self.detail}
        bounds = {"limit": self.limit, "actual": self.actual}
        return fields | {name: value for name, value in bounds.items() if value is not None}


class NotFound(Problem):
    status, code, title = 404, "not_found", "There is nothing at this address"


class MethodNotAllowed(Problem):
    status, code, title = 405, "method_not_allowed", "This address does not take this method"


class BodyInvalid(Problem):
    status, code, title = 422, "body_invalid", "The request body is not what this route takes"


class BodyTimeout(Problem):
    status, code, title = 408, "body_timeout", "The request body did not arrive in time"


class BodyTooLarge(Problem):
    status, code, title = 413, "body_too_large", "The request body is too large"


class MediaTypeUnsupported(Problem):
    status, code, title = 415, "media_type_unsupported", "The content type is not taken here"


class ParametersInvalid(Problem):
    status, code, title = 422, "parameters_invalid", "A parameter is not valid"


class RequestInvalid(Problem):
    status, code, title = 400, "request_invalid", "The request could not be understood"


class InternalError(Problem):
    status, code, title = 500, "internal_error", "Something failed on our side"


class DatabaseUnavailable(Problem):
    status, code, title = 503, "database_unavailable", "The database cannot be reached, or is too busy"


class StorageUnavailable(Problem):
    """Raised with `retry_after` but where there is no storage at all."""

    status, code, title = 503, "storage_unavailable", "The object storage cannot be reached"


class TooBusy(Problem):
    """Raised when the queue before a resource is full; `retry_after` is in seconds, as measured."""

    status, code, title = 429, "too_busy", "Too many requests are waiting"


class TooSlow(Problem):
    """Raised when no one waits longer; `retry_after` only where another time might take less."""

    status, code, title = 503, "too_slow", "It takes too long"


class TooManyAttempts(Problem):
    """Raised while an account is blocked after wrong passwords; `retry_after` is until it is free again."""

    status, code, title = 429, "too_many_attempts", "Too many wrong passwords"


class Unauthorized(Problem):
    """A 401 names the scheme that would be accepted (RFC 9110, 15.5.2)."""

    status = 401
    headers = {"WWW-Authenticate": "Bearer"}


class InvalidToken(Unauthorized):
    code, title = "invalid_token", "The access token is missing, expired or not valid"
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class InvalidCredentials(Unauthorized):
    code, title = "invalid_credentials", "The username or the password is wrong"


class RefreshTokenInvalid(Unauthorized):
    code, title = "refresh_token_invalid", "The refresh token is not valid"


class RefreshTokenExpired(Unauthorized):
    code, title = "refresh_token_expired", "The refresh token has expired"


class RefreshTokenReused(Unauthorized):
    """Raised when a token was shown after its successor: one of two holders is a thief (RFC 9700, 4.14)."""

    code, title = "refresh_token_reused", "The refresh token was used before; its session is ended"


class UsernameTaken(Problem):
    status, code, title = 409, "username_taken", "The username is taken"


class RegistrationClosed(Problem):
    status, code, title = 403, "registration_closed", "Registration is closed"


class SourceNotFound(Problem):
    """Raised for another user's upload as for one that never was."""

    status, code, title = 404, "source_not_found", "There is no such source"


class SourceTooLarge(Problem):
    status, code, title = 413, "source_too_large", "The picture has too many bytes"


class ResultTooLarge(Problem):
    status, code, title = 413, "result_too_large", "The picture would be too large to be answered"


class SourceUnsupported(Problem):
    status, code, title = 415, "source_unsupported", "The picture's format is not supported"


class SourceUnreadable(Problem):
    status, code, title = 422, "source_unreadable", "The picture cannot be read"


class SourceTooManyPixels(Problem):
    status, code, title = 422, "source_too_many_pixels", "The picture has too many pixels"


class MessageInvalid(Problem):
    """Raised for a record that will never be a message: poison. It is told in the dead topic, not by HTTP."""

    status, code, title = 422, "message_invalid", "The record cannot be read"


class QueueUnavailable(Problem):
    status, code, title = 503, "queue_unavailable", "The queue cannot be reached"


class IdempotencyKeyReused(Problem):
    status, code, title = 422, "idempotency_key_reused", "The Idempotency-Key belongs to another request"


class JobStalled(Problem):
    status, code, title = 503, "job_stalled", "The job got lost"


class JobUnknown(Problem):
    """Raised for a record whose job is not there: whoever sent it was told that it was not taken."""

    status, code, title = 404, "job_unknown", "There is no such job"
