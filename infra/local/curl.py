"""The lines to do the main job by hand. The README shows them as they are for port 8000."""

LINES = """\
curl -sw '\\n' localhost:{port}/auth/register -H 'Content-Type: application/json' \\
  -d '{{"username":"ada","password":"correct horse battery staple"}}'

curl -sw '\\n' localhost:{port}/auth/login -d username=ada \\
  --data-urlencode 'password=correct horse battery staple' | tee tokens.json
TOKEN=$(python3 -c 'import json; print(json.load(open("tokens.json"))["access_token"])')

curl -s "localhost:{port}/file/resize?width=200&format=png" -H "Authorization: Bearer $TOKEN" \\
  --data-binary @infra/local/samples/rocket.jpg -o temp.png
"""


def curl_lines(port: int) -> str:
    return LINES.format(port=port)
