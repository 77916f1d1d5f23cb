"""A query through prometheus-api-client that ends: in time, in size, and with the first answer.

The library (and requests below it) is imported here only, and this file only when a query is made.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from activities.probes.probe import Unknown
from activities.probes.reading.reach import Reach
from activities.probes.reading.web import no_answer, place

TIMEOUT_S = 10.0
"""How long a thread can be held by a server that hangs; a sample itself ends when its own time is over."""

_MOST_BYTES = 8 * 1024 * 1024


class _Bounded(requests.Session):
    """Reads a body up to a size and a moment (requests' own timeout begins anew with each byte), and goes nowhere else."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self._until = time.monotonic() + TIMEOUT_S

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        response = super().send(request, **{**kwargs, "stream": True})
        raw = response.raw
        try:
            response.raw = io.BytesIO(self._read(raw))
        finally:
            raw.close()
        return response

    def get_redirect_target(self, resp: requests.Response) -> None:
        """No redirect is followed; requests would also read its whole body first."""

    def _read(self, raw: Any) -> bytes:
        body = bytearray()
        while chunk := raw.read1(65536, decode_content=True):
            body += chunk
            if len(body) > _MOST_BYTES:
                raise Unknown(f"the answer is larger than {_MOST_BYTES // 1024 // 1024} MiB")
            if time.monotonic() > self._until:
                raise Unknown("the answer did not end in time")
        return bytes(body)


class _Adapter(HTTPAdapter):
    """Connects to addresses that have been judged, once: the library would ask three times more, with pauses, and so hide the first failure."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": _judged(HTTPConnection, self._reach)}),
            "https": type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": _judged(HTTPSConnection, self._reach)}),
        }


def _judged(connection: type[HTTPConnection], reach: Reach) -> type[HTTPConnection]:
    """A class of connections that look a name up once, judge what it leads to, and connect to that. TLS still sees the name."""

    class Judged(connection):  # type: ignore[misc,valid-type]  # one of two classes
        _dns_host: str

        def _new_conn(self) -> socket.socket:
            name = self._dns_host
            addresses = reach.checked(name, self.port)
            try:
                for last, address in enumerate(addresses, 1 - len(addresses)):
                    self._dns_host = address
                    try:
                        return super()._new_conn()  # type: ignore[no-any-return]  # as above
                    except HTTPError:
                        if last == 0:
                            raise
            finally:
                self._dns_host = name
            raise OSError("there is no address")

    return Judged


@dataclass(frozen=True)
class Server:
    """A Prometheus, and how it is asked. `hide` takes secrets out of what it says of a query that it refuses."""

    url: str
    headers: Mapping[str, str]
    reach: Reach
    hide: Callable[[str], str] = str

    def query(self, promql: str, options: Mapping[str, str]) -> Any:
        """The `result` of an instant query, unchecked.

        Raises:
            Unknown: no answer, a refusal (with Prometheus' own reason), or one that is not JSON.
        """
        return self._asked(lambda connect: connect.custom_query(promql, params=_params(options)))

    def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta, options: Mapping[str, str]) -> Any:
        """The `result` of a range query, both ends included, unchecked.

        Raises:
            Unknown: as `query`.
        """
        every = f"{step / timedelta(seconds=1):g}"
        return self._asked(lambda connect: connect.custom_query_range(promql, start, end, every, params=_params(options)))

    def _asked(self, ask: Callable[[PrometheusConnect], Any]) -> Any:
        with _Bounded() as session:
            headers = {"Accept-Encoding": "identity", **self.headers}
            connect = PrometheusConnect(self.url, headers=headers, session=session, timeout=TIMEOUT_S)
            session.mount(self.url, _Adapter(self.reach))
            try:
                return ask(connect)
            except PrometheusApiClientException as error:
                raise Unknown(f"{place(self.url)} refused the query: {_reason(str(error), self.hide)}") from None
            except requests.JSONDecodeError:
                raise Unknown(f"what {place(self.url)} answers is no JSON") from None
            except requests.exceptions.InvalidHeader:
                raise Unknown("the request cannot be sent: a header is malformed") from None
            except (requests.RequestException, OSError) as error:
                raise no_answer(error, place(self.url)) from None
            except (KeyError, TypeError, ValueError, RecursionError):
                raise Unknown(f"what {place(self.url)} answers is not Prometheus' API") from None


def _params(options: Mapping[str, str]) -> dict[str, str]:
    return {"timeout": f"{TIMEOUT_S:g}s", **options}


def _reason(text: str, hide: Callable[[str], str]) -> str:
    """Prometheus' own words out of the library's message, `HTTP Status Code 400 (b'…')`, whose body is a literal of Python's."""
    status, _, body = text.partition(" (")
    words = status.replace("HTTP Status Code", "status")
    with contextlib.suppress(ValueError, SyntaxError, RecursionError, KeyError, TypeError):
        words = str(json.loads(ast.literal_eval(body.removesuffix(")")))["error"])
    return "".join(sign for sign in hide(words) if sign.isprintable())[:150]
