"""T: requests that are odd HTTP, and bodies that are too much. What is no HTTP at all is answered in plain text."""

import gzip
import json
from collections.abc import Mapping
from typing import NamedTuple

from tests.model_api.corpus.case import ROWS, Case, Cases, accepted, asked, refused, request

GOOD = json.dumps({"data": ROWS["diabetes"]}).encode()
HOST, LENGTH = "Host: 127.0.0.1", f"Content-Length: {len(GOOD)}"
CHUNKED = "Transfer-Encoding: chunked"
LINE = "POST /predict HTTP/1.1"
BOMB = gzip.compress(bytes(2**20)) * 1024
"""A gigabyte of zeros in a megabyte."""


def raw(*headers: str, body: bytes = GOOD, line: str = LINE) -> bytes:
    """Write a request with no more headers than these."""
    return "\r\n".join([line, *headers]).encode("latin-1") + b"\r\n\r\n" + body


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def no_http(sent: bytes, before: tuple[int, ...] = ()) -> Case:
    """Expect the connection to be closed after a word about it."""
    return Case(sent, 400, ("Invalid HTTP request",), before=before, closes=True)


def too_much(sent: bytes, status: int, *words: str) -> Case:
    return Case(sent, status, words, closes=True)


def of_type(content_type: str, *words: str) -> Case:
    return refused(asked("diabetes", None, f"Content-Type: {content_type}"), 415, *words, "send application/json")


def with_method(method: str, path: str = "/predict") -> Case:
    return refused(raw(HOST, body=b"", line=f"{method} {path} HTTP/1.1"), 405, f"{method} is not taken here")


