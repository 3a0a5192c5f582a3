"""GET /docs: Swagger UI from our own files, so that it works without the internet."""

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, HTMLResponse
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent.parent / "static"
# Swagger UI sets style attributes and draws its icons from data: addresses.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
CACHED = {"Cache-Control": "private, max-age=3600"}
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Servery model service</title>
<link rel="icon" href="/docs/icon.svg">
<link rel="stylesheet" href="/docs/swagger-ui/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

swagger_ui = StaticFiles(directory=STATIC / "vendor" / "swagger-ui")


def docs_routes() -> APIRouter:
    """Make the route of the documentation page and of the two small files beside Swagger UI."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs() -> HTMLResponse:
        return HTMLResponse(PAGE, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})

    @router.get("/docs/start.js")
    async def start() -> FileResponse:
        return FileResponse(STATIC / "start.js", headers=CACHED)

    @router.get("/docs/icon.svg")
    async def icon() -> FileResponse:
        return FileResponse(STATIC / "icon.svg", headers=CACHED)

    return router
