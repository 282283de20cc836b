import httpx
import pytest

from infra.gateway.routes import read_routes
from tests.integration.problems import MEMBERS


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_page_loads_only_from_here(client: httpx.AsyncClient, path: str) -> None:
    page = (await client.get(path)).text
    assert "SwaggerUIBundle" in page
    assert "https://" not in page
    for asset in ("/docs/assets/swagger-ui-bundle.js", "/docs/assets/swagger-ui.css"):
        assert f'"{asset}"' in page
        assert len((await client.get(asset)).content) > 100_000


async def test_document_has_every_route_and_no_dangling_reference(client: httpx.AsyncClient) -> None:
    answer = await client.get("/openapi.json")
    document = answer.json()
    described = {(m.upper(), path) for path, methods in document["paths"].items() for m in methods}
    assert described == {(route.method, route.path) for route in read_routes() if route.method != "HEAD"}
    references = {part.split('"')[0] for part in answer.text.split('"$ref":"')[1:]}
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references and references <= schemas and "$defs" not in answer.text


async def test_document_describes_refusals_as_problems(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert MEMBERS <= document["components"]["schemas"]["ProblemDocument"]["properties"].keys()
    login = document["paths"]["/auth/login"]["post"]
    assert login["responses"]["401"]["description"] == "`invalid_credentials`"
    assert login["responses"]["401"]["content"].keys() == {"application/problem+json"}
    assert login["requestBody"]["content"].keys() == {
        "application/json",
        "application/x-www-form-urlencoded",
    }


async def test_resize_is_shown_to_want_a_token(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    [security] = document["paths"]["/file/resize"]["post"]["security"]
    scheme = document["components"]["securitySchemes"][next(iter(security))]
    assert scheme["flows"]["password"]["tokenUrl"] == "/auth/login"


async def test_resize_is_shown_to_take_a_source_and_to_answer_with_an_address(
    client: httpx.AsyncClient,
) -> None:
    resize = (await client.get("/openapi.json")).json()["paths"]["/file/resize"]["post"]
    content = resize["requestBody"]["content"]
    assert content.keys() == {"application/octet-stream", "multipart/form-data", "application/json"}
    assert content["application/json"]["schema"]["required"] == ["source"]
    assert "Location" in resize["responses"]["303"]["headers"]
    assert "`source_not_found`" in resize["responses"]["404"]["description"]
