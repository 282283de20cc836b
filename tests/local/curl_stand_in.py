"""Does what the README asks of curl, on a machine that has none: `python3` and `make` are all it needs."""

import argparse
import sys
from urllib.parse import quote_plus

import httpx

FORM = "application/x-www-form-urlencoded"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-S", action="store_true")
    parser.add_argument("-f", dest="fail", action="store_true")
    parser.add_argument("-L", dest="follow", action="store_true")
    parser.add_argument("-i", action="store_true")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-w", dest="write_out", default="")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-F", dest="form", action="append", default=[])
    parser.add_argument("-d", dest="data", action="append", default=[])
    parser.add_argument("--data-urlencode", dest="data", action="append", type=urlencoded)
    parser.add_argument("--data-binary", dest="binary")
    parser.add_argument("-o", dest="output")
    given = parser.parse_args()
    body = file_of(given.binary) if given.binary else "&".join(given.data).encode()
    headers = dict(header.split(": ", 1) for header in given.headers)
    files = {name: file_of(value) for name, value in (each.split("=", 1) for each in given.form)}
    if body:
        headers = {"Content-Type": FORM, **headers}
    method = given.method or ("POST" if body or files else "GET")
    answer = httpx.request(
        method,
        url_of(given.url),
        headers=headers,
        content=body or None,
        files=files or None,
        follow_redirects=given.follow,
        timeout=30,
    )
    if given.fail and answer.is_error:
        sys.exit(f"curl: (22) The requested URL returned error: {answer.status_code}")
    output = open(given.output, "wb") if given.output else sys.stdout.buffer
    if given.i:
        lines = [f"HTTP/1.1 {answer.status_code}", *(f"{k}: {v}" for k, v in answer.headers.items())]
        output.write("\r\n".join([*lines, "", ""]).encode())
    output.write(answer.content + given.write_out.encode().decode("unicode_escape").encode())
    output.flush()


def urlencoded(pair: str) -> str:
    name, value = pair.split("=", 1)
    return f"{name}={quote_plus(value)}"


def file_of(reference: str) -> bytes:
    with open(reference.removeprefix("@"), "rb") as file:
        return file.read()


def url_of(text: str) -> str:
    return text if "://" in text else f"http://{text}"


if __name__ == "__main__":
    main()
