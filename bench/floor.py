"""The floor: what Flask and htmx cost with nothing added, served as the dashboard is.

One page, the model in the same process; the number comes first, the chart has an address of its own.
"""

import io
from pathlib import Path
from typing import cast

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi_typing import WSGIApp
from flask import Flask, Response, render_template_string, request
from matplotlib.figure import Figure
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Diabetes progression</title>
<link rel="icon" href="data:,">
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem }
.columns { display: grid; gap: 2rem; grid-template-columns: minmax(14rem, 1fr) 3fr }
form { display: grid; gap: .5rem; align-content: start }
label { display: grid }
input, button { font: inherit; padding: .4rem }
</style>
<script src="{{ url_for('static', filename='htmx.min.js') }}" defer></script>
</head>
<body>
<h1>Diabetes progression</h1>
<div class="columns">
<form hx-post="{{ url_for('predict') }}" hx-target="#result">
{% for name, value in values.items() %}
<label>{{ name }} <input name="{{ name }}" type="number" step="any" value="{{ value }}" required></label>
{% endfor %}
<button id="predict">Predict</button>
</form>
<section id="result" aria-live="polite"></section>
</div>
</body>
</html>
"""
RESULT = """<h2>Predicted progression</h2>
<output id="number">{{ number }}</output>
<img id="chart" src="{{ url_for('chart', **values) }}" width="700" height="400" alt="What each feature adds">
"""

DATA = load_diabetes(scaled=False, as_frame=True)
MODEL = make_pipeline(StandardScaler(), Ridge(random_state=0)).fit(DATA.data, DATA.target)
FEATURES = list(DATA.data.columns)
MEDIANS = {name: float(value) for name, value in DATA.data.median().items()}

flask_app = Flask(__name__, static_folder=str(Path(__file__).parent.parent / "static" / "vendor" / "htmx"))
app = WSGIMiddleware(cast("WSGIApp", flask_app), workers=16)


def row(values: dict[str, str]) -> object:
    """Give one row of the kind that the model was trained on."""
    return DATA.data.iloc[:1].assign(**{name: float(values.get(name, MEDIANS[name])) for name in FEATURES})


@flask_app.get("/")
def page() -> str:
    """Show the form."""
    return render_template_string(PAGE, values=MEDIANS)


@flask_app.post("/predict")
def predict() -> str:
    """Answer the form with the number, and the address of the chart."""
    return render_template_string(RESULT, values=request.form.to_dict(), number=number(request.form.to_dict()))


@flask_app.get("/number")
def right_number() -> str:
    """Tell the benchmark the right number."""
    return number(request.args.to_dict())


def number(values: dict[str, str]) -> str:
    """Predict, and write the prediction as it is shown."""
    return f"{MODEL.predict(row(values))[0]:.2f}"


@flask_app.get("/chart.png")
def chart() -> Response:
    """Draw what each feature adds to the mean prediction, or takes from it."""
    parts = (MODEL[0].transform(row(request.args.to_dict())) * MODEL[-1].coef_)[0].tolist()
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.barh(FEATURES, parts, color=["C0" if part >= 0 else "C3" for part in parts])
    axes.axvline(0, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlabel("contribution to the prediction")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return Response(buffer.getvalue(), mimetype="image/png", headers={"Cache-Control": "max-age=3600"})
