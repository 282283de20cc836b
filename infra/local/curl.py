"""The lines to do the main job by hand. The README shows them as they are for the usual ports."""

LINES = """\
curl -sw '\\n' localhost:{port}/auth/register -H 'Content-Type: application/json' \\
  -d '{{"username":"ada","password":"correct horse battery staple"}}'

curl -sw '\\n' localhost:{port}/auth/login -d username=ada \\
  --data-urlencode 'password=correct horse battery staple' | tee tokens.json
TOKEN=$(python3 -c 'import json; print(json.load(open("tokens.json"))["access_token"])')

curl -sSf "localhost:{port}/file/resize?width=200&format=png" -H "Authorization: Bearer $TOKEN" \\
  --data-binary @infra/local/samples/rocket.jpg -o temp.png

curl -s {metrics}/metrics | grep passepartout_http_requests_total
"""


def curl_lines(port: int, metrics: str) -> str:
    """Return the lines for a front door on this port and a Pushgateway at this address."""
    return LINES.format(port=port, metrics=metrics)
