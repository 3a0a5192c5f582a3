"""create_app: the one place that knows everyone."""

from flask import Flask
from flask_wtf import CSRFProtect

from dashboard import formatting, http
from dashboard.assets import Assets, folder
from dashboard.charts.rendering import Renderer
from dashboard.deadline import within_deadline
from dashboard.model_client import ModelClient
from dashboard.settings import Settings
from dashboard.views import errors
from dashboard.views.about import about_views
from dashboard.views.charts import chart_views
from dashboard.views.health import health_views
from dashboard.views.index import index_views
from dashboard.views.panels import panel_views
from dashboard.views.predict import predict_views
from dashboard.views.predict_results import predict_results_views
from dashboard.views.static_files import static_views

MAX_FORM_BYTES = 500_000
MAX_FORM_FIELDS = 2_000


def create_app(settings: Settings | None = None) -> Flask:
    """Make the dashboard. It asks the model service only when a page is opened."""
    settings = settings or Settings()
    app = Flask(__name__, static_folder=None, template_folder=str(folder("templates")))
    app.config.from_mapping(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=MAX_FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_BYTES,
        MAX_FORM_PARTS=MAX_FORM_FIELDS,
        SESSION_COOKIE_NAME="servery",
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,  # a page may stay open all day
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    assets = Assets(folder("static"))
    app.jinja_env.globals["asset"] = assets.url
    app.jinja_env.globals["fmt"] = formatting

    client = ModelClient(settings.model_api_url, timeout=settings.timeout, max_bytes=settings.max_answer_bytes)
    renderer = Renderer()
    http.install(app, settings.allowed_hosts)
    CSRFProtect(app)
    errors.install(app)
    app.register_blueprint(static_views(assets))
    app.register_blueprint(health_views())
    app.register_blueprint(index_views(client))
    app.register_blueprint(predict_views(client, renderer))
    app.register_blueprint(predict_results_views(client))
    app.register_blueprint(chart_views(client, renderer))
    app.register_blueprint(panel_views(client, renderer))
    app.register_blueprint(about_views(client, renderer))
    app.wsgi_app = within_deadline(app.wsgi_app, settings.timeout)  # type: ignore[assignment] # Flask advises it
    return app