CASES: Cases = {
    "T1 no host": refused(raw(LENGTH), 400, "host name"),
    "T1 an empty host": refused(raw("Host:", LENGTH), 400, "host name"),
    "T1 another host": refused(raw("Host: evil.example", LENGTH), 400, "host name"),
    "T2 two hosts": refused(raw(HOST, "Host: evil.example", LENGTH), 400, "host name"),
    "T2 two hosts, the other way round": refused(raw("Host: evil.example", HOST, LENGTH), 400, "host name"),
    "T2 the same host twice": refused(raw(HOST, HOST, LENGTH), 400, "host name"),
    "T3 length and chunks": no_http(raw(HOST, LENGTH, CHUNKED, body=chunks(GOOD))),
    "T3 chunks and length": no_http(raw(HOST, CHUNKED, LENGTH, body=chunks(GOOD))),
    "T4 two lengths": no_http(raw(HOST, LENGTH, "Content-Length: 3")),
    "T4 the same length twice": no_http(raw(HOST, LENGTH, LENGTH)),
    "T5 a list of lengths": no_http(raw(HOST, "Content-Length: 5,5")),
    "T6 a negative length": no_http(raw(HOST, "Content-Length: -1")),
    "T6 a signed length": no_http(raw(HOST, "Content-Length: +5")),
    "T6 a length that is no number": no_http(raw(HOST, "Content-Length: x")),
    "T6 a length without end": no_http(raw(HOST, "Content-Length: " + "9" * 30)),
    "T7 a signed chunk": no_http(raw(HOST, CHUNKED, body=b"+5\r\nhello\r\n0\r\n\r\n")),
    "T7 a negative chunk": no_http(raw(HOST, CHUNKED, body=b"-5\r\nhello\r\n0\r\n\r\n")),
    "T7 a chunk size of 17 digits": no_http(raw(HOST, CHUNKED, body=b"10000000000000005\r\nhello\r\n0\r\n\r\n")),
    "T7 a transfer coding that nobody knows": too_much(
        raw(HOST, "Transfer-Encoding: x, chunked", body=b"0\r\n\r\n"), 501, "transfer coding"
    ),
    "T9 a header of 70 KB": too_much(raw(HOST, LENGTH, "X-Long: " + "x" * 70_000), 431, "headers"),
    "T10 two hundred headers": too_much(raw(HOST, LENGTH, *[f"X-{n}: 1" for n in range(200)]), 431, "headers"),
    "T11 a query of 20 KB": too_much(
        raw(HOST, LENGTH, line=f"POST /predict?x={'x' * 20_000} HTTP/1.1"), 414, "address"
    ),
    "T11 a path of 20 KB": too_much(raw(HOST, LENGTH, line=f"POST /{'x' * 20_000} HTTP/1.1"), 414, "address"),
    "T12 bare line feeds": no_http(raw(HOST, LENGTH).replace(b"\r\n", b"\n")),
    "T12 one bare line feed": no_http(raw(HOST, LENGTH, "X-A: 1\nX-B: 2")),
    "T12 a bare carriage return": no_http(raw(HOST, LENGTH, "X-A: 1\rX-B: 2")),
    "T12 a folded header": no_http(raw(HOST, LENGTH, "X-A: 1\r\n 2")),
    "T12 a space before a colon": no_http(raw(HOST, LENGTH.replace(":", " :"))),
    "T12 a NUL in a header": no_http(raw(HOST, LENGTH, "X-A: \0")),
    "T13 another HTTP": too_much(raw(HOST, LENGTH, line="POST /predict HTTP/2.0"), 505, "HTTP/1.1"),
    "T13 TRACE": with_method("TRACE"),
    "T13 CONNECT": with_method("CONNECT"),
    "T13 BREW": no_http(raw(HOST, body=b"", line="BREW /predict HTTP/1.1")),
    "T14 PUT": with_method("PUT"),  # GET is answered: with the data that came with the model
    "T14 GET where only POST is": with_method("GET", "/v2/models/line/infer"),
    "T15 no length": refused(raw(HOST, body=b""), 400, "the body is empty"),
    "T16 a body that is shorter than its length": Case(
        raw(HOST, f"Content-Length: {len(GOOD) + 1}"), 0, closes=True, leaves=True
    ),
    "T16 a body of chunks that ends early": Case(
        raw(HOST, CHUNKED, body=chunks(GOOD).removesuffix(b"0\r\n\r\n")), 0, closes=True, leaves=True
    ),
    "T17 a gigabyte in gzip": refused(  # never unpacked, and so 415 rather than 413
        request(BOMB, "/predict", "Content-Encoding: gzip"), 415, "encoding 'gzip'"
    ),
    "T18 an unknown encoding": refused(asked("diabetes", None, "Content-Encoding: x"), 415, "encoding 'x'"),
    "T19 no content type": accepted(raw(HOST, LENGTH), like=asked("diabetes", None, "Content-Type: application/json")),
    "T19 text": of_type("text/plain", "'text/plain' is not taken"),
    "T19 text in UTF-8": of_type("text/plain; charset=utf-8", "'text/plain' is not taken"),
    "T19 a form": of_type("application/x-www-form-urlencoded"),
    "T19 a form of parts": of_type("multipart/form-data; boundary=x"),
    "T19 bytes": of_type("application/octet-stream"),
    "T19 two types": of_type("application/json, text/plain"),
    "T19 a type of 5 KB": of_type("x" * 5000),
    "T20 XML is wanted": accepted(asked("diabetes", None, "Accept: application/xml"), like=asked("diabetes")),
    "T21 leave to send too much": refused(
        raw(HOST, "Content-Length: 5000000000", "Expect: 100-continue", body=b""), 413, "4194304 bytes"
    ),
    "T22 65,537 chunks of a byte": too_much(
        raw(HOST, CHUNKED, body=chunks(*(b"%c" % byte for byte in GOOD.ljust(65_537)))), 413, "chunks"
    ),
    "T23 the second of three requests is bad": no_http(
        raw(HOST, LENGTH) + raw(HOST, "Content-Length: x") + raw(HOST, LENGTH), before=(200,)
    ),
    "T24 xchunked": too_much(
        raw(HOST, "Transfer-Encoding: xchunked", body=chunks(GOOD)), 501, "transfer coding"
    ),
    "T24 chunked, x": no_http(raw(HOST, "Transfer-Encoding: chunked, x", body=chunks(GOOD))),
}  # fmt: skip


class Slow(NamedTuple):
    """A request that does not come to its end."""

    pieces: tuple[bytes, ...]
    pause: float
    """Seconds before each of them."""


SLOW: Mapping[str, Slow] = {
    "T8 chunks without end": Slow((raw(HOST, CHUNKED, body=b"5\r\nhello\r\n"),), 0),
    "T8 chunks that trickle": Slow((raw(HOST, CHUNKED, body=b""), *[b"1\r\n \r\n"] * 20), 1),
    "T8 a body that does not come": Slow((raw(HOST, LENGTH, body=b""),), 0),
    "T8 a body that trickles": Slow((raw(HOST, LENGTH, body=b""), *[b" "] * 20), 1),
    "T8 headers without end": Slow((raw(HOST)[:40],), 0),
    "T8 headers that trickle": Slow(tuple(b"%c" % byte for byte in raw(HOST, LENGTH)[:20]), 1),
    "T8 a second request that trickles": Slow((raw(HOST, LENGTH) + f"{LINE}\r\nX-A: ".encode(), *[b"x"] * 20), 1),
    "T8 silence": Slow((), 0),
}
