"""Who may import whom: the two packages meet only over HTTP, and each layer knows only the ones below."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {"sklearn", "pandas", "skops", "scipy", "skl2onnx", "pyarrow", "yaml"}
MAY_USE_SKLEARN = (
    *("model_api/publishing/", "model_api/examples/"),
    *("model_api/runtimes/sklearn.py", "model_api/runtimes/frames.py", "model_api/runtimes/package.py"),
    "model_api/inspection/mlflow_model.py",  # reads YAML; no service looks into such a model
)
CLIENT = ("model_api/client.py", "model_api/client_transport.py")
CLIENT_MAY_USE = {
    *("model_api.__version__", "model_api.client_transport"),
    *(f"model_api.client_transport.{name}" for name in ("Transport", "deadline", "remaining")),
}
MAY_USE_PYARROW = ("model_api/bulk/", "model_api/scoring/")
SERVE = """
import sys
from pathlib import Path
from starlette.testclient import TestClient
from model_api.app import create_app
from model_api.settings import Settings

with TestClient(create_app(Settings(models=Path(sys.argv[1]), allowed_hosts=("testserver",)))) as client:
    while client.get("/health/ready").status_code != 200:
        pass
    answer = client.get("/models/diabetes/predict")
    assert answer.status_code == 200, answer.text
print(*sys.modules)
"""


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            assert not node.level, f"{path}: relative imports hide who imports whom"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def roots(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("path", modules("dashboard"), ids=str)
def test_the_dashboard_knows_neither_the_model_service_nor_models(path: Path) -> None:
    assert not roots(path) & ({"model_api", "servery", "fastapi", "starlette"} | HEAVY)


@pytest.mark.parametrize("path", modules("model_api"), ids=str)
def test_the_model_service_knows_no_page(path: Path) -> None:
    assert not roots(path) & {"dashboard", "servery", "flask", "wtforms", "matplotlib"}


@pytest.mark.parametrize("path", modules("model_api"), ids=str)
def test_the_model_service_asks_nobody_but_its_client_does(path: Path) -> None:
    if path.relative_to(ROOT).as_posix() in CLIENT:
        assert not {name for name in imports(path) if name.startswith("model_api.")} - CLIENT_MAY_USE
    else:
        assert "requests" not in roots(path)
        assert not {name for name in imports(path) if name.startswith("model_api.client")}


@pytest.mark.parametrize("path", modules("model_api"), ids=str)
def test_only_publishing_and_the_scikit_learn_runtime_import_scikit_learn(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    if not place.startswith(MAY_USE_SKLEARN):
        assert not roots(path) & (HEAVY - ({"pyarrow"} if place.startswith(MAY_USE_PYARROW) else set()))


@pytest.mark.parametrize("path", modules("model_api"), ids=str)
def test_onnx_is_written_and_inspected_apart_from_where_it_is_served(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    if not place.startswith(("model_api/publishing/", "model_api/inspection/onnx_file.py")):
        assert "onnx" not in roots(path)
    if place != "model_api/runtimes/onnx.py":
        assert "onnxruntime" not in roots(path)


def test_a_process_that_serves_compiled_models_stays_small(models_folder: Path) -> None:
    served = subprocess.run(
        [sys.executable, "-c", SERVE, str(models_folder)], capture_output=True, text=True, check=True
    )

    assert not (HEAVY | {"onnx"}) & set(served.stdout.split())


@pytest.mark.parametrize(
    "name",
    [
        "errors",
        "signature",
        "artifact",
        "registry",
        "inference",
        "conformal",
        "wire",
        "json_body",
        "settings",
        "values",
        "folders",
        "loading",
        "trial",
    ],
)
def test_what_lies_below_the_routes_knows_no_http(name: str) -> None:
    assert not roots(ROOT / "model_api" / f"{name}.py") & {"fastapi", "starlette", "uvicorn"}


def test_only_the_model_client_speaks_to_the_model_service() -> None:
    speakers = {path.name for path in modules("dashboard") if roots(path) & {"requests", "urllib3", "httpx2"}}

    assert speakers == {"model_client.py", "deadline.py"}


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("model_api", {"fastapi", "pydantic", "numpy"} | HEAVY),
        ("model_api.app", HEAVY),
        ("dashboard.app", HEAVY | {"model_api", "matplotlib.pyplot"}),
        ("servery", HEAVY | {"fastapi", "flask", "model_api.app", "dashboard"}),
    ],
)
def test_importing_a_part_loads_no_more_than_it_needs(module: str, absent: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert not absent & set(loaded)
