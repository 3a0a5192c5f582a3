"""`/static/<hash>/<name>`: files named by their content, kept by the browser for good."""

from flask import Blueprint, Response, abort, make_response, request

from dashboard.assets import Assets

FOREVER = "public, max-age=31536000, immutable"


def static_views(assets: Assets) -> Blueprint:
    """Make the address of the static files."""
    views = Blueprint("static_files", __name__)

    @views.get("/static/<digest>/<path:name>")
    def file(digest: str, name: str) -> Response:
        asset = assets.find(digest, name)
        if asset is None:
            abort(404)
        gzipped = bool(request.accept_encodings["gzip"])
        response = make_response(asset.compressed if gzipped else asset.data)
        response.mimetype = asset.media_type
        response.headers["Cache-Control"] = FOREVER
        response.vary.add("Accept-Encoding")
        if gzipped:
            response.content_encoding = "gzip"
        return response

    return views
