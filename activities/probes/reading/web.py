"""One question over HTTP, as every probe asks it: on a connection of its own, to an end, and with a reason when there is no answer."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from activities.probes.probe import Unknown

if TYPE_CHECKING:
    import httpx  # imported where something is asked: it takes longer than all the rest of a `gameday validate`

# A kept connection would hide that new customers can no longer connect, and one that was given up in mid-answer must not be used again.
# An answer that was not packed cannot unpack into more than was asked for.
_ALWAYS = {"Connection": "close", "Accept-Encoding": "identity", "User-Agent": "gameday"}

_OUR_OWN = {
    errno.EMFILE: "open files",
    errno.ENFILE: "open files",
    errno.ENOMEM: "memory",
    errno.ENOBUFS: "memory",
    errno.EADDRNOTAVAIL: "free ports",
}


class NoAnswer(Unknown):
    """Nothing usable answers there. For `measure: ok` that is a measurement: no."""


@dataclass(frozen=True)
class Answer:
    """What was answered. `cut` says that the body went on after the bytes that are here; `retry_after` is that header as it came."""

    status: int
    content_type: str
    body: bytes
    cut: bool = False
    retry_after: str = ""


async def ask(
    http: httpx.AsyncClient, url: str, *, most_bytes: int, method: str = "GET", headers: Mapping[str, str] | None = None, content: str | None = None
) -> Answer:
    """Asks once and reads at most `most_bytes` of the body. There is no time limit but the caller's, whose cancel closes the connection.

    Raises:
        NoAnswer: it cannot be reached, breaks off, or does not speak HTTP.
        Unknown: the question could not be put.
    """
    import httpx

    try:
        async with http.stream(
            method, url, headers={**_ALWAYS, **(headers or {})}, content=content, timeout=None, follow_redirects=False
        ) as response:
            body, cut = await _read(response, most_bytes)
            headers = response.headers
            return Answer(response.status_code, headers.get("content-type", ""), body, cut, headers.get("retry-after", ""))
    except httpx.LocalProtocolError:
        # Its text would repeat the header, and with it the secret.
        raise Unknown("the request cannot be sent: a header is malformed") from None
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise no_answer(error, place(url)) from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise Unknown(f"the request cannot be sent: {type(error).__name__}") from None


async def whole(http: httpx.AsyncClient, url: str, *, most_bytes: int, headers: Mapping[str, str] | None = None) -> Answer:
    """The whole body of a good answer (status 200).

    Raises:
        Unknown: there is no answer, another status, or more than `most_bytes`.
    """
    answer = await ask(http, url, most_bytes=most_bytes, headers=headers)
    if answer.status != 200:
        raise Unknown(f"{place(url)} answered {answer.status}")
    if answer.cut:
        raise Unknown(f"{place(url)} answered more than {most_bytes // 1024} KiB")
    return answer


def place(url: str) -> str:
    """Host and port: enough for people, while path and query may hold what is not for all."""
    return urlsplit(url).netloc[:100]


def no_answer(error: BaseException, where: str) -> Unknown:
    """The reason for people why `where` did not answer; when it is this machine that failed, that is no answer about the other."""
    import httpx

    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in _OUR_OWN:
            return Unknown(f"this machine is out of {_OUR_OWN[cause.errno]}")
        if isinstance(cause, ConnectionRefusedError):
            return NoAnswer(f"{where} refused the connection")
        if isinstance(cause, socket.gaierror):
            return NoAnswer(f"the name of {where} does not resolve")
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NoAnswer(f"the certificate of {where} is not trusted")
        if isinstance(cause, ssl.SSLError):
            return NoAnswer(f"{where} does not speak TLS")
        if isinstance(cause, (TimeoutError, httpx.TimeoutException)):
            return NoAnswer(f"{where} did not answer in time")
        if isinstance(cause, (ConnectionError, httpx.NetworkError)) and not isinstance(cause, httpx.ConnectError):
            return NoAnswer(f"{where} broke the connection off")
    if isinstance(error, httpx.ProtocolError | httpx.DecodingError):
        return NoAnswer(f"{where} broke off, or does not speak HTTP")
    return NoAnswer(f"{where} cannot be reached")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The deepest causes first: they say most."""
    inner = error.__cause__ or error.__context__
    if inner is not None:
        yield from _causes(inner)
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _causes(member)
    yield error


async def _read(response: httpx.Response, most_bytes: int) -> tuple[bytes, bool]:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > most_bytes:
            return bytes(body[:most_bytes]), True
    return bytes(body), False
